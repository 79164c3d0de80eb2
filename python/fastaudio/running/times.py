"""When rows happened: the start and end of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fastaudio.events import Events
from fastaudio.tags import Tags

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


def times_of(rows: Any, spec: StreamSpec, duration_s: float | None) -> NDArray[np.float64]:
    """Return the start and end in seconds, [n_rows, 2], of all rows of a signal; see `Pipeline.times`."""
    if isinstance(rows, Tags):
        return rows.times
    if isinstance(rows, Events) or spec.kind == "events":
        raise TypeError("Pipeline.times: expected rows, got events; each has its own start_s and end_s")
    shape = getattr(rows, "shape", None)
    if shape is None or not hasattr(rows, "dtype"):
        raise TypeError(f"Pipeline.times: expected rows as an array, got {type(rows).__name__}")
    if tuple(shape[1:]) != spec.shape or not shape:
        wanted = ", ".join(map(str, ("n_rows", *spec.shape)))
        remedy = "; pass rows.T" if tuple(shape[:-1]) == spec.shape else ""
        raise ValueError(f"Pipeline.times: expected rows [{wanted}], got {tuple(shape)}{remedy}")
    if spec.rate_hz == 0 and duration_s is None:
        raise ValueError(
            "Pipeline.times: expected duration_s= with a row for the whole signal, got none; "
            "state the signal's length in seconds"
        )
    return row_times(spec, len(rows), np.inf if duration_s is None else duration_s)
