"""Models that are fetched when you ask for them, and never otherwise.

`entries` reads the cards without weights that lie in `models`, with the lists of labels in `labels`; `home`
is the folder that fetched models lie in; `address` says which addresses are taken; `asking` asks a server,
`answer` gives it up in time, `transfer` fetches one file, `getting` a whole model, and `notice` says whose it
is. Only `get` uses the network.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastaudio.registry.entries import Entry, Remote, entries, entry
from fastaudio.registry.home import fetched, home

if TYPE_CHECKING:
    from fastaudio.registry.asking import FetchError
    from fastaudio.registry.getting import get

__all__ = ["Entry", "FetchError", "Remote", "entries", "entry", "fetched", "get", "home"]


def __getattr__(name: str) -> Any:
    if name in ("get", "FetchError"):  # most programs never fetch
        from fastaudio.registry import getting  # noqa: PLC0415

        return getattr(getting, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
