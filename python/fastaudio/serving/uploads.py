"""Uploads: `POST /v1/tag` takes a sound file or raw samples, and answers with what a model hears in it."""

from __future__ import annotations

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar

import numpy as np
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from fastaudio._core import Cancel
from fastaudio.live.sources import ENCODINGS
from fastaudio.serving.hearing import Pcm, Task, hear
from fastaudio.serving.parameters import Parameters
from fastaudio.serving.refusing import RETRY_S, Refused, stopping
from fastaudio.serving.served import Asked
from fastaudio.serving.spooling import Spool, linger

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from starlette.requests import Request

    from fastaudio.serving.measures import Measures
    from fastaudio.serving.served import Models
    from fastaudio.serving.settings import Settings

_T = TypeVar("_T")

MOST_TOP = 10_000
HOP_S = (0.01, 3600.0)
RATE, CHANNELS = (1000, 384_000), (1, 32)
KNOWN = (
    *("model", "hop_s", "top", "min_score", "events", "onset", "format", "windows", "spectrogram", "kind"),
    *("pcm", "rate", "channels", "name"),
)
LINGERS = (400, 404, 413, 429, 503)
"""Statuses of refusals for which a body is read on."""

_FORMS = {"json": "application/json", "audacity": "text/plain", "raven": "text/tab-separated-values"}
_L16 = re.compile(r"audio/L16\s*((?:;\s*[a-z]+\s*=\s*\"?[0-9]{1,9}\"?\s*)*)", re.IGNORECASE)
_PART = re.compile(r"([a-z]+)\s*=\s*\"?([0-9]+)", re.IGNORECASE)


class Uploads:
    """Runs uploads, a few at a time; further ones wait, and more than that are refused.

    Attributes:
        n_here: uploads that arrive, wait or run.
        n_running: those that run.
    """

    def __init__(self, models: Models, settings: Settings, measures: Measures) -> None:
        """Take what is served, the bounds, and what counts."""
        self._models = models
        self._settings = settings
        self._measures = measures
        self._spool = Spool(settings)
        self._workers = ThreadPoolExecutor(settings.jobs, "fastaudio-serve")
        self._cancels: set[Cancel] = set()
        self._ended = False
        self.n_here = self.n_running = 0
        measures.gauge("uploads", "uploads that arrive, wait or run", lambda: self.n_here)
        measures.gauge("uploads_running", "uploads that run", lambda: self.n_running)
        measures.gauge("spooled_bytes", "bytes of uploads on the disk", lambda: self._spool.n_bytes)

    async def tag(self, request: Request) -> Response:
        """Answer a request; see /openapi.json."""
        try:
            make = partial(Task, **self._asked(request))
            async with self.received(request) as (file, size):
                cancel = Cancel()
                task = make(file=file, size=size, cancel=cancel)
                answer, sound_s = await self.run(request, partial(self._counted, task), cancel)
                self._measures.heard(task.served.name, sound_s)
                return Response(answer, media_type=_FORMS[task.form])
        except Refused as refused:
            if refused.status in LINGERS:
                await linger(request)
            raise

    @asynccontextmanager
    async def received(self, request: Request) -> AsyncIterator[tuple[BinaryIO, int]]:
        """Give a file with a request's body, and its size in bytes, if there is a place for it.

        Raises:
            Refused: there is none, or the body isn't what it says.
        """
        with self.place():
            async with self._spool.receive(request) as (file, size):
                yield file, size

    @contextmanager
    def place(self) -> Iterator[None]:
        """Take one of the places for requests that arrive, wait or run.

        Raises:
            Refused: there is none.
        """
        if self._ended:
            raise stopping()
        most = self._settings.jobs + self._settings.waiting
        if self.n_here >= most:
            raise Refused(
                429,
                "busy",
                f"server: expected at most {most} requests at once, got more; try again in {RETRY_S} s",
            )
        self.n_here += 1
        try:
            yield
        finally:
            self.n_here -= 1

    def end(self) -> None:
        """End all that runs, and refuse what comes."""
        self._ended = True
        for cancel in tuple(self._cancels):
            cancel.cancel()

    def close(self) -> None:
        """End the threads."""
        self.end()
        self._workers.shutdown(wait=False)

    def _asked(self, request: Request) -> dict[str, Any]:
        query = Parameters(request.query_params, KNOWN)
        form = query.choice("format", tuple(_FORMS))
        onset = query.number("onset", 0.0, 1.0)
        asked = Asked(
            events=query.flag("events", "0" if onset is None else "1") or form != "json",
            onset=onset,
            hop_s=query.number("hop_s", *HOP_S),
        )
        spectrogram, isolate = query.flag("spectrogram"), self._settings.isolate
        if spectrogram and isolate:
            raise Refused(
                400, "bad_parameter", "spectrogram: expected none of a server with --isolate, got 1"
            )
        return {
            "served": self._models.get(request.query_params.get("model")),
            "asked": asked,
            "pcm": pcm_of(query, request.headers.get("content-type", "")),
            "form": form,
            "name": query.text("name") if query.has("name") else None,
            "top": query.whole("top", 5, 1, MOST_TOP),
            "min_score": query.number("min_score", -1e9, 1e9),
            "windows": query.flag("windows"),
            "spectrogram": spectrogram,
            "kind": query.flag("kind", "1"),
            "max_s": self._settings.max_s,
            "timeout_s": self._settings.answer_s,
            "isolate": isolate,
        }

    async def run(self, request: Request, work: Callable[[], _T], cancel: Cancel) -> _T:
        """Run work in a worker's thread; the server's end, its time, and a caller who goes away cancel it.

        Raises:
            Refused: it isn't done in time.
        """
        self._cancels.add(cancel)
        if self._ended:  # while the upload came in
            cancel.cancel()
        queued = self._workers.submit(work)
        running: asyncio.Future[_T] = asyncio.wrap_future(queued)
        running.add_done_callback(
            lambda done: done.cancelled() or done.exception()
        )  # if nobody waits any more
        gone = asyncio.create_task(_until_gone(request))
        both: set[asyncio.Future[Any]] = {running, gone}
        try:
            limit_s = self._settings.answer_s
            done, _ = await asyncio.wait(both, timeout=limit_s, return_when=asyncio.FIRST_COMPLETED)
            if running not in done:
                raise ClientDisconnect if gone in done else _late()
            return running.result()
        finally:
            gone.cancel()
            cancel.cancel()
            if not running.done() and not queued.cancel():  # the file stays open until its thread has left it
                await asyncio.wait([running])
            self._cancels.discard(cancel)

    def _counted(self, task: Task) -> tuple[bytes, float]:
        if task.cancel.cancelled:
            raise stopping()
        self.n_running += 1  # only shown
        try:
            return hear(task)
        finally:
            self.n_running -= 1


async def _until_gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _late() -> Refused:
    return Refused(504, "timed_out", "body: expected sound that is run in time, got more; send less of it")


def pcm_of(query: Parameters, content_type: str) -> Pcm | None:
    """Return what a body's samples are, by its type or by the query; None for a sound file.

    Raises:
        Refused: it says so, but not all of it.
    """
    if content_type.strip().lower().startswith("audio/l16"):
        match = _L16.fullmatch(content_type.strip())
        parts = {} if match is None else {name.lower(): int(value) for name, value in _PART.findall(match[1])}
        rate, channels = parts.get("rate", 0), parts.get("channels", 1)
        if not RATE[0] <= rate <= RATE[1] or not CHANNELS[0] <= channels <= CHANNELS[1]:
            raise Refused(
                400, "bad_parameter", "Content-Type: expected audio/L16;rate=HZ;channels=N, got another"
            )
        return Pcm(np.dtype(">i2"), rate, channels)
    if not query.has("pcm"):
        for name in ("rate", "channels"):
            if query.has(name):
                raise Refused(400, "bad_parameter", f"{name}: expected pcm= with it, got none")
        return None
    encoding = query.choice("pcm", tuple(ENCODINGS))
    return Pcm(ENCODINGS[encoding], query.whole("rate", None, *RATE), query.whole("channels", 1, *CHANNELS))
