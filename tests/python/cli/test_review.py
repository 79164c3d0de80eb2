"""fastaudio review asks for labels, most uncertain or most alike first, and writes them into a CSV."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile
from cli_helpers import run
from fastaudio import labelled
from fastaudio.cli.playing import excerpt
from fastaudio.reviewing.candidates import by_uncertainty
from fastaudio.reviewing.labels import LabelFile
from fastaudio.scanning.networks import Chosen
from fastaudio.scanning.scan import scan

if TYPE_CHECKING:
    from pathlib import Path

pytest.importorskip("pyarrow", reason="pyarrow isn't installed")

RATE_HZ = 16_000


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with noises, and scans of their scores and embeddings."""
    home = tmp_path_factory.mktemp("review")
    (home / "in").mkdir()
    rng = np.random.default_rng(1)
    for i in range(3):
        soundfile.write(home / "in" / f"{i}.wav", rng.normal(0, 0.1 * (i + 1), 2 * RATE_HZ), RATE_HZ)
    scan([home / "in"], home / "scores", chosen=Chosen("silero-vad", windows=True))
    scan([home / "in"], home / "rows", chosen=Chosen("aisfx", windows=True))
    return home


def answered(monkeypatch: pytest.MonkeyPatch, *answers: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{answer}\n" for answer in answers)))


def test_each_answer_is_a_label_and_may_be_taken_back(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "labels.csv"
    ask = ["review", home / "scores", "--uncertain", "--labels", path, "--names", "owl,crow", "--by", "ann"]
    want = by_uncertainty(home / "scores", top=6)
    answered(monkeypatch, "1", "", "9", "2", "u", "dog", "3", "q")
    status, out, err = run(capsys, *ask, "--top", 6)
    assert (status, out) == (0, "")
    assert err.endswith("3 new labels, 3 in all\n")
    assert "expected the number of a label from 1 to 2" in err
    labels = LabelFile(path).read()
    places = [want[0], want[2], want[3]]
    assert [label.stretch for label in labels] == [(one.path, one.start_s, one.end_s) for one in places]
    assert [(label.label, label.by) for label in labels] == [("owl", "ann"), ("dog", "ann"), ("dog", "ann")]
    answered(monkeypatch, "u")  # and the end of the input
    status, _, err = run(capsys, *ask)
    assert status == 0
    assert "expected a label of this run to take back" in err
    assert len(LabelFile(path).read()) == 3
    assert len(labelled.read(path).files) == 3


def test_a_label_is_taken_back_in_a_table_without_the_column_by(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "own.csv"
    path.write_text("path,start_s,end_s,label\nelsewhere.wav,0,1,fox\n", encoding="utf-8")
    ask = ["review", home / "scores", "--uncertain", "--labels", path, "--names", "owl", "--by", "ann"]
    answered(monkeypatch, "1", "u", "u", "q")
    status, _, err = run(capsys, *ask)
    assert status == 0
    assert err.endswith("0 new labels, 1 in all\n")
    assert "expected a label of this run to take back" in err
    assert [label.label for label in LabelFile(path).read()] == ["fox"]


def test_a_label_that_somebody_has_removed_is_told(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "labels.csv"

    class Answers(io.StringIO):
        def readline(self, *_: object) -> str:  # type: ignore[override]
            line = super().readline()
            if line == "u\n":
                path.write_text("path,start_s,end_s,label\nelsewhere.wav,0,1,fox\n", encoding="utf-8")
            return line

    monkeypatch.setattr("sys.stdin", Answers("1\nu\nq\n"))
    status, _, err = run(capsys, "review", home / "scores", "--uncertain", "--labels", path, "--names", "owl")
    assert status == 0
    assert "expected owl at" in err
    assert "look into that file" in err
    assert [label.label for label in LabelFile(path).read()] == ["fox"]


def test_a_list_of_any_names_is_read_again(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in").mkdir()
    names = {f"a{end}b.wav" for end in ("\r", "\n", ",", '"')}
    for name in names:
        (tmp_path / "in" / name).write_bytes((home / "in" / "1.wav").read_bytes())
    scan([tmp_path / "in"], tmp_path / "scores", chosen=Chosen("silero-vad", windows=True))
    for ask in (["review", "--uncertain"], ["search", "--label", "speech"], ["summarize"]):
        command, *more = ask
        status, out, _ = run(capsys, command, tmp_path / "scores", *more, "--csv")
        assert status == 0
        lines = list(csv.reader(io.StringIO(out, newline="")))
        assert {len(line) for line in lines} == {len(lines[0])}
    labels = LabelFile(tmp_path / "labels.csv")
    for one in by_uncertainty(tmp_path / "scores", top=100, per_file=True):
        labels.add(one.path, one.start_s, one.end_s, "owl")
    assert {label.path.rpartition("/")[2] for label in labels.read()} == names
    assert len(labelled.read(tmp_path / "labels.csv").files) == len(names)


def test_what_is_labelled_is_not_listed_again(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = by_uncertainty(home / "scores", top=1)[0]
    LabelFile(tmp_path / "labels.csv").add(first.path, first.start_s, first.end_s, "owl")
    status, out, _ = run(
        capsys, "review", home / "scores", "--uncertain", "--labels", tmp_path / "labels.csv", "--json"
    )
    assert status == 0
    listed = json.loads(out)
    assert len(listed) == 20
    assert (first.path, first.start_s) not in {(one["path"], one["start_s"]) for one in listed}


def test_a_list_has_the_form_that_is_asked_for(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    like = ["review", home / "rows", "--like", f"{home / 'in' / '1.wav'}@0.5"]
    status, out, _ = run(capsys, *like, "--csv", "--top", 2)
    assert status == 0
    rows = list(csv.DictReader(io.StringIO(out)))
    assert list(rows[0]) == ["path", "start_s", "end_s", "score", "guess", "guess_score"]
    assert float(rows[0]["score"]) == pytest.approx(1, abs=1e-6)
    assert run(capsys, *like, "--raven", "--per-file")[1].splitlines()[1].split("\t")[7] == "candidate"
    status, _, err = run(capsys, *like, "--audacity", "--per-file")
    assert status == 2
    assert "take --raven" in err
    status, out, _ = run(capsys, *like, "--audacity", "--top", 1)
    assert (status, out.count("\n")) == (0, 1)


def test_an_excerpt_is_that_part_of_the_sound(home: Path) -> None:
    whole, rate_hz = soundfile.read(home / "in" / "2.wav", dtype="float32")
    got, rate = excerpt(str(home / "in" / "2.wav"), 0.5, 0.75)
    assert rate == rate_hz == RATE_HZ
    np.testing.assert_array_equal(got[:, 0], whole[8_000:12_000])


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (
            ["search", "rows", "--like", "in/0.wav@1", "--model", "aisfx"],
            "--model: expected none without FILE",
        ),
        (["search", "scores", "--label", "speech", "--index"], "--index: expected none with --label"),
        (["review", "scores", "--uncertain", "--model", "aisfx"], "--model: expected none without FILE"),
        (["review", "scores", "--uncertain", "--names", "a,b"], "add --labels FILE.csv"),
        (["review", "scores", "--uncertain", "--by", "ann"], "add --labels FILE.csv"),
        (["summarize", "scores", "--dark"], "add --plot FILE.png"),
        (["summarize", "rows", "--min-score", "0.5"], "got embeddings; leave it out"),
    ],
)
def test_an_option_that_would_do_nothing_is_refused(
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    why: str,
) -> None:
    monkeypatch.chdir(home)
    status, out, err = run(capsys, *words)
    assert (status, out) == (2, "")
    assert why in err
