"""Tables of linear nodes, read off the nodes themselves: what comes out for one value at a time."""

from __future__ import annotations

import warnings
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from fastaudio._core import MelSpectrogram, Spectrogram, StreamSpec

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fastaudio._core import HarmonicSpectrogram, Node

_FRAME = ("sample_rate", "n_fft", "win_length", "window", "window_beta", "window_at", "sample_scale")
_VALUES_AT_ONCE = 1 << 22
_LONGEST_EXACT = 8192  # samples: the time grows with the square


def run(node: Node, rows: NDArray[np.float32], spec: StreamSpec) -> NDArray[np.float32]:
    """Return all rows that come out for a whole signal."""
    stream = node.open(spec)
    parts: Any = [stream.push(rows), stream.flush()]
    return np.concatenate(parts)


def matrix_of(node: Node, spec: StreamSpec) -> NDArray[np.float32]:
    """Return the matrix of a node that multiplies each row by one, [n_in, n_out]."""
    return run(node, np.eye(spec.shape[0], dtype=np.float32), spec)


@lru_cache(maxsize=8)
def window_of(node: MelSpectrogram | HarmonicSpectrogram | Spectrogram) -> NDArray[np.float32]:
    """Return a spectrum's window times its scale, as long as a frame.

    Bin 0 of a 1 is the window's value there, exactly: its zeros have to stay zeros, because a logarithm would
    show the rest of what stands beside quiet sound. Only long windows are read off one transform.
    """
    options = {name: getattr(node, name) for name in _FRAME}
    bare: Any = Spectrogram(**options, center=False, hop_length=node.n_fft, power=None)
    length = frame_length(node)
    if length > _LONGEST_EXACT:
        parts = bare(np.ones(length, dtype=np.float32))[0].astype(np.float64)
        window = np.fft.irfft(parts[:, 0] + 1j * parts[:, 1], node.n_fft)[:length]
        window[np.abs(window) < 1e-7 * np.abs(window).max()] = 0
        return np.asarray(window, dtype=np.float32)
    window = np.zeros(length, dtype=np.float32)
    step = max(_VALUES_AT_ONCE // node.n_fft, 1)
    for first in range(0, length, step):
        ones = np.eye(min(step, length - first), node.n_fft, first, dtype=np.float32)
        window[first : first + len(ones)] = bare(ones.ravel())[:, 0, 0]
    return np.asarray(window)


def frame_length(node: MelSpectrogram | HarmonicSpectrogram | Spectrogram) -> int:
    """Return how many samples a frame reads."""
    starts = node.window_at == "start"
    return node.win_length if starts and node.win_length is not None else node.n_fft


@lru_cache(maxsize=8)
def filters_of(node: MelSpectrogram | HarmonicSpectrogram) -> NDArray[np.float32]:
    """Return the weights of each bin in each band, [n_bins, n_bands]."""
    n_fft = node.n_fft
    front = {"win_length": None, "hop_length": n_fft, "window": "rectangular", "center": False}
    plain = {"remove_dc": False, "preemphasis": 0.0, "sample_scale": 1.0, "power": 2.0, "window_at": "middle"}
    names = [name for name in type(node).__dict__ if isinstance(type(node).__dict__[name], property)]
    with warnings.catch_warnings():  # the node itself has given them
        warnings.simplefilter("ignore")
        bare: Any = type(node)(**{name: getattr(node, name) for name in names} | front | plain)
    bins = np.arange(n_fft // 2 + 1)
    step = max(_VALUES_AT_ONCE // n_fft, 1)
    found = []
    for first in range(0, len(bins), step):
        some = bins[first : first + step]
        turns = some[:, None] * np.arange(n_fft)[None] % n_fft / n_fft
        rows = bare(np.cos(2 * np.pi * turns).astype(np.float32).ravel())
        both = np.where((some == 0) | (2 * some == n_fft), 1.0, 0.5) * n_fft
        found.append(rows.reshape(len(some), -1) / both[:, None] ** 2)
    weights = np.concatenate(found)
    weights[np.abs(weights) < 1e-9 * np.abs(weights).max(initial=0)] = 0  # what rounding left in other bins
    return weights.astype(np.float32)
