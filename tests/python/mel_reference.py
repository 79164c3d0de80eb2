"""Mel-spectrograms in float64 NumPy, written from librosa's documentation: the tests' yardstick."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def hz_to_mel(hz: float, scale: str) -> float:
    """Slaney: linear to 1 kHz, then 27 steps a factor of 6.4; HTK: one logarithm."""
    if scale == "htk":
        return float(2595 * np.log10(1 + hz / 700))
    return 3 * hz / 200 if hz < 1000 else float(15 + 27 * np.log(hz / 1000) / np.log(6.4))


def mel_to_hz(mel: NDArray[np.float64], scale: str) -> NDArray[np.float64]:
    """Inverse of `hz_to_mel`."""
    if scale == "htk":
        return 700 * (10 ** (mel / 2595) - 1)
    return np.where(mel < 15, 200 * mel / 3, 1000 * np.exp(np.log(6.4) * (mel - 15) / 27))


def filterbank(o: dict[str, Any]) -> NDArray[np.float64]:
    """Triangles [n_mels, bins]."""
    f_max = o["sample_rate"] / 2 if o["f_max"] is None else o["f_max"]
    ends = hz_to_mel(o["f_min"], o["mel_scale"]), hz_to_mel(f_max, o["mel_scale"])
    edges = mel_to_hz(np.linspace(*ends, o["n_mels"] + 2), o["mel_scale"])
    bins = np.arange(o["n_fft"] // 2 + 1) * o["sample_rate"] / o["n_fft"]
    left, centre, right = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    weights = np.minimum((bins - left) / (centre - left), (right - bins) / (right - centre))
    weights = np.maximum(weights, 0)
    return weights * (2 / (right - left)) if o["norm"] == "slaney" else weights


def window(name: str, length: int) -> NDArray[np.float64]:
    """Periodic unless the name says symmetric; a single sample is 1."""
    if length == 1:
        return np.ones(1)
    shape, _, symmetric = name.partition("_")
    make = {"hann": np.hanning, "hamming": np.hamming, "blackman": np.blackman}.get(shape, np.ones)
    return make(length) if symmetric else make(length + 1)[:-1]


def frames(x: NDArray[np.float64], o: dict[str, Any]) -> NDArray[np.float64]:
    """Padded and cut: [n_frames, n_fft]."""
    n_fft, hop = o["n_fft"], o["hop_length"]
    if len(x) == 0:
        return np.zeros((0, n_fft))
    if o["center"]:
        x = np.pad(x, n_fft // 2, mode=o["pad_mode"])
    if len(x) < n_fft:  # any sound at all gives a frame
        x = np.pad(x, (0, n_fft - len(x)))
    return np.lib.stride_tricks.sliding_window_view(x, n_fft)[::hop]


def mel_spectrogram(x: NDArray[Any], **options: Any) -> NDArray[np.float64]:
    """[n_frames, n_mels]; defaults are librosa's."""
    o = DEFAULTS | options
    win_length = o["win_length"] or o["n_fft"]
    before = (o["n_fft"] - win_length) // 2
    after = o["n_fft"] - win_length - before
    taper = np.pad(window(o["window"], win_length), (before, after))
    spectrum = np.abs(np.fft.rfft(frames(x.astype(np.float64), o) * taper)) ** o["power"]
    return spectrum @ filterbank(o).T


DEFAULTS: dict[str, Any] = {
    "sample_rate": 22050,
    "n_fft": 2048,
    "win_length": None,
    "hop_length": 512,
    "window": "hann",
    "n_mels": 128,
    "f_min": 0.0,
    "f_max": None,
    "power": 2.0,
    "norm": "slaney",
    "mel_scale": "slaney",
    "center": True,
    "pad_mode": "constant",
}
