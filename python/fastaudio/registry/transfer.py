"""Fetching one file over https, into a file that grows: never more bytes than it may have."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any, BinaryIO, TypeAlias

from fastaudio.registry.address import shown
from fastaudio.registry.answer import Answer
from fastaudio.registry.asking import CutError, FetchError

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastaudio.registry.entries import Remote

    Progress: TypeAlias = Callable[[int, int | None], None]

LARGEST = 2**31 - 1
"""Most bytes of a file whose size no page states: no network of one file is larger."""

_TRIES = 4
_STEP = 1 << 20  # bytes that came between two cuts and make up for the first
_WAIT_S = 0.5  # after a cut, and twice as long after each other
_RANGE = re.compile(r"bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18}|\*)")
_OK, _PART, _NO_RANGE = 200, 206, 416
_SAID = {
    401: "it asks for a login; open its page, and accept its terms if it has any",
    403: "it isn't open to everyone, or not from here; open its page",
    404: "it was moved or removed; look for it on its page, and give its address by --url",
    407: "the proxy asks for a login; set HTTPS_PROXY",
    429: "too many ask at once; try again later",
}


def transfer(remote: Remote, part: BinaryIO, progress: Progress) -> bool:
    """Fetch a file into `part`, after what this holds already; a cut connection is taken up again.

    Args:
        remote: the file.
        part: a file to read and write, with the first bytes of it from an earlier run, or none.
        progress: called with the bytes that are here and the total, which is None if unknown.

    Returns:
        Whether the file is made of pieces from several answers, which may be of different files.

    Raises:
        FetchError: the server can't be reached, refuses, or sends something else; the connection was cut
            again and again, and `part` holds what came.
        ModelError: a redirect leads to an address that isn't taken.
        OSError: the disk is full.
    """
    left = _TRIES
    while True:
        before = part.seek(0, 2)
        try:
            return _fetch(remote, part, progress)
        except CutError as error:
            came = part.seek(0, 2)
            left = _TRIES if came - before >= _STEP else left - 1
            if left == 0:
                kept = f" after {came:,} bytes; run it again to go on from there"
                what = f"got {error}{kept if came else '; try again later'}"
                raise FetchError(f"{shown(remote.url)}: expected the whole file, {what}") from error
            time.sleep(_WAIT_S * 2 ** (_TRIES - left - 1) if left < _TRIES else 0)


def _fetch(remote: Remote, part: BinaryIO, progress: Progress) -> bool:
    """Ask once for what is missing, and add it to `part`; return whether something of it was here."""
    have = part.seek(0, 2)
    if have > (remote.n_bytes or LARGEST):
        have = _restart(part)
    if have and have == remote.n_bytes:
        return True
    with Answer(remote.url, have) as answer:
        have, total = _begin(answer.head(), remote, part, have)
        joined = have > 0
        wanted = total if remote.n_bytes is None else remote.n_bytes
        progress(have, wanted)
        for piece in answer.pieces():
            have += len(piece)
            if have > (LARGEST if wanted is None else wanted):
                _restart(part)
                raise _other(remote, f"{have:,} or more")
            part.write(piece)
            progress(have, wanted)
    if wanted is not None and have < wanted:
        raise CutError("a connection that was cut")
    return joined


def _begin(response: Any, remote: Remote, part: BinaryIO, have: int) -> tuple[int, int | None]:
    """Return how much stays of what is here, and the size of the whole file as the server states it."""
    status = response.status_code
    if have and status == _NO_RANGE:  # it has fewer bytes, or no more
        _restart(part)
        raise CutError("a refusal to go on")
    if have and status == _PART:
        total = _total(response, have)
        if total is None:
            _restart(part)
            raise CutError("another part than the one asked for")
    elif status == _OK:
        have, total = _restart(part), _length(response)
    else:
        remedy = _SAID.get(status, "try again later")
        raise FetchError(f"{shown(remote.url)}: expected the file, got status {status}: {remedy}")
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise FetchError(
            f"{shown(remote.url)}: expected the file as it is, got it encoded; try another address by --url"
        )
    if total is not None and (total > LARGEST if remote.n_bytes is None else total != remote.n_bytes):
        raise _other(remote, f"{total:,}")
    return have, total


def _other(remote: Remote, got: str) -> FetchError:
    n_bytes = f"at most {LARGEST:,}" if remote.n_bytes is None else f"{remote.n_bytes:,}"
    return FetchError(
        f"{shown(remote.url)}: expected {n_bytes} bytes, got {got}: it isn't the file that is meant; "
        "give its address by --url"
    )


def _restart(part: BinaryIO) -> int:
    part.truncate(0)
    return part.seek(0)


def _length(response: Any) -> int | None:
    """Return the size that a server states for the file, None if it doesn't."""
    text = response.headers.get("Content-Length", "")
    return int(text) if re.fullmatch(r"[0-9]{1,18}", text) else None


def _total(response: Any, have: int) -> int | None:
    """Return the size of the whole file if a part goes on from what is here; None if it is another part."""
    match = _RANGE.fullmatch(response.headers.get("Content-Range", ""))
    if match is None or int(match[1]) != have or int(match[2]) < have:
        return None
    length = _length(response)
    if length is not None and length != int(match[2]) - have + 1:
        return None
    return int(match[2]) + 1 if match[3] == "*" else int(match[3])
