"""Who may ask: what comes before all routes checks host, origin and token, and marks each answer as safe."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import re
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response

from fastaudio.serving.refusing import Refused, answer_of, refusal_of
from fastaudio.serving.spooling import linger

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from fastaudio.serving.measures import Measures
    from fastaudio.serving.settings import Settings

    Message = dict[str, Any]
    App = Callable[[Any, Any, Any], Awaitable[None]]

_SAFE = {
    "content-security-policy": "default-src 'self'; media-src 'self' blob:; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "microphone=(self), camera=(), geolocation=()",
}
_HEADERS = [(name.encode(), value.encode()) for name, value in _SAFE.items()]
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]{1,253})(?::[0-9]{1,5})?")
_OPEN = ("/", "/healthz", "/openapi.json", "/docs")  # without a token, and so is what the page loads
ARCHIVE = tuple(
    f"/v1/archive{name}" for name in ("", "/like", "/label", "/next", "/sound", "/labels", "/undo")
)
_ELSEWHERE = ("cross-site", "same-site")  # where the page is that a browser asks for
ROUTES = (
    "/",
    "/v1/tag",
    "/v1/models",
    "/v1/live",
    "/healthz",
    "/metrics",
    "/openapi.json",
    "/docs",
    *ARCHIVE,
)


def token_fits(given: str, token: str | None) -> bool:
    """Tell whether a token is the right one, in a time that doesn't depend on what is wrong with it."""
    if token is None:
        return True
    sums = [hashlib.sha256(text.encode("utf-8", "replace")).digest() for text in (given, token)]
    return hmac.compare_digest(*sums)


class Guard:
    """Checks requests before any route sees them."""

    def __init__(self, app: App, settings: Settings, measures: Measures) -> None:
        """Take the routes, the bounds, and what counts."""
        self._app = app
        self._settings = settings
        self._measures = measures
        self._names = {"localhost", *(name.lower() for name in settings.allowed_hosts)}
        self._local = is_loopback(settings.host)
        if not self._local and _address(settings.host) is None:
            self._names.add(settings.host.lower())
        self._origins = {origin.rstrip("/").lower() for origin in settings.allowed_origins}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass a request on, or answer that it isn't served."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        begun, status = time.monotonic(), [0]
        origin = Headers(scope=scope).get("origin", "")
        shared = _shared_with(origin) if origin.lower() in self._origins else []

        async def marked(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                status[0] = message["status"]
                message = message | {"headers": [*message.get("headers", []), *_HEADERS, *shared]}
            await send(message)

        try:
            refused = self._refusal(scope)
            if refused is None and shared and scope.get("method") == "OPTIONS":
                await Response(status_code=204)(scope, receive, marked)
            elif refused is None:
                await self._app(scope, receive, marked)
            else:
                await self._refuse(refused, scope, receive, marked)
        except Exception as error:
            if status[0] or scope["type"] != "http":
                raise
            await self._refuse(refusal_of(error), scope, receive, marked)
        finally:
            if scope["type"] == "http":
                path = _path(scope)
                route = path if path in ROUTES else "/static" if path.startswith("/static/") else "other"
                self._measures.request(route, status[0] or 499, time.monotonic() - begun)

    async def _refuse(self, refused: Refused, scope: Any, receive: Any, send: Any) -> None:
        self._measures.refused(refused.kind)
        if scope["type"] == "http" and scope["method"] == "POST" and refused.status in (401, 403):
            await linger(Request(scope, receive))
        answer = answer_of(refused)
        if scope["type"] == "http":
            await answer(scope, receive, send)
            return
        start = {"type": "websocket.http.response.start", "status": answer.status_code}
        await send(start | {"headers": answer.raw_headers})
        await send({"type": "websocket.http.response.body", "body": answer.body})

    def _refusal(self, scope: Any) -> Refused | None:
        headers = Headers(scope=scope)
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not self._is_own(hosts[0]):
            got = (hosts[0] if hosts else "none")[:60]
            return Refused(
                403, "wrong_host", f"Host: expected a name of this server, got {got!r}; see --allow-host"
            )
        path = _path(scope)
        reads = scope.get("method") in ("GET", "HEAD") and path not in ARCHIVE
        origin = headers.get("origin")
        if origin is None and path in ARCHIVE and headers.get("sec-fetch-site") in _ELSEWHERE:
            origin = "another one"  # a browser doesn't name it with each request
        if origin is not None and not reads and not self._from_here(origin, hosts[0]):
            return Refused(
                403,
                "wrong_origin",
                f"Origin: expected a page of this server, got {origin[:60]!r}; see --allow-origin",
            )
        open_ = path in _OPEN or path.startswith("/static/") or scope.get("method") == "OPTIONS"
        if self._settings.token is None or open_:
            return None
        kind, _, given = headers.get("authorization", "").partition(" ")
        fits = kind.lower() == "bearer" and token_fits(given.strip(), self._settings.token)
        if scope["type"] == "websocket" and not kind:
            scope["fastaudio.trusted"] = False  # its first message has to show the token
            return None
        if fits:
            return None
        return Refused(401, "no_token", "Authorization: expected Bearer and the server's token, got another")

    def _is_own(self, host: str) -> bool:
        """Whether a Host header names this server; strangers can make their own names lead here."""
        match = _HOST.fullmatch(host)
        if match is None:
            return False
        name = match[1].strip("[]").lower().rstrip(".")
        if name in self._names:
            return True
        address = _address(name)
        return address is not None and (address.is_loopback or not self._local)

    def _from_here(self, origin: str, host: str) -> bool:
        if origin.lower() in self._origins:
            return True
        try:
            parts = urlsplit(origin)
        except ValueError:
            return False
        scheme = "https" if self._settings.tls_cert else "http"
        proxied = (
            parts.scheme == "https" and parts.hostname in self._names
        )  # TLS of a server in front of this one
        return (parts.scheme == scheme or proxied) and parts.netloc.lower() == host.lower()


def _shared_with(origin: str) -> list[tuple[bytes, bytes]]:
    """Return the headers that let a page of another origin read an answer."""
    headers = {
        "access-control-allow-origin": origin,
        "access-control-allow-methods": "GET, POST",
        "access-control-allow-headers": "authorization, content-type",
        "vary": "origin",
    }
    return [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]


def _path(scope: Any) -> str:
    """Return a request's path below the one where the server is mounted."""
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", ""))


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None


def is_loopback(host: str) -> bool:
    """Tell whether an address is reached from this machine only."""
    address = _address(host)
    return host.lower() == "localhost" if address is None else address.is_loopback
