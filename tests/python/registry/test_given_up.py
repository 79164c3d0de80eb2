"""A server that keeps the connection alive and never answers is given up in time, and so it is by Ctrl-C."""

from __future__ import annotations

import gc
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from fastaudio.registry import FetchError, transfer
from fastaudio.registry import answer as answers
from fastaudio.registry.getting import fetch
from helpers import ROOT
from hostile_server import answer, endless, raw_serving, trickle, whole
from registry_helpers import CONTENT, held, refused, toy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hostile_server import Act, Server

LIMIT_S = 0.4
MOST_S = 60  # far more than two tries with this limit take on a busy machine
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"

# A socket that is shut before the libraries encrypt it is left to the garbage collector, which then warns.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have short limits; a socket's own timeouts stay as long as they are."""
    monkeypatch.setattr(transfer, "_TRIES", 2)
    monkeypatch.setattr(transfer, "_WAIT_S", 0.05)
    monkeypatch.setattr(answers, "ANSWER_S", LIMIT_S)
    monkeypatch.setattr(answers, "SILENT_S", LIMIT_S)


@pytest.fixture
def stop() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


@contextmanager
def in_time() -> Iterator[None]:
    """Have a block end in time, and the threads that it began, with their sockets."""
    began = time.monotonic()
    yield
    assert time.monotonic() - began < MOST_S
    until(lambda: all(thread.name != "fastaudio get" for thread in threading.enumerate()))
    gc.collect()


def until(true: Any) -> None:
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


HEADS = {
    "status a byte at a time": (b"", b"H", 0.02),
    "one header a byte at a time": (OK + b"X: ", b"x", 0.02),
    "headers without end": (OK, b"X: y\r\n", 0.02),
    "100-Continue without end": (b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.0),
    "100-Continue with headers": (b"", b"HTTP/1.1 100 Continue\r\nX: y\r\n\r\n", 0.001),
}


@pytest.mark.parametrize("case", HEADS)
def test_a_head_that_does_not_end_is_given_up(
    server: Server, home: Path, stop: threading.Event, case: str
) -> None:
    before, again, step_s = HEADS[case]
    server.acts = [endless(before, again, step_s=step_s, stop=stop)]
    with in_time():
        refused(server, home, match=f"got no answer within {LIMIT_S} s; try again later")
    assert len(server.seen) == 2
    assert held(home) == {}


@pytest.mark.parametrize("again", [b"x" * 1000, b"X: y\r\n"])
def test_a_head_of_any_size_is_not_taken(
    server: Server, home: Path, stop: threading.Event, again: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "ANSWER_S", 60)
    server.acts = [endless(OK + b"A: b\r\n", again, stop=stop)]
    with in_time():
        refused(server, home, match="expected the whole file, got no connection")


def test_redirects_have_one_deadline_together(
    server: Server, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit_s = 1.5  # so that a slow machine, too, comes to the second redirect
    monkeypatch.setattr(answers, "ANSWER_S", limit_s)

    def slow(handler: Any) -> None:
        time.sleep(limit_s / 3)
        answer(302, Location="/again")(handler)

    server.acts = [slow]
    with in_time():
        refused(server, home, match=f"got no answer within {limit_s} s")
    assert 3 <= len(server.seen) <= 8  # of two tries


BODIES = {
    "a chunk's size a byte at a time": (CHUNKED, b"0", 0.02),
    "trailers without end": (CHUNKED + b"0\r\n", b"X: y\r\n", 0.0),
    "nothing": (OK + b"Content-Length: 300000\r\n\r\nbegun", b"", 0.02),
}


@pytest.mark.parametrize("case", BODIES)
def test_a_body_that_does_not_go_on_is_given_up(
    server: Server, home: Path, stop: threading.Event, case: str
) -> None:
    before, again, step_s = BODIES[case]
    server.acts = [endless(before, again, step_s=step_s, stop=stop)]
    with in_time():
        refused(server, home, match=f"got nothing for {LIMIT_S} s")


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize("sent", [b"", b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc\x03\x03"])
def test_an_encryption_that_never_begins_is_given_up(home: Path, stop: threading.Event, sent: bytes) -> None:
    def act(connection: socket.socket) -> None:
        trickle(connection, sent, b"\x00" if sent else b"", stop=stop, step_s=0.02)

    given_up = pytest.raises(FetchError, match=f"got no answer within {LIMIT_S} s")
    with raw_serving(act) as place, in_time(), given_up:
        fetch(toy(f"https://{place}/net.onnx"))
    assert held(home) == {}


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize("sent", [b"", b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 100 Continue\r\n\r\n"])
def test_a_proxy_that_never_connects_is_given_up(
    home: Path, stop: threading.Event, sent: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    again = sent if b"Continue" in sent else b"x"
    with raw_serving(lambda connection: trickle(connection, sent, again, stop=stop, step_s=0.02)) as place:
        monkeypatch.setenv("https_proxy", f"http://{place}")
        with in_time(), pytest.raises(FetchError, match=f"got no answer within {LIMIT_S} s|the proxy"):
            fetch(toy("https://a.example/net.onnx"))
    assert held(home) == {}


@pytest.mark.usefixtures("server")
def test_a_name_that_is_looked_up_without_end_is_given_up(
    home: Path, stop: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look_up(*_: object, **__: object) -> None:
        stop.wait(2 * MOST_S)
        raise OSError("no such name")

    with in_time():
        with monkeypatch.context() as patch:
            patch.setattr(socket, "getaddrinfo", look_up)
            with pytest.raises(FetchError, match=f"got no answer within {LIMIT_S} s"):
                fetch(toy("https://a.example/net.onnx"))
        stop.set()
    assert held(home) == {}


@pytest.mark.usefixtures("home")
def test_a_slow_disk_is_not_the_servers_fault(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "_SLOW_BYTES", 10**9)
    monkeypatch.setattr(answers, "SILENT_S", MOST_S)
    monkeypatch.setattr(answers, "ANSWER_S", MOST_S)
    written_s = 0.0  # by the clock, each piece takes longer to write than a server may take for all
    monkeypatch.setattr(answers, "time", SimpleNamespace(monotonic=lambda: time.monotonic() + written_s))

    def write(*_: object) -> None:
        nonlocal written_s
        written_s += 2 * answers._SLOW_S

    server.acts = [whole(CONTENT)]
    fetch(toy(server.url), write)
    assert written_s > 2 * answers._SLOW_S
    assert len(server.seen) == 1


RUN = """
import socket, sys, time
sys.path.insert(0, {support!r})
import registry_helpers as t
from fastaudio.registry.getting import fetch
if sys.argv[2] == "name":
    socket.getaddrinfo = lambda *_, **__: (print("waits", flush=True), time.sleep(600))
else:
    print("waits", flush=True)
fetch(t.toy(sys.argv[1]))
"""


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize("what", ["name", "head", "body"])
def test_ctrl_c_ends_it_whatever_it_waits_for(
    server: Server, home: Path, stop: threading.Event, what: str
) -> None:
    act: Act = endless(CHUNKED if what == "body" else b"", b"0", step_s=0.02, stop=stop)
    server.acts = [act]
    code = RUN.format(support=str(ROOT / "tests" / "python" / "support"))
    run = subprocess.Popen([sys.executable, "-c", code, server.url, what], stdout=-1, stderr=-1, text=True)
    try:
        assert run.stdout
        assert run.stdout.readline() == "waits\n"
        until(lambda: what == "name" or server.seen)
        time.sleep(0.2)
        run.send_signal(signal.SIGINT)
        _, err = run.communicate(timeout=MOST_S)
    finally:
        run.kill()
        run.communicate()
    assert re.search("KeyboardInterrupt", err), err
    assert not list(home.glob("*/net.onnx"))
