"""When rows happened: the start and end of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fastaudio._core import StreamSpec


def row_times(
    spec: StreamSpec, n_rows: int, duration_s: float, *, first: int = 0, base_s: float = 0.0
) -> NDArray[np.float64]:
    """Return the start and end in seconds, [n_rows, 2], of rows from number `first` of the signal on.

    Row 0 begins at `base_s`, and no row ends after `duration_s`, the end of the sound. `spec` is the rows'.
    """
    if spec.rate_hz == 0:  # one row for the whole signal
        return np.full((n_rows, 2), (base_s, duration_s))
    starts = base_s + np.arange(first, first + n_rows) / spec.rate_hz
    return np.minimum(np.stack([starts, starts + spec.span_s], axis=1), duration_s)
