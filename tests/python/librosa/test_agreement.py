# ruff: noqa: N803, N806  # S is librosa's name
"""fastaudio.librosa against librosa on real clips: same shapes, and numbers within 1e-4.

librosa transforms in float64, fastaudio in float32, whose rounding is about 1e-7 of a frame's largest bin.
Most numbers hardly change by that. Logarithms and ratios of bins far below do, in a clip that holds next to
nothing there: these calls are in DEEP and have separate tests.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import fastaudio.librosa as fl
import numpy as np
import pytest
from helpers import GUITAR, clips, decode, rotated

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

librosa = pytest.importorskip("librosa")
pytestmark = pytest.mark.filterwarnings("ignore:.*[Ee]mpty filters:UserWarning")

CLIPS = [GUITAR, *(path for path, _ in clips())]
SECONDS = 2
TOLERANCE = 1e-4


@cache
def clip(path: Path) -> tuple[NDArray[np.float32], int]:
    samples, rate = decode(path, SECONDS)
    return np.ascontiguousarray(samples.mean(axis=1)), rate


@cache
def magnitude(path: Path) -> NDArray[np.float32]:
    return np.abs(librosa.stft(clip(path)[0]))


def name_of(value: Any) -> str:
    return value if isinstance(value, str) else value.stem


def apart(ours: NDArray[Any], theirs: NDArray[Any]) -> float:
    """Return the largest difference as a share of the largest value; errors in silence count little."""
    assert ours.shape == theirs.shape
    assert ours.dtype == (np.complex64 if np.iscomplexobj(theirs) else np.float32)
    return float(np.abs(ours - theirs).max() / max(np.abs(theirs).max(), 1e-30))


# Calls with defaults and with other arguments, whose errors are relative to the largest value.
CALLS: dict[str, Callable[[Any, NDArray[np.float32], int], Any]] = {
    "stft": lambda lib, y, _: lib.stft(y),
    "stft hamming": lambda lib, y, _: lib.stft(
        y, n_fft=1024, hop_length=200, win_length=800, window="hamming", pad_mode="reflect"
    ),
    "stft kaiser": lambda lib, y, _: lib.stft(y, n_fft=512, window=("kaiser", 9.0), center=False),
    "stft odd": lambda lib, y, _: lib.stft(y, n_fft=501, hop_length=100, window="boxcar"),
    "melspectrogram": lambda lib, y, sr: lib.feature.melspectrogram(y=y, sr=sr),
    "melspectrogram htk": lambda lib, y, sr: lib.feature.melspectrogram(
        y=y, sr=sr, n_fft=1024, hop_length=256, n_mels=40, fmin=50, fmax=3500, htk=True, norm=None, power=1.0
    ),
    "melspectrogram high": lambda lib, y, sr: lib.feature.melspectrogram(y=y, sr=sr, fmax=sr * 0.6, norm=1),
    "melspectrogram S": lambda lib, y, sr: lib.feature.melspectrogram(
        S=np.abs(lib.stft(y, n_fft=512)), sr=sr
    ),
    "mfcc": lambda lib, y, sr: lib.feature.mfcc(y=y, sr=sr),
    "mfcc lifter": lambda lib, y, sr: lib.feature.mfcc(
        y=y, sr=sr, n_mfcc=13, lifter=22, n_mels=64, norm=None, mel_norm=None, htk=True
    ),
    "mfcc S": lambda lib, y, sr: lib.feature.mfcc(
        S=lib.power_to_db(lib.feature.melspectrogram(y=y, sr=sr, n_mels=30)), n_mfcc=40
    ),
    "delta": lambda lib, y, sr: lib.feature.delta(lib.feature.mfcc(y=y, sr=sr)),
    "delta 2": lambda lib, y, sr: lib.feature.delta(
        lib.feature.mfcc(y=y, sr=sr), order=2, width=5, mode="nearest"
    ),
    "delta axis": lambda lib, y, sr: lib.feature.delta(lib.feature.mfcc(y=y, sr=sr), axis=0),
    "rms": lambda lib, y, _: lib.feature.rms(y=y),
    "rms frames": lambda lib, y, _: lib.feature.rms(
        y=y, frame_length=300, hop_length=111, pad_mode="reflect"
    ),
    "rms S": lambda lib, y, _: lib.feature.rms(S=np.abs(lib.stft(y, n_fft=512)), frame_length=512),
    "zero_crossing_rate": lambda lib, y, _: lib.feature.zero_crossing_rate(y),
    "zero_crossing_rate pad": lambda lib, y, _: lib.feature.zero_crossing_rate(
        y, frame_length=500, hop_length=99, center=False, threshold=0.01, pad=True
    ),
    "spectral_centroid": lambda lib, y, sr: lib.feature.spectral_centroid(y=y, sr=sr),
    "spectral_centroid S": lambda lib, y, sr: lib.feature.spectral_centroid(
        S=np.abs(lib.stft(y, n_fft=512)), sr=sr
    ),
    "spectral_flatness": lambda lib, y, _: lib.feature.spectral_flatness(y=y),
    "spectral_flatness frames": lambda lib, y, _: lib.feature.spectral_flatness(
        y=y, n_fft=1000, hop_length=300, win_length=801, window=("kaiser", 9.0), pad_mode="reflect", power=1
    ),
    "spectral_contrast": lambda lib, y, sr: lib.feature.spectral_contrast(
        y=y, sr=sr, n_bands=6 if sr > 16_000 else 4
    ),
    "spectral_contrast frames": lambda lib, y, sr: lib.feature.spectral_contrast(
        y=y, sr=sr, n_bands=3, n_fft=1024, window="blackman", center=False
    ),
    "spectral_contrast linear": lambda lib, y, sr: lib.feature.spectral_contrast(
        y=y, sr=sr, linear=True, fmin=100, n_bands=4, quantile=0.1
    ),
    "chroma_stft": lambda lib, y, sr: lib.feature.chroma_stft(y=y, sr=sr),
    "chroma_stft tuned": lambda lib, y, sr: lib.feature.chroma_stft(
        y=y, sr=sr, tuning=0.1, n_chroma=24, norm=2, octwidth=None, base_c=False
    ),
    "chroma_stft S": lambda lib, y, sr: lib.feature.chroma_stft(
        S=np.abs(lib.stft(y, n_fft=4096)) ** 2, sr=sr, norm=None
    ),
    "power_to_db": lambda lib, y, _: lib.power_to_db(np.abs(lib.stft(y)) ** 2, ref=np.max),
    "amplitude_to_db": lambda lib, y, _: lib.amplitude_to_db(np.abs(lib.stft(y)), ref=np.median, top_db=60),
}


@pytest.mark.parametrize(("call", "path"), rotated(CALLS, CLIPS, 9), ids=name_of)
def test_values_are_within_1e_4_of_the_largest(call: str, path: Path) -> None:
    y, rate = clip(path)
    assert apart(CALLS[call](fl, y, rate), CALLS[call](librosa, y, rate)) < TOLERANCE


# These take a magnitude spectrogram S. From the same S all agree.
DEEP: dict[str, Callable[[Any, NDArray[np.float32], int], Any]] = {
    "spectral_flatness": lambda lib, S, _: lib.feature.spectral_flatness(S=S),
    "spectral_flatness magnitude": lambda lib, S, _: lib.feature.spectral_flatness(S=S, power=1.0, amin=1e-6),
    "spectral_contrast": lambda lib, S, sr: lib.feature.spectral_contrast(
        S=S, sr=sr, n_bands=6 if sr > 16_000 else 4
    ),
    "power_to_db": lambda lib, S, _: lib.power_to_db(S**2 * 2.0**40, top_db=None, ref=3.0),
    "pcen": lambda lib, S, sr: lib.pcen(lib.feature.melspectrogram(S=S, sr=sr) * 2**20, sr=sr),
    "pcen b": lambda lib, S, _: lib.pcen(S.T, axis=0, b=0.025, gain=0.8, bias=10, power=0.25, eps=1e-3),
}


@pytest.mark.parametrize(("call", "path"), rotated(DEEP, CLIPS, 13), ids=name_of)
def test_from_one_spectrum_values_are_within_1e_4_of_the_largest(call: str, path: Path) -> None:
    S, rate = magnitude(path), clip(path)[1]
    assert apart(DEEP[call](fl, S, rate), DEEP[call](librosa, S, rate)) < TOLERANCE


@pytest.mark.parametrize(("call", "path"), rotated(DEEP, CLIPS, 13), ids=name_of)
def test_from_samples_they_err_as_any_float32_transform_does(call: str, path: Path) -> None:
    """The mean error is at most 1e-4, or twice that of librosa over scipy's float32 transform."""
    y, rate = clip(path)
    expected = DEEP[call](librosa, magnitude(path), rate)
    ours = DEEP[call](fl, np.abs(fl.stft(y)), rate)
    single = DEEP[call](librosa, np.abs(stft_in_float32(y)), rate)
    largest = np.abs(expected).max()
    error, usual = (np.abs(one - expected).mean() / largest for one in (ours, single))
    assert error < max(2 * usual, TOLERANCE)


def stft_in_float32(y: NDArray[np.float32]) -> NDArray[np.complex64]:
    """Return librosa's default transform, computed in float32 throughout."""
    fft = pytest.importorskip("scipy.fft")
    window = librosa.filters.get_window("hann", 2048).astype(np.float32)
    frames = librosa.util.frame(np.pad(y, 1024), frame_length=2048, hop_length=512)
    return fft.rfft(frames * window[:, None], axis=0)


# Every value counts by itself in these: they are levels.
ELEMENTWISE = ["rms", "zero_crossing_rate", "melspectrogram", "spectral_centroid"]


@pytest.mark.parametrize(("call", "path"), rotated(ELEMENTWISE, CLIPS, 13), ids=name_of)
def test_each_value_is_within_1e_4_of_itself(call: str, path: Path) -> None:
    """Bands within 50 dB of their frame's loudest agree."""
    y, rate = clip(path)
    ours, theirs = CALLS[call](fl, y, rate), CALLS[call](librosa, y, rate)
    kept = theirs > 1e-5 * theirs.max(axis=0)
    assert kept.any()
    np.testing.assert_allclose(ours[kept], theirs[kept], rtol=TOLERANCE)


@pytest.mark.parametrize("path", CLIPS, ids=lambda path: path.stem)
def test_rolloff_is_librosas_bin_where_float32_sums_agree_on_one(path: Path) -> None:
    """The sum runs in float32: where the threshold falls within its error, a neighbouring bin is as right."""
    y, rate = clip(path)
    ours = fl.feature.spectral_rolloff(y=y, sr=rate)
    sums = np.cumsum(np.abs(librosa.stft(y.astype(np.float64))), axis=0)
    share = np.where(sums[-1] > 0, sums / np.maximum(sums[-1], 1e-30), 0)
    decided = np.abs(share - 0.85).min(axis=0) > 1e-5
    theirs = librosa.feature.spectral_rolloff(y=y, sr=rate)
    assert ours.shape == theirs.shape
    assert decided.mean() > 0.8
    np.testing.assert_allclose(ours[:, decided], theirs[:, decided], rtol=1e-6)
    np.testing.assert_allclose(ours, theirs, atol=1.01 * rate / 2048)


@pytest.mark.parametrize("path", CLIPS, ids=lambda path: path.stem)
def test_filters_are_librosas(path: Path) -> None:
    rate = clip(path)[1]
    for options in (
        {},
        {"htk": True, "norm": None},
        {"norm": 1, "fmin": 300, "fmax": rate / 3, "n_mels": 20},
    ):
        ours = fl.filters.mel(sr=rate, n_fft=2048, **options)
        assert apart(ours, librosa.filters.mel(sr=rate, n_fft=2048, **options)) < 1e-6


def test_channels_are_as_many_calls() -> None:
    y = np.stack([np.stack([clip(CLIPS[0])[0][k : k + 9000] for k in (0, 5000, 9000)])] * 2)
    for lib_call in (
        lambda lib: lib.stft(y),
        lambda lib: lib.feature.mfcc(y=y),
        lambda lib: lib.feature.rms(y=y),
        lambda lib: lib.feature.spectral_contrast(S=np.abs(librosa.stft(y))),
        lambda lib: lib.feature.spectral_contrast(y=y, linear=True),
        lambda lib: lib.feature.chroma_stft(y=y),
        lambda lib: lib.feature.spectral_centroid(S=np.abs(lib.stft(y))),
        lambda lib: lib.feature.delta(y, axis=-1),
        lambda lib: lib.pcen(np.abs(librosa.stft(y))),
    ):
        assert apart(lib_call(fl), lib_call(librosa)) < TOLERANCE


def test_float64_is_taken_and_scalars_stay_scalars() -> None:
    y = clip(CLIPS[0])[0]
    np.testing.assert_array_equal(fl.stft(y.astype(np.float64)), fl.stft(y))
    assert fl.power_to_db(4.0) == pytest.approx(float(librosa.power_to_db(4.0)), rel=1e-6)
    assert np.ndim(fl.amplitude_to_db(4)) == 0


def test_complex_spectra_lose_their_phase_with_a_warning() -> None:
    spectrum = fl.stft(clip(CLIPS[0])[0][:5000])
    with pytest.warns(UserWarning, match=r"^power_to_db was called on complex input so phase .*; use np.abs"):
        level = fl.power_to_db(spectrum)
    np.testing.assert_array_equal(level, fl.power_to_db(np.abs(spectrum)))


def test_silence_has_no_tuning() -> None:
    with pytest.warns(UserWarning, match="^Trying to estimate tuning from empty frequency set"):
        chroma = fl.feature.chroma_stft(y=np.zeros(9000, dtype=np.float32))
    assert chroma.shape == (12, 18)
    assert not chroma.any()
