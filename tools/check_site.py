"""Check the site that .ci/docs built: python tools/check_site.py build/docs.

Every link within it leads to a page, and to a place on that page; no element, style or script names a file
of another host to load; every public name of the package has its place. Links to other sites and addresses
that a script puts together are not looked at. Exit status: 0 if so, else 1, after a line for each fault.
"""

from __future__ import annotations

import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import fastaudio

_LOADED = {"src", "poster", "data", "background"}  # attributes whose file is loaded with the page
_LISTS = {"srcset", "imagesrcset"}  # attributes with several, each followed by its width or density
_DRAWN = {"use", "image", "feimage"}  # elements of SVG that load what they link to
_CSS = re.compile(r"(?:\burl\(|@import\s+(?!url\())\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s'\")]+))", re.IGNORECASE)
_JS = re.compile(
    r"(?:\bimport\s*\(|\bimport\b|\bfrom\b|\bimportScripts\s*\(|\bfetch\s*\(|\b(?:Worker|EventSource|WebSocket)\s*\()"
    r"\s*[\"'`]((?:[a-z]+:)?//[^\"'`]*|\.{0,2}/[^\"'`$]*)[\"'`]"
)
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
        self._inside = ""
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take what matters of an element."""
        values = {name: value or "" for name, value in attrs}
        self.places |= {values[name] for name in ("id", "name") if values.get(name)}
        if tag == "a" and "href" in values:
            self.links.append(values["href"])
        elif tag == "link" and values.get("rel") not in _PAGES:
            self.loads.append(values.get("href", ""))
        self.loads += [values[name] for name in sorted(_LOADED & values.keys()) if values[name]]
        for name in sorted(_LISTS & values.keys()):
            self.loads += [part.split()[0] for part in re.split(r",\s+", values[name]) if part.strip()]
        if tag in _DRAWN:
            self.loads += [values[name] for name in ("href", "xlink:href") if values.get(name)]
        self.loads += in_css(values.get("style", ""))
        self._inside = tag

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002  # HTMLParser's own name
        """Leave a script or a style."""
        self._inside = ""

    def handle_data(self, data: str) -> None:
        """Take what a script or a style within the page loads."""
        if self._inside == "script":
            self.loads += in_js(data)
        elif self._inside == "style":
            self.loads += in_css(data)


def in_css(text: str) -> list[str]:
    """Return what a style sheet loads."""
    return ["".join(found) for found in _CSS.findall(text) if "".join(found)]


def in_js(text: str) -> list[str]:
    """Return the addresses that a script loads, where they are written out."""
    return _JS.findall(text)


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
    for ending, loads in (("css", in_css), ("js", in_js)):
        for path in sorted(site.rglob(f"*.{ending}")):
            name = path.relative_to(site).as_posix()
            text = path.read_text(encoding="utf-8", errors="replace")
            found += [
                f"{name}: loads {load} from another host" for load in loads(text) if urlsplit(load).netloc
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
