"""The file within a form, as browsers and curl -F send one; it is found while the body comes in."""

from __future__ import annotations

import re

from fastaudio.serving.refusing import Refused

_MOST_HEAD = 8192  # bytes of a part's headers
_MOST_PARTS = 100
_BOUNDARY = re.compile(
    r"""multipart/form-data\s*;(?:.*;)?\s*boundary=(?:"([^"]{1,70})"|([^\s;,"]{1,70}))(?![^\s;,])""",
    re.IGNORECASE,
)
_FILE = re.compile(rb"(?im)^content-disposition\s*:[^\r\n]*;\s*filename\*?\s*=")


class WholeBody:
    """A body that is the file."""

    found = True

    def feed(self, data: bytes) -> bytes:
        """Return what of `data` belongs to the file."""
        return data


class Form:
    """A form, of which the first part with a file's name is the file.

    Attributes:
        found: whether all of the file has come.
    """

    def __init__(self, boundary: str) -> None:
        """Take what stands between the parts."""
        self._mark = b"\r\n--" + boundary.encode("latin-1")
        self._held = b"\r\n"  # the first mark stands at the beginning
        self._in_head, self._is_file, self._n_parts = False, False, 0
        self.found = False

    def feed(self, data: bytes) -> bytes:
        """Return what of `data` belongs to the file; at most a mark's length, or a head's, is held back.

        Raises:
            Refused: it is no such form.
        """
        self._held += data
        file = b""
        while not self.found:
            if self._in_head:
                if not self._take_head():
                    break
                continue
            end = self._held.find(self._mark)
            if end < 0:
                keep = len(self._mark) - 1
                file += self._held[:-keep] if self._is_file else b""
                self._held = self._held[-keep:]
                break
            file += self._held[:end] if self._is_file else b""
            self.found = self._is_file
            self._held = self._held[end + len(self._mark) :]
            self._in_head = True
        if self.found:
            self._held = b""
        return file

    def _take_head(self) -> bool:
        """Take the headers of a part, if they are there."""
        if self._held.startswith(b"--"):
            raise _refused("no file")
        end = self._held.find(b"\r\n\r\n")
        if end < 0:
            if len(self._held) > _MOST_HEAD:
                raise _refused("a part whose headers have no end")
            return False
        self._n_parts += 1
        if self._n_parts > _MOST_PARTS:
            raise _refused("too many parts")
        self._is_file = bool(_FILE.search(self._held[: end + 2]))
        self._held = self._held[end + 4 :]
        self._in_head = False
        return True


def body_of(content_type: str) -> WholeBody | Form:
    """Return what finds the file in a body of that type.

    Raises:
        Refused: a form without a boundary.
    """
    if not content_type.lower().lstrip().startswith("multipart/"):
        return WholeBody()
    match = _BOUNDARY.match(content_type.strip())
    if match is None:
        raise _refused("another kind, or one without a boundary of at most 70 letters")
    return Form(match[1] or match[2])


def _refused(got: str) -> Refused:
    return Refused(400, "bad_form", f"body: expected multipart/form-data with a file, got {got}")
