"""Live sound: `WS /v1/live` opens a session for each client, within bounds of number and time."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from starlette.websockets import WebSocketDisconnect, WebSocketState

from fastaudio.live.sources import ENCODINGS
from fastaudio.serving import spectra
from fastaudio.serving.guarding import token_fits
from fastaudio.serving.parameters import Parameters
from fastaudio.serving.refusing import Refused, refusal_of, stopping, told
from fastaudio.serving.served import Asked
from fastaudio.serving.session import MOST_RESULTS, Session, Sound, refused_text
from fastaudio.serving.uploads import CHANNELS, HOP_S, MOST_TOP, RATE

if TYPE_CHECKING:
    from starlette.websockets import WebSocket

    from fastaudio.live import LiveStream
    from fastaudio.pipeline import Pipeline
    from fastaudio.serving.measures import Measures
    from fastaudio.serving.served import Models, Served
    from fastaudio.serving.settings import Settings

KNOWN = (
    *("model", "rate", "channels", "format", "events", "onset", "hop_s", "provisional_s", "top"),
    *("spectrogram", "kind", "overflow"),
)
_TOKEN_S = 5.0
_LOOK_S = 0.02
_ORDERLY, _LEAVING, _POLICY, _FAULT, _LATER = 1000, 1001, 1008, 1011, 1013
_CODES = {500: _FAULT, 503: _LEAVING, 429: _LATER}
_MOST_TEXT, _REASON = 4096, 120  # bytes; a frame that closes takes 123
_MOST_EARLY = 4_000_000  # samples of an early result


class Live:
    """Opens live streams and counts them.

    Attributes:
        n_streams: those that are open.
    """

    def __init__(self, models: Models, settings: Settings, measures: Measures) -> None:
        """Take what is served, the bounds, and what counts."""
        self._models = models
        self._settings = settings
        self._measures = measures
        self._ending = asyncio.Event()
        self.n_streams = self._n_clients = 0
        measures.gauge("live_streams", "live streams that are open", lambda: self.n_streams)

    def end(self) -> None:
        """End the sound of all streams; their last results are sent."""
        self._ending.set()

    async def wait_ended(self, limit_s: float) -> None:
        """Wait until all streams have ended, or for that many seconds."""
        until_s = time.monotonic() + limit_s
        while self._n_clients and time.monotonic() < until_s:  # noqa: ASYNC110  # only when it stops
            await asyncio.sleep(_LOOK_S)

    async def serve(self, socket: WebSocket) -> None:
        """Serve a client; see docs/service.md."""
        self._n_clients += 1
        try:
            await socket.accept()
            await self._answer(socket)
        finally:
            self._n_clients -= 1

    async def _answer(self, socket: WebSocket) -> None:
        sending = asyncio.Lock()

        async def send(message: dict[str, Any]) -> None:
            async with sending:
                text = json.dumps(message, ensure_ascii=False, allow_nan=False)
                await socket.send_text(text)

        try:
            await self._serve(socket, send)
        except WebSocketDisconnect:  # it has gone, or was cut off
            return
        except Exception as error:  # noqa: BLE001  # each is told
            if socket.client_state is WebSocketState.DISCONNECTED or _is_closed(error):
                return  # as by a frame that is no text
            refused = refusal_of(error)
            self._measures.refused(refused.kind)
            with suppress(Exception):
                await send({"type": "error", "error": told(refused)})
                reason = refused.message.encode("utf-8")[:_REASON].decode("utf-8", "ignore")
                await socket.close(_CODES.get(refused.status, _POLICY), reason)
        else:
            with suppress(Exception):
                await socket.close(_ORDERLY)

    async def _serve(self, socket: WebSocket, send: Any) -> None:
        if not socket.scope.get("fastaudio.trusted", True):
            await self._check_token(socket)
        served, asked, sound, how = self._asked(socket)
        if self._ending.is_set():
            raise stopping()
        if self.n_streams >= self._settings.max_streams:
            most = self._settings.max_streams
            raise Refused(
                429, "busy", f"server: expected at most {most} live streams, got more; try again later"
            )
        self.n_streams += 1
        try:
            pipeline, judge = await asyncio.to_thread(served.for_request, asked)
            _require_short(how["provisional_s"], pipeline, sound)
            options: dict[str, Any] = {
                "overflow": "block" if sound.waits else "drop_oldest",
                "buffer_s": sound.buffer_s,
                "max_results": MOST_RESULTS,
                "push_timeout_s": None,
                "provisional_s": how["provisional_s"],
            }
            opened = asyncio.to_thread(pipeline.live, sound.rate, sound.channels, **options)
            async with await opened as stream:
                key = object()
                self._measures.streams[key] = lambda: (stream.stats(), sound.rate)
                try:
                    rate = pipeline.sample_rate
                    session = Session(stream, sound, send, top=how["top"], mel_rate=rate, judge=judge)
                    ready = self._ready(served, sound, pipeline)
                    await send(ready | ({"mel": spectra.about(rate)} if asked.mel else {}))
                    await self._follow(socket, session, stream)
                finally:
                    del self._measures.streams[key]
                    self._measures.stream_ended(stream.stats(), sound.rate)
        finally:
            self.n_streams -= 1

    def _asked(self, socket: WebSocket) -> tuple[Served, Asked, Sound, dict[str, Any]]:
        query = Parameters(socket.query_params, KNOWN)
        onset = query.number("onset", 0.0, 1.0)
        asked = Asked(
            events=query.flag("events", "0" if onset is None else "1"),
            onset=onset,
            hop_s=query.number("hop_s", *HOP_S),
            live=True,
            mel=query.flag("spectrogram"),
            kind=query.flag("kind", "1"),
        )
        sound = Sound(
            ENCODINGS[query.choice("format", ("f32le", "s16le"))],
            query.whole("rate", None, *RATE),
            query.whole("channels", 1, *CHANNELS),
            query.choice("overflow", ("block", "drop_oldest")) == "block",
        )
        how = {
            "top": query.whole("top", 5, 1, MOST_TOP),
            "provisional_s": query.number("provisional_s", 0.0, 3600.0),
        }
        return self._models.get(socket.query_params.get("model")), asked, sound, how

    def _ready(self, served: Served, sound: Sound, pipeline: Pipeline) -> dict[str, Any]:
        windows = next(spec for spec in pipeline.output_specs.values() if spec.kind == "scores")
        return {
            "type": "ready",
            "model": served.name,
            "rate": sound.rate,
            "channels": sound.channels,
            "latency_s": round(windows.latency_s, 6),
            "hop_s": round(1 / windows.rate_hz, 6),
            "window_s": round(windows.span_s, 6),
            "live_s": self._settings.live_s,
            "idle_s": self._settings.idle_s,
        }

    async def _follow(self, socket: WebSocket, session: Session, stream: LiveStream) -> None:
        """Move sound and results until the client ends the sound, or goes away."""
        receiving = asyncio.create_task(self._receive(socket, session))
        giving = asyncio.create_task(session.give())
        telling = asyncio.create_task(session.tell())
        ending = asyncio.create_task(self._ending.wait())
        tasks = receiving, giving, telling, ending
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            telling.cancel()
            for task in done - {ending}:
                task.result()  # raises what ended it
            receiving.cancel()
            stream.finish()
            await giving
            await socket.send_text(json.dumps(session.end(), allow_nan=False))
            if ending in done:
                raise stopping()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _receive(self, socket: WebSocket, session: Session) -> None:
        """Take sound until the client says "end"."""
        until_s = time.monotonic() + self._settings.live_s
        started = False
        while True:
            left_s = min(self._settings.idle_s, until_s - time.monotonic())
            message = await self._next(socket, left_s)
            if (data := message.get("bytes")) is not None:
                started = True
                await session.take(data)
            elif _text_of(message) == "end":
                return
            elif self._settings.token is None and not started and _is_token(message):
                pass  # of another time, which the page still has
            else:
                raise refused_text('"end", or samples as bytes', str(message.get("text")))

    def _idle(self, left_s: float) -> Refused:
        """Return what a stream is told that has had its time, or is sent nothing."""
        if left_s < self._settings.idle_s:
            expected = f"a stream of at most {self._settings.live_s:g} s"
        else:
            expected = f"sound within {self._settings.idle_s:g} s"
        return Refused(408, "idle", f"live: expected {expected}, got none; connect again")

    async def _next(self, socket: WebSocket, left_s: float) -> dict[str, Any]:
        if left_s <= 0:  # a fast sender's messages never have to be waited for
            raise self._idle(left_s)
        try:
            async with asyncio.timeout(max(left_s, 0.0)):
                message: dict[str, Any] = await socket.receive()
        except TimeoutError:
            raise self._idle(left_s) from None
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", _ORDERLY))
        return message

    async def _check_token(self, socket: WebSocket) -> None:
        """Take the token from the first message, {"token": "..."}, since a page can't set headers here."""
        refused = Refused(
            401, "no_token", 'live: expected {"token": "..."} as the first message, got another'
        )
        try:
            message = await self._next(socket, _TOKEN_S)
            given = json.loads(_text_of(message))["token"]
        except (ValueError, KeyError, TypeError, RecursionError, Refused):
            raise refused from None
        if not isinstance(given, str) or not token_fits(given, self._settings.token):
            raise refused


def _require_short(provisional_s: float | None, pipeline: Pipeline, sound: Sound) -> None:
    """Refuse an early result of more sound than a window, or than a stream may hold for it."""
    span_s = next(spec.span_s for spec in pipeline.output_specs.values() if spec.kind == "scores")
    most_s = min(span_s, _MOST_EARLY / (sound.rate * sound.channels))
    if provisional_s is not None and provisional_s > most_s:
        raise Refused(400, "bad_parameter", f"provisional_s: expected at most {most_s:.3g} s, got more")


def _is_closed(error: BaseException) -> bool:
    """Tell whether the server's own end of the connection was closed before it was written to."""
    return isinstance(error, RuntimeError) and "websocket.close" in str(error)


def _text_of(message: dict[str, Any]) -> str:
    text = message.get("text") or ""
    return text if len(text) <= _MOST_TEXT else ""


def _is_token(message: dict[str, Any]) -> bool:
    try:
        return list(json.loads(_text_of(message))) == ["token"]
    except (ValueError, TypeError, RecursionError):
        return False
