"""What callers are told when something isn't done: a status, a word for programs, a sentence for people."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse

from fastaudio._core import Cancelled, ModelError, TimedOut
from fastaudio._system.text import printable
from fastaudio.decoding.audio_file import DecodeError
from fastaudio.isolation.wire import IsolationError
from fastaudio.running.limits import ResultTooLarge

log = logging.getLogger("fastaudio")

RETRY_S = 2
"""After how many seconds a caller is told to come back."""
_COME_BACK = (429, 503)
_LONGEST = 500


class Refused(Exception):  # noqa: N818  # it is the answer
    """A request that isn't served.

    Attributes:
        status: the answer's status.
        kind: a word for programs.
        message: what was expected, what was got, and what to do.
    """

    def __init__(self, status: int, kind: str, message: str) -> None:
        """Take the answer."""
        super().__init__(message)
        self.status, self.kind, self.message = status, kind, message


def refusal_of(error: BaseException) -> Refused:  # noqa: C901, PLR0911  # a table
    """Return what a caller is told of an error; what is our fault is logged, and isn't told."""
    if isinstance(error, Refused):
        return error
    if isinstance(error, HTTPException):
        return _of_route(error.status_code)
    if isinstance(error, DecodeError):
        return Refused(415, "no_sound", f"body: {error.reason}")
    if isinstance(error, ResultTooLarge):
        return Refused(422, "too_many_results", "body: expected sound with fewer results; make hop_s longer")
    if isinstance(error, IsolationError):
        return Refused(
            422, "ended", "body: expected sound that is read within the server's limits, got another"
        )
    if isinstance(error, TimedOut):
        return Refused(
            504, "timed_out", "body: expected sound that is run in time, got more; send less of it"
        )
    if isinstance(error, Cancelled):
        return stopping()
    if isinstance(error, ClientDisconnect | asyncio.CancelledError):
        return Refused(400, "broken_off", "body: expected all of it, got a part")
    if isinstance(error, OSError):
        log.warning("serve: expected room for an upload, got: %s", error)
        return Refused(507, "no_room", "server: expected room for the upload, got none; try again later")
    if isinstance(error, ModelError):
        log.warning("serve: %s", error)
        return Refused(422, "model_failed", "model: expected results of this sound, got an error")
    log.error("serve: expected an answer, got a fault", exc_info=error)
    return Refused(500, "fault", "server: expected an answer, got a fault of the server")


def stopping() -> Refused:
    """Return what is told when the server ends."""
    return Refused(503, "stopping", "server: expected one that goes on, got one that is stopping; try again")


def _of_route(status: int) -> Refused:
    if status == 404:  # noqa: PLR2004
        return Refused(404, "not_found", "path: expected one that /openapi.json lists, got another")
    if status == 405:  # noqa: PLR2004
        return Refused(405, "wrong_method", "method: expected one that /openapi.json lists, got another")
    return Refused(status, "refused", "request: expected another")


def told(refused: Refused) -> dict[str, str]:
    """Return an error as plain data for JSON, with nothing that controls a terminal, as it quotes callers."""
    return {"type": refused.kind, "message": printable(refused.message)[:_LONGEST]}


def answer_of(refused: Refused) -> JSONResponse:
    """Return the answer that tells an error."""
    headers: dict[str, Any] = {}
    if refused.status in _COME_BACK:
        headers["Retry-After"] = str(RETRY_S)
    if refused.status == 401:  # noqa: PLR2004
        headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse({"error": told(refused)}, refused.status, headers)
