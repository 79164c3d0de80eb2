"""What pages on GitHub and pages of the site have to differ in: links out of docs/, and the list of pages."""
# ruff: noqa: INP001  # Sphinx imports it by its name

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sphinx.util import logging

if TYPE_CHECKING:
    from sphinx.application import Sphinx

ROOT = Path(__file__).resolve().parents[2]
GITHUB = "https://github.com/fastaudio-toolkit/fastaudio/blob/main/"
_LINK = re.compile(r"(?<=\]\()([^)\s:#]+)(#[^)\s]*)?(?=\))")
_log = logging.getLogger(__name__)


def outward(app: Sphinx, docname: str, content: list[str]) -> None:
    """Replace each link that leaves the folder of pages by the file's address, if there is such a file."""
    page, gallery = Path(app.env.doc2path(docname)), Path(app.srcdir) / "gallery"
    if page.suffix != ".md":
        return

    def address(match: re.Match[str]) -> str:
        target = (page.parent / match[1]).resolve()
        if target.is_relative_to(gallery) and target.exists():
            built = (Path("/examples") / target.relative_to(gallery)).with_suffix(".rst")
            return str(built.with_name("index.rst") if target.name == "README.rst" else built)
        if target.is_relative_to(app.srcdir) and target.name != "README.md":
            return match[0]
        if target == Path(app.srcdir) / "README.md":
            return "/guides.rst"
        if not (target.exists() and target.is_relative_to(ROOT)):
            _log.warning("no such file: %s", match[1], location=docname)
        return GITHUB + target.relative_to(ROOT).as_posix() + (match[2] or "")

    content[0] = _LINK.sub(address, content[0])


def listed(app: Sphinx, docname: str, content: list[str]) -> None:
    """Add a list of the pages that no list has yet to the guides."""
    if docname != "guides":
        return
    folder = Path(app.srcdir)
    lists = "\n".join((folder / name).read_text(encoding="utf-8") for name in ("index.rst", "start.rst"))
    known = {line.strip() for line in (lists + "\n" + content[0]).splitlines()} | {"README"}
    new = [page.stem for page in sorted(folder.glob("*.md")) if page.stem not in known]
    if new:
        content[0] += "\n.. toctree::\n   :caption: More\n   :hidden:\n\n" + "".join(
            f"   {page}\n" for page in new
        )


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.connect("source-read", outward)
    app.connect("source-read", listed)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
