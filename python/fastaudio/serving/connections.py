"""uvicorn's connections, with an end for those who are slow: to ask, or to take what they are sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

if TYPE_CHECKING:
    from fastaudio.serving.settings import Settings


def connections_for(settings: Settings) -> tuple[type[Any], type[Any]]:  # noqa: C901  # two classes
    """Return the classes of connections for HTTP and for WebSockets, with a server's bounds."""

    class Taking:
        """Ends a connection whose client takes nothing for `send_s`, with all that waits for it."""

        _stuck: Any = None
        loop: Any
        transport: Any

        def pause_writing(self) -> None:
            super().pause_writing()  # type: ignore[misc]
            self._stuck = self.loop.call_later(settings.send_s, self.transport.abort)

        def resume_writing(self) -> None:
            super().resume_writing()  # type: ignore[misc]
            self._unstick()

        def connection_lost(self, exc: Exception | None) -> None:
            self._unstick()
            super().connection_lost(exc)  # type: ignore[misc]

        def _unstick(self) -> None:
            if self._stuck is not None:
                self._stuck.cancel()
                self._stuck = None

    class Http(Taking, H11Protocol):
        """Ends a connection that doesn't ask in time, and one too many."""

        _asking: Any = None

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            if len(self.connections) > settings.max_connections:
                transport.abort()
                return
            self._await_request()

        def handle_events(self) -> None:
            super().handle_events()
            if self.cycle is not None and not self.cycle.response_complete:
                self._have_request()

        def handle_websocket_upgrade(self, event: Any) -> None:
            self._have_request()
            super().handle_websocket_upgrade(event)

        def on_response_complete(self) -> None:
            super().on_response_complete()
            self._await_request()

        def connection_lost(self, exc: Exception | None) -> None:
            self._have_request()
            super().connection_lost(exc)

        def _await_request(self) -> None:
            self._have_request()
            self._asking = self.loop.call_later(settings.header_s, self.transport.abort)

        def _have_request(self) -> None:
            if self._asking is not None:
                self._asking.cancel()
                self._asking = None

    class WebSocket(Taking, WebSocketsSansIOProtocol):
        """As above."""

    return Http, WebSocket
