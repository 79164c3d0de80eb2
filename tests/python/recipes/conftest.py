"""The recipes' folders on the path: modules of a recipe import each other as scripts beside each other do."""

from __future__ import annotations

import sys

from helpers import RECIPES

sys.path[:0] = [str(RECIPES / folder) for folder in ("papers", "train")]
