"""The microphone, with a fake one that PulseAudio plays into: what is heard, and what happens if it goes."""

from __future__ import annotations

import ctypes
import json
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest
import soundfile
from fake_microphone import DEVICE, RATE, FakeMicrophone, running
from fastaudio import cli
from helpers import GUITAR, decode
from live_helpers import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray


LIMIT_S = 60.0


@pytest.fixture(scope="module")
def microphone() -> Iterator[FakeMicrophone]:
    """One server for the tests that leave it alive."""
    with running() as fake:
        yield fake


@pytest.fixture(scope="module")
def guitar_wav(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six seconds of guitar: two windows."""
    samples, rate = decode(GUITAR)
    path = tmp_path_factory.mktemp("clip") / "guitar.wav"
    soundfile.write(path, samples[: 6 * rate + rate // 10], rate)
    return path


def wait_for_sound(stream: fa.LiveStream) -> None:
    """A source that nobody plays into sleeps for up to two seconds before it gives its silence."""
    deadline_s = time.monotonic() + LIMIT_S
    while stream.stats().captured == 0:
        assert time.monotonic() < deadline_s, "the fake microphone gives no sound"
        time.sleep(0.01)


@contextmanager
def listening(*options: object) -> Iterator[subprocess.Popen[bytes]]:
    """`fastaudio listen` in a process of its own, which doesn't outlive the test."""
    command = [sys.executable, "-m", "fastaudio", "listen", DEVICE, *map(str, options)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_for_recording(path: Path) -> None:
    """Wait until sound comes in."""
    deadline_s = time.monotonic() + LIMIT_S
    while not path.is_file() or path.stat().st_size < 10_000:
        assert time.monotonic() < deadline_s, "nothing is recorded"
        time.sleep(0.05)


def test_what_is_heard_is_what_is_played_and_tagged_as_offline(
    microphone: FakeMicrophone, guitar_wav: Path, tagger: fa.Pipeline
) -> None:
    heard: list[NDArray[np.float32]] = []
    windows: list[Any] = []
    with tagger.listen(DEVICE, sample_rate=RATE) as stream:
        tap = stream.tap()
        tap.position = 0
        wait_for_sound(stream)
        with microphone.play(guitar_wav) as player:
            while player.poll() is None:
                window = stream.get(timeout_s=0.05)
                windows += [window] if window is not None else []
                heard.append(tap.read()[0])
        stream.finish()
        windows += list(stream)
        samples, n_lost = tap.read()
        heard.append(samples)
        stats = stream.stats()
    recorded = np.concatenate(heard)[:, 0]
    assert n_lost == stats.dropped == stats.device_overflows == 0
    assert len(recorded) == stats.captured == stats.delivered

    whole = tagger(recorded, sample_rate=RATE)
    assert len(windows) == len(whole) >= 2
    for live, offline in zip(windows, whole, strict=True):
        assert (live.start_s, live.end_s) == (offline.start_s, offline.end_s)
        np.testing.assert_allclose(live.scores, offline.scores, rtol=0, atol=1e-5)
        assert live.gap_s == 0
    assert whole.top(1)[0][0] == tagger(guitar_wav).top(1)[0][0]

    played, rate = decode(guitar_wav)
    played = fa.Resample(input_rate=rate, output_rate=RATE)(played.mean(axis=1))
    spectra = np.fft.rfft(recorded, 1 << 20), np.fft.rfft(played, 1 << 20)
    lag = np.fft.irfft(spectra[0] * spectra[1].conj())
    start = int(lag.argmax())
    n = min(len(played), len(recorded) - start)
    assert n > 5 * RATE
    assert np.corrcoef(recorded[start : start + n], played[:n])[0, 1] > 0.99


def test_sound_comes_in_while_a_program_holds_pythons_lock(microphone: FakeMicrophone) -> None:
    assert microphone
    mel = fa.Pipeline(fa.MelSpectrogram(sample_rate=RATE))
    with mel.listen(DEVICE, sample_rate=RATE) as stream:
        wait_for_sound(stream)
        before = stream.stats().captured
        ctypes.PyDLL(None).usleep(2_000_000)  # a PyDLL's functions keep the lock
        assert stream.stats().captured - before > 0.3 * RATE  # a busy machine brings it late


def test_devices_are_found_and_refuse_what_they_cannot(microphone: FakeMicrophone) -> None:
    assert microphone
    found = fa.devices()
    assert sum(device.default for device in found) <= 1
    assert fa.Microphone(DEVICE.upper()).device.name == DEVICE
    assert fa.Microphone().device in found
    with pytest.raises(fa.DeviceError, match="expected at most 32 channels, got 33"):
        fa.Microphone(DEVICE, channels=33)
    with pytest.raises(fa.DeviceError, match="expected a sample rate that it takes, got 7 Hz"):
        fa.Microphone(DEVICE, sample_rate=7)


def test_the_command_line_hears(
    microphone: FakeMicrophone, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert microphone
    command = [sys.executable, "-m", "fastaudio"]
    assert cli.main(["devices", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == [asdict(device) for device in fa.devices()]
    assert cli.main(["devices"]) == 0
    assert capsys.readouterr().out.count("*") == 1
    path, minutes = tmp_path / "heard.wav", tmp_path / "minutes.wav"
    options = ["--seconds", "1.25", "--rate", "16000", "--channels", "2", "--jsonl", "--record", str(path)]
    samples, rate = decode(GUITAR)
    soundfile.write(minutes, np.tile(samples, (12, 1)), rate)  # however late the command begins to hear
    with microphone.play(minutes) as player:
        result = subprocess.run(
            [*command, "listen", DEVICE, *options], capture_output=True, check=False, timeout=2 * LIMIT_S
        )
        player.kill()
    assert (result.returncode, result.stderr) == (0, b"")
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [(line["start_s"], line["end_s"]) for line in lines] == [(0.0, pytest.approx(1.25, abs=0.2))]
    samples, rate = decode(path)
    assert (samples.shape, rate) == ((20_000, 2), 16_000)
    assert np.abs(samples).max() > 0.1


def test_a_microphone_that_goes_away_is_reported() -> None:
    with running() as fake, fa.Pipeline.load().listen(DEVICE) as stream:
        wait_for_sound(stream)
        fake.signal(signal.SIGKILL)
        started_s = time.monotonic()
        with pytest.raises(fa.DeviceLost, match="was it unplugged"):
            list(stream)
        stream.close()
        assert time.monotonic() - started_s < LIMIT_S


def test_a_microphone_that_comes_back_is_heard_again() -> None:
    with running() as fake, fa.Pipeline.load().listen(DEVICE, retry_s=1) as stream:
        wait_for_sound(stream)
        fake.signal(signal.SIGKILL)
        fake.process.wait(LIMIT_S)
        wait_until(lambda: stream.stats().interruptions == 1)
        time.sleep(1)
        back_s = time.time()
        fake.launch()
        wait_until(lambda: stream.stats().gaps == 1)
        window = next(window for window in stream if window.gap_s > 0)  # type: ignore[union-attr]
        assert window.gap_s > 0.5
        # Sound that came before the gap can't be from after it, nor what came since from before.
        assert back_s - 0.5 < stream.time_of(window.start_s).timestamp()
        assert stream.time_of(window.end_s).timestamp() < time.time() + 0.5
        stats = stream.stats()
    assert (stats.interruptions, stats.gaps) == (1, 1)
    assert stats.dropped == round(window.gap_s * stream.sample_rate)


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (signal.SIGSTOP, "expected sound, got none for 2.0 s; was it unplugged?"),
        (signal.SIGKILL, "was it unplugged?"),
    ],
)
def test_a_server_that_hangs_or_dies_holds_up_neither_the_program_nor_its_end(
    number: int, reason: str, tmp_path: Path
) -> None:
    path = tmp_path / "heard.wav"
    with running() as fake, listening("--record", path) as process:
        wait_for_recording(path)
        fake.signal(number)
        assert process.wait(LIMIT_S) == 1
        assert process.stderr is not None
        error = process.stderr.read().decode()
    assert error.startswith("fastaudio: microphone ")
    assert error.count("\n") == 1  # nothing of what PortAudio has to say
    assert reason in error
    assert soundfile.info(path).frames > 0


def test_ctrl_c_closes_the_microphone(microphone: FakeMicrophone, tmp_path: Path) -> None:
    assert microphone
    path = tmp_path / "heard.wav"
    with listening("--record", path) as process:
        wait_for_recording(path)
        process.send_signal(signal.SIGINT)
        assert process.wait(LIMIT_S) == 0
        assert process.stderr is not None
        assert process.stderr.read() == b""
    assert soundfile.info(path).frames > 0
