"""What scans have written, for clients: searched by sound or by label, heard, and labelled."""

from __future__ import annotations

import asyncio
import json
import threading
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from starlette.responses import JSONResponse, Response

from fastaudio._core import Cancel, FastaudioError
from fastaudio._system.text import found_as, is_line
from fastaudio._system.writing import OutputError
from fastaudio.decoding.audio_file import DecodeError
from fastaudio.reviewing.candidates import Candidate, by_example, by_label, by_uncertainty
from fastaudio.reviewing.labels import Label, LabelError, LabelFile
from fastaudio.running.limits import limits
from fastaudio.scanning.shards import ScanError
from fastaudio.searching.query import TooLongError, chosen_of, mean_of
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

    from starlette.requests import Request

    from fastaudio.pipeline import Pipeline
    from fastaudio.searching.search import Hit
    from fastaudio.searching.store import Store
    from fastaudio.serving.settings import Settings
    from fastaudio.serving.uploads import Uploads

_MOST_NAME = 200
_MOST_BODY = 4096
_FORMULA = ("=", "+", "-", "@")
_MOST_AFTER = 1_000_000
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
            SearchError: there are two scans of a kind, or the model of the embeddings isn't there.
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
        self._embedder: Pipeline | None = None
        if self.embeddings is not None:
            opened(self.embeddings)  # gathered before anybody waits for it
            if not settings.isolate:  # which takes no sounds to look for
                self._embedder = _embedder(self.embeddings, settings.archive_model)
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
        if self._embedder is None:
            raise Refused(400, "bad_parameter", "like: expected id= of a server with --isolate, got a file")
        async with self._uploads.received(request) as (file, _):
            heard = partial(mean_of, self._embedder, file, self._settings.max_s)
            found = await self._run(request, partial(self._like, heard, how, new=new))
            return JSONResponse(found, headers=_FRESH)

    async def label(self, request: Request) -> Response:
        """Answer `GET /v1/archive/label`: the stretches that a label fits best."""
        query = Parameters(request.query_params, ("label", "top", "per_file", "new"))
        how: Any = {"top": query.whole("top", 20, 1, MOST_FOUND), "per_file": query.flag("per_file")}
        new = query.flag("new")
        if (folder := self.scores) is None:
            raise _no_scan("scores")
        label = query.text("label")

        def find() -> dict[str, Any]:
            if new:
                return self._told(by_label(folder, label, self._labelled(), **how))
            return self._told(best_of_label(folder, label, **how))

        return await self._answer(request, find)

    async def next(self, request: Request) -> Response:
        """Answer `GET /v1/archive/next`: what the model is least sure of, without a label."""
        query = Parameters(request.query_params, ("top", "per_file", "after"))
        top, after = query.whole("top", 20, 1, MOST_FOUND), query.whole("after", 0, 0, _MOST_AFTER)
        per_file = query.flag("per_file")
        if (folder := self.scores) is None:
            raise _no_scan("scores")

        def find() -> dict[str, Any]:
            found = by_uncertainty(folder, self._labelled(), top + after, per_file=per_file)
            return self._told(found[after:])

        return await self._answer(request, find)

    async def sound(self, request: Request) -> Response:
        """Answer `GET /v1/archive/sound`: a stretch as WAV."""
        path, start_s, end_s = self._given.stretch(Parameters(request.query_params, ("id",)).text("id"))
        if "://" in path:
            raise Refused(404, "elsewhere", "id: expected a file of this machine, got one behind a URL")
        file = Path(found_as(self._settings.archive_root / path))

        def wav() -> bytes:
            if not file.is_file():
                raise Refused(
                    404,
                    "no_file",
                    f"archive: expected {path:.200} where the scan ran, got no such file; start the server "
                    "there, or name that folder with --archive-root",
                )
            try:
                return wav_of(file, start_s, end_s)
            except DecodeError as error:
                raise Refused(415, "no_sound", f"archive: {path:.200}: {error.reason}") from error

        with self._uploads.place():
            return Response(await self._run(request, wav), media_type="audio/wav", headers=_FRESH)

    async def add(self, request: Request) -> Response:
        """Answer `POST /v1/archive/labels`: `{"id", "label", "by"}` gives a stretch a label."""
        labels, told = self._writable(), await self._json(request, ("id", "label", "by"))
        stretch = self._given.stretch(told.get("id", ""))
        if any(told.get(name, "").lstrip().startswith(_FORMULA) for name in ("label", "by")):
            raise Refused(
                400,
                "bad_body",
                f"labels: expected names that no table takes for a formula, got one that begins with one of "
                f"{' '.join(_FORMULA)}; begin with a letter",
            )
        return await self._answer(
            request,
            lambda: self._plain_label(labels.add(*stretch, told.get("label", ""), by=told.get("by", ""))),
        )

    async def undo(self, request: Request) -> Response:
        """Answer `POST /v1/archive/undo`: `{"id", "label", "when", "by"}`, as it was told, is taken back."""
        labels, told = self._writable(), await self._json(request, ("id", "label", "when", "by"))
        stretch = self._given.stretch(told.get("id", ""))
        label = Label(*stretch, told.get("label", ""), told.get("when", ""), told.get("by", ""))

        def undo() -> dict[str, Any]:
            return {"undone": self._plain_label(label) if labels.undo(label) else None}

        return await self._answer(request, undo)

    def _about(self) -> dict[str, Any]:
        found: dict[str, Any] = {
            "embeddings": None,
            "scores": None if self.scores is None else {"labels": self._names},
            "labels": None,
        }
        if self.embeddings is not None:
            store = self._store()
            found["embeddings"] = {
                "files": len(store.paths),
                "stretches": len(store),
                "takes_sound": self._embedder is not None,
            }
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
        start_s, end_s = round(one.start_s, 6), round(one.end_s, 6)  # as labels have them
        plain = {
            "id": self._given.name(one.path, start_s, end_s),
            "path": one.path,
            "start_s": start_s,
            "end_s": end_s,
            "score": round(float(one.score), 6),
        }
        if isinstance(one, Candidate) and one.guess is not None:
            plain |= {"guess": one.guess, "guess_score": round(float(one.guess_score or 0.0), 6)}
        return plain

    def _plain_label(self, label: Any) -> dict[str, Any]:
        name = self._given.name(*label.stretch)
        times = {"start_s": label.start_s, "end_s": label.end_s}
        who = {"label": label.label, "when": label.when, "by": label.by}
        return {"id": name, "path": label.path, **times, **who}

    async def _json(self, request: Request, known: Sequence[str]) -> dict[str, str]:
        """Return a small JSON object of texts, which a body has to bring in time.

        Raises:
            Refused: it is another.
        """
        expected = f"body: expected JSON with {', '.join(known)} as texts"
        pause_s = self._settings.pause_s
        try:
            async with asyncio.timeout(pause_s):
                body = await _body(request, expected)
        except TimeoutError:
            raise Refused(408, "too_slow", f"{expected} within {pause_s:g} s, got a part") from None
        return _texts(body, known, expected)

    def _writable(self) -> LabelFile:
        if self.labels is None:
            raise Refused(
                404, "no_labels", "labels: expected a server that takes labels, got another; see --labels"
            )
        return self.labels

    async def _answer(self, request: Request, make: Callable[[], Any]) -> Response:
        with self._uploads.place():
            return JSONResponse(await self._run(request, make), headers=_FRESH)

    async def _run(self, request: Request, make: Callable[[], Any]) -> Any:
        """Run work in a worker's thread, within a request's time."""
        cancel = Cancel()

        def work() -> Any:
            with limits("serve", self._settings.answer_s, cancel):
                try:
                    return make()
                except TooLongError as error:
                    raise Refused(413, "too_long", str(error)) from error
                except (SearchError, LabelError) as error:
                    raise Refused(400, "bad_request", str(error)) from error
                except ScanError as error:
                    gone = isinstance(error.__cause__, FileNotFoundError)  # a scan runs meanwhile
                    raise Refused(503 if gone else 500, "bad_scan", str(error)) from error
                except OutputError as error:
                    raise Refused(507, "not_written", str(error)) from error
                except FastaudioError:
                    raise
                except OSError as error:
                    raise Refused(
                        500, "bad_archive", f"archive: expected files that can be read, got: {error.strerror}"
                    ) from error

        return await self._uploads.run(request, work, cancel)


def _no_scan(kind: str) -> Refused:
    return Refused(404, "no_scan", f"archive: expected a scan of {kind}, got none; see --archive")


def _embedder(folder: Path, model: str | None) -> Pipeline:
    about = about_scan(folder)
    try:
        return chosen_of(about, model).mean()
    except (FastaudioError, OSError, ValueError) as error:
        raise SearchError(
            f"{folder}: expected the model that it was made by, {about['model']!s:.200}, got: "
            f"{error!s:.300}; name where it is now with --archive-model"
        ) from error


async def _body(request: Request, expected: str) -> bytes:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _MOST_BODY:
            raise Refused(413, "too_large", f"{expected}, got more than {_MOST_BODY} bytes")
    return body


def _texts(body: bytes, known: Sequence[str], expected: str) -> dict[str, str]:
    """Return a JSON object of texts.

    Raises:
        Refused: it is another.
    """
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        told = None
    fits = isinstance(told, dict) and all(
        name in known and isinstance(text, str) and len(text) <= _MOST_NAME and is_line(text)
        for name, text in told.items()
    )
    if not fits:
        raise Refused(400, "bad_body", f"{expected}, got another")
    found: dict[str, str] = told
    return found
