"""LiveStream: sound goes in from any thread or a source, results come out as soon as they can."""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from fastaudio import _core
from fastaudio.live.clock import Clock
from fastaudio.live.pools import open_streams, shared_pool
from fastaudio.live.reader import ResultReader
from fastaudio.live.results import Network
from fastaudio.live.tap import Tap
from fastaudio.running.stream import without_channel_axis

if TYPE_CHECKING:
    from datetime import datetime

    from fastaudio._core import LiveOptions, LiveStats, Node, Pool, StreamSpec
    from fastaudio.composition import Composition
    from fastaudio.events import Summary
    from fastaudio.live.results import Item
    from fastaudio.live.sources import Source
    from fastaudio.running.stream import Samples

CLOSE_S = 1.0
"""The longest that `close` waits for a running network, in seconds, once its source has stopped."""


class LiveStream:
    """Sound goes in, results come out as soon as they can: `for window in stream`, or `async for`.

    `Pipeline.live` makes one that takes blocks of any size by `push`, from any thread; `Pipeline.listen`
    makes one that a source pushes to. Results are `Window` for tags, `Event` for events, `Frames` for
    other rows. A worker runs the network; results wait in a bounded queue.

    Lost sound leaves a gap: what comes before and after it is run as two clips, each with the numbers
    that the pipeline gives for those samples as a file. No window spans a gap, time stamps count what was
    lost, and each output's first result after the gap says in `gap_s` how much that was; provisional
    ones, which come again, say 0.

    `with` and `async with` close it. Thread-safe; threads or tasks that iterate at once share the results
    among them. After a fork the child has to open its own.

    Attributes:
        sample_rate, channels: the blocks' rate in Hz, and how many channels they have.
        source: what pushes them, or None.
    """

    def __init__(
        self,
        node: Node,
        spec: StreamSpec,
        options: LiveOptions,
        *,
        model: str | None = None,
        pool: Pool | None = None,
        source: Source | None = None,
        started: datetime | None = None,
    ) -> None:
        """Use `Pipeline.live` or `Pipeline.listen` instead. Starts the source."""
        if not isinstance(pool, _core.Pool | None):
            raise TypeError(
                f"live: expected pool as a Pool or None, got {pool!r:.80} ({type(pool).__name__})"
            )
        self.sample_rate = round(spec.rate_hz)
        self.channels = spec.shape[0] if spec.shape else 1
        self.source = source
        self._swapping = threading.Lock()
        self._pid = os.getpid()
        self._over = False
        network = Network(node.output_specs(spec), self.sample_rate, model)
        pool = shared_pool() if pool is None else pool  # a pool without streams is false
        self._clock = Clock(spec.rate_hz, position=options.start_sample, started=started)
        self._core = _core.LiveStream(pool, node, spec, options)
        self._reader = ResultReader(self._core, network, source, self._clock)
        open_streams.add(self)
        if source is not None:
            try:
                source.start(self._core)
            except BaseException:
                with suppress(Exception):  # a source that can't start may be unable to stop
                    self.close()
                raise

    # Sound in.

    def push(self, samples: Samples) -> None:
        """Take a block of any length: float32 (full scale +-1) or int16, [n] or [n, channels].

        If the overflow policy is "block", it waits for room. Ctrl-C ends the wait after a part was taken, and
        so does Overrun once nobody has taken results for `push_timeout_s`; the stream goes on after it.

        Raises:
            TypeError, ValueError: a wrong type, shape or value; nothing was taken then.
            Overrun: there is no room, and the policy is "raise": nothing was taken. Or nobody takes results.
            StateError: after finish, close or an error.
        """
        self._core.push(without_channel_axis(samples))

    def finish(self) -> None:
        """End the sound: the source stops, what was taken is run, then the results end."""
        self._require_process()
        try:
            if self.source is not None:
                self.source.stop()
        finally:
            self._core.finish()

    # Results out.

    def get(self, timeout_s: float | None = None) -> Item | None:
        """Return the next result; None after `timeout_s`, or if there will be none (see `ended`).

        Raises:
            Overrun, ModelError: what ended the stream, after all results before it.
            DeviceLost: the source gives no more sound.
        """
        self._require_process()
        return self._reader.get(timeout_s)

    @property
    def ended(self) -> bool:
        """Whether no result will come any more; false as long as there is an error to raise."""
        self._require_process()
        return self._reader.ended

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
        item = await self._reader.get_async()
        if item is None:
            raise StopAsyncIteration
        return item

    def _require_process(self) -> None:
        # This comes before any lock is taken, since a thread that stayed in the parent may hold it.
        if os.getpid() != self._pid:
            raise _core.StateError(
                "live: expected a stream opened in this process, got one from before a fork; open a new one"
            )

    # The rest.

    def swap(self, pipeline: Composition) -> None:
        """Go on with another pipeline from the next patch on; no sound is lost, none is run twice.

        Args:
            pipeline: one whose parts up to the patches are the same: another model behind the same
                front end.

        Raises:
            ValueError: another front end.
            StateError: after close.
        """
        self._require_process()
        if self._reader.closed:
            raise _core.StateError("live: expected no swap after close, got one; open a new stream")
        node, spec = pipeline.runnable(self.sample_rate, self.channels, live=True)
        network = Network(node.output_specs(spec), self.sample_rate, pipeline.name)
        with self._swapping:
            networks = self._reader.networks
            networks.append(network)  # first: its results may come at once
            try:
                self._core.swap(node, len(networks) - 1)
            except BaseException:
                networks.pop()
                raise

    @property
    def latency_s(self) -> float:
        """Seconds from a result's first sample until it comes out, resampling included.

        Infinite if it comes at the end. `stats` says what computing and waiting add.
        """
        return self._reader.networks[-1].latency_s

    @property
    def started(self) -> datetime:
        """When sample 0 was heard, with its zone; see `time_of`."""
        return self.time_of(0.0)

    def time_of(self, seconds: float) -> datetime:
        """Return when the sound at `seconds` was heard, such as `window.start_s`, with its zone.

        With `started` given, samples are counted from there. Otherwise the system's clock says when sound
        arrives: times stay within 0.25 s of it for weeks, though sound cards run fast or slow and may lose
        sound, once the stream's own delay is counted off.
        """
        return self._clock.time_of(seconds)

    @property
    def summary(self) -> Summary | None:
        """What the search for events has seen in the stretches of sound that have ended, with its best score.

        None if there is no such search, or its first stretch goes on.
        """
        return self._reader.networks[-1].summary

    def tap(self) -> Tap:
        """Return a reader of the sound itself, from now on: to record or to show it."""
        return Tap(self._core)

    def stats(self) -> LiveStats:
        """Return counts and times so far."""
        return self._core.stats()

    def take_peak(self) -> float:
        """Return the largest magnitude captured since the last call; full scale is 1."""
        return self._core.take_peak()

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._reader.closed

    def close(self) -> None:
        """Stop the source and drop the results that were not taken; may be called twice, from any thread.

        Returns within `CLOSE_S` after the source has stopped (a microphone takes 1 s at most), even while
        a network runs: that run ends in the background. An error that the source's `stop` raises comes out
        after that.
        """
        if self._over or os.getpid() != self._pid:  # a forked child has neither source nor worker
            return
        self._reader.close()
        failure: Exception | None = None
        try:
            if self.source is not None:
                self.source.stop()
        except Exception as error:  # noqa: BLE001  # raised below
            failure = error
        finally:
            self._core.close(CLOSE_S)
        self._over = True  # after Ctrl-C it isn't: the next call does what is left
        open_streams.discard(self)
        if failure is not None:
            raise failure

    def __enter__(self) -> LiveStream:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> LiveStream:
        return self

    async def __aexit__(self, *_: object) -> None:
        import asyncio  # noqa: PLC0415  # few need it

        await asyncio.to_thread(self.close)  # which may wait for a device

    def __del__(self) -> None:
        if hasattr(self, "_reader"):
            self.close()
