"""Sound files of all formats: changed, and written with odd headers; as bytes, and behind odd file objects.

A file decodes to blocks of whole frames and finite features, or is a DecodeError; what a file object raises
comes back.
"""

from __future__ import annotations

import io
import os
import zlib
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
from drawn_sounds import generated
from fastaudio.decoding import audio_file
from harness import LONGEST_MESSAGE, Fuzzer
from mutate import change_bytes

if TYPE_CHECKING:
    import random
    from pathlib import Path

MOST_SAMPLES = 1 << 19  # a header may promise hours of nothing


class Raised(Exception):  # noqa: N818
    """What a file object raises here, and no decoder knows."""


class Odd(io.BytesIO):
    """A file object with a fault: short reads, an error at some read, a wrong length, no way back."""

    def __init__(self, content: bytes, fault: str, number: int) -> None:
        super().__init__(content)
        self.fault = fault
        self._number = number
        self.reads = 0
        self.raised = False

    def read(self, size: int | None = -1, /) -> bytes:
        self.reads += 1
        if self.fault == "raises" and self.reads > self._number % 5:
            self.raised = True
            raise Raised
        if self.fault == "breaks" and self.reads > self._number % 5:
            self.raised = True
            raise OSError(5, "broken")
        if self.fault == "short" and size and size > 1:
            size = 1 + self._number % size
        if self.fault == "shrinks" and self.reads > 2 + self._number % 8:
            return b""
        if self.fault == "long" and size and size > 0:
            size += 5
        return super().read(size)

    def seek(self, offset: int, whence: int = 0, /) -> int:
        if self.fault == "lies" and whence == os.SEEK_END:
            super().seek(offset, whence)
            return (1 << (self._number % 63)) + offset
        return super().seek(offset, whence)

    def seekable(self) -> bool:
        return self.fault != "pipe"


FAULTS = ["none", "raises", "breaks", "short", "shrinks", "long", "lies", "pipe"]


class Decoders(Fuzzer):
    """Sound comes from anyone, and native decoders read it."""

    name = "decoders"
    gate_runs = 4500
    warns = True
    modules = "fastaudio.decoding"

    def draw(self, rng: random.Random) -> bytes:
        kind = rng.random()
        if kind < 0.25:
            return generated(rng)
        sounds = [*self.kept.values()]
        content = rng.choice(sounds)
        if kind < 0.3:
            content += rng.choice(sounds)
        return change_bytes(content, rng, near=rng.choice([256, 4096]))

    def prepare(self, outside: Path) -> None:
        mel = fa.MelSpectrogram(sample_rate=16_000, n_fft=512, n_mels=4)
        self.pipeline = fa.Pipeline(mel >> fa.Log())

    def check(self, content: bytes, folder: Path) -> None:
        number = zlib.crc32(content)
        self._decode(io.BytesIO(content), ahead=1)
        fault = FAULTS[number % len(FAULTS)]
        if fault == "shrinks" and content.startswith(b"\xf0\x7e"):
            return  # libsndfile prints about a MIDI sample dump that gets shorter after it was looked at
        odd = Odd(content, fault, number >> 8)
        try:
            whole = self._decode(odd, ahead=1 + (number >> 4 & 3))
        except (Raised, OSError) as error:
            expected = Raised if fault == "raises" else OSError
            assert odd.raised, "expected an error of the file object, got one of its own"
            assert isinstance(error, expected), (
                f"expected the error that the file object raised, got {error!r}"
            )
        else:
            assert not (odd.raised and whole), "expected what the file object raised, got another end"

    def _decode(self, source: Any, ahead: int) -> bool:
        """Decode a file; return whether it came to its end without an error."""
        audio_file._BLOCKS_AHEAD = ahead
        try:
            with audio_file.AudioFile(source) as file:
                assert file.channels >= 1
                assert file.sample_rate >= 1
                assert file.duration_s is None or file.duration_s >= 0
                try:
                    stream = self.pipeline.open(sample_rate=file.sample_rate, channels=file.channels)
                except ValueError:  # a rate that no resampler takes: nobody reads on
                    return False
                for block in file.blocks():
                    assert block.ndim == 2
                    assert block.shape[1] == file.channels
                    assert len(block), "expected a block with samples, got none"
                    with file.decode_errors():
                        rows = stream.push(np.ascontiguousarray(block))
                    assert np.isfinite(rows).all(), "expected finite rows, got others"
                    if file.samples_read > MOST_SAMPLES:
                        return False
        except fa.DecodeError as error:
            assert len(str(error)) <= LONGEST_MESSAGE, "expected a message of one screen, got a longer one"
            return isinstance(source, Odd) and source.fault == "raises"
        return True
