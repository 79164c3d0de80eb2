"""Resample takes any ratio and any chunks, and keeps the pass band and stop band that it promises."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import fastaudio as fa
import numpy as np
import pytest
from helpers import assert_same_bits, in_chunks, sine
from hypothesis import given
from hypothesis import strategies as st

if TYPE_CHECKING:
    from numpy.typing import NDArray

RATIOS = [
    (44_100, 16_000),
    (48_000, 16_000),
    (16_000, 44_100),
    (11_127, 16_000),
    (192_000, 8000),
    (8000, 48_000),
    (22_050, 16_000),
    (16_000, 16_001),
    (96_000, 11_025),
]
# Share of the lower Nyquist frequency that passes, and what is left of a tone above it, in dB.
PROMISED = {"fast": (0.80, -60), "high": (0.90, -100), "best": (0.95, -120)}

every_ratio = pytest.mark.parametrize(("input_rate", "output_rate"), RATIOS)
every_quality = pytest.mark.parametrize("quality", PROMISED)


def inner(x: NDArray[np.float32], rate: int) -> NDArray[np.float32]:
    """Return the signal without its first and last 50 ms, where it meets silence."""
    edge = rate // 20
    return x[edge:-edge]


def level_db(x: NDArray[np.float32], full: float) -> float:
    """Return the largest magnitude in dB, relative to that of the tone that went in."""
    return 20 * math.log10(max(float(np.abs(x).max()), 1e-12) / full)


@given(
    input_rate=st.integers(100, 200_000),
    output_rate=st.integers(100, 200_000),
    n=st.integers(0, 400),
    quality=st.sampled_from(sorted(PROMISED)),
    cuts=st.lists(st.integers(0, 400), max_size=10),
)
def test_any_pair_of_rates_has_the_length_stated_and_the_same_bits_in_any_chunks(
    guitar_16k: NDArray[np.float32],
    *,
    input_rate: int,
    output_rate: int,
    n: int,
    quality: str,
    cuts: list[int],
) -> None:
    node = fa.Resample(input_rate=input_rate, output_rate=output_rate, quality=quality)
    x = guitar_16k[5000 : 5000 + n]
    whole = node(x)
    assert len(whole) == -(-n * output_rate // input_rate)
    assert_same_bits({"": whole}, in_chunks(node, x, cuts))


@every_ratio
@every_quality
@pytest.mark.parametrize("share", [0.01, 0.3, 0.7, 0.99])
def test_a_tone_in_the_pass_band_comes_out_as_the_same_tone(
    input_rate: int, output_rate: int, quality: str, share: float
) -> None:
    band, _ = PROMISED[quality]
    frequency_hz = share * band * min(input_rate, output_rate) / 2
    x = sine(frequency_hz, input_rate, input_rate // 2)
    y = fa.Resample(input_rate=input_rate, output_rate=output_rate, quality=quality)(x)
    want = sine(frequency_hz, output_rate, len(y))
    error = np.abs(inner(y, output_rate) - inner(want, output_rate)).max()
    assert error < (4e-3 if quality == "fast" else 1e-4) * 0.5


@pytest.mark.parametrize(
    ("input_rate", "output_rate", "above"),
    [(*r, above) for r in RATIOS for above in (1.0, 1.02, 1.3, 1.9, 3.7) if above * r[1] < r[0]],
)
@every_quality
def test_a_tone_above_the_lower_nyquist_is_rejected(
    input_rate: int, output_rate: int, quality: str, above: float
) -> None:
    frequency_hz = above * output_rate / 2
    x = sine(frequency_hz, input_rate, input_rate // 2, level=1.0)
    y = fa.Resample(input_rate=input_rate, output_rate=output_rate, quality=quality)(x)
    assert level_db(inner(y, output_rate), 1.0) < PROMISED[quality][1]


@pytest.mark.parametrize(("input_rate", "output_rate"), [r for r in RATIOS if r[0] < r[1]])
@every_quality
def test_upsampling_leaves_no_images(input_rate: int, output_rate: int, quality: str) -> None:
    band, floor_db = PROMISED[quality]
    x = sine(0.9 * band * input_rate / 2, input_rate, input_rate, level=1.0)
    y = fa.Resample(input_rate=input_rate, output_rate=output_rate, quality=quality)(x)
    y = inner(y, output_rate).astype(np.float64)
    # The side lobes of this window lie below what is measured.
    t = 2 * np.pi * np.arange(len(y)) / len(y)
    terms = (0.35875, -0.48829, 0.14128, -0.01168)
    taper = sum(a * np.cos(k * t) for k, a in enumerate(terms))
    taper *= taper
    spectrum = np.abs(np.fft.rfft(y * taper)) / (taper.sum() / 2)
    frequency_hz = np.fft.rfftfreq(len(y), 1 / output_rate)
    images = spectrum[frequency_hz > input_rate / 2]
    assert 20 * math.log10(images.max(initial=1e-12)) < floor_db


@every_ratio
@every_quality
def test_a_constant_stays_the_same_constant(input_rate: int, output_rate: int, quality: str) -> None:
    x = np.full(input_rate // 2, 0.5, dtype=np.float32)
    y = fa.Resample(input_rate=input_rate, output_rate=output_rate, quality=quality)(x)
    assert np.abs(inner(y, output_rate) - 0.5).max() < 2e-6


@every_ratio
def test_silence_stays_silence(input_rate: int, output_rate: int) -> None:
    node = fa.Resample(input_rate=input_rate, output_rate=output_rate)
    assert not node(np.zeros(5000, dtype=np.float32)).any()


def test_equal_rates_change_nothing(guitar_16k: NDArray[np.float32]) -> None:
    node = fa.Resample(input_rate=16_000, output_rate=16_000)
    assert np.array_equal(node(guitar_16k), guitar_16k)
    (spec,) = node.output_specs(node.input_spec).values()
    assert spec.latency_s == 1 / 16_000


@every_ratio
@every_quality
def test_the_latency_stated_is_enough(input_rate: int, output_rate: int, quality: str) -> None:
    node = fa.Resample(input_rate=input_rate, output_rate=output_rate, quality=quality)
    (spec,) = node.output_specs(node.input_spec).values()
    stream = node.open()
    sample, n_out = np.zeros(1, dtype=np.float32), 0
    for n_in in range(1, input_rate // 20):
        n_new = len(stream.push(sample))
        if n_new:
            assert n_in / input_rate - n_out / output_rate <= spec.latency_s + 1e-9
        n_out += n_new
    assert n_out


def test_an_output_depends_on_no_sample_further_than_the_latency() -> None:
    node = fa.Resample(input_rate=48_000, output_rate=16_000)
    (spec,) = node.output_specs(node.input_spec).values()
    x = np.zeros(12_000, dtype=np.float32)
    x[6000] = 1
    touched = np.flatnonzero(node(x)) / 16_000
    assert abs(touched - 6000 / 48_000).max() <= spec.latency_s


@pytest.mark.parametrize(("input_rate", "output_rate"), [(44_100, 16_000), (11_127, 16_000)])
def test_agrees_with_soxr(guitar: tuple[NDArray[np.float32], int], input_rate: int, output_rate: int) -> None:
    soxr = pytest.importorskip("soxr", reason="soxr isn't installed")
    x = np.ascontiguousarray(guitar[0][:, 0])
    ours = fa.Resample(input_rate=input_rate, output_rate=output_rate)(x)
    theirs = soxr.resample(x, input_rate, output_rate, quality="HQ")
    n = min(len(ours), len(theirs))
    error = inner(ours[:n] - theirs[:n], output_rate)
    assert np.sqrt(np.mean(error**2)) < 1e-3 * np.sqrt(np.mean(x**2))
