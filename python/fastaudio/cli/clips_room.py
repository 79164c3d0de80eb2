"""Room for clips in a folder: the oldest are deleted when there would be too many."""

from __future__ import annotations

import re
import stat
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING

from fastaudio._system.text import printable
from fastaudio.cli.terminal import complain

if TYPE_CHECKING:
    from pathlib import Path

_CLIP = re.compile(r"\d{8}_\d{6}_.+\.flac", re.DOTALL)


class ClipsRoom:
    """Counts the bytes of the clips in a folder, also of those that other runs left there.

    Only regular files are counted and deleted, whose names are those of clips: a time, a label, and .flac.
    """

    def __init__(self, folder: Path, most_bytes: int) -> None:
        """Take the folder, which is there, and how many bytes its clips may take."""
        self._folder = folder
        self._most = most_bytes
        self._told = False
        found = []
        for path in folder.iterdir():
            if _CLIP.fullmatch(path.name):
                with suppress(OSError):
                    status = path.lstat()
                    if stat.S_ISREG(status.st_mode):
                        found.append((path.name, status.st_size))
        self._clips = deque(sorted(found))  # their names begin with their times
        self._bytes = sum(size for _, size in found)

    def make(self, n_bytes: int) -> bool:
        """Delete the oldest clips until `n_bytes` more have room; return whether they have."""
        while self._clips and self._bytes + n_bytes > self._most:
            name, size = self._clips.popleft()
            if not self._told:
                self._told = True
                complain(
                    f"--clips: {self._folder}: {self._most // 1_000_000} MB are full: the oldest clips are "
                    f"deleted from now on, first {printable(name)}"
                )
            (self._folder / name).unlink(missing_ok=True)
            self._bytes -= size
        return self._bytes + n_bytes <= self._most

    def took(self, path: Path) -> None:
        """Count a clip that was written."""
        size = path.lstat().st_size
        self._clips.append((path.name, size))
        self._bytes += size
