"""Mel-spectrograms over a seeded sweep of options agree with librosa, and with NumPy in float64 by the
conventions of librosa, torchaudio and Kaldi.

Power has to lie within 1e-5 of its frame's largest band everywhere; ln and log10 within 1e-4 and dB within
1e-3, with a floor of 1e-10, wherever a band lies less than 50 dB below its frame's largest bin. Any library
in float32 rounds every bin to about 1e-7 of the largest magnitude, so deeper than that the fourth decimal of
a logarithm is chance. The sound is music with white noise 14 dB below it; 97 % of its values are compared.
"""

from __future__ import annotations

import warnings
from functools import cache
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest
from helpers import GUITAR, decode
from mel_reference import filterbank, mel_spectrogram, spectra, window

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

RATES = (8000, 11_025, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 88_200, 96_000)
SIZES = (64, 100, 128, 200, 256, 400, 441, 512, 640, 882, 1000, 1024, 1103, 2048, 3000, 4096, 8192)
WINDOWS = ("hann", "hamming", "blackman", "povey", "kaiser", "rectangular")
FLOOR = 1e-10
EPSILON = float(np.finfo(np.float32).eps)  # Kaldi's floor
# Each has a kind, its factor to log10, and the error allowed.
LOGS = (("ln", 1 / np.log10(np.e), 1e-4), ("log10", 1.0, 1e-4), ("dB", 10.0, 1e-3))


@pytest.fixture(autouse=True)
def _empty_bands_are_no_matter() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"MelSpectrogram: bands|Empty filters detected")
        yield


@cache
def guitar() -> NDArray[np.float32]:
    return np.ascontiguousarray(decode(GUITAR)[0][:, 0])


def sound(rng: np.random.Generator, n: int) -> NDArray[np.float32]:
    """Return a piece of the guitar clip with noise 14 dB below it."""
    start = int(rng.integers(0, len(guitar()) - n))
    music = guitar()[start : start + n]
    level = 0.2 * np.sqrt(np.mean(np.square(music, dtype=np.float64)))
    return (music + level * rng.standard_normal(n)).astype(np.float32)


def log_uniform(rng: np.random.Generator, low: float, high: float) -> int:
    return int(np.exp(rng.uniform(np.log(low), np.log(high))))


def drawn(rng: np.random.Generator) -> dict[str, Any]:
    """Draw the options that all conventions leave open."""
    rate = int(rng.choice(RATES))
    n_fft = int(rng.choice([*SIZES, rng.integers(64, 3000)]))
    f_min = float(rng.choice([0, 20, rng.uniform(0, rate / 8)]))
    top = [None, float(rng.uniform(rate / 4, rate / 2))][rng.integers(2)]
    return {
        "sample_rate": rate,
        "n_fft": n_fft,
        "win_length": [None, int(rng.integers(n_fft // 4, n_fft + 1))][rng.integers(2)],
        "hop_length": log_uniform(rng, max(1, n_fft // 128), n_fft + 1),
        "n_mels": int(rng.integers(1, min(160, n_fft // 2 + 1) + 1)),
        "f_min": f_min,
        "f_max": top,
        "power": float(rng.choice([1, 2])),
    }


def near(x: NDArray[np.float32], options: dict[str, Any]) -> NDArray[np.bool_]:
    """Return where a band's mean over its filter lies less than 50 dB below the frame's largest bin."""
    magnitude = np.abs(spectra(x, **options))
    weights = filterbank(**options).T
    mean = magnitude ** options["power"] @ (weights / np.maximum(weights.sum(axis=0), 1e-30))
    return mean ** (1 / options["power"]) > 3e-3 * magnitude.max(axis=1, keepdims=True)


def assert_faithful(x: NDArray[np.float32], want: NDArray[np.float64], options: dict[str, Any]) -> None:
    """Assert the number of frames and the bounds above."""
    mel = fa.MelSpectrogram(**options)
    rows = mel(x)
    assert rows.shape == want.shape
    top = want.max(axis=1, keepdims=True, initial=FLOOR)
    assert (np.abs(rows - want) / top).max() < 1e-5
    compared = near(x, options)
    assert compared[:, want.any(axis=0)].mean() > 0.5
    for kind, gain, tolerance in LOGS:
        logs = (mel >> fa.Log(kind=kind, floor=FLOOR))(x)
        error = np.abs(logs - gain * np.log10(np.maximum(want, FLOOR)))
        assert error[compared].max(initial=0) < tolerance


def length(rng: np.random.Generator, options: dict[str, Any]) -> int:
    """Draw a length of up to 20 frames, above n_fft samples because librosa requires that."""
    return int(options["n_fft"] + 1 + options["hop_length"] * rng.integers(1, 20) + rng.integers(0, 50))


def librosas(x: NDArray[np.float32], o: dict[str, Any]) -> NDArray[np.float64]:
    """Return the same by librosa, in double precision."""
    librosa = pytest.importorskip("librosa", minversion="0.11")
    taper: Any = window(o["window"], o["win_length"] or o["n_fft"], o["window_beta"])
    if o["window"] in {"hann", "hamming", "blackman"}:
        taper = o["window"]
    y, center = x.astype(np.float64), o["center"]
    if center and o["pad_mode"] == "reflect" and 2 * o["hop_length"] > o["n_fft"]:
        # In this case librosa 0.11 mirrors a last piece that is shorter than what it adds.
        y, center = np.pad(y, o["n_fft"] // 2, mode="reflect"), False
    names = ("n_fft", "win_length", "hop_length", "n_mels", "power", "pad_mode")
    return librosa.feature.melspectrogram(
        y=y,
        center=center,
        sr=o["sample_rate"],
        window=taper,
        fmin=o["f_min"],
        fmax=o["f_max"],
        htk=o["mel_scale"] == "htk",
        norm={"slaney": "slaney", "unit_sum": 1, "none": None}[o["norm"]],
        dtype=np.float64,
        **{name: o[name] for name in names},
    ).T


@pytest.mark.parametrize("seed", range(80))
def test_librosas_conventions_are_met(seed: int) -> None:
    rng = np.random.default_rng([1, seed])
    suffix = str(rng.choice(["", "_symmetric"]))
    shape = str(rng.choice(WINDOWS))
    options = drawn(rng) | {
        "window": shape if shape == "rectangular" else shape + suffix,
        "window_beta": float(rng.uniform(0, 20)),
        "norm": str(rng.choice(["slaney", "unit_sum", "none"])),
        "mel_scale": str(rng.choice(["slaney", "htk"])),
        "center": bool(rng.integers(4)),
        "pad_mode": str(rng.choice(["constant", "reflect"])),
    }
    x = sound(rng, length(rng, options))
    want = librosas(x, options)
    assert_faithful(x, want, options)
    # This also checks the reference that stands in for other libraries.
    np.testing.assert_allclose(mel_spectrogram(x, **options), want, rtol=1e-9, atol=1e-12 * want.max())


@pytest.mark.parametrize("seed", range(40))
def test_torchaudios_conventions_are_met(seed: int) -> None:
    """Options are those of torchaudio 2.8's `MelSpectrogram`, `normalized=False`; it defaults to HTK.

    It spreads its bins over [0, sample_rate // 2], so odd rates and sizes differ by a fraction of a bin;
    here and in librosa bin k stands at k * sample_rate / n_fft.
    """
    rng = np.random.default_rng([2, seed])
    options = drawn(rng) | {
        "window": str(rng.choice(["hann", "hamming", "blackman", "kaiser"])),
        "norm": str(rng.choice(["none", "none", "slaney"])),
        "mel_scale": str(rng.choice(["htk", "htk", "slaney"])),
        "center": bool(rng.integers(4)),
        "pad_mode": str(rng.choice(["reflect", "reflect", "constant"])),
    }
    x = sound(rng, length(rng, options))
    assert_faithful(x, mel_spectrogram(x, **options), options)


def kaldis(rng: np.random.Generator) -> dict[str, Any]:
    """Draw options of Kaldi's `fbank`: frames in ms, followed by zeros up to a power of two."""
    rate = int(rng.choice([rate for rate in RATES if rate != 11_025]))
    win_length = rate * int(rng.choice([25, 25, 20, 32, 64])) // 1000
    nyquist = rate / 2
    return {
        "sample_rate": rate,
        "n_fft": 1 << (win_length - 1).bit_length() if rng.integers(4) else win_length,
        "win_length": win_length,
        "hop_length": rate * int(rng.choice([10, 10, 5, 15, 70])) // 1000,
        "window": str(rng.choice(["povey", "povey", "hann", "hamming", "blackman"])) + "_symmetric",
        "window_at": "start",
        "center": bool(rng.integers(2)),  # snip_edges is False
        "pad_mode": "kaldi",
        "remove_dc": bool(rng.integers(4)),
        "preemphasis": float(rng.choice([0.97, 0.97, 0])),
        "sample_scale": 32_768.0,
        "n_mels": int(rng.choice([23, 40, 80])),
        "f_min": 20.0,
        "f_max": float(rng.choice([nyquist, nyquist - 200])),
        "power": float(rng.choice([2, 2, 1])),
        "norm": "none",
        "mel_scale": "htk",
        "triangles": "mel",
    }


@pytest.mark.parametrize("seed", range(40))
def test_kaldis_conventions_are_met(seed: int) -> None:
    rng = np.random.default_rng([3, seed])
    options = kaldis(rng)
    x = sound(rng, length(rng, options))
    assert_faithful(x, mel_spectrogram(x, **options), options)


def kaldi_native(x: NDArray[np.float32], o: dict[str, Any]) -> NDArray[np.float64]:
    """Return ln of mel values by kaldi-native-fbank, which computes in float32."""
    knf = pytest.importorskip("kaldi_native_fbank")
    options = knf.FbankOptions()
    frame, mel = options.frame_opts, options.mel_opts
    rate = o["sample_rate"]
    frame.samp_freq = rate
    frame.dither = 0
    # Kaldi rounds ms down to samples; half a sample keeps the length from falling by one.
    frame.frame_length_ms = 1000 * (o["win_length"] + 0.5) / rate
    frame.frame_shift_ms = 1000 * (o["hop_length"] + 0.5) / rate
    shape = o["window"].removesuffix("_symmetric")
    frame.window_type = "hanning" if shape == "hann" else shape
    frame.snip_edges = not o["center"]
    frame.remove_dc_offset = o["remove_dc"]
    frame.preemph_coeff = o["preemphasis"]
    frame.round_to_power_of_two = o["n_fft"] != o["win_length"]
    mel.num_bins = o["n_mels"]
    mel.low_freq = o["f_min"]
    mel.high_freq = o["f_max"]
    options.use_power = o["power"] == 2
    fbank = knf.OnlineFbank(options)
    fbank.accept_waveform(rate, (x * np.float32(o["sample_scale"])).tolist())
    fbank.input_finished()
    return np.array([fbank.get_frame(t) for t in range(fbank.num_frames_ready)], np.float64)


@pytest.mark.parametrize("seed", range(24))
def test_kaldi_native_fbank_agrees(seed: int) -> None:
    """Another implementation of Kaldi's algorithm, in float32 from the filters on, agrees."""
    rng = np.random.default_rng([4, seed])
    options = kaldis(rng)
    x = sound(rng, length(rng, options))
    want = kaldi_native(x, options)
    rows = (fa.MelSpectrogram(**options) >> fa.Log(kind="ln", floor=EPSILON))(x)
    assert rows.shape == want.shape
    assert np.abs(rows - want)[near(x, options)].max() < 2e-4


@pytest.mark.parametrize("snip_edges", [True, False])
def test_kaldi_native_fbank_agrees_on_real_sound(clip: tuple[Path, str], *, snip_edges: bool) -> None:
    """Clips agree as they are, without added noise."""
    samples, rate = decode(clip[0], 2)
    x = np.ascontiguousarray(samples[:, 0])
    options = kaldis(np.random.default_rng(0)) | {
        "sample_rate": rate,
        "n_fft": 1 << (rate * 25 // 1000 - 1).bit_length(),
        "win_length": rate * 25 // 1000,
        "hop_length": rate // 100,
        "window": "povey_symmetric",
        "center": not snip_edges,
        "remove_dc": True,
        "preemphasis": 0.97,
        "n_mels": 40,
        "f_max": rate / 2,
        "power": 2.0,
    }
    mel = fa.MelSpectrogram(**options)
    rows = (mel >> fa.Log(kind="ln", floor=EPSILON))(x)
    want = mel_spectrogram(x, **options)
    native = kaldi_native(x, options)
    assert rows.shape == want.shape == native.shape
    top = want.max(axis=1, keepdims=True)
    assert (np.abs(mel(x) - want) / top).max() < 1e-5
    compared = near(x, options)
    assert np.abs(rows - np.log(np.maximum(want, EPSILON)))[compared].max() < 1e-4
    assert np.abs(rows - native)[compared].max() < 1e-3  # its filters are float32 too
