"""The option --standardize: mean and deviation of each feature, of these rows or from an earlier run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fastaudio._system.arrays import ArraysError, Expected, arrays

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

_LONGEST = 1 << 16  # bytes of a name
_ROUNDING = 1e-6  # of float32, relative to the mean: a feature that deviates less is constant


def read_statistics(path: str, about: Mapping[str, Any], n_features: int) -> dict[str, list[float]]:
    """Read the mean and standard deviation of each feature from a file that an earlier run wrote.

    Raises:
        ValueError: the file has none, or those of another model or layer than `about` names, or of another
            number of features.
        OSError: it can't be read.
    """
    numbers, text = Expected((n_features,), kinds="fiu"), Expected(kinds="U", largest=_LONGEST)
    try:
        with Path(path).open("rb") as file, arrays(file) as data:
            for key in ("model", "layer"):
                if key in data and (theirs := str(data.read(key, text))) != about[key]:
                    raise ValueError(f"--standardize {path}: expected {key} {about[key]}, got {theirs:.80}")
            return {key: data.read(key, numbers).astype(np.float64).tolist() for key in ("mean", "std")}
    except ArraysError as error:
        expected = "expected 'mean' and 'std' as a run with --standardize self writes them"
        raise ValueError(
            f"--standardize {path}: {expected}, got: {error}; name the output of such a run with this model"
        ) from error


def statistics_of(rows: Sequence[NDArray[np.float32]]) -> dict[str, list[float]]:
    """Return the mean and standard deviation of each feature; the deviation of a constant one is 1."""
    n_features = rows[0].shape[-1]
    whole = np.concatenate([each.reshape(-1, n_features) for each in rows])
    if not len(whole):
        raise ValueError("--standardize self: expected rows, got none from any file")
    mean, std = whole.mean(axis=0, dtype=np.float64), whole.std(axis=0, dtype=np.float64)
    std[std <= _ROUNDING * np.abs(mean)] = 1.0
    return {"mean": mean.tolist(), "std": std.tolist()}
