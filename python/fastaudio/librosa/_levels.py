# ruff: noqa: N803  # S is librosa's name
"""Features of frames without a spectrum: `rms`, `zero_crossing_rate`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fastaudio._core import RMS, ZeroCrossingRate
from fastaudio.librosa._arguments import (
    Refused,
    audio,
    dtype_only,
    only,
    padding,
    positive_integer,
    public,
    real,
    spectrum,
)
from fastaudio.librosa._nodes import LARGEST, framed, node

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray


@public("feature.rms")
def rms(
    *,
    y: NDArray[Any] | None = None,
    S: NDArray[Any] | None = None,
    frame_length: int = 2048,
    hop_length: int = 512,
    center: bool = True,
    pad_mode: str = "constant",
    dtype: DTypeLike = np.float32,
) -> NDArray[np.float32]:
    """Return each frame's root mean square, [..., 1, n_frames], of samples or a magnitude spectrogram S."""
    dtype_only(np.float32, dtype)
    if y is None and S is not None:
        rows = spectrum("S", np.abs(S))
        if rows.shape[-1] != frame_length // 2 + 1:
            raise Refused(
                f"expected frame_length {2 * rows.shape[-1] - 2} or {2 * rows.shape[-1] - 1} for S of "
                f"{rows.shape[-1]} bins, got {frame_length}"
            )
        # Each bin counts for itself and its mirror image; the outermost have none.
        weights = np.ones(rows.shape[-1], dtype=np.float32)
        weights[0] = 0.5
        if frame_length % 2 == 0:
            weights[-1] = 0.5
        power: NDArray[np.float32] = 2 * (np.square(rows) @ weights) / np.float32(frame_length) ** 2
        return np.sqrt(power)[..., None, :].astype(np.float32, copy=False)
    if y is not None:  # librosa takes integers as they are, and more
        y = real("y", y)
        if not np.isfinite(y).all():
            raise ValueError("expected y of finite samples, got some that aren't; clean it first")
    positive_integer("hop_length", hop_length)
    level = node(RMS, frame_length=frame_length, hop_length=hop_length, **padding(center, pad_mode))
    return np.swapaxes(framed(level, y, frame_length, center, 1), -1, -2)


@public("feature.zero_crossing_rate")
def zero_crossing_rate(
    y: NDArray[Any],
    *,
    frame_length: int = 2048,
    hop_length: int = 512,
    center: bool = True,
    threshold: float = 1e-10,
    ref_magnitude: float | None = None,
    pad: bool = False,
    zero_pos: bool = True,
    axis: int = -1,
) -> NDArray[np.float32]:
    """Return the share of samples per frame whose sign differs from the one before: [..., 1, n_frames]."""
    only("ref_magnitude", ref_magnitude, None, "multiply threshold by it")
    only("zero_pos", bool(zero_pos), True, "zeros count as positive")
    only("axis", axis, -1, "take frames along the last one")
    rate = node(
        ZeroCrossingRate,
        frame_length=frame_length,
        hop_length=hop_length,
        center=center,
        threshold=float(threshold),
    )
    positive_integer("hop_length", hop_length)
    limited = np.clip(audio(y), -LARGEST, LARGEST)  # signs count alone
    rows = framed(rate, limited, frame_length, center)
    if pad:  # the first sample of a frame counts as a crossing
        rows = rows + np.float32(1 / frame_length)
    return np.swapaxes(rows, -1, -2)
