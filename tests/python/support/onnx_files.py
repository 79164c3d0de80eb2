"""The small networks of `tests/golden/onnx`, and rows for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
from helpers import ONNX

if TYPE_CHECKING:
    from numpy.typing import NDArray

FRAMES, BANDS = 4, 3


def model(name: str, **options: Any) -> fa.OnnxModel:
    """Return one of the small networks."""
    return fa.OnnxModel(str(ONNX / f"{name}.onnx"), **options)


def rows_of(n: int) -> NDArray[np.float32]:
    """Return rows [n, 4, 3] of different values."""
    return np.random.default_rng(n).uniform(-1, 1, (n, FRAMES, BANDS)).astype(np.float32)
