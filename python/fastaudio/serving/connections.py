"""uvicorn's connections, with an end for who is slow: to agree on TLS, to ask, or to take an answer."""

from __future__ import annotations

import asyncio
import struct
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

try:
    import fcntl
    import termios
except ImportError:  # Windows
    fcntl = termios = None  # type: ignore[assignment]

if TYPE_CHECKING:
    import ssl

    from fastaudio.serving.settings import Settings

    Handshakes = set[asyncio.Task[None]]

_FLUSH_S = 3600.0  # for what a closed connection still has to send over TLS; `Watch` ends it before


def unsent(transport: Any) -> int:
    """Return how many bytes the other side hasn't taken yet, as far as the system tells."""
    n_bytes: int = transport.get_write_buffer_size()
    socket = transport.get_extra_info("socket")
    if fcntl is None or socket is None:
        return n_bytes
    try:
        in_system = fcntl.ioctl(socket.fileno(), termios.TIOCOUTQ, bytes(4))
    except (OSError, ValueError):  # closed, or a system that doesn't tell
        return n_bytes
    return n_bytes + int(struct.unpack("i", in_system)[0])


class Watch:
    """Ends a connection of which nothing was taken for a time; as long as something is, it goes on."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin without a connection to watch."""
        self._loop = loop
        self._timer: asyncio.TimerHandle | None = None

    def start(self, transport: Any, limit_s: float) -> None:
        """Watch a connection from now on."""
        self.stop()
        self._wait(transport, limit_s, unsent(transport))

    def stop(self) -> None:
        """Watch no longer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _wait(self, transport: Any, limit_s: float, before: int) -> None:
        self._timer = self._loop.call_later(limit_s, self._look, transport, limit_s, before)

    def _look(self, transport: Any, limit_s: float, before: int) -> None:
        left = unsent(transport)
        if left < before:
            self._wait(transport, limit_s, left)
        else:
            transport.abort()


class Handshake(asyncio.Protocol):
    """A connection until TLS is agreed on: it counts as one, and has as long as a request's first lines."""

    def __init__(
        self, protocol: Any, others: Handshakes, context: ssl.SSLContext, settings: Settings
    ) -> None:
        """Take the protocol that follows, and the tasks of all handshakes that go on."""
        self._protocol = protocol
        self._others = others
        self._context = context
        self._settings = settings
        self._early: list[bytes] = []
        self._lost = False

    def connection_made(self, transport: Any) -> None:
        """Begin, unless there are too many connections."""
        transport.pause_reading()
        if len(self._protocol.connections) + len(self._others) >= self._settings.max_connections:
            transport.abort()
            return
        task = asyncio.get_running_loop().create_task(self._agree(transport))
        self._others.add(task)
        task.add_done_callback(self._others.discard)

    def data_received(self, data: bytes) -> None:
        """Keep what comes in the same moment as the end of the handshake."""
        self._early.append(data)

    def connection_lost(self, _: Exception | None) -> None:
        """Remember that there is nothing to pass on."""
        self._lost = True

    async def _agree(self, transport: Any) -> None:
        loop = asyncio.get_running_loop()
        limits_s: dict[str, Any] = {
            "ssl_handshake_timeout": self._settings.header_s,
            "ssl_shutdown_timeout": _FLUSH_S,
        }
        try:
            secured: Any = await loop.start_tls(transport, self, self._context, server_side=True, **limits_s)
        except (OSError, asyncio.CancelledError):  # it speaks no TLS, or too slowly, or the server ends
            transport.abort()
            return
        if self._lost or secured is None:
            return
        secured.set_protocol(self._protocol)
        self._protocol.connection_made(secured)
        for data in self._early:
            self._protocol.data_received(data)


def connections_for(settings: Settings) -> tuple[type[Any], type[Any]]:  # noqa: C901  # two classes
    """Return the classes of connections for HTTP and for WebSockets, with a server's bounds."""

    class Taking:
        """Ends a connection whose client takes nothing for `send_s`, with all that waits for it."""

        loop: Any
        transport: Any
        _taking: Watch | None = None

        def pause_writing(self) -> None:
            super().pause_writing()  # type: ignore[misc]
            self._watch()

        def resume_writing(self) -> None:
            super().resume_writing()  # type: ignore[misc]
            self._unwatch()

        def connection_lost(self, exc: Exception | None) -> None:
            self._unwatch()
            super().connection_lost(exc)  # type: ignore[misc]

        def _watch(self) -> None:
            self._taking = self._taking or Watch(self.loop)
            self._taking.start(self.transport, settings.send_s)

        def _unwatch(self) -> None:
            if self._taking is not None:
                self._taking.stop()

    class Http(Taking, H11Protocol):
        """Ends a connection that doesn't ask in time, and one too many."""

        def connection_made(self, transport: Any) -> None:
            self._asking = Watch(self.loop)
            super().connection_made(transport)
            if len(self.connections) > settings.max_connections:
                transport.abort()
                return
            self._await_request()

        def handle_events(self) -> None:
            super().handle_events()
            if self.cycle is not None and not self.cycle.response_complete:
                self._asking.stop()

        def handle_websocket_upgrade(self, event: Any) -> None:
            self._asking.stop()
            super().handle_websocket_upgrade(event)

        def on_response_complete(self) -> None:
            super().on_response_complete()
            self._await_request()

        def connection_lost(self, exc: Exception | None) -> None:
            self._asking.stop()
            super().connection_lost(exc)

        def _await_request(self) -> None:
            """Wait for the next one, for `header_s` from when the answer before it was taken."""
            self._asking.start(self.transport, settings.header_s)

    class WebSocket(Taking, WebSocketsSansIOProtocol):
        """As above; once it is served, what is left has to be taken too."""

        async def send(self, message: Any) -> None:
            await super().send(message)
            if message["type"] == "websocket.http.response.body" and not message.get("more_body"):
                self.handshake_complete = True  # else uvicorn logs each refusal as an error

        def on_task_complete(self, task: Any) -> None:
            super().on_task_complete(task)
            if not self.disconnected:
                self._watch()

    return Http, WebSocket
