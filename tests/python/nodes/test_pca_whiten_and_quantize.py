"""PCAWhiten and Quantize against VGGish's postprocessor, in float64 NumPy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import fastaudio as fa
import numpy as np
import pytest
from fastaudio import presets

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Parameters = tuple[NDArray[np.float32], Floats, Floats]


@pytest.fixture(scope="module")
def parameters(guitar_16k: NDArray[np.float32]) -> Parameters:
    """Return rows of 128, and the matrix and means that whiten them, in float32 as published ones are."""
    mel = fa.MelSpectrogram(sample_rate=16_000, n_fft=1024, hop_length=160, n_mels=128)
    rows = (mel >> fa.Log())(guitar_16k)
    wide = rows.astype(np.float64)
    means = wide.mean(axis=0)
    _, deviation, axes = np.linalg.svd(wide - means, full_matrices=False)
    matrix = axes * np.sqrt(len(rows)) / deviation[:, None]
    return rows, matrix.astype(np.float32).astype(np.float64), means.astype(np.float32).astype(np.float64)


def whitened(rows: NDArray[np.float32], matrix: Floats, means: Floats) -> Floats:
    product: Floats = (matrix @ (rows.astype(np.float64).T - means[:, None])).T
    return product


def vggish_levels(x: Floats) -> Floats:
    """Return values clipped to +-2 on 255 steps, before the cast to uint8."""
    return (np.clip(x, -2.0, 2.0) - -2.0) * (255.0 / 4.0)


def test_a_component_is_the_matrix_times_the_row_less_its_means(parameters: Parameters) -> None:
    rows, matrix, means = parameters
    got = fa.PCAWhiten(matrix.ravel(), means)(rows)
    np.testing.assert_allclose(got, whitened(rows, matrix, means), rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(got.std(axis=0, dtype=np.float64), 1, rtol=1e-4)
    few = fa.PCAWhiten(matrix[:5].ravel(), means)(rows)
    assert np.array_equal(few, got[:, :5])


def test_the_postprocessor_is_the_published_one(parameters: Parameters) -> None:
    rows, matrix, means = parameters
    got = presets.vggish_postprocess(matrix, means)(rows)
    levels = vggish_levels(whitened(rows, matrix, means))
    want = levels.astype(np.uint8)
    assert got.dtype == np.float32
    assert len(np.unique(want)) == 256
    off = got != want
    # PCAWhiten hands on float32: only values within its rounding of a step may fall below the step.
    assert np.abs(levels - np.round(levels))[off].max(initial=0) < 2e-5
    assert np.abs(got - want).max() <= 1
    assert off.mean() < 1e-4


@pytest.mark.parametrize("rounding", ["down", "nearest"])
@pytest.mark.parametrize("bits", [1, 4, 8, 16])
def test_levels_are_numpys(parameters: Parameters, bits: int, rounding: str) -> None:
    x = parameters[0]
    low, high = -9.5, 2.25
    level = (np.clip(x.astype(np.float64), low, high) - low) * ((2**bits - 1) / (high - low))
    want = np.floor(level) if rounding == "down" else np.rint(level)
    got = fa.Quantize(min=low, max=high, bits=bits, rounding=rounding)(x)
    assert np.array_equal(got, want)
    assert (got.min(), got.max()) == (0, 2**bits - 1)


def test_vggishs_matrix_fits_into_a_card(parameters: Parameters, tmp_path: Path) -> None:
    _, matrix, means = parameters
    node = fa.PCAWhiten(matrix.ravel(), means)
    pipeline = fa.Pipeline(fa.MelSpectrogram(sample_rate=16_000, n_mels=128) >> fa.Log() >> node)
    pipeline.save(tmp_path / "card.json")
    assert fa.Pipeline.load(tmp_path / "card.json").node == pipeline.node
    assert "PCAWhiten(128 to 128)" in str(pipeline)


@pytest.mark.parametrize(
    ("matrix", "means", "message"),
    [
        ([1.0], [], "expected means of at least one item, got 0 items"),
        ([], [1.0], "expected matrix of a multiple of 1 items, the number of means, got 0 items"),
        ([1.0] * 5, [1.0] * 2, "expected matrix of a multiple of 2 items, the number of means, got 5 items"),
        ([0.0] * 131_073, [0.0], "expected matrix of at most 131072 items, got 131073 items; take an Onnx"),
    ],
)
def test_lists_that_do_not_fit_are_refused(matrix: list[float], means: list[float], message: str) -> None:
    with pytest.raises(ValueError, match=f"PCAWhiten: {message}"):
        fa.PCAWhiten(matrix, means)


def test_what_does_not_fit_is_refused_when_composing() -> None:
    node = fa.PCAWhiten([1.0, 2.0], [0.0, 0.0])
    message = r"PCAWhiten: expected rows of 2, as there are means, got rows \[10 Hz, 3\]"
    with pytest.raises(ValueError, match=message):
        node.output_specs(fa.StreamSpec(rate_hz=10, shape=[3]))
    with pytest.raises(ValueError, match=r"Quantize: expected max at least .* above min = 2.0, got 2.0"):
        fa.Quantize(min=2, max=2)
