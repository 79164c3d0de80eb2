"""A run gives tables to a folder only until another has begun there."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from fastaudio.scanning.fence import Followed, begin, held

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


def test_workers_that_name_one_run_share_its_mark_until_it_is_followed(tmp_path: Path) -> None:
    first = begin(tmp_path, "job 1")
    assert begin(tmp_path, "job 1") == first
    begin(tmp_path, "job 2")
    assert begin(tmp_path, "job 1") != first


def test_no_run_begins_while_a_table_gets_its_name(tmp_path: Path) -> None:
    mark = begin(tmp_path)
    begun: list[str] = []
    other = threading.Thread(target=lambda: begun.append(begin(tmp_path)))
    with held(tmp_path, mark):
        other.start()
        other.join(0.2)
        assert not begun
    other.join(30)
    assert begun


def test_a_folder_without_a_run_is_no_ones(tmp_path: Path) -> None:
    with pytest.raises(Followed), held(tmp_path, "scan 1"):
        pass
