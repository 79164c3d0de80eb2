"""Clips of live events: the sound from before each to after it, whatever was lost; nothing is overwritten."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soundfile
from fastaudio import cli
from fastaudio._system.writing import OutputError
from fastaudio.cli.clips import LONGEST_S, Clips
from fastaudio.events import Event
from fastaudio.running.start_time import start_in_name
from helpers import GUITAR, decode

if TYPE_CHECKING:
    from pathlib import Path

RATE = 1000
START = datetime(2026, 11, 28, 13, 15).astimezone()
SOUND = np.random.default_rng(0).integers(-(2**15), 2**15, 400 * RATE).astype(np.int16)


def time_of(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def clips(folder: Path, **options: Any) -> Clips:
    return Clips(str(folder), RATE, 1, **{"before_s": 3.0, "after_s": 5.0, "waiting_s": 60.0} | options)


def event(start_s: float, end_s: float | None, label: str = "dog") -> Event:
    return Event(label, start_s, end_s, 0.5, 0.5)


def read(folder: Path) -> dict[str, Any]:
    return {path.name: soundfile.read(path, dtype="int16")[0] for path in sorted(folder.iterdir())}


def test_a_clip_has_what_was_before_and_after_and_comes_once_it_is_there(tmp_path: Path) -> None:
    kept = clips(tmp_path)
    for first in range(0, 30 * RATE, 170):
        kept.write(SOUND[first : min(first + 170, 30 * RATE)])
        if first == 16_150:
            kept.want(event(10, 16), time_of)
        kept.save()
        if first < 20_800:
            assert read(tmp_path) == {}
    (name,) = read(tmp_path)
    assert name == f"{time_of(10):%Y%m%d_%H%M%S}_dog.flac"
    assert np.array_equal(read(tmp_path)[name], SOUND[7 * RATE : 21 * RATE])


def test_a_name_is_in_local_time_whatever_the_zone_of_the_start(tmp_path: Path) -> None:
    kept = clips(tmp_path)
    kept.write(SOUND[: 10 * RATE])
    kept.want(event(1, 2), lambda seconds: time_of(seconds).astimezone(timezone(timedelta(hours=-9))))
    kept.save(all_=True)
    assert start_in_name(next(tmp_path.iterdir())) == time_of(1)


def test_what_is_read_while_a_source_is_lost_takes_no_memory(tmp_path: Path) -> None:
    kept = clips(tmp_path)
    for _ in range(1000):
        kept.write(SOUND[:0])
    assert len(kept._blocks) == 0


def test_near_the_ends_of_the_sound_a_clip_is_shorter(tmp_path: Path) -> None:
    kept = clips(tmp_path)
    kept.write(SOUND[: 10 * RATE])
    kept.want(event(1, 2), time_of)
    kept.want(event(8, 9, "cat"), time_of)
    kept.save()
    assert len(read(tmp_path)) == 1
    kept.save(all_=True)
    cat, dog = sorted(read(tmp_path).items(), key=lambda pair: pair[0][16:])
    assert np.array_equal(dog[1], SOUND[: 7 * RATE])
    assert np.array_equal(cat[1], SOUND[5 * RATE : 10 * RATE])


def test_lost_sound_is_silence_and_shifts_nothing(tmp_path: Path) -> None:
    kept = clips(tmp_path)
    kept.write(SOUND[: 10 * RATE])
    kept.lose(2 * RATE)
    kept.write(SOUND[10 * RATE : 20 * RATE])
    kept.want(event(9, 13), time_of)
    kept.save()
    (got,) = read(tmp_path).values()
    want = np.concatenate([SOUND[6 * RATE : 10 * RATE], np.zeros(2 * RATE), SOUND[10 * RATE : 16 * RATE]])
    assert np.array_equal(got, want)


def test_of_a_long_event_its_end_is_kept_and_memory_stays_bounded(tmp_path: Path) -> None:
    kept = clips(tmp_path, waiting_s=10.0)
    for first in range(0, len(SOUND), RATE):
        kept.write(SOUND[first : first + RATE])
        assert sum(len(block) for _, block in kept._blocks) <= (LONGEST_S + 10 + 1) * RATE
    kept.want(event(20, 390), time_of)
    kept.save()
    (got,) = read(tmp_path).values()
    assert np.array_equal(got, SOUND[(395 - 120) * RATE : 395 * RATE])


def test_channels_and_floats_stay(tmp_path: Path) -> None:
    sound = np.random.default_rng(1).uniform(-1, 1, (10 * RATE, 2)).astype(np.float32)
    kept = clips(tmp_path, before_s=1.0, after_s=1.0)
    kept.write(sound)
    kept.want(event(3, 4), time_of)
    kept.save()
    (path,) = tmp_path.iterdir()
    got = soundfile.read(path, dtype="float32")[0]
    assert got.shape == (3 * RATE, 2)
    assert np.abs(got - sound[2 * RATE : 5 * RATE]).max() <= 2**-23


@pytest.mark.parametrize(
    "label", ["../../etc/passwd", "a/b", "dog: bark?", "\u5409\u4ed6", "x" * 300, "吉" * 100, ".."]
)
def test_a_label_names_a_file_in_the_folder_and_nothing_is_overwritten(label: str, tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "folder"
    kept = clips(folder)
    kept.write(SOUND[: 10 * RATE])
    for _ in range(3):
        kept.want(event(1, 2, label), time_of)
    kept.save()
    names = [path.name for path in folder.iterdir()]
    assert len(names) == 3
    assert all(name.startswith(f"{time_of(1):%Y%m%d_%H%M%S}_") for name in names)
    assert [path.name for path in tmp_path.iterdir()] == ["deep"]


def test_an_event_that_goes_on_is_not_saved_yet(tmp_path: Path) -> None:
    kept = clips(tmp_path)
    kept.write(SOUND)
    kept.want(event(1, None), time_of)
    kept.save(all_=True)
    assert read(tmp_path) == {}


def test_what_cannot_be_saved_is_told_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "clips"
    kept = clips(folder)
    folder.rmdir()
    kept.write(SOUND[: 30 * RATE])
    for start_s in (1, 5, 9):
        kept.want(event(start_s, start_s + 1), time_of)
    kept.save()
    assert kept.failed
    err = capsys.readouterr().err
    assert err.startswith("fastaudio: --clips: ")
    assert err.count("\n") == 1


def test_a_file_is_no_folder_and_no_clip_is_endless(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError, match="expected the name of a folder, got a file's"):
        clips(tmp_path / "file")
    with pytest.raises(ValueError, match="--before: expected at most 60 seconds, got 61"):
        clips(tmp_path, before_s=61.0)


def test_the_command_line_saves_what_tag_finds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    samples, rate = decode(GUITAR)
    sound = np.round(samples[:, 0] * 32_767).astype(np.int16)
    path, folder = tmp_path / "20261128_131500.wav", tmp_path / "clips"
    soundfile.write(path, sound[: 7 * rate], rate, subtype="PCM_16")
    options = ["--onset", "0.3", "--clips", folder, "--before", 0.5, "--after", 0.25, "--audacity"]
    assert cli.main(["listen", "--realtime", str(path), *map(str, options)]) == 0
    events = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert events
    found = read(folder)
    assert len(found) == len(events)
    for start, end, label in events:
        first = max(0, round(float(start) * rate) - rate // 2)
        last = min(7 * rate, int(np.ceil(float(end) * rate)) + rate // 4)
        (name,) = [name for name in found if label.replace(" ", "_") in name]
        whole = START + timedelta(seconds=int(float(start)))
        assert name.startswith(f"{whole:%Y%m%d_%H%M%S}")
        assert abs(len(found[name]) - (last - first)) <= 1
        n = min(len(found[name]), last - first)
        assert np.array_equal(found[name][:n], sound[first : first + n])
