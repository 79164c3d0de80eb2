"""A file of arrays from anybody costs no more than what is expected of it."""

from __future__ import annotations

import io
import tracemalloc
import zipfile
from typing import Any

import numpy as np
import pytest
from fastaudio._system.arrays import ArraysError, Expected, arrays

WANTED = Expected((None, 3), dtype=np.float32, largest=1 << 20)


def saved(**held: Any) -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, **held)
    return file.getvalue()


def member(content: bytes, how: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", how) as archive:
        archive.writestr("rows.npy", content)
    return file.getvalue()


def header(shape: str, descr: str = "'<f4'") -> bytes:
    text = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}".encode()
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text


def read(content: bytes, expected: Expected = WANTED) -> Any:
    with arrays(io.BytesIO(content)) as held:
        return held.read("rows", expected)


@pytest.mark.parametrize("order", ["C", "F"])
def test_what_numpy_wrote_is_read_as_it_was(order: Any) -> None:
    rows = np.asarray(np.arange(12, dtype=np.float32).reshape(4, 3), order=order)
    assert np.array_equal(read(saved(rows=rows)), rows)
    assert read(saved(rows=rows[:0])).shape == (0, 3)
    assert str(read(saved(rows="\u266a"), Expected(kinds="U"))) == "\u266a"


def test_headers_of_other_writers_are_read() -> None:
    text = b"{'descr': '>f4', 'fortran_order': True,\n'shape': (2,3)}"
    rows = np.arange(6, dtype=">f4").reshape(2, 3)
    content = b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + rows.tobytes("F")
    assert np.array_equal(read(member(content), Expected((2, 3))), rows)


def test_reading_evaluates_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Law: files are read in threads, where Python 3.11's `ast` may fail at random."""
    content = saved(rows=np.ones((4, 3), np.float32))
    for name in ("parse", "literal_eval"):
        monkeypatch.setattr(f"ast.{name}", lambda *_, **__: pytest.fail("evaluated"))
    assert read(content).shape == (4, 3)


def many_parts() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for n in range(20_000):
            archive.writestr(f"{n:060}", b"")
    return file.getvalue()


WRONG = {
    "no archive": b"no archive",
    "nothing": b"",
    "a claim": member(header("(10000000000, 3)")),
    "a claim that is unfolded": member(header("(400000, 3)") + bytes(4_800_000)),
    "another width": saved(rows=np.zeros((4, 2), np.float32)),
    "below 0": member(header("(-1, 3)")),
    "too short": member(header("(4, 3)") + bytes(40)),
    "too long": member(header("(4, 3)") + bytes(1 << 24)),
    "other numbers": saved(rows=np.zeros((4, 3), np.complex64)),
    "an object": member(header("(4, 3)", "'|O'")),
    "a record": member(header("(4, 3)", "[('a', '<f4')]")),
    "a list of types": member(header("(4, 3)", "'<f4,<f4'") + bytes(96)),
    "no type": member(header("(4, 3)", "'<x4'") + bytes(48)),
    "a type with a zero before": member(header("(4, 3)", "'<01'") + bytes(12)),
    "a type of no letter": member(header("(4, 3)", "'<0_1'") + bytes(12)),
    "a type that is too large": member(header("(4, 3)", "'<f99999999'") + bytes(48)),
    "text that is evaluated": member(header("(4, 1 + 2)") + bytes(48)),
    "no length": member(b"\x93NUMPY\x01"),
    "half a header": member(header("(4, 3)")[:-5]),
    "deep text": member(header("(" * 5000)),
    "no header": member(bytes(1 << 24)),
    "another version": member(b"\x93NUMPY\x02\x00" + b"\xff" * 4 + bytes(1 << 24)),
    "another packing": member(header("(4, 3)") + bytes(48), zipfile.ZIP_LZMA),
    "many parts": many_parts(),
    "another name": saved(others=np.zeros((4, 3), np.float32)),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_not_expected_is_refused_before_it_takes_memory(name: str) -> None:
    content = WRONG[name]
    tracemalloc.start()
    try:
        with pytest.raises(ArraysError) as caught:
            read(content)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 8 << 20
    assert "allow_pickle" not in str(caught.value)
    assert len(str(caught.value)) < 200


def test_a_flipped_bit_is_found_by_the_checksum() -> None:
    file = io.BytesIO()
    np.savez(file, rows=np.ones((4, 3), np.float32))
    content = bytearray(file.getvalue())
    content[content.index(b"\x80\x3f")] ^= 1
    with pytest.raises(ArraysError, match="damaged"):
        read(bytes(content))
