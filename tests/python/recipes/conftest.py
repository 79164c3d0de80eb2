"""Puts the recipes' folders on the path: their modules import each other like scripts in a folder."""

from __future__ import annotations

import sys

from helpers import RECIPES

sys.path[:0] = [str(RECIPES / folder) for folder in ("papers", "shipped", "train", "instruments")]
