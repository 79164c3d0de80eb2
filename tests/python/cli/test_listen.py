"""fastaudio listen and devices, run as a user runs them; a pipe or a file stands for the microphone."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest
import soundfile
import warm
from fastaudio import cli
from fastaudio.tags import SCHEMA
from helpers import GUITAR, decode

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

COMMAND = [sys.executable, "-m", "fastaudio", "listen"]
LIMIT_S = 60


def run(*arguments: object, stdin: bytes = b"") -> tuple[int, str, str]:
    """Return exit status, stdout and stderr of `fastaudio listen`."""
    return warm.run("listen", *arguments, stdin=stdin)


class Here:
    """Return the same from this process, which takes less time; stdin is a file."""

    def __init__(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self._path, self._monkeypatch, self._capsys = folder / "stdin", monkeypatch, capsys

    def __call__(self, *arguments: object, stdin: bytes = b"") -> tuple[int, str, str]:
        self._path.write_bytes(stdin)
        with self._path.open(encoding="latin-1") as file, self._monkeypatch.context() as patch:
            patch.setattr(sys, "stdin", file)
            status = cli.main(["listen", *map(str, arguments)])
        return status, *self._capsys.readouterr()


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Here:
    return Here(tmp_path, monkeypatch, capsys)


@pytest.fixture(scope="module")
def pcm(guitar_16k: NDArray[np.float32]) -> NDArray[np.int16]:
    """Return the guitar as 16-bit PCM."""
    return np.round(guitar_16k * 32767).astype("<i2")


@pytest.fixture
def second(tmp_path: Path) -> Path:
    """Return a second of guitar, in stereo."""
    samples, rate = decode(GUITAR)
    soundfile.write(tmp_path / "second.wav", samples[:rate], rate, subtype="PCM_16")
    return tmp_path / "second.wav"


def test_raw_pcm_gives_the_windows_of_the_file(pcm: NDArray[np.int16], tagger: fa.Pipeline) -> None:
    status, out, err = run("-", "--rate", 16_000, "--jsonl", "--top", 3, stdin=pcm.tobytes())
    assert (status, err) == (0, "")
    lines: list[dict[str, Any]] = [json.loads(line) for line in out.splitlines()]
    whole = tagger(pcm, sample_rate=16_000)
    assert len(lines) == len(whole)
    for line, window in zip(lines, whole, strict=True):
        assert (line["schema"], line["path"], line["model"]) == (SCHEMA, "<stdin>", "musicnn-mtt")
        assert (line["gap_s"], line["provisional"], line["truncated"]) == (0, False, False)
        assert line["start_s"] == pytest.approx(window.start_s, abs=1e-6)
        assert line["end_s"] == pytest.approx(window.end_s, abs=1e-6)
        assert [tag["label"] for tag in line["tags"]] == [label for label, _ in window.top(3)]
        got = [tag["score"] for tag in line["tags"]]
        assert got == pytest.approx([score for _, score in window.top(3)], abs=1e-5)


def test_floats_with_channels_are_recorded_sample_by_sample(here: Here, tmp_path: Path) -> None:
    samples, rate = decode(GUITAR)
    samples = samples[: 2 * rate]
    path = tmp_path / "heard.wav"
    options = ["--rate", rate, "--channels", 2, "--encoding", "f32le", "--record", path]
    status, out, err = here("-", *options, stdin=samples.tobytes())
    assert (status, err) == (0, "")
    assert len(out.splitlines()) == 1  # a short clip is one window
    heard, heard_rate = decode(path)
    assert heard_rate == rate
    assert np.abs(heard - samples).max() <= 2**-24  # 24 bits


def test_a_long_pipe_is_recorded_whole_though_it_comes_faster_than_it_is_run(
    here: Here, pcm: NDArray[np.int16], tmp_path: Path
) -> None:
    sound = np.tile(pcm, 6)  # a minute is twice what the buffer holds
    path = tmp_path / "heard.flac"
    status, _, err = here("-", "--rate", 16_000, "--record", path, stdin=sound.tobytes())
    assert (status, err) == (0, "")
    assert np.array_equal(soundfile.read(path, dtype="int16")[0], sound)


def test_a_file_in_real_time_takes_its_time(here: Here, second: Path, tmp_path: Path) -> None:
    path = tmp_path / "heard.wav"
    started_s = time.monotonic()
    status, out, err = here(
        "--realtime", second, "--record", path, "--stats", "--provisional", 0.5, "--no-kind"
    )
    assert status == 0
    assert time.monotonic() - started_s > 1
    early, whole = out.splitlines()
    assert early.split()[1:5] == ["0.00", "-", "0.50", "s"]
    assert early.endswith("(provisional)")
    assert whole.split()[1:5] == ["0.00", "-", "1.00", "s"]
    assert np.array_equal(decode(path)[0], decode(second)[0])
    assert err.startswith("heard      1.000 s: 1.000 run, 0.000 lost in 0 gaps")
    for word in ("latency", "load", "OnnxModel", "MelSpectrogram"):
        assert word in err


@pytest.mark.skipif(sys.platform == "win32", reason="this system sets no limit to a file's size")
def test_a_full_disk_is_told_and_listening_goes_on(
    here: Here, pcm: NDArray[np.int16], tmp_path: Path
) -> None:
    import resource

    path = tmp_path / "heard.wav"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, before[1]))
    try:
        status, out, err = here("-", "--rate", 16_000, "--record", path, stdin=pcm[:160_000].tobytes())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert status == 1
    assert err.startswith(f"fastaudio: --record: expected a file that can be written, got {path} (")
    assert err.endswith("; listening goes on\n")
    assert err.count("\n") == 1
    assert len(out.splitlines()) == 3  # all of it
    got = soundfile.read(path, dtype="int16")[0]
    assert len(got) > 16_000
    assert np.array_equal(got, pcm[: len(got)])


@pytest.mark.parametrize("source", ["pipe", "file"])
def test_seconds_end_it_to_the_sample(
    here: Here, source: str, pcm: NDArray[np.int16], second: Path, tmp_path: Path
) -> None:
    path = tmp_path / "heard.wav"
    options = ["-", "--rate", 16_000] if source == "pipe" else ["--realtime", second]
    status, out, _ = here(*options, "--seconds", 0.75, "--record", path, stdin=pcm.tobytes())
    assert status == 0
    assert [line.split()[3] for line in out.splitlines()] == ["0.75"]
    assert soundfile.info(path).duration == 0.75


def test_a_pipe_that_stays_open_is_left_after_its_seconds(pcm: NDArray[np.int16]) -> None:
    command = [*COMMAND, "-", "--rate", "16000", "--seconds", "0.5"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        try:
            process.stdin.write(pcm[:16_000].tobytes())
            process.stdin.flush()
            assert process.wait(LIMIT_S) == 0
        finally:
            process.kill()


def test_windows_overlap_as_asked(here: Here, pcm: NDArray[np.int16]) -> None:
    options = ["-", "--rate", 16_000, "--hop", 1, "--jsonl", "--seconds", 5.2]
    status, out, _ = here(*options, stdin=pcm.tobytes())
    assert status == 0
    starts = [json.loads(line)["start_s"] for line in out.splitlines()]
    assert np.diff(starts[:3]) == pytest.approx([1, 1], abs=0.02)


def test_events_are_written_once_they_have_ended(here: Here, pcm: NDArray[np.int16]) -> None:
    options = ["-", "--rate", 16_000, "--onset", 0.3, "--jsonl"]
    status, out, err = here(*options, stdin=pcm.tobytes())
    assert (status, err) == (0, "")
    events = [json.loads(line) for line in out.splitlines()]
    assert events
    assert {event["state"] for event in events} == {"end"}
    assert len({event["id"] for event in events}) == len(events)
    assert all(event["end_s"] > event["start_s"] for event in events)


def test_events_are_written_when_they_begin_too_if_asked(here: Here, pcm: NDArray[np.int16]) -> None:
    options = ["-", "--rate", 16_000, "--onset", 0.3, "--begins", "--jsonl"]
    status, out, err = here(*options, stdin=pcm.tobytes())
    assert (status, err) == (0, "")
    events = [json.loads(line) for line in out.splitlines()]
    begun = [event["id"] for event in events if event["state"] == "begin"]
    ended = [event["id"] for event in events if event["state"] == "end"]
    assert begun
    assert sorted(begun) == sorted(ended)
    assert all((event["end_s"] is None) == (event["state"] == "begin") for event in events)
    status, out, _ = here(*options[:-1], stdin=pcm.tobytes())
    assert [line.split()[3] == "..." for line in out.splitlines()] == [e["end_s"] is None for e in events]


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent otherwise there")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_with_all_its_results_and_a_whole_recording(
    number: int, pcm: NDArray[np.int16], tmp_path: Path
) -> None:
    path = tmp_path / "heard.wav"
    options = ["--record", str(path), "--onset", "0.1", "--begins", "--jsonl"]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen([*COMMAND, "-", "--rate", "16000", *options], **pipes) as process:
        try:
            process.stdin.write(pcm[: 4 * 16_000].tobytes())  # and then says nothing
            process.stdin.flush()
            begun = json.loads(process.stdout.readline())
            assert begun["state"] == "begin"
            until_s = time.monotonic() + LIMIT_S
            while path.stat().st_size < 3 * 4 * 16_000:  # until it has all of the sound, in 24 bits
                assert time.monotonic() < until_s
                time.sleep(0.01)
            process.send_signal(number)
            assert process.wait(LIMIT_S) == 0
            assert process.stderr.read() == b""
            events = [begun, *map(json.loads, process.stdout.read().splitlines())]
        finally:
            process.kill()
    ended = {event["id"] for event in events if event["state"] == "end"}
    assert ended == {event["id"] for event in events if event["state"] == "begin"}
    assert np.array_equal(soundfile.read(path, dtype="int16")[0], pcm[: 4 * 16_000])


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["-"], 2, "listen -: expected --rate, got none; raw PCM doesn't say: state it in Hz"),
        (["-", "--rate", "0"], 2, "expected a whole number of at least 1, got 0"),
        (["-", "--rate", "8000", "--encoding", "u8"], 2, "expected one of s16le, f32le, got 'u8'"),
        (["-", "--rate", "8000", "--block", "0.1"], 2, "expected no --block with stdin, got 0.1"),
        (["mic", "--realtime", "x"], 2, "expected no DEVICE with a file, got mic"),
        (["--realtime", "x", "--rate", "8000"], 2, "expected no --rate with a file, got 8000"),
        (["--realtime", "missing.wav"], 1, "missing.wav: expected an audio file, got no such file"),
        (["--encoding", "s16le"], 2, "expected no --encoding with a microphone, got s16le"),
        (["--overflow", "block"], 2, "got block; a microphone can't wait"),
        (["--seconds", "0"], 2, "expected seconds above 0, got 0"),
        (["--hop", "x"], 2, "expected seconds above 0, got x"),
        (["-", "--rate", "8000", "--record", "x.mp3"], 2, "expected the name of a .flac, .wav or .w64 file"),
        (["-", "--rate", "8000", "--record", "no/where/x.wav"], 2, "no/where/x.wav: expected a folder "),
        (["-", "--rate", "8000", "--output", "no/where/x.txt"], 2, "no/where/x.txt: expected a folder "),
        (["-", "--rate", "8000", "--record-every", "1h"], 2, "expected --record with --record-every"),
        (["--record-every", "soon"], 2, "expected a time of at least 1s, such as 1h or 30m, got soon"),
        (["-", "--rate", "8000", "--retry"], 2, "expected no --retry with stdin, got 30"),
        (["--retry", "USB"], 2, "expected seconds above 0, got USB; a device's name comes before --retry"),
        (["--start", "2026-11-28"], 2, "expected no --start with a microphone, got 2026-11-28T00:00:00"),
        (["-", "--start", "noon"], 2, "expected a time such as 2026-11-28T13:15:00 or"),
        (["-", "--begins", "--raven"], 2, "expected no --begins with --raven"),
        (["--model", "nothing"], 2, "nothing"),
        (["--top", "0"], 2, "expected a whole number of at least 1, got 0"),
    ],
)
def test_wrong_usage_is_told_in_a_line(
    arguments: list[str], status: int, message: str, capfd: pytest.CaptureFixture[str]
) -> None:
    try:
        got = cli.main(["listen", *arguments])
    except SystemExit as error:  # argparse says this
        got = error.code  # type: ignore[assignment]
    out, err = capfd.readouterr()
    assert (got, out) == (status, "")
    assert message in err.splitlines()[-1]
    assert "Traceback" not in err


def test_features_cannot_be_listened_to(here: Here, tmp_path: Path) -> None:
    fa.Pipeline(fa.MelSpectrogram()).save(tmp_path / "mel.json")
    status, _, err = here("-", "--rate", 8000, "--model", tmp_path / "mel.json")
    assert status == 2
    assert "expected a model that gives tags, got features" in err


def test_several_outputs_are_told_apart(
    here: Here, pcm: NDArray[np.int16], tmp_path: Path, tagger: fa.Pipeline
) -> None:
    tagger = fa.Pipeline(tagger.node >> {"best": fa.Max(), "mean": fa.Mean()})
    tagger.save(tmp_path / "both.json")
    status, out, _ = here("-", "--rate", 16_000, "--model", tmp_path / "both.json", stdin=pcm.tobytes())
    assert status == 0
    assert [line.split()[5] for line in out.splitlines()] == ["best:", "mean:"]


def test_bytes_left_over_are_told() -> None:
    status, _, err = run("-", "--rate", 8000, stdin=bytes(16_001))
    assert status == 0
    assert err.startswith("<stdin>: expected samples of 2 bytes, got 1 bytes more at the end")


def test_sound_that_is_not_finite_is_an_error_after_what_came_before(here: Here, tmp_path: Path) -> None:
    sound = np.zeros(2 * 65_536, dtype="<f4")
    sound[-1] = np.nan
    path = tmp_path / "heard.wav"
    options = ["--rate", 16_000, "--encoding", "f32le", "--record", path]
    status, out, err = here("-", *options, stdin=sound.tobytes())
    assert status == 1
    assert out.splitlines()
    assert "stdin: expected to read on, got ValueError: " in err
    assert "nan" in err
    assert soundfile.info(path).frames >= 65_536


def test_a_reader_that_goes_away_ends_it_quietly(pcm: NDArray[np.int16]) -> None:
    command = [*COMMAND, "-", "--rate", "16000", "--jsonl"]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, **pipes) as process:
        try:
            process.stdout.close()
            process.stdin.write(pcm.tobytes())
            process.stdin.flush()
            assert process.wait(LIMIT_S) == 0
            assert process.stderr.read() == b""
        finally:
            process.kill()


@pytest.mark.parametrize("command", ["listen", "devices"])
def test_help_shows_examples_and_exit_statuses(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main([command, "--help"])
    out = capsys.readouterr().out
    assert f"examples:\n  fastaudio {command}" in out
    assert "exit status: 0 " in out


@pytest.mark.parametrize("command", ["listen", "devices"])
def test_no_sounddevice_is_exit_status_1(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    assert cli.main([command]) == 1
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert "pip install 'fastaudio-toolkit[mic]'" in err


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="this system has no pseudo-terminals")
def test_a_terminal_shows_bars_and_is_left_as_it_was(pcm: NDArray[np.int16]) -> None:
    import fcntl
    import struct
    import termios

    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
    command = [*COMMAND, "-", "--rate", "16000", "--top", "2"]
    bare = {key: value for key, value in os.environ.items() if key not in {"COLUMNS", "LINES"}}
    how: dict[str, Any] = {"stdin": subprocess.PIPE, "stderr": subprocess.PIPE, "env": bare}
    with subprocess.Popen(command, stdout=theirs, **how) as process:
        os.close(theirs)
        assert process.stdin is not None
        process.stdin.write(pcm[: 3 * 16_000].tobytes())
        process.stdin.close()
        shown = b""
        while True:
            try:
                part = os.read(ours, 4096)
            except OSError:  # Linux says so when the other end is closed
                break
            if not part:
                break
            shown += part
        os.close(ours)
        assert process.wait(LIMIT_S) == 0
        assert process.stderr is not None
        assert process.stderr.read() == b""
    text = shown.decode()
    assert text.startswith("loading...\r\x1b[K")
    for words in (
        "<stdin>, musicnn-mtt; Ctrl-C ends",
        "listening...",
        "guitar",
        "level",
        "3.0 s heard, lost 0.0 s",
    ):
        assert words in text
    assert "\x1b[?" not in text  # no mode of the terminal was changed
    assert text.endswith("\n")
