"""Reads back what pictures show."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def label_texts(axis: Any) -> list[str]:
    """Return the names of an axis's ticks."""
    return [label.get_text() for label in axis.get_ticklabels()]


def read_png(data: bytes | None) -> NDArray[np.float32]:
    """Return a PNG's pixels, [height, width, 3 or 4], from 0 to 1."""
    from matplotlib import image

    assert data is not None
    pixels: NDArray[np.float32] = image.imread(io.BytesIO(data), format="png")
    return pixels
