"""Pictures of examples that matplotlib's pyplot doesn't know, such as those of plot.recording."""
# ruff: noqa: INP001  # conf.py names it

from __future__ import annotations

from typing import Any

from matplotlib.figure import Figure
from sphinx_gallery.scrapers import figure_rst


def scrape(_block: Any, block_vars: dict[str, Any], gallery_conf: dict[str, Any]) -> str:
    """Save the figures among an example's variables that no block had before, and return their text."""
    names = block_vars["example_globals"]
    seen = names.setdefault("__figures_seen__", [])
    paths = []
    for value in list(names.values()):
        if isinstance(value, Figure) and not hasattr(value, "number") and value not in seen:
            seen.append(value)
            paths.append(next(block_vars["image_path_iterator"]))
            value.savefig(paths[-1])
    return figure_rst(paths, gallery_conf["src_dir"]) if paths else ""
