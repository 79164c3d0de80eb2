"""Models that are fetched when you ask for them, and never otherwise.

`entries` reads the cards without weights that lie in `models`, with the lists of labels in `labels`; `home`
is the folder that fetched models lie in; `address` says which addresses are taken; `asking` asks a server,
`answer` gives it up in time, `transfer` fetches one file, `getting` a whole model, and `notice` says whose it
is. Only `get` uses the network.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastaudio._system.lazy import lazily
from fastaudio.registry.entries import Entry, Remote, entries, entry
from fastaudio.registry.home import fetched, home

if TYPE_CHECKING:
    from fastaudio.registry.asking import FetchError
    from fastaudio.registry.getting import get
else:  # most programs never fetch
    __getattr__, __dir__ = lazily(
        "fastaudio.registry",
        {"fastaudio.registry.asking": "FetchError", "fastaudio.registry.getting": "get"},
    )

__all__ = ["Entry", "FetchError", "Remote", "entries", "entry", "fetched", "get", "home"]
