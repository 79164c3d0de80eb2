"""HarmonicSpectrogram against the paper's formula in float64."""

from __future__ import annotations

import re
import warnings
from typing import Any

import fastaudio as fa
import numpy as np
import pytest
from helpers import GUITAR, decode
from mel_reference import spectra
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def harmonic_filters(sample_rate: int, n_fft: int, n_harmonic: int, semitone_scale: int, q: Any) -> Floats:
    """Weights are [n_harmonic, n_levels, n_bins]: max(0, min(1 + 2 (f - f0) / bw, 1 - 2 (f - f0) / bw))."""
    top = round(float(69 + 12 * np.log2(sample_rate / (2 * n_harmonic) / 440)))
    notes = 24 + np.arange((top - 24) * semitone_scale) / semitone_scale
    centres = np.arange(1, n_harmonic + 1)[:, None] * 440 * 2 ** ((notes - 69) / 12)
    if np.ndim(q) == 1 and len(q) == n_harmonic:
        q = np.asarray(q)[:, None]
    elif np.ndim(q) == 1 and len(q) > 1:
        q = np.reshape(q, centres.shape)
    width = (0.1079 * centres + 24.7) / q
    bins = np.linspace(0, sample_rate / 2, n_fft // 2 + 1)
    slope = 2 * (bins - centres[..., None]) / width[..., None]
    return np.maximum(0, np.minimum(1 + slope, 1 - slope))


def in_db(power: Any) -> Floats:
    return 10 * np.log10(np.maximum(np.asarray(power, np.float64), 1e-10))


def guitar() -> NDArray[np.float32]:
    return np.ascontiguousarray(decode(GUITAR)[0][30_000:62_000, 0])


def noise() -> NDArray[np.float32]:
    return np.random.default_rng(5).uniform(-1, 1, 32_000).astype(np.float32)


@pytest.mark.parametrize("signal", [guitar, noise])
@pytest.mark.parametrize(
    ("n_fft", "q"), [(512, 1.0), (513, 1.0), (512, 1.7), (512, [1, 1.1, 1.2, 1.3, 1.4, 1.5]), (512, None)]
)
def test_decibels_are_the_papers_to_a_thousandth(n_fft: int, q: Any, signal: Any) -> None:
    """Bounds hold down to 60 dB below the frame's peak; deeper, float32 samples are rounding."""
    if q is None:
        q = np.linspace(0.8, 2.4, 768).tolist()
    x = signal()
    node = fa.HarmonicSpectrogram(n_fft=n_fft, q=q if isinstance(q, list) else [q]) >> fa.Log(kind="dB")
    power = np.abs(spectra(x, sample_rate=16_000, n_fft=n_fft, hop_length=256, pad_mode="reflect")) ** 2
    want = in_db(np.einsum("tk,hlk->thl", power, harmonic_filters(16_000, n_fft, 6, 2, q)))
    got = node(x)
    assert isinstance(got, np.ndarray)
    assert got.shape == want.shape == (len(want), 6, 128)
    heard = want > want.max(axis=(1, 2), keepdims=True) - 60
    assert heard.mean() > 0.4
    assert np.abs(got - want)[heard].max() < 1e-3
    assert np.abs(got - want).max() < 0.1


def test_sizes_are_the_papers() -> None:
    filters = harmonic_filters(16_000, 512, 6, 2, 1.0)
    assert filters.shape == (6, 128, 257)
    assert np.count_nonzero(filters) == 3786  # the authors' module has as many
    assert np.flatnonzero(filters.reshape(768, -1).sum(axis=1) == 0).tolist() == [12]


def test_an_empty_filter_is_named_once_and_stays_at_the_floor() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        for _ in range(3):
            node = fa.HarmonicSpectrogram(q=[0.999])
    assert [str(w.message).split(";")[0] for w in caught] == [
        "HarmonicSpectrogram: bands [12] are narrower than a bin and stay empty"
    ]
    rows = (node >> fa.Log(kind="dB"))(guitar())
    assert isinstance(rows, np.ndarray)
    np.testing.assert_allclose(rows[:, 0, 12], -100, atol=1e-4)


@pytest.mark.parametrize("n", [0, 2, 7, 767])
def test_q_of_another_length_is_refused(n: int) -> None:
    message = f"HarmonicSpectrogram: expected q to hold 1, 6 or 768 numbers, got {n}"
    with pytest.raises(ValueError, match=re.escape(message)):
        fa.HarmonicSpectrogram(q=[1.0] * n)


def test_more_harmonics_than_the_rate_holds_are_refused() -> None:
    with pytest.raises(ValueError, match=r"expected room for a note above C1 .* use fewer harmonics"):
        fa.HarmonicSpectrogram(sample_rate=2000, n_harmonic=40)
