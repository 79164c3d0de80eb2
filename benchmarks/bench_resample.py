"""Measures resampling a decoded file to 16 kHz, against soxr and SciPy."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import fastaudio as fa
from harness import Case, Context, Group, Target, Timed, optional
from sources import read_mono

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

RATE = 16_000
_EXCERPT_S = 60
_OTHERS = (
    (48_000, RATE),
    (8_000, RATE),
    (11_127, RATE),
    (22_051, RATE),
    (RATE, 11_127),
    (44_100, 48_000),
    (44_100, 22_050),
)
_TARGETS = {(44_100, RATE): Target(0.5), (8_000, RATE): Target(0.8), (11_127, RATE): Target(0.9)}


def groups(context: Context) -> list[Group]:
    """Compare milliseconds for the first minute of the file, mono, on one thread, in one call."""
    samples, rate = read_mono(context.audio)
    samples = samples[: _EXCERPT_S * rate]
    soxr, scipy_signal = optional("soxr"), optional("scipy.signal")
    cases = []
    for name in ("QQ", "LQ", "HQ", "VHQ"):
        timed = None
        if soxr is not None:
            timed = Timed(lambda q=name: soxr.resample(samples, rate, RATE, q), scale=1e3)
        cases.append(Case(f"soxr {name}", timed))
    timed = None
    if scipy_signal is not None:
        divisor = math.gcd(rate, RATE)
        up, down = RATE // divisor, rate // divisor
        timed = Timed(lambda: scipy_signal.resample_poly(samples, up, down), scale=1e3)
    cases.append(Case("scipy resample_poly", timed, "soxr HQ"))
    for quality, baseline in (("fast", "LQ"), ("high", "HQ"), ("best", "VHQ")):
        node = fa.Resample(input_rate=rate, output_rate=RATE, quality=quality)
        timed = Timed(lambda node=node: node(samples), scale=1e3)
        target = _TARGETS.get((rate, RATE), Target(1.0)) if quality == "high" else None
        cases.append(Case(f"fastaudio {quality}", timed, f"soxr {baseline}", target))
    length_s = len(samples) / rate
    title = f"{length_s:.0f} s of mono, {rate:,} to {RATE:,} Hz"
    return [Group(title, "ms", cases, rounds=41), other_ratios(samples)]


def other_ratios(samples: NDArray[np.float32]) -> Group:
    """Compare milliseconds for as many samples: a whole ratio, one upwards, and one without a short cycle."""
    soxr = optional("soxr")
    cases = []
    for source, target in _OTHERS:
        ratio = f"{source:,} to {target:,} Hz"
        theirs = None
        if soxr is not None:
            theirs = Timed(lambda a=source, b=target: soxr.resample(samples, a, b, "HQ"), scale=1e3)
        node = fa.Resample(input_rate=source, output_rate=target)
        cases.append(Case(f"soxr HQ, {ratio}", theirs))
        cases.append(
            Case(
                f"fastaudio high, {ratio}",
                Timed(lambda node=node: node(samples), scale=1e3),
                f"soxr HQ, {ratio}",
                _TARGETS.get((source, target)),
            )
        )
    return Group(f"{len(samples):,} samples of mono at other rates", "ms", cases, rounds=21)
