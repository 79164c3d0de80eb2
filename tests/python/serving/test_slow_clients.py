"""Who is slow but steady gets all; who takes nothing is cut off; the server's end waits for nobody."""

from __future__ import annotations

import socket
import threading
import time
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import pytest
from fastaudio.serving import hearing, running, uploads
from fastaudio.serving import live as live_module
from serving_helpers import (
    FRAME,
    LIMIT_S,
    RATE_HZ,
    UPGRADE,
    Server,
    bloat,
    connect,
    heard,
    levels,
    of,
    serving,
    sound,
    until,
    wav,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

BODY = wav(sound(1))
HEAD = b"POST /v1/tag?%s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n"
LARGE = 20_000_000


def narrow(server: Server) -> socket.socket:
    """Return a connection whose side holds little, so that the other notices what isn't taken."""
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
    raw.settimeout(LIMIT_S)
    raw.connect(("127.0.0.1", server.port))
    return raw


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers are large, and made at once."""
    monkeypatch.setattr(uploads, "hear", lambda _: (bytes(LARGE), 0.0))


@pytest.mark.usefixtures("large")
def test_a_reader_who_is_slow_but_steady_gets_all_of_a_large_answer() -> None:
    bound_s, takes_s = 4, 5  # a busy machine may run this thread late, but not by seconds
    with serving(levels(), send_s=bound_s, header_s=bound_s) as server, narrow(server) as raw:
        raw.sendall(HEAD % (b"", len(BODY)) + BODY)
        begun, n_bytes = time.monotonic(), 0
        while n_bytes < LARGE:
            got = raw.recv(1 << 18)
            assert got, f"cut off after {n_bytes} bytes and {time.monotonic() - begun:.1f} s"
            n_bytes += len(got)
            time.sleep(len(got) / LARGE * takes_s)
        assert time.monotonic() - begun > bound_s  # than both bounds, and uvicorn closes none meanwhile


@pytest.mark.usefixtures("large")
def test_a_reader_who_stops_in_the_middle_is_cut_off() -> None:
    with serving(levels(), send_s=0.3, header_s=0.3) as server, narrow(server) as raw:
        raw.sendall(HEAD % (b"", len(BODY)) + BODY)
        assert raw.recv(1000)
        until(lambda: server.connections() == 0)


def test_nothing_is_dropped_of_a_sender_who_takes_no_results_for_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(live_module, "MOST_RESULTS", 4)
    bloat(monkeypatch)
    seconds = 30
    with serving(levels()) as server:
        uri = f"ws://127.0.0.1:{server.port}/v1/live?rate={RATE_HZ}&format=s16le&spectrogram=1"
        with connect(uri, sock=narrow(server), max_size=None, max_queue=1, close_timeout=1) as live:
            data = bytes(2 * RATE_HZ * seconds)

            def send() -> None:
                for start in range(0, len(data), 1 << 18):
                    live.send(data[start : start + (1 << 18)])
                live.send("end")

            sending = threading.Thread(target=send)
            sending.start()
            # Until the results' way is full, and the sound's: then no more is taken.
            until(lambda: server.application.measures.streams)
            sent, captured = 0.0, -1.0
            while sent != captured:
                captured = sent
                time.sleep(0.5)
                (stream,) = server.application.measures.streams.values()
                sent = stream()[0].captured
            assert captured < seconds * RATE_HZ, "the sound went through; the test needs more of it"
            messages = heard(live)
            sending.join(LIMIT_S)
    end = messages[-1]
    assert (end["type"], end["results_dropped"], end["dropped_s"]) == ("end", 0, 0)
    assert len(of("window", messages)) == 2 * seconds + 1  # frames are centred


@pytest.mark.parametrize("query", ["windows=1", "events=1", "format=audacity", "format=raven"])
def test_an_answer_that_takes_too_long_to_make_is_ended(monkeypatch: pytest.MonkeyPatch, query: str) -> None:
    made: list[None] = []

    def slow(*_: Any, **__: Any) -> Any:
        made.append(time.sleep(0.05))
        return {} if query == "events=1" else ""

    def endless(_: Any) -> Iterator[Any]:
        for _ in range(2000):
            yield slow()

    monkeypatch.setattr(hearing, "plain_rows", endless)
    monkeypatch.setattr(hearing, "audacity_line", slow)
    monkeypatch.setattr(hearing, "raven_row", slow)
    monkeypatch.setattr("fastaudio.events.Event.to_dict", slow)
    if query != "windows=1":
        event = fa.Event("loud", 0.0, 1.0, 0.5, 0.5)
        monkeypatch.setattr(hearing.Events, "__iter__", lambda _: iter([event] * 2000), raising=False)
    for answer_s in (0.3, 3, 30):  # a slow machine comes to making it only in a longer time
        with serving(levels(), answer_s=answer_s) as server:
            answer = server.tag(BODY, query)
            assert answer.error == (504, "timed_out")
            until(lambda server=server: server.application.uploads.n_here == 0)  # type: ignore[misc]
        if made:
            break
    assert 0 < len(made) < 2000  # which would take 100 s


def test_more_events_than_an_answer_may_hold_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hearing, "_EVENT_BYTES", 1e9)
    with serving(levels()) as server:
        assert server.tag(BODY, "onset=0.01").error == (422, "too_many_results")


def test_the_end_of_the_server_waits_no_longer_than_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """A live stream and an upload whose clients take nothing share the time."""
    import uvicorn

    waited_s: list[float] = []
    wait_ended, shutdown = live_module.Live.wait_ended, uvicorn.Server.shutdown

    async def waits(live: Any, limit_s: float) -> None:
        begun = time.monotonic()
        await wait_ended(live, limit_s)
        waited_s.append(time.monotonic() - begun)

    async def ends(self: Any, **how: Any) -> None:
        waited_s.append(self.config.timeout_graceful_shutdown)
        await shutdown(self, **how)

    monkeypatch.setattr(live_module.Live, "wait_ended", waits)
    monkeypatch.setattr(uvicorn.Server, "shutdown", ends)
    bloat(monkeypatch)
    monkeypatch.setattr(uploads, "hear", lambda _: (bytes(LARGE), 0.0))
    with serving(levels()) as server, narrow(server) as raw, narrow(server) as held:
        held.sendall(HEAD % (b"", len(BODY)) + BODY)
        raw.sendall(UPGRADE)
        assert b" 101 " in raw.recv(100)
        raw.settimeout(2)
        with pytest.raises(TimeoutError):  # noqa: PT012  # once its results are stuck
            for _ in range(1000):
                raw.sendall(FRAME)
        server.stop()
        server.join()
    for_live_s, for_uploads_s = waited_s
    assert for_live_s >= running.GRACE_S / 2
    assert 0 <= for_uploads_s <= max(running.GRACE_S - for_live_s, 0)
