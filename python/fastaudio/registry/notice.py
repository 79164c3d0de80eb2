"""What must go with fetched weights: whose they are, their licence, and where they came from."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from fastaudio.registry.address import shown
from fastaudio.registry.entries import list_named

if TYPE_CHECKING:
    from fastaudio.registry.entries import Entry

NOTICE = "LICENSE"


def notice(chosen: Entry) -> bytes:
    """Return the text of a fetched model's LICENSE, which `Pipeline.save` and `pack` take along."""
    card = chosen.card
    licence = card.get("licence", "not stated")
    told = {
        "by": ", ".join(card.get("authors", ())),
        "licence": f"{licence}, as the page says; its text is at https://spdx.org/licenses/{licence}.html",
        "cite": card.get("citation", ""),
        "page": chosen.page,
        "files": "; ".join(
            f"{file.path}, sha256 {file.sha256}, from {shown(file.url)}" for file in chosen.files
        ),
    }
    lines = [f"{chosen.name}: its weights were fetched and not changed. This goes with them.", ""]
    for key, text in told.items():
        if text:
            lines += _wrapped(f"{key:<9}{text}", " " * 9)
    how = card.get("labels", {})
    if "list" in how:
        names = list_named(how["list"])
        n_left = len(how.get("without", ()))
        change = f"; {n_left} of them are left out" if n_left else ""
        about = f"The names of the sounds are those of {names['source']}, under {names['licence']}{change}."
        lines += ["", *_wrapped(about, "")]
    return ("\n".join(lines) + "\n").encode("utf-8")


def _wrapped(text: str, indent: str) -> list[str]:
    return textwrap.wrap(text, 100, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
