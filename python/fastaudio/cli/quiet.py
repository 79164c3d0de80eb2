"""Hiding what PortAudio and ALSA themselves write to the terminal."""

from __future__ import annotations

import logging
import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from fastaudio.cli.terminal import flush_stderr

if TYPE_CHECKING:
    from collections.abc import Iterator

_STDERR = 2


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """Drop what C libraries write to stderr: they log each device that they try, or that is unplugged.

    Python's own stderr still reaches the terminal, and everything is put back at the end.
    """
    try:
        kept = os.dup(_STDERR)
    except OSError:  # it is closed, so nothing is seen anyway
        yield
        return
    before = sys.stderr
    ours = before is sys.__stderr__ and before is not None
    flush_stderr()
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, _STDERR)
    os.close(null)
    if ours:
        sys.stderr = os.fdopen(kept, "w", 1, before.encoding, before.errors, closefd=False)
        _redirect_log(before, sys.stderr)
    try:
        yield
    finally:
        if ours:
            flush_stderr()
            _redirect_log(sys.stderr, before)
            sys.stderr = before
        os.dup2(kept, _STDERR)
        os.close(kept)


def _redirect_log(old: object, new: object) -> None:
    for handler in logging.getLogger().handlers:
        if isinstance(handler, logging.StreamHandler) and handler.stream is old:
            handler.setStream(new)
