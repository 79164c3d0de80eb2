"""How Sphinx builds the site: .ci/docs runs it."""
# ruff: noqa: INP001  # Sphinx reads it as a script

from __future__ import annotations

import sys
from pathlib import Path

import fastaudio
from sphinx_gallery.sorting import ExplicitOrder

DOCS = Path(__file__).resolve().parent
sys.path.insert(0, str(DOCS / "extensions"))

project = "fastaudio"
author = "the authors of fastaudio"
project_copyright = f"{author}, BSD-3-Clause"
version = release = fastaudio.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "myst_parser",
    "sphinx_copybutton",
    "sphinx_gallery.gen_gallery",
    # Ours, in the folder extensions:
    "api_pages",
    "command_pages",
    "docstrings",
    "repository_links",
]
exclude_patterns = ["README.md", "gallery", "extensions", "examples/*.ipynb", "sg_execution_times.rst"]
templates_path: list[str] = []
nitpicky = False
default_role = "py:obj"  # single backticks in docstrings: a link where there is such a name

# Markdown, as GitHub reads it.
myst_heading_anchors = 4
myst_enable_extensions = ["attrs_inline"]
# A name such as Events is a node and a result: the link leads to the first.
suppress_warnings = ["config.cache", "ref.python"]

# Docstrings: Google's style, and what nodes say of themselves.
napoleon_numpy_docstring = False
napoleon_use_rtype = False
napoleon_custom_sections = [("Options", "params_style")]
autodoc_default_options = {"member-order": "bysource"}
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
autodoc_typehints_format = "short"
autodoc_mock_imports = ["torch", "onnxscript"]
python_maximum_signature_line_length = 90
add_module_names = False
toc_object_entries = False

sphinx_gallery_conf = {
    "examples_dirs": "gallery",
    "gallery_dirs": "examples",
    "filename_pattern": r"/plot_",
    "subsection_order": ExplicitOrder(
        ["gallery/sound", "gallery/hearing", "gallery/own", "gallery/live", "*"]
    ),
    "within_subsection_order": "FileNameSortKey",
    "abort_on_example_error": True,
    "only_warn_on_example_error": False,
    "download_all_examples": False,
    "remove_config_comments": True,
    "show_memory": False,
    "show_signature": False,
    "min_reported_time": 1e9,
    "write_computation_times": False,
    "copyfile_regex": r".*README\.rst$",
    "reset_modules": ("matplotlib",),
    "capture_repr": (),
    "image_scrapers": ("matplotlib", "figures.scrape"),
    "plot_gallery": "True",
}

html_theme = "pydata_sphinx_theme"
html_title = "fastaudio"
html_static_path = ["static"]
html_favicon = "static/icon.svg"
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
html_sidebars = {"index": [], "how-to": [], "design": []}  # pages without pages below them
html_theme_options = {
    "github_url": "https://github.com/fastaudio-toolkit/fastaudio",
    "navbar_align": "left",
    "header_links_before_dropdown": 7,
    "navigation_with_keys": False,
    "show_toc_level": 2,
    "show_prev_next": False,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
