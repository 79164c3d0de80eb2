"""The option --standardize: mean and deviation of each feature, of these rows or from an earlier run."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

_ROUNDING = 1e-6  # of float32, relative to the mean: a feature that deviates less is constant


def read_statistics(path: str, about: Mapping[str, Any]) -> dict[str, list[float]]:
    """Read the mean and standard deviation of each feature from a file that an earlier run wrote.

    Raises:
        ValueError: the file has none, or those of another model or layer than `about` names.
    """
    try:
        with np.load(path) as data:
            got = {key: str(data[key]) for key in ("model", "layer") if key in data}
            statistics = {key: np.ravel(data[key]).astype(np.float64).tolist() for key in ("mean", "std")}
    except (KeyError, ValueError, TypeError, AttributeError, EOFError, zipfile.BadZipFile) as error:
        expected = "expected 'mean' and 'std' as a run with --standardize self writes them"
        raise ValueError(f"--standardize {path}: {expected}, got: {error}") from error
    for key, theirs in got.items():
        if theirs != about[key]:
            raise ValueError(f"--standardize {path}: expected {key} {about[key]}, got {theirs}")
    return statistics


def statistics_of(rows: Sequence[NDArray[np.float32]]) -> dict[str, list[float]]:
    """Return the mean and standard deviation of each feature; the deviation of a constant one is 1."""
    n_features = rows[0].shape[-1]
    whole = np.concatenate([each.reshape(-1, n_features) for each in rows])
    if not len(whole):
        raise ValueError("--standardize self: expected rows, got none from any file")
    mean, std = whole.mean(axis=0, dtype=np.float64), whole.std(axis=0, dtype=np.float64)
    std[std <= _ROUNDING * np.abs(mean)] = 1.0
    return {"mean": mean.tolist(), "std": std.tolist()}
