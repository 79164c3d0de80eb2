"""What a server answers to one request, asked for in a thread of its own.

A socket's timeout begins anew with each byte, and a name that is looked up has none: only from outside can a
server be given up that keeps its connection alive without ever answering. Ctrl-C isn't held up either.
"""

from __future__ import annotations

import queue
import socket
import threading
import time
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any

from fastaudio.registry.asking import SILENT_S, CutError, ask, read

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Self

ANSWER_S = 45
"""Looking up names, connecting, encrypting, all redirects and the answer's head take no longer, together."""

_SLOW_S, _SLOW_BYTES = 60, 1 << 16
_AHEAD = 16  # pieces that wait to be written
_STEP_S = 0.1  # waiting isn't interrupted everywhere


class Answer:
    """A head, and then pieces. Leaving the block ends whatever the thread waits for."""

    def __init__(self, url: str, have: int) -> None:
        """Ask for what comes after the first `have` bytes."""
        self._items: queue.Queue[Any] = queue.Queue(_AHEAD)
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        threading.Thread(target=self._run, args=(url, have), name="fastaudio get", daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        with self._lock:
            for held in self._sockets:
                _shut(held)
            self._sockets.clear()

    def head(self) -> Any:
        """Return the response, whose status and headers are known.

        Raises:
            CutError: there is none in time, or no connection.
            FetchError: it can't be read, or a redirect leads to nowhere.
        """
        return self._next(ANSWER_S, f"no answer within {ANSWER_S} s")

    def pieces(self) -> Iterator[bytes]:
        """Yield what comes as it comes; CutError if it is cut, or next to nothing."""
        waited, came = 0.0, 0
        while True:
            began = time.monotonic()
            piece = self._next(SILENT_S, f"nothing for {SILENT_S} s")
            if piece is None:
                return
            waited, came = waited + time.monotonic() - began, came + len(piece)
            yield piece
            if waited > _SLOW_S:
                if came < _SLOW_BYTES:
                    raise CutError(f"less than {_SLOW_BYTES // 1024} KiB in {_SLOW_S} s")
                waited, came = 0.0, 0

    def _next(self, within_s: float, otherwise: str) -> Any:
        end = time.monotonic() + within_s
        while True:
            left = end - time.monotonic()
            try:
                item = self._items.get(timeout=max(0.0, min(left, _STEP_S)))
            except queue.Empty:
                if left <= 0:
                    raise CutError(otherwise) from None
                continue
            if isinstance(item, BaseException):
                raise item
            return item

    def _run(self, url: str, have: int) -> None:
        """Do the thread's work: the response, its pieces and None, or what went wrong, go to who waits."""
        import requests  # noqa: PLC0415  # of the extra [get], which only this needs

        try:
            with requests.Session() as session:
                _hold_sockets(session, self._hold)
                with closing(ask(session, url, have)) as response:
                    self._put(response)
                    for piece in read(response):
                        if not self._put(piece):
                            return
            self._put(None)
        except Exception as error:  # noqa: BLE001  # it is raised where it is waited for
            self._put(error)

    def _put(self, item: Any) -> bool:
        """Hand on an item; return whether anybody still waits for it."""
        while not self._ended.is_set():
            with suppress(queue.Full):
                self._items.put(item, timeout=_STEP_S)
                return True
        return False

    def _hold(self, opened: socket.socket) -> None:
        """Keep a second handle of a socket, by which it is shut; what encrypts it takes the first away."""
        held = opened.dup()
        with self._lock:
            if not self._ended.is_set():
                self._sockets.append(held)
                return
        _shut(held)


def _shut(held: socket.socket) -> None:
    with suppress(OSError):  # the server was first
        held.shutdown(socket.SHUT_RDWR)
    held.close()


def _hold_sockets(session: Any, hold: Callable[[socket.socket], None]) -> None:
    """Call `hold` with each socket that a session opens, before anything is sent or read."""

    def holding(make: Any) -> Any:
        def connection(*args: Any, **options: Any) -> Any:
            made = make(*args, **options)
            connect = made._new_conn  # noqa: SLF001  # the library has no public way to its sockets

            def connected() -> Any:
                opened = connect()
                hold(opened)
                return opened

            made._new_conn = connected  # noqa: SLF001
            return made

        return connection

    for scheme in ("https://", "http://"):
        adapter = session.get_adapter(scheme)
        pools = adapter.get_connection_with_tls_context

        def pool(*args: Any, _pools: Any = pools, **options: Any) -> Any:
            found = _pools(*args, **options)
            if isinstance(found.ConnectionCls, type):  # it isn't one that was met before
                found.ConnectionCls = holding(found.ConnectionCls)
            return found

        adapter.get_connection_with_tls_context = pool
