"""A source that is lost is found again: the gap is as long as the time that passed, and it is told."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest
from fastaudio.live.clock import TOLERANCE_S
from fastaudio.live.retrying import Retrying
from live_helpers import RATE_HZ, features, noise, rows_of, scores, wait_until

if TYPE_CHECKING:
    from fastaudio.live.stream import LiveStream
    from numpy.typing import NDArray

FEATURES = features()
PART = 12_345
RETRY_S = 0.05
BLOCK = 100


class Flaky:
    """Gives parts of a sound; after each part but the last the connection is lost."""

    channels, name = 1, "flaky"

    def __init__(self, parts: list[NDArray[Any]], *, refusals: int = 0, rate: int = RATE_HZ) -> None:
        self.sample_rate = rate
        self.parts = parts
        self.refusals = refusals
        self.stopped = 0
        self.error: Exception | None = None

    def start(self, stream: Any) -> None:
        threading.Thread(target=self._run, args=(stream,), daemon=True).start()

    def _run(self, stream: Any) -> None:
        part = self.parts.pop(0)
        try:
            for first in range(0, len(part), BLOCK):
                stream.push(part[first : first + BLOCK])
        except fa.StateError:  # the stream was closed
            return
        if self.parts:
            self.error = ConnectionResetError("flaky: connection reset")
        stream.finish()

    def stop(self) -> None:
        self.stopped += 1

    def check(self) -> None:
        if self.error is not None:
            raise self.error

    def again(self) -> Flaky:
        if self.refusals > 0:
            self.refusals -= 1
            raise ConnectionRefusedError("flaky: nobody there")
        return Flaky(self.parts, rate=self.sample_rate)


def listen(source: Any, **options: Any) -> tuple[list[Any], fa.LiveStats, LiveStream]:
    """Return all results, and the figures."""
    with FEATURES.listen(source, retry_s=RETRY_S, **options) as stream:
        items = list(stream)
        return items, stream.stats(), stream


@pytest.mark.parametrize("overflow", ["drop_oldest", "block", "raise"])
def test_each_stretch_is_a_clip_and_the_gaps_have_their_length(
    overflow: Any, caplog: pytest.LogCaptureFixture
) -> None:
    sound = noise(3 * PART)
    parts = [sound[:PART], sound[PART : 2 * PART], sound[2 * PART :]]
    with caplog.at_level(logging.WARNING, logger="fastaudio"):
        items, stats, _ = listen(Flaky(list(parts)), overflow=overflow, buffer_s=10)
    firsts = [0, *(k for k, item in enumerate(items) if item.gap_s > 0)]
    assert len(firsts) == 3
    for part, first, end in zip(parts, firsts, [*firsts[1:], len(items)], strict=True):
        assert rows_of(items[first:end]).tobytes() == FEATURES(part, sample_rate=RATE_HZ).tobytes()
    gaps = [round(items[first].gap_s * RATE_HZ) for first in firsts[1:]]
    assert all(gap >= RETRY_S * RATE_HZ - BLOCK for gap in gaps)  # the time that passed, less the first block
    starts = [round(items[first].start_s * RATE_HZ) for first in firsts]
    assert starts == [0, PART + gaps[0], 2 * PART + sum(gaps)]
    assert (stats.interruptions, stats.gaps, stats.dropped) == (2, 2, sum(gaps))
    assert stats.captured == 3 * PART + sum(gaps)
    told = [record.getMessage() for record in caplog.records]
    assert told[0] == "flaky: connection reset; trying again after 0.05 s, later every 0.05 s"
    assert told[1].startswith("flaky: found again after ")
    assert len(told) == 4


def test_it_tries_until_the_source_is_there_and_tells_the_same_reason_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.WARNING, logger="fastaudio"):
        items, stats, _ = listen(Flaky([noise(PART), noise(PART, 1)], refusals=4))
    assert sum(item.gap_s > 0 for item in items) == 1
    assert stats.interruptions == 1
    told = [record.getMessage() for record in caplog.records]
    assert told[1:2] == ["flaky: nobody there"]
    assert len(told) == 3


def test_a_source_that_is_lost_before_its_first_sound_leaves_no_gap() -> None:
    sound = noise(PART)
    items, stats, _ = listen(Flaky([sound[:0], sound]))
    assert rows_of(items).tobytes() == FEATURES(sound, sample_rate=RATE_HZ).tobytes()
    assert (items[0].gap_s, stats.dropped, stats.interruptions) == (0, 0, 1)


def test_events_end_where_the_source_was_lost_without_waiting_for_it() -> None:
    pipeline = scores() >> fa.Sigmoid() >> fa.Events(onset=0.1)  # every band goes on
    source = Flaky([noise(PART), noise(PART, 1)], refusals=10**6)
    with pipeline.listen(source, retry_s=RETRY_S) as stream:
        events = [stream.get(timeout_s=60) for _ in range(8)]
    ends_s = [event.end_s for event in events if isinstance(event, fa.Event)]
    assert ends_s == pytest.approx([PART / RATE_HZ] * 8, abs=0.02)


def test_the_end_of_the_sound_is_no_loss() -> None:
    sound = noise(PART)
    items, stats, _ = listen(Flaky([sound]))
    assert rows_of(items).tobytes() == FEATURES(sound, sample_rate=RATE_HZ).tobytes()
    assert stats.interruptions == 0


def test_what_a_new_source_cant_mend_ends_the_stream() -> None:
    source = Flaky([noise(PART), noise(PART)])
    source._run = lambda stream: (setattr(source, "error", fa.Overrun("too fast")), stream.finish())  # type: ignore[method-assign,func-returns-value]
    with FEATURES.listen(source, retry_s=RETRY_S) as stream, pytest.raises(fa.Overrun, match="too fast"):
        list(stream)


def test_closing_ends_the_search() -> None:
    stream = FEATURES.listen(Flaky([noise(PART), noise(PART)], refusals=10**6), retry_s=RETRY_S)
    wait_until(lambda: stream.stats().interruptions == 1)
    watcher = stream.source._watcher  # type: ignore[union-attr]
    stream.close()
    watcher.join(60)
    assert not watcher.is_alive()
    assert list(stream) == []


def test_what_a_lost_source_still_says_does_not_come_through() -> None:
    source = Flaky([noise(PART), noise(PART, 1)])
    pushed: list[Any] = []
    old: list[Any] = []

    def start(stream: Any) -> None:
        old.append(stream)
        Flaky.start(source, stream)

    source.start = start  # type: ignore[method-assign]
    with FEATURES.listen(source, retry_s=RETRY_S) as stream:
        wait_until(lambda: stream.stats().interruptions == 1)
        try:
            old[0].push(noise(PART))
        except fa.StateError as error:
            pushed.append(error)
        items = list(stream)
    assert pushed
    assert rows_of(items).tobytes() == b"".join(
        FEATURES(noise(PART, seed), sample_rate=RATE_HZ).tobytes() for seed in (0, 1)
    )


def test_times_of_day_go_on_behind_the_gap() -> None:
    began_s = time.time()
    with scores().listen(Flaky([noise(PART), noise(PART, 1)], refusals=3), retry_s=0.2) as stream:
        windows = list(stream)
        last = stream.time_of(windows[-1].end_s).timestamp()
    # A clock may be ahead by its tolerance, for a source that is faster than sound.
    assert began_s <= last <= time.time() + TOLERANCE_S
    assert windows[-1].end_s >= 2 * PART / RATE_HZ + 0.6  # three waits of 0.2 s passed before it was found


@pytest.mark.parametrize("retry_s", [0, -1, float("nan"), 10**6])
def test_the_time_between_attempts_has_bounds(retry_s: float) -> None:
    with pytest.raises(ValueError, match=r"^listen: expected retry_s in \(0, 86400\] seconds, got "):
        FEATURES.listen(Flaky([]), retry_s=retry_s)


def test_a_source_that_cannot_be_found_again_is_refused(tmp_path: Any) -> None:
    path = tmp_path / "sound.pcm"
    path.write_bytes(bytes(1000))
    source = fa.PcmSource(path, sample_rate=RATE_HZ)
    with pytest.raises(
        TypeError, match=r"^listen: expected a source with a method again\(\) for retry_s, got Pcm"
    ):
        FEATURES.listen(source, retry_s=1)


def test_another_rate_is_not_the_same_sound(caplog: pytest.LogCaptureFixture) -> None:
    source = Flaky([noise(PART), noise(PART)])
    source.again = lambda: Flaky([noise(PART)], rate=44_100)  # type: ignore[method-assign]
    caplog.set_level(logging.WARNING, logger="fastaudio")
    with FEATURES.listen(source, retry_s=RETRY_S) as stream:
        wait_until(lambda: len(caplog.records) >= 2)
        stream.finish()
        assert sum(len(item.rows) for item in stream if isinstance(item, fa.Frames)) > 0
    assert "flaky: expected 16000 Hz and 1 channels as before, got 44100 Hz and 1" in caplog.text


@pytest.mark.parametrize("fault", ["rate", "start"])
def test_a_source_that_was_found_and_does_not_do_is_closed(
    fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    found: list[Flaky] = []

    def again() -> Flaky:
        found.append(Flaky([noise(PART)], rate=44_100 if fault == "rate" else RATE_HZ))
        if fault == "start":
            found[-1].start = lambda _: (_ for _ in ()).throw(OSError("busy"))  # type: ignore[method-assign]
        return found[-1]

    source = Flaky([noise(PART), noise(PART)])
    source.again = again  # type: ignore[method-assign]
    caplog.set_level(logging.WARNING, logger="fastaudio")
    with FEATURES.listen(source, retry_s=RETRY_S):
        wait_until(lambda: len(found) > 2)
    assert [each.stopped for each in found[:2]] == [1, 1]


def test_a_tap_reads_the_sound_before_a_gap_and_then_that_behind_it() -> None:
    sound = noise(2 * PART)
    source = Flaky([sound[:PART], sound[PART:]])
    with FEATURES.listen(source, retry_s=RETRY_S, buffer_s=10, overflow="drop_oldest") as stream:
        tap = stream.tap()
        tap.position = 0
        gap = round(sum(item.gap_s for item in stream) * RATE_HZ)
        assert gap > 0
        first, n_lost = tap.read()
        assert np.array_equal(first[:, 0], sound[:PART])
        assert n_lost == 0
        second, n_lost = tap.read()
        assert np.array_equal(second[:, 0], sound[PART:])
        assert n_lost == gap
        assert len(tap.read()[0]) == 0


def test_the_wait_doubles_up_to_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    retrying = Retrying(Flaky([], refusals=10), 30)

    class Stopped:
        def is_set(self) -> bool:
            return len(waits) >= 8

        def wait(self, seconds: float) -> bool:
            waits.append(seconds)
            return self.is_set()

    class Fed:
        def interrupt(self) -> None: ...

        def cut(self) -> None: ...

    monkeypatch.setattr(retrying, "_stopped", Stopped())
    monkeypatch.setattr(retrying, "_fed", Fed(), raising=False)
    monkeypatch.setattr(retrying, "_relay", Fed(), raising=False)
    retrying._find_another(OSError("lost"))
    assert waits == [1, 2, 4, 8, 16, 30, 30, 30]
