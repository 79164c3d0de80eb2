"""Uploads and connections have bounds: what goes beyond one is refused or cut off, and the rest goes on."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from fastaudio.serving import spooling, uploads
from helpers import GUITAR
from serving_helpers import LIMIT_S, RATE_HZ, levels, serving, sound, until, wav

if TYPE_CHECKING:
    from collections.abc import Iterator

    import fastaudio as fa

BODY = wav(sound(1))
HEAD = b"POST /v1/tag HTTP/1.1\r\nHost: localhost\r\n"


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Uploads run until this is set, or until they are cancelled."""
    release = threading.Event()

    def hear(task: Any) -> tuple[str, float]:
        while not release.wait(0.01):
            if task.cancel.cancelled:
                raise uploads.stopping()
        return b"{}", 0.0

    monkeypatch.setattr(uploads, "hear", hear)
    yield release
    release.set()


def test_too_many_bytes_are_refused_before_and_while_they_come() -> None:
    with serving(levels(), max_mb=0.01) as server:
        assert server.tag(bytes(10_001)).error == (413, "too_large")
        endless = (bytes(1000) for _ in range(1000))
        assert server.tag(endless).error == (413, "too_large")
        assert server.tag(bytes(10_000)).error == (415, "no_sound")
        assert server.application.uploads._spool.n_bytes == 0


def test_a_length_that_is_a_lie_is_refused() -> None:
    with serving(levels()) as server, server.raw() as raw:
        raw.sendall(HEAD + b"Content-Length: " + b"9" * 18 + b"\r\n\r\n")
        assert b" 413 " in raw.recv(1000)


@pytest.mark.parametrize("form", ["wav", "pcm"])
def test_too_much_sound_is_refused(form: str) -> None:
    with serving(levels(), max_s=1.5) as server:
        for seconds, status in ((1.4, 200), (1.6, 413)):
            samples = sound(seconds)
            body, query = (
                (wav(samples), "") if form == "wav" else (samples.tobytes(), f"pcm=s16le&rate={RATE_HZ}")
            )
            answer = server.tag(body, query)
            assert answer.status == status
        assert answer.error == (413, "too_long")


def test_too_many_results_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from fastaudio.serving import hearing

    monkeypatch.setattr(hearing, "_RESULT_MB", 1e-5)
    with serving(levels()) as server:
        assert server.tag(wav(sound(30))).error == (422, "too_many_results")


def test_uploads_beyond_those_that_run_and_wait_are_told_to_come_back(held: threading.Event) -> None:
    with serving(levels(), jobs=1, waiting=1) as server, ThreadPoolExecutor(2) as threads:
        first = [threads.submit(server.tag, BODY) for _ in range(2)]
        until(lambda: server.application.uploads.n_here == 2)
        refused = server.tag(BODY)
        assert refused.error == (429, "busy")
        assert int(refused.headers["retry-after"]) > 0
        assert server.ask("/healthz").status == 200
        assert "fastaudio_uploads_running 1\n" in server.ask("/metrics").body.decode()
        held.set()
        assert [one.result(LIMIT_S).status for one in first] == [200, 200]
        assert server.tag(BODY).status == 200


def test_two_hundred_uploads_at_once_are_answered(tagger: fa.Pipeline) -> None:
    with serving(tagger, levels(), waiting=20) as server, ThreadPoolExecutor(200) as threads:
        answers = list(threads.map(lambda _: server.tag(BODY, "model=levels"), range(200)))
        assert {answer.status for answer in answers} <= {200, 429}
        assert sum(answer.status == 200 for answer in answers) >= 20
        assert server.application.uploads.n_here == 0


def test_uploads_that_fill_the_disk_s_share_are_told_to_come_back() -> None:
    with serving(levels(), max_spool_mb=0.001) as server:
        answer = server.tag(BODY)
        assert answer.error == (503, "no_room")
        assert "retry-after" in answer.headers
        assert server.application.uploads._spool.n_bytes == 0


def test_a_disk_that_is_full_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(spooling.tempfile, "TemporaryFile", full)
    with serving(levels()) as server:
        assert server.tag(BODY).error == (507, "no_room")


def test_an_upload_that_takes_too_long_is_ended(held: threading.Event) -> None:
    with serving(levels(), answer_s=0.2) as server:
        assert server.tag(BODY).error == (504, "timed_out")
        assert server.application.uploads.n_here == 0
    assert not held.is_set()


def test_real_work_that_takes_too_long_is_ended(tagger: fa.Pipeline) -> None:
    with serving(tagger, answer_s=0.1) as server:
        assert server.tag(wav(sound(2000, 8000), 8000)).error == (504, "timed_out")


def test_a_caller_who_goes_away_ends_what_it_asked_for(held: threading.Event) -> None:
    with serving(levels(), jobs=1) as server:
        with server.raw() as raw:
            raw.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY)
            until(lambda: server.application.uploads.n_running == 1)
        until(lambda: server.application.uploads.n_here == 0)
    assert not held.is_set()


def test_an_upload_that_breaks_off_leaves_nothing() -> None:
    with serving(levels()) as server:
        with server.raw() as raw:
            raw.sendall(HEAD + b"Content-Length: 100000\r\n\r\n" + bytes(1000))
            until(lambda: server.application.uploads._spool.n_bytes == 1000)
        until(lambda: server.application.uploads.n_here == 0)
        assert server.application.uploads._spool.n_bytes == 0


@pytest.mark.parametrize("bound", ["pause_s", "upload_s"])
def test_an_upload_that_trickles_is_given_up(bound: str) -> None:
    with serving(levels(), **{bound: 0.3}) as server, server.raw() as raw:
        raw.sendall(HEAD + b"Content-Length: 100000\r\n\r\n" + bytes(1000))
        got, begun = b"", time.monotonic()
        raw.settimeout(0.02 if bound == "upload_s" else LIMIT_S)
        while not got and time.monotonic() - begun < LIMIT_S:
            try:
                got = raw.recv(1000)
            except TimeoutError:  # it waits for the answer
                raw.sendall(b"\0")
        assert b" 408 " in got


@pytest.mark.parametrize("begun", [b"", b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-A: "])
def test_a_request_that_doesn_t_come_is_cut_off(begun: bytes) -> None:
    with serving(levels(), header_s=0.3) as server, server.raw() as raw:
        began = time.monotonic()
        raw.sendall(begun)
        try:
            while time.monotonic() - began < LIMIT_S:
                raw.settimeout(0.05)
                try:
                    assert raw.recv(100) == b""
                    break
                except TimeoutError:
                    raw.sendall(b"x" if begun else b"")
        except (ConnectionResetError, BrokenPipeError):
            pass
        assert time.monotonic() - began < LIMIT_S


def test_a_caller_who_takes_no_answer_is_cut_off(tagger: fa.Pipeline) -> None:
    """It asks again and again over one connection, and reads nothing."""
    with serving(tagger, send_s=0.3) as server, server.raw() as raw:
        raw.settimeout(LIMIT_S)
        request = b"GET /docs HTTP/1.1\r\nHost: localhost\r\n\r\n"
        with pytest.raises((ConnectionResetError, BrokenPipeError)):  # noqa: PT012  # until then
            for _ in range(1_000_000):
                raw.sendall(request)


def test_connections_beyond_the_bound_are_closed() -> None:
    with serving(levels(), max_connections=2) as server:
        with server.raw() as one, server.raw() as two:
            until(lambda: server.connections() == 2)
            with server.raw() as third:
                assert closes(third)
            one.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert b" 200 " in one.recv(1000)
            del two
        until(lambda: server.connections() == 0)
        assert server.ask("/healthz").status == 200


def closes(connection: Any) -> bool:
    try:
        return connection.recv(100) == b""
    except ConnectionResetError:
        return True


@pytest.mark.parametrize(
    "request_",
    [
        b"\0\0\0\0\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 100_000 + b"\r\n\r\n",
        b"GET /v1/models?" + b"a=b&" * 2000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        HEAD + b"Content-Length: -1\r\n\r\n",
        b"GET /v1/live HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    ],
)
def test_what_is_no_request_is_refused_and_the_server_goes_on(request_: bytes) -> None:
    with serving(levels()) as server:
        with server.raw() as raw:
            raw.sendall(request_)
            raw.settimeout(LIMIT_S)
            got = raw.recv(1000)
        assert got.startswith((b"HTTP/1.1 4", b"HTTP/1.1 200")), got
        assert server.ask("/healthz").status == 200


def test_the_end_of_the_server_ends_what_runs(held: threading.Event) -> None:
    with serving(levels(), jobs=1) as server, ThreadPoolExecutor(2) as threads:
        answers = [threads.submit(server.tag, BODY) for _ in range(2)]
        until(lambda: server.application.uploads.n_here == 2)
        server.stop()
        assert [one.result(LIMIT_S).error for one in answers] == [(503, "stopping")] * 2
    assert not held.is_set()


@pytest.mark.skipif("sys.platform == 'win32'", reason="processes of their own need Linux or macOS")
def test_an_upload_in_a_process_of_its_own_gets_the_same_tags(tagger: fa.Pipeline) -> None:
    with serving(tagger, isolate=True) as server:
        body = wav(sound(3.2))
        want = tagger(sound(3.2), sample_rate=RATE_HZ)
        got = server.tag(body, "windows=1&events=1").data
        assert np.array_equal(np.array(got["windows"], np.float32), want.scores)
        assert server.tag(b"no sound").error == (415, "no_sound")
        assert server.tag(body, "spectrogram=1").error == (400, "bad_parameter")
        assert (
            server.tag(sound(3.2).tobytes(), f"pcm=s16le&rate={RATE_HZ}&windows=1").data["windows"]
            == got["windows"]
        )


def test_a_process_that_ends_is_that_upload_s_error(monkeypatch: pytest.MonkeyPatch) -> None:
    import fastaudio as fa
    from fastaudio.serving import hearing

    def ended(*_: Any, **__: Any) -> None:
        raise fa.IsolationError("isolation: expected an answer, got the end of the process")

    with serving(levels()) as server:
        with monkeypatch.context() as patch:
            patch.setattr(hearing, "_of_file", ended)
            assert server.tag(GUITAR.read_bytes()).error == (422, "ended")
        assert server.tag(GUITAR.read_bytes()).status == 200


def test_a_fault_of_the_server_tells_callers_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    from fastaudio.serving import hearing

    def fault(*_: Any, **__: Any) -> None:
        raise RuntimeError("/secret/path")

    monkeypatch.setattr(hearing, "_of_file", fault)
    with serving(levels()) as server:
        answer = server.tag(BODY)
        assert answer.error == (500, "fault")
        assert b"secret" not in answer.body


def test_an_upload_that_waits_too_long_is_ended_too(held: threading.Event) -> None:
    with serving(levels(), jobs=1, answer_s=3) as server, ThreadPoolExecutor(1) as threads:
        with server.raw() as raw:  # it runs, and is never done by itself
            raw.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY)
            until(lambda: server.application.uploads.n_running == 1)
            assert threads.submit(server.tag, BODY).result(LIMIT_S).error == (504, "timed_out")
        until(lambda: server.application.uploads.n_here == 0)
    assert not held.is_set()


def test_a_caller_who_goes_away_while_it_waits_frees_its_place(held: threading.Event) -> None:
    with serving(levels(), jobs=1) as server, server.raw() as first:
        first.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY)
        until(lambda: server.application.uploads.n_running == 1)
        with server.raw() as second:
            second.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY)
            until(lambda: server.application.uploads.n_here == 2)
        until(lambda: server.application.uploads.n_here == 1)
        assert server.application.uploads.n_running == 1
    assert not held.is_set()
