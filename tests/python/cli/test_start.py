"""`fastaudio tag` tells the time of day of recordings whose start is known."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import soundfile
from fastaudio import cli
from helpers import GUITAR, decode

if TYPE_CHECKING:
    from pathlib import Path

START = datetime(2023, 4, 1, 5, 30, tzinfo=UTC)
NAME = "SM4_20230401_053000Z.wav"


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    samples, rate = decode(GUITAR)
    soundfile.write(tmp_path / NAME, samples[: 7 * rate], rate)
    return tmp_path / NAME


def tag(*arguments: object) -> int:
    return cli.main(["tag", *map(str, arguments), "--quiet"])


def late_s(part: dict[str, Any]) -> float:
    """Seconds from the start of the recording to the part's time."""
    moment = datetime.fromisoformat(part["time"])
    assert moment.tzinfo is not None
    return (moment - START).total_seconds()


@pytest.mark.parametrize("options", [[], ["--windows"], ["--onset", "0.2"]])
def test_lines_have_the_time_that_the_name_says(
    options: list[str], recording: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tag(recording, "--jsonl", *options) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines
    for line in lines:
        assert late_s(line) == pytest.approx(line.get("start_s", 0.0), abs=0.001)


@pytest.mark.parametrize(("options", "key"), [(["--windows"], "windows"), (["--onset", "0.2"], "events")])
def test_a_list_has_it_for_the_whole_and_for_each_part(
    options: list[str], key: str, recording: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tag(recording, "--json", *options) == 0
    (whole,) = json.loads(capsys.readouterr().out)
    assert late_s(whole) == 0
    assert whole[key]
    for part in whole[key]:
        assert late_s(part) == pytest.approx(part["start_s"], abs=0.001)


def test_an_option_says_it_for_a_single_file(recording: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert tag(recording, "--jsonl", "--start", "2026-11-28T13:15:00+01:00") == 0
    assert json.loads(capsys.readouterr().out)["time"] == "2026-11-28T13:15:00.000+01:00"
    assert tag(recording, recording, "--jsonl", "--start", "2026-11-28T13:15:00+01:00") == 2
    assert "tag: expected one file with --start, got 2" in capsys.readouterr().err
    assert tag(recording, "--start", "2026-11-28T13:15:00") == 2
    assert "tag: expected --json or --jsonl with --start" in capsys.readouterr().err


def test_other_names_leave_the_lines_as_they_were(
    recording: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = recording.rename(tmp_path / "song.wav")
    assert tag(other, "--jsonl") == 0
    assert "time" not in json.loads(capsys.readouterr().out)


def test_an_unfinished_run_goes_on_with_a_start(recording: Path, tmp_path: Path) -> None:
    path = tmp_path / "tags.jsonl"
    options = ["--jsonl", "--output", path, "--start", (START + timedelta(hours=1)).isoformat()]
    assert tag(recording, *options, "--resume") == 0
    assert late_s(json.loads(path.read_text(encoding="utf-8"))) == 3600
