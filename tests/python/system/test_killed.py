"""Whatever ends a run that writes, and whatever others do meanwhile: the old file whole, or the new one."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from fastaudio._system.folder import making
from fastaudio._system.writing import Output, OutputError, writing, writing_all

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="kill, links and folders of POSIX")

_N_BYTES = 300_000
_WRITES = """
import itertools, sys
from pathlib import Path
from fastaudio._system.writing import Output, writing, writing_all

folder = Path(sys.argv[1])
for i in itertools.count():
    content = bytes([i % 251]) * 300_000
    with writing(folder / "alone", force=True) as file:
        file.write(content)
    with writing_all([Output(folder / name, force=True) for name in ("first", "last")]) as files:
        for file in files:
            file.write(content)
    if i == 0:  # from now on, both files of a pair are this process's
        print("ready", flush=True)
"""


def test_a_process_that_is_killed_leaves_whole_files(tmp_path: Path) -> None:
    dice = random.Random(3)  # noqa: S311
    for _ in range(6):
        command = [sys.executable, "-c", _WRITES, str(tmp_path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            time.sleep(dice.uniform(0.0, 0.15))
            process.kill()
        held = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
        for name, content in held.items():
            if not name.startswith(".fastaudio-"):  # such a one has no name yet, and is nobody's result
                assert len(content) == _N_BYTES
                assert len(set(content)) == 1
        assert {"alone", "first", "last"} <= held.keys()
        assert (held["first"][0] - held["last"][0]) % 251 <= 1  # the first gets its name first


def test_of_many_runs_at_once_exactly_one_gets_a_free_name(tmp_path: Path) -> None:
    told: list[object] = []
    together = threading.Barrier(8)

    def run(number: int) -> None:
        together.wait()
        try:
            with writing(tmp_path / "a", force=False) as file:
                file.write(bytes([number]) * _N_BYTES)
            told.append(number)
        except OutputError as error:
            told.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (winner,) = [one for one in told if isinstance(one, int)]
    assert (tmp_path / "a").read_bytes() == bytes([winner]) * _N_BYTES
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


@pytest.mark.parametrize("force", [False, True])
def test_a_folder_that_disappears_is_said(tmp_path: Path, force: bool) -> None:
    (tmp_path / "gone").mkdir()
    with (  # noqa: PT012
        pytest.raises(OutputError, match="gone/a: expected"),
        writing(tmp_path / "gone/a", force=force) as file,
    ):
        file.write(b"new")
        shutil.rmtree(tmp_path / "gone")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("force", [False, True])
def test_a_folder_that_a_link_takes_the_place_of_gets_the_file_all_the_same(
    tmp_path: Path, force: bool
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "a").write_bytes(b"dear")
    with writing(tmp_path / "mine" / "a", force=force) as file:
        file.write(b"new")
        (tmp_path / "mine").rename(tmp_path / "moved")
        (tmp_path / "mine").symlink_to("theirs")
    assert (tmp_path / "theirs" / "a").read_bytes() == b"dear"
    assert (tmp_path / "moved" / "a").read_bytes() == b"new"


def test_a_link_that_takes_the_files_place_is_replaced_itself(tmp_path: Path) -> None:
    (tmp_path / "theirs").write_bytes(b"dear")
    (tmp_path / "a").write_bytes(b"old")
    with writing(tmp_path / "a", force=True) as file:
        file.write(b"new")
        (tmp_path / "a").unlink()
        (tmp_path / "a").symlink_to("theirs")
    assert (tmp_path / "theirs").read_bytes() == b"dear"
    assert (tmp_path / "a").read_bytes() == b"new"
    with (  # noqa: PT012
        pytest.raises(OutputError, match="got one that came meanwhile"),
        writing(tmp_path / "b", force=False) as file,
    ):
        file.write(b"new")
        (tmp_path / "b").symlink_to("theirs")
    assert (tmp_path / "theirs").read_bytes() == b"dear"


def test_a_link_among_the_folders_below_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "theirs").mkdir()
    (tmp_path / "home" / "b").symlink_to(tmp_path / "theirs")
    home = tmp_path / "home"
    outputs = [Output(home / name, force=True, follow=False, below=home) for name in ("a/x", "b/x")]
    with (
        pytest.raises(OutputError, match="home/b/x: expected a folder that can be written into"),
        writing_all(outputs),
    ):
        pass
    assert not list((tmp_path / "theirs").iterdir())
    assert [path.name for path in home.iterdir()] == ["b"]


def test_folders_that_were_made_go_again_after_an_error(tmp_path: Path) -> None:
    with suppress(ZeroDivisionError), making(tmp_path / "a" / "b"):
        (tmp_path / "a" / "mine").write_bytes(b"stays")
        raise ZeroDivisionError
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["mine"]


def test_files_and_their_folder_are_on_the_disk_before_it_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced = []
    monkeypatch.setattr(os, "fsync", lambda number: synced.append(os.fstat(number).st_ino))
    with writing(tmp_path / "a", force=False) as file:
        file.write(b"new")
    assert synced == [(tmp_path / "a").stat().st_ino, tmp_path.stat().st_ino]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root mounts file systems")
def test_a_disk_that_is_full_keeps_what_it_holds(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(disk)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("no tmpfs here")
    try:
        with writing(disk / "a", force=False) as file:
            file.write(b"dear")
        with (
            pytest.raises(OutputError, match="disk/a: expected room to write"),
            writing(disk / "a", force=True) as file,
        ):
            file.write(bytes(1 << 20))
        with (  # noqa: PT012
            pytest.raises(OutputError, match="expected room to write"),
            writing_all([Output(disk / name, force=True) for name in "ba"]) as files,
        ):
            for file in files:
                file.write(bytes(40_000))
        assert {path.name: path.read_bytes() for path in disk.iterdir()} == {"a": b"dear"}
    finally:
        subprocess.run(["umount", str(disk)], check=True)
