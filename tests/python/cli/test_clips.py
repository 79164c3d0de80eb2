"""Clips of live events: the sound from before each to after it, whatever was lost; nothing is overwritten."""

from __future__ import annotations

import threading
import time
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


def save(kept: Clips, **how: Any) -> None:
    """Save what is due, and wait for it."""
    kept.save(**how)
    kept.close()


def read(folder: Path) -> dict[str, Any]:
    return {path.name: soundfile.read(path, dtype="int16")[0] for path in sorted(folder.iterdir())}


def test_a_clip_has_what_was_before_and_after_and_comes_once_it_is_there(tmp_path: Path) -> None:
    kept = clips(tmp_path)
    for first in range(0, 30 * RATE, 170):
        kept.write(SOUND[first : min(first + 170, 30 * RATE)])
        if first == 16_150:
            kept.want(event(10, 16), time_of)
        save(kept)
        if first < 20_800:
            assert read(tmp_path) == {}
    (name,) = read(tmp_path)
    assert name == f"{time_of(10):%Y%m%d_%H%M%S}_dog.flac"
    assert np.array_equal(read(tmp_path)[name], SOUND[7 * RATE : 21 * RATE])


def test_a_name_is_in_local_time_whatever_the_zone_of_the_start(tmp_path: Path) -> None:
    kept = clips(tmp_path)
    kept.write(SOUND[: 10 * RATE])
    kept.want(event(1, 2), lambda seconds: time_of(seconds).astimezone(timezone(timedelta(hours=-9))))
    save(kept, all_=True)
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
    save(kept)
    assert len(read(tmp_path)) == 1
    save(kept, all_=True)
    cat, dog = sorted(read(tmp_path).items(), key=lambda pair: pair[0][16:])
    assert np.array_equal(dog[1], SOUND[: 7 * RATE])
    assert np.array_equal(cat[1], SOUND[5 * RATE : 10 * RATE])


def test_lost_sound_is_silence_and_shifts_nothing(tmp_path: Path) -> None:
    kept = clips(tmp_path)
    kept.write(SOUND[: 10 * RATE])
    kept.lose(2 * RATE)
    kept.write(SOUND[10 * RATE : 20 * RATE])
    kept.want(event(9, 13), time_of)
    save(kept)
    (got,) = read(tmp_path).values()
    want = np.concatenate([SOUND[6 * RATE : 10 * RATE], np.zeros(2 * RATE), SOUND[10 * RATE : 16 * RATE]])
    assert np.array_equal(got, want)


def test_of_a_long_event_its_end_is_kept_and_memory_stays_bounded(tmp_path: Path) -> None:
    kept = clips(tmp_path, waiting_s=10.0)
    for first in range(0, len(SOUND), RATE):
        kept.write(SOUND[first : first + RATE])
        assert sum(len(block) for _, block in kept._blocks) <= (LONGEST_S + 10 + 1) * RATE
    kept.want(event(20, 390), time_of)
    save(kept)
    (got,) = read(tmp_path).values()
    assert np.array_equal(got, SOUND[(395 - 120) * RATE : 395 * RATE])


def test_channels_and_floats_stay(tmp_path: Path) -> None:
    sound = np.random.default_rng(1).uniform(-1, 1, (10 * RATE, 2)).astype(np.float32)
    kept = clips(tmp_path, before_s=1.0, after_s=1.0)
    kept.write(sound)
    kept.want(event(3, 4), time_of)
    save(kept)
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
    save(kept)
    names = [path.name for path in folder.iterdir()]
    assert len(names) == 3
    assert all(name.startswith(f"{time_of(1):%Y%m%d_%H%M%S}_") for name in names)
    assert [path.name for path in tmp_path.iterdir()] == ["deep"]


def test_an_event_that_goes_on_is_not_saved_yet(tmp_path: Path) -> None:
    kept = clips(tmp_path)
    kept.write(SOUND)
    kept.want(event(1, None), time_of)
    save(kept, all_=True)
    assert read(tmp_path) == {}


def test_what_cannot_be_saved_is_told_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "clips"
    kept = clips(folder)
    folder.rmdir()
    kept.write(SOUND[: 30 * RATE])
    for start_s in (1, 5, 9):
        kept.want(event(start_s, start_s + 1), time_of)
    save(kept)
    assert kept.failed
    err = capsys.readouterr().err
    assert err.startswith("fastaudio: --clips: ")
    assert err.count("\n") == 1


def test_whatever_a_library_raises_the_next_clip_is_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = clips(tmp_path)
    kept.write(SOUND[: 40 * RATE])
    kept.want(event(5, 6), time_of)

    def fail(*_: Any, **__: Any) -> None:
        raise KeyError("of another library")

    with monkeypatch.context() as patch:
        patch.setattr("fastaudio.cli.clips.writing", fail)
        save(kept)
    kept.want(event(20, 21), time_of)
    save(kept, all_=True)
    assert capsys.readouterr().err == "fastaudio: --clips: 'of another library'; listening goes on\n"
    assert kept.failed
    assert len(read(tmp_path)) == 1


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


def fill(folder: Path, n: int, **options: Any) -> Clips:
    """Save clips of 10 s of noise, of about 20 kB each, with an own label each."""
    kept = clips(folder, before_s=5.0, after_s=5.0, **options)
    kept.write(SOUND)
    for k in range(n):
        kept.want(event(20 + 3 * k, 20.1 + 3 * k, f"clip{k:02}"), time_of)
        save(kept)
    return kept


def test_of_more_clips_than_have_room_the_oldest_are_deleted_and_that_is_said_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("20200101_000000_old.flac", "20200101_000000.flac", "rec_20200101_000000.flac", "notes.txt"):
        (tmp_path / name).write_bytes(bytes(70_000))
    (tmp_path / "20200101_000001_folder.flac").mkdir()
    (tmp_path / "20200101_000002_link.flac").symlink_to(tmp_path / "notes.txt")
    kept = fill(tmp_path, 12, most_mb=1)
    assert kept._room is not None
    assert capsys.readouterr().err == ""
    kept._room._most = 250_000
    kept.want(event(60, 60.1, "last"), time_of)
    save(kept)
    kept.want(event(70, 70.1, "very last"), time_of)
    save(kept)
    assert not kept.failed
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert err.endswith("the oldest clips are deleted from now on, first 20200101_000000_old.flac\n")
    names = {path.name for path in tmp_path.iterdir()}
    assert {"20200101_000000.flac", "rec_20200101_000000.flac", "notes.txt"} < names
    assert {"20200101_000001_folder.flac", "20200101_000002_link.flac"} < names
    own = sorted(name for name in names if name.startswith("2026"))
    assert own[-1].endswith("very_last.flac")
    assert own[0].endswith("clip04.flac") or own[0] > "20261128"
    assert sum((tmp_path / name).stat().st_size for name in own) <= 250_000


def test_a_clip_that_is_larger_than_all_the_room_is_not_saved_and_that_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = clips(tmp_path, most_mb=1)
    assert kept._room is not None
    kept._room._most = 1000
    kept.write(SOUND)
    kept.want(event(100, 200), time_of)
    save(kept)
    assert kept.failed
    assert "expected room for a clip of 1 MB, got less; give more by --clips-mb" in capsys.readouterr().err
    assert read(tmp_path) == {}


def test_a_slow_disk_holds_nobody_up_and_what_is_dropped_is_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = threading.Event()
    kept = clips(tmp_path)
    monkeypatch.setattr(kept, "_save", lambda *_: slow.wait(120))
    monkeypatch.setattr("fastaudio.cli.clips._MOST_UNSAVED", 8 * 4 * 8000)
    kept.write(SOUND)
    started_s = time.monotonic()
    for k in range(14):
        kept.want(event(20 + k, 20.5 + k), time_of)
    kept.save()
    assert time.monotonic() - started_s < 60
    assert kept.failed
    assert "MB of sound wait for it, and other clips are dropped" in capsys.readouterr().err
    slow.set()
    for _ in range(2):
        kept.close()
    assert capsys.readouterr().err.count("clips were dropped") == 1


def test_as_many_events_as_end_at_once_have_clips(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept = clips(tmp_path)
    kept.write(SOUND)
    for k in range(40):
        kept.want(event(20, 20.5, f"label {k}"), time_of)
    kept.save()
    kept.close()
    assert len(list(tmp_path.rglob("*.flac"))) == 40
    assert not kept.failed
    assert capsys.readouterr().err == ""


def test_room_needs_a_folder(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["listen", "-", "--rate", "8000", "--clips-mb", "3"]) == 2
    assert "expected --clips with --clips-mb, got none; name a folder" in capsys.readouterr().err
