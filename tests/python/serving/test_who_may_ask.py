"""Names, origins and tokens: strangers' pages, strangers' names and callers without the token get nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from serving_helpers import heard, levels, serving, sound, wav
from websockets.exceptions import InvalidStatus

if TYPE_CHECKING:
    from collections.abc import Iterator

    from serving_helpers import Server

BODY = wav(sound(1))
TOKEN = "a-token-of-some-length"  # noqa: S105
BEARER = f"Bearer {TOKEN}"


@pytest.fixture(scope="module")
def here() -> Iterator[Server]:
    with serving(levels()) as server:
        yield server


@pytest.fixture(scope="module")
def guarded() -> Iterator[Server]:
    with serving(levels(), token=TOKEN) as server:
        yield server


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:1", "127.0.0.1:8000", "[::1]:8000", "127.9.9.9", "localhost."]
)
def test_this_machine_s_names_are_served(here: Server, host: str) -> None:
    assert here.ask("/v1/models", Host=host).status == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "localhost.evil.example",
        "192.168.1.5",
        "8.8.8.8",
        "",
        "a b",
        "localhost:8000:1",
        "[::1",
        "@localhost",
    ],
)
@pytest.mark.parametrize("path", ["/", "/v1/models", "/healthz"])
def test_other_names_are_refused(here: Server, host: str, path: str) -> None:
    assert here.ask(path, Host=host).error == (403, "wrong_host")


def test_two_names_are_refused(here: Server) -> None:
    with here.raw() as raw:
        raw.sendall(b"GET /v1/models HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n")
        assert raw.recv(100).startswith((b"HTTP/1.1 400", b"HTTP/1.1 403"))


def test_a_stream_under_another_name_is_refused(here: Server) -> None:
    with here.raw() as raw:
        raw.sendall(
            b"GET /v1/live?rate=8000 HTTP/1.1\r\nHost: evil.example\r\n"
            b"Upgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        )
        got = raw.recv(4096)
    assert got.startswith(b"HTTP/1.1 403")
    assert b"wrong_host" in got


def test_an_allowed_name_is_served() -> None:
    with serving(levels(), allowed_hosts=("Sound.example", "192.168.1.5")) as server:
        assert server.ask("/v1/models", Host="sound.example:443").status == 200
        assert server.ask("/v1/models", Host="192.168.1.5").status == 200
        assert server.ask("/v1/models", Host="192.168.1.6").status == 403


ORIGINS = [
    "https://evil.example",
    "null",
    "http://localhost:1",
    "https://localhost",
    "http://[",
    "file://",
    "http://127.0.0.1",
]


@pytest.mark.parametrize("origin", ORIGINS)
def test_pages_of_others_can_t_use_it(here: Server, origin: str) -> None:
    assert here.tag(BODY, Origin=origin).error == (403, "wrong_origin")
    with pytest.raises(InvalidStatus) as raised:
        here.live("rate=8000", Origin=origin)
    assert raised.value.response.status_code == 403
    got = here.ask("/v1/models", Origin=origin)  # it may ask, but can't read the answer
    assert "access-control-allow-origin" not in got.headers


def test_its_own_page_can_use_it(here: Server) -> None:
    origin = f"http://127.0.0.1:{here.port}"
    assert here.tag(BODY, Origin=origin).status == 200
    with here.live("rate=8000", Origin=origin) as live:
        assert json.loads(live.recv())["type"] == "ready"


def test_a_page_that_is_allowed_can_use_it() -> None:
    origin = "https://page.example"
    with serving(levels(), allowed_origins=(origin,), token=TOKEN) as server:
        asked = server.ask("/v1/tag", method="OPTIONS", Origin=origin, Access_Control_Request_Method="POST")
        assert asked.status == 204
        assert "authorization" in asked.headers["access-control-allow-headers"]
        got = server.tag(BODY, Origin=origin, Authorization=BEARER)
        assert (got.status, got.headers["access-control-allow-origin"]) == (200, origin)
        assert server.tag(BODY, Origin=origin).error == (401, "no_token")
        with server.live("rate=8000", Origin=origin, Authorization=BEARER) as live:
            assert json.loads(live.recv())["type"] == "ready"
        assert server.tag(BODY, Origin="https://evil.example").status == 403


WRONG = [
    "",
    "Bearer",
    "Bearer ",
    f"Basic {TOKEN}",
    "Bearer wrong",
    f"Bearer {TOKEN}x",
    TOKEN,
    f"Bearer {TOKEN[:-1]}",
    "Bearer \xe9",
]


@pytest.mark.parametrize("given", WRONG)
@pytest.mark.parametrize(
    "path", ["/v1/models", "/metrics", "/v1/nothing", "/V1/models", "//v1/models", "/static/../v1/models"]
)
def test_without_the_token_nothing_is_told(guarded: Server, given: str, path: str) -> None:
    got = guarded.ask(path, Authorization=given)
    assert got.status in (401, 404)
    assert got.status == 401 or path.startswith("/static/")
    assert b"levels" not in got.body


@pytest.mark.parametrize("given", WRONG)
def test_without_the_token_nothing_is_run(guarded: Server, given: str) -> None:
    got = guarded.tag(BODY, Authorization=given)
    assert got.error == (401, "no_token")
    assert got.headers["www-authenticate"] == "Bearer"
    if given:
        with pytest.raises(InvalidStatus) as raised:
            guarded.live("rate=8000", Authorization=given)
        assert raised.value.response.status_code == 401


def test_a_token_in_the_query_isn_t_looked_at(guarded: Server) -> None:
    assert guarded.ask(f"/v1/models?token={TOKEN}").status == 401


def test_with_the_token_all_is_served(guarded: Server) -> None:
    assert guarded.ask("/v1/models", Authorization=BEARER).status == 200
    assert guarded.tag(BODY, Authorization=BEARER).status == 200
    assert guarded.tag(BODY, Authorization=BEARER.replace("Bearer", "bearer")).status == 200
    with guarded.live("rate=8000", Authorization=BEARER) as live:
        assert json.loads(live.recv())["type"] == "ready"


@pytest.mark.parametrize("path", ["/", "/healthz", "/openapi.json", "/docs", "/static/index.html"])
def test_what_holds_no_secret_needs_no_token(guarded: Server, path: str) -> None:
    assert guarded.ask(path).status == 200


def test_a_page_shows_the_token_in_its_first_message(guarded: Server) -> None:
    with guarded.live("rate=8000") as live:
        live.send(json.dumps({"token": TOKEN}))
        assert json.loads(live.recv())["type"] == "ready"
        live.send("end")
        assert heard(live)[-1]["type"] == "end"


@pytest.mark.parametrize(
    "first",
    ["end", b"\0\0\0\0", "{}", '{"token": null}', '{"token": ["a"]}', '{"token": "wrong"}', "[" * 4000, "1"],
)
def test_a_wrong_first_message_ends_the_stream(guarded: Server, first: str | bytes) -> None:
    with guarded.live("rate=8000") as live:
        live.send(first)
        (error,) = heard(live)
        assert error["error"]["type"] == "no_token"
        assert live.close_code == 1008
    assert guarded.application.live.n_streams == 0


def test_a_first_message_that_doesn_t_come_ends_the_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    from fastaudio.serving import live as module

    monkeypatch.setattr(module, "_TOKEN_S", 0.1)
    with serving(levels(), token=TOKEN) as server, server.live("rate=8000") as live:
        (error,) = heard(live)
    assert error["error"]["type"] == "no_token"


PATHS = [
    *(
        "/static/../settings.py",
        "/static/%2e%2e/settings.py",
        "/static/..%2fsettings.py",
        "/static//etc/passwd",
    ),
    *("/static/%2fetc%2fpasswd", "/static/....//settings.py", "/static/index.html%00", "/static/", "/static"),
    *("/static/..\\settings.py", "/etc/passwd", "/v1", "/v1/tag/", "/%2e%2e/", "/static/page/index.html"),
]


@pytest.mark.parametrize("path", PATHS)
def test_no_path_leads_out_of_the_page(here: Server, path: str) -> None:
    got = here.ask(path)
    assert got.error == (404, "not_found")
    assert "location" not in got.headers


@pytest.mark.parametrize(
    ("path", "method"), [("/v1/tag", "GET"), ("/v1/models", "POST"), ("/", "DELETE"), ("/", "PUT")]
)
def test_other_methods_are_refused(here: Server, path: str, method: str) -> None:
    assert here.ask(path, method=method).error == (405, "wrong_method")


@pytest.mark.parametrize("path", ["/", "/v1/models", "/nothing", "/docs", "/static/index.html"])
def test_each_answer_says_what_a_browser_may_do(here: Server, path: str) -> None:
    headers = here.ask(path).headers
    assert headers["content-security-policy"].startswith("default-src 'self';")
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "access-control-allow-origin" not in headers
    assert "server" not in headers


def test_the_page_comes_anew_only_if_it_changed(here: Server) -> None:
    first = here.ask("/")
    assert first.headers["content-type"] == "text/html; charset=utf-8"
    assert here.ask("/", If_None_Match=first.headers["etag"]).status == 304
