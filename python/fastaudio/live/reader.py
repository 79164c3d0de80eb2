"""ResultReader: takes a live stream's results for threads and for event loops."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import TYPE_CHECKING

from fastaudio import _core
from fastaudio.running.limits import as_float

if TYPE_CHECKING:
    from fastaudio.live.clock import Clock
    from fastaudio.live.results import Item, Network
    from fastaudio.live.sources import Source
    from fastaudio.live.waiter import Waiter

_LOOK_S = 0.5  # the longest wait before a consumer looks for the source's errors
_TURN_S = 0.1  # and for its own end, while another takes results


class ResultReader:
    """Takes results and shares them among any number of threads and tasks.

    Attributes:
        networks: all networks that the stream has had; each result says which of them gave it.
        closed: whether `close` was called.
    """

    def __init__(self, core: _core.LiveStream, network: Network, source: Source | None, clock: Clock) -> None:
        self.networks = [network]
        self._core = core
        self._source = source
        self._clock = clock
        self._ready: deque[Item] = deque()
        self._taking = threading.RLock()  # which knows who holds it
        self._waiter: Waiter | None = None
        self._failure: BaseException | None = None
        self.closed = False

    def get(self, timeout_s: float | None) -> Item | None:
        """Return the next result; see `LiveStream.get`."""
        until = None if timeout_s is None else time.monotonic() + as_float(timeout_s)
        try:  # before the lock is taken, for Ctrl-C may come as soon as it is
            while not self._taking.acquire(timeout=_left_s(until, _TURN_S)):  # another waits for the same
                if until is not None and time.monotonic() >= until:
                    return None
                _core.check_interrupt()
            self._fill(until)
            return self._pop()
        finally:
            try:  # noqa: SIM105  # a context manager's own code could be interrupted before the release
                self._taking.release()
            except RuntimeError:  # another thread has it
                pass

    async def get_async(self) -> Item | None:
        """Return the next result without blocking the event loop; None if there will be none."""
        while (item := self._pop()) is None:
            if self.ended or not await self._more():
                return None
        return item

    @property
    def ended(self) -> bool:
        """Whether no result will come any more; see `LiveStream.ended`."""
        over = not self._ready and self._core.ended and self._source_failure() is None
        return self.closed or over

    def close(self) -> None:
        """Drop what was not taken; waiting threads and tasks return."""
        self.closed = True
        if self._waiter is not None:
            self._waiter.close()

    async def _more(self) -> bool:
        if self._waiter is None:
            from fastaudio.live.waiter import Waiter  # noqa: PLC0415  # imports asyncio, which few need

            self._waiter = Waiter(self._look)
            if self.closed:  # while the waiter was made, so close() didn't see it
                self._waiter.close()
        return await self._waiter.more()

    def _look(self) -> bool | None:
        """Return whether a result is ready; None if that isn't known yet."""
        with self._taking:
            self._fill(time.monotonic() + _LOOK_S)
        if self.ended:
            return False
        return True if self._ready else None

    def _pop(self) -> Item | None:
        try:
            return None if self.closed else self._ready.popleft()
        except IndexError:
            return None

    def _fill(self, until: float | None) -> None:
        """Wait until a result is ready, none will come any more, or `until` has passed."""
        while not self._ready and not self.closed:
            result = self._core.take(_left_s(until, _LOOK_S))
            self._clock.look(self._core.position)
            if result is not None:
                self._ready += self.networks[result.network].items(result)
                continue
            failure = self._source_failure()
            if self._core.ended:
                if failure is not None:
                    raise failure
                return
            if until is not None and time.monotonic() >= until:
                return

    def _source_failure(self) -> BaseException | None:
        """Return the error that ended the source, if any; the sound before it is still run."""
        if self._failure is None and self._source is not None and not self.closed:
            try:
                self._source.check()
            except BaseException as error:  # raised where results are taken
                met = isinstance(error, Exception) or error is getattr(self._source, "failure", None)
                if not met:  # a signal's, or that of somebody's own source
                    raise
                self._failure = error
                self._core.finish()
        return self._failure


def _left_s(until: float | None, most_s: float) -> float:
    """Return the seconds until then, from 0 to `most_s`."""
    return most_s if until is None else min(max(until - time.monotonic(), 0.0), most_s)
