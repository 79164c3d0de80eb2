"""A head learns from the rows of a scan what it learns from the sound, and finds each stretch's rows."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import fastaudio as fa
import numpy as np
import pytest
from cli_helpers import run
from fastaudio import heads
from fastaudio.labelled import Segment
from fastaudio.reviewing.labels import LabelFile
from fastaudio.reviewing.training import embedded
from fastaudio.scanning.networks import Chosen
from fastaudio.scanning.scan import scan
from fastaudio.searching.store import SearchError
from heads_helpers import embedder, write_network, write_tones

if TYPE_CHECKING:
    from pathlib import Path

parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow isn't installed")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with tones, a manifest that lists them, and scans of them by window and by file."""
    home = tmp_path_factory.mktemp("training")
    embedder(write_network(home / "net.onnx")).save(home / "base")
    write_tones(home / "in", ["low", "high"], 4)
    files, labels = heads.labelled_files(home / "in")
    lines = [f"{file},{label},{i % 2}" for i, (file, label) in enumerate(zip(files, labels, strict=True))]
    (home / "list.csv").write_text("path,tone,fold\n" + "\n".join(lines), encoding="utf-8")
    for name, windows in (("windows", True), ("files", False)):
        scan(
            [home / "list.csv"], home / name, chosen=Chosen(str(home / "base"), "embedding", windows=windows)
        )
    scan([home / "in"], home / "scores", chosen=Chosen("silero-vad"))
    return home


@pytest.mark.parametrize(("name", "average"), [("windows", False), ("windows", True), ("files", True)])
def test_a_head_on_the_rows_of_a_scan_is_that_on_the_sound(home: Path, name: str, average: bool) -> None:
    found = embedded(home / name, column="tone")
    assert sorted(found.files) == heads.labelled_files(home / "in")[0]
    assert found.average == (name == "files")
    assert set(found.folds or ()) == {"0", "1"}
    how = {"average": average, "fold_of": found.folds}
    got = heads.fit(found.embedder, found.files, found.labels, rows=found.rows, **how)
    want = heads.fit(home / "base", found.files, found.labels, layer="embedding", **how)
    for (a, b), (c, d) in zip(want.classifier.layers, got.classifier.layers, strict=True):
        np.testing.assert_allclose(c, a, atol=1e-5)
        np.testing.assert_allclose(d, b, atol=1e-5)
    assert got.pipeline.card["head"]["rows_sha256"] == want.pipeline.card["head"]["rows_sha256"]
    assert [str(node) for node in got.pipeline.node.parts()[:-2]] == [
        str(node) for node in want.pipeline.node.parts()[:-2]
    ]


def test_the_head_has_the_hash_that_the_scan_states(home: Path) -> None:
    found = embedded(home / "windows", column="tone")
    head = heads.fit(found.embedder, found.files, found.labels, rows=found.rows, folds=2)
    table = next((home / "windows").glob("*.parquet"))
    about = json.loads(parquet.read_schema(table).metadata[b"fastaudio"])
    assert head.pipeline.card["head"]["rows_sha256"] == about["rows_sha256"]


def test_a_stretch_has_the_rows_that_lie_within_it_or_the_nearest(home: Path, tmp_path: Path) -> None:
    path = str(home / "in" / "low" / "low_0-0.wav")
    table = parquet.read_table(home / "windows").to_pylist()
    mine = sorted((row for row in table if row["path"] == path), key=lambda row: row["start_s"])
    assert [row["start_s"] for row in mine] == [0, 0.25, 0.5, 0.75]
    labels = LabelFile(tmp_path / "labels.csv")
    for start_s, end_s in ((0.25, 0.5), (0.2, 1.0), (0.4, 0.6), (0.0, 1.0), (50.0, 51.0)):
        labels.add(path, start_s, end_s, "low")
    labels.add("elsewhere.wav", 0, 1, "high")
    found = embedded(home / "windows", labels.path)
    rows = dict(zip(found.files, found.rows, strict=True))
    for stretch, numbers in (
        ((0.25, 0.5), [1]),
        ((0.2, 1.0), [1, 2, 3]),
        ((0.4, 0.6), [1]),
        ((0.0, 1.0), [0, 1, 2, 3]),
    ):
        want = np.float32([mine[i]["embedding"] for i in numbers])
        np.testing.assert_array_equal(rows[Segment(path, *stretch)], want)
    assert len(found.left_out) == 2
    assert "expected a stretch with sound of the scan" in str(found.left_out)
    assert "elsewhere.wav" in str(found.left_out)


def test_the_later_label_of_a_stretch_counts_and_paths_may_be_the_tables_own(home: Path) -> None:
    labels = LabelFile(home / "own.csv")
    for name in ("low", "high", "low"):
        labels.add("in/low/low_0-0.wav", 0, 1, name)
    found = embedded(home / "windows", labels.path)
    assert found.labels == ["low"]
    assert found.files == [Segment(str(home / "in" / "low" / "low_0-0.wav"), 0.0, 1.0)]


def test_a_labelled_file_without_a_group_is_left_out_so_that_groups_stay_apart(
    home: Path, tmp_path: Path
) -> None:
    files, labels = heads.labelled_files(home / "in")
    lines = [f"{file},{label},{i or ''}" for i, (file, label) in enumerate(zip(files, labels, strict=True))]
    (tmp_path / "list.csv").write_text("path,label,group\n" + "\n".join(lines), encoding="utf-8")
    scan([tmp_path / "list.csv"], tmp_path / "out", chosen=Chosen(str(home / "base"), "embedding"))
    found = embedded(tmp_path / "out")
    assert found.left_out == [(files[0], "expected a value in the column group, got none")]
    assert sorted(found.groups or ()) == [str(i) for i in range(1, 8)]


def test_what_cannot_be_learnt_from_says_what_to_do(home: Path) -> None:
    with pytest.raises(SearchError, match="scan the sound again with --layer"):
        embedded(home / "scores", column="tone")
    with pytest.raises(SearchError, match=r"expected a column tune .*did you mean 'tone'"):
        embedded(home / "windows", column="tune")
    with pytest.raises(SearchError, match="with --labels"):
        embedded(home / "windows")
    with pytest.raises(SearchError, match="expected the model of the scan"):
        embedded(home / "windows", column="tone", model="silero-vad")
    found = embedded(home / "windows", column="tone")
    given = found.embedder, found.files, found.labels
    with pytest.raises(ValueError, match="expected rows for 8 files, got 7"):
        heads.fit(*given, rows=found.rows[:-1])
    with pytest.raises(ValueError, match=r"expected rows \[n_rows, 12\]"):
        heads.fit(*given, rows=[rows[:, :5] for rows in found.rows])
    with pytest.raises(ValueError, match="expected no augment with rows"):
        heads.fit(*given, rows=found.rows, augment=2)


def test_the_loop_runs_without_the_sound(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("sound was read")

    how = ["--from", home / "windows", "--label-column", "tone", "--groups", "recording", "--folds", 2]
    with monkeypatch.context() as patched:
        patched.setattr("fastaudio.decoding.audio_file.AudioFile.__init__", refuse)
        status, _, err = run(capsys, "train", *how, "-o", tmp_path / "head")
        assert (status, err) == (
            0,
            "fastaudio: 8 examples of 2 labels in 8 recordings, 32 rows of the scan\n",
        )
        scored = (
            "--from",
            home / "windows",
            "--model",
            tmp_path / "head",
            "--windows",
            "-o",
            tmp_path / "scored",
        )
        assert run(capsys, "scan", *scored)[0] == 0
        status, out, _ = run(capsys, "review", tmp_path / "scored", "--uncertain", "--top", 3, "--jsonl")
        assert status == 0
        assert [json.loads(line)["guess"] in ("low", "high") for line in out.splitlines()] == [True] * 3
    low = heads.labelled_files(home / "in")[0][-1]
    assert fa.Pipeline.load(tmp_path / "head")(low).top(1)[0][0] == "low"


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ([], "expected SOURCE, or a scan after --from"),
        (["in", "--labels", "x.csv"], "got --labels with SOURCE"),
        (["in", "--from", "windows"], "got both; give in by --labels"),
        (["--from", "windows", "--layer", "embedding"], "expected no --layer with --from"),
        (["--from", "windows", "--augment", "2"], "expected no --augment with --from"),
        (["--from", "windows", "--model", "a", "--model", "b"], "expected one model with --from"),
        (["--from", "windows"], "name a CSV"),
        (["--from", "scores", "--label-column", "tone"], "scan the sound again with --layer"),
        (["--from", "in"], "got none of its tables"),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    wrong: list[str],
    why: str,
) -> None:
    monkeypatch.chdir(home)
    status, _, err = run(capsys, "train", *wrong, "-o", "new")
    assert status == 2
    assert why in " ".join(err.split())
    assert not (home / "new").exists()
