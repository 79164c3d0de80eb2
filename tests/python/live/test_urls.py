"""Sound from an address: cut connections are found again, gaps are told, and nothing else is opened."""

from __future__ import annotations

import io
import json
import threading
import time
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest
import soundfile
from fastaudio import cli
from fastaudio.live.urls import _PROTOCOLS, is_url, name_of_url
from live_helpers import features, rows_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytest.importorskip("av", reason="pip install '.[av]'")

LIMIT_S = 60.0
RATE = 16_000
PIECE = 3200
FEATURES = features()


def sound(seconds: float, seed: int = 0) -> np.ndarray[Any, Any]:
    return np.random.default_rng(seed).integers(-8000, 8000, round(seconds * RATE)).astype(np.int16)


def as_file(samples: np.ndarray[Any, Any], form: str = "WAV") -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, RATE, format=form, subtype="PCM_16")
    return file.getvalue()


class Radio:
    """A server on this machine that does something else for each request."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/radio"
        self.acts: list[Callable[[Any], None]] = []
        self.paths: list[str] = []


@contextmanager
def serving() -> Iterator[Radio]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            radio.paths.append(self.path)
            act = radio.acts.pop(0) if len(radio.acts) > 1 else radio.acts[0]
            self.close_connection = True
            with suppress(ConnectionError):  # the other side has left
                act(self)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    radio = Radio(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield radio
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def radio() -> Iterator[Radio]:
    with serving() as radio:
        yield radio


def gives(data: bytes, *, pace: float | None = None, hang_s: float = 0.0) -> Callable[[Any], None]:
    """Return an act that sends bytes and ends: as fast as it can, or so many times as fast as they sound."""

    def act(handler: Any) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "audio/wav")
        handler.send_header("Connection", "close")
        handler.end_headers()
        for first in range(0, len(data), PIECE):
            handler.wfile.write(data[first : first + PIECE])
            if pace is not None:
                time.sleep(PIECE / (2 * RATE) / pace)
        handler.wfile.flush()
        time.sleep(hang_s)

    return act


def refuses(status: int, **headers: str) -> Callable[[Any], None]:
    def act(handler: Any) -> None:
        handler.send_response(status)
        for key, value in headers.items():
            handler.send_header(key, value)
        handler.end_headers()

    return act


@pytest.mark.parametrize("form", ["WAV", "FLAC"])
def test_a_recording_on_a_server_has_the_numbers_that_it_has_here(form: str, radio: Radio) -> None:
    samples = sound(5.0)
    radio.acts = [gives(as_file(samples, form))]
    source = fa.UrlSource(radio.url)
    assert (source.sample_rate, source.channels, source.can_wait) == (RATE, 1, True)
    with FEATURES.listen(source) as stream:
        rows = rows_of(stream)
    assert np.array_equal(rows, FEATURES(samples, sample_rate=RATE))


def test_an_address_alone_is_enough(radio: Radio) -> None:
    samples = sound(1.0)
    radio.acts = [gives(as_file(samples))]
    with FEATURES.listen(radio.url) as stream:
        assert len(rows_of(stream)) == len(FEATURES(samples, sample_rate=RATE))


def test_a_cut_connection_is_found_again_and_the_gap_is_as_long_as_the_time_that_passed(radio: Radio) -> None:
    first, second = sound(1.0, 1), sound(1.0, 2)
    radio.acts = [
        gives(as_file(first), pace=4.0),
        refuses(503),
        gives(as_file(second), pace=4.0),
        lambda _: time.sleep(LIMIT_S),
    ]
    source = fa.UrlSource(radio.url, endless=True, timeout_s=LIMIT_S)
    gaps: list[tuple[float, float]] = []
    started = datetime.now(UTC)
    with FEATURES.listen(source, retry_s=0.2) as stream:
        got: list[Any] = []
        until = time.monotonic() + LIMIT_S
        while sum(len(each.rows) for each in got) < 2 * len(FEATURES(first, sample_rate=RATE)) - 2:
            assert time.monotonic() < until
            item = stream.get(timeout_s=0.1)
            if item is None:
                continue
            got.append(item)
            if item.gap_s > 0:
                gaps.append((item.start_s, item.gap_s))
        ((at_s, gap_s),) = gaps
        passed_s = (datetime.now(UTC) - started).total_seconds()
        assert 0.2 < gap_s < passed_s
        assert at_s == pytest.approx(1.0 + gap_s, abs=0.3)  # times count what was lost
        late_s = (stream.time_of(at_s) - started).total_seconds()
        assert -2 < late_s < passed_s + 2  # the sound itself came faster than it was heard
        assert stream.stats().interruptions >= 1
    after = np.concatenate([each.rows for each in got if each.start_s >= at_s])
    want = FEATURES(second, sample_rate=RATE)
    assert np.array_equal(after[: len(want) - 2], want[: len(after)][: len(want) - 2])


def test_without_retry_an_end_is_the_end_and_a_lost_one_is_an_error(radio: Radio) -> None:
    radio.acts = [gives(as_file(sound(0.5)))]
    with FEATURES.listen(fa.UrlSource(radio.url)) as stream:
        assert list(stream)
    lost = pytest.raises(fa.DecodeError, match="expected sound without end, got an end; is the other side")
    with FEATURES.listen(fa.UrlSource(radio.url, endless=True)) as stream, lost:
        list(stream)


def test_a_server_that_hangs_is_lost_after_its_time(radio: Radio) -> None:
    radio.acts = [gives(as_file(sound(5.0)), hang_s=2 * LIMIT_S)]  # more than is read to begin
    source = fa.UrlSource(radio.url, timeout_s=2.0)
    started_s = time.monotonic()
    with FEATURES.listen(source) as stream, pytest.raises(fa.DecodeError, match=r"got none for 2 s"):
        list(stream)
    assert time.monotonic() - started_s < LIMIT_S
    radio.acts = [lambda _: time.sleep(LIMIT_S)]
    with pytest.raises(fa.DecodeError, match=r"expected sound, got: nothing within 0\.5 s"):
        fa.UrlSource(radio.url, timeout_s=0.5)


@pytest.mark.parametrize(
    ("act", "reason"),
    [(refuses(404), "404"), (gives(b"<html>no sound</html>" * 100), "Invalid data|sound")],
    ids=["missing", "no sound"],
)
def test_what_is_no_sound_is_refused(act: Any, reason: str, radio: Radio) -> None:
    radio.acts = [act]
    with pytest.raises(fa.DecodeError, match=reason):
        fa.UrlSource(radio.url)


def test_a_playlist_or_a_redirection_to_a_file_opens_nothing_else(radio: Radio, tmp_path: Path) -> None:
    path = tmp_path / "secret.wav"
    path.write_bytes(as_file(sound(1.0)))
    lists = f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{radio.url}/other\n#EXT-X-ENDLIST\n"
    concat = f"ffconcat version 1.0\nfile {path}\n"
    for act in (
        gives(lists.encode()),
        gives(concat.encode()),
        refuses(302, Location=f"file://{path}"),
        refuses(302, Location=f"concat:{path}"),
    ):
        radio.acts = [act]
        with pytest.raises(fa.DecodeError):
            fa.UrlSource(radio.url)
    assert set(radio.paths) == {"/radio"}


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "concat:a", "data://x", "ftp://a/b", "pipe://0", "a.wav", "", 7]
)
def test_other_addresses_are_refused(url: Any) -> None:
    with pytest.raises(ValueError, match="UrlSource: expected an address that begins with one of http, "):
        fa.UrlSource(url)


def test_a_password_is_in_no_message(radio: Radio) -> None:
    radio.acts = [refuses(401)]
    url = radio.url.replace("//", "//ann:hunter2@") + "?token=hunter2"
    with pytest.raises(fa.DecodeError) as error:
        fa.UrlSource(url)
    assert "hunter2" not in str(error.value)
    assert name_of_url(url) == radio.url


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("HTTP://user:pass@host:8000/a?key=secret", "http://host:8000/a"),
        ("rtsp://user:p#a/s?s@host/1", "rtsp://host/1"),
        ("https://host/a#secret", "https://host/a"),
    ],
)
def test_a_name_leaves_out_what_may_be_secret(url: str, name: str) -> None:
    assert name_of_url(url) == name


def test_a_source_that_comes_back_at_another_rate_goes_on_at_the_stream_s(radio: Radio) -> None:
    slow = io.BytesIO()
    soundfile.write(slow, np.stack([sound(2)[::2]] * 2, axis=1), RATE // 2, format="WAV", subtype="PCM_16")
    radio.acts = [gives(as_file(sound(2))), gives(slow.getvalue())]
    first = fa.UrlSource(radio.url)
    second = first.again()
    first.stop()
    assert (second.sample_rate, second.channels) == (first.sample_rate, first.channels) == (RATE, 1)
    with FEATURES.listen(second) as stream:
        n = len(rows_of(stream))
    assert n == pytest.approx(2 * RATE / 256, abs=2)


def test_encryption_is_not_left_by_a_redirect() -> None:
    assert "http" not in _PROTOCOLS["https"].split(",")
    assert {"file", "concat", "crypto", "data", "pipe"}.isdisjoint(",".join(_PROTOCOLS.values()).split(","))


def test_stopping_takes_no_longer_than_a_moment(radio: Radio) -> None:
    radio.acts = [gives(as_file(sound(5.0)), hang_s=2 * LIMIT_S)]  # more than is read to begin
    stream = FEATURES.listen(fa.UrlSource(radio.url, timeout_s=2 * LIMIT_S))
    assert stream.get(timeout_s=LIMIT_S) is not None
    started_s = time.monotonic()
    stream.close()
    assert time.monotonic() - started_s < LIMIT_S


def test_an_address_is_told_from_a_name() -> None:
    assert is_url("rtsp://camera/1")
    assert not is_url("USB Audio")
    assert not is_url("C:\\a.wav")


@pytest.mark.parametrize(("value", "error"), [(0, ValueError), ("1", TypeError), (True, TypeError)])
def test_times_outside_their_range_are_refused(value: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="UrlSource: expected timeout_s"):
        fa.UrlSource("http://127.0.0.1:9", timeout_s=value)


def test_sound_that_is_missing_by_its_time_stamps_is_told() -> None:
    av: Any = pytest.importorskip("av")
    told: list[int] = []

    class Sink:
        def __init__(self) -> None:
            self.n = 0
            self.ended = threading.Event()

        def push(self, samples: Any) -> None:
            self.n += len(samples)

        def interrupt(self) -> None:
            told.append(self.n)

        def finish(self) -> None:
            self.ended.set()

    file = io.BytesIO()
    with av.open(file, "w", format="matroska") as container:
        stream = container.add_stream("pcm_s16le", rate=RATE, layout="mono")
        for k in range(20):
            frame = av.AudioFrame.from_ndarray(sound(0.1, k)[None], format="s16", layout="mono")
            frame.sample_rate = RATE
            frame.pts = round((0.1 * k + (3.0 if k >= 10 else 0.0)) * RATE)
            for packet in stream.encode(frame):
                container.mux(packet)
        for packet in stream.encode(None):
            container.mux(packet)
    with serving() as radio:
        radio.acts = [gives(file.getvalue())]
        for endless, want in ((True, [RATE]), (False, [])):
            told.clear()
            sink = Sink()
            source = fa.UrlSource(radio.url, endless=endless)
            source.start(sink)
            assert sink.ended.wait(LIMIT_S)
            source.stop()
            assert sink.n == 2 * RATE
            assert told == want


def test_the_command_line_listens_to_an_address(
    radio: Radio, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    samples = sound(4.0)
    radio.acts = [gives(as_file(samples))]
    path = tmp_path / "heard.wav"
    url = radio.url.replace("//", "//ann:hunter2@")
    assert cli.main(["listen", url, "--jsonl", "--no-kind", "--record", str(path)]) == 0
    out, err = capsys.readouterr()
    assert {json.loads(line)["path"] for line in out.splitlines()} == {radio.url}
    assert err == ""
    assert np.array_equal(soundfile.read(path, dtype="int16")[0], samples)
    radio.acts = [refuses(404)]
    assert cli.main(["listen", url]) == 1
    out, err = capsys.readouterr()
    assert (out, "hunter2" in err) == ("", False)
    assert err.startswith(f"fastaudio: {radio.url}: expected sound, got: ")
    assert cli.main(["listen", url, "--rate", "16000"]) == 2
    assert "expected no --rate with an address" in capsys.readouterr().err


def test_a_lost_address_is_recorded_with_its_gap(
    radio: Radio, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    samples, long = sound(2.0), sound(40.0)  # longer than a slow machine takes to find it again
    radio.acts = [gives(as_file(samples)), gives(as_file(long)), lambda _: time.sleep(LIMIT_S)]
    path = tmp_path / "heard.wav"
    options = ["--retry", "0.3", "--seconds", "30", "--jsonl", "--no-kind", "--record", str(path)]
    assert cli.main(["listen", radio.url, *options]) == 0
    out, err = capsys.readouterr()
    gaps = [line["gap_s"] for line in map(json.loads, out.splitlines()) if line["gap_s"]]
    assert len(gaps) == 1
    assert "s of sound lost at 2.000 s: silence there" in err
    heard = soundfile.read(path, dtype="int16")[0]
    assert np.array_equal(heard[: 2 * RATE], samples)
    rest = heard[2 * RATE + round(gaps[0] * RATE) :]
    assert len(rest) > 0
    assert np.array_equal(rest, long[: len(rest)])
