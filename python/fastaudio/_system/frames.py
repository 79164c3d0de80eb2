"""Data frames of pandas, which is imported when the first is made."""

from __future__ import annotations

from typing import Any

from fastaudio._system.extras import require

_ABOUT = ("path", "model", "duration_s", "truncated")


def pandas_for(what: str) -> Any:
    """Return pandas; MissingExtra, which names `what` needs it, if it isn't installed."""
    return require("pandas", extra="pandas", what=what)


def told_about(frame: Any, result: object) -> Any:
    """Return the frame with what is known of the whole result in its `attrs`."""
    frame.attrs.update({name: getattr(result, name) for name in _ABOUT})
    return frame
