"""A real broker for tests: mosquitto on a free port, started and ended as a test likes; and a client."""

from __future__ import annotations

import shutil
import socket
import subprocess
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PROGRAM = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
WAIT_S = 60.0


def require_mosquitto() -> None:
    """Skip a test where there is no broker, or no client."""
    pytest.importorskip("paho.mqtt.client", reason="pip install '.[mqtt]'")
    if PROGRAM is None:
        pytest.skip("mosquitto isn't installed: apt-get install mosquitto")


def eventually(true: Callable[[], Any], what: str = "") -> None:
    """Wait until something is true, for much longer than it should take."""
    until = time.monotonic() + WAIT_S
    while not true():
        assert time.monotonic() < until, what or "it didn't become true"
        time.sleep(0.02)


class Mosquitto:
    """A broker without a memory on the disk: what it retained is lost when it is ended."""

    def __init__(self, folder: Path, *lines: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        own = lines or ("allow_anonymous true",)
        self._path = folder / "mosquitto.conf"
        text = [f"listener {self.port} 127.0.0.1", "persistence false", *own]
        if folder.owner() == "root":
            text.append("user root")
        self._path.write_text("\n".join(text), encoding="utf-8")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Mosquitto:
        """Start it, and return once it listens."""
        none = subprocess.DEVNULL
        assert PROGRAM is not None
        self._process = subprocess.Popen([PROGRAM, "-c", str(self._path)], stdout=none, stderr=none)
        eventually(self._listens, "mosquitto didn't start")
        return self

    def end(self) -> None:
        """Kill it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def _listens(self) -> bool:
        with socket.socket() as one:
            return one.connect_ex(("127.0.0.1", self.port)) == 0


class Listener:
    """A client that keeps all it gets, and the last of each topic."""

    def __init__(self, port: int, topics: str = "#", **access: Any) -> None:
        import paho.mqtt.client as mqtt

        self.last: dict[str, str] = {}
        self.got: list[tuple[str, str, bool]] = []
        self._ready = threading.Event()
        self._topics = topics
        self.client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
        self.client.reconnect_delay_set(1, 1)
        if access:
            self.client.username_pw_set(**access)
        self.client.on_connect = lambda client, *_: client.subscribe(topics, qos=1)
        self.client.on_subscribe = lambda *_: self._ready.set()
        self.client.on_message = self._on_message
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        assert self._ready.wait(WAIT_S)

    def _on_message(self, _client: Any, _data: Any, message: Any) -> None:
        text = message.payload.decode()
        self.last[message.topic] = text
        self.got.append((message.topic, text, message.retain))

    def close(self) -> None:
        """Disconnect."""
        self.client.disconnect()
        self.client.loop_stop()
