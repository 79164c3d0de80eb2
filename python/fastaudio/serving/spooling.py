"""Bodies that come in: each is written to a nameless temporary file, within bounds of size and time."""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, BinaryIO

from fastaudio.serving.multipart import body_of
from fastaudio.serving.refusing import Refused

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request

    from fastaudio.serving.settings import Settings

_LINGER_S, _LINGER_BYTES = 10.0, 32_000_000  # time for busy machines; what was answered costs little else


class Spool:
    """Counts what lies on the disk.

    Attributes:
        n_bytes: of all bodies that are there now.
    """

    def __init__(self, settings: Settings) -> None:
        """Take the bounds."""
        self._settings = settings
        self._most = int(settings.max_spool_mb * 1e6)
        self.n_bytes = 0

    @asynccontextmanager
    async def receive(self, request: Request) -> AsyncIterator[tuple[BinaryIO, int]]:
        """Give a file with the body's sound, and its size in bytes; it is gone afterwards.

        Raises:
            Refused: the body is empty, too large, too slow or not the form it says; or there is no room.
        """
        most = self._settings.max_bytes
        stated = request.headers.get("content-length", "")
        if stated.isascii() and stated.isdigit() and int(stated[:20]) > most:
            raise _too_large(most, f"{stated[:20]}")
        with tempfile.TemporaryFile() as file:
            before = [0]  # bytes of this body so far
            try:
                try:
                    async with asyncio.timeout(self._settings.upload_s):
                        size = await self._write(request, file, before)
                except TimeoutError:
                    raise _too_slow(self._settings.upload_s) from None
                file.seek(0)
                yield file, size
            finally:
                self.n_bytes -= before[0]

    async def _write(self, request: Request, file: BinaryIO, n_read: list[int]) -> int:
        most, pause_s = self._settings.max_bytes, self._settings.pause_s
        body = body_of(request.headers.get("content-type", ""))
        size = 0
        chunks = request.stream().__aiter__()
        while True:
            try:
                async with asyncio.timeout(pause_s):
                    chunk = await anext(chunks)
            except StopAsyncIteration:
                break
            except TimeoutError:
                raise _too_slow(pause_s) from None
            n_read[0] += len(chunk)
            self.n_bytes += len(chunk)
            if n_read[0] > most:
                raise _too_large(most, "more")
            if self.n_bytes > self._most:
                raise Refused(
                    503, "no_room", "server: expected fewer uploads at once, got more; try again later"
                )
            part = body.feed(chunk)
            size += len(part)
            file.write(part)
        if not body.found:
            raise Refused(
                400, "bad_form", "body: expected multipart/form-data with a file, got its beginning"
            )
        if not size:
            raise Refused(400, "empty", "body: expected a sound file, got nothing")
        file.flush()
        return size


async def linger(request: Request) -> None:
    """Read on for a short time: a caller who still sends then sees the answer, not a broken connection."""
    if request.headers.get("expect", "").lower() == "100-continue":
        return  # it waits for the answer before it sends
    with suppress(Exception):  # whatever happens to a request that is refused anyway
        async with asyncio.timeout(_LINGER_S):
            await _read_on(request)


async def _read_on(request: Request) -> None:
    n_bytes = 0
    async for chunk in request.stream():
        n_bytes += len(chunk)
        if n_bytes > _LINGER_BYTES:
            return


def _too_large(most: int, got: str) -> Refused:
    return Refused(413, "too_large", f"body: expected at most {most} bytes, got {got}")


def _too_slow(limit_s: float) -> Refused:
    return Refused(408, "too_slow", f"body: expected more of it within {limit_s:g} s, got none")
