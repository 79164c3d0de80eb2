"""Retrying: a source that is found again when it is lost."""

from __future__ import annotations

import logging
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol, cast

from fastaudio._core import Overrun, StateError
from fastaudio.live.sources import Source

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fastaudio import _core

_LOOK_S = 0.25
_FIRST_WAIT_S = 1.0
_STOP_S = 0.3
_LARGEST_S = 86_400.0
_OURS = (Overrun, StateError, TypeError, ValueError)  # a new source would fail in the same way

log = logging.getLogger("fastaudio")


class Again(Source, Protocol):
    """A source that can be found again."""

    def again(self) -> Source:
        """Return a new source of the same sound, which isn't started yet; raise if it isn't there."""


class Retrying:
    """Feeds a stream from a source, and from a new one of the same kind whenever that is lost.

    The stream ends the stretch of sound that was there, and the next one comes after a gap as long as the
    time that passed. The first attempt comes after a second, and each further one after twice the time,
    up to `retry_s`. Losses and finds are logged as warnings of the logger "fastaudio".

    Attributes:
        failure: the error that a new source can't mend; None if there was none.
    """

    def __init__(self, source: Source, retry_s: float) -> None:
        """Take a source that has a method `again`, and the longest time between two attempts.

        Raises:
            TypeError: it has none.
            ValueError: the time isn't in (0, 86400] seconds.
        """
        if isinstance(retry_s, bool) or not isinstance(retry_s, int | float):
            raise TypeError(f"listen: expected retry_s as a number of seconds or None, got {retry_s!r:.80}")
        if not 0 < retry_s <= _LARGEST_S:
            raise ValueError(
                f"listen: expected retry_s in (0, {_LARGEST_S:.0f}] seconds, got {retry_s!r:.80}"
            )
        if not callable(getattr(source, "again", None)):
            raise TypeError(
                f"listen: expected a source with a method again() for retry_s, got {type(source).__name__}; "
                "leave retry_s out, or let again() return a new source of the same sound"
            )
        self.sample_rate, self.channels, self.name = source.sample_rate, source.channels, source.name
        self._source = cast("Again", source)
        self._longest_s = retry_s
        self._stopped = threading.Event()
        self._wake = threading.Event()
        self._watcher: threading.Thread | None = None
        self.failure: BaseException | None = None

    def start(self, stream: _core.LiveStream) -> None:
        """Begin to feed `stream`, and return at once."""
        self._fed = stream
        self._relay = _Relay(stream, self._wake)
        self._source.start(self._relay)
        self._watcher = threading.Thread(target=self._watch, name="fastaudio-retry", daemon=True)
        self._watcher.start()

    def stop(self) -> None:
        """Stop feeding, and look for no other source."""
        self._stopped.set()
        self._wake.set()
        try:
            self._source.stop()
        finally:
            watcher = self._watcher
            if watcher is not None and watcher.is_alive() and watcher is not threading.current_thread():
                watcher.join(_STOP_S)

    def check(self) -> None:
        """Raise the error that a new source can't mend, if there was one."""
        if self.failure is not None:
            raise self.failure

    def _watch(self) -> None:
        try:
            while not self._stopped.is_set():
                self._wake.wait(_LOOK_S)
                self._wake.clear()
                ended = self._relay.ended  # before its error, which comes first
                error = self._error()
                if error is not None:
                    self._find_another(error)
                elif ended and not self._stopped.is_set():
                    break
        except BaseException as error:  # noqa: BLE001  # check() raises it
            self.failure = error
        finally:
            if not self._stopped.is_set():
                with suppress(StateError):
                    self._fed.finish()

    def _error(self) -> Exception | None:
        try:
            self._source.check()
        except _OURS as error:
            # What a read raised is the source's own; the stream's refusals aren't of these kinds then.
            own = isinstance(error, TypeError | ValueError) and error is getattr(
                self._source, "failure", None
            )
            if not own:
                raise
            return error
        except Exception as error:  # noqa: BLE001  # whatever ended it
            return error
        return None

    def _find_another(self, error: Exception) -> None:
        if self._stopped.is_set():
            return
        wait_s = min(_FIRST_WAIT_S, self._longest_s)
        reason = f"{error} " if str(error).endswith("?") else f"{error}; "
        log.warning("%strying again after %g s, later every %g s", reason, wait_s, self._longest_s)
        lost_s = time.monotonic()
        self._stop_lost(self._source)
        self._relay.cut()
        self._fed.interrupt()
        told = ""
        while not self._stopped.wait(wait_s):
            failure = self._failure_to_begin()
            if failure is None:
                log.warning("%s: found again after %.1f s", self.name, time.monotonic() - lost_s)
                return
            if str(failure) != told:
                told = str(failure)
                log.warning("%s", told)
            wait_s = min(2 * wait_s, self._longest_s)

    def _failure_to_begin(self) -> Exception | None:
        """Begin with a new source, or return why that fails."""
        try:
            source = self._source.again()
        except Exception as failure:  # noqa: BLE001  # it isn't there, whatever it raises
            return failure
        try:
            self._begin(source)
        except _OURS:
            raise
        except Exception as failure:  # noqa: BLE001  # there may be another chance
            return failure
        return None

    def _begin(self, source: Source) -> None:
        relay = _Relay(self._fed, self._wake)
        try:
            self._require_same_sound(source)
            source.start(relay)
        except BaseException:
            self._stop_lost(source)  # it may hold a file, a socket or a device
            raise
        self._relay, self._source = relay, cast("Again", source)
        if self._stopped.is_set():  # while it was started
            source.stop()

    def _stop_lost(self, source: Source) -> None:
        try:
            source.stop()
        except Exception as error:  # noqa: BLE001  # what it raised before is what matters
            log.warning("%s: expected it to stop, got %s: %s", self.name, type(error).__name__, error)

    def _require_same_sound(self, source: Source) -> None:
        if (source.sample_rate, source.channels) != (self.sample_rate, self.channels):
            raise OSError(
                f"{source.name}: expected {self.sample_rate} Hz and {self.channels} channels as before, "
                f"got {source.sample_rate} Hz and {source.channels}"
            )


class _Relay:
    """What one source sees of the stream. Once it is cut nothing comes through, however late.

    Attributes:
        ended: whether the source has finished.
        capture_callback, capture_data: what PortAudio calls; a device that was closed calls it no more.
    """

    def __init__(self, stream: _core.LiveStream, wake: threading.Event) -> None:
        self._stream = stream
        self._wake = wake
        self._pushing = threading.Lock()
        self._cut = False
        self.ended = False
        # A test's stream, or another sink, may have none.
        self.capture_callback: Any = getattr(stream, "capture_callback", None)
        self.capture_data: Any = getattr(stream, "capture_data", None)

    @property
    def position(self) -> int:
        """Number of the next sample."""
        return self._stream.position

    def push(self, samples: NDArray[Any]) -> None:
        """Pass a block on."""
        with self._pushing:
            if self._cut:
                raise StateError(
                    "live: expected no sound of a source that was lost, got some; make another source"
                )
            self._stream.push(samples)

    def interrupt(self) -> None:
        """Say that sound is missing before the next block."""
        with self._pushing:
            if not self._cut:
                self._stream.interrupt()

    def finish(self) -> None:
        """Note that the source has ended; its error says whether it was lost."""
        self.ended = True
        self._wake.set()

    def cut(self) -> None:
        """Let nothing through any more."""
        with self._pushing:
            self._cut = True
