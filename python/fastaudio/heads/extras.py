"""Optional packages, which only training or drawing needs; they are imported where they are used."""

from __future__ import annotations

from fastaudio._system.extras import MissingExtra, require

__all__ = ["MissingExtra", "require"]
