"""The routes of a server, behind its guard."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute

from fastaudio.serving.describing import docs_page, openapi
from fastaudio.serving.guarding import Guard
from fastaudio.serving.live import Live
from fastaudio.serving.measures import CONTENT_TYPE, Measures
from fastaudio.serving.pages import Pages
from fastaudio.serving.refusing import answer_of, refusal_of, stopping
from fastaudio.serving.served import Models
from fastaudio.serving.uploads import Uploads

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable

    from starlette.requests import Request

    from fastaudio.pipeline import Pipeline
    from fastaudio.serving.settings import Settings

    Endpoint = Callable[[Request], Awaitable[Response]]

_FRESH = {"Cache-Control": "no-store"}


class Application:
    """An ASGI application that serves some pipelines."""

    def __init__(self, pipelines: Iterable[Pipeline], settings: Settings) -> None:
        """Take pipelines that give tags, and the bounds.

        Raises:
            ValueError: there is no pipeline, two have the same name, or one doesn't give tags.
            FastaudioError: the archive isn't there, or the file of its labels can't be used.
        """
        self._settings = settings
        self.measures = Measures()
        self.models = Models(pipelines)
        self.uploads = Uploads(self.models, settings, self.measures)
        self.live = Live(self.models, settings, self.measures)
        self._ending = False
        archive = None
        if settings.archive:
            from fastaudio.serving.archive import Archive  # noqa: PLC0415  # needs the extra [parquet]

            archive = Archive(self.uploads, settings)
        self.archive = archive
        pages = Pages()
        self._openapi = openapi(self.models.names, archive=archive is not None)
        self._docs = docs_page(self._openapi)
        routes = [
            self._route("/", pages.index),
            self._route("/static/{name:path}", pages.static),
            self._route("/v1/tag", self.uploads.tag, "POST"),
            self._route("/v1/models", self._models),
            WebSocketRoute("/v1/live", self.live.serve),
            self._route("/healthz", self._health),
            self._route("/metrics", self._metrics),
            self._route("/openapi.json", self._describe),
            self._route("/docs", self._document),
        ]
        routes.append(self._route("/v1/archive", self._no_archive if archive is None else archive.about))
        if archive is not None:
            routes += [
                self._route("/v1/archive/like", archive.like, "POST"),
                self._route("/v1/archive/label", archive.label),
                self._route("/v1/archive/next", archive.next),
                self._route("/v1/archive/sound", archive.sound),
                self._route("/v1/archive/labels", archive.add, "POST"),
                self._route("/v1/archive/undo", archive.undo, "POST"),
            ]
        inner = Starlette(
            routes=routes, exception_handlers={HTTPException: self._refuse}, lifespan=self._lifespan
        )
        inner.router.redirect_slashes = False
        self._app = Guard(inner, settings, self.measures)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve a request, as ASGI has it."""
        await self._app(scope, receive, send)

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        """Begin and end, under a server that isn't `serve`'s."""
        yield
        self.close()

    def end(self) -> None:
        """End what runs: uploads are refused, and streams send their last results."""
        self._ending = True
        self.uploads.end()
        self.live.end()

    def close(self) -> None:
        """End what runs, and the threads."""
        self.end()
        self.uploads.close()

    def _route(self, path: str, endpoint: Endpoint, method: str = "GET") -> Route:
        async def answer(request: Request) -> Response:
            try:
                return await endpoint(request)
            except Exception as error:  # noqa: BLE001  # each is told
                return await self._refuse(request, error)

        return Route(path, answer, methods=[method])

    async def _refuse(self, _: Request, error: Exception) -> Response:
        refused = refusal_of(error)
        self.measures.refused(refused.kind)
        return answer_of(refused)

    async def _models(self, _: Request) -> Response:
        draws = {"spectrogram": not self._settings.isolate}
        return JSONResponse([served.about() | draws for served in self.models.all.values()], headers=_FRESH)

    async def _no_archive(self, _: Request) -> Response:
        return JSONResponse({"embeddings": None, "scores": None, "labels": None}, headers=_FRESH)

    async def _health(self, _: Request) -> Response:
        if self._ending:
            raise stopping()
        return JSONResponse({"status": "ok"}, headers=_FRESH)

    async def _metrics(self, _: Request) -> Response:
        return Response(self.measures.text(), headers=_FRESH | {"Content-Type": CONTENT_TYPE})

    async def _describe(self, _: Request) -> Response:
        return JSONResponse(self._openapi)

    async def _document(self, _: Request) -> Response:
        return Response(self._docs, media_type="text/html")
