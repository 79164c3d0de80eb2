"""Asking for a file by HTTP: redirects are followed one by one, and errors of the libraries get words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from fastaudio._core import FastaudioError, ModelError
from fastaudio.registry.address import check_address, is_local, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

SILENT_S = 30
"""A server that sends nothing for so long is given up."""

_CONNECT_S = 15
_MOST_REDIRECTS = 10
_PIECE = 1 << 16
_NO_PROXIES = {"http": None, "https": None, "all": None}  # None takes away what the environment says
_REDIRECTS = (301, 302, 303, 307, 308)


class FetchError(FastaudioError):
    """A file couldn't be fetched, or isn't the one that it should be."""


class CutError(Exception):
    """The connection ended too early, or never began; what came is kept."""


def ask(session: Any, url: str, have: int) -> Any:
    """Return the response at the end of all redirects, none of which leaves https.

    It is asked for what comes after the first `have` bytes. How long it takes has no bound here.

    Raises:
        CutError: there is no connection, or no answer.
        FetchError: the answer can't be read, the connection isn't trusted, or a redirect leads to nowhere.
    """
    import requests  # noqa: PLC0415  # of the extra [get], which only this needs

    headers = {"Accept-Encoding": "identity", "User-Agent": "fastaudio"}
    headers |= {"Range": f"bytes={have}-"} if have else {}
    for _ in range(_MOST_REDIRECTS + 1):
        try:
            response = session.get(
                url,
                headers=headers,
                stream=True,
                allow_redirects=False,
                timeout=(_CONNECT_S, SILENT_S),
                proxies=_NO_PROXIES if is_local(url) else None,
            )
        except requests.exceptions.SSLError as error:
            raise FetchError(
                f"{shown(url)}: expected an encrypted connection with a certificate that is trusted, "
                f"got: {_why(error)}"
            ) from error
        except requests.exceptions.ProxyError as error:
            raise CutError(f"no connection through the proxy ({_why(error)})") from error
        except requests.exceptions.ReadTimeout as error:
            raise CutError("no answer in time") from error
        except (requests.exceptions.ConnectionError, requests.exceptions.ChunkedEncodingError) as error:
            raise CutError(f"no connection ({_why(error)})") from error
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


def read(response: Any) -> Iterator[bytes]:
    """Yield what comes as it comes; CutError if it is cut."""
    import requests  # noqa: PLC0415
    import urllib3  # noqa: PLC0415

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
            raise CutError(f"nothing for {SILENT_S} s" if silent else "a connection that was cut") from error
        if not piece:
            return
        yield piece


def _why(error: Exception) -> str:
    """Return the reason at the bottom of a library's error, in few words."""
    inner: BaseException = error
    while (below := inner.__cause__ or inner.__context__) is not None:
        inner = below
    return str(getattr(inner, "strerror", None) or inner)[:200]
