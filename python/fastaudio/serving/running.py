"""Running a server: the address is bound, and signals end it in order."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

from fastaudio._core import FastaudioError
from fastaudio._system.extras import require
from fastaudio.serving.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from fastaudio.pipeline import Pipeline

GRACE_S = 2
_BACKLOG = 256
_LONGEST_HEAD = 16_384
_LARGEST_MESSAGE = 1 << 20


class AddressError(FastaudioError, OSError):
    """The server can't listen at its address."""


def serve(
    pipelines: Iterable[Pipeline],
    settings: Settings | None = None,
    *,
    ready: Callable[[str], object] | None = None,
) -> None:
    """Serve pipelines over HTTP and WebSockets until Ctrl-C or SIGTERM, as docs/service.md says.

    What runs then is ended: uploads are refused, streams send their last results. It takes 2 s at most.

    Args:
        pipelines: each gives tags; a request chooses one by its name, and the first is the default.
        settings: the address and the bounds; None for those of `Settings()`.
        ready: called with the server's address, such as "http://127.0.0.1:8000", once it listens.

    Raises:
        MissingExtra: starlette, uvicorn or websockets isn't installed.
        AddressError: the address can't be used.
        ValueError: a pipeline doesn't give tags; or the address is reached from elsewhere, and there is no
            token.
    """
    for module in ("starlette", "uvicorn", "websockets"):
        require(module, extra="serve", what="serve")
    from fastaudio.serving.application import Application  # noqa: PLC0415  # needs the extra

    settings = settings or Settings()
    with closing(Application(pipelines, settings)) as application, closing(bound(settings)) as at:
        server_for(application, settings, at, ready).run(sockets=[at])


def bound(settings: Settings) -> socket.socket:
    """Return a socket at the server's address."""
    from fastaudio.serving.guarding import is_loopback  # noqa: PLC0415

    name = f"{settings.host}:{settings.port}"
    try:
        family, kind, number, _, address = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (OSError, UnicodeError) as error:
        raise AddressError(
            f"serve: expected an address of this machine, got {name!r:.80}; {error}"
        ) from error
    if settings.token is None and not is_loopback(str(address[0])):
        raise ValueError(
            f"serve: expected a token for an address that others reach, got none for {settings.host!r:.80}; "
            "python -c 'import secrets; print(secrets.token_urlsafe())' > token, then --token-file token"
        )
    at = socket.socket(family, kind, number)
    try:
        if os.name == "posix":  # elsewhere it would let another program take the address over
            at.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        at.bind(address)
    except OSError as error:
        at.close()
        remedy = "choose another with --port, or 0 for any that is free"
        if error.errno == errno.EADDRNOTAVAIL:
            remedy = "name an address of this machine with --host, or 0.0.0.0 for all of them"
        raise AddressError(
            f"serve: expected an address that is free, got {name!r:.80} ({error.strerror}); {remedy}"
        ) from error
    return at


def server_for(
    application: Any, settings: Settings, at: socket.socket, ready: Callable[[str], object] | None
) -> Any:
    """Return uvicorn's server for an application at a bound socket; `run(sockets=[at])` runs it."""
    import uvicorn  # noqa: PLC0415  # needs the extra

    from fastaudio.serving.connections import Handshake, connections_for  # noqa: PLC0415

    handshakes: set[Any] = set()

    class Server(uvicorn.Server):
        """Says when it listens, and ends what runs before it waits for it."""

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets=sockets)
            if ready is not None and self.started:
                ready(_url(settings, at))

        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            application.end()
            for task in tuple(handshakes):
                task.cancel()
            begun_s = time.monotonic()
            await application.live.wait_ended(GRACE_S / 2)
            config.timeout_graceful_shutdown = max(GRACE_S - (time.monotonic() - begun_s), 0.0)
            await super().shutdown(sockets=sockets)
            for connection in tuple(self.server_state.connections):  # their clients don't take the rest
                connection.transport.abort()
            await asyncio.sleep(0)

    http, websocket = connections_for(settings)
    config = uvicorn.Config(
        application,
        http=http,
        ws=websocket,
        loop="asyncio",
        interface="asgi3",
        lifespan="off",
        log_config=None,
        log_level="error",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        backlog=_BACKLOG,
        h11_max_incomplete_event_size=_LONGEST_HEAD,
        ws_max_size=_LARGEST_MESSAGE,
        ws_ping_interval=None,  # `idle_s` and `send_s` end who has gone; a pong may wait behind much sound
        ws_per_message_deflate=False,
        ssl_certfile=settings.tls_cert,
        ssl_keyfile=settings.tls_key,
    )
    try:
        config.load()
    except OSError as error:  # ssl's own among them
        raise AddressError(
            f"serve: expected a certificate and its key, got {str(settings.tls_cert)!r:.80} and "
            f"{str(settings.tls_key)!r:.80}: {error}"
        ) from error
    context, config.ssl = config.ssl, None  # these connections agree on TLS themselves
    if context is not None:
        config.http_protocol_class = lambda **parts: Handshake(http(**parts), handshakes, context, settings)
    return Server(config)


def _url(settings: Settings, at: socket.socket) -> str:
    host, port = at.getsockname()[:2]
    scheme = "https" if settings.tls_cert else "http"
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"
