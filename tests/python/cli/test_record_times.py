"""Recordings that follow one another: their times, their names, and lost sound."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import numpy as np
import soundfile
from fastaudio.cli.record import Recorder
from fastaudio.running.start_time import start_in_name
from record_helpers import RATE, SOUND, START, record

if TYPE_CHECKING:
    from pathlib import Path


def test_files_follow_one_another_to_the_sample_and_are_named_by_their_time(tmp_path: Path) -> None:
    recorder = Recorder(str(tmp_path / "rec.flac"), RATE, 1, every_s=1.0, bits=16, started=START)
    assert list(tmp_path.iterdir()) == []  # nothing before the first sample
    for first in range(0, len(SOUND), 7001):
        recorder.write(SOUND[first : first + 7001])
    recorder.close()
    names = sorted(path.name for path in tmp_path.iterdir())
    times = [START + timedelta(seconds=k) for k in range(3)]
    assert names == [f"rec_{moment:%Y%m%d_%H%M%S}.flac" for moment in times]
    parts = [soundfile.read(tmp_path / name, dtype="int16")[0] for name in names]
    assert [len(part) for part in parts] == [RATE] * 3
    assert np.array_equal(np.concatenate(parts), SOUND)


def test_a_time_that_comes_twice_gives_another_name(tmp_path: Path) -> None:
    taken = tmp_path / f"rec_{START:%Y%m%d_%H%M%S}.wav"
    taken.write_bytes(b"old")
    for force in (False, True):
        record(tmp_path / "rec.wav", SOUND, every_s=3600.0, started=START, force=force)
    assert taken.read_bytes() == b"old"
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == [taken.name, f"{taken.stem}_2.wav", f"{taken.stem}_3.wav"]


def test_lost_sound_is_silence_so_that_times_stay_right(tmp_path: Path) -> None:
    said: list[str] = []
    recorder = Recorder(str(tmp_path / "rec.wav"), RATE, 1, bits=16)
    recorder.write(SOUND[:100])
    recorder.lose(70_000, said.append)
    recorder.write(SOUND[100:200], said.append)
    recorder.close()
    got = soundfile.read(tmp_path / "rec.wav", dtype="int16")[0]
    assert np.array_equal(got, np.concatenate([SOUND[:100], np.zeros(70_000, np.int16), SOUND[100:200]]))
    assert said == [f"fastaudio: {tmp_path / 'rec.wav'}: 1.458 s of sound lost at 0.002 s: silence there"]


def test_a_long_loss_begins_another_file_with_its_own_time(tmp_path: Path) -> None:
    said: list[str] = []
    recorder = Recorder(str(tmp_path / "rec.wav"), RATE, 1, every_s=3600.0, bits=16, started=START)
    recorder.write(SOUND[:RATE])
    recorder.lose(7199 * RATE, said.append)
    recorder.write(SOUND[RATE:], said.append)
    recorder.close()
    later = START + timedelta(hours=2)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == [f"rec_{START:%Y%m%d_%H%M%S}.wav", f"rec_{later:%Y%m%d_%H%M%S}.wav"]
    assert np.array_equal(soundfile.read(tmp_path / names[1], dtype="int16")[0], SOUND[RATE:])
    assert "7199.000 s of sound lost: another file begins" in said[0]


def test_hours_of_lost_sound_are_not_written_but_begin_another_file(tmp_path: Path) -> None:
    said: list[str] = []
    recorder = Recorder(str(tmp_path / "rec.wav"), RATE, 1, bits=16, started=START)
    recorder.write(SOUND[:RATE])
    recorder.lose(28_800 * RATE, said.append)
    recorder.write(SOUND[RATE:])
    recorder.close()
    later = START + timedelta(seconds=28_801)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["rec.wav", f"rec_{later:%Y%m%d_%H%M%S}.wav"]
    parts = [soundfile.read(tmp_path / name, dtype="int16")[0] for name in names]
    assert [len(part) for part in parts] == [RATE, 2 * RATE]
    assert np.array_equal(np.concatenate(parts), SOUND)
    assert "28800.000 s of sound lost: another file begins" in said[0]


def test_names_are_in_local_time_whatever_the_zone_of_the_start(tmp_path: Path) -> None:
    for hours in (-9, 0, 5):
        folder = tmp_path / str(hours)
        folder.mkdir()
        started = START.astimezone(timezone(timedelta(hours=hours)))
        record(folder / "rec.wav", SOUND, every_s=1.0, started=started)
        starts = sorted(start_in_name(path) for path in folder.iterdir())  # type: ignore[type-var]
        assert starts == [START + timedelta(seconds=k) for k in range(3)]


def test_files_that_come_at_once_are_named_by_when_each_was_heard(tmp_path: Path) -> None:
    record(tmp_path / "rec.wav", np.zeros(30 * RATE, np.int16), every_s=10.0)  # after the disk has stalled
    first, *others = sorted(start_in_name(path) for path in tmp_path.iterdir())  # type: ignore[type-var]
    assert first is not None
    assert 28 <= (datetime.now().astimezone() - first).total_seconds() < 60
    for k, other in enumerate(others, start=1):
        assert other is not None
        assert abs((other - first).total_seconds() - 10 * k) <= 2
