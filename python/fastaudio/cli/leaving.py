"""The end of the program."""

from __future__ import annotations

import atexit
import gc
import os
import sys
import threading
from typing import NoReturn


def leave(status: int) -> NoReturn:
    """End the process as `sys.exit` does, but leave the memory that it holds to the system.

    Python would take all modules and libraries apart before, which takes 0.02 s.
    """
    if status == 0 and _is_alone() and not _is_watched():
        atexit._run_exitfuncs()  # noqa: SLF001  # as Python does at its end
        gc.collect()  # what is only held by itself may have files to close
        if _flushed():
            os._exit(status)
    sys.exit(status)


def _is_alone() -> bool:
    """Return whether no thread is left that Python would wait for."""
    return all(thread.daemon or thread is threading.main_thread() for thread in threading.enumerate())


def _is_watched() -> bool:
    """Return whether somebody wants to see the end of the interpreter: a debugger, a profiler, python -i."""
    flags = sys.flags.inspect or sys.flags.dev_mode
    return bool(flags) or sys.gettrace() is not None or sys.getprofile() is not None


def _flushed() -> bool:
    """Write what the standard streams still hold; return False if that fails, which Python then tells."""
    try:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
    except (OSError, ValueError):
        return False
    return True
