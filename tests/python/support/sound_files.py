"""Sound files as bytes, made here: as recorders, radio streams and killed writers leave them."""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING

import numpy as np
import soundfile
from fastaudio.decoding.audio_file import AudioFile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastaudio.decoding.audio_file import FileLike
    from numpy.typing import NDArray

RATE = 16_000


def noise(seconds: float, channels: int = 1, rate: int = RATE, seed: int = 0) -> NDArray[np.float32]:
    """Coloured noise that changes its level, so that frames of a variable rate differ."""
    n = round(seconds * rate)
    white = np.random.default_rng(seed).normal(size=(n, channels))
    level = 0.02 + 0.2 * (np.arange(n)[:, None] // (rate // 4) % 2)
    return (np.cumsum(white - np.roll(white, 5, axis=0), axis=0) * 0.05 * level).astype(np.float32)


def written(
    samples: NDArray[np.float32], kind: str, subtype: str | None = None, rate: int = RATE, **how: object
) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format=kind, subtype=subtype, **how)
    return file.getvalue()


def decoded(source: FileLike) -> tuple[NDArray[np.float32], int, bool]:
    """All samples [n_samples, channels], the rate, and whether it says that sound is missing."""
    with AudioFile(source) as file:
        blocks = [block.copy() for block in file.blocks()]
        samples = np.concatenate(blocks) if blocks else np.empty((0, file.channels), np.float32)
        assert file.samples_read == len(samples)
        return samples, file.sample_rate, file.truncated


def wav(
    data: bytes, *, riff: int | None = None, size: int | None = None, channels: int = 1, tail: bytes = b""
) -> bytes:
    """A WAV file of int16 with any sizes in its header."""
    head = wav_head(len(data) if size is None else size, 36 + len(data) if riff is None else riff, channels)
    return head + data + tail


def wav_head(size: int, riff: int, channels: int = 1) -> bytes:
    fmt = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, channels, RATE, 2 * channels * RATE, 2 * channels, 16)
    return b"RIFF" + struct.pack("<I", riff) + b"WAVE" + fmt + b"data" + struct.pack("<I", size)


def pages(data: bytes) -> Iterator[bytes]:
    """The pages of an Ogg file."""
    position = 0
    while position < len(data):
        n = data[position + 26]
        size = 27 + n + sum(data[position + 27 : position + 27 + n])
        yield data[position : position + size]
        position += size


def cut_out(data: bytes, n_headers: int, n_dropped: int) -> bytes:
    """An Ogg file without its first pages of sound, as one who tunes in gets it."""
    all_pages = list(pages(data))
    return b"".join(all_pages[:n_headers] + all_pages[n_headers + n_dropped :])


def without_first_frame(mp3: bytes) -> bytes:
    """An MP3 without the frame that states its length."""
    tag = max(mp3.find(b"Xing"), mp3.find(b"Info"))
    assert 0 < tag < 200
    begin = mp3[:2]
    return mp3[mp3.index(begin, tag) :]
