"""Varies a note as rooms, microphones and coders do, so that no SoundFont is learnt by heart."""

import io

import numpy as np
import soundfile
from numpy.typing import NDArray
from render import RATE_HZ

Sound = NDArray[np.float32]


def vary(x: Sound, draw: np.random.Generator) -> Sound:
    """Return the note with another pitch, start, room, tone, noise, coder and level."""
    x = tuned(x, 2 ** draw.uniform(-0.5 / 12, 0.5 / 12))
    x = shifted(x, draw)
    if draw.random() < 0.6:
        x = in_room(x, draw)
    x = coloured(x, draw)
    if draw.random() < 0.6:
        x = noisy(x, draw.uniform(10, 50), draw)
    x = x / (np.abs(x).max() + 1e-9) * np.float32(10 ** (draw.uniform(-36, -1) / 20))
    return coded(x, draw) if draw.random() < 0.4 else x


def lightly(x: Sound, draw: np.random.Generator) -> Sound:
    """Return the note with another level, and each by chance with another start, room, tone and noise."""
    if draw.random() < 0.5:
        x = shifted(x, draw)
    if draw.random() < 0.35:
        x = in_room(x, draw)
    if draw.random() < 0.5:
        x = coloured(x, draw)
    if draw.random() < 0.4:
        x = noisy(x, draw.uniform(15, 50), draw)
    return x / (np.abs(x).max() + 1e-9) * np.float32(10 ** (draw.uniform(-36, -1) / 20))


def tuned(x: Sound, ratio: float) -> Sound:
    """Return the note faster by a ratio, and so higher."""
    return np.interp(np.arange(len(x)) * ratio, np.arange(len(x)), x, right=0).astype(np.float32)


def shifted(x: Sound, draw: np.random.Generator) -> Sound:
    """Return the note later, or without its beginning, with the same length."""
    seconds = draw.uniform(-0.4, 0.4) if draw.random() < 0.7 else draw.uniform(0, 1)
    n = int(abs(seconds) * RATE_HZ)
    if seconds > 0:  # begin within the note, unless it has died away there
        tail = x[n:]
        return np.pad(tail, (0, n)) if np.abs(tail).max() > 0.05 * np.abs(x).max() else x
    return np.pad(x, (n, 0))[: len(x)]


def in_room(x: Sound, draw: np.random.Generator) -> Sound:
    """Return the note with a decaying echo of noise, which higher frequencies lose sooner."""
    decay_s = 10 ** draw.uniform(-1.2, 0)
    n = int(min(1.0, decay_s) * RATE_HZ)
    echo = draw.standard_normal(n) * np.exp(-6.9 * np.arange(n) / RATE_HZ / decay_s)
    smooth = draw.uniform(0, 0.9)
    for i in range(1, 4):
        echo[i:] = (1 - smooth) * echo[i:] + smooth * echo[:-i]
    echo *= 10 ** (draw.uniform(-25, -3) / 20) / np.sqrt((echo**2).sum() + 1e-9)
    echo[0] = 1
    size = 1 << (len(x) + n).bit_length()
    return np.fft.irfft(np.fft.rfft(x, size) * np.fft.rfft(echo, size))[: len(x)].astype(np.float32)


def coloured(x: Sound, draw: np.random.Generator) -> Sound:
    """Return the note through a smooth random filter, and sometimes through a dull one."""
    frequency_hz = np.fft.rfftfreq(len(x), 1 / RATE_HZ)
    octave = np.log2(np.maximum(frequency_hz, 20) / 20)
    level_db = np.interp(octave, np.linspace(0, 10.2, 7), draw.normal(0, 4, 7))
    if draw.random() < 0.3:
        level_db -= 12 * np.maximum(0, octave - np.log2(draw.uniform(2000, 8000) / 20))
    if draw.random() < 0.3:
        level_db -= 12 * np.maximum(0, np.log2(draw.uniform(40, 200) / 20) - octave)
    return np.fft.irfft(np.fft.rfft(x) * 10 ** (level_db / 20), len(x)).astype(np.float32)


def noisy(x: Sound, snr_db: float, draw: np.random.Generator) -> Sound:
    """Return the note in coloured noise."""
    spectrum = np.fft.rfft(draw.standard_normal(len(x)))
    frequency_hz = np.maximum(np.fft.rfftfreq(len(x), 1 / RATE_HZ), 20)
    noise = np.fft.irfft(spectrum * frequency_hz ** -draw.uniform(0, 1), len(x))
    gain = np.sqrt((x.astype(np.float64) ** 2).mean() / (noise**2).mean()) * 10 ** (-snr_db / 20)
    return (x + gain * noise).astype(np.float32)


def coded(x: Sound, draw: np.random.Generator) -> Sound:
    """Return the note as MP3 gives it back; its coder's delay stays."""
    file = io.BytesIO()
    with soundfile.SoundFile(
        file, "w", RATE_HZ, 1, format="MP3", compression_level=float(draw.uniform(0.3, 0.95))
    ) as writer:
        writer.write(x)
    file.seek(0)
    back = soundfile.read(file, dtype="float32")[0]
    return np.pad(back, (0, max(0, len(x) - len(back))))[: len(x)]
