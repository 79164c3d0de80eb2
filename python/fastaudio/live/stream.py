"""LiveStream: sound goes in from any thread or a source, results come out as they are due."""

from __future__ import annotations

import os
import queue
import threading
import time
import weakref
from collections import deque
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

import numpy as np

from fastaudio import _core
from fastaudio.live.pools import open_streams, shared_pool
from fastaudio.live.results import Item, LiveStats, Network

if TYPE_CHECKING:
    import asyncio
    from types import TracebackType

    from numpy.typing import NDArray

    from fastaudio._core import Node, Pool, StreamSpec
    from fastaudio.live.sources import Source
    from fastaudio.streams import Samples

Overflow: TypeAlias = Literal["drop_oldest", "block", "raise"]

CLOSE_S = 1.0
"""Seconds that `close` waits at most for a network that runs, beyond what its source takes to stop."""

_LOOK_S = 0.2  # how often a waiting consumer looks after Ctrl-C and the source


class Runnable(Protocol):
    """What a live stream needs of a pipeline."""

    @property
    def name(self) -> str | None: ...  # noqa: D102

    def head(self, sample_rate: int, channels: int) -> tuple[Node, StreamSpec]: ...  # noqa: D102


class LiveStream:
    """Sound goes in, results come out as they are due: `for window in stream`, or `async for`.

    Made by `Pipeline.live`, to `push` blocks of any size to from any thread, and by `Pipeline.listen`,
    which has a source push them. Results are `Window` for tags, `Event` for events, `Frames` for
    other rows. A worker runs the network; results wait in a bounded queue.

    Sound that is lost leaves a gap: what comes before and after it is run as two clips, each with the
    numbers that the pipeline gives for those samples as a file. No window spans a gap, time stamps
    count what was lost, and the first result after it says how much in `gap_s`.

    Thread-safe, but for iterating from several threads at once. After a fork the child has to open
    its own.

    Attributes:
        sample_rate, channels: of the blocks.
        source: what pushes them, or None.
    """

    def __init__(
        self,
        pipeline: Runnable,
        *,
        sample_rate: int,
        channels: int,
        overflow: Overflow,
        buffer_s: float,
        provisional_s: float | None,
        start_sample: int,
        max_results: int,
        pool: Pool | None,
        source: Source | None = None,
    ) -> None:
        """Made by `Pipeline.live` and `Pipeline.listen`."""
        self.sample_rate = sample_rate
        self.channels = channels
        self.source = source
        node, spec = pipeline.head(sample_rate, channels)
        self._input = spec
        self._networks = [Network(pipeline.name, node.output_specs(spec), sample_rate)]
        self._ready: deque[Item] = deque()
        self._taking = threading.Lock()
        self._asked: queue.SimpleQueue[tuple[Any, Any] | None] | None = None
        self._pid = os.getpid()
        self._closed = False
        self._core = _core.LiveStream(
            pool or shared_pool(),
            node,
            spec,
            overflow=overflow,
            buffer_s=buffer_s,
            provisional_s=provisional_s or 0.0,
            start_sample=start_sample,
            max_results=max_results,
        )
        open_streams.add(self)
        if source is not None:
            try:
                source.start(self._core)
            except BaseException:
                self.close()
                raise

    # Sound in.

    def push(self, samples: Samples) -> None:
        """Take a block of any length: float32 (full scale +-1) or int16, [n] or [n, channels].

        Waits for room where the overflow policy is "block".

        Raises:
            TypeError, ValueError: a wrong type, shape or value; nothing was taken then.
            Overrun: there is no room, and the policy is "raise"; nothing was taken.
            StateError: after finish, close or an error.
        """
        if isinstance(samples, np.ndarray) and samples.ndim == 2 and samples.shape[1] == 1:  # noqa: PLR2004
            samples = samples[:, 0] if not self._input.shape else samples
        self._core.push(samples)

    def finish(self) -> None:
        """End the sound: the source stops, what was taken is run and flushed, then iteration ends."""
        if self.source is not None:
            self.source.stop()
        self._core.finish()

    # Results out.

    def get(self, timeout_s: float | None = None) -> Item | None:
        """Return the next result; None after `timeout_s`, or if there will be none (see `ended`).

        Raises:
            Overrun, ModelError: what ended the stream, after all results before it.
            DeviceLost: the source gives no more sound.
        """
        until = None if timeout_s is None else time.monotonic() + timeout_s
        with self._taking:
            self._fill(until)
            return self._ready.popleft() if self._ready else None

    @property
    def ended(self) -> bool:
        """Whether no result will come any more."""
        return not self._ready and (self._closed or self._core.ended)

    def __iter__(self) -> LiveStream:
        return self

    def __next__(self) -> Item:
        item = self.get()
        if item is None:
            raise StopIteration
        return item

    def __aiter__(self) -> LiveStream:
        return self

    async def __anext__(self) -> Item:
        import asyncio  # noqa: PLC0415  # only for those who have it already

        if not self._ready and not self.ended:
            loop = asyncio.get_running_loop()
            future: asyncio.Future[None] = loop.create_future()
            self._ask(loop, future)
            await future
        if not self._ready:
            raise StopAsyncIteration
        return self._ready.popleft()

    def _ask(self, loop: asyncio.AbstractEventLoop, future: asyncio.Future[None]) -> None:
        """Have a thread wait for the next result. It is a daemon: an executor's would hold up the exit."""
        if self._asked is None:
            self._asked = queue.SimpleQueue()
            target, arguments = _answer, (weakref.ref(self), self._asked)
            threading.Thread(target=target, args=arguments, name="fastaudio-async", daemon=True).start()
        self._asked.put((loop, future))

    def _fill(self, until: float | None) -> None:
        """Wait until a result is ready, there will be none, or it is too late."""
        while not self._ready and not self.ended:
            left = _LOOK_S if until is None else min(_LOOK_S, until - time.monotonic())
            result = self._core.take(max(left, 0.0))
            if result is not None:
                network, output, first_row, rows, base_s, until_s, n_lost, provisional = result
                self._ready += self._networks[network].items(
                    output,
                    rows,
                    first_row=first_row,
                    base_s=base_s,
                    until_s=until_s,
                    n_lost=n_lost,
                    provisional=provisional,
                )
            elif until is not None and time.monotonic() >= until:
                break
            elif self.source is not None:
                self.source.check()
        # Also at the end, and for those who look often: its error comes after all results before it.
        if not self._ready and self.source is not None and not self._closed:
            self.source.check()

    # The rest.

    def swap(self, pipeline: Runnable) -> None:
        """Go on with another pipeline from the next patch on; no sound is lost, none is run twice.

        Args:
            pipeline: one whose parts up to the patches are the same: another model behind the same
                front end.

        Raises:
            ValueError: another front end.
        """
        node, spec = pipeline.head(self.sample_rate, self.channels)
        self._core.exchange(node)
        self._networks.append(Network(pipeline.name, node.output_specs(spec), self.sample_rate))

    def tap(self) -> Tap:
        """Return a reader of the sound itself, from now on: to record it, or to look at it."""
        return Tap(self)

    def stats(self) -> LiveStats:
        """Return counts and times so far."""
        return LiveStats(**self._core.stats())

    def take_peak(self) -> float:
        """Return the largest magnitude captured since the last call; full scale is 1."""
        return self._core.take_peak()

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._closed

    def close(self) -> None:
        """Stop the source and drop what was not taken; may be called twice, and from any thread.

        Returns within `CLOSE_S` after the source has stopped (a microphone takes 2 s at most), even while
        a network runs: that run ends in the background.
        """
        if self._closed or os.getpid() != self._pid:  # a forked child has neither source nor worker
            return
        self._closed = True
        open_streams.discard(self)
        if self._asked is not None:
            self._asked.put(None)
        if self.source is not None:
            self.source.stop()
        self._core.close(CLOSE_S)

    def __enter__(self) -> LiveStream:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __del__(self) -> None:
        if getattr(self, "_core", None) is not None:
            self.close()


class Tap:
    """Reads what a live stream captures, beside the network; made by `LiveStream.tap`."""

    def __init__(self, stream: LiveStream) -> None:
        self._core = stream._core  # noqa: SLF001
        self.position = self._core.position

    def read(self) -> tuple[NDArray[np.float32], int]:
        """Return the samples since the last call, float32 [n, channels], and how many before them are lost.

        The buffer holds `buffer_s`: who reads less often loses some.
        """
        samples, n_lost, self.position = self._core.read(self.position)
        return samples, n_lost


def _answer(stream: weakref.ref[LiveStream], asked: queue.SimpleQueue[tuple[Any, Any] | None]) -> None:
    """Wait for results on behalf of an event loop, until the stream closes."""
    while (request := asked.get()) is not None:
        loop, future = request
        error: BaseException | None = None
        while not future.cancelled() and (held := stream()) is not None:
            try:
                with held._taking:  # noqa: SLF001
                    held._fill(time.monotonic() + _LOOK_S)  # noqa: SLF001
            except Exception as caught:  # noqa: BLE001  # belongs to who awaits
                error = caught
                break
            if held._ready or held.ended:  # noqa: SLF001
                break
        try:
            loop.call_soon_threadsafe(_settle, future, error)
        except RuntimeError:  # the loop is closed: nobody waits
            return


def _settle(future: asyncio.Future[None], error: BaseException | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(None)
    else:
        future.set_exception(error)
