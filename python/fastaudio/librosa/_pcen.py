# ruff: noqa: N803  # S is librosa's name
"""Per-channel energy normalisation: `pcen`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fastaudio._core import PCEN
from fastaudio.librosa._arguments import Refused, only, positive_integer, public, real, tell
from fastaudio.librosa._nodes import node, rows_of, warn_of_lost_phase

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fastaudio.librosa._arguments import Rows

_STREAM = "for blocks of a stream, use fastaudio.PCEN(...).open()"


@public("pcen")
def pcen(
    S: NDArray[Any],
    *,
    sr: float = 22050,
    hop_length: int = 512,
    gain: float = 0.98,
    bias: float = 2,
    power: float = 0.5,
    time_constant: float = 0.4,
    eps: float = 1e-6,
    b: float | None = None,
    max_size: int = 1,
    ref: NDArray[Any] | None = None,
    axis: int = -1,
    max_axis: int | None = None,
    zi: NDArray[Any] | None = None,
    return_zf: bool = False,
) -> NDArray[np.float32]:
    """Return each band over its recent level, compressed, in the shape of S, whose time is along `axis`."""
    for name, value in {"power": power, "gain": gain, "bias": bias}.items():
        if value < 0:
            raise Refused(f"expected {name} of at least 0, got {tell(value)}")
    for name, value in {"eps": eps, "time_constant": time_constant}.items():
        if value <= 0:
            raise Refused(f"expected {name} above 0, got {tell(value)}")
    positive_integer("max_size", max_size)
    if b is not None and not 0 <= b <= 1:
        raise Refused(f"expected b in [0, 1], got {tell(b)}; or give time_constant")
    if b is None and sr == 0:
        raise Refused("expected sr above 0 Hz, got 0")
    if b == 0:  # for which librosa's filter has no start
        raise ValueError("expected b above 0, got 0; or give time_constant")
    only("max_size", max_size, 1, "run without the filter over bands")
    only("max_axis", max_axis, None, "it belongs to max_size")
    only("ref", ref, None, "the level follows S itself")
    only("zi", zi, None, _STREAM)
    only("return_zf", bool(return_zf), False, _STREAM)
    if np.iscomplexobj(S):
        warn_of_lost_phase("pcen")
    values = np.moveaxis(real("S", np.abs(S) if np.iscomplexobj(S) else S), axis, 0)
    rows = values.reshape(len(values), -1)
    options = {"gain": float(gain), "bias": float(bias), "power": float(power), "eps": float(eps)}
    out = _by_node(rows, float(sr / hop_length), time_constant, b, options)
    if out is None:
        out = _in_float64(
            rows, _weight(time_constant * sr / float(hop_length)) if b is None else b, **options
        )
    return np.moveaxis(out.reshape(values.shape), 0, axis)


def _weight(rows: float) -> float:
    """Return how much of a new row goes into the level, for a time constant in rows."""
    return float((np.sqrt(1 + 4 * rows**2) - 1) / (2 * rows**2))


def _by_node(
    rows: Rows, rate_hz: float, time_constant: float, b: float | None, options: dict[str, float]
) -> Rows | None:
    """Return PCEN's rows; None if it doesn't take these options or values."""
    if b is not None:
        if not 0 < b < 1:
            return None
        time_constant = (1 - b) ** 0.5 / b / rate_hz
    if np.any(rows < 0):  # which PCEN takes for 0
        return None
    try:
        kind = node(PCEN, time_constants_s=(float(time_constant),), **options)
        return rows_of(kind, rows, None, rate_hz=rate_hz)
    except ValueError:
        return None


def _in_float64(rows: Rows, b: float, *, gain: float, bias: float, power: float, eps: float) -> Rows:
    """Compute the same in float64: values of any size, NaN and options of any value."""
    energy = rows.astype(np.float64)
    smooth = np.empty_like(energy)
    level = np.ones(energy.shape[1:])
    for row, out in zip(energy, smooth, strict=True):
        level += b * (row - level)
        out[:] = level
    with np.errstate(all="ignore"):
        ratio = energy * np.exp(-gain * (np.log(eps) + np.log1p(smooth / eps)))
        if power == 0:
            found = np.log1p(ratio)
        elif bias == 0:
            found = ratio**power
        else:
            found = bias**power * np.expm1(power * np.log1p(ratio / bias))
        return np.asarray(found, np.float32)
