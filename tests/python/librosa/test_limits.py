# ruff: noqa: N803, N806  # S is librosa's name
"""fastaudio.librosa takes values as large, small or missing as librosa does, without its help."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import fastaudio.librosa as fl
import numpy as np
import pytest
from fastaudio.librosa import _handover
from helpers import GUITAR, decode, sine

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

librosa = pytest.importorskip("librosa")

TOLERANCE = 1e-4
INT16 = 32_768


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is handed over."""
    monkeypatch.setattr(_handover, "installed", lambda: None)


def guitar() -> NDArray[np.float32]:
    return decode(GUITAR)[0][:44_100].mean(axis=1)


def apart(ours: NDArray[Any], theirs: NDArray[Any]) -> float:
    """Return the largest difference as a share of the largest value."""
    assert ours.shape == theirs.shape
    assert np.isfinite(ours).all()
    return float(np.abs(ours.astype(np.complex128) - theirs).max() / max(np.abs(theirs).max(), 1e-30))


# Each takes samples y, as loud as 16-bit integers or far louder, and their power spectrogram S.
CALLS: dict[str, Callable[[Any, NDArray[np.float32], NDArray[np.float32]], Any]] = {
    "stft": lambda lib, y, _: lib.stft(y),
    "melspectrogram": lambda lib, y, _: lib.feature.melspectrogram(y=y),
    "melspectrogram power": lambda lib, y, _: lib.feature.melspectrogram(y=y, power=1),
    "melspectrogram S": lambda lib, _, S: lib.feature.melspectrogram(S=S),
    "mfcc": lambda lib, y, _: lib.feature.mfcc(y=y),
    "mfcc S": lambda lib, _, S: lib.feature.mfcc(S=S),
    "chroma_stft": lambda lib, y, _: lib.feature.chroma_stft(y=y),
    "chroma_stft S": lambda lib, _, S: lib.feature.chroma_stft(S=S),
    "chroma_stft no norm": lambda lib, _, S: lib.feature.chroma_stft(S=S, norm=None),
    "spectral_centroid": lambda lib, y, _: lib.feature.spectral_centroid(y=y),
    "spectral_centroid S": lambda lib, _, S: lib.feature.spectral_centroid(S=S),
    "spectral_bandwidth S": lambda lib, _, S: lib.feature.spectral_bandwidth(S=S),
    "spectral_bandwidth no norm": lambda lib, _, S: lib.feature.spectral_bandwidth(S=S, norm=False, p=3),
    "spectral_rolloff S": lambda lib, _, S: lib.feature.spectral_rolloff(S=S),
    "spectral_contrast": lambda lib, y, _: lib.feature.spectral_contrast(y=y),
    "spectral_contrast S": lambda lib, _, S: lib.feature.spectral_contrast(S=S),
    "spectral_contrast linear": lambda lib, _, S: lib.feature.spectral_contrast(S=S, linear=True),
    "spectral_flatness S": lambda lib, _, S: lib.feature.spectral_flatness(S=S, power=1),
    "delta": lambda lib, _, S: lib.feature.delta(S),
    "rms": lambda lib, y, _: lib.feature.rms(y=y),
    "zero_crossing_rate": lambda lib, y, _: lib.feature.zero_crossing_rate(y),
    "power_to_db": lambda lib, _, S: lib.power_to_db(S, top_db=None),
    "pcen": lambda lib, _, S: lib.pcen(S),
    "pcen gain": lambda lib, _, S: lib.pcen(S, gain=0.5, bias=10, power=0.25, b=0.1),
    "pcen logarithm": lambda lib, _, S: lib.pcen(S, power=0),
}


@pytest.mark.parametrize("scale", [INT16, 1e7], ids=["int16", "1e7"])
@pytest.mark.parametrize("call", CALLS)
def test_loud_sound_gives_librosas_values(call: str, scale: float) -> None:
    y = guitar() * np.float32(scale)
    power = np.abs(librosa.stft(y)) ** 2
    assert power.max() > 1e12
    assert apart(CALLS[call](fl, y, power), CALLS[call](librosa, y, power)) < TOLERANCE


@pytest.mark.parametrize("call", ["stft", "rms", "spectral_centroid", "zero_crossing_rate"])
def test_samples_beyond_1e12_too(call: str) -> None:
    y = guitar() * np.float32(1e14)
    assert apart(CALLS[call](fl, y, y), CALLS[call](librosa, y, y)) < TOLERANCE


def test_pcen_takes_librosas_own_scaling() -> None:
    mel = librosa.feature.melspectrogram(y=guitar(), sr=44_100) * 2**31
    assert apart(fl.pcen(mel, sr=44_100), librosa.pcen(mel, sr=44_100)) < TOLERANCE


@pytest.mark.parametrize(
    "options", [{"eps": 1e-20}, {"gain": 3}, {"bias": 0}, {"power": 3}, {"b": 1}, {"time_constant": 1e6}]
)
def test_pcen_takes_any_option(options: dict[str, float]) -> None:
    S = np.abs(np.random.default_rng(2).normal(0, 1, (2, 40, 50))) ** 3
    assert apart(fl.pcen(S, **options), librosa.pcen(S, **options)) < TOLERANCE


@pytest.mark.parametrize("function", ["power_to_db", "amplitude_to_db"])
@pytest.mark.parametrize("top_db", [None, 80])
def test_decibels_take_nan_and_infinity(function: str, top_db: float | None) -> None:
    for values in ([1.0, np.nan, 2.0], [1.0, np.inf, 0.0], [1e18, 1e-18, 1.0]):
        S = np.array(values, np.float32)
        ours, theirs = (getattr(lib, function)(S.copy(), top_db=top_db) for lib in (fl, librosa))
        np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-5)


@pytest.mark.parametrize("dtype", ["int16", "int64", "uint8", "float16", "float64"])
def test_spectra_of_any_real_type(dtype: str) -> None:
    S = (np.random.default_rng(4).uniform(0, 99, (257, 9))).astype(dtype)
    for call in (
        lambda lib: lib.power_to_db(S),
        lambda lib: lib.feature.melspectrogram(S=S),
        lambda lib: lib.feature.spectral_rolloff(S=S),
        lambda lib: lib.feature.delta(S),
    ):
        assert apart(call(fl), call(librosa)) < (1e-2 if dtype == "float16" else TOLERANCE)


@pytest.mark.parametrize("function", ["power_to_db", "amplitude_to_db"])
@pytest.mark.parametrize("ref", [np.max, 0.3, 1.0, 1e-7])
def test_a_value_that_equals_the_reference_is_at_0_db_exactly(function: str, ref: Any) -> None:
    S = np.random.default_rng(5).uniform(0, 1, (100, 100)).astype(np.float32)
    S[3, 3] = S.max() if callable(ref) else ref
    level = getattr(fl, function)(S, ref=ref, top_db=None)
    assert level[3, 3] == 0
    if ref is np.max:
        assert level.max() == 0
    assert apart(level, getattr(librosa, function)(S.copy(), ref=ref, top_db=None)) < 1e-6


@pytest.mark.parametrize("seed", range(20))
def test_nothing_exceeds_its_largest_value(seed: int) -> None:
    S = np.random.default_rng(seed).exponential(1, (64, 200)).astype(np.float32)
    assert fl.power_to_db(S, ref=np.max).max() == 0


def test_axes_are_those_of_librosa_1() -> None:
    """Each channel has its own reference and limit with axes="auto"; all together have one with None."""
    S = np.stack([np.full((3, 4), 1.0), np.full((3, 4), 1e-9)]).astype(np.float32)
    S[:, 0, 0] *= 1e3
    together, each = (fl.power_to_db(S, ref=np.max, axes=axes) for axes in (None, "auto"))
    np.testing.assert_array_equal(together, fl.power_to_db(S, ref=np.max))
    np.testing.assert_array_equal(each, np.stack([fl.power_to_db(one, ref=np.max) for one in S]))
    assert together[1].max() == -80
    assert each[1].max() == 0


@pytest.mark.parametrize("n", [1, 440, 441, 4411, 9999])
@pytest.mark.parametrize(
    ("orig_sr", "target_sr"), [(44_100, 16_000), (22_050, 48_000), (16_000, 8000), (2, 3)]
)
@pytest.mark.parametrize("fix", [True, False])
def test_resample_has_librosas_length(n: int, orig_sr: int, target_sr: int, fix: bool) -> None:
    kwargs = {"orig_sr": orig_sr, "target_sr": target_sr, "fix": fix}
    y = sine(300, 44_100, n)
    assert fl.resample(y, **kwargs).shape == librosa.resample(y, **kwargs).shape


@pytest.mark.parametrize(("res_type", "least_db"), [("soxr_vhq", 130), ("soxr_hq", 115), ("soxr_mq", 115)])
def test_qualities_reject_aliases_as_their_names_say(res_type: str, least_db: float) -> None:
    for hz in (9000, 12_000, 20_000):
        y = sine(hz, 48_000, 48_000)
        left = fl.resample(y, orig_sr=48_000, target_sr=16_000, res_type=res_type)[500:-500]
        assert 10 * np.log10(np.mean(left.astype(float) ** 2) / np.mean(y**2) + 1e-30) < -least_db


SHORT = sine(440, 22_050, 900)
COMPLEX = np.ones((3, 9)) * 1j
SILENCE = np.zeros(9000, np.float32)

# Warnings in librosa's own words, from the caller's line, every time.
WARNINGS: dict[str, Callable[[Any], Any]] = {
    "n_fft=2048 is too large for input signal of length=900": lambda lib: lib.stft(SHORT),
    "n_fft=2048 is too large for input .*": lambda lib: lib.feature.spectral_flatness(y=SHORT),
    "Empty filters detected in mel frequency basis": lambda lib: lib.filters.mel(sr=22_050, n_fft=100),
    "Empty filters detected .*": lambda lib: lib.feature.melspectrogram(y=SHORT, n_fft=100),
    "power_to_db was called on complex input so phase information": lambda lib: lib.power_to_db(COMPLEX),
    "amplitude_to_db was called on complex input": lambda lib: lib.amplitude_to_db(COMPLEX),
    "pcen was called on complex input": lambda lib: lib.pcen(COMPLEX),
    "Trying to estimate tuning from empty frequency": lambda lib: lib.feature.chroma_stft(y=SILENCE),
}


@pytest.mark.parametrize("message", WARNINGS)
def test_warnings_begin_as_librosas_do(message: str) -> None:
    for lib in (librosa, fl, fl):
        with pytest.warns(UserWarning, match=f"^{message}") as caught:
            WARNINGS[message](lib)
    assert caught[0].filename == __file__


def test_a_message_names_the_callers_argument() -> None:
    S = np.full((257, 3), np.nan, np.float32)
    with pytest.raises(NotImplementedError, match=r"^librosa.feature.mfcc: expected S of real numbers"):
        fl.feature.mfcc(S=S * 1j)
    with pytest.raises(NotImplementedError, match=r"^librosa.feature.delta: expected data of finite values"):
        fl.feature.delta(S, mode="nearest")
    with pytest.raises(NotImplementedError, match=r"^librosa.feature.spectral_rolloff: expected S of finite"):
        fl.feature.spectral_rolloff(S=S)
