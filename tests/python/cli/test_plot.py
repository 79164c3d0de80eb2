"""`fastaudio plot`: a picture of a recording, written whole or not at all."""

from __future__ import annotations

import io
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from cli_helpers import run
from fastaudio import Events
from fastaudio.cli.plot import _part_reaching
from helpers import GUITAR
from pictures import read_png

if TYPE_CHECKING:
    from pathlib import Path

    from fastaudio import Pipeline


@pytest.fixture(autouse=True)
def _matplotlib(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("matplotlib", reason="pip install '.[plot]'")
    monkeypatch.chdir(tmp_path)


def test_a_picture_gets_the_files_name_in_this_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(capsys, "plot", GUITAR) == (0, "guitar.png\n", "")
    assert read_png((tmp_path / "guitar.png").read_bytes()).shape[:2] == (800, 1200)
    status, out, err = run(capsys, "plot", GUITAR)
    assert (status, out) == (2, "")
    assert "guitar.png: expected no file there, got one; choose another name, or add --force" in err
    assert run(capsys, "plot", GUITAR, "--force", "--size", "600x400", "--dark", "--onset", "0.2")[0] == 0
    dark = read_png((tmp_path / "guitar.png").read_bytes())
    assert dark.shape[:2] == (400, 600)
    assert dark[0, 0, :3].max() < 0.2


@pytest.mark.parametrize(("name", "begins"), [("a.svg", b"<?xml"), ("a.pdf", b"%PDF"), ("a", b"\x89PNG")])
def test_the_name_says_the_format(
    name: str, begins: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(capsys, "plot", GUITAR, "-o", name, "--events") == (0, f"{name}\n", "")
    assert (tmp_path / name).read_bytes().startswith(begins)


def test_sound_comes_from_stdin_and_the_picture_goes_to_stdout(
    capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    from fastaudio import cli

    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(GUITAR.read_bytes())))
    assert cli.main(["plot", "-", "-o", "-", "--top", "3"]) == 0
    assert read_png(capfdbinary.readouterr().out).shape[:2] == (800, 1200)


def test_a_file_that_is_cut_short_is_drawn_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "cut.flac").write_bytes(GUITAR.read_bytes()[:200_000])
    status, out, err = run(capsys, "plot", "cut.flac")
    assert (status, out) == (0, "cut.png\n")
    assert "cut.flac: the file is cut short, got" in err


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["no.wav"], 1, "no.wav: "),
        (["bad.wav"], 1, "bad.wav: "),
        (["."], 2, "plot: expected -o FOLDER for 1 recordings, got none; name one"),
        (["-"], 2, "plot: expected -o FILE with sound from stdin, got none"),
        ([str(GUITAR), "-o", "a.wav"], 2, "a.wav: expected a name that ends in one of .png, .svg, .pdf"),
        ([str(GUITAR), "-o", "none/a.png"], 2, "none/a.png: expected a folder"),
        ([str(GUITAR), "-o", "bad.wav"], 2, "bad.wav: expected a name that ends in"),
        (
            [str(GUITAR), "--size", "big"],
            2,
            "expected a size such as 1200x800, with sides from 300 to 10000, got big",
        ),
        ([str(GUITAR), "--size", "100000x800"], 2, "with sides from 300 to 10000, got 100000x800"),
        ([str(GUITAR), "--model", "aisfx"], 2, "expected a model that gives tags, got features"),
        ([str(GUITAR), "--channel", "7"], 1, "channel"),
    ],
)
def test_what_cannot_be_drawn_leaves_no_picture(
    arguments: list[str], status: int, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bad.wav").write_bytes(b"no sound at all")
    got, out, err = run(capsys, "plot", *arguments)
    assert (got, out) == (status, "")
    assert message in err
    assert [path.name for path in tmp_path.iterdir()] == ["bad.wav"]


def test_without_matplotlib_the_command_that_adds_it_is_told_before_the_work(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    status, out, err = run(capsys, "plot", "no such file.wav")
    assert (status, out) == (2, "")
    assert "expected matplotlib, got none; pip install 'fastaudio-toolkit[plot]'" in err


def test_a_folder_gives_a_picture_of_each_recording(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("in/a.flac", "in/sub/b.flac"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(GUITAR.read_bytes())
    (tmp_path / "in" / "bad.wav").write_bytes(b"no sound")
    status, out, err = run(capsys, "plot", "in", "-o", "out", "--size", "400x300")
    assert (status, out) == (1, "out/a.png\nout/sub/b.png\n")
    assert "bad.wav: expected audio" in err
    assert all(read_png((tmp_path / name).read_bytes()).shape[:2] == (300, 400) for name in out.split())
    assert "out/a.png: expected no file there" in run(capsys, "plot", "in", "-o", "out")[2]
    status, _, err = run(capsys, "plot", "in")
    assert (status, "plot: expected -o FOLDER for 3 recordings, got none; name one" in err) == (2, True)


def test_min_score_leaves_out_labels_and_events_that_stay_below(tagger: Pipeline) -> None:
    tags = tagger(GUITAR)
    kept = _part_reaching(tags, 0.3)
    assert list(kept.labels) == [label for label in tags.labels if tags[label].max() >= 0.3]
    assert all((kept[label] == tags[label]).all() for label in kept.labels)
    assert 0 < len(kept.labels) < len(tags.labels)
    events = (tagger >> Events(onset=[0.2]))(GUITAR)
    assert [event.peak >= 0.3 for event in _part_reaching(events, 0.3)] == [True] * sum(
        e.peak >= 0.3 for e in events
    )
    assert len(_part_reaching(tags, 2.0).labels) == 0


def test_a_picture_of_which_nothing_is_left_is_drawn(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "plot", GUITAR, "--min-score", "2", "-o", "none.png") == (0, "none.png\n", "")
