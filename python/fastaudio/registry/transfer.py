"""Fetching one file over https, into a file that grows: never more bytes than it may have."""

from __future__ import annotations

import re
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any, BinaryIO, TypeAlias
from urllib.parse import urljoin

from fastaudio._core import FastaudioError, ModelError
from fastaudio.registry.address import check_address, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fastaudio.registry.entries import Remote

    Progress: TypeAlias = Callable[[int, int | None], None]

LARGEST = 2**31 - 1
"""Most bytes of a file whose size no page states: no network of one file is larger."""

_TRIES = 4
_STEP = 1 << 20  # bytes that came between two cuts and make up for the first
_WAIT_S = 0.5  # after a cut, and twice as long after each other
_CONNECT_S, _SILENT_S = 15, 30
_SLOW_S, _SLOW_BYTES = 60, 1 << 16
_MOST_REDIRECTS = 10
_PIECE = 1 << 16
_RANGE = re.compile(r"bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18}|\*)")
_OK, _PART, _REDIRECTS, _NO_RANGE = 200, 206, (301, 302, 303, 307, 308), 416
_SAID = {
    401: "it asks for a login; open its page, and accept its terms if it has any",
    403: "it isn't open to everyone, or not from here; open its page",
    404: "it was moved or removed; look for it on its page, and give its address by --url",
    407: "the proxy asks for a login; set HTTPS_PROXY",
    429: "too many ask at once; try again later",
}


class FetchError(FastaudioError):
    """A file couldn't be fetched, or isn't the one that it should be."""


class _CutError(Exception):
    """The connection ended too early, or never began; what came is kept."""


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
    import requests  # noqa: PLC0415  # of the extra [get], which only this needs

    with requests.Session() as session:
        left = _TRIES
        while True:
            before = part.seek(0, 2)
            try:
                return _fetch(session, remote, part, progress)
            except _CutError as error:
                came = part.seek(0, 2)
                left = _TRIES if came - before >= _STEP else left - 1
                if left == 0:
                    kept = f" after {came:,} bytes; run it again to go on from there"
                    what = f"got {error}{kept if came else '; try again later'}"
                    raise FetchError(f"{shown(remote.url)}: expected the whole file, {what}") from error
                time.sleep(_WAIT_S * 2 ** (_TRIES - left - 1) if left < _TRIES else 0)


def _fetch(session: Any, remote: Remote, part: BinaryIO, progress: Progress) -> bool:
    """Ask once for what is missing, and add it to `part`; return whether something of it was here."""
    have = part.seek(0, 2)
    if have > (remote.n_bytes or LARGEST):
        have = _restart(part)
    if have and have == remote.n_bytes:
        return True
    with closing(_open(session, remote.url, have)) as response:
        have, total = _begin(response, remote, part, have)
        joined = have > 0
        wanted = total if remote.n_bytes is None else remote.n_bytes
        progress(have, wanted)
        for piece in _pieces(response):
            have += len(piece)
            if have > (LARGEST if wanted is None else wanted):
                _restart(part)
                raise _other(remote, f"{have:,} or more")
            part.write(piece)
            progress(have, wanted)
    if wanted is not None and have < wanted:
        raise _CutError("a connection that was cut")
    return joined


def _begin(response: Any, remote: Remote, part: BinaryIO, have: int) -> tuple[int, int | None]:
    """Return how much stays of what is here, and the size of the whole file as the server states it."""
    status = response.status_code
    if have and status == _NO_RANGE:  # it has fewer bytes, or no more
        _restart(part)
        raise _CutError("a refusal to go on")
    if have and status == _PART:
        total = _total(response, have)
        if total is None:
            _restart(part)
            raise _CutError("another part than the one asked for")
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


def _open(session: Any, url: str, have: int) -> Any:
    """Return the response at the end of all redirects, none of which leaves https."""
    import requests  # noqa: PLC0415

    headers = {"Accept-Encoding": "identity", "User-Agent": "fastaudio"}
    headers |= {"Range": f"bytes={have}-"} if have else {}
    for _ in range(_MOST_REDIRECTS + 1):
        try:
            response = session.get(
                url, headers=headers, stream=True, allow_redirects=False, timeout=(_CONNECT_S, _SILENT_S)
            )
        except requests.exceptions.SSLError as error:
            raise FetchError(
                f"{shown(url)}: expected an encrypted connection with a certificate that is trusted, "
                f"got: {_why(error)}"
            ) from error
        except requests.exceptions.ProxyError as error:
            raise _CutError(f"no connection through the proxy ({_why(error)})") from error
        except requests.exceptions.ReadTimeout as error:
            raise _CutError(f"no answer within {_SILENT_S} s") from error
        except (requests.exceptions.ConnectionError, requests.exceptions.ChunkedEncodingError) as error:
            raise _CutError(f"no connection ({_why(error)})") from error
        except (requests.exceptions.RequestException, ValueError) as error:
            raise FetchError(
                f"{shown(url)}: expected an answer that can be read, got: {_why(error)}"
            ) from error
        if response.status_code not in _REDIRECTS:
            return response
        response.close()
        url = _redirected(url, response.headers.get("Location", ""))
    raise FetchError(
        f"{shown(url)}: expected at most {_MOST_REDIRECTS} redirects, got more; give its address by --url"
    )


def _redirected(url: str, to: str) -> str:
    """Return where a redirect leads; FetchError if that is nowhere, or outside https."""
    if not to.strip():
        raise FetchError(
            f"{shown(url)}: redirect: expected an address, got none; give the file's address by --url"
        )
    try:
        target = urljoin(url, to)
        check_address(target, before=url)
    except ModelError as error:
        raise FetchError(str(error)) from error
    except ValueError as error:
        raise FetchError(
            f"{shown(url)}: redirect: expected an address, got {shown(to)!r:.200}; give its address by --url"
        ) from error
    return target


def _pieces(response: Any) -> Iterator[bytes]:
    """Yield what comes as it comes; a server that sends next to nothing is given up."""
    import requests  # noqa: PLC0415
    import urllib3  # noqa: PLC0415

    began, came = time.monotonic(), 0
    while True:
        try:
            piece = response.raw.read1(_PIECE, decode_content=False)
        except (
            requests.exceptions.RequestException,
            urllib3.exceptions.HTTPError,
            OSError,
            ValueError,
        ) as error:
            silent = isinstance(error, urllib3.exceptions.TimeoutError | TimeoutError)
            raise _CutError(
                f"nothing for {_SILENT_S} s" if silent else "a connection that was cut"
            ) from error
        if not piece:
            return
        yield piece
        came += len(piece)
        if (now := time.monotonic()) - began > _SLOW_S:
            if came < _SLOW_BYTES:
                raise _CutError(f"less than {_SLOW_BYTES // 1024} KiB in {_SLOW_S} s")
            began, came = now, 0


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


def _why(error: Exception) -> str:
    """Return the reason at the bottom of a library's error, in few words."""
    inner: BaseException = error
    while (below := inner.__cause__ or inner.__context__) is not None:
        inner = below
    return str(getattr(inner, "strerror", None) or inner)[:200]
