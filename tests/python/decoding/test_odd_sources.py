"""File objects that read too much, break off or are very short: a DecodeError, or the object's own error."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
import soundfile
from fastaudio.decoding.audio_file import AudioFile


class ReadsTooMuch(io.BytesIO):
    """Gives five bytes more than it was asked for."""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(size + 5 if size and size > 0 else size)


class BreaksOff(io.BytesIO):
    """Raises at the read of that number, and later."""

    def __init__(self, content: bytes, good: int) -> None:
        super().__init__(content)
        self.left = good

    def read(self, size: int | None = -1, /) -> bytes:
        self.left -= 1
        if self.left < 0:
            raise OSError(5, "broken")
        return super().read(size)


def sound(kind: str) -> bytes:
    """A short sound file."""
    file = io.BytesIO()
    soundfile.write(file, np.linspace(-0.5, 0.5, 1000), 16_000, format=kind)
    return file.getvalue()


@pytest.mark.parametrize("kind", ["WAV", "AIFF", "AU", "FLAC", "SDS", "OGG"])
def test_an_object_that_reads_too_much_is_read_like_any_other(kind: str) -> None:
    content = sound(kind)
    with AudioFile(io.BytesIO(content)) as file, AudioFile(ReadsTooMuch(content)) as odd:
        want, got = (np.concatenate([block.copy() for block in one.blocks()]) for one in (file, odd))
    assert np.array_equal(want, got)


@pytest.mark.parametrize("kind", ["WAV", "AIFF", "AU", "FLAC", "SDS", "OGG"])
@pytest.mark.parametrize("good", [1, 2, 3, 4])
def test_an_object_that_breaks_off_raises_its_error(kind: str, good: int) -> None:
    with pytest.raises(OSError, match="broken"), AudioFile(BreaksOff(sound(kind), good)) as file:
        list(file.blocks())


def test_a_flac_file_shorter_than_a_tag_is_looked_at() -> None:
    info = struct.pack(">HH", 4096, 4096) + bytes(6) + struct.pack(">Q", 16_000 << 44 | 15 << 36) + bytes(16)
    with AudioFile(b"fLaC\x80\0\0\x22" + info) as file:
        assert file.sample_rate == 16_000
        assert list(file.blocks()) == []
