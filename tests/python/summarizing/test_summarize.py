"""Hours of a scan add up: per label without counting overlaps twice, per day across midnight, per folder."""

from __future__ import annotations

import csv
import io
import json
import os
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soundfile
from cli_helpers import run
from fastaudio.scanning.entries import Entry
from fastaudio.scanning.networks import Chosen
from fastaudio.scanning.rows import FileRows, failed
from fastaudio.scanning.scan import scan
from fastaudio.scanning.schema import SCHEMA
from fastaudio.scanning.shards import Shards
from fastaudio.searching.store import SearchError
from fastaudio.summarizing.days import CHANGE, NAME, began
from fastaudio.summarizing.hours import summarize

if TYPE_CHECKING:
    from pathlib import Path

pytest.importorskip("pyarrow", reason="pyarrow isn't installed")

NS = 1_700_000_000_000_000_000  # 2023-11-14 in any time zone but the last
LABELS = ["dog", "owl"]


def written(folder: Path, files: list[FileRows], columns: tuple[str, ...] = ()) -> Path:
    """Write a scan of scores as if a model had given them."""
    folder.mkdir()
    card = json.dumps({"thresholds": {"dog": 0.25}})
    about = {"schema": SCHEMA, "model": "", "card": card, "card_sha256": "", "layer": None, "labels": LABELS}
    about |= {"width": 2, "hop_s": None, "windows": True, "half": False, "channel": None}
    Shards(folder, about | {"columns": list(columns)}).write([files])
    return folder


def heard(
    entry: Entry, rows: list[tuple[float, float, float, float]], silent: tuple[int, ...] = ()
) -> FileRows:
    """Return rows of start, end, and the scores of dog and owl."""
    table = np.array(rows, np.float64).reshape(-1, 4)
    quiet = np.isin(np.arange(len(rows)), silent)
    return FileRows(entry, table[:, :2], table[:, 2:].astype(np.float32), quiet, float(table[:, 1].max()))


def test_overlapping_windows_count_once_and_silent_ones_for_no_label(tmp_path: Path) -> None:
    rows = [(0, 2, 0.3, 0), (1, 3, 0.25, 0.5), (2, 4, 0.2, 0.6), (5, 7, 0.9, 0.9), (6, 8, 0.9, 0.4)]
    folder = written(tmp_path / "out", [heard(Entry("a/x.wav"), rows, silent=(3,))])
    found = summarize(folder)
    assert dict(found.whole.label_s) == pytest.approx({"dog": 3 + 2, "owl": 3})
    assert (found.whole.n_files, found.whole.sound_s) == (1, 8)
    assert found.thresholds == {"dog": 0.25, "owl": 0.5}
    assert dict(summarize(folder, min_score=0.9).whole.label_s) == {"dog": pytest.approx(2)}


def test_a_recording_across_midnight_is_shared_among_its_days(tmp_path: Path) -> None:
    rows = [(600.0 * i, 600.0 * (i + 1), 1.0, float(i == 3)) for i in range(6)]
    night = heard(Entry("site/AM_20240513_233000.WAV"), rows)
    found = summarize(written(tmp_path / "out", [night]))
    assert {day: group.sound_s for day, group in found.days.items()} == {
        "2024-05-13": 1800,
        "2024-05-14": 1800,
    }
    assert {day: dict(group.label_s) for day, group in found.days.items()} == {
        "2024-05-13": {"dog": 1800},
        "2024-05-14": {"dog": 1800, "owl": 600},
    }
    assert found.days_from == {NAME: 1}


def test_days_come_from_a_column_or_a_name_or_the_time_of_change(tmp_path: Path) -> None:
    one = [(0.0, 60.0, 1.0, 0.0)]
    files = [
        heard(Entry("a.wav", 1, str(NS), {"recorded": "2024-01-02T23:59:30"}), one),
        heard(Entry("2024-02-03.wav", 1, str(NS), {"recorded": "  "}), one),
        heard(Entry("b.wav", 1, str(NS)), one),
        heard(Entry("s3://bucket/c.wav", 1, str(NS)), one),
        failed(Entry("d.wav", 1, str(NS)), 2, "no sound"),
    ]
    found = summarize(written(tmp_path / "out", files, ("other", "recorded")))
    days = {day: (group.n_files, group.n_failed, group.sound_s) for day, group in found.days.items()}
    changed = began("b.wav", str(NS), None, None)
    assert changed is not None
    assert days == {
        "": (1, 0, 60),
        "2023-11-14" if changed.at.day == 14 else "2023-11-15": (2, 1, 60),
        "2024-01-02": (1, 0, 30),
        "2024-01-03": (1, 0, 30),
        "2024-02-03": (1, 0, 60),
    }
    assert found.days_from == {"the column recorded": 1, NAME: 1, CHANGE: 2, "nothing": 1}
    with pytest.raises(SearchError, match="did you mean 'recorded'"):
        summarize(tmp_path / "out", day_column="recordet")


@pytest.mark.parametrize(
    ("path", "day", "has_time"),
    [
        ("x/20240513_053000.WAV", "2024-05-13", True),
        ("x/SM4_20240513_053000.wav", "2024-05-13", True),
        ("x/2024.05.13.wav", "2024-05-13", False),
        ("20240513.wav", "2024-05-13", False),
        ("20240513/a.wav", None, False),
        ("x/20241399.wav", None, False),
        ("x/120240513.wav", None, False),
        ("x/2024-0513.wav", None, False),
        ("song.mp3", None, False),
    ],
)
def test_names_have_days(path: str, day: str | None, has_time: bool) -> None:
    found = began(path, None, None, None)
    assert (None if found is None else found.at.date().isoformat()) == day
    assert found is None or found.has_time == has_time


def test_a_scan_adds_up_as_its_rows_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(2)
    for folder in ("a", "b"):
        (tmp_path / "in" / folder).mkdir(parents=True)
        for i in range(2):
            sound = rng.normal(0, 0.3, 16_000 * (i + 1))
            soundfile.write(tmp_path / "in" / folder / f"2024010{i + 1}.wav", sound, 16_000)
    (tmp_path / "in" / "b" / "bad.wav").write_bytes(b"RIFF")
    scan([tmp_path / "in"], tmp_path / "out", chosen=Chosen("sound-activity", windows=True))
    status, out, _ = run(capsys, "summarize", tmp_path / "out", "--json", "--min-score", 0.1)
    assert status == 0
    found = json.loads(out)
    want = want_of(tmp_path / "out", 0.1)
    assert {name: hours * 3600 for name, hours in found["labels"].items()} == pytest.approx(want, abs=0.01)
    assert (found["n_files"], found["n_failed"], round(found["hours"] * 3600)) == (5, 1, 6)
    assert [round(group["hours"] * 3600) for group in found["folders"].values()] == [3, 3]
    assert list(found["days"])[:2] == ["2024-01-01", "2024-01-02"]
    status, out, _ = run(capsys, "summarize", tmp_path / "out", "--csv", "--min-score", 0.1)
    rows = list(csv.DictReader(io.StringIO(out)))
    assert {row["label"]: float(row["hours"]) for row in rows if row["by"] == "all" and row["label"]} == (
        found["labels"]
    )
    status, out, _ = run(capsys, "summarize", tmp_path / "out")
    assert status == 0
    assert "5 files, 1 failed, 0.002 h of sound\ndays from names of files (4 files)" in out
    assert os.fspath(tmp_path / "in" / "a") in out


def want_of(output: Path, least: float) -> dict[str, float]:
    """Return seconds of each label by brute force, on a grid of milliseconds."""
    parquet = pytest.importorskip("pyarrow.parquet")
    table = parquet.read_table(output)
    labels = json.loads(table.schema.metadata[b"fastaudio"])["labels"]
    grids: dict[Any, Any] = defaultdict(lambda: np.zeros(3_000, bool))
    for row in table.to_pylist():
        for label, score in zip(labels, row["scores"] or [], strict=False):
            if score >= least and not row["silent"]:
                start, end = round(row["start_s"] * 1000), round(row["end_s"] * 1000)
                grids[row["path"], label][start:end] = True
    found: dict[str, float] = defaultdict(float)
    for (_, label), grid in grids.items():
        found[label] += grid.sum() / 1000
    return dict(found)


@pytest.mark.parametrize("more", [[], ["--dark"]])
def test_a_picture_is_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str], more: list[str]) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib isn't installed")
    rows = [(0.0, 3600.0, 1.0, 0.5)]
    files = [heard(Entry(f"site{i % 3}/202405{i + 10}_233000.WAV"), rows) for i in range(20)]
    written(tmp_path / "out", files)
    picture = tmp_path / "hours.png"
    assert run(capsys, "summarize", tmp_path / "out", "--plot", picture, *more)[0] == 0
    image = pytest.importorskip("matplotlib.image").imread(picture)
    assert image.shape[:2] == (800, 1200)
    assert (image[0, 0, 0] < 0.5) == bool(more)
    assert len(np.unique(image.reshape(-1, image.shape[2]), axis=0)) > 50
    assert run(capsys, "summarize", tmp_path / "out", "--plot", picture, *more)[0] == 2


@pytest.mark.parametrize("stamp", ["99991231_235959", "00010101_000000", "22000101_000000"])
def test_a_name_of_no_likely_year_counts_as_none(tmp_path: Path, stamp: str) -> None:
    paths = [f"x/{stamp}.wav", "x/20240513_235959Z.wav"]
    files = [heard(Entry(path, 1, str(NS)), [(0, 4, 0.9, 0)]) for path in paths]
    found = summarize(written(tmp_path / "out", files))
    assert dict(found.days_from) == {NAME: 1, CHANGE: 1}
    assert found.whole.sound_s == 8
    assert sum(group.sound_s for group in found.days.values()) == 8


@pytest.mark.parametrize("cell", ["9999-12-31T23:59:59+00:00", "0001-01-01T00:00:00+00:00"])
def test_a_cell_of_no_likely_year_counts_as_none(cell: str) -> None:
    found = began("x/a.wav", str(NS), cell, "date")
    assert found is not None
    assert found.source == CHANGE


def test_a_stretch_that_no_calendar_has_counts_for_its_first_day() -> None:
    found = began("x/20240513_235959Z.wav", None, None, None)
    assert found is not None
    day = found.at.date().isoformat()
    for start_s in (1e9 * 366, 1e20):
        assert found.days(start_s, 10.0)[0][1] == 10.0
    assert found.days(1e20, 10.0) == [(day, 10.0)]
