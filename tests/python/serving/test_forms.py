"""The file within a form is found wherever the form is cut, and forms that are none end early."""

from __future__ import annotations

import numpy as np
import pytest
import serving_helpers  # noqa: F401  # skips where the extra is absent
from fastaudio.serving.multipart import Form, WholeBody, body_of
from fastaudio.serving.refusing import Refused


def form(file: bytes, mark: bytes = b"XX", before: bytes = b"", after: bytes = b"") -> bytes:
    head = b'content-disposition: form-data; name="f"; filename="a.wav"\r\n\r\n'
    return before + b"--" + mark + b"\r\n" + head + file + b"\r\n--" + mark + b"--\r\n" + after


def found(data: bytes, step: int) -> bytes:
    body = Form("XX")
    got = b"".join(body.feed(data[start : start + step]) for start in range(0, len(data), step))
    assert body.found
    return got


FILES = [b"", b"\r\n", b"sound", b"\r\n--X", b"\r\n--XY--\r\n", b"--XX", b"\r\n-" * 50, bytes(range(256)) * 5]


@pytest.mark.parametrize("step", [1, 2, 7, 64, 10_000])
@pytest.mark.parametrize("file", FILES)
def test_a_file_is_found_wherever_the_form_is_cut(file: bytes, step: int) -> None:
    assert found(form(file), step) == file
    other = b'--XX\r\nContent-Disposition: form-data; name="a"\r\n\r\nvalue\r\n'
    assert found(form(file, before=b"a preamble\r\n" + other, after=b"more"), step) == file


def test_a_random_file_is_found() -> None:
    file = np.random.default_rng(5).integers(0, 256, 200_000, dtype=np.uint8).tobytes()
    for step in (1000, 65_536):
        assert found(form(file), step) == file


def test_only_the_first_file_is_taken() -> None:
    assert found(form(b"first") + form(b"second"), 10) == b"first"


def test_what_is_held_back_is_bounded() -> None:
    body = Form("XX")
    for _ in range(1000):
        body.feed(bytes(1000))
        assert len(body._held) < 10_000


@pytest.mark.parametrize("boundary", ["XX", "a'b", "----WebKitFormBoundary7MA4YWxkTrZu0gW"])
@pytest.mark.parametrize(
    "pattern", ["multipart/form-data; boundary={}", 'Multipart/Form-Data;a=b; BOUNDARY="{}"; c=d']
)
def test_boundaries_are_read(boundary: str, pattern: str) -> None:
    body = body_of(pattern.format(boundary))
    assert isinstance(body, Form)
    assert body.feed(form(b"sound", boundary.encode())) == b"sound"


@pytest.mark.parametrize(
    "kind",
    ["multipart/form-data", "multipart/mixed; boundary=XX", "multipart/form-data; boundary=" + "x" * 71],
)
def test_a_form_of_another_kind_is_refused(kind: str) -> None:
    with pytest.raises(Refused, match="boundary"):
        body_of(kind)


@pytest.mark.parametrize(
    "kind", ["", "audio/flac", "application/x-www-form-urlencoded", "text/multipart/form-data"]
)
def test_other_bodies_are_the_file(kind: str) -> None:
    assert isinstance(body_of(kind), WholeBody)
