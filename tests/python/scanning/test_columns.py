"""Columns of manifests may come later: old rows lack them, and nothing that reads a scan minds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile
from fastaudio.reviewing.training import Found, _of_column
from fastaudio.scanning.networks import Chosen
from fastaudio.scanning.scan import scan
from fastaudio.scanning.shards import columns_of, tables, with_columns
from fastaudio.summarizing.hours import summarize

if TYPE_CHECKING:
    from pathlib import Path

parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow isn't installed")

MODEL = "silero-vad"
RATE_HZ = 16_000


def listed(folder: Path, header: str, row: str) -> Path:
    """Write a manifest and its file."""
    folder.mkdir()
    soundfile.write(folder / row.partition(",")[0], np.zeros(RATE_HZ), RATE_HZ)
    path = folder / "list.csv"
    path.write_text(f"{header}\n{row}\n", encoding="utf-8")
    return path


@pytest.fixture
def grown(tmp_path: Path) -> Path:
    """A scan whose list had no column, then two, then another one, then fewer."""
    lists = [
        listed(tmp_path / "1", "path", "a.wav"),
        listed(tmp_path / "2", "path,label,recorded", "b.wav,cat,2024-05-02"),
        listed(tmp_path / "3", "path,site", "c.wav,south"),
    ]
    for n in (1, 2, 3):
        assert scan(lists[:n], tmp_path / "out", chosen=Chosen(MODEL)).n_done == 1
    assert scan(lists[:1], tmp_path / "out", chosen=Chosen(MODEL)).n_done == 0
    return tmp_path / "out"


def test_old_rows_lack_them_and_new_ones_have_all(grown: Path) -> None:
    assert columns_of(grown) == ["label", "recorded", "site"]
    names = ["label", "recorded", "site"]
    rows = [with_columns(parquet.read_table(path), names).to_pylist()[0] for path in tables(grown)]
    assert [list(row.values()) for row in rows] == [
        [None, None, None],
        ["cat", "2024-05-02", None],
        [None, None, "south"],
    ]
    assert parquet.ParquetFile(tables(grown)[-1]).schema_arrow.names[-3:] == names


def test_hours_and_labels_are_read_from_the_tables_that_have_them(grown: Path) -> None:
    assert "2024-05-02" in summarize(grown).days
    found = Found("a column")
    _of_column(found, grown, "label")
    assert found.labels == [["cat"]]
