"""SpectralContrast against float64 and librosa."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest
from helpers import decode, sine
from hypothesis import given
from hypothesis import strategies as st
from spectral_reference import decibels, excerpt, features, peaks_and_valleys

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

RATE, N_FFT = 16_000, 1024
BIN_HZ = RATE / N_FFT
SPECTRUM = fa.Spectrogram(sample_rate=RATE, n_fft=N_FFT, hop_length=512, power=1)
OPTIONS: list[dict[str, Any]] = [
    {},
    {"n_bands": 1},
    {"f_min": 100.0, "n_bands": 5},
    {"f_min": 250.0, "n_bands": 4, "quantile": 0.25},  # edges lie on bins, which both bands have
    {"quantile": 0.9999},
    {"f_min": 15.625, "n_bands": 8, "quantile": 0.5},  # the first band has two bins, less one
]


@pytest.fixture(scope="module")
def rows(guitar_16k: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return magnitudes of two seconds of guitar, and a silent row."""
    spectrum = SPECTRUM(guitar_16k[: 2 * RATE])
    assert isinstance(spectrum, np.ndarray)
    return np.concatenate([spectrum, np.zeros_like(spectrum[:1])])


@pytest.mark.parametrize("options", OPTIONS)
def test_contrast_and_its_parts_match_the_reference(
    rows: NDArray[np.float32], options: dict[str, Any]
) -> None:
    peak, valley = peaks_and_valleys(rows, BIN_HZ, **options)
    for part, linear, want in (
        ("contrast", True, peak - valley),
        ("peak", True, peak),
        ("valley", True, valley),
        ("contrast", False, decibels(peak) - decibels(valley)),
        ("peak", False, decibels(peak)),
        ("valley", False, decibels(valley)),
    ):
        got = features(fa.SpectralContrast(**options, part=part, linear=linear), rows, BIN_HZ)
        np.testing.assert_allclose(got, want, rtol=1e-6, atol=1e-5)


@given(
    values=st.lists(st.integers(-1000, 1000), min_size=40, max_size=40),
    quantile=st.floats(0.0001, 0.9999),
    n_bands=st.integers(1, 4),
)
def test_any_row_matches_the_reference(values: list[int], quantile: float, n_bands: int) -> None:
    row = np.array([values], dtype=np.float32)
    peak, valley = peaks_and_valleys(row, 10.0, 20.0, n_bands, quantile)
    node = fa.SpectralContrast(f_min=20.0, n_bands=n_bands, quantile=quantile, linear=True)
    np.testing.assert_allclose(features(node, row, 10.0), peak - valley, rtol=1e-6, atol=1e-12)


def test_librosa_agrees_on_every_clip(clip: tuple[Path, str]) -> None:
    librosa = pytest.importorskip("librosa")
    samples, rate = decode(clip[0], 3)
    rows = fa.Spectrogram(sample_rate=rate, power=1)(excerpt(samples, rate))
    assert isinstance(rows, np.ndarray)
    options: dict[str, Any] = {"n_bands": 6 if rate > 13_000 else 4, "quantile": 0.1}
    given = {"S": rows.T.astype(np.float64), "sr": rate, "fmin": 200.0, **options}
    want = librosa.feature.spectral_contrast(**given, linear=True)
    got = features(fa.SpectralContrast(**options, linear=True), rows, rate / 2048)
    np.testing.assert_allclose(got, want.T, rtol=2e-5, atol=1e-9)

    # librosa's numbers in dB depend on the whole clip, as the documentation explains.
    want = librosa.feature.spectral_contrast(**given)
    lifted = []
    for part in ("peak", "valley"):
        db = features(fa.SpectralContrast(**options, part=part), rows, rate / 2048)
        lifted.append(np.maximum(db, db.max() - 80))
    np.testing.assert_allclose(lifted[0] - lifted[1], want.T, rtol=2e-5, atol=2e-5)
    straight = features(fa.SpectralContrast(**options), rows, rate / 2048)
    loud = (features(fa.SpectralContrast(**options, part="valley"), rows, rate / 2048) > -20).all(axis=1)
    np.testing.assert_allclose(straight[loud], want.T[loud], rtol=2e-5, atol=2e-5)


def test_librosa_agrees_from_samples_on(guitar: tuple[NDArray[np.float32], int]) -> None:
    librosa = pytest.importorskip("librosa")
    samples, rate = np.ascontiguousarray(guitar[0][:, 0]), guitar[1]
    rows = fa.Spectrogram(sample_rate=rate, power=1)(samples)
    assert isinstance(rows, np.ndarray)
    got = features(fa.SpectralContrast(), rows, rate / 2048)
    want = librosa.feature.spectral_contrast(y=samples, sr=rate).T
    # A float32 transform's faintest bins are rounding, which decibels magnify.
    valley = features(fa.SpectralContrast(part="valley", linear=True), rows, rate / 2048)
    rounding = 4e-7 * rows.max(axis=1, keepdims=True) / np.maximum(valley, 1e-10)
    assert (np.abs(got - want) < 1e-4 * np.abs(want) + 10 * np.log10(1 + rounding)).all()


def test_a_tone_stands_out_of_its_band_alone() -> None:
    noise = np.random.default_rng(0).normal(scale=1e-3, size=RATE).astype(np.float32)
    contrast = (SPECTRUM >> fa.SpectralContrast(n_bands=5))(noise + sine(1000, RATE, RATE))
    assert isinstance(contrast, np.ndarray)
    assert (contrast[5:-5].argmax(axis=1) == 3).all()  # 800 to 1600 Hz


def test_silence_has_no_contrast() -> None:
    silence = np.zeros((2, 513), dtype=np.float32)
    assert not features(fa.SpectralContrast(), silence, BIN_HZ).any()
    assert (features(fa.SpectralContrast(part="peak"), silence, BIN_HZ) == -100).all()


@pytest.mark.parametrize(("linear", "unit"), [(False, "dB"), (True, "magnitude")])
def test_what_comes_out_is_named(linear: bool, unit: str) -> None:
    (spectrum,) = SPECTRUM.output_specs(fa.StreamSpec(rate_hz=RATE)).values()
    (out,) = fa.SpectralContrast(linear=linear, n_bands=3).output_specs(spectrum).values()
    assert (out.rate_hz, out.shape, out.unit, out.bin_hz) == (RATE / 512, (4,), unit, 0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"n_bands": 7},
            "the last band to begin below 8000.0 Hz, half the sample rate, got 12800.0",
        ),
        (
            {"f_min": 15.0},
            "bins in every band, got none from 0.0 to 15.0 Hz, bins being 15.625 Hz apart",
        ),
    ],
)
def test_bands_that_do_not_fit_are_refused_when_composing(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^SpectralContrast: expected {re.escape(message)}; "):
        SPECTRUM >> fa.SpectralContrast(**options)


def test_power_is_refused() -> None:
    message = r"^SpectralContrast: expected magnitude, got power; compose with Spectrogram\(power=1\)$"
    with pytest.raises(ValueError, match=message):
        fa.Spectrogram() >> fa.SpectralContrast()
