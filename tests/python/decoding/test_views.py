"""Views of a file, and the buffer through which decoders read them: the bytes are those of the pieces."""

from __future__ import annotations

import io
import os

import numpy as np
import pytest
from fastaudio.decoding.sources import Source
from fastaudio.decoding.views import Buffered, Pieces
from hypothesis import given
from hypothesis import strategies as st

DATA = np.random.default_rng(0).bytes(10_000)
PIECES = [(100, 2_000), b"between", (3_000, 3_001), b"", (5_000, 10_000)]
JOINED = b"".join(piece if isinstance(piece, bytes) else DATA[slice(*piece)] for piece in PIECES)
SIZES = [0, 1, 4, 417, 3_000, 20_000]


def buffered(n_bytes: int) -> Buffered:
    """Return the pieces, read so many bytes at once."""
    return Buffered(Pieces(Source(io.BytesIO(DATA), lambda: False), PIECES), n_bytes)


@given(
    n_bytes=st.sampled_from([16, 1_000, 1 << 16]),
    steps=st.lists(st.tuples(st.sampled_from([None, *range(3)]), st.integers(-9_000, 9_000)), max_size=20),
)
def test_reads_and_seeks_are_those_of_the_joined_bytes(
    n_bytes: int, steps: list[tuple[int | None, int]]
) -> None:
    file, wanted = buffered(n_bytes), io.BytesIO(JOINED)
    for whence, offset in steps:
        if whence is None:
            size = SIZES[offset % len(SIZES)]
            got, expected = bytearray(size), bytearray(size)
            assert file.readinto(got) == wanted.readinto(expected)
            assert got == expected
        else:
            base = {os.SEEK_SET: 0, os.SEEK_CUR: wanted.tell(), os.SEEK_END: len(JOINED)}[whence]
            wanted.seek(max(0, base + offset))  # before the beginning is the beginning
            assert file.seek(offset, whence) == wanted.tell()
        assert file.tell() == wanted.tell()


def test_what_a_read_raises_is_kept_for_the_source_and_ends_the_file() -> None:
    """C code calls it, which can't raise."""

    class Lost(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell() >= 5_000:
                raise OSError("lost")
            return super().read(size)

    source = Source(Lost(DATA), lambda: False)
    file = Buffered(Pieces(source, [(0, 4_000), (6_000, 10_000)]), 1_000)
    assert file.readinto(bytearray(8_000)) <= 4_000
    with pytest.raises(OSError, match="lost"):
        source.raise_pending()
