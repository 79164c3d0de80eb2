"""LiveStream: sound goes in from any thread or a source, results come out as they are due."""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

import numpy as np

from fastaudio import _core
from fastaudio.live.pools import open_streams, shared_pool
from fastaudio.live.results import Item, LiveStats, Network

if TYPE_CHECKING:
    from types import TracebackType

    from numpy.typing import NDArray

    from fastaudio._core import Node, Pool, StreamSpec
    from fastaudio.live.sources import Source
    from fastaudio.live.waiter import Waiter
    from fastaudio.running.stream import Samples

Overflow: TypeAlias = Literal["drop_oldest", "block", "raise"]

CLOSE_S = 1.0
"""Seconds that `close` waits at most for a network that runs, beyond what its source takes to stop."""

_LONG_S = 1e6
_LOOK_S = 0.5  # how often a waiting consumer looks after Ctrl-C and the source


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

    Thread-safe; threads or tasks that iterate at once share the results among them. After a fork the
    child has to open its own.

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
        if not isinstance(pool, _core.Pool | None):
            raise TypeError(f"live: expected pool as a Pool or None, got {pool!r} ({type(pool).__name__})")
        self.sample_rate = sample_rate
        self.channels = channels
        self.source = source
        node, spec = pipeline.head(sample_rate, channels)
        self._input = spec
        self._networks = [Network(pipeline.name, node.output_specs(spec), sample_rate)]
        self._ready: deque[Item] = deque()
        self._taking = threading.Lock()
        self._swapping = threading.Lock()
        self._waiter: Waiter | None = None
        self._pid = os.getpid()
        self._closed = False
        self._failure: Exception | None = None
        self._core = _core.LiveStream(
            shared_pool() if pool is None else pool,  # one without streams is false
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

        Waits for room where the overflow policy is "block". Ctrl-C ends that wait: a part was taken then.

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
        self._require_process()
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
        self._require_process()
        until = None if timeout_s is None else time.monotonic() + timeout_s
        if not self._taking.acquire(timeout=-1 if timeout_s is None else min(max(timeout_s, 0.0), _LONG_S)):
            return None  # another thread waits for the same
        try:
            self._fill(until)
            return self._pop()
        finally:
            self._taking.release()

    @property
    def ended(self) -> bool:
        """Whether no result will come any more; false as long as there is an error to raise."""
        self._require_process()
        over = not self._ready and self._core.ended and self._source_failure() is None
        return self._closed or over

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
        self._require_process()
        while (item := self._pop()) is None:
            if self.ended or not await self._more():
                raise StopAsyncIteration
        return item

    async def _more(self) -> bool:
        if self._waiter is None:
            from fastaudio.live.waiter import Waiter  # noqa: PLC0415  # asyncio, for those who have it already

            self._waiter = Waiter(self._look)
            if self._closed:  # in between: who closed it saw none
                self._waiter.close()
        return await self._waiter.more()

    def _look(self) -> bool | None:
        """Return whether a result is ready, or None if that can't be told yet."""
        with self._taking:
            self._fill(time.monotonic() + _LOOK_S)
        if self.ended:
            return False
        return True if self._ready else None

    def _pop(self) -> Item | None:
        try:
            return None if self._closed else self._ready.popleft()
        except IndexError:
            return None

    def _fill(self, until: float | None) -> None:
        """Wait until a result is ready, there will be none, or it is too late."""
        while not self._ready and not self._closed:
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
                continue
            failure = self._source_failure()
            if self._core.ended:
                if failure is not None:
                    raise failure
                return
            if until is not None and time.monotonic() >= until:
                return

    def _source_failure(self) -> Exception | None:
        """Return why the source gives no more, if so; the sound before it is run to its end."""
        if self._failure is None and self.source is not None and not self._closed:
            try:
                self.source.check()
            except Exception as error:  # noqa: BLE001  # belongs to who takes results
                self._failure = error
                self._core.finish()
        return self._failure

    def _require_process(self) -> None:
        # Before any lock: who held it may have stayed in the parent.
        if os.getpid() == self._pid:
            return
        raise _core.StateError(
            "live: expected a stream opened in this process, got one from before a fork; open a new one"
        )

    # The rest.

    def swap(self, pipeline: Runnable) -> None:
        """Go on with another pipeline from the next patch on; no sound is lost, none is run twice.

        Args:
            pipeline: one whose parts up to the patches are the same: another model behind the same
                front end.

        Raises:
            ValueError: another front end.
            StateError: after close.
        """
        self._require_process()
        if self._closed:
            raise _core.StateError("live: expected no swap after close, got one; open a new stream")
        node, spec = pipeline.head(self.sample_rate, self.channels)
        network = Network(pipeline.name, node.output_specs(spec), self.sample_rate)
        with self._swapping:
            self._networks.append(network)  # first: its results may come at once
            try:
                self._core.exchange(node)
            except BaseException:
                self._networks.pop()
                raise

    @property
    def latency_s(self) -> float:
        """Seconds from a result's first sample until it comes out, resampling included; infinite at the end.

        What computing and waiting add, `stats` tells.
        """
        return self._networks[-1].latency_s

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

        Returns within `CLOSE_S` after the source has stopped (a microphone takes 1 s at most), even while
        a network runs: that run ends in the background.
        """
        if self._closed or os.getpid() != self._pid:  # a forked child has neither source nor worker
            return
        self._closed = True
        open_streams.discard(self)
        if self._waiter is not None:
            self._waiter.close()
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
