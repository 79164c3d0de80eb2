"""Computes what each preset stands for in float64 NumPy, from the numbers in papers and original code."""

from __future__ import annotations

from typing import Any

import numpy as np
from mel_reference import mel_spectrogram, spectra
from numpy.typing import NDArray

Floats = NDArray[np.float64]

KALDI = {
    "sample_rate": 16_000,
    "n_fft": 512,
    "win_length": 400,
    "hop_length": 160,
    "window": "povey_symmetric",
    "window_at": "start",
    "pad_mode": "kaldi",
    "remove_dc": True,
    "preemphasis": 0.97,
    "sample_scale": 32_768,
    "n_mels": 80,
    "f_min": 20,
    "norm": "none",
    "mel_scale": "htk",
    "triangles": "mel",
}


def patches(rows: Floats, length: int, hop: int) -> Floats:
    """Return the whole patches [n, length, ...], without the rest at the end."""
    starts = range(0, len(rows) - length + 1, hop)
    return np.stack([rows[start : start + length] for start in starts])


def db(x: Floats) -> Floats:
    return 10 * np.log10(np.maximum(x, 1e-10))


def db_mel(x: Any, **options: Any) -> Floats:
    """Return mel bands in dB of frames that are mirrored at the signal's ends."""
    return db(mel_spectrogram(x, pad_mode="reflect", **options))


def musicnn(x: Any, *, window: str = "hann", pad_mode: str = "reflect") -> Floats:
    mel = mel_spectrogram(
        x, sample_rate=16_000, n_fft=512, hop_length=256, n_mels=96, window=window, pad_mode=pad_mode
    )
    return np.log10(1 + 10_000 * mel)


def musicnn_essentia(x: Any) -> Floats:
    return musicnn(x, window="hann_symmetric", pad_mode="constant")


def audioset(x: Any, offset: float, period: int = 400) -> Floats:
    """Return frames of 400 samples from sample 0, with zeros up to 512 and triangles on the HTK mel axis."""
    frames = np.lib.stride_tricks.sliding_window_view(x.astype(np.float64), 400)[::160]
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / period)
    magnitude = np.abs(np.fft.rfft(frames * hann, 512))
    mel = 2595 * np.log10(1 + np.arange(257) * 16_000 / 512 / 700)
    edges = np.linspace(2595 * np.log10(1 + 125 / 700), 2595 * np.log10(1 + 7500 / 700), 66)[:, None]
    rising = (mel - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - mel) / (edges[2:] - edges[1:-1])
    return np.log(magnitude @ np.maximum(0, np.minimum(rising, falling)).T + offset)


def vggish(x: Any) -> Floats:
    return audioset(x, 0.01)


def vggish_essentia(x: Any) -> Floats:
    """Return frames that are centred between zeros, with a symmetric window."""
    return audioset(np.pad(x, 200), 0.01, 399)


def yamnet(x: Any) -> Floats:
    return audioset(x, 0.001)


def preemphasised(x: Any) -> Floats:
    """Return frames of the signal x[n + 1] - 0.97 x[n], scaled; for EfficientAT and PaSST."""
    signal = x[1:].astype(np.float64) - 0.97 * x[:-1]
    mel = mel_spectrogram(
        signal,
        sample_rate=32_000,
        n_fft=1024,
        win_length=800,
        hop_length=320,
        window="hann_symmetric",
        pad_mode="reflect",
        n_mels=128,
        f_max=15_000,
        norm="none",
        mel_scale="htk",
        triangles="mel",
    )
    return (np.log(mel + 1e-5) + 4.5) / 5


def ced(x: Any) -> Floats:
    return db_mel(x, sample_rate=16_000, n_fft=512, hop_length=160, n_mels=64, norm="none", mel_scale="htk")


def limited(windows: Floats) -> Floats:
    """Return patches within 120 dB of their loudest."""
    return np.maximum(windows, windows.max(axis=(1, 2), keepdims=True) - 120)


def ast(x: Any) -> Floats:
    return (kaldi_fbank(x, window="hann_symmetric", sample_scale=1, n_mels=128) + 4.2677393) / (2 * 4.5689974)


def beats(x: Any) -> Floats:
    return (kaldi_fbank(x, n_mels=128) - 15.41663) / (2 * 6.55582)


def clap(x: Any) -> Floats:
    return db_mel(x, sample_rate=48_000, n_fft=1024, hop_length=480, n_mels=64, f_min=50, f_max=14_000)


def maest(x: Any) -> Floats:
    return (musicnn_essentia(x) - 2.06755686098554) / (2 * 1.268292820667291)


def crepe(x: Any) -> Floats:
    """Return frames around each 10 ms that reach at most 10 ms beyond the signal."""
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(x.astype(np.float64), 512), 1024)[::160]
    frames = frames[: 2 + (len(x) - 512) // 160]
    mean, std = frames.mean(axis=1, keepdims=True), frames.std(axis=1, keepdims=True)
    return (frames - mean) / np.maximum(std, 1e-8)


def openl3(x: Any, n_mels: int = 256) -> Floats:
    return db(mel_spectrogram(x, sample_rate=48_000, n_fft=2048, hop_length=242, n_mels=n_mels, power=1))


def below_loudest(windows: Floats) -> Floats:
    loudest = windows.max(axis=(1, 2), keepdims=True)
    return np.maximum(windows - loudest, -80)


def tempocnn(x: Any) -> Floats:
    return mel_spectrogram(
        x,
        sample_rate=11_025,
        n_fft=1024,
        hop_length=512,
        window="hann_symmetric",
        n_mels=40,
        f_min=20,
        f_max=5000,
        power=1,
    )


def standardised(windows: Floats) -> Floats:
    mean = windows.mean(axis=(1, 2), keepdims=True)
    return (windows - mean) / windows.std(axis=(1, 2), keepdims=True)


def fsd_sinet(x: Any) -> Floats:
    """Return frames of 660 centred on t * 220; on which side zeros fill them up doesn't change magnitudes."""
    padded = np.pad(x.astype(np.float64), 330)
    frames = np.lib.stride_tricks.sliding_window_view(padded, 660)[::220][: 1 + len(x) // 220]
    hamming = 0.54 - 0.46 * np.cos(2 * np.pi * np.arange(660) / 660)
    power = np.abs(np.fft.rfft(frames * hamming, 2048)) ** 2
    bank = slaney_triangles(22_050, 2048, 96, 50, 10_500)
    return np.log10(np.maximum(power @ bank.T, 1e-30))


def slaney_triangles(rate: int, n_fft: int, n_mels: int, low: float, high: float) -> Floats:
    """Return triangles on Slaney's scale: 66.7 Hz per step below 1 kHz, 27 steps per factor of 6.4 above."""
    steps = np.arange(0, 200)
    table = np.where(steps < 15, steps * 200 / 3, 1000 * 6.4 ** ((steps - 15) / 27))
    knee = np.log(6.4) / 27

    def mel(f: float) -> float:
        return f * 3 / 200 if f < 1000 else 15 + np.log(f / 1000) / knee

    at = np.linspace(mel(low), mel(high), n_mels + 2)
    edges = np.where(at < 15, np.interp(at, steps, table), 1000 * np.exp(knee * (at - 15)))[:, None]
    f = np.fft.rfftfreq(n_fft, 1 / rate)
    rising = (f - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - f) / (edges[2:] - edges[1:-1])
    return np.maximum(0, np.minimum(rising, falling))


def whisper(x: Any, n_mels: int = 80) -> Floats:
    """Return log10 frames of a window; the last of 3001 is dropped."""
    mel = mel_spectrogram(x, sample_rate=16_000, n_fft=400, hop_length=160, n_mels=n_mels, pad_mode="reflect")
    return np.log10(np.maximum(mel, 1e-10))[:-1]


def whisper_scaled(windows: Floats) -> Floats:
    return (np.maximum(windows, windows.max(axis=(1, 2), keepdims=True) - 8) + 4) / 4


def kaldi_fbank(x: Any, *, snip_edges: bool = True, **others: Any) -> Floats:
    """Return ln frames; `others` replace options."""
    options = KALDI | {"center": not snip_edges} | others
    return np.log(np.maximum(mel_spectrogram(x, **options), np.finfo(np.float32).eps))


def ln_mel(x: Any, hop_length: int, n_fft: int) -> Floats:
    mel = mel_spectrogram(x, sample_rate=16_000, n_fft=n_fft, hop_length=hop_length, n_mels=64)
    return np.log(np.maximum(mel, 1e-10))


def panns(x: Any) -> Floats:
    return db_mel(x, sample_rate=32_000, n_fft=1024, hop_length=320, n_mels=64, f_min=50, f_max=14_000)


def panns_16k(x: Any) -> Floats:
    return db_mel(x, sample_rate=16_000, n_fft=512, hop_length=160, n_mels=64, f_min=50, f_max=8000)


def aisfx(x: Any) -> Floats:
    mel = mel_spectrogram(
        x,
        sample_rate=44_100,
        n_fft=2048,
        hop_length=1024,
        window="hann_symmetric",
        n_mels=96,
        norm="unit_sum",
        mel_scale="htk",
        triangles="mel",
    )
    return np.log10(1 + 10_000 * mel) / 9.457798957824707


def ae_w2v(x: Any, low: Any, high: Any) -> Floats:
    mel = mel_spectrogram(
        x, sample_rate=22_000, n_fft=1024, hop_length=512, pad_mode="reflect", n_mels=96, power=1
    )
    return (np.log(mel + np.finfo(np.float32).eps) - low) / (np.asarray(high) - low)


def ae_w2v_loudest(x: Any, low: Any, high: Any) -> Floats:
    """Return the frames of the patch whose unscaled logarithms have the largest sum."""
    scaled = ae_w2v(x, low, high)
    logs = scaled * (np.asarray(high) - low) + low
    sums = patches(logs, 96, 12).sum(axis=(1, 2))
    start = 12 * int(np.argmax(sums))
    return scaled[start : start + 96]


def slopes(rows: Floats, order: int) -> Floats:
    """Return derivatives of the parabola or line through five rows around each; end rows are repeated."""
    t = np.arange(-2, 3)
    weights = t / 10 if order == 1 else 2 * (t**2 - 2) / 14
    padded = np.pad(rows, ((2, 2), (0, 0)), mode="edge")
    return np.einsum(
        "k,tkc->tc", weights, np.stack([padded[k : len(padded) - 4 + k] for k in range(5)], axis=1)
    )


def mfcc_statistics(x: Any) -> Floats:
    mel = db(mel_spectrogram(x, sample_rate=22_000, n_fft=2048, hop_length=512, n_mels=128))
    k, n = np.arange(20)[:, None], np.arange(128)
    transform = np.cos(np.pi * k * (2 * n + 1) / 256) / np.where(k == 0, np.sqrt(128), 8)
    mfcc = np.maximum(mel, mel.max() - 80) @ transform.T
    rows = np.concatenate([mfcc, slopes(mfcc, 1), slopes(mfcc, 2)], axis=1)
    return np.stack([rows.mean(axis=0), rows.std(axis=0)])[None]


def three_channels(windows: Floats) -> Floats:
    return np.stack([windows] * 3, axis=-1)


def resnet_contrastive(x: Any) -> Floats:
    return db(
        mel_spectrogram(x, sample_rate=22_500, n_fft=1024, hop_length=230, n_mels=128, f_min=50, f_max=10_000)
    )


def harmonic_cnn(x: Any) -> Floats:
    """Return 768 triangles, (0.1079 f + 24.7) Hz wide, around (h + 1) times each half semitone from C1."""
    power = np.abs(spectra(x, sample_rate=16_000, n_fft=512, hop_length=256, pad_mode="reflect")) ** 2
    notes = 440 * 2 ** ((24 + np.arange(128) / 2 - 69) / 12)
    centres = (np.arange(1, 7)[:, None] * notes)[..., None]
    slope = 2 * (np.linspace(0, 8000, 257) - centres) / (0.1079 * centres + 24.7)
    bank = np.maximum(0, np.minimum(1 + slope, 1 - slope))
    return db(np.einsum("tk,hlk->thl", power, bank))
