"""What can be fetched: cards without weights, each with the address, size, hash and licence of its files."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastaudio._core import ModelError, did_you_mean
from fastaudio.registry.address import check_address, shown

if TYPE_CHECKING:
    from collections.abc import Mapping

_FOLDER = Path(__file__).parent
_SHA256 = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True)
class Remote:
    """A file to fetch.

    Attributes:
        path: its name in the model's folder.
        url: its address.
        n_bytes: its size, None if no page states it.
        about: its size in words if `n_bytes` is None.
        sha256: its hash in hex, None if no page is known that states it.
        hash_read: where the hash was read.
    """

    path: str
    url: str
    n_bytes: int | None
    about: str
    sha256: str | None
    hash_read: str

    @property
    def page(self) -> str | None:
        """The page of this one file, which shows its hash, where the address tells it."""
        return shown(self.url).replace("/resolve/", "/blob/", 1) if "/resolve/" in self.url else None

    @property
    def size(self) -> str:
        """The size in words."""
        if self.n_bytes is None:
            return f"about {self.about}" if self.about else "size not stated"
        unit, name = (1e6, "MB") if self.n_bytes >= 1e5 else (1e3, "kB")  # noqa: PLR2004
        return f"{self.n_bytes / unit:.1f} {name} ({self.n_bytes:,} bytes)"


@dataclass(frozen=True)
class Entry:
    """A model that can be fetched: its card without weights, and its files, the network first."""

    card: Mapping[str, Any]
    files: tuple[Remote, ...]

    @property
    def name(self) -> str:
        """The model's name."""
        return str(self.card["name"])

    @property
    def page(self) -> str:
        """The page that describes the files."""
        return str(self.card["source"]["page"])

    @property
    def command(self) -> str:
        """The line that fetches it, with the hash and the address that were chosen."""
        network, known = self.files[0], entries().get(self.name, self).files[0]
        line = f"fastaudio get {self.name}"
        if network.sha256 != known.sha256 or network.sha256 is None:
            line += f" --sha256 {network.sha256 or 'HASH'}"
        if network.url != known.url:  # which may hold a key
            line += f" --url {shlex.quote(network.url) if shown(network.url) == network.url else 'URL'}"
        return line

    def chosen(self, *, sha256: str | None = None, url: str | None = None) -> Entry:
        """Return the entry with a hash or an address of your own for the network.

        Raises:
            ModelError: the hash isn't 64 hex digits, or the address can't be taken.
        """
        network, *others = self.files
        if url is not None:
            check_address(url)
            network = replace(network, url=url)
        if sha256 is not None:
            if not _SHA256.fullmatch(sha256.lower()):
                raise ModelError(f"get {self.name}: expected sha256 as 64 hex digits, got {sha256!r:.80}")
            if sha256.lower() != network.sha256:
                network = replace(network, sha256=sha256.lower(), n_bytes=None, hash_read="you gave it")
        return replace(self, files=(network, *others))


@cache
def entries() -> dict[str, Entry]:
    """Return all models that can be fetched, by name, whether they are here or not."""
    found = [_read(path) for path in sorted((_FOLDER / "models").glob("*.json"))]
    return {entry.name: entry for entry in found}


def entry(name: str) -> Entry:
    """Return what is known of a model that can be fetched.

    Raises:
        ModelError: there is none of that name.
    """
    known = entries()
    if name not in known:
        names = ", ".join(known)
        guess = did_you_mean(name, list(known))
        if "/" in name or name.endswith(".onnx"):
            guess = "; for another network, fetch it yourself, then: fastaudio import"
        raise ModelError(f"get: expected one of {names}, got {name!r:.80}{guess}")
    return known[name]


def list_named(name: str) -> dict[str, Any]:
    """Return a list of labels that comes with the package, such as "audioset", its source and its licence."""
    data: dict[str, Any] = json.loads((_FOLDER / "labels" / f"{name}.json").read_text(encoding="utf-8"))
    return data


def _read(path: Path) -> Entry:
    card = json.loads(path.read_text(encoding="utf-8"))
    files = tuple(
        Remote(
            path=file["path"],
            url=file["url"],
            n_bytes=file["bytes"],
            about=file.get("about", ""),
            sha256=file["sha256"],
            hash_read=file.get("hash_read", ""),
        )
        for file in card.pop("fetch")
    )
    return Entry(card, files)
