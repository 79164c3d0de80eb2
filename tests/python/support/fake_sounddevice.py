"""A module in place of sounddevice: devices and streams whose troubles a test chooses."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


class PortAudioError(Exception):
    """Like sounddevice's error: a text, a number, and the host's message."""


class FakeStream:
    """Like sounddevice's stream; `hang` blocks its closing."""

    made: list[FakeStream]

    def __init__(self, fake: FakeSounddevice, options: dict[str, Any]) -> None:
        if fake.open_error is not None:
            raise fake.open_error
        self.options = options
        self.active = False
        self.closed = False
        self._fake = fake

    def start(self) -> None:
        if self._fake.start_error is not None:
            raise self._fake.start_error
        self.active = True

    def close(self) -> None:
        self._fake.hang.wait(120)
        self.active = False
        self.closed = True


class FakeSounddevice:
    """What the package uses of sounddevice."""

    PortAudioError = PortAudioError

    def __init__(self, inputs: list[tuple[str, int, int]], default: int = 0) -> None:
        self.inputs = inputs
        self.default = SimpleNamespace(device=[default, -1])
        self.settings_error: Exception | None = None
        self.open_error: Exception | None = None
        self.start_error: Exception | None = None
        self.hang = threading.Event()
        self.hang.set()
        self.streams: list[FakeStream] = []
        self.opening: Callable[[], object] = lambda: None
        self.calls: list[str] = []
        self.running, self.refusals = True, 0
        self._ffi = SimpleNamespace(cast=lambda _type, address: ("void*", address))

    def query_hostapis(self) -> list[dict[str, Any]]:
        return [{"name": "ALSA"}, {"name": "JACK"}]

    def query_devices(self) -> list[dict[str, Any]]:
        return [
            {"name": name, "hostapi": api, "max_input_channels": n, "default_samplerate": 44100.0}
            for name, api, n in self.inputs
        ]

    def check_input_settings(self, **options: Any) -> None:
        assert options["dtype"] == "float32"
        if self.settings_error is not None:
            raise self.settings_error

    def _StreamBase(self, **options: Any) -> FakeStream:  # noqa: N802
        self.opening()
        stream = FakeStream(self, options)
        self.streams.append(stream)
        return stream

    def _initialize(self) -> None:
        self.calls.append("initialize")
        if self.refusals > 0:
            self.refusals -= 1
            raise PortAudioError("Error initializing PortAudio", -9999)
        self.running = True

    def _terminate(self) -> None:
        self.calls.append("terminate")
        if not self.running:
            raise PortAudioError("PortAudio not initialized", -10000)
        self.running = False

    def _exit_handler(self) -> None:
        raise AssertionError("not at exit")
