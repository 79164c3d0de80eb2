"""What scans have written, for clients: searched by sound or by label, heard, and labelled."""

from __future__ import annotations

import json
import threading
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from starlette.responses import JSONResponse, Response

from fastaudio._core import Cancel
from fastaudio.reviewing.candidates import Candidate, by_example, by_uncertainty
from fastaudio.reviewing.labels import LabelError, LabelFile
from fastaudio.running.limits import limits
from fastaudio.searching.query import vector_of
from fastaudio.searching.search import best_of_label, nearest
from fastaudio.searching.store import SearchError, about_scan, opened
from fastaudio.serving.describing import MOST_FOUND
from fastaudio.serving.excerpts import Given, wav_of
from fastaudio.serving.parameters import Parameters
from fastaudio.serving.refusing import Refused
from fastaudio.serving.spooling import linger
from fastaudio.serving.uploads import LINGERS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from starlette.requests import Request

    from fastaudio.searching.search import Hit
    from fastaudio.searching.store import Store
    from fastaudio.serving.settings import Settings
    from fastaudio.serving.uploads import Uploads

_MOST_NAME = 200
_MOST_BODY = 4096
_FRESH = {"Cache-Control": "no-store"}


class Archive:
    """Answers about a scan of embeddings, a scan of scores, or both.

    Attributes:
        embeddings, scores: the folders of the scans; None if there is none.
        labels: where labels go; None if none are taken.
    """

    def __init__(self, uploads: Uploads, settings: Settings) -> None:
        """Open the scans and the labels that `settings` names.

        Raises:
            ScanError: a folder holds no scan.
            SearchError: there are two scans of a kind.
            LabelError, OutputError: the file of labels is another file, or can't be written.
        """
        self._uploads = uploads
        self._settings = settings
        self.embeddings: Path | None = None
        self.scores: Path | None = None
        self._names: list[str] = []
        for folder in settings.archive:
            about = about_scan(folder)
            kind = "scores" if about["labels"] else "embeddings"
            if getattr(self, kind) is not None:
                raise SearchError(
                    f"serve: expected one scan of {kind}, got two; "
                    f"leave {str(folder)!r:.200} out of --archive"
                )
            setattr(self, kind, folder)
            self._names = list(about["labels"]) or self._names
        if self.embeddings is not None:
            opened(self.embeddings)  # gathered before anybody waits for it
        self.labels = None if settings.labels is None else LabelFile(settings.labels)
        self._given = Given()
        self._opening = threading.Lock()

    async def about(self, request: Request) -> Response:
        """Answer `GET /v1/archive`: what there is."""
        return await self._answer(request, self._about)

    async def like(self, request: Request) -> Response:
        """Answer `POST /v1/archive/like`, what is like the body's sound, or, with `id`, like a stretch."""
        try:
            return await self._similar(request)
        except Refused as refused:
            if refused.status in LINGERS:
                await linger(request)
            raise

    async def _similar(self, request: Request) -> Response:
        query = Parameters(request.query_params, ("id", "top", "per_file", "new"))
        how = {"top": query.whole("top", 20, 1, MOST_FOUND), "per_file": query.flag("per_file")}
        new = query.flag("new")
        if self.embeddings is None:
            raise _no_scan("embeddings")
        if query.has("id"):
            stretch = self._given.stretch(query.text("id"))
            return await self._answer(request, partial(self._like, self._row_of(*stretch), how, new=new))
        if self._settings.isolate:
            raise Refused(400, "bad_parameter", "like: expected id= of a server with --isolate, got a file")
        async with self._uploads.received(request) as (file, _):
            heard = partial(vector_of, file, about_scan(self.embeddings))
            return await self._answer(request, partial(self._like, heard, how, new=new))

    async def label(self, request: Request) -> Response:
        """Answer `GET /v1/archive/label`: the stretches that a label fits best."""
        query = Parameters(request.query_params, ("label", "top", "per_file"))
        how: Any = {"top": query.whole("top", 20, 1, MOST_FOUND), "per_file": query.flag("per_file")}
        if (folder := self.scores) is None:
            raise _no_scan("scores")
<<<<<<< HEAD
        found = partial(best_of_label, self.scores, query.text("label"), **how)
        return await self._answer(request, lambda: self._told(found()))
=======
        label = query.text("label")
        return await self._answer(request, lambda: self._told(best_of_label(folder, label, **how)))
>>>>>>> 44c9558e8ab1d0b13c7223c9709fc4964321e8d7

    async def next(self, request: Request) -> Response:
        """Answer `GET /v1/archive/next`: what the model is least sure of, without a label."""
        query = Parameters(request.query_params, ("top", "per_file"))
        how: Any = {"top": query.whole("top", 20, 1, MOST_FOUND), "per_file": query.flag("per_file")}
        if (folder := self.scores) is None:
            raise _no_scan("scores")
        folder = self.scores
        return await self._answer(
            request, lambda: self._told(by_uncertainty(folder, self._labelled(), **how))
        )

    async def sound(self, request: Request) -> Response:
        """Answer `GET /v1/archive/sound`: a stretch as WAV."""
        path, start_s, end_s = self._given.stretch(Parameters(request.query_params, ("id",)).text("id"))
        if "://" in path:
            raise Refused(404, "elsewhere", "id: expected a file of this machine, got one behind a URL")
        wav = partial(wav_of, self._settings.archive_root / path, start_s, end_s)
        return Response(await self._run(request, wav), media_type="audio/wav", headers=_FRESH)

    async def add(self, request: Request) -> Response:
        """Answer `POST /v1/archive/labels`: `{"id", "label", "by"}` gives a stretch a label."""
        labels, told = self._writable(), await _json(request, ("id", "label", "by"))
        stretch = self._given.stretch(told.get("id", ""))
        return await self._answer(
            request,
            lambda: self._plain_label(labels.add(*stretch, told.get("label", ""), by=told.get("by", ""))),
        )

    async def undo(self, request: Request) -> Response:
        """Answer `POST /v1/archive/undo`: `{"by"}` takes that person's last label back."""
        labels, told = self._writable(), await _json(request, ("by",))

        def undo() -> dict[str, Any]:
            label = labels.undo(by=told.get("by", ""))
            return {"undone": None} if label is None else {"undone": self._plain_label(label)}

        return await self._answer(request, undo)

    def _about(self) -> dict[str, Any]:
        found: dict[str, Any] = {
            "embeddings": None,
            "scores": None if self.scores is None else {"labels": self._names},
            "labels": None,
        }
        if self.embeddings is not None:
            store = self._store()
            found["embeddings"] = {"files": len(store.paths), "stretches": len(store)}
        if self.labels is not None:
            read = self.labels.read()
            found["labels"] = {"names": list(dict.fromkeys(one.label for one in read)), "n": len(read)}
        return found

    def _store(self) -> Store:
        assert self.embeddings is not None
        with self._opening:
            return opened(self.embeddings)

    def _row_of(self, path: str, start_s: float, end_s: float) -> Callable[[], Any]:
        def row() -> Any:
            store = self._store()
            return np.asarray(store.vectors[store.row_of(path, (start_s + end_s) / 2)], np.float32)

        return row

    def _like(self, vector: Callable[[], Any], how: Any, *, new: bool) -> dict[str, Any]:
        """Return what is like a vector; with `new`, what has no label yet."""
        store, wanted = self._store(), vector()
        if new:
            return self._told(by_example(store, wanted, self._labelled(), **how))
        return self._told(nearest(store, wanted, **how))

    def _labelled(self) -> Sequence[Any]:
        return () if self.labels is None else self.labels.current()

    def _told(self, found: Iterable[Hit | Candidate]) -> dict[str, Any]:
        return {"found": [self._plain(one) for one in found]}

    def _plain(self, one: Hit | Candidate) -> dict[str, Any]:
        plain = {
            "id": self._given.name(one.path, one.start_s, one.end_s),
            "path": one.path,
            "start_s": round(one.start_s, 6),
            "end_s": round(one.end_s, 6),
            "score": round(float(one.score), 6),
        }
        if isinstance(one, Candidate) and one.guess is not None:
            plain |= {"guess": one.guess, "guess_score": round(float(one.guess_score or 0.0), 6)}
        return plain

    def _plain_label(self, label: Any) -> dict[str, Any]:
        name = self._given.name(*label.stretch)
        times = {"start_s": label.start_s, "end_s": label.end_s}
        return {"id": name, "path": label.path, **times, "label": label.label, "by": label.by}

    def _writable(self) -> LabelFile:
        if self.labels is None:
            raise Refused(
                404, "no_labels", "labels: expected a server that takes labels, got another; see --labels"
            )
        return self.labels

    async def _answer(self, request: Request, make: Callable[[], Any]) -> Response:
        return JSONResponse(await self._run(request, make), headers=_FRESH)

    async def _run(self, request: Request, make: Callable[[], Any]) -> Any:
        """Run work in a worker's thread, within a request's time."""
        cancel = Cancel()

        def work() -> Any:
            with limits("serve", self._settings.answer_s, cancel):
                try:
                    return make()
                except (SearchError, LabelError) as error:
                    raise Refused(400, "bad_request", str(error)) from error

        return await self._uploads.run(request, work, cancel)


def _no_scan(kind: str) -> Refused:
    return Refused(404, "no_scan", f"archive: expected a scan of {kind}, got none; see --archive")


async def _json(request: Request, known: Sequence[str]) -> dict[str, str]:
    """Return a small JSON object of texts.

    Raises:
        Refused: it is another.
    """
    expected = f"body: expected JSON with {', '.join(known)} as texts"
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _MOST_BODY:
            raise Refused(413, "too_large", f"{expected}, got more than {_MOST_BODY} bytes")
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        told = None
    fits = isinstance(told, dict) and all(
        name in known and isinstance(text, str) and len(text) <= _MOST_NAME and text.isprintable()
        for name, text in told.items()
    )
    if not fits:
        raise Refused(400, "bad_body", f"{expected}, got another")
    found: dict[str, str] = told
    return found
