"""Resample's pass band, images and aliases, measured by stepped tones and sweeps; it makes no clicks.

Levels are read from float64 spectra and least-squares fits over thousands of samples, which lie far below
the rounding of a single float32 sample.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import fastaudio as fa
import numpy as np
import pytest
from helpers import in_chunks, sine

if TYPE_CHECKING:
    from numpy.typing import NDArray

RATIOS = [
    (44_100, 16_000),
    (48_000, 16_000),
    (16_000, 44_100),
    (8000, 16_000),
    (11_127, 16_000),
    (192_000, 8000),
    (22_050, 16_000),
]
# Share of the lower Nyquist frequency that passes within 0.01 dB, and where images and aliases lie, in dB.
PROMISED = {"high": (0.90, -100.0), "best": (0.95, -120.0)}
RIPPLE_DB = 0.01
EDGE_S = 0.06  # where a signal of any of these rates meets silence

every_ratio = pytest.mark.parametrize(("input_rate", "output_rate"), RATIOS)
every_quality = pytest.mark.parametrize("quality", PROMISED)


def steady(y: NDArray[np.float32], rate: int) -> NDArray[np.float64]:
    edge = math.ceil(EDGE_S * rate)
    return y[edge:-edge].astype(np.float64)


def tone_and_rest(
    y: NDArray[np.float64], frequency_hz: float, rate: int
) -> tuple[float, NDArray[np.float64]]:
    """Return the amplitude of one frequency by least squares, and the residue."""
    t = 2 * np.pi * frequency_hz / rate * np.arange(len(y))
    basis = np.stack([np.cos(t), np.sin(t)], axis=1)
    weights, *_ = np.linalg.lstsq(basis, y, rcond=None)
    return float(np.hypot(*weights)), y - basis @ weights


def largest_line(x: NDArray[np.float64]) -> float:
    """Return the amplitude in dB of the strongest frequency."""
    taper = np.kaiser(len(x), 14)
    spectrum = np.abs(np.fft.rfft(x * taper)) / (taper.sum() / 2)
    return 20 * math.log10(max(float(spectrum.max()), 1e-12))


def sweep(
    start_hz: float, end_hz: float, rate: int, seconds: float, *, fade_s: float = 0.0
) -> NDArray[np.float64]:
    """Return a full-scale sine whose frequency rises evenly."""
    t = np.arange(round(seconds * rate)) / rate
    x = np.sin(2 * np.pi * (start_hz * t + (end_hz - start_hz) / (2 * seconds) * t**2))
    if fade_s:
        n = round(fade_s * rate)
        rise = 0.5 - 0.5 * np.cos(np.pi * np.arange(n) / n)
        x[:n] *= rise
        x[-n:] *= rise[::-1]
    return x


@every_ratio
@every_quality
def test_stepped_tones_pass_alike_and_leave_no_images(
    input_rate: int, output_rate: int, quality: str
) -> None:
    band, floor_db = PROMISED[quality]
    node = fa.Resample(input_rate=input_rate, output_rate=output_rate, quality=quality)
    nyquist_hz = min(input_rate, output_rate) / 2
    for share in (0.003, *np.linspace(0.04, 1.0, 25)):
        frequency_hz = share * band * nyquist_hz
        y = node(sine(frequency_hz, input_rate, round(0.4 * input_rate), level=1.0))
        amplitude, rest = tone_and_rest(steady(y, output_rate), frequency_hz, output_rate)
        assert abs(20 * math.log10(amplitude)) < RIPPLE_DB, frequency_hz
        assert largest_line(rest) < floor_db, frequency_hz


@pytest.mark.parametrize(("input_rate", "output_rate"), [r for r in RATIOS if r[0] < r[1]])
@every_quality
def test_tones_beyond_the_pass_band_leave_no_images_either(
    input_rate: int, output_rate: int, quality: str
) -> None:
    band, floor_db = PROMISED[quality]
    node = fa.Resample(input_rate=input_rate, output_rate=output_rate, quality=quality)
    for share in np.linspace(band, 0.995, 8):
        frequency_hz = share * input_rate / 2
        y = node(sine(frequency_hz, input_rate, round(0.4 * input_rate), level=1.0))
        _, rest = tone_and_rest(steady(y, output_rate), frequency_hz, output_rate)
        assert largest_line(rest) < floor_db, frequency_hz


@pytest.mark.parametrize(("input_rate", "output_rate"), [r for r in RATIOS if r[0] > r[1]])
@every_quality
def test_stepped_tones_above_the_new_nyquist_frequency_leave_no_aliases(
    input_rate: int, output_rate: int, quality: str
) -> None:
    node = fa.Resample(input_rate=input_rate, output_rate=output_rate, quality=quality)
    for frequency_hz in np.linspace(output_rate / 2, 0.999 * input_rate / 2, 40):
        y = node(sine(frequency_hz, input_rate, round(0.3 * input_rate), level=1.0))
        assert largest_line(steady(y, output_rate)) < PROMISED[quality][1], frequency_hz


@every_ratio
@every_quality
def test_a_sweep_of_the_pass_band_comes_out_as_the_same_sweep(
    input_rate: int, output_rate: int, quality: str
) -> None:
    end_hz = PROMISED[quality][0] * min(input_rate, output_rate) / 2
    x = sweep(20, end_hz, input_rate, 1.0).astype(np.float32)
    y = fa.Resample(input_rate=input_rate, output_rate=output_rate, quality=quality)(x)
    error = steady(y - sweep(20, end_hz, output_rate, 1.0), output_rate)
    assert np.abs(error).max() < 10 ** (RIPPLE_DB / 20) - 1


@pytest.mark.parametrize(("input_rate", "output_rate"), [r for r in RATIOS if r[0] > r[1]])
@every_quality
def test_a_sweep_above_the_new_nyquist_frequency_comes_out_as_silence(
    input_rate: int, output_rate: int, quality: str
) -> None:
    x = sweep(output_rate / 2 + 250, input_rate / 2, input_rate, 1.0, fade_s=0.05)
    y = fa.Resample(input_rate=input_rate, output_rate=output_rate, quality=quality)(x.astype(np.float32))
    assert 20 * math.log10(np.abs(steady(y, output_rate)).max()) < PROMISED[quality][1]


@every_ratio
@every_quality
def test_no_click_where_blocks_meet(input_rate: int, output_rate: int, quality: str) -> None:
    node = fa.Resample(input_rate=input_rate, output_rate=output_rate, quality=quality)
    frequency_hz = 37.0
    x = sine(frequency_hz, input_rate, input_rate, level=1.0)
    rng = np.random.default_rng(5)
    y = in_chunks(node, x, sorted(rng.integers(0, len(x), 60).tolist()))[""]
    # A sampled sine's second difference is the sine itself, scaled: nothing else may remain of it.
    bend = np.diff(y.astype(np.float64), 2)
    step = 2 * np.pi * frequency_hz / output_rate
    amplitude, rest = tone_and_rest(steady(bend, output_rate), frequency_hz, output_rate)
    assert amplitude == pytest.approx(4 * math.sin(step / 2) ** 2, rel=1e-4)
    # Second differences raise images by a factor of four at most.
    assert np.abs(rest).max() < 4 * 10 ** (PROMISED[quality][1] / 20)
