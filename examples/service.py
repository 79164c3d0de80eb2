# ruff: noqa: INP001  # a program, no package
"""A web service that tags the sound it is sent.

    pip install starlette uvicorn
    uvicorn --app-dir examples service:app
    curl --data-binary @examples/guitar.flac 'localhost:8000/tags?top=3&name=guitar.flac'

All requests share one pipeline, which is thread-safe. Only as many run at once as there are processor cores:
more would take longer and need more memory. While they run, the event loop stays free for other requests.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, BinaryIO

import fastaudio as fa
from fastaudio.tags import Tags
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

if TYPE_CHECKING:
    from starlette.requests import Request

MOST_BYTES = 100_000_000
MOST_S = 3600.0  # a small file may hold days of silence

PIPELINE = fa.Pipeline.load("musicnn-mtt")
WORKERS = ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="tags")


class TooLong(Exception):  # noqa: N818  # named for what is wrong
    """The sound is longer than the service takes."""


def tag(file: BinaryIO, top: int, name: str | None) -> dict[str, Any]:
    """Return a sound's tags as plain data; DecodeError if it is no sound, TooLong if there is too much."""

    def heed_length(done_s: float, _: float | None) -> None:
        if done_s > MOST_S:
            raise TooLong(f"expected at most {MOST_S:g} s of sound, got more")

    tags = PIPELINE(file, progress=heed_length)
    if not isinstance(tags, Tags):
        raise TypeError(f"expected a pipeline that gives tags, got {PIPELINE!r}")
    return tags.to_dict(top=top) | {"path": name}


def refuse(status: int, reason: str) -> JSONResponse:
    """Return an error as JSON."""
    return JSONResponse({"error": reason}, status)


async def tags(request: Request) -> JSONResponse:
    """Answer `POST /tags?top=K&name=NAME`, whose body is a sound file, with the scores of its labels."""
    text = request.query_params.get("top", "5")
    if not text.isdecimal():
        return refuse(400, f"expected top as a whole number, got {text[:20]!r}")
    with tempfile.TemporaryFile() as file:
        size = 0
        async for chunk in request.stream():
            size += len(chunk)
            if size > MOST_BYTES:
                return refuse(413, f"expected at most {MOST_BYTES} bytes, got more")
            file.write(chunk)
        if not size:
            return refuse(400, "expected a sound file as the request's body, got none")
        file.seek(0)
        loop, name = asyncio.get_running_loop(), request.query_params.get("name")
        try:
            found = await loop.run_in_executor(WORKERS, tag, file, min(int(text), 1000), name)
        except fa.DecodeError as error:
            return refuse(415, error.reason)
        except TooLong as error:
            return refuse(413, str(error))
    return JSONResponse(found)


app = Starlette(routes=[Route("/tags", tags, methods=["POST"])])
