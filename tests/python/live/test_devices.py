"""Devices and the microphone with a fake PortAudio: every error says what users can do."""

from __future__ import annotations

import sys
import threading
import time
from typing import Any

import fastaudio as fa
import pytest
from fake_sounddevice import FakeSounddevice, FakeStream, PortAudioError
from fastaudio.live import microphone as module

LIMIT_S = 60.0
USUAL = [("USB Microphone", 0, 2), ("Speaker", 0, 0), ("Webcam C920", 0, 1), ("USB Microphone", 1, 2)]


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeSounddevice:
    """A machine with two microphones, one of them reached in two ways."""
    made = FakeSounddevice(USUAL)
    monkeypatch.setitem(sys.modules, "sounddevice", made)  # type: ignore[arg-type]
    return made


class Sink:
    capture_callback = 0x1000
    capture_data = 0x2000
    position = 4800  # a stream may begin to count anywhere


def closed(stream: FakeStream) -> None:
    """Wait until a stream is closed."""
    deadline_s = time.monotonic() + LIMIT_S
    while not stream.closed:
        assert time.monotonic() < deadline_s
        time.sleep(0.01)


def test_inputs_are_listed(fake: FakeSounddevice) -> None:
    found = fa.devices()
    assert [device.index for device in found] == [0, 2, 3]
    assert found[0] == fa.Device(0, "USB Microphone", "ALSA", 2, 44_100, default=True)
    assert [device.default for device in found] == [True, False, False]
    fake.inputs = [("Speaker", 0, 0)]
    assert fa.devices() == []


@pytest.mark.parametrize(
    ("wanted", "index"),
    [(None, 0), (2, 2), ("webcam", 2), ("Webcam C920", 2), ("usb microphone", 0), (" USB ", 0), (3, 3)],
)
def test_a_device_is_found_by_number_or_name(fake: FakeSounddevice, wanted: Any, index: int) -> None:
    assert fake
    mic = fa.Microphone(wanted)
    assert mic.device.index == index
    assert (mic.sample_rate, mic.channels) == (44_100, 1)


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ("headset", "got 'headset'; there are 0 'USB Microphone', 2 'Webcam C920'"),
        ("webcam c290", r"got 'webcam c290'; did you mean 2 'Webcam C920'\?"),
        ("c", r"expected the name of one device, got 'c', which may be 0 .*, 2 .*; take its number"),
        ("", "expected a device's number or name, got ''; there are 0 "),
        (1, "expected one of 0 'USB Microphone', 2 'Webcam C920', 3 'USB Microphone', got number 1"),
        (-1, "got number -1"),
    ],
)
def test_a_device_that_is_not_there_is_answered_with_those_that_are(
    fake: FakeSounddevice, wanted: Any, message: str
) -> None:
    assert fake
    with pytest.raises(fa.DeviceError, match=message):
        fa.Microphone(wanted)


def test_no_input_device(fake: FakeSounddevice) -> None:
    fake.inputs = [("Speaker", 0, 0)]
    fake.default.device = [-1, 0]
    with pytest.raises(fa.DeviceError, match="expected an input device, got none; plug one in"):
        fa.Microphone()


def test_no_sounddevice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    for call in (fa.devices, fa.Microphone):
        with pytest.raises(fa.DeviceError, match=r"pip install 'fastaudio-toolkit\[mic\]'"):
            call()


def test_no_portaudio(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    (tmp_path / "sounddevice.py").write_text("raise OSError('PortAudio library not found')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    with pytest.raises(fa.DeviceError, match="got none; apt-get install libportaudio2, or brew install"):
        fa.devices()


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (
            PortAudioError("Invalid sample rate", -9997),
            "expected a sample rate that it takes, got 12345 Hz; its default is 44100 Hz",
        ),
        (PortAudioError("Invalid number of channels", -9998), "expected at most 2 channels, got 2"),
        (PortAudioError("Device unavailable", -9985), "expected a free device, got a busy one; close"),
        (
            PortAudioError("Unanticipated host error", -9999, (0, -16, "Access denied")),
            "expected it to open at 12345 Hz with 2 channels, got Unanticipated host error: Access denied",
        ),
        (PortAudioError("Something else"), "got Something else; see: fastaudio devices"),
    ],
)
@pytest.mark.parametrize("when", ["settings_error", "open_error", "start_error"])
def test_portaudios_errors_are_put_in_the_users_words(
    fake: FakeSounddevice, error: Exception, message: str, when: str
) -> None:
    setattr(fake, when, error)
    with pytest.raises(fa.DeviceError, match=f"^microphone 'USB Microphone': .*{message}") as raised:
        fa.Microphone(sample_rate=12_345, channels=2).start(Sink())
    assert raised.value.__cause__ is error
    for stream in fake.streams:  # opened, but not started
        closed(stream)


def test_more_channels_than_it_has(fake: FakeSounddevice) -> None:
    assert fake
    with pytest.raises(fa.DeviceError, match="'Webcam C920': expected at most 1 channels, got 2"):
        fa.Microphone("webcam", channels=2)


@pytest.mark.parametrize(
    "options",
    [
        {"sample_rate": 0},
        {"sample_rate": 16e3},
        {"channels": 0},
        {"channels": True},
        {"block_s": -1},
        {"block_s": float("nan")},
        {"block_s": 100},
    ],
)
def test_bad_options_are_refused_before_anything_is_opened(options: dict[str, Any]) -> None:
    (name,) = options
    with pytest.raises(ValueError, match=f"microphone: expected {name} "):
        fa.Microphone(**options)
    with pytest.raises(TypeError, match="expected a device's number or name, got float"):
        fa.Microphone(1.5)  # type: ignore[arg-type]


def test_portaudio_gets_the_addresses_and_no_python(fake: FakeSounddevice) -> None:
    mic = fa.Microphone(2, sample_rate=16_000, block_s=0.02)
    mic.start(Sink())
    assert fake.streams[0].options == {
        "kind": "input",
        "device": 2,
        "samplerate": 16_000,
        "channels": 1,
        "dtype": "float32",
        "blocksize": 320,
        "callback": 0x1000,
        "userdata": ("void*", 0x2000),
        "wrap_callback": None,
    }
    with pytest.raises(fa.StateError, match="expected a new one"):
        mic.start(Sink())
    mic.stop()
    assert fake.streams[0].closed
    with pytest.raises(fa.StateError, match="expected a new one"):
        mic.start(Sink())


@pytest.mark.parametrize(
    ("model", "hop_s", "block_s"),
    [("musicnn-mtt", None, 0.1), ("musicnn-mtt", 0.5, 0.0248), ("silero-vad", None, 0.01)],
)
def test_blocks_are_as_long_as_the_step_between_results_allows(
    fake: FakeSounddevice, model: str, hop_s: float | None, block_s: float
) -> None:
    with fa.Pipeline.load(model).listen(2, sample_rate=16_000, hop_s=hop_s):
        assert fake.streams[0].options["blocksize"] == round(block_s * 16_000)


def lost(mic: fa.Microphone, sink: Sink, *, step: int, checks: int = 30) -> str:
    """What checks say while sound goes on in steps."""
    for _ in range(checks):
        sink.position += step
        try:
            mic.check()
        except fa.DeviceLost as error:
            return str(error)
        time.sleep(0.01)
    return ""


def test_a_device_that_falls_silent_or_ends_is_lost(
    fake: FakeSounddevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOST_AFTER_S", 0.1)
    monkeypatch.setattr(module, "FIRST_SOUND_S", 0.2)
    mic, sink = fa.Microphone(), Sink()
    mic.start(sink)
    started_s = time.monotonic()
    assert "expected sound, got none for 0.2 s; was it unplugged?" in lost(mic, sink, step=0)
    assert time.monotonic() - started_s > 0.19  # it may take longer to begin
    assert lost(mic, sink, step=160) == ""  # it came back
    assert "got none for 0.1 s; was it unplugged?" in lost(mic, sink, step=0)
    fake.streams[0].active = False
    sink.position += 1
    mic.check()  # what it gave last is not lost
    assert "expected sound, got the end of it; was it unplugged?" in lost(mic, sink, step=0)
    mic.stop()
    mic.check()


def test_a_program_that_was_itself_stopped_does_not_call_the_device_lost(
    fake: FakeSounddevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert fake
    now_s = [100.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now_s[0])
    mic, sink = fa.Microphone(), Sink()
    mic.start(sink)
    sink.position = 1
    mic.check()
    for step_s in (3600, 0.5):
        now_s[0] += step_s
        mic.check()
    now_s[0] += 0.5
    with pytest.raises(fa.DeviceLost):
        mic.check()
    mic.stop()


def test_stop_returns_though_portaudio_hangs(fake: FakeSounddevice, monkeypatch: pytest.MonkeyPatch) -> None:
    unregistered: list[Any] = []
    monkeypatch.setattr(module.atexit, "unregister", unregistered.append)
    fake.hang.clear()
    mic, sink = fa.Microphone(), Sink()
    mic.start(sink)
    started_s = time.monotonic()
    mic.stop()
    mic.stop()
    assert time.monotonic() - started_s < LIMIT_S
    assert not fake.streams[0].closed
    assert fake._exit_handler in unregistered  # which would hang at exit
    fake.hang.set()
    closed(fake.streams[0])


def test_a_microphone_that_was_forgotten_is_closed(fake: FakeSounddevice) -> None:
    mic = fa.Microphone()
    mic.start(Sink())
    del mic
    assert fake.streams[0].closed


def test_one_that_was_never_started_stops_silently(fake: FakeSounddevice) -> None:
    mic = fa.Microphone()
    mic.check()
    mic.stop()
    mic.stop()
    assert fake.streams == []


def test_portaudio_is_started_anew_until_it_runs_again(fake: FakeSounddevice) -> None:
    mic = fa.Microphone()
    mic.start(Sink())
    mic.stop()
    fake.refusals = 2
    for _ in range(2):
        with pytest.raises(fa.DeviceLost, match=r"to be there again, got: .*Error initializing PortAudio"):
            mic.again()
    again = mic.again()
    assert (again.device, again.sample_rate) == (mic.device, mic.sample_rate)
    assert fake.calls == ["terminate", "initialize"] * 3


def test_portaudio_is_not_ended_while_a_device_is_open_or_hangs(fake: FakeSounddevice) -> None:
    lost, other = fa.Microphone(), fa.Microphone(2)
    lost.start(Sink())
    other.start(Sink())
    lost.stop()
    lost.again()
    assert fake.calls == []
    fake.hang.clear()
    other.stop()  # which returns all the same
    assert not fake.streams[1].closed
    lost.again()
    assert fake.calls == []
    fake.hang.set()
    closed(fake.streams[1])
    other._stopped.wait(LIMIT_S)
    deadline_s = time.monotonic() + LIMIT_S
    while module._in_use:
        assert time.monotonic() < deadline_s
        time.sleep(0.01)
    lost.again()
    assert fake.calls == ["terminate", "initialize"]


def test_portaudio_is_not_ended_while_another_device_is_being_opened(fake: FakeSounddevice) -> None:
    lost, other = fa.Microphone(), fa.Microphone(2)
    ended = threading.Thread(target=lost.again)

    def opening() -> None:
        ended.start()
        ended.join(0.2)  # it waits for us
        assert fake.calls == []

    fake.opening = opening
    other.start(Sink())
    ended.join(LIMIT_S)
    assert not ended.is_alive()
    assert fake.calls == []
    other.stop()


def test_a_device_is_opened_by_its_number_of_now(fake: FakeSounddevice) -> None:
    mic = fa.Microphone("webcam")
    fake.inputs = [("Another", 0, 1), *USUAL]  # another thread has started PortAudio anew
    mic.start(Sink())
    assert fake.streams[0].options["device"] == mic.device.index == 3
    mic.stop()
    fake.inputs = USUAL[:1]
    with pytest.raises(fa.DeviceLost, match="expected it to be there again, got no such device"):
        fa.Microphone(mic.device).start(Sink())


def test_a_device_that_could_not_be_opened_is_not_in_use(fake: FakeSounddevice) -> None:
    mic = fa.Microphone()
    fake.open_error = PortAudioError("Device unavailable", -9985)
    with pytest.raises(fa.DeviceError, match="got a busy one"):
        mic.start(Sink())
    mic.again()
    assert fake.calls == ["terminate", "initialize"]
