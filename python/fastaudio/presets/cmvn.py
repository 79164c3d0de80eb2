"""Mean and deviation of features, from the sums that Kaldi keeps of its training data in `cmvn.ark`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fastaudio._core import ModelError, TimedOut
from fastaudio._system.reading import read_small

if TYPE_CHECKING:
    import os

_LARGEST = 1 << 20
_NUMBERS = {b"FM ": "<f4", b"DM ": "<f8"}
_HEAD = 15  # a mark, the type, and two sizes with a byte before each
_LONGEST_KEY = 256


def read_cmvn(path: str | os.PathLike[str], n_bands: int) -> tuple[list[float], list[float]]:
    """Return the mean and the standard deviation of each of `n_bands`.

    The file is a matrix of two rows in Kaldi's binary form: a sum for each band and the number of frames,
    then a sum of squares for each band and a number that isn't used. A key may stand before it.

    Raises:
        ModelError: the file can't be read, or holds something else.
    """
    try:
        raw = read_small(path, _LARGEST)
    except TimedOut:  # an OSError too
        raise
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: expected a file that can be read, got: {error}") from error
    begin = -1 if raw is None else raw.find(b"\0B", 0, _LONGEST_KEY)
    if raw is None or begin < 0 or (kind := _NUMBERS.get(raw[begin + 2 : begin + 5])) is None:
        raise ModelError(
            f"{path}: expected Kaldi's sums in binary form (cmvn.ark), got another file; give "
            "mean and std instead"
        )
    sizes = tuple(int.from_bytes(raw[begin + at : begin + at + 4], "little") for at in (6, 11))
    body = raw[begin + _HEAD :]
    if sizes != (2, n_bands + 1) or len(body) != 2 * (n_bands + 1) * np.dtype(kind).itemsize:
        raise ModelError(
            f"{path}: expected 2 x {n_bands + 1} sums, of {n_bands} bands, got {sizes[0]} x {sizes[1]} in "
            f"{len(body)} bytes; take the file that comes with these weights"
        )
    sums, squares = np.frombuffer(body, kind).astype(np.float64).reshape(sizes)
    with np.errstate(all="ignore"):
        mean = sums[:-1] / sums[-1]
        variance = squares[:-1] / sums[-1] - mean**2
    if not (sums[-1] > 0 and np.isfinite(mean).all() and (variance > 0).all()):
        raise ModelError(
            f"{path}: expected sums of one frame or more whose bands vary, got others; take the file that "
            "comes with these weights"
        )
    return mean.tolist(), np.sqrt(variance).tolist()
