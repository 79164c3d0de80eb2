"""An option or --output's name chooses the form of results, and a folder gets a file for each recording."""

from __future__ import annotations

import csv
import json
import shutil
from typing import TYPE_CHECKING

import fastaudio as fa
import numpy as np
import pytest
import soundfile
from cli_helpers import run
from fastaudio.cli.forms import SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Tag = Callable[..., tuple[int, str, str]]

RATE = 16_000
LOOSE = ("--onset", "0.3", "--no-kind")
LABELS = ["low", "high"]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a model that hears low and high sound, ten times per second, without a network."""
    path = tmp_path_factory.mktemp("model") / "toy.json"
    mel = fa.MelSpectrogram(sample_rate=RATE, n_fft=4096, hop_length=RATE // 10, n_mels=2)
    fa.Pipeline(mel >> fa.Log(scale=1e3, offset=1) >> fa.MinMaxScale(min=0, max=20) >> fa.Tags(LABELS)).save(
        path
    )
    return path


def tone(hz: float, s: float = 2.0) -> np.ndarray:
    sound = 0.5 * np.sin(2 * np.pi * hz * np.arange(int(s * RATE)) / RATE)
    return np.concatenate([np.zeros(RATE), sound, np.zeros(RATE)]).astype(np.float32)


@pytest.fixture
def night(tmp_path: Path) -> Path:
    """Return a folder with recordings of the same name in two folders, and one of another name."""
    folder = tmp_path / "night"
    for name, hz in (("a.wav", 200), ("sub/a.wav", 6000), ("sub/b c.flac", 200)):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(folder / name, tone(hz), RATE)
    return folder


@pytest.fixture
def tag(model: Path, capsys: pytest.CaptureFixture[str]) -> Tag:
    return lambda *words: run(capsys, "tag", "--model", model, *words)


def contents(folder: Path) -> dict[str, str]:
    return {
        p.relative_to(folder).as_posix(): p.read_text("utf-8")
        for p in sorted(folder.rglob("*"))
        if p.is_file()
    }


def test_the_name_of_the_output_chooses_its_form_where_no_option_does(
    night: Path, tmp_path: Path, tag: Tag
) -> None:
    for name, form in (("o.csv", "csv"), ("o.JSON", "json"), ("o.jsonl", "jsonl"), ("o.rttm", "rttm")):
        assert tag(night, *LOOSE, "--output", tmp_path / name)[0] == 0
        assert (tmp_path / name).read_text("utf-8") == tag(night, *LOOSE, f"--{form}")[1]
    assert tag(night / "a.wav", *LOOSE, "--output", tmp_path / "o.TextGrid")[0] == 0
    assert (tmp_path / "o.TextGrid").read_text("utf-8") == tag(night / "a.wav", *LOOSE, "--praat")[1]
    assert tag(night / "a.wav", "--json", "--output", tmp_path / "tags.csv")[0] == 0
    assert json.loads((tmp_path / "tags.csv").read_text("utf-8"))
    assert tag(night / "a.wav", "--output", tmp_path / "plain")[0] == 0
    assert (tmp_path / "plain").read_text("utf-8") == tag(night / "a.wav")[1]


@pytest.mark.parametrize("form", SUFFIXES)
def test_a_folder_gets_a_file_for_each_recording_as_that_recording_alone_gives(
    form: str | None,
    night: Path,
    tmp_path: Path,
    tag: Tag,
) -> None:
    options = [*LOOSE, *([f"--{form}"] if form else [])]
    out = tmp_path / "out"
    assert tag(night, *options, "--output", f"{out}/") == (0, "", "")
    ends = SUFFIXES[form]
    found = contents(out)
    assert list(found) == sorted([f"a{ends}", f"sub/a{ends}", f"sub/b c{ends}"])
    for name, text in found.items():
        source = next(
            path
            for path in night.rglob("*.*")
            if path.relative_to(night).with_suffix("").as_posix() == name.removesuffix(ends)
        )
        assert text == tag(source, *options)[1]


def test_a_folder_that_is_there_is_one_too_and_keeps_what_is_in_it(
    night: Path, tmp_path: Path, tag: Tag
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine.txt").write_text("mine", encoding="utf-8")
    assert tag(night / "a.wav", "--csv", "--output", out)[0] == 0
    assert sorted(contents(out)) == ["a.csv", "mine.txt"]
    status, _, err = tag(night, "--csv", "--output", out)
    assert (status, "a.csv: expected no file there, got one" in err) == (2, True)
    assert tag(night, "--csv", "--output", out, "--force")[0] == 0
    assert sorted(contents(out)) == ["a.csv", "mine.txt", "sub/a.csv", "sub/b c.csv"]


def test_recordings_that_would_share_a_name_get_their_own_or_are_refused(
    night: Path, tmp_path: Path, tag: Tag
) -> None:
    shutil.copy(night / "a.wav", night / "a.flac")
    out = tmp_path / "out"
    assert tag(night, "--jsonl", "--output", f"{out}/")[0] == 0
    assert {"a.wav.jsonl", "a.flac.jsonl", "sub/a.jsonl"} <= set(contents(out))
    status, _, err = tag(
        night / "a.wav", night / "sub" / "a.wav", "--jsonl", "--output", f"{tmp_path}/other/"
    )
    assert status == 2
    assert "expected one recording of that name, got " in err


def test_an_unfinished_folder_is_gone_on_with(night: Path, tmp_path: Path, tag: Tag) -> None:
    whole, out = tmp_path / "whole", tmp_path / "out"
    bad = night / "z.wav"
    bad.write_bytes(b"RIFF")
    assert tag(night, "--csv", "--output", f"{out}/")[0] == 1
    before = (out / "a.csv").stat().st_mtime_ns
    soundfile.write(bad, tone(300), RATE)
    assert tag(night, "--csv", "--output", f"{out}/", "--resume")[0] == 0
    assert (out / "a.csv").stat().st_mtime_ns == before
    assert tag(night, "--csv", "--output", f"{whole}/")[0] == 0
    assert contents(out) == contents(whole)
    assert not list(tmp_path.glob("*.part"))


def test_rttm_tells_recordings_of_one_name_apart(night: Path, tag: Tag) -> None:
    ids = {line.split()[1] for line in tag(night, *LOOSE, "--rttm")[1].splitlines()}
    assert ids == {str(night / "a.wav"), str(night / "sub" / "a.wav"), "b_c"}


def test_rttm_tells_paths_apart_that_differ_in_spaces_only(night: Path, tag: Tag) -> None:
    folders = [night / "d 1", night / "d_1"]
    for folder in folders:
        folder.mkdir()
        shutil.copy(night / "a.wav", folder)
    ids = {line.split()[1] for line in tag(*folders, *LOOSE, "--rttm")[1].splitlines()}
    assert ids == {str(night / "d_1" / "a.wav"), f"{night / 'd_1' / 'a.wav'}_2"}


def test_a_raven_table_names_its_recording(night: Path, tag: Tag) -> None:
    rows = list(
        csv.DictReader(tag(night / "sub" / "b c.flac", *LOOSE, "--raven")[1].splitlines(), delimiter="\t")
    )
    assert rows
    assert {row["Begin File"] for row in rows} == {"b c.flac"}


def test_min_score_leaves_out_tags_and_events_alike(night: Path, tag: Tag) -> None:
    every = json.loads(tag(night, *LOOSE, "--json")[1])
    peaks = sorted(event["peak"] for one in every for event in one["events"])
    least = (peaks[0] + peaks[-1]) / 2
    assert peaks[0] < least < peaks[-1]
    wanted = [[event for event in one["events"] if event["peak"] >= least] for one in every]
    kept = json.loads(tag(night, *LOOSE, "--json", "--min-score", least)[1])
    assert [one["events"] for one in kept] == wanted
    n_lines = len(tag(night, *LOOSE, "--rttm", "--min-score", least)[1].splitlines())
    assert n_lines == sum(map(len, wanted))
    status, out, err = tag(night / "a.wav", *LOOSE, "--csv", "--min-score", 2)
    assert (status, len(out.splitlines())) == (0, 1)
    assert "no events (1 with peaks below 2)" in err
    assert "  no events (1 with peaks below 2)\n" in tag(night / "a.wav", *LOOSE, "--min-score", 2)[1]
