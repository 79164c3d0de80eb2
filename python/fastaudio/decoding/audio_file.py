"""Decoding: files to blocks of samples; no file is ever held whole."""

from __future__ import annotations

import os
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from fastaudio._core import StateError
from fastaudio.decoding import ffmpeg, headers, mpeg, ogg, riff
from fastaudio.decoding.chain import Chain
from fastaudio.decoding.decode_thread import BLOCK, Block, DecodeThread, Opened, buffer_of
from fastaudio.decoding.folders import SUFFIXES
from fastaudio.decoding.sndfile import Part, SndfileDecoder
from fastaudio.decoding.sources import NAMELESS, DecodeError, FileLike, Source, is_file_like, name_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

    from fastaudio.decoding.chain import Decoder

__all__ = ["BLOCK", "AudioFile", "DecodeError", "FileLike", "is_file_like", "name_of", "suffixes"]

# A decoder that runs ahead of its caller keeps a third thread busy, so it needs a spare core.
_BLOCKS_AHEAD = 4 if (os.cpu_count() or 1) > 2 else 1  # noqa: PLR2004


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

        A file object is read from its position on, in a thread, and stays open; one that can't seek, such as
        a pipe, is copied to a temporary file first. What it raises comes back as it is.

        Raises:
            DecodeError: there is no such file, it can't be read, or its format is unknown.
            TypeError: the source is neither a path nor a file object.
        """
        self.name = name_of(source)
        self.path = None if self.name in NAMELESS else self.name
        self._thread = DecodeThread(source, _decoder)
        try:
            opened: Opened | None = self._thread.take()
        except BaseException:
            self._thread.leave()
            raise
        assert opened is not None  # nobody else can have left
        self.sample_rate = opened.sample_rate
        self.channels = opened.channels
        frames = opened.n_samples
        self.duration_s = None if frames is None else frames / self.sample_rate
        self.samples_read = 0
        self.truncated = opened.truncated
        self._begun = self._ended = self._broken = self._closed = False
        self._held: NDArray[np.float32] | None = None

    def blocks(self) -> Iterator[NDArray[np.float32]]:
        """Yield float32 arrays [n_samples, channels], each valid until the next one.

        Raises:
            DecodeError: not even a first sample could be decoded.
        """
        while (block := self._next()) is not None:
            yield block

    def _next(self) -> NDArray[np.float32] | None:
        """Give back the buffer of the block before, and wait for the next block; None at the end."""
        if self._closed or self._ended:
            return None
        if self._broken:
            raise StateError("AudioFile: expected no more blocks after an error, got a call; open it again")
        self._broken = True  # stays so if this is interrupted: a block may be lost then
        if not self._begun:
            self._begun = True
            for _ in range(_BLOCKS_AHEAD):
                self._thread.want(None)
        if self._held is not None:
            self._thread.want(buffer_of(self._held))
        block: Block | None = self._thread.take()
        self._ended = block is None or block.is_last
        self._held = None
        if block is not None:
            self.truncated |= block.truncated
            self.samples_read += len(block.samples)
            self._held = block.samples if len(block.samples) else None
        self._broken = False
        return self._held

    @contextmanager
    def decode_errors(self) -> Iterator[None]:
        """Raise ValueErrors of what uses this file's sound as DecodeErrors that name the file."""
        try:
            yield
        except ValueError as error:
            raise DecodeError(self.name, str(error)) from error

    def close(self) -> None:
        """Close the file; the caller's file object stays open.

        A read of a file object that doesn't end is left to its thread.
        """
        self._closed = True
        self._thread.leave()

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
