"""Labels are there once each, whoever writes at the same time, and what is taken back is gone."""

from __future__ import annotations

import csv
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from fastaudio import labelled
from fastaudio.reviewing import labels as module
from fastaudio.reviewing.labels import COLUMNS, LabelError, LabelFile

if TYPE_CHECKING:
    from pathlib import Path


def test_labels_are_read_as_they_were_given(tmp_path: Path) -> None:
    labels = LabelFile(tmp_path / "labels.csv")
    assert labels.read() == []
    given = [("a, b.wav", 0.0, 1.5), ('say "x"\nnew.wav', 3600.123456, 3601.0), ("=1+1.wav", 0.96, 1.92)]
    given += [(f"a{end}.wav", 0.0, 1.0) for end in ("\r", "\r\n", "\u2028", "\x0b")]
    made = [labels.add(*stretch, "owl", by="ann") for stretch in given]
    assert [label.stretch for label in made] == given
    assert LabelFile(tmp_path / "labels.csv").read() == made
    with (tmp_path / "labels.csv").open(newline="", encoding="utf-8") as file:
        assert tuple(next(csv.reader(file))) == COLUMNS


def test_a_quote_that_is_not_closed_is_told_before_anything_is_appended(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text('path,start_s,end_s,label\na.wav,0,1,"a\nb.wav,0,1,b\n', encoding="utf-8")
    before = path.read_bytes()
    for use in (lambda: LabelFile(path).read(), lambda: LabelFile(path).add("c.wav", 0, 1, "owl")):
        with pytest.raises(LabelError, match="expected CSV"):
            use()
    assert path.read_bytes() == before


def test_that_very_label_is_taken_back_and_no_other(tmp_path: Path) -> None:
    labels = LabelFile(tmp_path / "labels.csv")
    made = [
        labels.add("a\n.wav", 0, 1.0000004, label, by=by)
        for label, by in (("owl", ""), ("crow", ""), ("owl", "ann"), ("dog", ""))
    ]
    assert labels.undo(made[1])
    assert [(label.label, label.by) for label in labels.read()] == [("owl", ""), ("owl", "ann"), ("dog", "")]
    assert not labels.undo(made[1])
    assert labels.undo(made[0])
    assert [(label.label, label.by) for label in labels.read()] == [("owl", "ann"), ("dog", "")]
    assert all(map(labels.undo, made[2:]))
    assert labels.read() == []


def test_two_who_write_without_a_name_take_back_their_own(tmp_path: Path) -> None:
    one, other = (LabelFile(tmp_path / "labels.csv") for _ in range(2))
    first = one.add("x.wav", 0, 1, "owl")
    other.add("y.wav", 0, 1, "owl")
    assert one.undo(first)
    assert not one.undo(first)
    assert [label.path for label in other.read()] == ["y.wav"]


@pytest.mark.parametrize("columns", ["path,start_s,end_s,label", "label,end_s,note,path,start_s,by"])
def test_what_a_table_has_no_column_for_is_taken_back_too(tmp_path: Path, columns: str) -> None:
    (tmp_path / "own.csv").write_text(f"{columns}\n", encoding="utf-8")
    labels = LabelFile(tmp_path / "own.csv")
    made = labels.add("x.wav", 0, 1, "owl", by="ann")
    labels.add("x.wav", 0, 1, "crow", by="ann")
    assert labels.undo(made)
    assert not labels.undo(made)
    assert [label.label for label in labels.read()] == ["crow"]


def test_of_a_stretch_that_is_labelled_again_the_last_label_holds(tmp_path: Path) -> None:
    labels = LabelFile(tmp_path / "labels.csv")
    for label in ("owl", "crow"):
        labels.add("a.wav", 0, 1, label)
        labels.add("b.wav", 0, 1, "owl")
    assert [(label.path, label.label) for label in labels.current()] == [("a.wav", "crow"), ("b.wav", "owl")]
    assert labels.names() == ["owl", "crow"]


def test_a_table_of_ones_own_keeps_its_columns(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text("label,note,path,end_s,start_s\nowl,x,a.wav,2,1", encoding="utf-8")  # no last line end
    labels = LabelFile(path)
    labels.add("b.wav", 3, 4, "crow", by="ann")
    assert labels.undo(labels.add("b.wav", 5, 6, "dog"))
    assert path.read_text(encoding="utf-8").splitlines()[1:] == ["owl,x,a.wav,2,1", "crow,,b.wav,4.0,3.0"]
    assert [label.stretch for label in labels.read()] == [("a.wav", 1.0, 2.0), ("b.wav", 3.0, 4.0)]


def test_threads_write_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_WAIT_S", 120.0)  # a slow disk takes its time for each of them

    def write(number: int) -> None:
        labels = LabelFile(tmp_path / "labels.csv")
        for i in range(20):
            made = labels.add(f"{number}.wav", i, i + 1, "owl", by=str(number))
            if i % 5 == 4:
                labels.undo(made)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(write, range(4)))
    kept = [(label.path, label.start_s) for label in LabelFile(tmp_path / "labels.csv").read()]
    assert sorted(kept) == sorted((f"{n}.wav", float(i)) for n in range(4) for i in range(20) if i % 5 != 4)


PROGRAM = """
import sys
from fastaudio.reviewing import labels
from fastaudio.reviewing.labels import LabelFile
labels._WAIT_S = 120.0
for i in range(20):
    made = LabelFile(sys.argv[1]).add(sys.argv[2], i, i + 1, "owl")
    if i % 5 == 4 and not LabelFile(sys.argv[1]).undo(made):
        sys.exit(1)
"""


def test_processes_write_at_once(tmp_path: Path) -> None:
    path = str(tmp_path / "labels.csv")
    runs = [subprocess.Popen([sys.executable, "-c", PROGRAM, path, f"{n}.wav"]) for n in range(2)]
    assert [run.wait() for run in runs] == [0, 0]
    kept = sorted((label.path, label.start_s) for label in LabelFile(path).read())
    assert kept == [(f"{n}.wav", float(i)) for n in range(2) for i in range(20) if i % 5 != 4]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("path,label\na.wav,owl\n", "expected the columns path, start_s, end_s, label"),
        ("path,start_s,end_s,label\na.wav,1,x,owl\n", "in line 2"),
        ("path,start_s,end_s,label\na.wav,1,2,owl\nb.wav,2,1,owl\n", "in line 3"),
        ("path,start_s,end_s,label\n,1,2,owl\n", "in line 2"),
        ("path,start_s,end_s,label\na.wav,1\n", "in line 2"),
        ("start_s,end_s,label,path\n0,1,owl\n", "in line 2"),
        ("path,start_s,end_s,label\na.wav,1,2,\n", "in line 2"),
        ("path,start_s,end_s,label\nb\xe9.wav,1,2,owl\n", "save it as UTF-8"),
    ],
)
def test_what_is_no_such_table_is_refused_and_left_alone(tmp_path: Path, text: str, why: str) -> None:
    path = tmp_path / "labels.csv"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(LabelError, match=why):
        LabelFile(path)
    assert path.read_bytes() == text.encode("latin-1")


def test_what_cannot_be_a_label_is_refused(tmp_path: Path) -> None:
    labels = LabelFile(tmp_path / "labels.csv")
    for start_s, end_s, name in ((1.0, 1.0, "owl"), (-1.0, 1.0, "owl"), (0.0, float("inf"), "owl")):
        with pytest.raises(LabelError, match=r"expected a"):
            labels.add("a.wav", start_s, end_s, name)
    for name in ("", "  ", "a\nb", "\x1b[0m"):
        with pytest.raises(LabelError, match="expected the name of a label"):
            labels.add("a.wav", 0, 1, name)
    assert not (tmp_path / "labels.csv").exists()


def test_it_is_a_manifest_too(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"")
    LabelFile(tmp_path / "labels.csv").add("a.wav", 1, 2.5, "owl")
    found = labelled.read(tmp_path / "labels.csv")
    assert found.files == [labelled.Segment(str(tmp_path / "a.wav"), 1.0, 2.5)]
    assert found.labels == [["owl"]]
