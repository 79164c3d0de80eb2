"""Names that a card may give its files, where these are written: harmless on every system, and all different.

Cards are untrusted: nothing but networks and their weights is written under a name from a card, and only
inside a folder.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from fastaudio._core import ModelError

if TYPE_CHECKING:
    from collections.abc import Iterable

CARD, LICENCE = "card.json", "LICENSE"

_SUFFIX = ".onnx"
_WEIGHTS = (".data", ".onnx_data", ".bin", ".weights")
_LONGEST = 200  # bytes of UTF-8; file systems take 255, and names for the time of writing must fit
_MADE = 80
_DEEPEST = 8
# ~ because NTFS knows files by short names such as GIT~1 too.
_BARRED = re.compile(r'[\\/:*?"<>|~]')
_DEVICE = re.compile(
    r"(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9\u00b9\u00b2\u00b3])", re.IGNORECASE
)


def check_names(subject: object, names: Iterable[str], weights: Iterable[str] = ()) -> None:
    """Raise a ModelError unless these are networks' names that can all be written into one folder.

    They end in .onnx, those of files with `weights` in .data, .onnx_data, .bin or .weights, and may lie in
    folders, which / separates. No two may be one file, and none a folder of another, for any system: case
    and forms of Unicode don't tell names apart.
    """
    taken = {_folded(name): name for name in (CARD, LICENCE)}
    ends = [(name, (_SUFFIX,)) for name in names] + [(name, _WEIGHTS) for name in weights]
    for name, suffixes in ends:
        parts = name.split("/")
        if len(parts) > _DEEPEST or not name.endswith(suffixes) or not all(map(_is_harmless, parts)):
            raise ModelError(
                f"{subject}: expected a file's name inside a folder, got {name!r:.80}; give it one "
                f"that ends in {' or '.join(suffixes)} and that every system takes"
            )
        if (other := taken.setdefault(_folded(name), name)) != name:
            raise ModelError(
                f"{subject}: expected names that differ on every system, got {other!r:.80} and {name!r:.80}; "
                "rename one"
            )
    for name in list(taken.values()):
        for at in (at for at, sign in enumerate(name) if sign == "/"):
            if _folded(name[:at]) in taken:
                raise ModelError(
                    f"{subject}: expected a file or a folder of one name, got both for {name[:at]!r:.80}; "
                    "rename one"
                )


def harmless(name: str) -> str:
    """Return a network's name as it is, or one made of it that `check_names` takes."""
    if name.endswith(_SUFFIX) and _is_harmless(name):
        return name
    stem = re.sub(r"[^A-Za-z0-9_-]+", "_", name.removesuffix(_SUFFIX))[:_MADE]
    return f"{'_' if _DEVICE.fullmatch(stem) else ''}{stem or 'network'}{_SUFFIX}"


def _is_harmless(part: str) -> bool:
    """Tell whether a part of a path means a file or folder of that name, everywhere, and isn't hidden."""
    return (
        part.isprintable()  # no control characters, no invisible ones, no halves of surrogates
        and not _BARRED.search(part)
        and not part.startswith((".", " "))
        and not part.endswith((".", " "))
        and 0 < len(part.encode("utf-8")) <= _LONGEST
        and not _DEVICE.fullmatch(part.partition(".")[0].rstrip(" "))
    )


def _folded(name: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
