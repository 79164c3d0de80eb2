"""Decoding: files to blocks of samples; no file is ever held whole."""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from fastaudio.decoding import ffmpeg, headers, mpeg, ogg, riff
from fastaudio.decoding.chain import Chain
from fastaudio.decoding.folders import SUFFIXES
from fastaudio.decoding.read_ahead import buffer_of, read_ahead
from fastaudio.decoding.sndfile import Part, SndfileDecoder
from fastaudio.decoding.sources import NAMELESS, DecodeError, FileLike, Source, is_file_like, name_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from fastaudio.decoding.chain import Decoder

__all__ = ["BLOCK", "AudioFile", "DecodeError", "FileLike", "is_file_like", "name_of", "suffixes"]

BLOCK = 131_072
"""Values per decoded block, all channels together."""

# A decoder that runs ahead keeps a third thread busy, so it needs a spare core.
_BLOCKS_AHEAD = 4 if (os.cpu_count() or 1) > 2 else 0  # noqa: PLR2004


def suffixes() -> set[str]:
    """Return the suffixes of sound files, lower case, without the dot."""
    return set(SUFFIXES)


class AudioFile:
    """An open audio file.

    Attributes:
        name: the path, or the file object's own name, for messages.
        path: the same for results; None for bytes, and for a file object without a name.
        sample_rate: samples per second, in Hz.
        channels: number of channels.
        duration_s: length that the header states, or None.
        samples_read: samples per channel decoded so far.
        truncated: whether the file proves that sound is missing: it ends earlier than its header says, within
            a frame, or without the end of a stream, or it broke off at an error.
    """

    def __init__(self, source: FileLike) -> None:
        """Open a path, a binary file object, or bytes that hold a file.

        A file object is read from its position on, and stays open; one that can't seek, such as a pipe, is
        copied to a temporary file first.

        Raises:
            DecodeError: there is no such file, it can't be read, or its format is unknown.
            TypeError: the source is neither a path nor a file object.
        """
        self._source = Source(source)
        self.name = self._source.name
        self.path = None if self.name in NAMELESS else self.name
        try:
            self._decoder = _decoder(self._source)
        except BaseException as error:
            self._source.close()
            if isinstance(error, DecodeError) and self._source.start:
                where = f"; it was read from byte {self._source.start} on, where the file object was"
                raise DecodeError(error.path, error.reason + where) from error
            raise
        self.sample_rate = self._decoder.sample_rate
        self.channels = self._decoder.channels
        frames = self._decoder.n_samples
        self.duration_s = None if frames is None else frames / self.sample_rate
        self.samples_read = 0
        self.truncated = self._decoder.truncated
        self._lock = threading.Lock()
        self._closed = False

    def blocks(self) -> Iterator[NDArray[np.float32]]:
        """Yield float32 arrays [n_samples, channels], each valid until the next one.

        Raises:
            DecodeError: not even a first sample could be decoded.
        """
        if _BLOCKS_AHEAD == 0:
            block = None
            while (block := self._decode(None if block is None else buffer_of(block))) is not None:
                yield block
            return
        with read_ahead(self._decode, _BLOCKS_AHEAD) as take:
            while (item := take()) is not None:
                if isinstance(item, BaseException):
                    raise item
                yield item

    @contextmanager
    def decode_errors(self) -> Iterator[None]:
        """Raise ValueErrors of what uses this file's sound as DecodeErrors that name the file."""
        try:
            yield
        except ValueError as error:
            raise DecodeError(self.name, str(error)) from error

    def _decode(self, buffer: NDArray[np.float32] | None) -> NDArray[np.float32] | None:
        """Decode one block into `buffer`, or into a new one; return its filled part, None at the end."""
        if buffer is None:
            buffer = np.empty((max(1, BLOCK // self.channels), self.channels), dtype=np.float32)
        with self._lock:  # a decoder that is closed while it decodes would crash
            if self._closed:
                return None
            got = self._decoder.read(buffer)
            self.truncated |= self._decoder.truncated
        self.samples_read += got
        return buffer[:got] if got else None

    def close(self) -> None:
        """Close the file; the caller's file object stays open."""
        with self._lock:
            if not self._closed:
                self._closed = True
                self._decoder.close()
                self._source.close()

    def __enter__(self) -> AudioFile:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _parts(source: Source) -> list[Part]:
    """Return what libsndfile is to decode, one after another."""
    head = source.read(0, 64)
    source.raise_pending()
    found: list[Part] | None = None
    if head.startswith(riff.MAGIC):
        found = riff.parts(source)
    elif head.startswith(ogg.MAGIC):
        found = ogg.parts(source)
    elif headers.knows(head):
        found = headers.parts(source)
    elif mpeg.may_be(head, source.name):
        found = mpeg.parts(source)
    return found or [Part()]


def _decoder(source: Source) -> Decoder:
    """Open a source with libsndfile, or else with FFmpeg's libraries."""
    try:
        parts = _parts(source)
        if len(parts) == 1:
            return SndfileDecoder(source, parts[0])
        return Chain([partial(SndfileDecoder, source, part) for part in parts])
    except DecodeError as error:
        return ffmpeg.decoder(source, error)
