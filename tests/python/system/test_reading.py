"""What others may have put there is read if it is a regular file, and no further than asked."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from fastaudio._system.reading import NoRegularFileError, pieces, read_small


def test_small_files_are_read_whole_and_larger_ones_not_at_all(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"12345")
    assert read_small(tmp_path / "a", 5) == b"12345"
    assert read_small(tmp_path / "a", 4) is None
    assert b"".join(pieces(tmp_path / "a")) == b"12345"


def test_a_sparse_terabyte_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "a").open("wb") as file:
        file.truncate(1 << 40)
    assert read_small(tmp_path / "a", 1 << 20) is None


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes and devices of POSIX")
def test_pipes_and_devices_are_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "dear").write_bytes(b"dear")
    (tmp_path / "link").symlink_to("dear")
    for path in (tmp_path / "pipe", Path("/dev/zero"), tmp_path):
        with pytest.raises(OSError, match=r"regular file|directory"):
            read_small(path, 10)
    assert read_small(tmp_path / "link", 10) == b"dear"
    with pytest.raises(NoRegularFileError):
        read_small(tmp_path / "link", 10, follow=False)
