"""Files behind URLs, by fsspec: listed, and opened where they lie."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import unquote

from fastaudio._core import FastaudioError
from fastaudio._system.extras import require
from fastaudio.decoding.folders import SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_HERE = {"file://", "local://"}
_HUB_KINDS = {"datasets", "spaces", "models", "buckets"}
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_VERSIONS = ("etag", "ETag", "md5Hash", "mtime", "LastModified", "last_modified", "updated", "created", "CRC")


class RemoteError(FastaudioError, OSError):
    """A URL can't be listed or opened."""


def is_url(source: str) -> bool:
    """Tell whether a source is a URL, such as s3://bucket/night."""
    return _URL.match(source) is not None


class Stores:
    """Stores that a table may name: a bucket, a host or a repository (s3://bucket), or all of a kind (s3://).

    On the Hugging Face Hub, whose repositories are everybody's, a store is one of them: hf://datasets/me/x.
    """

    def __init__(self, urls: Iterable[str]) -> None:
        """Take URLs in these stores, or their names."""
        self._names = {name for url in urls for name in _stores(url)}

    def have(self, url: str) -> bool:
        """Tell whether a URL opens none but these, and the files of this machine, which paths name too."""
        return all(
            name in self._names or f"{name.partition('://')[0]}://" in self._names | _HERE
            for name in _stores(url)
        )

    def name_of(self, url: str) -> str:
        """Return the name of the first store that isn't among these."""
        return next((name for name in _stores(url) if not self.have(name)), url)


def _stores(url: str) -> list[str]:
    """Return the stores that a URL opens: zip://a.wav::s3://bucket/b.zip opens two."""
    parts = (part if "://" in part else f"{part}://" for part in url.split("::"))
    split = ((kind.lower(), rest) for kind, _, rest in (part.partition("://") for part in parts))
    return [f"{kind}://{_repository(rest) if kind == 'hf' else _host(rest)}" for kind, rest in split]


def _host(rest: str) -> str:
    return re.split(r"[/?#]", rest, maxsplit=1)[0]


def _repository(rest: str) -> str:
    """Return owner and name of a repository, and what kind it is; the whole path if it may lead elsewhere."""
    parts = unquote(rest).split("/")
    if not {"", ".", ".."}.isdisjoint(parts[:-1]) or parts[-1] in (".", ".."):
        return rest
    return "/".join(parts[: 2 + (parts[0] in _HUB_KINDS)])


def find(url: str, said: list[str]) -> Iterator[tuple[str, int, str]]:
    """Yield URL, size (-1 if unknown) and version of the sound files that a URL means, in order.

    It is a file's, a folder's, which is searched for names of sound files, or a pattern's. What is left out
    is appended to `said`.

    Raises:
        RemoteError: it can't be listed.
        MissingExtra: fsspec isn't installed.
    """
    system, path = _opened(url)
    before, after = _around(url, path)
    with _blamed(url, "a file or a folder that can be listed"):
        if any(sign in path for sign in "*?["):
            found = system.glob(path, detail=True)
        elif system.isdir(path):
            found = system.find(path, detail=True)
            n_all = len(found)
            found = {name: info for name, info in found.items() if _is_sound(name)}
            if n_all > len(found):
                said.append(f"{url}: skipped {n_all - len(found)} files (not sound)")
        else:
            found = {path: system.info(path)}
    for name in sorted(found):
        info = found[name]
        if info.get("type") == "directory":
            continue
        size = info.get("size")
        full = system.unstrip_protocol(name) if before is None else f"{before}{name}{after}"
        yield full, -1 if size is None else int(size), version_of(info)


def _around(url: str, path: str) -> tuple[str | None, str]:
    """Return what stands before and after a store's own path in a URL, such as a host, or None.

    Of `zip://night/*.wav::s3://bucket/b.zip`, the path is that of the first part that has one.
    """
    parts = url.split("::")
    k = next(i for i, part in enumerate(parts) if "://" in part)
    part = parts[k].rstrip("/") if path and not path.endswith("/") else parts[k]
    if not part.endswith(path):
        return None, ""
    head = part[: len(part) - len(path)] if path else part
    return "::".join([*parts[:k], head]), "".join(f"::{rest}" for rest in parts[k + 1 :])


def version_of(info: dict[str, Any]) -> str:
    """Return what changes with a file, from what its store says of it; empty if it says no such thing."""
    return next((str(info[key]).strip('"') for key in _VERSIONS if info.get(key) is not None), "")


@contextmanager
def opened(url: str) -> Iterator[BinaryIO]:
    """Give the file behind a URL, which can be sought in.

    Raises:
        RemoteError: it can't be opened.
    """
    system, path = _opened(url)
    with _blamed(url, "a file that can be read"):
        file = system.open(path, "rb")
    with file:
        yield file


def _is_sound(name: str) -> bool:
    return name.rpartition("/")[2].rpartition(".")[2].lower() in SUFFIXES


def _opened(url: str) -> tuple[Any, str]:
    fsspec = require("fsspec", extra="cloud", what=f"{url:.200}")
    try:
        system, path = fsspec.core.url_to_fs(url)
    except ImportError as error:  # the store's own package, which it names
        raise RemoteError(
            f"{url:.200}: expected a store that is installed here, got: {error!s:.200}"
        ) from error
    except (ValueError, OSError) as error:
        raise RemoteError(f"{url:.200}: expected a URL of a store, got: {error!s:.200}") from error
    return system, path


@contextmanager
def _blamed(url: str, wanted: str) -> Iterator[None]:
    try:
        yield
    except FastaudioError:
        raise
    except Exception as error:  # stores raise errors of their own
        got = f"{type(error).__name__}: {error!s:.200}"
        raise RemoteError(f"{url:.200}: expected {wanted}, got {got}") from error
