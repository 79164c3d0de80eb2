"""Files that grow under their own names follow no link and leave the other names of a file alone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from fastaudio._system.growing import Growing, growing, kept
from fastaudio._system.writing import OutputError

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="links and pipes of POSIX")


def write(path: Path, *, force: bool) -> None:
    with growing(str(path), force=force) as file:
        file.write(b"new")


def test_a_file_grows_under_its_name(tmp_path: Path) -> None:
    with growing(str(tmp_path / "a"), force=False) as file:
        file.write(b"half")
        file.flush()
        assert (tmp_path / "a").read_bytes() == b"half"


def test_what_is_there_needs_force_and_its_other_names_keep_it(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"dear")
    os.link(tmp_path / "a", tmp_path / "other")
    with pytest.raises(
        OutputError, match="a: expected a file that can be written, got: one that came meanwhile"
    ):
        write(tmp_path / "a", force=False)
    write(tmp_path / "a", force=True)
    assert (tmp_path / "a").read_bytes() == b"new"
    assert (tmp_path / "other").read_bytes() == b"dear"


def test_what_is_replaced_stays_until_the_new_one_has_begun(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"dear")
    with pytest.raises(RuntimeError), growing(str(tmp_path / "a"), force=True):
        raise RuntimeError
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a", b"dear")]
    with growing(str(tmp_path / "a"), force=True) as file:
        assert (tmp_path / "a").read_bytes() == b"dear"
        file.write(b"new")
        file.flush()
        assert (tmp_path / "a").read_bytes() == b"new"
    with growing(str(tmp_path / "a"), force=True):
        pass
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a", b"")]


def test_a_full_disk_is_named_and_leaves_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"dear")
    limit = pytest.importorskip("resource")
    before = limit.getrlimit(limit.RLIMIT_FSIZE)
    limit.setrlimit(limit.RLIMIT_FSIZE, (0, before[1]))
    try:
        with pytest.raises(OutputError, match="a: expected room to write, got: File too large"):
            write(tmp_path / "a", force=True)
    finally:
        limit.setrlimit(limit.RLIMIT_FSIZE, before)
    assert (tmp_path / "a").read_bytes() == b"dear"


def test_a_link_is_never_written_through_unasked(tmp_path: Path) -> None:
    (tmp_path / "dear").write_bytes(b"dear")
    (tmp_path / "link").symlink_to("dear")
    (tmp_path / "dangling").symlink_to("not yet there")
    for name in ("link", "dangling"):
        with pytest.raises(OutputError, match="expected a file that can be written"):
            write(tmp_path / name, force=False)
    assert (tmp_path / "dear").read_bytes() == b"dear"
    assert not (tmp_path / "not yet there").exists()
    write(tmp_path / "link", force=True)  # the link stays, as where files are replaced whole
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "dear").read_bytes() == b"new"


def test_a_pipe_or_a_folder_is_no_file_to_replace(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for name in ("pipe", "folder"):
        with pytest.raises(OSError, match="not a file"):
            Growing(str(tmp_path / name), force=True)
    write(Path(os.devnull), force=False)
    assert Path(os.devnull).is_char_device()


def test_what_is_kept_is_no_link_no_pipe_and_has_one_name(tmp_path: Path) -> None:
    (tmp_path / "dear").write_bytes(b"dear")
    (tmp_path / "link").symlink_to("dear")
    os.link(tmp_path / "dear", tmp_path / "hard")
    os.mkfifo(tmp_path / "pipe")
    for name in ("link", "hard", "pipe"):
        with pytest.raises(OutputError, match=rf"{name}: expected"), kept(str(tmp_path / name), "a.part"):
            pass
    assert (tmp_path / "dear").read_bytes() == b"dear"


def test_what_is_kept_belongs_to_one_run_at_a_time(tmp_path: Path) -> None:
    path = str(tmp_path / "a.part")
    with (
        kept(path, "a.part"),
        pytest.raises(OutputError, match="expected no other run"),
        kept(path, "a.part"),
    ):
        pass
