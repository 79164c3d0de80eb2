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
    """Return start and end in seconds of rows [n_rows, 2] from the `first` on.

    Args:
        spec: of the rows, one of a pipeline's `output_specs`.
        n_rows: how many there are.
        duration_s: end of the sound that they were made of: no row ends after it.
        first: number of the first of them in the whole signal.
        base_s: time of row 0.
    """
    if spec.rate_hz == 0:  # one row for the whole signal
        return np.full((n_rows, 2), (base_s, duration_s))
    starts = base_s + np.arange(first, first + n_rows) / spec.rate_hz
    return np.minimum(np.stack([starts, starts + spec.span_s], axis=1), duration_s)
