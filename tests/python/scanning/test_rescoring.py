"""A head over kept embeddings gives what the whole model gives for the sound."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest
import soundfile
from cli_helpers import run
from fastaudio import heads
from fastaudio.scanning import rescoring
from fastaudio.scanning.networks import Chosen
from fastaudio.scanning.rescoring import rescan
from fastaudio.scanning.scan import scan
from fastaudio.scanning.shards import ScanError
from heads_helpers import RATE, embedder, tone, write_network, write_tones

if TYPE_CHECKING:
    from pathlib import Path

parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow isn't installed")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with tones, a bad file, a model that embeds them, and heads by window and by mean."""
    home = tmp_path_factory.mktemp("rescoring")
    embedder(write_network(home / "net.onnx")).save(home / "base")
    write_tones(home / "in", ["low", "high"], 4)
    (home / "in" / "low" / "bad.wav").write_bytes(b"RIFF, but nothing else")
    soundfile.write(home / "in" / "low" / "none.wav", np.zeros(0), RATE)
    files, labels = heads.labelled_files(home / "in")
    for name, how in (("head", {}), ("mean", {"average": True})):
        heads.fit(home / "base", files, labels, folds=2, **how).save(home / name)
    for name, windows in (("windows", True), ("files", False)):
        scan([home / "in"], home / name, chosen=Chosen(str(home / "base"), "embedding", windows=windows))
    return home


def rows_of(output: Path) -> list[dict[str, Any]]:
    rows = parquet.read_table(output).to_pylist()
    return sorted(rows, key=lambda row: (row["path"], row["start_s"] or 0.0))


CASES = [
    ("windows", "head", True),
    ("windows", "head", False),
    ("windows", "mean", False),
    ("files", "mean", False),
]


@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.parametrize("at_once", [3, 1 << 14])
def test_scores_are_those_of_a_scan_of_the_sound(
    home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    case: tuple[str, str, bool],
    at_once: int,
) -> None:
    source, head, windows = case
    monkeypatch.setattr(rescoring, "_ROWS", at_once)  # so that files lie across pieces
    scan([home / "in"], tmp_path / "sound", chosen=Chosen(str(home / head), windows=windows))
    done = rescan(home / source, tmp_path / "rows", head=str(home / head), windows=windows)
    assert (done.n_files, done.n_done, done.n_failed) == (10, 10, 1)
    want, got = rows_of(tmp_path / "sound"), rows_of(tmp_path / "rows")
    assert len(want) == len(got) >= 10
    for fresh, kept in zip(want, got, strict=True):
        assert kept.pop("silent") is None
        fresh.pop("silent")
        scores = np.float64(fresh.pop("scores")), np.float64(kept.pop("scores"))
        assert kept == fresh
        assert np.allclose(*scores, atol=1e-5, equal_nan=True)


def test_columns_that_came_later_are_kept_where_there_are_any(home: Path, tmp_path: Path) -> None:
    names = [str(home / "in" / name / "0.wav") for name in ("low", "high")]
    how = Chosen(str(home / "base"), "embedding", windows=True)
    for file, columns in (names[0], {}), (names[1], {"site": "north"}):
        (tmp_path / "list.jsonl").write_text(json.dumps({"path": file} | columns), encoding="utf-8")
        scan([tmp_path / "list.jsonl"], tmp_path / "rows", chosen=how)
    rescan(tmp_path / "rows", tmp_path / "scores", head=str(home / "head"))
    assert {row["path"]: row["site"] for row in rows_of(tmp_path / "scores")} == {
        names[0]: None,
        names[1]: "north",
    }


def test_a_head_that_is_trained_again_replaces_its_scores(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files, labels = heads.labelled_files(home / "in")
    scored, head = tmp_path / "scored", tmp_path / "again"
    how: dict[str, Any] = {"head": str(head), "windows": True}
    ask = ["scan", "--from", home / "windows", "--model", head, "--windows", "--output", scored]
    for names in (labels, ["left", "right"] * 4, [["low", "high"][i % 2] for i in range(8)]):
        heads.fit(home / "base", files[: len(names)], names, folds=2).save(head)
        if scored.exists():
            before = rows_of(scored)
            with pytest.raises(ScanError, match=f"got one by {head}, as it was before.*replace its scores"):
                rescan(home / "windows", scored, **how)
            assert rows_of(scored) == before
            assert run(capsys, *ask)[0] == 2
        status, out, _ = run(capsys, *ask, "--replace-scores")
        assert "10 of 10 files" in out
        rescan(home / "windows", tmp_path / "fresh", force=True, **how)
        assert rows_of(scored) == rows_of(tmp_path / "fresh")
        assert status == 1  # of the bad file
        assert "10 were done before" in run(capsys, *ask, "--replace-scores")[1]


def test_no_embeddings_are_replaced(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = rows_of(home / "windows")
    with pytest.raises(ScanError, match="expected scores to replace, got embeddings"):
        rescan(home / "windows", home / "windows", head=str(home / "head"), windows=True, force=True)
    assert rows_of(home / "windows") == before
    with pytest.raises(ScanError, match=r"name another folder$"):
        rescan(home / "windows", home / "windows", head=str(home / "head"), windows=True)
    assert run(capsys, "scan", home / "in", "--output", home / "windows", "--replace-scores")[0] == 2


def test_only_what_has_changed_is_done_again(home: Path, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    write_tones(folder, ["low"], 3)
    chosen = Chosen(str(home / "base"), "embedding", windows=True)
    head = str(home / "head")
    scan([folder], tmp_path / "rows", chosen=chosen)
    assert rescan(tmp_path / "rows", tmp_path / "out", head=head, windows=True).n_done == 3
    again = rescan(tmp_path / "rows", tmp_path / "out", head=head, windows=True)
    assert (again.n_done, again.n_before) == (0, 3)
    first = min((folder / "low").iterdir())
    soundfile.write(first, tone(2_000, 2.0, 5), RATE)
    soundfile.write(folder / "new.wav", tone(400, 1.0, 6), RATE)
    scan([folder], tmp_path / "rows", chosen=chosen)
    assert rescan(tmp_path / "rows", tmp_path / "out", head=head, windows=True).n_done == 2
    rescan(tmp_path / "rows", tmp_path / "fresh", head=head, windows=True)
    assert rows_of(tmp_path / "out") == rows_of(tmp_path / "fresh")
    # The model itself goes on with the folder.
    assert scan([folder], tmp_path / "out", chosen=Chosen(head, windows=True)).n_done == 0


def test_other_embeddings_are_refused_with_what_to_do(home: Path, tmp_path: Path) -> None:
    head = str(home / "head")
    scan([home / "in"], tmp_path / "scores", chosen=Chosen(head))
    scan([home / "in"], tmp_path / "hop", chosen=Chosen(str(home / "base"), "embedding", hop_s=0.125))
    for source, why in (
        (tmp_path / "scores", "scan the sound again with --layer"),
        (home / "files", "train the head with --average"),
        (tmp_path / "hop", "train it by fastaudio train --from"),
        (tmp_path, "got none of its tables"),
    ):
        with pytest.raises(ScanError, match=why):
            rescan(source, tmp_path / "out", head=head)
    with pytest.raises(ValueError, match="expected a model that fastaudio train has made"):
        rescan(home / "windows", tmp_path / "out", head="silero-vad")
    assert not (tmp_path / "out").exists()


def test_the_command_line_runs_a_head_alone(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    how = ["--from", home / "windows", "--model", home / "head", "-o", tmp_path / "out"]
    status, out, _ = run(capsys, "scan", *how, "--windows")
    assert status == 1  # one file failed
    assert "10 of 10 files" in out
    assert fa.Pipeline.load(home / "head").output_specs
    for wrong in (["--layer", "embedding"], ["--channel", 0], ["--jobs", 2], [home / "in"]):
        status, _, err = run(capsys, "scan", *how, *wrong)
        assert status == 2
        assert "expected" in err
    assert run(capsys, "scan", "-o", tmp_path / "out")[0] == 2
