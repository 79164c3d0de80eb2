"""Results of labelled files, and the files that gave none."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fastaudio.decoding.audio_file import DecodeError
from fastaudio.tags import Tags

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    from fastaudio.heads.data import Examples, Failed, Progress


@dataclass(frozen=True)
class Embedded:
    """Rows of a file [n_rows, n_values], and whether they come from the cache."""

    rows: NDArray[np.float32]
    cached: bool = False


def collect(
    what: str,
    given: Examples,
    results: Iterable[Any],
    progress: Progress | None,
    take: Callable[[Any], NDArray[np.float32]],
) -> tuple[Examples, list[NDArray[np.float32]], Failed]:
    """Take what each file gave, in order: return the files that gave something, that, and the other files.

    Args:
        what: how messages begin.
        given: the files.
        results: for each file Tags, Embedded or an error.
        progress: called for each file.
        take: what to keep of a result.

    Raises:
        ValueError: no file gave a result.
    """
    kept, taken, failed = [], [], []
    for i, (file, result) in enumerate(zip(given.files, results, strict=True)):
        reason = _why_not(result)
        kept.append(reason is None)
        if reason is None:
            if isinstance(result, Tags) and result.truncated:  # the pipeline itself warns about rows
                said = f"{file}: the file is cut short, got {result.duration_s:.2f} s"
                warnings.warn(said, stacklevel=4)
            taken.append(take(result))
        else:
            failed.append((str(file), reason))
        if progress is not None:
            progress("embedding", i + 1, len(given.files))
    if not taken:
        raise ValueError(f"{what}: expected files that can be read, got none; {': '.join(failed[0])}")
    return given.only(np.array(kept)), taken, tuple(failed)


def _why_not(result: Any) -> str | None:
    """Return why a result is none, or None."""
    if isinstance(result, Exception):
        return result.reason if isinstance(result, DecodeError) else str(result)
    numbers, name = (result.scores, "scores") if isinstance(result, Tags) else (result.rows, "embeddings")
    if not len(numbers):
        return "expected sound enough for a row, got none"
    return None if np.isfinite(numbers).all() else f"expected finite {name}, got others"
