"""Live streams leave nothing behind; a source that fails is reported, and leaves nothing either."""

from __future__ import annotations

import gc
import os
import threading
import weakref
from pathlib import Path
from typing import Any

import fastaudio as fa
import pytest
from live_helpers import RATE_HZ, features, noise, rows_of, run_program, scores, wait_until

FEATURES, SCORES = features(), scores()
SOUND = noise(RATE_HZ)


class Source:
    """A source that fails in the method of that name."""

    sample_rate, channels, name = RATE_HZ, 1, "fake"

    def __init__(self, start: Exception | None = None, check: Exception | None = None) -> None:
        self.errors = {"start": start, "check": check}
        self.stopped = 0

    def start(self, stream: Any) -> None:
        stream.push(SOUND)
        if self.errors["start"]:
            raise self.errors["start"]

    def stop(self) -> None:
        self.stopped += 1

    def check(self) -> None:
        if self.errors["check"]:
            raise self.errors["check"]


def test_a_source_that_does_not_start_leaves_nothing_open() -> None:
    pool, source = fa.Pool(), Source(start=fa.DecodeError("fake", "expected sound, got none"))
    with pytest.raises(fa.DecodeError, match="expected sound, got none"):
        FEATURES.listen(source, pool=pool)
    assert source.stopped == 1
    assert len(pool) == 0


def test_garbage_stops_its_source() -> None:
    source = Source()
    stream = FEATURES.listen(source)
    del stream
    gc.collect()
    assert source.stopped == 1


def test_a_program_that_ends_stops_its_sources() -> None:
    done = run_program(
        """
        class Source:
            sample_rate, channels, name = 16_000, 1, "fake"
            start = check = lambda *_: None
            def stop(self):
                print("stopped")
        stream = features().listen(Source())  # held by a thread: no garbage
        threading.Thread(target=lambda _: time.sleep(60), args=(stream,), daemon=True).start()
        """
    )
    assert done.stdout == "stopped\n"


def test_a_sources_error_is_raised_after_all_that_it_gave() -> None:
    source = Source(check=RuntimeError("unplugged"))
    got: list[Any] = []
    with FEATURES.listen(source) as stream:
        with pytest.raises(RuntimeError, match="unplugged"):
            got.extend(stream)
        assert not stream.ended
        with pytest.raises(RuntimeError, match="unplugged"):
            stream.get(timeout_s=0)
    assert rows_of(got).tobytes() == FEATURES(SOUND, sample_rate=RATE_HZ).tobytes()
    assert stream.ended
    assert stream.get() is None


def test_a_poll_learns_of_a_failed_source() -> None:
    def poll(stream: fa.LiveStream) -> None:
        while not stream.ended:
            stream.get(timeout_s=0.001)

    source = Source(check=RuntimeError("unplugged"))
    with FEATURES.listen(source) as stream, pytest.raises(RuntimeError, match="unplugged"):
        poll(stream)


def status(name: str) -> int:
    """A number of /proc/self/status."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return int(next(line for line in lines if line.startswith(f"{name}:")).split()[1])


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no /proc there")
@pytest.mark.parametrize("ended", ["close", "del"])
def test_a_thousand_streams_leave_nothing_behind(ended: str) -> None:
    sound = SOUND[:4000]

    def rounds(n: int) -> None:
        for k in range(n):
            stream = SCORES.live(RATE_HZ, provisional_s=0.1)
            stream.push(sound)
            if k % 3 == 0:
                assert stream.get() is not None
                stream.tap().read()
                stream.stats()
            if k % 7 == 0:
                stream.swap(SCORES)
            if ended == "close":
                stream.close()
            del stream

    def left() -> tuple[int, int]:
        gc.collect()
        return status("Threads"), len(os.listdir("/proc/self/fd"))  # noqa: PTH208

    rounds(200)
    threads, files = left()
    before_kb = status("VmRSS")
    rounds(1000)
    assert left() == (threads, files)
    assert status("VmRSS") - before_kb < 8 * 1024
    assert len(fa.live.shared_pool()) == 0


def test_pools_leave_no_thread_behind() -> None:
    before = threading.active_count()
    for _ in range(50):
        pool = fa.Pool(workers=3)
        streams = [FEATURES.live(RATE_HZ, pool=pool) for _ in range(3)]
        for stream in streams:
            stream.push(SOUND)
        forgotten = weakref.ref(streams[0])
        del streams, stream, pool
        wait_until(lambda ref=forgotten: ref() is None)  # type: ignore[misc]
    assert threading.active_count() == before
    if Path("/proc/self/status").exists():
        assert status("Threads") < 100
