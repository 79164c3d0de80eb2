"""Stretches of an archive's files as WAV; a client names them by what the server gave it, never by a path."""

from __future__ import annotations

import hashlib
import hmac
import io
import secrets
import threading
from collections import OrderedDict
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np
import soundfile

from fastaudio._core import check_interrupt
from fastaudio.decoding.audio_file import AudioFile, DecodeError
from fastaudio.serving.refusing import Refused

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    Stretch = tuple[str, float, float]

MOST_S = 60.0
_KEPT = 50_000
_SEEKABLE = ("WAV", "WAVEX", "FLAC", "AIFF", "W64", "RF64", "CAF")
_MOST_CHANNELS = 2
_BLOCK = 1 << 16


class Given:
    """Stretches that clients were told of, each by a name that only this server makes."""

    def __init__(self) -> None:
        """Begin without any."""
        self._key = secrets.token_bytes(16)
        self._stretches: OrderedDict[str, Stretch] = OrderedDict()
        self._changing = threading.Lock()

    def name(self, path: str, start_s: float, end_s: float) -> str:
        """Return a stretch's name; the latest ones are remembered."""
        text = f"{path}\0{start_s!r}\0{end_s!r}".encode("utf-8", "surrogateescape")
        name = hmac.new(self._key, text, hashlib.sha256).hexdigest()[:24]
        with self._changing:
            self._stretches[name] = path, start_s, end_s
            self._stretches.move_to_end(name)
            if len(self._stretches) > _KEPT:
                self._stretches.popitem(last=False)
        return name

    def stretch(self, name: str) -> Stretch:
        """Return the stretch of that name.

        Raises:
            Refused: there is none.
        """
        with self._changing:
            found = self._stretches.get(name)
        if found is None:
            got = f"{name[:40]!r}; search again"
            raise Refused(404, "no_stretch", f"id: expected one of this server's answers, got {got}")
        return found


def wav_of(path: Path, start_s: float, end_s: float) -> bytes:
    """Return a stretch of a file as WAV of 16 bits, at most `MOST_S` long, of at most two channels.

    Raises:
        DecodeError: there is no such file, or no sound there.
    """
    end_s = min(end_s, start_s + MOST_S)
    samples, rate = _sought(path, start_s, end_s) or _decoded(path, start_s, end_s)
    if not len(samples):
        raise DecodeError(str(path), f"expected sound at {start_s:.2f} s, got none")
    out = io.BytesIO()
    soundfile.write(out, samples.clip(-1, 1), rate, format="WAV", subtype="PCM_16")
    return out.getvalue()


def _sought(path: Path, start_s: float, end_s: float) -> tuple[NDArray[np.float32], int] | None:
    """Return samples of a file in which any place is found at once; None of others."""
    missing = suppress(soundfile.LibsndfileError, OSError)
    with missing, path.open("rb") as opened, soundfile.SoundFile(opened) as file:  # by any name
        if file.format not in _SEEKABLE or not file.seekable():
            return None
        rate: int = file.samplerate
        if round(end_s * rate) > file.frames + 1:  # more than it says to hold was heard
            return None
        first = min(round(start_s * rate), file.frames)
        file.seek(first)
        left, kept = min(round(end_s * rate), file.frames) - first, []
        while left > 0:  # block by block, since a file may have many more channels than are kept
            check_interrupt()
            block: Any = file.read(min(left, _BLOCK), dtype="float32", always_2d=True)
            if not len(block):
                break
            kept.append(block[:, :_MOST_CHANNELS].copy())
            left -= len(block)
        return np.concatenate(kept) if kept else np.zeros((0, 1), np.float32), rate
    return None


def _decoded(path: Path, start_s: float, end_s: float) -> tuple[NDArray[np.float32], int]:
    """Return samples of a file that is decoded from its beginning."""
    with AudioFile(path) as file:
        first, last = round(start_s * file.sample_rate), round(end_s * file.sample_rate)
        at, kept = 0, []
        for block in file.blocks():
            check_interrupt()
            part = block[max(first - at, 0) : max(last - at, 0)]
            kept.append((part if part.ndim == 1 else part[:, :_MOST_CHANNELS]).copy())
            at += len(block)
            if at >= last:
                break
        samples = np.concatenate(kept) if kept else np.zeros((0, 1), np.float32)
        return samples, file.sample_rate
