"""Whether a call lets other threads of Python run."""

from __future__ import annotations

import sys
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

LIMIT_S = 60.0
TICKS = 3  # a lock that is given up for a moment only lets another thread run once


def others_run(call: Callable[[], object]) -> bool:
    """Return whether another thread of Python ran on while a call went on.

    Python doesn't switch threads by itself meanwhile, so another one runs only while the call has given up
    the interpreter's lock. A busy machine may run it late, and a fast one end the call early: it is called
    again until the other has run, or a minute is over.
    """
    ticks, done = 0, threading.Event()

    def tick() -> None:
        nonlocal ticks
        while not done.is_set():
            ticks += 1
            time.sleep(1e-4)

    thread = threading.Thread(target=tick)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1000)
    try:
        thread.start()
        until_s = time.monotonic() + LIMIT_S
        while time.monotonic() < until_s:
            before = ticks
            call()
            if ticks - before >= TICKS:
                return True
    finally:
        sys.setswitchinterval(interval)
        done.set()
        thread.join()
    return False
