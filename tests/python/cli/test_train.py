"""fastaudio train makes a model of labelled folders; evaluate says how good it is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import fastaudio as fa
import pytest
import soundfile
from fastaudio import cli
from fastaudio.cli.train import groups_of
from heads_helpers import RATE, embedder, tone, write_network, write_tones

if TYPE_CHECKING:
    from pathlib import Path


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    """Return exit status, stdout and stderr of the command line."""
    try:
        status = cli.main([*map(str, arguments)])
    except SystemExit as error:
        status = int(str(error.code))
    out, err = capsys.readouterr()
    return status, out, err


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the card of a small embedder."""
    folder = tmp_path_factory.mktemp("base")
    embedder(write_network(folder / "net.onnx")).save(folder / "card.json")
    return folder


@pytest.fixture
def sounds(tmp_path: Path) -> Path:
    """Return four files of each of two tones."""
    write_tones(tmp_path / "sounds", ["low", "high"], 4)
    return tmp_path / "sounds"


@pytest.fixture
def mine(base: Path, sounds: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """Return a model trained on these."""
    status, _, err = run(capsys, "train", sounds, "-o", tmp_path / "mine", "--model", base)
    assert (status, err) == (0, "")
    return tmp_path / "mine"


def test_a_folder_of_labels_becomes_a_model(
    base: Path, sounds: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    to = tmp_path / "mine"
    drawings = ["--plot", tmp_path / "a.png", "--plot-labels", tmp_path / "b.png"]
    status, out, err = run(capsys, "train", sounds, "-o", to, "--model", base, "--folds", 2, *drawings)
    assert (status, err) == (0, "")
    assert out.startswith("8 files of 2 labels; linear head on 'embedding' of tones 2.1.0, 12 values\n")
    assert "2-fold cross-validation on these 8 files, mean +- standard deviation" in out
    assert out.endswith(f"{to}: saved; fastaudio tag FILE --model {to}\n")
    assert {path.name for path in to.iterdir()} == {"card.json", "model.onnx"}
    assert (tmp_path / "a.png").stat().st_size > 5_000
    assert (tmp_path / "b.png").stat().st_size > 5_000
    status, out, _ = run(capsys, "tag", sounds / "low" / "low_0-0.wav", "--model", to, "--jsonl")
    assert status == 0
    assert json.loads(out)["tags"][0]["label"] == "low"
    status, out, _ = run(capsys, "models", to)
    assert status == 0
    assert "Scores of 2 labels every 0.25 s, by a head on 'embedding' of tones." in out


def test_options_reach_the_head(
    base: Path, sounds: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kind = ["--kind", "mlp", "--hidden", 7, "--average", "--l2", "--penalty", 0.5, "--layer", "embedding"]
    trial = ["--folds", 2, "--seed", 3, "--groups", r"_(\d)-", "--jobs", 1, "--quiet"]
    to = tmp_path / "mine.onnx"
    status, _, err = run(capsys, "train", sounds, "-o", to, "--model", base, *kind, *trial)
    assert (status, err) == (0, "")
    card = fa.Pipeline.load(to).card
    want = {"kind": "mlp", "hidden": 7, "average": True, "l2": True, "penalty": 0.5, "folds": 2, "seed": 3}
    assert {key: card["head"][key] for key in want} == want
    assert card["head"]["groups"] == 2
    assert card["name"] == "mine"


def test_files_that_fail_are_named_and_the_status_says_so(
    base: Path, sounds: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = sounds / "low" / "bad.wav"
    bad.write_text("no sound", encoding="utf-8")
    cut = sounds / "high" / "cut.wav"
    soundfile.write(cut, tone(2500, 2.0, 1), RATE)
    cut.write_bytes(cut.read_bytes()[: RATE * 2])
    status, out, err = run(capsys, "train", sounds, "-o", tmp_path / "mine", "--model", base)
    assert status == 1
    assert f"left out (1):\n  {bad}: expected audio that libsndfile decodes" in out
    assert err.splitlines() == [
        f"fastaudio: {cut}: the file is cut short, got 1.00 s",
        "fastaudio: 1 of 10 files failed",
    ]
    assert (tmp_path / "mine" / "card.json").is_file()
    status, out, err = run(capsys, "evaluate", tmp_path / "mine", sounds)
    assert status == 1
    assert f"{bad}: expected audio" in out
    assert "1 of 10 files failed" in err


def test_evaluate_measures_and_draws(
    mine: Path, sounds: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, err = run(capsys, "evaluate", mine, sounds, "--plot", tmp_path / "c.png")
    assert (status, err) == (0, "")
    assert out.startswith("8 files of 2 labels\n  balanced accuracy  1.000\n")
    assert (tmp_path / "c.png").stat().st_size > 5_000
    status, out, _ = run(capsys, "evaluate", mine, sounds, "--json")
    data = json.loads(out)
    assert status == 0
    assert data["model"] == "mine"
    assert data["confusion"] == [[4, 0], [0, 4]]


def test_folders_that_are_no_label_are_refused_or_skipped(
    mine: Path, sounds: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (sounds / "high").rename(sounds / "shrill")
    status, out, err = run(capsys, "evaluate", mine, sounds)
    assert (status, out) == (2, "")
    assert err == (
        f"fastaudio: evaluate: expected sub-folders named as labels of {mine}, got shrill; "
        "rename them, or leave them out with --skip-unknown\n"
    )
    status, out, err = run(capsys, "evaluate", mine, sounds, "--skip-unknown")
    assert status == 0
    assert out.startswith("4 files of 1 labels\n")
    assert err == f"fastaudio: skipped, no label of {mine}: shrill\n"


def test_a_model_that_is_there_is_not_overwritten(
    mine: Path, sounds: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (mine / "card.json").read_bytes()
    status, out, err = run(capsys, "train", sounds, "-o", mine)
    assert (status, out) == (2, "")
    assert err == f"fastaudio: train: expected -o as a place without a model, got {mine}; remove it first\n"
    assert (mine / "card.json").read_bytes() == before


def test_groups_are_a_part_of_the_name_or_a_folder() -> None:
    files = ["in/bass/band a/x_032-1.wav", "in/flute/band b/deep/y_007-2.wav"]
    assert groups_of("in", files, r"_(\d+)-") == ["032", "007"]
    assert groups_of("in", files, r"^.") == ["x", "y"]
    assert groups_of("in", files, "1") == ["band a", "band b"]
    for rule, message in (
        ("(", r"--groups: expected a regular expression, got '\('"),
        ("x_", r"--groups: expected 'x_' in each file's name, got in/flute/band b/deep/y_007-2\.wav"),
        ("2", r"--groups: expected in/bass/band a/x_032-1\.wav at least 2 folders below .*, got 1"),
        ("0", r"--groups: expected in/bass/band a/x_032-1\.wav at least 1 folders below .*, got 1"),
    ):
        with pytest.raises(ValueError, match=message):
            groups_of("in", files, rule)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train"], "the following arguments are required"),
        (["train", "nope", "-o", "x"], "nope: expected a folder with a sub-folder for each label"),
        (["train", "{sounds}", "-o", "x", "--model", "nope"], "expected one of musicnn-mtt"),
        (["train", "{sounds}", "-o", "x", "--layer", "nope"], "expected one of taggram"),
        (["train", "{sounds}", "-o", "x", "--folds", "1"], "expected folds as an int of at least 2, got 1"),
        (["evaluate", "musicnn-mtt"], "the following arguments are required"),
        (["evaluate", "nope", "{sounds}"], "expected one of musicnn-mtt"),
    ],
)
def test_wrong_usage_is_exit_status_2_and_says_why(
    capsys: pytest.CaptureFixture[str], sounds: Path, arguments: list[str], message: str
) -> None:
    status, out, err = run(capsys, *[text.format(sounds=sounds) for text in arguments])
    assert (status, out) == (2, "")
    assert message in err


@pytest.mark.parametrize("command", ["train", "evaluate"])
def test_help_shows_examples(capsys: pytest.CaptureFixture[str], command: str) -> None:
    status, out, _ = run(capsys, command, "--help")
    assert status == 0
    assert f"examples:\n  fastaudio {command} " in out
