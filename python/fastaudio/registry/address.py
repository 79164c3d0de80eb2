"""Which addresses are fetched from: https, and http only on this machine."""

from __future__ import annotations

from urllib.parse import urlsplit

from fastaudio._core import ModelError

_THIS_MACHINE = {"localhost", "127.0.0.1", "::1"}


def check_address(url: str, *, before: str | None = None) -> None:
    """Refuse an address that isn't fetched from; with `before`, one that this other address leads to.

    https stays https. http is taken only from this machine, as for a mirror that you run yourself.

    Raises:
        ModelError: any other scheme, no host, or a name and password in it, which messages would show.
    """
    subject = "url" if before is None else f"{shown(before)}: redirect"
    wanted = f"{subject}: expected an address that begins with https://"
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
        said = "one with a name or password" if "@" in parts.netloc else repr(shown(url))
    except ValueError as error:
        raise ModelError(f"{wanted}, got {url!r:.80}") from error
    if "@" in parts.netloc:
        raise ModelError(f"{wanted} and holds no name or password, got {said}; put them into ~/.netrc")
    if not host or not url.isprintable():
        raise ModelError(f"{wanted}, got {said:.200}")
    if parts.scheme == "https":
        return
    if before is not None and urlsplit(before).scheme == "https":
        raise ModelError(f"{wanted}, got {said:.200}")
    if parts.scheme != "http" or host not in _THIS_MACHINE:
        raise ModelError(f"{wanted}, or http://localhost, got {said:.200}")


def is_local(url: str) -> bool:
    """Tell whether an address is of this machine, to which no proxy leads."""
    return urlsplit(url).hostname in _THIS_MACHINE


def shown(url: str) -> str:
    """Return an address as messages show it: without what follows a question mark, which may be a key."""
    return url.partition("?")[0].partition("#")[0][:200]
