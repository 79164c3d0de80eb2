"""The example of a web service answers as it says: tags for sound, and what is wrong for the rest."""

from __future__ import annotations

import asyncio
import importlib.util
import io
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soundfile
from helpers import GUITAR, ROOT

if TYPE_CHECKING:
    from types import ModuleType

pytest.importorskip("starlette", reason="starlette isn't installed")


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


def test_what_is_wrong_is_the_caller_s_error(service: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    sound = io.BytesIO()
    soundfile.write(sound, np.zeros(16_000, np.float32), 16_000, format="WAV")
    monkeypatch.setattr(service, "MOST_BYTES", 40_000)
    monkeypatch.setattr(service, "MOST_S", 0.5)
    for body, query, status, reason in (
        (b"no sound", "", 415, "expected "),
        (b"", "", 400, "expected a sound file as the request's body, got none"),
        (bytes(40_001), "", 413, "expected at most 40000 bytes, got more"),
        (sound.getvalue(), "", 413, "expected at most 0.5 s of sound, got more"),
        (sound.getvalue(), "top=many", 400, "expected top as a whole number, got 'many'"),
    ):
        got, answer = asyncio.run(post(service, body, query))
        assert (got, answer["error"][: len(reason)]) == (status, reason)
    assert asyncio.run(post(service, b"", method="GET"))[0] == 405
