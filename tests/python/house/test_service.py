"""The example of a web service answers as it says: tags for sound, and what is wrong for the rest."""

from __future__ import annotations

import asyncio
import importlib.util
import io
import json
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soundfile
from helpers import GUITAR, ROOT

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

pytest.importorskip("starlette", reason="starlette isn't installed")
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="processes of their own need Linux or macOS")


@pytest.fixture(scope="module")
def service() -> ModuleType:
    spec = importlib.util.spec_from_file_location("service", ROOT / "examples" / "service.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


async def post(service: ModuleType, body: bytes, query: str = "", method: str = "POST") -> tuple[int, Any]:
    """Return the status and the JSON of one request; its body arrives in two parts."""
    parts = [body[: len(body) // 2], body[len(body) // 2 :]]
    answer: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": parts.pop(0), "more_body": bool(parts)}

    async def send(message: dict[str, Any]) -> None:
        answer.append(message)

    scope: dict[str, Any] = {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "path": "/tags",
        "headers": [],
    }
    scope["query_string"] = query.encode()
    await service.app(scope, receive, send)
    content = b"".join(part.get("body", b"") for part in answer)
    return answer[0]["status"], json.loads(content) if content.startswith(b"{") else content


def test_sound_gets_its_tags(service: ModuleType) -> None:
    status, found = asyncio.run(post(service, GUITAR.read_bytes(), "top=3&name=guitar.flac"))
    want = service.PIPELINE(GUITAR).to_dict(top=3) | {"path": "guitar.flac"}
    assert (status, found) == (200, want)


def test_requests_at_once_share_the_pipeline(service: ModuleType) -> None:
    body = GUITAR.read_bytes()

    async def many() -> list[tuple[int, Any]]:
        return await asyncio.gather(*[post(service, body) for _ in range(6)])

    answers = asyncio.run(many())
    assert all(answer == (200, answers[0][1]) for answer in answers)


def sound(seconds: float) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, np.zeros(int(8_000 * seconds), np.float32), 8_000, format="WAV", subtype="PCM_U8")
    return file.getvalue()


TOP = "expected top as a whole number from 1 to 1000, got "


@pytest.mark.parametrize(
    ("body", "query", "answer"),
    [
        (b"no sound", "", (415, "expected ")),
        (b"", "", (400, "expected a sound file as the request's body, got none")),
        (bytes(20_001), "", (413, "expected at most 20000 bytes, got more")),
        (sound(1), "", (413, "expected at most 0.5 s of sound, got more")),
        (sound(1), "top=many", (400, TOP + "'many'")),
        (sound(1), "top=" + 5_000 * "9", (400, TOP + repr(20 * "9"))),
        (sound(1), "top=1001", (400, TOP + "'1001'")),
        (sound(1), "top=0", (400, TOP + "'0'")),
        (sound(1), "top=-1", (400, TOP + "'-1'")),
        (sound(1), "top=", (400, TOP + "''")),
        (sound(1), "top=%D9%A3", (400, TOP)),  # a digit of another script
        (sound(1), "name=" + 256 * "n", (400, "expected a name of at most 255 characters, got 256")),
    ],
)
def test_what_is_wrong_is_the_caller_s_error(
    service: ModuleType, monkeypatch: pytest.MonkeyPatch, body: bytes, query: str, answer: tuple[int, str]
) -> None:
    monkeypatch.setattr(service, "MOST_BYTES", 20_000)
    monkeypatch.setattr(service, "MOST_S", 0.5)
    status, got = asyncio.run(post(service, body, query))
    assert (status, got["error"][: len(answer[1])]) == answer


def test_only_post_is_taken(service: ModuleType) -> None:
    assert asyncio.run(post(service, b"", method="GET"))[0] == 405


def test_a_process_that_ends_is_that_upload_s_error(
    service: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service.fa, "isolated", lambda _, limits: Ended(limits))
    status, answer = asyncio.run(post(service, sound(1)))
    assert (status, answer["error"]) == (
        422,
        "expected a sound file that can be read within the service's limits, got another",
    )
    monkeypatch.undo()
    assert asyncio.run(post(service, GUITAR.read_bytes()))[0] == 200


class Ended:
    """An isolated pipeline whose process crashes at each file."""

    def __init__(self, limits: Any) -> None:
        del limits

    def __enter__(self) -> Ended:
        return self

    def __exit__(self, *_: object) -> None:
        return

    def __call__(self, *_: Any, **__: Any) -> None:
        import fastaudio

        raise fastaudio.IsolationError("expected an answer, got the end of the process")


def test_no_room_is_told(service: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "RESULTS", "/nowhere")
    assert asyncio.run(post(service, GUITAR.read_bytes()))[0] == 507

    def refused(*_: Any, **__: Any) -> None:
        raise service.fa.IsolationError("expected a process, got none")

    monkeypatch.setattr(service.fa, "isolated", refused)
    assert asyncio.run(post(service, GUITAR.read_bytes()))[0] == 507


def test_time_has_a_limit(service: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "TIMEOUT_S", 0.2)
    begun = time.monotonic()
    status, answer = asyncio.run(post(service, sound(1800)))
    assert (status, answer["error"]) == (
        503,
        "expected sound that is tagged in time, got more than the service manages",
    )
    assert time.monotonic() - begun < 20


def test_an_upload_that_trickles_is_given_up(service: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "UPLOAD_S", 0.05)

    async def trickle(request: Any, file: Any) -> int:
        del request, file
        await asyncio.sleep(60)
        return 0

    monkeypatch.setattr(service, "receive", trickle)
    status, answer = asyncio.run(post(service, b"RIFF"))
    assert (status, answer["error"]) == (408, "expected the whole body within 0.05 s, got a part")


def test_more_uploads_than_places_are_refused(service: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    async def many() -> list[int]:
        monkeypatch.setattr(service, "PLACES", asyncio.Semaphore(1))
        answers = await asyncio.gather(*[post(service, GUITAR.read_bytes()) for _ in range(3)])
        return sorted(status for status, _ in answers)

    assert asyncio.run(many()) == [200, 503, 503]


def test_sigterm_ends_what_runs_and_then_does_what_it_did(
    service: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "STOP", service.fa.Cancel())
    heard: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _: heard.append(number))
    service.cancel_on(signal.SIGTERM)
    began = asyncio.Event()
    loop: Any = None
    isolated = service.fa.isolated

    def begin(*args: Any, **keywords: Any) -> Any:
        loop.call_soon_threadsafe(began.set)
        return isolated(*args, **keywords)

    monkeypatch.setattr(service.fa, "isolated", begin)

    async def stopped() -> tuple[int, Any]:
        nonlocal loop
        loop = asyncio.get_running_loop()
        request = asyncio.create_task(post(service, sound(3000)))
        await began.wait()
        signal.raise_signal(signal.SIGTERM)
        return await request

    try:
        begun = time.monotonic()
        status, answer = asyncio.run(stopped())
    finally:
        signal.signal(signal.SIGTERM, before)
    assert (status, answer["error"]) == (
        503,
        "expected a service that goes on, got one that is stopping; try again later",
    )
    assert heard == [signal.SIGTERM]
    assert time.monotonic() - begun < 20
    assert asyncio.run(post(service, GUITAR.read_bytes()))[0] == 503, "no new work is begun"


def test_answers_are_kept_whole(service: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(service, "RESULTS", str(tmp_path))
    _, found = asyncio.run(post(service, GUITAR.read_bytes()))
    (kept,) = tmp_path.iterdir()
    assert json.loads(kept.read_text(encoding="utf-8")) == found
    with pytest.raises(TypeError):
        service.save(tmp_path, {"scores": object()})
    assert list(tmp_path.iterdir()) == [kept], "what can't be written leaves nothing"


def test_the_service_begins_and_ends(
    service: ModuleType, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(service, "STOP", service.fa.Cancel())
    monkeypatch.setattr(service, "WORKERS", ThreadPoolExecutor(1))

    async def live() -> None:
        with caplog.at_level("INFO"):
            async with service.life(service.app):
                assert "uploads run in processes that are held by " in caplog.text

    before = signal.getsignal(signal.SIGTERM)
    try:
        asyncio.run(live())
    finally:
        signal.signal(signal.SIGTERM, before)
    assert service.STOP.cancelled
    assert asyncio.run(post(service, b"RIFF"))[0] == 503
