"""What commands write: never over an input, never half, never over what is there unless it is asked for."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import fastaudio as fa
import numpy as np
import pytest
import soundfile
from fastaudio import cli
from fastaudio.tags import CSV_COLUMNS, Tags
from helpers import GUITAR, decode


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    """Return exit status, stdout and stderr."""
    status = cli.main([*map(str, arguments)])
    return status, *capsys.readouterr()


def tree(path: Path) -> dict[str, bytes]:
    """Every file below, hidden ones too, with its content."""
    return {p.relative_to(path).as_posix(): p.read_bytes() for p in path.rglob("*") if p.is_file()}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with two short sounds, one in a folder of its own."""
    samples, rate = decode(GUITAR)
    (tmp_path / "in" / "sub").mkdir(parents=True)
    soundfile.write(tmp_path / "in" / "a.wav", samples[: 3 * rate], rate)
    soundfile.write(tmp_path / "in" / "sub" / "b.flac", samples[rate : 4 * rate], rate)
    return tmp_path / "in"


COMMANDS = [["tag"], ["tag", "--csv"], ["tag", "--onset", "0.2", "--audacity"], ["embed"]]


@pytest.mark.skipif(not hasattr(os, "link"), reason="links of POSIX")
@pytest.mark.parametrize("force", [[], ["--force"], ["--resume"], ["--force", "--resume"]])
def test_an_output_that_is_an_input_is_refused_and_stays(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, force: list[str]
) -> None:
    (folder / "soft.npz").symlink_to("a.wav")
    os.link(folder / "a.wav", folder / "hard.npz")
    shutil.copy(folder / "a.wav", folder / "same.npz")
    before = tree(folder)
    monkeypatch.chdir(folder)
    for command in COMMANDS:
        own = "--mean" if command[0] == "embed" else "--top=3"
        for source, name in (
            ("same.npz", "same.npz"),
            ("a.wav", "sub/../hard.npz"),
            ("sub/../a.wav", "soft.npz"),
            ("hard.npz", str(folder / "hard.npz")),
        ):
            status, out, err = run(capsys, *command, own, source, "--output", name, *force)
            assert (status, out) == (2, "")
            assert "expected another file than the inputs, got" in err
    for name in ("a.wav", "sub/b.flac"):  # found in the folder
        status, out, err = run(capsys, "tag", ".", "--csv", "--output", name, *force)
        assert (status, out) == (2, "")
        assert "expected another file than the inputs" in err
    status, out, err = run(capsys, "tag", ".", "--csv", "--output", "sub/new.wav", *force)
    assert (status, out) == (2, "")
    assert "where the next run would read it; choose another" in err
    assert tree(folder) == before


def test_a_model_and_statistics_are_inputs_too(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fa.Pipeline.load().save(tmp_path / "mine" / "card.json")
    fa.Pipeline.load().save(tmp_path / "mine.onnx")
    run(capsys, "embed", folder, "--standardize", "self", "--output", tmp_path / "train.npz")
    before = tree(tmp_path)
    mine = tmp_path / "mine"
    for model, name in (
        (mine, "mine/card.json"),
        (mine / "card.json", "mine/model.onnx"),
        (f"{mine}.onnx",) * 2,
    ):
        status, _, err = run(capsys, "tag", folder, "--model", model, "--output", tmp_path / name, "--force")
        assert (status, "expected another file than the inputs" in err) == (2, True)
    statistics = tmp_path / "train.npz"
    status, _, err = run(
        capsys, "embed", folder, "--standardize", statistics, "--output", statistics, "--force"
    )
    assert (status, "expected another file than the inputs" in err) == (2, True)
    assert tree(tmp_path) == before


@pytest.mark.parametrize("command", COMMANDS)
def test_a_file_that_is_there_needs_force(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    out = tmp_path / "out.npz"
    out.write_bytes(b"dear")
    call = [*command, folder / "a.wav", "--output", out]
    status, said, err = run(capsys, *call)
    assert (status, said) == (2, "")
    assert err == f"fastaudio: {out}: expected no file there, got one; choose another name, or add --force\n"
    assert out.read_bytes() == b"dear"
    assert run(capsys, *call, "--force")[0] == 0
    assert out.read_bytes() != b"dear"
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["out.npz"]


@pytest.mark.parametrize("name", ["no/such/out.npz", "in", "a.txt/out.npz", "a.txt/"])
@pytest.mark.parametrize("command", [["tag"], ["tag", "--json"], ["embed"]])
def test_what_cannot_be_written_is_found_out_before_a_model_is_loaded(  # noqa: PLR0917
    folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    command: list[str],
    name: str,
) -> None:
    def load(*_: object, **__: object) -> None:
        pytest.fail("work began")

    monkeypatch.setattr(fa.Pipeline, "load", load)
    monkeypatch.setattr("fastaudio.cli.embed.row_writer", lambda _: None)
    monkeypatch.chdir(tmp_path)
    Path("a.txt").touch()
    if command[0] == "tag" and name == "in":
        return  # each recording gets a file there
    status, out, err = run(capsys, *command, folder, "--output", name)
    assert (status, out) == (2, "")
    assert f"{name}: expected " in err
    assert "Traceback" not in err


def test_a_run_that_fails_leaves_the_old_file(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "tags.csv"
    out.write_bytes(b"dear")
    status, said, err = run(capsys, "tag", folder / "no.wav", "--csv", "--output", out, "--force")
    assert (status, said) == (1, "")
    assert f"{out}: left as it was, since nothing succeeded" in err
    assert out.read_bytes() == b"dear"
    assert not Path(f"{out}.part").exists()


def test_csv_has_its_header_even_without_a_row_and_names_the_model(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, _ = run(capsys, "tag", folder / "no.wav", "--csv")
    assert (status, out) == (1, ",".join([*CSV_COLUMNS, "fits"]) + "\n")
    status, out, _ = run(capsys, "tag", folder / "no.wav", "--csv", "--onset", "0.2")
    assert (status, out.split(",")[0], out.splitlines()[1:]) == (1, "schema", [])
    run(capsys, "tag", folder / "no.wav", "--csv", "--output", tmp_path / "tags.csv")
    assert (tmp_path / "tags.csv").read_text() == ",".join([*CSV_COLUMNS, "fits"]) + "\n"
    for options in ([], ["--windows"], ["--onset", "0.2"]):
        _, out, _ = run(capsys, "tag", folder, "--csv", *options)
        rows = list(csv.DictReader(io.StringIO(out)))
        assert {row["model"] for row in rows} == {"musicnn-mtt"}
        assert len({row["path"] for row in rows}) == 2


def test_json_without_a_result_is_an_empty_list(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "tag", folder / "no.wav", "--json")[1] == "[]\n"
    assert run(capsys, "tag", folder / "no.wav", "--jsonl")[1] == ""


@pytest.mark.parametrize(("form", "suffix"), [("audacity", ".txt"), ("raven", ".Table.1.selections.txt")])
def test_each_recording_gets_a_table_of_its_own(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], form: str, suffix: str
) -> None:
    shutil.copy(folder / "a.wav", folder / "twice.wav")
    shutil.copy(folder / "sub" / "b.flac", folder / "twice.flac")
    call = ["tag", folder, f"--{form}", "--onset", 0.2, "--output", tmp_path / "out"]
    assert run(capsys, *call)[:2] == (0, "")
    names = ["a", "sub/b", "twice.flac", "twice.wav"]  # two recordings that differ in their suffix
    assert sorted(tree(tmp_path / "out")) == sorted(name + suffix for name in names)
    for source, name in ((folder / "a.wav", "a"), (folder / "sub" / "b.flac", "sub/b")):
        _, alone, _ = run(capsys, "tag", source, f"--{form}", "--onset", 0.2)
        assert (tmp_path / "out" / (name + suffix)).read_text(encoding="utf-8") == alone
    status, _, err = run(capsys, *call)
    assert status == 2
    assert "expected no file there, got one; choose another name, or add --force" in err
    assert run(capsys, *call, "--force")[0] == 0
    assert run(capsys, "tag", folder, f"--{form}", "--onset", 0.2, "--output", "-")[0] == 2
    (tmp_path / "out" / ("a" + suffix)).unlink()
    os.link(folder / "sub" / "b.flac", tmp_path / "out" / ("a" + suffix))
    status, _, err = run(capsys, *call, "--force")
    assert (status, "expected another file than the inputs" in err) == (2, True)
    status, _, err = run(capsys, "tag", folder / "a.wav", GUITAR, *call[2:-1], folder / "a.wav", "--force")
    assert status == 2
    assert "expected the name of a folder, got a file's" in err
    (tmp_path / "in 2").mkdir()
    shutil.copy(folder / "a.wav", tmp_path / "in 2" / "a.wav")
    status, _, err = run(capsys, "tag", tmp_path / "in 2" / "a.wav", folder / "a.wav", *call[2:])
    assert status == 2
    assert "expected one recording of that name, got" in err


def test_tables_that_broke_off_while_they_were_written_go_on(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    call = ["tag", folder, "--audacity", "--onset", 0.2, "--output", tmp_path / "deep" / "out"]
    link = os.link

    def second_fails(source: Any, target: Any, **how: Any) -> None:
        if Path(target).name == "b.txt":
            raise KeyboardInterrupt
        link(source, target, **how)

    with monkeypatch.context() as patch:
        patch.setattr(os, "link", second_fails)
        assert run(capsys, *call)[0] == 130
    assert sorted(tree(tmp_path / "deep")) == ["out.part", "out/a.txt"]
    status, _, err = run(capsys, *call, "--resume")
    assert (status, "2 of 2 files are done already" in err) == (0, True)
    assert sorted(tree(tmp_path / "deep")) == ["out/a.txt", "out/sub/b.txt"]


def test_low_scores_are_left_out_in_every_form(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call = ["tag", folder / "a.wav", "--top", 50, "--min-score", 0.1]
    tags = fa.Pipeline.load()(folder / "a.wav")
    want = [label for label, score in tags.top(50) if round(score, 6) >= 0.1]
    assert 0 < len(want) < 50
    text = run(capsys, *call)[1].splitlines()
    assert [line[2:20].strip() for line in text[1:]] == want
    (data,) = json.loads(run(capsys, *call, "--json", "--windows")[1])
    assert [tag["label"] for tag in data["tags"]] == want
    assert all(tag["score"] >= 0.1 for window in data["windows"] for tag in window["tags"])
    line = json.loads(run(capsys, *call, "--jsonl")[1])
    assert [tag["label"] for tag in line["tags"]] == want
    rows = list(csv.DictReader(io.StringIO(run(capsys, *call, "--csv")[1])))
    assert [row["label"] for row in rows] == want


def test_the_step_between_windows_is_chosen(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "tag", GUITAR, "--hop", 1, "--jsonl", "--windows", "--top", 1)
    want = fa.Pipeline.load().with_hop(1)(GUITAR)
    assert [json.loads(line)["start_s"] for line in out.splitlines()] == want.times[:, 0].round(6).tolist()


def test_scores_that_are_no_numbers_fail_by_name_and_the_rest_is_done(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    call = fa.Pipeline.__call__

    def spoil(self: fa.Pipeline, source: Any, **how: Any) -> Any:
        tags = call(self, source, **how)
        assert isinstance(tags, Tags)
        scores = np.full_like(tags.scores, np.nan if "a.wav" in str(source) else 0.5)
        return replace(tags, scores=scores)

    monkeypatch.setattr(fa.Pipeline, "__call__", spoil)
    for options in (
        ["--json"],
        ["--jsonl"],
        ["--csv"],
        ["--json", "--windows"],
        ["--jsonl", "--windows"],
    ):
        status, out, err = run(capsys, "tag", folder, "--no-kind", *options)
        assert status == 1
        assert f"{folder / 'a.wav'}: expected scores that are numbers, got NaN or infinity" in err
        assert "1 of 2 files failed" in err
        assert "b.flac" in out
        assert "NaN" not in out
        assert "Infinity" not in out


def test_rows_that_are_no_numbers_fail_by_name_and_the_rest_is_done(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = cli.embed._clip

    def spoil(pipeline: fa.Pipeline, source: Any, **how: Any) -> Any:
        found = clip(pipeline, source, **how)
        return replace(found, rows=found.rows * (np.nan if "a.wav" in str(source) else 1))

    monkeypatch.setattr(cli.embed, "_clip", spoil)
    out = tmp_path / "out.npz"
    status, _, err = run(capsys, "embed", folder, "--standardize", "self", "--output", out)
    assert status == 1
    assert f"{folder / 'a.wav'}: expected rows of numbers, got NaN or infinity" in err
    with np.load(out) as data:
        assert data["paths"].tolist() == [str(folder / "sub" / "b.flac")]
        assert np.isfinite(data["embeddings"]).all()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes of POSIX")
def test_devices_are_written_straight(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "embed", folder, "--output", os.devnull)[0] == 0
    assert run(capsys, "tag", folder, "--json", "--output", os.devnull)[:2] == (0, "")
    _, want, _ = run(capsys, "tag", folder, "--json")
    assert run(capsys, "tag", folder, "--json", "--output", "-")[1] == want
