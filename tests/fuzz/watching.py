"""What a child must leave alone, and how much memory it takes; by Linux' own counts."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

_OPENED = 0x20 | 0x1  # IN_OPEN | IN_ACCESS
_STATUS = Path("/proc/self/status")
_LIBC = ctypes.CDLL(None, use_errno=True)


class Watch:
    """Notices who opens a file in a folder, in native code too, and who makes one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._fd = -1

    def __enter__(self) -> Watch:
        self._fd = _LIBC.inotify_init1(os.O_NONBLOCK)
        if self._fd < 0 or _LIBC.inotify_add_watch(self._fd, bytes(self._folder), _OPENED) < 0:
            raise OSError(ctypes.get_errno(), "inotify")
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._fd)

    def opened(self) -> str:
        """Return the names of files that were opened since the last call."""
        names = set()
        try:
            events = os.read(self._fd, 1 << 16)
        except BlockingIOError:
            return ""
        while events:
            length = int.from_bytes(events[12:16], "little")
            names.add(events[16 : 16 + length].rstrip(b"\0").decode())
            events = events[16 + length :]
        return ", ".join(sorted(names - {""}))

    def listed(self) -> frozenset[str]:
        """Return what lies beside the child's folder, and in the folder that is watched."""
        beside = {f"../{path.name}" for path in self._folder.parent.iterdir()} - {"../input", "../found"}
        return frozenset(beside | {path.name for path in self._folder.iterdir()})


def _status_mb(key: str) -> float:
    for line in _STATUS.read_text().splitlines():
        if line.startswith(f"{key}:"):
            return int(line.split()[1]) / 1000
    return 0.0


def reset_peak() -> float:
    """Begin to measure memory; return the megabytes held now."""
    Path("/proc/self/clear_refs").write_text("5")
    return _status_mb("VmRSS")


def peak_mb() -> float:
    """Return the most megabytes held since `reset_peak`."""
    return _status_mb("VmHWM")
