"""An HTTP server on this machine that does what servers shouldn't, one act for each request."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Act = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    """Answers each GET and CONNECT by the next act, and by the last one again and again."""

    protocol_version = "HTTP/1.1"
    server: Any

    def do_GET(self) -> None:
        state: Server = self.server.state
        with state.lock:
            state.seen.append((self.path, self.headers.get("Range"), self.headers.get("Host")))
            act = state.acts.pop(0) if len(state.acts) > 1 else state.acts[0]
        self.close_connection = True
        with contextlib.suppress(ConnectionError):
            act(self)

    do_CONNECT = do_GET  # what a proxy is asked before https goes through it  # noqa: N815

    def log_message(self, *_: object) -> None:
        pass

    def begin(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for key, value in ({"Connection": "close"} | headers).items():
            self.send_header(key, value)
        self.end_headers()


class Server:
    """What a server is told to do, and what it was asked for."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/net.onnx"
        self.acts: list[Act] = []
        self.seen: list[tuple[str, str | None, str | None]] = []
        self.lock = threading.Lock()

    @property
    def ranges(self) -> list[str | None]:
        return [asked for _, asked, _ in self.seen]


@contextmanager
def serving() -> Iterator[Server]:
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    httpd.daemon_threads = True
    state = Server(httpd.server_address[1])
    httpd.state = state  # type: ignore[attr-defined]
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        httpd.shutdown()
        httpd.server_close()
        thread.join()


def whole(
    content: bytes, *, ranges: bool = True, length: int | None = None, n_sent: int | None = None
) -> Act:
    """Send all, or the part that is asked for; `length` lies about the size, `n_sent` cuts the connection."""

    def act(handler: Handler) -> None:
        match = re.fullmatch(r"bytes=(\d+)-", handler.headers.get("Range", ""))
        begin = int(match[1]) if match and ranges else 0
        if begin >= len(content) > 0 and begin:
            handler.begin(416, {"Content-Range": f"bytes */{len(content)}", "Content-Length": "0"})
            return
        body = content[begin:]
        headers = {"Content-Length": str(len(body) if length is None else length)}
        if begin:
            headers["Content-Range"] = f"bytes {begin}-{len(content) - 1}/{len(content)}"
        handler.begin(206 if begin else 200, headers)
        handler.wfile.write(body[:n_sent])

    return act


def answer(status: int, body: bytes = b"", **headers: str) -> Act:
    """Send any status, with headers whose names have _ for -."""

    def act(handler: Handler) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        handler.begin(status, {"Content-Length": str(len(body))} | named)
        handler.wfile.write(body)

    return act


def unsized(content: bytes) -> Act:
    """Send all without a size; the end of the connection ends it."""

    def act(handler: Handler) -> None:
        handler.begin(200, {})
        handler.wfile.write(content)

    return act


def chunked(content: bytes, *, ended: bool = True) -> Act:
    """Send all in chunks, and end in the middle of it unless `ended`."""

    def act(handler: Handler) -> None:
        handler.begin(200, {"Transfer-Encoding": "chunked"})
        for at in range(0, len(content), 1000):
            piece = content[at : at + 1000]
            handler.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
        if ended:
            handler.wfile.write(b"0\r\n\r\n")

    return act


def drip(content: bytes, *, step_s: float, stop: threading.Event) -> Act:
    """Send a byte at a time."""

    def act(handler: Handler) -> None:
        handler.begin(200, {"Content-Length": str(len(content))})
        for byte in content:
            if stop.is_set():
                return
            handler.wfile.write(bytes([byte]))
            time.sleep(step_s)

    return act


def endless(before: bytes, again: bytes, *, stop: threading.Event, step_s: float = 0.0) -> Act:
    """Send some bytes, and then others again and again, whatever comes of it."""

    def act(handler: Handler) -> None:
        trickle(handler.connection, before, again, stop=stop, step_s=step_s)

    return act


def trickle(
    connection: socket.socket, before: bytes, again: bytes, *, stop: threading.Event, step_s: float
) -> None:
    """Do so on a connection of any kind."""
    connection.sendall(before)
    while not stop.is_set():
        connection.sendall(again)
        time.sleep(step_s)


@contextmanager
def raw_serving(act: Callable[[socket.socket], None]) -> Iterator[str]:
    """Give host and port of a server that need not know HTTP; each connection is one `act`."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def one(connection: socket.socket) -> None:
            with connection, contextlib.suppress(OSError):
                act(connection)

        def accept() -> None:
            with contextlib.suppress(OSError):  # it was closed
                while True:
                    threading.Thread(target=one, args=(listening.accept()[0],), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield f"127.0.0.1:{listening.getsockname()[1]}"
        with contextlib.suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)


def hang_up(handler: Handler) -> None:
    """Close the connection without a word."""
    handler.connection.close()


def nonsense(handler: Handler) -> None:
    """Answer with what is no HTTP."""
    handler.wfile.write(b"\x00\xff nonsense \r\n\r\n")
