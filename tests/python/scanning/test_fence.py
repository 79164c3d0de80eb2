"""A run gives tables to a folder only until another has begun there."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from fastaudio._system.writing import OutputError
from fastaudio.scanning import shards
from fastaudio.scanning.fence import Followed, begin, held
from fastaudio.scanning.shards import shared_folder

if TYPE_CHECKING:
    from pathlib import Path


def test_a_mark_holds_until_another_run_begins(tmp_path: Path) -> None:
    old = begin(tmp_path)
    with held(tmp_path, old):
        pass
    new = begin(tmp_path)
    assert new != old
    with pytest.raises(Followed, match="another run has begun"), held(tmp_path, old):
        pass
    with held(tmp_path, new), held(tmp_path, new):  # two of one run at once
        pass


def test_workers_of_one_run_share_its_mark_and_another_run_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shards, "_OTHERS_S", 0.1)
    left = tmp_path / ".fastaudio-0123456789abcdef"
    left.touch()  # by a killed worker
    with shared_folder(tmp_path, "job 1") as first:
        assert not left.exists()
        left.touch()
        with shared_folder(tmp_path, "job 1") as second:
            assert (second, left.exists()) == (first, True)  # a worker may write it just now
        with pytest.raises(OutputError, match="wait for it"), shared_folder(tmp_path, "job 2"):
            pass
        with held(tmp_path, first):  # the first still may give names
            pass
    with shared_folder(tmp_path, "job 1") as again:
        assert again == first
    with shared_folder(tmp_path, "job 2") as other:
        assert other != first


def test_a_run_that_ends_is_waited_for(tmp_path: Path) -> None:
    entered, leave = threading.Event(), threading.Event()

    def work() -> None:
        with shared_folder(tmp_path, "job 1"):
            entered.set()
            leave.wait(60)

    first = threading.Thread(target=work)
    first.start()
    assert entered.wait(60)
    threading.Timer(0.3, leave.set).start()
    with shared_folder(tmp_path, "job 2") as mark:
        assert mark.startswith("job 2 ")
    first.join(60)


def test_no_run_begins_while_a_table_gets_its_name(tmp_path: Path) -> None:
    mark = begin(tmp_path)
    begun: list[str] = []
    other = threading.Thread(target=lambda: begun.append(begin(tmp_path)))
    with held(tmp_path, mark):
        other.start()
        other.join(0.2)
        assert not begun
    other.join(60)
    assert begun


def test_a_folder_without_a_run_is_no_ones(tmp_path: Path) -> None:
    with pytest.raises(Followed), held(tmp_path, "scan 1"):
        pass
