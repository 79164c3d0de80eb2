"""Presets against Essentia's own input algorithms, where it is installed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import fastaudio as fa
import numpy as np
import pytest
from preset_cases import CASES, run, sound

if TYPE_CHECKING:
    from numpy.typing import NDArray


def essentia_frames(x: NDArray[np.float32], algorithm: str, size: int, hop: int) -> NDArray[np.float32]:
    """Return rows by Essentia's own input algorithms."""
    standard = pytest.importorskip("essentia.standard")
    compute = getattr(standard, algorithm)()
    return np.stack([compute(f) for f in standard.FrameGenerator(x, frameSize=size, hopSize=hop)])


@pytest.mark.parametrize(
    ("name", "algorithm", "size", "hop", "tolerance"),
    [
        ("musicnn_essentia", "TensorflowInputMusiCNN", 512, 256, 2e-3),
        ("tempocnn", "TensorflowInputTempoCNN", 1024, 512, 1e-5),
        ("vggish_essentia", "TensorflowInputVGGish", 400, 160, 1e-3),
        ("fsd_sinet", "TensorflowInputFSDSINet", 660, 220, 2e-3),
    ],
)
def test_frames_are_essentias(name: str, algorithm: str, size: int, hop: int, tolerance: float) -> None:
    case = CASES[name]
    x = sound("guitar", case.rate, 3 * case.rate)
    want = essentia_frames(x, algorithm, size, hop)
    front = case.node()
    patches = next(i for i in range(len(front)) if isinstance(front[i], fa.Patches))
    got = run(fa.Sequential([front[i] for i in range(patches)]), x)
    assert 0 <= len(want) - len(got) <= 1
    difference = np.abs(got - want[: len(got)])
    assert difference.max() < tolerance
    assert np.quantile(difference, 0.99) < 1e-4
