"""Tables of labels: what is read of tracks, selection tables and manifests, and what is named as wrong."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
from fastaudio import labelled
from fastaudio.labelled import Segment
from fastaudio.labelled.recordings import Recordings, recording_of
from hypothesis import given
from hypothesis import strategies as st

RAVEN = "Selection\tView\tChannel\tBegin Time (s)\tEnd Time (s)\tLow Freq (Hz)\tHigh Freq (Hz)"


def sound(path: Path, duration_s: float = 10.0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.zeros(round(duration_s * 8000), np.float32), 8000)
    return path


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode(encoding))
    return path


def pairs(found: labelled.Found) -> list[tuple[str, list[str]]]:
    return [(str(file), labels) for file, labels in zip(found.files, found.labels, strict=True)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_label_track_beside_its_recording(tmp_path: Path, encoding: str, end: str) -> None:
    night = sound(tmp_path / "night.wav")
    lines = ["0.5\t1.5\towl", "\\\t100\t2000", "2,25\t3,75\tnightjar, far away", "4\t5\tØwl", ""]
    found = labelled.read(write(tmp_path / "night.txt", end.join(lines), encoding))
    assert pairs(found) == [
        (f"{night} [0.50-1.50 s]", ["owl"]),
        (f"{night} [2.25-3.75 s]", ["nightjar, far away"]),
        (f"{night} [4.00-5.00 s]", ["Øwl"]),
    ]
    assert found.left_out == []


def test_lines_that_are_no_labels_are_named_and_the_rest_is_read(tmp_path: Path) -> None:
    sound(tmp_path / "night.wav")
    text = "0\t1\ta\n1\t1\tpoint\n3\t2\tbackwards\n4\t5\t\n-1\t2\tb\nnonsense\n6\t7\ta\n1e400\t2\ta\n"
    found = labelled.read(write(tmp_path / "night.txt", text))
    assert [labels for _, labels in pairs(found)] == [["a"], ["a"]]
    track = tmp_path / "night.txt"
    assert [place for place, _ in found.left_out] == [f"{track}:{n}" for n in (2, 3, 4, 5, 6, 8)]
    reasons = " ".join(reason for _, reason in found.left_out)
    assert "expected an end after its start, got 1 to 1 s; give the label a length" in reasons
    assert "expected a label, got none; give it a name" in reasons
    assert "expected start, end and label with tabs between, got 'nonsense'" in reasons


def test_a_selection_table_has_each_selection_once(tmp_path: Path) -> None:
    night = sound(tmp_path / "night.wav")
    rows = [
        f"{n}\t{view}\t1\t{n}\t{n}.5\t0\t4000\tcall"
        for n in (1, 2)
        for view in ("Waveform 1", "Spectrogram 1")
    ]
    text = "\n".join([f"{RAVEN}\tAnnotation", *rows])
    found = labelled.read(write(tmp_path / "night.Table.1.selections.txt", text))
    assert pairs(found) == [(f"{night} [1.00-1.50 s]", ["call"]), (f"{night} [2.00-2.50 s]", ["call"])]


def test_a_selection_table_of_several_recordings_counts_from_each_ones_start(tmp_path: Path) -> None:
    a, b = sound(tmp_path / "a.wav"), sound(tmp_path / "b.wav")
    text = "\n".join(
        [
            f"{RAVEN}\tBegin File\tFile Offset (s)\tSpecies",
            "1\tS\t1\t1\t2\t0\t4000\ta.wav\t1\towl",
            "2\tS\t1\t12\t13\t0\t4000\tb.wav\t2\towl",
            "3\tS\t1\t21\t22\t0\t4000\tc.wav\t1\towl",
        ]
    )
    found = labelled.read(write(tmp_path / "all.txt", text))
    assert pairs(found) == [(f"{a} [1.00-2.00 s]", ["owl"]), (f"{b} [2.00-3.00 s]", ["owl"])]
    ((place, reason),) = found.left_out
    assert place == f"{tmp_path / 'all.txt'}:4"
    assert reason == "expected its recording beside the table, got no 'c.wav'; move it there"


def test_paths_of_another_machine_are_looked_for_beside_the_table(tmp_path: Path) -> None:
    a = sound(tmp_path / "a.wav")
    text = "\n".join([f"{RAVEN}\tBegin Path\tCommon Name", "1\tS\t1\t1\t2\t0\t4000\tD:\\night\\a.wav\towl"])
    assert pairs(labelled.read(write(tmp_path / "t.txt", text))) == [(f"{a} [1.00-2.00 s]", ["owl"])]


def test_the_column_of_labels_may_be_named(tmp_path: Path) -> None:
    sound(tmp_path / "a.wav")
    table = write(tmp_path / "a.txt", f"{RAVEN}\tKind\tQuality\n1\tS\t1\t1\t2\t0\t4000\tsong\tgood\n")
    with pytest.raises(
        ValueError, match=r"expected a column with labels, such as Annotation, got .*--label-col"
    ):
        labelled.read(table)
    assert labelled.read(table, label_column="Kind").labels == [["song"]]
    with pytest.raises(ValueError, match=r"expected a column 'Sort', got Selection, "):
        labelled.read(table, label_column="Sort")
    write(table, f"{RAVEN}\tMine\n1\tS\t1\t1\t2\t0\t4000\tsong\n")
    assert labelled.read(table).labels == [["song"]]  # it is the only one that isn't Raven's


def test_a_folder_of_recordings_with_tables(tmp_path: Path) -> None:
    for name in ("one", "deep/two", "alone"):
        sound(tmp_path / f"{name}.wav")
    write(tmp_path / "one.txt", "1\t2\ta\n")
    write(tmp_path / "deep" / "two.Table.1.selections.txt", f"{RAVEN}\tAnnotation\n1\tS\t1\t3\t4\t0\t9\tb\n")
    write(tmp_path / "orphan.txt", "1\t2\ta\n")
    write(tmp_path / "README.txt", "these are recordings\n")
    assert labelled.has_tables(tmp_path)
    found = labelled.read(tmp_path)
    assert sorted(pairs(found)) == [
        (f"{tmp_path / 'deep' / 'two.wav'} [3.00-4.00 s]", ["b"]),
        (f"{tmp_path / 'one.wav'} [1.00-2.00 s]", ["a"]),
    ]
    assert dict(found.left_out) == {
        str(tmp_path / "orphan.txt"): "expected its recording beside it, named like it, got none",
        str(
            tmp_path / "alone.wav"
        ): "expected a table of labels named like it, got none; add one, or move it elsewhere",
    }


def test_a_folder_of_sub_folders_has_no_tables(tmp_path: Path) -> None:
    sound(tmp_path / "dog" / "1.wav")
    write(tmp_path / "dog" / "1.txt", "recorded on 1 May\n")
    assert not labelled.has_tables(tmp_path)


@pytest.mark.parametrize(
    ("table", "name"),
    [
        ("night.txt", "night.wav"),
        ("night.wav.txt", "night.wav"),
        ("night.Table.1.selections.txt", "night.wav"),
        ("night.BirdNET.selection.table.txt", "night.wav"),
        ("night_labels.txt", "night.wav"),
        ("night.1.txt", "night.1.wav"),
        ("nightly.txt", None),
    ],
)
def test_recordings_are_found_by_their_names(tmp_path: Path, table: str, name: str | None) -> None:
    for one in ("night.wav", "night.1.wav", "day.wav"):
        sound(tmp_path / one)
    got = recording_of(tmp_path / table)
    assert got == (None if name is None else str(tmp_path / name))


def test_a_manifest_has_files_stretches_folds_and_groups(tmp_path: Path) -> None:
    a, b = sound(tmp_path / "in" / "a.wav"), sound(tmp_path / "b, c.wav")
    text = (
        "label,path,fold,group,start_s,end_s,remark\n"
        'dog,in/a.wav,1,x,,,"loud, near"\n'
        'cat,"b, c.wav",2,y,1.5,2,\n'
        "dog,gone.wav,1,x,,,\n"
        "cat,in/a.wav,2,,1,2,\n"
        "cat,in/a.wav,2,y,2,soon,\n"
    )
    found = labelled.read(write(tmp_path / "labels.csv", text))
    assert pairs(found) == [(str(a), ["dog"]), (f"{b} [1.50-2.00 s]", ["cat"])]
    assert (found.groups, found.folds, found.several) == (["x", "y"], ["1", "2"], False)
    assert [reason for _, reason in found.left_out] == [
        "expected a file, got no 'gone.wav'; mend the column path",
        "expected a value in the column group, got none",
        "expected seconds as start_s and end_s, or neither, got '2' and 'soon'",
    ]


def test_a_manifest_of_several_labels(tmp_path: Path) -> None:
    sound(tmp_path / "a.wav")
    found = labelled.read(write(tmp_path / "l.csv", "file;labels\na.wav;x\na.wav;\n"))
    assert (found.labels, found.several) == ([["x"], []], True)
    found = labelled.read(write(tmp_path / "l.csv", "file,labels\na.wav,x; y;x\n"))
    assert found.labels == [["x", "y"]]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("l.csv", "", "expected rows below a header, got none"),
        (
            "l.csv",
            "path,kind\na.wav,x\n",
            r"expected the columns path and label \(or labels\), got path, kind; ",
        ),
        ("l.csv", "path,path,label\n", "expected each column once, got 'path' twice; rename one"),
        ("l.csv", "path,label\ngone.wav,x\n", r"expected labelled sound, got none; .*gone\.wav"),
        ("a.txt", "some words\n", "expected an Audacity label track, a Raven selection table, or a manifest"),
        ("gone.txt", "1\t2\tx\n", r"expected its recording beside it, .*gone\.wav and gone\.txt"),
        ("a.txt", f"{RAVEN}\tAnnotation\n", "expected labelled sound, got none"),
    ],
)
def test_what_is_no_table_is_refused_with_a_remedy(
    tmp_path: Path, name: str, text: str, message: str
) -> None:
    sound(tmp_path / "a.wav")
    with pytest.raises(ValueError, match=message):
        labelled.read(write(tmp_path / name, text))
    with pytest.raises(ValueError, match="expected a folder, or a table of labels, got neither"):
        labelled.read(tmp_path / "nothing.txt")


def test_a_table_in_another_encoding_is_refused(tmp_path: Path) -> None:
    sound(tmp_path / "a.wav")
    (tmp_path / "a.txt").write_bytes("1\t2\tKäuzchen\n".encode("latin-1"))
    with pytest.raises(ValueError, match="expected text in UTF-8, got other bytes; save it as UTF-8"):
        labelled.read(tmp_path / "a.txt")


@pytest.mark.parametrize(
    "times", [(1.0, 1.0), (2.0, 1.0), (-1.0, 1.0), (0.0, float("inf")), (float("nan"), 1.0)]
)
def test_a_stretch_has_a_length(times: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match=r"^Segment: expected "):
        Segment("a.wav", *times)


def test_thousands_of_tables_find_their_recordings_in_time(tmp_path: Path) -> None:
    names = [f"{tmp_path}/2026-11-{n:05}.wav" for n in range(5_000)]
    held = Recordings(names)
    start_s = time.process_time()
    assert all(held.of(f"2026-11-{n:05}.Table.1.selections.txt") == names[n] for n in range(5_000))
    assert time.process_time() - start_s < 10  # each with each would take a minute


def test_a_table_that_names_its_recordings_makes_a_folder_one_of_tables(tmp_path: Path) -> None:
    a = sound(tmp_path / "a.wav")
    text = f"{RAVEN}\tBegin File\tAnnotation\n1\tS\t1\t1\t2\t0\t9\ta.wav\tx\n"
    write(tmp_path / "all of them.txt", text)
    assert labelled.has_tables(tmp_path)
    assert pairs(labelled.read(tmp_path)) == [(f"{a} [1.00-2.00 s]", ["x"])]


def test_tables_behind_links_are_found_and_hidden_ones_are_not(tmp_path: Path) -> None:
    night = sound(tmp_path / "elsewhere" / "night.wav")
    write(tmp_path / "elsewhere" / "night.txt", "1\t2\ta\n")
    write(tmp_path / "elsewhere" / "._night.txt", "1\t2\tb\n")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "link").symlink_to(night.parent)
    found = labelled.read(tmp_path / "in")
    assert pairs(found) == [(f"{tmp_path / 'in' / 'link' / 'night.wav'} [1.00-2.00 s]", ["a"])]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with names")
@pytest.mark.parametrize("name", ["night.txt", "night.csv"])
def test_a_pipe_is_no_table(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / name)
    with pytest.raises(ValueError, match="expected a"):
        labelled.read(tmp_path / name)


PIECES = [
    "1",
    "2,5",
    "-1",
    "nan",
    "inf",
    "1e999",
    "\t",
    "\t",
    "\n",
    "\n",
    ";",
    ",",
    '"',
    "a",
    "\x00",
    "\\",
    "é",
    " ",
]
PIECES += ["Begin Time (s)", "End Time (s)", "Annotation", "Begin File", "path", "label", "labels", "a.wav"]


@given(st.sampled_from(["a.txt", "a.csv"]), st.lists(st.sampled_from(PIECES), max_size=60))
def test_any_text_is_read_or_refused_in_words(name: str, text: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        sound(Path(folder) / "a.wav", 0.1)
        write(Path(folder) / name, "".join(text))
        refused = ""
        try:
            found = labelled.read(Path(folder) / name)
        except ValueError as error:
            refused = str(error)
        if refused:
            assert " expected " in refused
        else:
            assert len(found.files) == len(found.labels) > 0
