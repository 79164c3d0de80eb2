"""What the server says of itself holds: parameters, statuses, counts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from fastaudio.serving import live, uploads
from helpers import ROOT
from serving_helpers import RATE_HZ, heard, levels, serving, sound, wav

if TYPE_CHECKING:
    from serving_helpers import Server


def test_openapi_lists_each_path_and_parameter(server: Server) -> None:
    described = server.ask("/openapi.json").data
    assert described["openapi"].startswith("3.1")
    assert set(described["paths"]) >= {"/v1/tag", "/v1/live", "/v1/models", "/healthz", "/metrics"}
    for path, method, known in (("/v1/tag", "post", uploads.KNOWN), ("/v1/live", "get", live.KNOWN)):
        listed = described["paths"][path][method]["parameters"]
        assert [one["name"] for one in listed] == list(known)
        for one in listed:
            assert one["description"]
            assert "type" in one["schema"]
    model = described["paths"]["/v1/tag"]["post"]["parameters"][0]["schema"]
    assert model["enum"] == ["musicnn-mtt", "levels"]


def test_the_docs_are_a_page_that_loads_nothing(server: Server) -> None:
    page = server.ask("/docs").body.decode()
    assert "POST /v1/tag" in page
    assert "Retry-After" in page
    assert not re.search(r"(src|href)=\"?(https?:)?//", page)
    assert not re.search(r"<(script|style|link|img)", page)


def test_the_documentation_names_each_parameter() -> None:
    page = (ROOT / "docs" / "service.md").read_text(encoding="utf-8")
    for name in {*uploads.KNOWN, *live.KNOWN}:
        assert re.search(rf"[`?&]{name}\b", page), name


LINE = re.compile(
    r"(# (HELP|TYPE) [a-z_0-9]+ .+|[a-z_0-9]+(\{[a-z_]+=\"[^\"]*\"(,[a-z_]+=\"[^\"]*\")*\})? [0-9.e+-]+)"
)


def test_counts_are_in_prometheus_form_and_right() -> None:
    with serving(levels()) as server:
        server.tag(wav(sound(2)))
        server.tag(b"no sound")
        server.ask("/a/path/of/a/stranger")
        with server.live(f"rate={RATE_HZ}&format=s16le") as stream:
            stream.send(sound(1.5).tobytes())
            stream.send("end")
            heard(stream)
        answer = server.ask("/metrics")
        text = answer.body.decode()
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    for line in text.splitlines():
        assert LINE.fullmatch(line), line
    for line in (
        'fastaudio_requests_total{path="/v1/tag",status="200"} 1',
        'fastaudio_requests_total{path="/v1/tag",status="415"} 1',
        'fastaudio_requests_total{path="other",status="404"} 1',
        'fastaudio_request_seconds_count{path="/v1/tag"} 2',
        'fastaudio_refused_total{type="no_sound"} 1',
        'fastaudio_sound_seconds_total{model="levels"} 2.000000',
        "fastaudio_live_captured_seconds_total 1.5",
        "fastaudio_live_dropped_seconds_total 0",
        "fastaudio_live_streams 0",
        "fastaudio_uploads 0",
    ):
        assert line in text.splitlines(), line
    assert "stranger" not in text


def test_counts_of_a_stream_are_there_while_it_runs() -> None:
    with serving(levels()) as server, server.live("rate=8000&format=s16le") as stream:
        stream.recv()
        stream.send(sound(1, 8000).tobytes())
        stream.send("nothing")
        heard(stream)
        assert "fastaudio_live_captured_seconds_total 1\n" in server.ask("/metrics").body.decode()


@pytest.mark.parametrize("path", ["/healthz", "/v1/models", "/metrics"])
def test_what_changes_isn_t_kept(server: Server, path: str) -> None:
    assert server.ask(path).headers["cache-control"] == "no-store"
