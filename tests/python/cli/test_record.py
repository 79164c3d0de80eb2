"""Recordings of live sound: of any length, whole whatever happens, and never over another file."""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
import threading
from contextlib import ExitStack
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soundfile
from fastaudio._system.writing import OutputError
from fastaudio.cli import main
from fastaudio.cli.keeping import Keeping
from fastaudio.cli.record import Recorder, RecordError, duration
from fastaudio.decoding.audio_file import AudioFile
from helpers import GUITAR, decode
from record_helpers import RATE, SOUND, START, record

if TYPE_CHECKING:
    from pathlib import Path


SUFFIXES = [".wav", ".w64", ".flac"]


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("bits", [16, 24])
def test_samples_come_back_with_the_bits_that_were_asked_for(suffix: str, bits: int, tmp_path: Path) -> None:
    path = tmp_path / f"heard{suffix}"
    record(path, SOUND[:1000], SOUND[1000:], bits=bits)
    info = soundfile.info(path)
    assert (info.samplerate, info.channels, info.frames, info.subtype) == (RATE, 1, len(SOUND), f"PCM_{bits}")
    assert np.array_equal(soundfile.read(path, dtype="int16")[0], SOUND)
    floats = (SOUND / 32_768).astype(np.float32) * np.float32(0.7)
    record(tmp_path / f"floats{suffix}", floats, bits=bits)
    got = soundfile.read(tmp_path / f"floats{suffix}", dtype="float32")[0]
    assert np.abs(got - floats).max() <= 1.0 / 2 ** (bits - 1)


def test_short_wav_is_plain_wav(tmp_path: Path) -> None:
    record(tmp_path / "heard.wav", SOUND)
    assert (tmp_path / "heard.wav").read_bytes()[:4] == b"RIFF"
    assert soundfile.info(tmp_path / "heard.wav").format in {"WAV", "WAVEX"}


@pytest.mark.parametrize(("suffix", "name"), [(".wav", "RF64"), (".w64", "W64")])
def test_recordings_go_on_beyond_four_gibibytes(suffix: str, name: str, tmp_path: Path) -> None:
    """The file is sparse: five gibibytes of it are skipped, not written."""
    path = tmp_path / f"night{suffix}"
    recorder = Recorder(str(path), RATE, 1, bits=16)
    recorder.write(SOUND)
    n = (5 << 30) // 2
    recorder._file.seek(n)
    recorder.write(SOUND)
    if path.stat().st_blocks * 512 > 1 << 30:
        pytest.skip("this file system has no sparse files")
    with soundfile.SoundFile(path) as growing:  # while it is recorded
        assert growing.frames >= n + RATE
    recorder.close()
    with soundfile.SoundFile(path) as file:
        assert (file.format, file.frames) == (name, n + len(SOUND))
        assert np.array_equal(file.read(len(SOUND), dtype="int16"), SOUND)
        file.seek(n)
        assert np.array_equal(file.read(dtype="int16"), SOUND)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_what_was_heard_can_be_read_while_it_grows(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"heard{suffix}"
    recorder = Recorder(str(path), RATE, 1, bits=16)
    for first in range(0, len(SOUND), 4800):
        recorder.write(SOUND[first : first + 4800])
    with soundfile.SoundFile(path) as file:
        got = file.read(RATE, dtype="int16")
    assert np.array_equal(got, SOUND[:RATE])
    recorder.close()


@pytest.mark.skipif(sys.platform == "win32", reason="processes are killed otherwise there")
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_killed_recording_has_all_but_its_last_second(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"heard{suffix}"
    code = (
        "import sys, time, numpy as np\n"
        "from fastaudio.cli.record import Recorder\n"
        f"recorder = Recorder({str(path)!r}, 48000, 1, bits=16)\n"
        "sound = np.random.default_rng(0).integers(-2**15, 2**15, 144_000).astype(np.int16)\n"
        "for first in range(0, len(sound), 4800): recorder.write(sound[first : first + 4800])\n"
        "print('written', flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"written\n"
        process.send_signal(signal.SIGKILL)
    with soundfile.SoundFile(path) as file:
        got = file.read(2 * RATE, dtype="int16")
    assert np.array_equal(got, SOUND[: 2 * RATE])


# Names


def test_nothing_is_overwritten_unless_it_is_forced(tmp_path: Path) -> None:
    path = tmp_path / "heard.wav"
    path.write_bytes(b"old")
    with pytest.raises(OutputError, match=r"heard.wav: expected no file there, got one; .* --force"):
        Recorder(str(path), RATE, 1)
    assert path.read_bytes() == b"old"
    record(path, SOUND, force=True)
    assert soundfile.info(path).frames == len(SOUND)


def test_a_link_is_not_followed_unless_it_is_forced(tmp_path: Path) -> None:
    target, link = tmp_path / "target.wav", tmp_path / "link.wav"
    link.symlink_to(target)
    with pytest.raises(OutputError, match="expected no file there"):
        Recorder(str(link), RATE, 1)
    assert not target.exists()
    record(link, SOUND, force=True)
    assert link.is_symlink()
    assert soundfile.info(target).frames == len(SOUND)


def test_an_input_is_never_recorded_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, other = tmp_path / "rec.wav", tmp_path / "link.wav"
    samples, rate = decode(GUITAR)
    soundfile.write(path, samples[:rate], rate)
    other.symlink_to(path)
    before = path.read_bytes()
    for option in ("--record", "--output"):
        for name in (path, other):
            status = main(["listen", "--realtime", str(path), option, str(name), "--force"])
            assert status != 0
            assert "expected another file than the inputs, got" in capsys.readouterr().err
            assert path.read_bytes() == before


def test_a_recording_is_no_result(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(tmp_path / "both.wav")
    assert main(["listen", "--realtime", str(GUITAR), "--record", path, "--output", path]) != 0
    assert "expected another file than the inputs" in capsys.readouterr().err


def test_nothing_is_replaced_until_there_is_sound(tmp_path: Path) -> None:
    path = tmp_path / "rec.wav"
    record(path)
    assert not path.exists()
    path.write_bytes(b"old")
    record(path, force=True)
    assert path.read_bytes() == b"old"


@pytest.mark.parametrize("wrong", [["--provisional", "4000"], ["--hop", "0.5", "--model", "silero-vad"]])
def test_a_command_that_is_refused_leaves_the_old_files(
    wrong: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    heard, tags = tmp_path / "heard.wav", tmp_path / "tags.txt"
    command = ["listen", "--realtime", str(GUITAR), "--record", str(heard), "--output", str(tags), *wrong]
    assert main(command) == 2
    assert list(tmp_path.iterdir()) == []
    for path in (heard, tags):
        path.write_bytes(b"old")
    assert main([*command, "--force"]) == 2
    assert "fastaudio" in capsys.readouterr().err
    assert [path.read_bytes() for path in (heard, tags)] == [b"old", b"old"]


def test_closing_waits_for_a_write_that_goes_on_and_ends_all_others(tmp_path: Path) -> None:
    recorder = Recorder(str(tmp_path / "rec.wav"), RATE, 1, every_s=1.0, bits=16, started=START)
    recorder.write(SOUND[:100])
    file = recorder._file
    writing, go_on = threading.Event(), threading.Event()

    class Slow:
        def __getattr__(self, name: str) -> Any:
            return getattr(file, name)

        def write(self, samples: Any) -> None:
            writing.set()
            assert go_on.wait(60)
            assert not file.closed
            file.write(samples)

    recorder._file = Slow()
    source = threading.Thread(target=recorder.write, args=(SOUND[100:200],))
    source.start()
    assert writing.wait(60)
    closing = threading.Thread(target=recorder.close)
    closing.start()
    closing.join(0.1)
    assert not file.closed
    go_on.set()
    for thread in (source, closing):
        thread.join(60)
    assert file.closed
    recorder.write(SOUND)
    recorder.lose(100)
    (path,) = tmp_path.iterdir()
    assert np.array_equal(soundfile.read(path, dtype="int16")[0], SOUND[:200])
    assert not recorder.failed


def test_a_limit_counts_lost_sound_too(tmp_path: Path) -> None:
    recorder = Recorder(str(tmp_path / "rec.wav"), RATE, 1, 1000)
    recorder.lose(900, lambda _: None)
    recorder.write(SOUND, lambda _: None)
    recorder.write(SOUND)
    recorder.close()
    assert soundfile.info(tmp_path / "rec.wav").frames == 1000


# A full disk


@pytest.mark.skipif(sys.platform == "win32", reason="this system sets no limit to a file's size")
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_full_disk_ends_one_file_and_the_next_one_is_tried(suffix: str, tmp_path: Path) -> None:
    import resource

    said: list[str] = []
    path = tmp_path / f"rec{suffix}"
    recorder = Recorder(str(path), RATE, 1, every_s=1.0, bits=16, started=START)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, before[1]))
    try:
        for first in range(0, RATE, 4800):
            recorder.write(SOUND[first : first + 4800], said.append)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    recorder.write(SOUND[RATE:], said.append)
    recorder.close()
    assert recorder.failed
    assert len(said) == 1
    first, *whole = sorted(tmp_path.iterdir())
    assert said[0].startswith(
        f"fastaudio: --record: expected a file that can be written, got {first} (File too large)"
    )
    assert said[0].endswith("; recording goes on with the next file")
    with AudioFile(str(first)) as file:
        got = np.round(np.concatenate([block.copy() for block in file.blocks()])[:, 0] * 32_768)
    assert 10_000 < len(got) < RATE
    assert np.array_equal(got, SOUND[: len(got)])
    parts = [soundfile.read(path, dtype="int16")[0] for path in whole]
    assert np.array_equal(np.concatenate(parts), SOUND[RATE:])


@pytest.mark.skipif(sys.platform == "win32", reason="this system sets no limit to a file's size")
@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("room", [0, 60])
def test_a_full_disk_leaves_the_old_recording(room: int, suffix: str, tmp_path: Path) -> None:
    import resource

    said: list[str] = []
    path = tmp_path / f"rec{suffix}"
    path.write_bytes(b"dear" * 1000)
    recorder = Recorder(str(path), RATE, 1, force=True)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, before[1]))
    try:
        for first in range(0, len(SOUND), 4800):
            recorder.write(SOUND[first : first + 4800], said.append)
        recorder.close()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert recorder.failed
    assert len(said) == 1
    assert "(File too large), and the old file stays; listening goes on" in said[0]
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_bytes() == b"dear" * 1000


@pytest.mark.skipif(sys.platform == "win32", reason="an open file can't be renamed there")
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_old_recording_goes_once_a_second_of_the_new_one_is_written(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"rec{suffix}"
    path.write_bytes(b"dear")
    recorder = Recorder(str(path), RATE, 1, bits=16, force=True)
    recorder.write(SOUND[: RATE // 2])
    assert path.read_bytes() == b"dear"
    recorder.write(SOUND[RATE // 2 :])
    assert np.array_equal(soundfile.read(path, RATE // 2, dtype="int16")[0], SOUND[: RATE // 2])
    recorder.close()
    assert list(tmp_path.iterdir()) == [path]
    assert np.array_equal(soundfile.read(path, dtype="int16")[0], SOUND)


def test_settings_that_a_format_lacks_are_refused_and_leave_nothing(tmp_path: Path) -> None:
    with pytest.raises(
        RecordError, match=r"--record: expected a file that can be written, got .*many.flac \("
    ):
        Recorder(str(tmp_path / "many.flac"), RATE, 9)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1h", 3600), ("30m", 1800), ("90s", 90), ("90", 90), ("1h30m", 5400), ("1.5h", 5400)],
)
def test_lengths_of_time_are_written_as_people_do(text: str, seconds: float) -> None:
    assert duration(text) == seconds


def test_the_command_line_rolls_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    samples, rate = decode(GUITAR)
    sound = tmp_path / "garden_20261128_131500.wav"
    soundfile.write(sound, samples[: 5 * rate // 2], rate, subtype="PCM_16")
    record_ = ["--record", str(tmp_path / "rec.wav"), "--record-every", "1s", "--record-bits", "16"]
    assert main(["listen", "--realtime", str(sound), "--jsonl", *record_]) == 0
    capsys.readouterr()
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == [sound.name, *(f"rec_20261128_13150{k}.wav" for k in range(3))]
    parts = [soundfile.read(tmp_path / name)[0] for name in names[1:]]
    assert np.array_equal(np.concatenate(parts), soundfile.read(sound)[0])


def test_a_recording_has_the_sound_on_both_sides_of_a_gap_that_ends_what_a_tap_reads(tmp_path: Path) -> None:
    class Tap:
        position = 0

        def __init__(self) -> None:
            self.reads = [(SOUND[:100, None], 0), (SOUND[100:200, None], 50), (SOUND[:0, None], 7)]

        def read(self) -> tuple[Any, int]:
            return self.reads.pop(0) if self.reads else (SOUND[:0, None], 0)

    path = tmp_path / "rec.wav"
    options = {"record": str(path), "record_every": None, "record_bits": 16, "seconds": None, "clips": None}
    args = argparse.Namespace(**options, output=None, force=False, start=None, realtime=None)
    source = SimpleNamespace(sample_rate=RATE, channels=1)
    with ExitStack() as stack:
        keeping = Keeping(args, source, stack, inputs=[], tapped=True, buffer_s=30.0)  # type: ignore[arg-type]
        keeping.begin(SimpleNamespace(tap=Tap), lambda _: None)  # type: ignore[arg-type]
        keeping.end()
    got = soundfile.read(path, dtype="int16")[0]
    silence = np.zeros(50, np.int16), np.zeros(7, np.int16)
    assert np.array_equal(got, np.concatenate([SOUND[:100], silence[0], SOUND[100:200], silence[1]]))
