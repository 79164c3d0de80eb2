"""`async for` over live streams: nothing is lost, whatever is cancelled or closed."""

from __future__ import annotations

import asyncio
import gc
import io
import sys
import threading
import time
import weakref
from contextlib import suppress
from itertools import cycle
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import pytest
from live_helpers import (
    LIMIT_S,
    RATE_HZ,
    background,
    features,
    feed,
    noise,
    rows_of,
    run_program,
    scores,
    wait_until,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from fastaudio.live import LiveStream
    from numpy.typing import NDArray

FEATURES, SCORES = features(), scores()
SOUND = noise(3 * RATE_HZ)
WANT = FEATURES(SOUND, sample_rate=RATE_HZ)


def blocks(pause_s: float = 0.0, size: int = 1600) -> Iterator[NDArray[np.float32]]:
    for first in range(0, len(SOUND), size):
        time.sleep(pause_s)
        yield SOUND[first : first + size]


async def collect(stream: LiveStream) -> list[Any]:
    return [item async for item in stream]


def run(call: Any) -> Any:
    """Run like asyncio.run, but not forever."""
    return asyncio.run(asyncio.wait_for(call, LIMIT_S))


def test_async_with_closes_the_stream_and_lets_the_loop_run_meanwhile() -> None:
    async def main() -> tuple[LiveStream, list[Any]]:
        async with FEATURES.live(RATE_HZ) as stream:
            stream.push(SOUND)
            stream.finish()
            items = await collect(stream)
            assert not stream.closed
        return stream, items

    stream, items = run(main())
    assert stream.closed
    assert rows_of(items).tobytes() == WANT.tobytes()

    async def failing() -> None:
        async with FEATURES.live(RATE_HZ) as stream:
            streams.append(stream)
            raise KeyError("mine")

    streams: list[LiveStream] = []
    with pytest.raises(KeyError, match="mine"):
        run(failing())
    assert streams[0].closed


def test_a_loop_gets_what_a_plain_one_gets() -> None:
    with FEATURES.live(RATE_HZ) as stream, background(feed, stream, blocks(0.001)):
        assert rows_of(run(collect(stream))).tobytes() == WANT.tobytes()
        assert stream.ended
        assert run(collect(stream)) == []


def test_the_loop_goes_on_while_it_waits() -> None:
    async def both(stream: LiveStream) -> list[Any]:
        waiting = asyncio.create_task(collect(stream))
        for _ in range(20):  # a loop that stood still would never come to the feeding
            await asyncio.sleep(0.001)
            assert not waiting.done()
        await asyncio.get_running_loop().run_in_executor(None, feed, stream, blocks())
        return await waiting

    with FEATURES.live(RATE_HZ) as stream:
        assert rows_of(run(both(stream))).tobytes() == WANT.tobytes()


def test_many_streams_in_one_loop() -> None:
    async def all_of(streams: list[LiveStream]) -> list[list[Any]]:
        return await asyncio.gather(*(collect(stream) for stream in streams))

    streams = [FEATURES.live(RATE_HZ, pool=None) for _ in range(8)]
    for stream in streams:
        feed(stream, blocks(size=5000))
    for got in run(all_of(streams)):
        assert rows_of(got).tobytes() == WANT.tobytes()
    for stream in streams:
        stream.close()


def test_a_wait_that_is_cancelled_loses_nothing() -> None:
    async def impatient(stream: LiveStream) -> list[Any]:
        got: list[Any] = []
        for timeout_s in cycle([0.0005, 0.003, 0.01, LIMIT_S]):  # the last for a slow machine
            with suppress(asyncio.TimeoutError):
                item = await asyncio.wait_for(anext(stream, None), timeout_s)
                if item is None:
                    break
                got.append(item)
        return got

    with FEATURES.live(RATE_HZ) as stream, background(feed, stream, blocks(0.004)):
        assert rows_of(run(impatient(stream))).tobytes() == WANT.tobytes()


@pytest.mark.skipif(sys.version_info < (3, 11), reason="asyncio.timeout is younger")
def test_a_timeout_around_the_loop_leaves_the_rest_for_later() -> None:
    async def hurried(stream: LiveStream, seconds: float) -> list[Any]:
        got = []
        try:
            async with asyncio.timeout(seconds):
                async for item in stream:
                    got.append(item)  # noqa: PERF401
        except TimeoutError:
            pass
        return got

    with FEATURES.live(RATE_HZ) as stream, background(feed, stream, blocks(0.004)):
        got = [*run(hurried(stream, 0.03)), *run(hurried(stream, 0.03)), *run(collect(stream))]
        assert rows_of(got).tobytes() == WANT.tobytes()


def test_a_loop_that_ends_early_leaves_the_rest_for_the_next() -> None:
    loop = asyncio.new_event_loop()
    with FEATURES.live(RATE_HZ) as stream:
        task = loop.create_task(stream.__anext__())
        loop.run_until_complete(asyncio.sleep(0.01))
        loop.close()  # while the task still waits
        task._log_destroy_pending = False  # type: ignore[attr-defined]
        with background(feed, stream, blocks()):
            assert rows_of(run(collect(stream))).tobytes() == WANT.tobytes()


def test_two_tasks_share_a_stream_and_both_end() -> None:
    async def both(stream: LiveStream) -> list[list[Any]]:
        return await asyncio.gather(collect(stream), collect(stream))

    with SCORES.live(RATE_HZ) as stream, background(feed, stream, blocks(0.001)):
        one, other = run(both(stream))
    together = sorted([*one, *other], key=lambda window: window.start_s)
    assert rows_of(together).tobytes() == WANT.tobytes()


def test_async_and_plain_waits_share_a_stream() -> None:
    async def some(stream: LiveStream, n: int) -> list[Any]:
        return [await anext(stream) for _ in range(n)]

    with SCORES.live(RATE_HZ) as stream, background(feed, stream, blocks(0.001)):
        got = [*run(some(stream, 5)), stream.get(LIMIT_S), *run(some(stream, 20)), *stream]
    assert rows_of(got).tobytes() == WANT.tobytes()


@pytest.mark.parametrize("how", ["close", "finish"])
def test_a_wait_ends_with_the_stream(how: str) -> None:
    with FEATURES.live(RATE_HZ) as stream:
        timer = threading.Timer(0.05, getattr(stream, how))
        timer.start()
        assert run(collect(stream)) == []
        timer.join()
    assert run(collect(stream)) == []


def test_a_request_just_after_close_is_answered() -> None:
    stream = FEATURES.live(RATE_HZ)
    with pytest.raises(asyncio.TimeoutError):
        asyncio.run(asyncio.wait_for(anext(stream), 0.01))  # the thread runs now
    stream.close()
    wait_until(lambda: not any(thread.name == "fastaudio-async" for thread in threading.enumerate()))
    assert stream._reader._waiter is not None
    assert run(stream._reader._waiter.more()) is False


def test_errors_are_raised_where_they_are_awaited() -> None:
    class Broken(io.RawIOBase):
        def read(self, _size: int = -1) -> bytes:
            raise OSError(5, "Input/output error")

    source = fa.PcmSource(Broken(), sample_rate=RATE_HZ)
    with FEATURES.listen(source) as stream:
        for _ in range(2):
            with pytest.raises(OSError, match="Input/output error"):
                run(collect(stream))


@pytest.mark.parametrize("fails", [False, True])
def test_a_stream_that_was_awaited_can_be_forgotten(fails: bool) -> None:
    if fails:
        source = fa.PcmSource(io.BytesIO(SOUND.tobytes()), sample_rate=RATE_HZ, encoding="f32le")
        source.check = lambda: 1 / 0  # type: ignore[assignment,method-assign,return-value]
        stream = FEATURES.listen(source)
        with pytest.raises(ZeroDivisionError):
            run(collect(stream))
        stream._reader._failure = None  # its traceback keeps the stream alive
    else:
        stream = FEATURES.live(RATE_HZ)
        stream.push(SOUND)
        run(asyncio.wait_for(anext(stream), LIMIT_S))
    forgotten = weakref.ref(stream)
    del stream
    wait_until(lambda: gc.collect() >= 0 and forgotten() is None)  # the thread may keep it for a while
    wait_until(lambda: not any(thread.name == "fastaudio-async" for thread in threading.enumerate()))


@pytest.mark.parametrize(
    "end",
    [
        "return",
        "raise KeyboardInterrupt",
        "sys.exit(0)",
        "stream.close(); await anext(stream)",
        "asyncio.get_running_loop().stop(); await asyncio.sleep(9)",
    ],
)
def test_a_program_ends_though_the_stream_is_open(end: str) -> None:
    run_program(
        f"""
        import asyncio
        stream = scores().live(16_000)
        def push():
            try:
                while True:
                    stream.push(sound)
            except fa.StateError:
                pass
        threading.Thread(target=push, daemon=True).start()
        async def main():
            waiting = asyncio.create_task(anext(features().live(16_000)))
            async for window in stream:
                {end}
        try:
            asyncio.run(main())
        except (KeyboardInterrupt, StopAsyncIteration, RuntimeError) as error:
            print(type(error).__name__)
        """
    )
