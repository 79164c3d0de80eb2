"""fastaudio train makes a model of labelled folders; evaluate says how good it is."""

from __future__ import annotations

import errno
import json
import os
from typing import TYPE_CHECKING

import fastaudio as fa
import pytest
import soundfile
from cli_helpers import run
from fastaudio import heads
from fastaudio.cli.labels import groups_of
from fastaudio.heads import fitting
from heads_helpers import RATE, tone

if TYPE_CHECKING:
    from pathlib import Path


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
    train = ["train", sounds, "-o", tmp_path / "mine", "--model", base]
    status, out, err = run(capsys, *train)
    assert (status, out) == (2, "")
    assert "heads.fit: expected embeddings of every file, got none of 1; " in err
    assert f"add --allow-missing (allow_missing=True) to go on without:\n    {bad}: expected audio" in err
    assert not (tmp_path / "mine").exists()
    status, out, err = run(capsys, *train, "--allow-missing")
    assert status == 1
    assert f"left out (1):\n  {bad}: expected audio that libsndfile decodes" in out
    assert err.splitlines() == [
        f"fastaudio: {cut}: the file is cut short, got 1.00 s",
        f"fastaudio: 8 of 10 embeddings from {tmp_path / 'fastaudio-embeddings'}",
        "fastaudio: 1 of 10 files failed",
    ]
    assert (tmp_path / "mine" / "card.json").is_file()
    status, out, err = run(capsys, "evaluate", tmp_path / "mine", sounds)
    assert status == 1
    assert f"{bad}: expected audio" in out
    assert "1 of 10 files failed" in err


def test_a_model_is_never_replaced_by_what_learned_from_it(
    base: Path, sounds: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path.name: path.read_bytes() for path in base.iterdir()}
    for model in (base, base / "card.json"):
        status, out, err = run(capsys, "train", sounds, "-o", base, "--model", model, "--force")
        assert (status, out) == (2, "")
        assert "card.json: expected another file than the inputs" in err
    assert {path.name: path.read_bytes() for path in base.iterdir()} == before


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


def test_evaluate_takes_model_and_output_as_other_commands_do(
    mine: Path, sounds: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    want = run(capsys, "evaluate", mine, sounds, "--json")
    for words in ((sounds, "--model", mine), ("--model", mine, sounds), (mine, "--quiet", sounds)):
        assert run(capsys, "evaluate", *words, "--json") == want
    for name, form in (("result.json", []), ("result.txt", []), ("result", ["--json"])):
        assert run(capsys, "evaluate", mine, sounds, "-o", tmp_path / name, *form) == (0, "", "")
    assert (
        (tmp_path / "result.json").read_text("utf-8") == (tmp_path / "result").read_text("utf-8") == want[1]
    )
    assert (tmp_path / "result.txt").read_text("utf-8") == run(capsys, "evaluate", mine, sounds)[1]
    status, _, err = run(capsys, "evaluate", mine, sounds, "-o", tmp_path / "result.json")
    assert (status, "result.json: expected no file there, got one" in err) == (2, True)
    assert run(capsys, "evaluate", mine, sounds, "-o", tmp_path / "result.json", "--force")[0] == 0


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
    status, _, err = run(capsys, "evaluate", "swift-f0", sounds)
    assert (status, err) == (
        2,
        "fastaudio: evaluate: expected a model with labels, got swift-f0, which has none\n",
    )
    (sounds / "low").rename(sounds / "deep")
    for more in ([], ["--skip-unknown"]):  # which would leave nothing
        status, _, err = run(capsys, "evaluate", mine, sounds, *more)
        assert (status, err.endswith("got deep, shrill; rename them to its own, which are high, low\n")) == (
            2,
            True,
        )


def test_a_model_that_is_there_is_replaced_only_with_force(
    mine: Path, base: Path, sounds: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (mine / "card.json").read_bytes()
    status, out, err = run(capsys, "train", sounds, "-o", mine, "--model", base)
    assert (status, out) == (2, "")
    assert "card.json: expected no file there, got one; choose another name, or add --force" in err
    assert (mine / "card.json").read_bytes() == before
    status, _, err = run(capsys, "train", sounds, "-o", mine, "--model", base, "--kind", "mlp", "--force")
    assert status == 0
    assert fa.Pipeline.load(mine).card["head"]["kind"] == "mlp"
    assert len(list(mine.iterdir())) == 2  # the old network is gone
    (mine / "notes.txt").write_text("mine", encoding="utf-8")
    card = json.loads((mine / "card.json").read_text(encoding="utf-8"))
    card["pipeline"][3]["path"] = "notes.txt"
    (mine / "card.json").write_text(json.dumps(card), encoding="utf-8")
    status, _, _ = run(capsys, "train", sounds, "-o", mine, "--model", base, "--force")
    assert status == 0
    assert (mine / "notes.txt").exists()  # a card doesn't say what may be deleted
    status, out, _ = run(capsys, "tag", sounds / "low" / "low_0-0.wav", "--model", mine)
    assert status == 0


def test_a_run_that_fails_leaves_the_old_model_as_it_was(
    mine: Path,
    base: Path,
    sounds: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = {path.name: path.read_bytes() for path in mine.iterdir()}

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    status, _, err = run(
        capsys, "train", sounds, "-o", mine, "--model", base, "--kind", "mlp", "--force", "--no-cache"
    )
    assert status in (1, 2)
    assert "No space left on device" in err
    assert {path.name: path.read_bytes() for path in mine.iterdir()} == before


@pytest.mark.parametrize(
    "case",
    [
        (["-o", "{tmp}/file/mine"], "expected the name of a folder, got a file's: {tmp}/file"),
        (["-o", "{tmp}/file.onnx"], "file.onnx: expected no file there, got one"),
        (["-o", "{tmp}/file.onnx", "--force"], "file.onnx: expected a model to replace, got another file"),
        (["-o", "{tmp}/file.json", "--force"], "file.json: expected a model to replace, got another file"),
        (["-o", "{tmp}/x", "--plot", "{tmp}/nodir/c.png"], "c.png: expected a folder {tmp}/nodir, got none"),
        (["-o", "{tmp}/x", "--plot-labels", "{tmp}/nodir/c.png"], "c.png: expected a folder {tmp}/nodir"),
        (["-o", "{tmp}/x", "--plot", "{tmp}/c.wav"], "c.wav: expected a name that ends in one of .png"),
        (["-o", "{tmp}/x", "--plot", "{tmp}/old.png"], "old.png: expected no file there, got one"),
        (["-o", "{tmp}/x", "--plot", "{tmp}/c.png", "--plot-labels", "{tmp}/c.png"], "another file than"),
        (["-o", "{tmp}/x", "--cache", "{tmp}/file/cache"], "expected the name of a folder, got a file's"),
    ],
)
def test_what_can_not_be_written_is_found_out_before_the_work(  # noqa: PLR0917  # fixtures
    base: Path,
    sounds: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    case: tuple[list[str], str],
) -> None:
    outputs, message = case
    for name in ("file", "file.onnx", "file.json", "old.png"):
        (tmp_path / name).write_text("mine", encoding="utf-8")
    before = sorted(tmp_path.rglob("*"))

    def work(*_: object, **__: object) -> None:
        raise AssertionError("the work has begun")

    monkeypatch.setattr(fitting, "read", work)
    arguments = [text.format(tmp=tmp_path) for text in outputs]
    status, out, err = run(capsys, "train", sounds, "--model", base, *arguments)
    assert (status, out) == (2, "")
    assert message.format(tmp=tmp_path) in err
    assert sorted(tmp_path.rglob("*")) == before


def test_labels_without_sound_are_named_and_nothing_is_saved(
    base: Path, sounds: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in ("empty/.keep", "text/a.txt", "text/b.txt", "low/notes.txt"):
        (sounds / path).parent.mkdir(exist_ok=True)
        (sounds / path).write_text("no sound", encoding="utf-8")
    soundfile.write(sounds / "alone.wav", tone(300, 0.5, 1), RATE)
    to = tmp_path / "mine"
    train = ["train", sounds, "-o", to, "--model", base]
    status, out, err = run(capsys, *train)
    assert (status, out) == (2, "")
    refused = (
        "expected sound in each sub-folder, and none beside, got 3 that differ; mend that, or add "
        "--allow-missing (allow_missing=True) to go on without:"
    )
    assert err.splitlines() == [
        "fastaudio: skipped 1 file: 1 .txt (not sound)",
        f"fastaudio: {sounds}: {refused}",
        f"    {sounds}/empty/: expected sound, got none; it is empty",
        f"    {sounds}/text/: expected sound, got none; skipped 2 files: 2 .txt (not sound)",
        f"    {sounds}/alone.wav: expected a sub-folder for its label, got none; move it into one",
    ]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["sounds"]
    status, out, _ = run(capsys, *train, "--allow-missing")
    assert status == 1
    assert f"left out (3):\n  {sounds}/empty/: expected sound, got none" in out
    assert fa.Pipeline.load(to).card["head"]["labels"] == {"high": 4, "low": 4}
    status, _, err = run(capsys, "evaluate", to, sounds)
    assert status == 1
    assert f"{sounds}/text/: expected sound, got none" in err
    status, _, err = run(capsys, "evaluate", to, sounds, "--skip-unknown")
    assert (status, err) == (0, "fastaudio: skipped 1 file: 1 .txt (not sound)\n")


def test_a_label_of_which_no_file_can_be_read_is_named(
    base: Path, sounds: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (sounds / "phone").mkdir()
    for i in range(3):
        (sounds / "phone" / f"{i}.m4a").write_bytes(b"\0\0\0\x1cftypM4A no sound")
    train = ["train", sounds, "-o", tmp_path / "mine", "--model", base]
    status, out, err = run(capsys, *train)
    assert (status, out) == (2, "")
    assert f"{sounds}/phone/0.m4a: expected " in err
    assert not (tmp_path / "mine").exists()
    status, out, err = run(capsys, *train, "--allow-missing")
    assert status == 1
    assert "labels without a file that could be used: phone\n" in out
    assert fa.Pipeline.load(tmp_path / "mine").card["head"]["labels"] == {"high": 4, "low": 4}
    assert "fastaudio: 3 of 11 files failed" in err


def test_labels_behind_links_are_found(
    base: Path, sounds: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (sounds / "high").rename(tmp_path / "elsewhere")
    (sounds / "high").symlink_to(tmp_path / "elsewhere")
    status, _, err = run(capsys, "train", sounds, "-o", tmp_path / "mine", "--model", base)
    assert (status, err) == (0, "")
    assert fa.Pipeline.load(tmp_path / "mine").card["head"]["labels"] == {"high": 4, "low": 4}


def test_a_model_among_the_labels_is_none(
    base: Path, sounds: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("first", "second"):
        status, _, _ = run(capsys, "train", sounds, "-o", sounds / name, "--model", base)
        assert status == 0


def test_a_drawing_of_an_evaluation_is_looked_after_before_the_work(
    mine: Path,
    sounds: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "old.png").write_text("mine", encoding="utf-8")
    work = heads.evaluate
    monkeypatch.setattr(heads, "evaluate", None)
    for to, message in (
        (tmp_path / "nodir" / "c.png", f"expected a folder {tmp_path / 'nodir'}, got none"),
        (tmp_path / "old.png", "expected no file there, got one; choose another name, or add --force"),
        (tmp_path / "c.xyz", "expected a name that ends in one of .png"),
    ):
        status, out, err = run(capsys, "evaluate", mine, sounds, "--plot", to)
        assert (status, out) == (2, "")
        assert message in err
    monkeypatch.setattr(heads, "evaluate", work)
    status, out, _ = run(capsys, "evaluate", mine, sounds, "--plot", tmp_path / "old.png", "--force")
    assert status == 0
    assert (tmp_path / "old.png").read_bytes().startswith(b"\x89PNG")


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
        (["train", "nope", "-o", "x"], "nope: expected a folder, or a table of labels, got neither"),
        (["train", "{sounds}", "-o", "x", "--model", "nope"], "expected one of musicnn-mtt"),
        (["train", "{sounds}", "-o", "x", "--layer", "nope"], "expected one of taggram"),
        (["train", "{sounds}", "-o", "x", "--folds", "1"], "expected folds as an int of at least 2, got 1"),
        (["evaluate", "musicnn-mtt"], "after the model musicnn-mtt, got none; name it"),
        (["evaluate", "a", "b", "{sounds}"], "evaluate: expected one model and one source, got a, b, "),
        (
            ["evaluate", "a", "{sounds}", "--model", "b"],
            "evaluate: expected --model or a, got both; leave out",
        ),
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
