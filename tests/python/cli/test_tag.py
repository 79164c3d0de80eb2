"""fastaudio tag, models and info, run as a user runs them."""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import pytest
import soundfile
from fastaudio import cli, registry
from fastaudio.tags import CSV_COLUMNS, SCHEMA
from helpers import GUITAR, ROOT, decode
from warm import run

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a tree with two good files, a hidden one, and a text that is no sound."""
    samples, rate = decode(GUITAR)
    (tmp_path / "sub").mkdir()
    soundfile.write(tmp_path / "a.wav", samples[: 2 * rate], rate)
    soundfile.write(tmp_path / "sub" / "b ♪.flac", samples[:rate], rate)
    soundfile.write(tmp_path / ".hidden.wav", samples[:rate], rate)
    (tmp_path / "notes.txt").write_text("no sound", encoding="utf-8")
    return tmp_path


def test_a_file_gives_its_best_tags(tagger: fa.Pipeline) -> None:
    status, out, err = run("tag", GUITAR)
    assert (status, err) == (0, "")
    first, *lines = out.splitlines()
    assert first == f"{GUITAR}  (10.0 s, music 0.66)"
    shown = [(line[2:20].strip(), line.split()[-2 if "#" in line else -1]) for line in lines]
    assert shown == [(label, f"{score:.2f}") for label, score in tagger(GUITAR).top(5)]


def test_top_and_model_are_chosen() -> None:
    status, out, _ = run("tag", GUITAR, "--top", 2, "--model", "vgg-mtt")
    assert status == 0
    want = fa.Pipeline.load("vgg-mtt")(GUITAR).top(2)
    assert [line[2:20].strip() for line in out.splitlines()[1:]] == [label for label, _ in want]


def test_windows_are_listed_with_their_times() -> None:
    status, out, _ = run("tag", GUITAR, "--windows", "--top", 1)
    lines = out.splitlines()[1:]
    assert status == 0
    assert [line.split()[:4] for line in lines] == [
        ["0.00", "-", "2.99", "s"],
        ["2.99", "-", "5.98", "s"],
        ["5.98", "-", "8.98", "s"],
    ]


@pytest.mark.parametrize("windows", [False, True])
def test_json_is_one_list(folder: Path, windows: bool) -> None:
    status, out, err = run("tag", folder, "--json", *(["--windows"] if windows else []))
    assert status == 0
    assert err == f"fastaudio: {folder}: skipped 2 files: 1 .wav (hidden), 1 .txt (not sound)\n"
    data: list[dict[str, Any]] = json.loads(out)
    assert [item["path"] for item in data] == [
        str(folder / "a.wav"),
        str(folder / "sub" / "b ♪.flac"),
    ]
    for item in data:
        assert item["schema"] == SCHEMA
        assert len(item["tags"]) == 5
        assert ("windows" in item) == windows


def test_json_lines_are_one_per_file_or_one_per_window(folder: Path) -> None:
    _, out, _ = run("tag", folder, "--jsonl")
    assert len([json.loads(line) for line in out.splitlines()]) == 2
    _, out, _ = run("tag", GUITAR, "--jsonl", "--windows")
    assert [json.loads(line)["start_s"] for line in out.splitlines()] == [0, 2.992, 5.984]


def test_csv_has_one_header(folder: Path) -> None:
    status, out, _ = run("tag", folder, "--csv", "--top", 3)
    rows = list(csv.DictReader(io.StringIO(out)))
    assert status == 0
    assert tuple(rows[0]) == (*CSV_COLUMNS, "fits")
    assert len(rows) == 6
    assert out.count("schema") == 1


def test_output_goes_to_a_file(folder: Path, tmp_path: Path) -> None:
    status, out, _ = run("tag", folder / "a.wav", "--csv", "--output", tmp_path / "tags.csv")
    assert (status, out) == (0, "")
    assert len((tmp_path / "tags.csv").read_text(encoding="utf-8").splitlines()) == 6


def test_stdin_is_an_audio_file_too() -> None:
    status, out, err = run("tag", "-", "--jsonl", stdin=GUITAR.read_bytes())
    assert (status, err) == (0, "")
    _, alone, _ = run("tag", GUITAR, "--jsonl")
    assert json.loads(out)["tags"] == json.loads(alone)["tags"]


@pytest.mark.parametrize("jobs", [1, 2])
def test_failed_files_are_named_and_the_rest_is_done(folder: Path, jobs: int) -> None:
    missing, bad = folder / "missing.wav", folder / "notes.txt"
    names = [folder / "a.wav", missing, bad, GUITAR]
    status, out, err = run("tag", *names, "--jsonl", "--jobs", jobs)
    assert status == 1
    paths = [json.loads(line)["path"] for line in out.splitlines()]
    assert paths == [str(folder / "a.wav"), str(GUITAR)]
    lines = err.splitlines()
    assert lines[0] == f"fastaudio: {missing}: expected an audio file, got no such file"
    assert lines[1].startswith(f"fastaudio: {bad}: expected audio that libsndfile decodes, got")
    assert lines[2] == "fastaudio: 2 of 4 files failed"


def test_a_single_failed_file_is_a_failure() -> None:
    status, out, err = run("tag", "missing.wav")
    assert (status, out) == (1, "")
    assert "fastaudio: missing.wav: expected an audio file, got no such file" in err


def test_a_truncated_file_is_told_on_stderr(folder: Path) -> None:
    data = (folder / "a.wav").read_bytes()
    (folder / "a.wav").write_bytes(data[: len(data) // 2])
    status, out, err = run("tag", folder / "a.wav", "--json")
    assert status == 0
    assert json.loads(out)[0]["truncated"] is True
    assert "cut short" in err


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nonsense"],
        ["tag"],
        ["tag", "a.wav", "--top", "0"],
        ["tag", "a.wav", "--jobs", "many"],
        ["tag", "a.wav", "--json", "--csv"],
        ["tag", "a.wav", "--nonsense"],
        ["tag", "a.wav", "--model", "nope"],
        ["models", "nope"],
    ],
)
def test_wrong_usage_is_exit_status_2_and_says_why(arguments: list[str]) -> None:
    status, out, err = run(*arguments)
    assert (status, out) == (2, "")
    assert "fastaudio" in err
    assert "Traceback" not in err


def test_a_folder_without_sound_says_what_there_is(tmp_path: Path) -> None:
    assert run("tag", tmp_path) == (
        2,
        "",
        f"fastaudio: tag: expected sound files, got none in {tmp_path} (nothing in it)\n",
    )
    (tmp_path / "notes.txt").write_text("no sound", encoding="utf-8")
    status, out, err = run("tag", tmp_path)
    assert (status, out) == (2, "")
    assert f"got none in {tmp_path} (skipped 1 file: 1 .txt (not sound))" in err


def test_output_that_cannot_be_written_is_exit_status_2(tmp_path: Path) -> None:
    status, _, err = run("tag", GUITAR, "--output", tmp_path / "no" / "such" / "folder")
    assert status == 2
    assert "Traceback" not in err


@pytest.mark.parametrize("command", [[], ["tag"]])
def test_help_shows_examples(command: list[str]) -> None:
    status, out, _ = run(*command, "--help")
    assert status == 0
    assert "examples:\n  fastaudio tag song.mp3" in out


def test_models_are_listed_and_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)  # a line for each model, as where there is no terminal
    status, out, _ = run("models")
    assert status == 0
    here, _, there = out.partition("\nto fetch: fastaudio get NAME\n")
    assert [line.split()[0] for line in here.splitlines()] == ["here", "name", *fa.models()]
    assert "(default)" in here.splitlines()[2]
    assert [line.split()[0] for line in there.splitlines()] == ["name", *registry.entries(), "*"]
    status, out, _ = run("models", "vgg-msd")
    assert status == 0
    for word in ("licence", "citation", "roc_auc", "taggram", "pool5", "female vocalists", "16000 Hz"):
        assert word in out


def test_info_tells_versions_and_libraries() -> None:
    status, out, err = run("info")
    assert (status, err) == (0, "")
    for word in ("fastaudio", fa.__version__, "ONNX Runtime", "instruction set", "libsndfile"):
        assert word in out
    assert "CPUExecutionProvider" in out
    assert run("--version")[1].strip() == f"fastaudio {fa.__version__}"


def test_a_reader_that_goes_away_ends_it_quietly(folder: Path) -> None:
    for i in range(8):
        shutil.copy(folder / "a.wav", folder / f"copy {i}.wav")
    command = [sys.executable, "-m", "fastaudio", "tag", str(folder), "--jobs", "1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert b"Traceback" not in process.stderr.read()


def test_interrupted_is_exit_status_130(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(fa.Pipeline, "load", interrupt)
    assert cli.main(["tag", str(GUITAR)]) == 130
    assert capsys.readouterr().err == "fastaudio: interrupted\n"


def test_features_cannot_be_tagged(tmp_path: Path) -> None:
    fa.Pipeline(fa.MelSpectrogram()).save(tmp_path / "mel.json")
    status, _, err = run("tag", GUITAR, "--model", tmp_path / "mel.json")
    assert status == 2
    assert "expected a model that gives tags, got features; fastaudio embed writes these" in err


def test_a_model_without_labels_says_so_and_where_to_go() -> None:
    assert "labels       none; fastaudio embed writes what it gives" in run("models", "aisfx")[1]
    for command in (["tag", GUITAR], ["tag", GUITAR, "--events"], ["listen", "-", "--onset", "0.3"]):
        status, out, err = run(*command, "--model", "aisfx")
        assert (status, out) == (2, "")
        assert "aisfx: expected a model that gives tags, got features; fastaudio embed" in err


def test_the_shipped_models_are_in_the_readme_the_default_one_first() -> None:
    names = sorted(path.parent.name for path in (ROOT / "models").glob("*/card.json"))
    assert fa.models() == sorted(names, key=lambda name: name != "musicnn-mtt")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [name for name in names if f"| `{name}`" not in readme] == []


def test_stdin_can_be_named_once() -> None:
    status, out, err = run("tag", "-", "-", stdin=GUITAR.read_bytes())
    assert (status, out) == (2, "")
    assert "expected stdin once, got it twice" in err


@pytest.mark.parametrize("hop_s", ["1e308", "1e20"])
def test_a_hop_that_no_clip_has_is_no_traceback(hop_s: str) -> None:
    status, _, err = run("tag", GUITAR, "--hop", hop_s)
    assert status in (0, 2)
    assert "Traceback" not in err
