"""Chroma against float64 and librosa."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest
from helpers import clips, decode, rotated, sine
from hypothesis import given
from hypothesis import strategies as st
from spectral_reference import chroma, excerpt, features

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

RATE = 22_050
BIN_HZ = RATE / 2048
CLASSES = ["C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"]
OPTIONS: list[dict[str, Any]] = [
    {},
    {"n_chroma": 24},
    {"n_chroma": 36, "base_c": False},
    {"n_chroma": 5, "tuning": -0.3},  # half of 5 rounds to an even number
    {"n_chroma": 1},
    {"tuning": 0.4},
    {"octwidth": None},
    {"ctroct": 4.0, "octwidth": 0.5},
]
NORMS: dict[Any, Any] = {"inf": np.inf, "l1": 1, "l2": 2, "none": None}
PAIRS = rotated(clips(), [(norm, options) for options in OPTIONS for norm in NORMS], 9)


@pytest.fixture(scope="module")
def rows(guitar: tuple[NDArray[np.float32], int]) -> NDArray[np.float32]:
    """Return the power of some guitar, and a silent row."""
    spectrum = fa.Spectrogram()(np.ascontiguousarray(guitar[0][::2, 0])[: 2 * RATE])
    assert isinstance(spectrum, np.ndarray)
    return np.concatenate([spectrum, np.zeros_like(spectrum[:1])])


@pytest.mark.parametrize("norm", ["inf", "l1", "l2", "none"])
@pytest.mark.parametrize("options", OPTIONS)
def test_every_option_matches_the_reference(
    rows: NDArray[np.float32], options: dict[str, Any], norm: str
) -> None:
    got = features(fa.Chroma(**options, norm=norm), rows, BIN_HZ)
    np.testing.assert_allclose(got, chroma(rows, BIN_HZ, norm, **options), rtol=1e-5)


@given(values=st.lists(st.integers(0, 1000), min_size=1, max_size=70), n_chroma=st.integers(1, 40))
def test_any_row_matches_the_reference(values: list[int], n_chroma: int) -> None:
    row = np.array([values], dtype=np.float32)
    got = features(fa.Chroma(n_chroma=n_chroma), row, 100.0)
    np.testing.assert_allclose(got, chroma(row, 100.0, n_chroma=n_chroma), rtol=1e-5, atol=1e-9)


def test_librosa_agrees_on_every_clip(clip: tuple[Path, str]) -> None:
    librosa = pytest.importorskip("librosa")
    samples, rate = decode(clip[0], 3)
    rows = fa.Spectrogram(sample_rate=rate)(excerpt(samples, rate))
    assert isinstance(rows, np.ndarray)
    for _, (norm, options) in (pair for pair in PAIRS if pair[0] == clip):
        given = {"S": rows.T, "sr": rate, "norm": NORMS[norm], "tuning": 0.0, **options}
        want = librosa.feature.chroma_stft(**given)
        got = features(fa.Chroma(**options, norm=norm), rows, rate / 2048)
        np.testing.assert_allclose(got, want.T, rtol=1e-4, err_msg=repr(options))


def test_librosa_agrees_from_samples_on(guitar: tuple[NDArray[np.float32], int]) -> None:
    librosa = pytest.importorskip("librosa")
    samples, rate = np.ascontiguousarray(guitar[0][:, 0]), guitar[1]
    got = (fa.Spectrogram(sample_rate=rate) >> fa.Chroma(tuning=0.1))(samples)
    want = librosa.feature.chroma_stft(y=samples, sr=rate, tuning=0.1).T
    np.testing.assert_allclose(got, want, rtol=1e-4)


@pytest.mark.parametrize("midi", range(57, 93))
def test_a_note_is_its_class(midi: int) -> None:
    rows = (fa.Spectrogram(n_fft=4096) >> fa.Chroma())(sine(440 * 2 ** ((midi - 69) / 12), RATE, RATE))
    assert isinstance(rows, np.ndarray)
    assert (rows[8:-8].argmax(axis=1) == midi % 12).all()
    assert rows[8:-8].max(axis=1).tolist() == [1] * len(rows[8:-8])


def test_silence_stays_zero() -> None:
    silence = np.zeros((2, 1025), dtype=np.float32)
    for norm in ("inf", "l1", "l2", "none"):
        assert not features(fa.Chroma(norm=norm), silence, BIN_HZ).any()


@pytest.mark.parametrize(
    ("options", "unit", "labels"),
    [
        ({}, "", CLASSES),
        ({"base_c": False, "norm": "none"}, "power", CLASSES[9:] + CLASSES[:9]),
        ({"n_chroma": 24}, "", []),
    ],
)
def test_what_comes_out_is_named(options: dict[str, Any], unit: str, labels: list[str]) -> None:
    (spectrum,) = fa.Spectrogram().output_specs(fa.StreamSpec(rate_hz=RATE)).values()
    (out,) = fa.Chroma(**options).output_specs(spectrum).values()
    assert (out.shape, out.unit, out.labels, out.bin_hz) == ((options.get("n_chroma", 12),), unit, labels, 0)


def test_magnitude_and_mel_are_refused() -> None:
    message = r"^Chroma: expected power, got magnitude; compose with Spectrogram\(power=2\)$"
    with pytest.raises(ValueError, match=message):
        fa.Spectrogram(power=1) >> fa.Chroma()
    with pytest.raises(ValueError, match=r"^Chroma: expected rows of a spectrum with its bin_hz, got rows "):
        fa.MelSpectrogram() >> fa.Chroma()
