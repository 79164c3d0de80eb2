"""Computes spectra and mel-spectrograms in float64 NumPy, from the documentation of librosa and Kaldi."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray


def hz_to_mel(hz: Any, scale: str) -> NDArray[np.float64]:
    """Return mels: Slaney's are linear to 1 kHz, then 27 steps per factor of 6.4; HTK's are one logarithm."""
    hz = np.asarray(hz, np.float64)
    if scale == "htk":
        return 2595 * np.log10(1 + hz / 700)
    return np.where(hz < 1000, 3 * hz / 200, 15 + 27 * np.log(np.maximum(hz, 1) / 1000) / np.log(6.4))


def mel_to_hz(mel: NDArray[np.float64], scale: str) -> NDArray[np.float64]:
    """Return hertz, the inverse of `hz_to_mel`."""
    if scale == "htk":
        return 700 * (10 ** (mel / 2595) - 1)
    return np.where(mel < 15, 200 * mel / 3, 1000 * np.exp(np.log(6.4) * (mel - 15) / 27))


def filterbank(**options: Any) -> NDArray[np.float64]:
    """Return the triangles [n_mels, bins]."""
    o = DEFAULTS | options
    scale = o["mel_scale"]
    f_max = o["sample_rate"] / 2 if o["f_max"] is None else o["f_max"]
    corners = np.linspace(hz_to_mel(o["f_min"], scale), hz_to_mel(f_max, scale), o["n_mels"] + 2)
    edges = mel_to_hz(corners, scale)
    bins = np.arange(o["n_fft"] // 2 + 1) * o["sample_rate"] / o["n_fft"]
    if o["triangles"] == "mel":
        bins = hz_to_mel(bins, scale)
    else:
        corners = edges
    left, centre, right = corners[:-2, None], corners[1:-1, None], corners[2:, None]
    weights = np.minimum((bins - left) / (centre - left), (right - bins) / (right - centre))
    weights = np.maximum(weights, 0)
    if o["norm"] == "slaney":
        return weights * (2 / (edges[2:, None] - edges[:-2, None]))
    total = weights.sum(axis=1, keepdims=True)
    return weights / np.where(total > 0, total, 1) if o["norm"] == "unit_sum" else weights


def window(name: str, length: int, beta: float = 12) -> NDArray[np.float64]:
    """Return a window, periodic unless the name says symmetric; a single sample is 1."""
    if length == 1:
        return np.ones(1)
    shape, _, symmetric = name.partition("_")
    n = length if symmetric else length + 1
    make: dict[str, Callable[[int], NDArray[np.float64]]] = {
        "hann": np.hanning,
        "hamming": np.hamming,
        "blackman": np.blackman,
        "povey": lambda n: np.hanning(n) ** 0.85,
        "kaiser": lambda n: np.kaiser(n, beta),
        "rectangular": np.ones,
    }
    return make[shape](n)[:length]


def frames(x: NDArray[np.float64], o: dict[str, Any]) -> NDArray[np.float64]:
    """Return padded frames [n_frames, n_fft, or win_length if the window stands at the start]."""
    length, hop = o["n_fft"], o["hop_length"]
    if o["window_at"] == "start":
        length = o["win_length"] or length
    if len(x) == 0:
        return np.zeros((0, length))
    if o["center"] and o["pad_mode"] == "kaldi":
        # Frame t has its middle at (t + 1/2) hop; there are as many frames as hops, to the nearest number.
        first = hop // 2 - length // 2
        after = length - length // 2 - hop % 2
        x = np.pad(x, (max(0, -first), after), mode="symmetric")[max(0, first) :]
    elif o["center"]:
        x = np.pad(x, length // 2, mode=o["pad_mode"])
    if len(x) < length:  # any sound, however short, gives a frame
        x = np.pad(x, (0, length - len(x)))
    return np.lib.stride_tricks.sliding_window_view(x, length)[::hop]


def spectra(x: NDArray[Any], **options: Any) -> NDArray[np.complex128]:
    """Return complex spectra [n_frames, bins]; defaults are librosa's."""
    o = DEFAULTS | options
    cut = frames(x.astype(np.float64) * o["sample_scale"], o)
    if o["remove_dc"]:
        cut = cut - cut.mean(axis=1, keepdims=True)
    before = np.concatenate([cut[:, :1], cut[:, :-1]], axis=1)
    cut = cut - o["preemphasis"] * before
    win_length = o["win_length"] or o["n_fft"]
    taper = window(o["window"], win_length, o["window_beta"])
    if o["window_at"] == "middle":
        left = (o["n_fft"] - win_length) // 2
        taper = np.pad(taper, (left, o["n_fft"] - win_length - left))
    return np.fft.rfft(cut * taper, o["n_fft"])


def mel_spectrogram(x: NDArray[Any], **options: Any) -> NDArray[np.float64]:
    """Return mel bands [n_frames, n_mels]."""
    o = DEFAULTS | options
    return np.abs(spectra(x, **o)) ** o["power"] @ filterbank(**o).T


DEFAULTS: dict[str, Any] = {
    "sample_rate": 22050,
    "n_fft": 2048,
    "win_length": None,
    "hop_length": 512,
    "window": "hann",
    "window_beta": 12.0,
    "window_at": "middle",
    "center": True,
    "pad_mode": "constant",
    "remove_dc": False,
    "preemphasis": 0.0,
    "sample_scale": 1.0,
    "n_mels": 128,
    "f_min": 0.0,
    "f_max": None,
    "power": 2.0,
    "norm": "slaney",
    "mel_scale": "slaney",
    "triangles": "hz",
}
