"""An open folder: what is done in it is done there, even if its path comes to lead elsewhere meanwhile.

Where the system can't hold a folder open (Windows), its path is used each time.
"""

from __future__ import annotations

import os
import stat
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import Self

_HELD = {os.open, os.stat, os.mkdir, os.unlink, os.rmdir, os.rename, os.link} <= os.supports_dir_fd
_AS_FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_CLOEXEC", 0)
_UNREAD = getattr(os, "O_PATH", 0)
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | _NO_LINK
_NEW |= getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


class Folder:
    """A folder whose path holds no link; its files are called by their names alone.

    All methods raise OSError as the functions of `os` do.
    """

    def __init__(self, path: Path, above: Folder | None = None) -> None:
        """Open a folder by its path, or one that lies in another open one; its own name is no link."""
        self.path = path
        self._descriptor: int | None = None
        if _HELD:
            name, where = (path, None) if above is None else (path.name, above._descriptor)  # noqa: SLF001
            try:
                self._descriptor = os.open(name, _AS_FOLDER | _NO_LINK, dir_fd=where)
            except PermissionError:  # one that can be written into, but not listed
                if not _UNREAD:
                    raise
                self._descriptor = os.open(name, _AS_FOLDER | _NO_LINK | _UNREAD, dir_fd=where)
        elif not stat.S_ISDIR(os.lstat(path).st_mode):
            raise NotADirectoryError(f"not a folder: {path}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)

    def create(self, name: str) -> int:
        """Create a file that wasn't there, and return its number."""
        return os.open(self._at(name), _NEW, 0o666, **self._here("dir_fd"))

    def status(self, name: str) -> os.stat_result | None:
        """Return what a name stands for, a link for itself; None if it is free."""
        try:
            return os.stat(self._at(name), follow_symlinks=False, **self._here("dir_fd"))  # noqa: PTH116
        except FileNotFoundError:
            return None

    def link(self, name: str, other: str) -> None:
        """Give a file another name, which must be free."""
        how = self._here("src_dir_fd", "dst_dir_fd")
        if os.link in os.supports_follow_symlinks:
            how["follow_symlinks"] = False
        os.link(self._at(name), self._at(other), **how)

    def replace(self, name: str, other: str) -> None:
        """Give a file another name; what had it is gone."""
        where = self._here("src_dir_fd", "dst_dir_fd")
        os.replace(self._at(name), self._at(other), **where)  # noqa: PTH105

    def remove(self, name: str) -> None:
        """Remove a file, if it is still there."""
        with suppress(FileNotFoundError):
            os.unlink(self._at(name), **self._here("dir_fd"))

    def make(self, name: str) -> bool:
        """Make a folder in this one; return False if there is one."""
        try:
            os.mkdir(self._at(name), **self._here("dir_fd"))  # noqa: PTH102
        except FileExistsError:
            return False
        return True

    def remove_folder(self, name: str) -> None:
        """Remove a folder in this one, if it is empty."""
        with suppress(OSError):
            os.rmdir(self._at(name), **self._here("dir_fd"))

    def sync(self) -> None:
        """Have the names of its files on the disk, so that they outlast a loss of power."""
        if self._descriptor is not None:
            with suppress(OSError):  # not every file system can; the files themselves are there
                os.fsync(self._descriptor)

    def _at(self, name: str) -> str:
        return name if self._descriptor is not None else str(self.path / name)

    def _here(self, *arguments: str) -> dict[str, Any]:
        return {} if self._descriptor is None else dict.fromkeys(arguments, self._descriptor)


@contextmanager
def making(path: Path) -> Iterator[None]:
    """Make a folder and those above it; after an error, what was made and is empty goes again."""
    missing = []
    while not os.path.lexists(path):
        missing.append(path)
        path = path.parent
    made: list[Path] = []
    try:
        for folder in reversed(missing):
            with suppress(FileExistsError):  # another run was first
                folder.mkdir()
                made.append(folder)
        yield
    except BaseException:
        for folder in reversed(made):
            with suppress(OSError):
                folder.rmdir()
        raise
