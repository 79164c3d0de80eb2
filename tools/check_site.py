"""Check the site that .ci/docs built: python tools/check_site.py build/docs.

Every link within it leads to a page, and to a place on that page; nothing is loaded from another host; every
public name of the package has its place. Exit status: 0 if so, else 1, after a line for each that isn't.
"""

from __future__ import annotations

import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import fastaudio

_LOADED = {"script": "src", "img": "src", "iframe": "src", "source": "src", "video": "src", "audio": "src"}
_FOREIGN_CSS = re.compile(r"(?:url\(|@import)\s*['\"]?(?:https?:)?//", re.IGNORECASE)
_PAGES = {"canonical", "author", "search", "index", "next", "prev"}  # links that load nothing
_MOST_SHOWN = 50


class Page(HTMLParser):
    """What a page has and asks for.

    Attributes:
        places: its anchors.
        links: what it links to.
        loads: what a browser fetches to show it.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.places: set[str] = set()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take what matters of an element."""
        values = {name: value or "" for name, value in attrs}
        self.places |= {values[name] for name in ("id", "name") if values.get(name)}
        if tag == "a" and "href" in values:
            self.links.append(values["href"])
        elif tag == "link" and values.get("rel") not in _PAGES:
            self.loads.append(values.get("href", ""))
        elif values.get(_LOADED.get(tag, "")):
            self.loads.append(values[_LOADED[tag]])


def faults(site: Path) -> list[str]:
    """Return a line for each link, load or name that isn't right."""
    pages = {path: Page(path) for path in sorted(site.rglob("*.html")) if "_static" not in path.parts}
    found = []
    for path, page in pages.items():
        name = path.relative_to(site).as_posix()
        found += [f"{name}: loads {load} from another host" for load in page.loads if urlsplit(load).netloc]
        for address in [*page.links, *page.loads]:
            parts = urlsplit(address)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not target.exists():
                found.append(f"{name}: expected a file, got none for {address}")
            elif parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].places:
                found.append(f"{name}: expected a place on its page, got none for {address}")
    found += [
        f"{path.relative_to(site).as_posix()}: loads something from another host"
        for path in sorted(site.rglob("*.css"))
        if _FOREIGN_CSS.search(path.read_text(encoding="utf-8", errors="replace"))
    ]
    places = {place for page in pages.values() for place in page.places}
    names = [f"fastaudio.{name}" for name in fastaudio.__all__ if name != "__version__"]
    absent = [name for name in names if not {name, f"module-{name}"} & places]
    return found + [f"{name}: expected a place in the API, got none" for name in absent]


def main() -> int:
    """Print what isn't right."""
    site = Path(sys.argv[1]).resolve()
    found = faults(site)
    sys.stdout.writelines(f"{line}\n" for line in found[:_MOST_SHOWN])
    if found:
        sys.stdout.write(f"{site.name}: expected no fault, got {len(found)}\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
