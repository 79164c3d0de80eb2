"""Provides what the tests of the server share: one that runs in a thread, and ways to ask it."""

from __future__ import annotations

import http.client
import io
import json
import socket
import threading
import time
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest
import soundfile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

for name in ("starlette", "uvicorn", "websockets"):
    pytest.importorskip(name, reason=f"{name} isn't installed; the extra [serve] has it")

from fastaudio.serving import Settings, running, session  # noqa: E402
from fastaudio.serving.application import Application  # noqa: E402
from websockets.exceptions import ConnectionClosed  # noqa: E402
from websockets.sync.client import ClientConnection, connect  # noqa: E402

LIMIT_S = 60.0
"""A test that takes longer hangs."""
NO_BOUNDS = dict.fromkeys(("header_s", "pause_s", "send_s", "idle_s", "answer_s", "upload_s"), 2 * LIMIT_S)
"""How long a server waits for what comes late on a busy machine, unless a test is about such a bound."""
RATE_HZ = 16_000

UPGRADE = (
    b"GET /v1/live?rate=16000&format=s16le&spectrogram=1 HTTP/1.1\r\nHost: localhost\r\n"
    b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)
"""Opens a live stream over a connection that the test reads itself, if at all."""
FRAME = b"\x82\xff" + (1 << 19).to_bytes(8, "big") + bytes(4) + bytes(1 << 19)
"""A message of silence."""


@dataclass
class Answer:
    """A status, headers by lower-case name, and a body."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def data(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def error(self) -> tuple[int, str]:
        """The status and the word for what was wrong."""
        return self.status, self.data["error"]["type"]


@dataclass
class Server:
    """A server that runs."""

    port: int
    application: Any
    stop: Callable[[], None]
    connections: Callable[[], int]
    join: Callable[[], None]

    def ask(self, path: str, body: Any = None, method: str | None = None, **headers: str) -> Answer:
        """Return the answer to one request; header names have _ for -."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=LIMIT_S)
        with closing(connection):
            connection.request(method or ("GET" if body is None else "POST"), path, body, named)
            got = connection.getresponse()
            return Answer(got.status, {k.lower(): v for k, v in got.getheaders()}, got.read())

    def tag(self, body: Any, query: str = "", **headers: str) -> Answer:
        """Return the answer to an upload."""
        return self.ask(f"/v1/tag?{query}", body, **headers)

    def live(self, query: str = "", **headers: str) -> ClientConnection:
        """Return an open WebSocket."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        uri = f"ws://127.0.0.1:{self.port}/v1/live?{query}"
        return connect(uri, additional_headers=named, open_timeout=LIMIT_S, close_timeout=1, max_size=None)

    def raw(self) -> socket.socket:
        """Return a connection that says what the test wants."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=LIMIT_S)


@contextmanager
def serving(*pipelines: fa.Pipeline, **bounds: Any) -> Iterator[Server]:
    """Run a server of some pipelines in a thread."""
    settings = Settings(**{"port": 0, "host": "127.0.0.1"} | NO_BOUNDS | bounds)
    application, at = Application(pipelines, settings), running.bound(settings)
    port = at.getsockname()[1]
    ready = threading.Event()
    server = running.server_for(application, settings, at, lambda _: ready.set())
    thread = threading.Thread(target=server.run, kwargs={"sockets": [at]})
    thread.start()

    def stop() -> None:
        server.should_exit = True

    try:
        assert ready.wait(LIMIT_S)
        yield Server(
            port,
            application,
            stop,
            lambda: len(server.server_state.connections),
            lambda: thread.join(LIMIT_S),
        )
    finally:
        stop()
        thread.join(LIMIT_S)
        application.close()
        at.close()
    assert not thread.is_alive()


def levels() -> fa.Pipeline:
    """Return a pipeline that costs nothing: its one score is the level of each half second."""
    level = fa.RMS(sample_rate=RATE_HZ, frame_length=8000, hop_length=8000)
    return fa.Pipeline(level >> fa.Tags(["loud"]), silence_db=None, card={"name": "levels"})


def sound(seconds: float, rate: int = RATE_HZ, channels: int = 1, seed: int = 3) -> np.ndarray:
    """Return noise [n] or [n, channels] as int16, in half-second steps of loudness."""
    n = round(seconds * rate)
    noise = np.random.default_rng(seed).uniform(-0.5, 0.5, (n, channels))
    steps = 0.1 + 0.9 * ((np.arange(n) * 2 // rate) % 3 == 0)
    made = (noise * steps[:, None] * 32767).astype(np.int16)
    return made[:, 0] if channels == 1 else made


def wav(samples: np.ndarray, rate: int = RATE_HZ) -> bytes:
    """Return samples as the bytes of a WAV file."""
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format="WAV")
    return file.getvalue()


def heard(socket_: ClientConnection) -> list[dict[str, Any]]:
    """Return all messages of a stream until it is closed."""
    messages = []
    with suppress(ConnectionClosed):  # by another code than the usual one
        for text in socket_:
            messages.append(json.loads(text))  # noqa: PERF401  # those before the end stay
    return messages


def bloat(patch: pytest.MonkeyPatch) -> None:
    """Make spectra of live streams large: the way to a client who takes nothing is full soon."""
    patch.setattr(session.spectra, "as_text", lambda *_: "A" * 200_000)


def of(kind: str, messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the messages of one type."""
    return [message for message in messages if message["type"] == kind]


def until(true: Callable[[], Any], limit_s: float = LIMIT_S) -> None:
    """Wait until something is true."""
    end = time.monotonic() + limit_s
    while not true():
        assert time.monotonic() < end, "it didn't become true"
        time.sleep(0.005)
