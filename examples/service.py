# ruff: noqa: INP001  # a program, no package
"""A web service that tags the sound it is sent, by strangers: docs/service.md walks through it.

    pip install starlette uvicorn
    uvicorn --app-dir examples service:app
    curl --data-binary @examples/guitar.flac 'localhost:8000/tags?top=3&name=guitar.flac'

Each upload is decoded and run in a process of its own, which can't touch anything, within limits of time and
memory. As many run at once as there are processor cores. RESULTS=folder in the environment keeps each answer
in a file. It runs on Linux and macOS.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import re
import signal
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import fastaudio as fa
from fastaudio.tags import Tags
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse
from starlette.routing import Route

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request

CORES = os.cpu_count() or 1
MOST_BYTES = 100_000_000  # of an upload
MOST_S = 3600.0  # of sound: a small file may hold days of silence
UPLOAD_S = 60.0  # for an upload to arrive
TIMEOUT_S = 120.0  # for its tags
MOST_AT_ONCE = 4 * CORES  # uploads that arrive, wait or run; each may take MOST_BYTES of disk
MOST_TOP, MOST_NAME, BUSY = 1000, 255, 503
LIMITS = fa.Limits(memory_mb=4000, answer_s=30)  # of each process
RESULTS = os.environ.get("RESULTS")

PIPELINE = fa.Pipeline.load("musicnn-mtt")  # trusted; it never sees an upload in this process
PLACES = asyncio.Semaphore(MOST_AT_ONCE)
WORKERS = ThreadPoolExecutor(CORES, thread_name_prefix="tags")
STOP = fa.Cancel()  # ends all calls that run
LOG = logging.getLogger("uvicorn.error")


class Refused(Exception):  # noqa: N818  # it is the answer
    """An upload that the service doesn't take: the status and the reason."""


# What else ends an upload, and what its sender is told.
ENDS: dict[type[Exception], tuple[int, str]] = {
    fa.IsolationError: (
        422,
        "expected a sound file that can be read within the service's limits, got another",
    ),
    fa.TimedOut: (503, "expected sound that is tagged in time, got more than the service manages"),
    fa.Cancelled: (503, "expected a service that goes on, got one that is stopping; try again later"),
    ClientDisconnect: (400, "expected the whole body, got a part"),  # nobody reads it
    OSError: (507, "expected room for the upload, its process and its answer, got none"),
}


def tag(file: BinaryIO, top: int, name: str | None) -> dict[str, Any]:
    """Return a sound's tags as plain data, and keep them if RESULTS says where; Refused if it is too long."""

    def heed_length(done_s: float, _: float | None) -> None:
        if done_s > MOST_S:
            raise Refused(413, f"expected at most {MOST_S:g} s of sound, got more")

    try:  # a process for this upload alone: a file that takes it over can't choose other callers' scores
        apart = fa.isolated(PIPELINE, limits=LIMITS)
    except fa.IsolationError as error:
        raise OSError(f"no process can be started: {error}") from error
    with apart:
        tags = apart(file, progress=heed_length, timeout_s=TIMEOUT_S, cancel=STOP)
    if not isinstance(tags, Tags):
        raise TypeError(f"expected a pipeline that gives tags, got {PIPELINE!r}")
    found = tags.to_dict(top=top) | {"path": name}
    if RESULTS:
        save(Path(RESULTS), found)
    return found


def save(folder: Path, found: dict[str, Any]) -> Path:
    """Write an answer under a new name; it appears whole or not at all, whatever stops the service."""
    with tempfile.NamedTemporaryFile("w", dir=folder, prefix=".", delete=False, encoding="utf-8") as file:
        unfinished = Path(file.name)
        try:
            json.dump(found, file)
            file.flush()
            os.fsync(file.fileno())
            return unfinished.rename(folder / f"{unfinished.name[1:]}.json")
        except BaseException:
            unfinished.unlink()
            raise


async def refuse(_: Request, error: Exception) -> JSONResponse:
    """Return an error as JSON."""
    if isinstance(error, Refused):
        status, reason = error.args
    elif isinstance(error, fa.DecodeError):
        status, reason = 415, error.reason
    else:
        status, reason = next(ENDS[kind] for kind in ENDS if isinstance(error, kind))
        LOG.warning("an upload ended: %s", error)
    return JSONResponse({"error": reason}, status, {"Retry-After": "10"} if status == BUSY else None)


async def receive(request: Request, file: BinaryIO) -> int:
    """Write the request's body into the file and return its size; Refused as soon as it is too large."""
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MOST_BYTES:
            raise Refused(413, f"expected at most {MOST_BYTES} bytes, got more")
        file.write(chunk)
    file.seek(0)
    return size


async def tags(request: Request) -> JSONResponse:
    """Answer `POST /tags?top=K&name=NAME`, whose body is a sound file, with the scores of its labels."""
    top, name = request.query_params.get("top", "5"), request.query_params.get("name")
    if not re.fullmatch("[0-9]{1,4}", top) or not 1 <= int(top) <= MOST_TOP:
        raise Refused(400, f"expected top as a whole number from 1 to {MOST_TOP}, got {top[:20]!r}")
    if name and len(name) > MOST_NAME:
        raise Refused(400, f"expected a name of at most {MOST_NAME} characters, got {len(name)}")
    if PLACES.locked() or STOP.cancelled:
        raise Refused(BUSY, "expected fewer uploads at once, or the service is stopping; try again later")
    async with PLACES:
        with tempfile.TemporaryFile() as file:
            try:
                size = await asyncio.wait_for(receive(request, file), UPLOAD_S)
            except asyncio.TimeoutError:
                raise Refused(408, f"expected the whole body within {UPLOAD_S:g} s, got a part") from None
            if not size:
                raise Refused(400, "expected a sound file as the request's body, got none")
            # Shielded: if the server gives this request up, the file stays open for the thread that reads it.
            work = asyncio.get_running_loop().run_in_executor(WORKERS, tag, file, int(top), name)
            try:
                return JSONResponse(await asyncio.shield(work))
            except asyncio.CancelledError:
                await asyncio.wait([work])
                raise


def cancel_on(number: int) -> None:
    """Let a signal end the calls that run, and then do what it did before."""
    before = signal.getsignal(number)

    def handle(_: int, frame: Any) -> None:
        STOP.cancel()
        if callable(before):
            before(number, frame)
        else:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)

    signal.signal(number, handle)


@asynccontextmanager
async def life(_: Starlette) -> AsyncIterator[None]:
    """Begin and end the service; see that processes can be started, and what holds them."""
    with fa.isolated(PIPELINE, limits=LIMITS) as pipeline:
        LOG.info("uploads run in processes that are held by %s", ", ".join(pipeline.guards) or "rlimits only")
    if threading.current_thread() is threading.main_thread():  # elsewhere signals can't be handled
        cancel_on(signal.SIGTERM)
    yield
    STOP.cancel()
    WORKERS.shutdown()


app = Starlette(
    routes=[Route("/tags", tags, methods=["POST"])],
    lifespan=life,
    exception_handlers=dict.fromkeys((Refused, fa.DecodeError, *ENDS), refuse),
)
