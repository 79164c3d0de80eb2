"""An archive is searched, heard and labelled by names that the server gives, and by no path of a client's."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soundfile
from fastaudio.searching.query import vector_of
from fastaudio.searching.search import best_of_label, nearest
from fastaudio.searching.store import SearchError, about_scan, opened
from fastaudio.serving import Settings, excerpts
from fastaudio.serving.application import Application
from serving_helpers import RATE_HZ, Server, levels, serving, sound, wav

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def searched(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    labels = tmp_path_factory.mktemp("labels") / "labels.csv"
    folders = (archive / "rows", archive / "scores")
    with serving(levels(), archive=folders, archive_root=archive, labels=labels) as server:
        yield server


def found(answer: Any) -> list[tuple[Any, ...]]:
    return [tuple(one[key] for key in ("path", "start_s", "end_s", "score")) for one in answer.data["found"]]


def wanted(hits: Any) -> list[tuple[Any, ...]]:
    return [(one.path, round(one.start_s, 6), round(one.end_s, 6), round(one.score, 6)) for one in hits]


def test_a_sound_finds_what_the_command_finds(searched: Server, archive: Path) -> None:
    body = wav(sound(2))
    store, vector = opened(archive / "rows"), vector_of(io.BytesIO(body), about_scan(archive / "rows"))
    for query, how in (("", {}), ("top=3&per_file=1", {"top": 3, "per_file": True})):
        answer = searched.ask(f"/v1/archive/like?{query}", body)
        assert found(answer) == wanted(nearest(store, vector, **how))


def test_what_was_found_finds_what_is_like_it(searched: Server) -> None:
    first = searched.ask("/v1/archive/like?top=5", wav(sound(2))).data["found"][3]
    like = searched.ask(f"/v1/archive/like?top=5&id={first['id']}", b"", "POST").data["found"]
    assert like[0]["id"] == first["id"]
    assert like[0]["score"] == pytest.approx(1, abs=1e-3)


def test_a_label_finds_its_highest_scores(searched: Server, archive: Path) -> None:
    answer = searched.ask("/v1/archive/label?label=speech&top=7")
    assert found(answer) == wanted(best_of_label(archive / "scores", "speech", 7))
    refused = searched.ask("/v1/archive/label?label=spech-")
    assert refused.error == (400, "bad_request")
    assert "speech" in refused.data["error"]["message"]


def test_a_stretch_is_heard_as_it_is_in_the_file(searched: Server, archive: Path) -> None:
    for one in searched.ask("/v1/archive/label?label=speech&top=3").data["found"]:
        answer = searched.ask(f"/v1/archive/sound?id={one['id']}")
        assert answer.headers["content-type"] == "audio/wav"
        got, rate = soundfile.read(io.BytesIO(answer.body), dtype="int16")
        whole, _ = soundfile.read(archive / one["path"], dtype="int16")
        first, last = round(one["start_s"] * rate), round(one["end_s"] * rate)
        assert (rate, len(got) > 0) == (RATE_HZ, True)
        assert np.abs(got.astype(int) - whole[first:last]).max() <= 1


def test_a_file_without_places_is_heard_too(tmp_path: Path) -> None:
    samples = sound(3, 44_100).astype(np.float32) / 32768
    soundfile.write(tmp_path / "s.ogg", samples, 44_100)
    got, rate = soundfile.read(io.BytesIO(excerpts.wav_of(tmp_path / "s.ogg", 1.0, 1.5)))
    whole, _ = soundfile.read(tmp_path / "s.ogg")
    assert np.abs(got - whole[rate : rate * 3 // 2]).max() < 1e-3


def test_an_excerpt_is_at_most_a_minute(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "s.wav", sound(70, 8000), 8000)
    got, rate = soundfile.read(io.BytesIO(excerpts.wav_of(tmp_path / "s.wav", 0.0, 70.0)))
    assert len(got) == 60 * rate


@pytest.mark.parametrize("name", ["", "0", "../../etc/passwd", "%2fetc%2fpasswd", "in/3.wav", "a" * 24])
def test_no_path_and_no_name_of_a_client_s_own_is_taken(searched: Server, name: str) -> None:
    answer = searched.ask(f"/v1/archive/sound?id={name}")
    assert answer.status in (400, 404)
    assert b"RIFF" not in answer.body
    body = json.dumps({"id": name, "label": "owl"})
    assert searched.ask("/v1/archive/labels", body).error == (404, "no_stretch")
    for query in (f"path={name}", f"id={name}&path=in/3.wav"):
        assert searched.ask(f"/v1/archive/sound?{query}").error == (400, "bad_parameter")


def test_a_name_of_another_server_s_is_none_here(searched: Server, archive: Path) -> None:
    one = searched.ask("/v1/archive/label?label=speech&top=1").data["found"][0]
    with serving(levels(), archive=(archive / "scores",), archive_root=archive) as other:
        assert other.ask(f"/v1/archive/sound?id={one['id']}").error == (404, "no_stretch")


def test_labels_are_given_taken_back_and_left_out_of_what_comes_next(searched: Server) -> None:
    def next_() -> Any:
        return searched.ask("/v1/archive/next?top=3").data["found"]

    def rows() -> list[dict[str, str]]:
        text = searched.application.archive.labels.path.read_text(encoding="utf-8")
        return list(csv.DictReader(io.StringIO(text)))

    first = next_()[0]
    assert first["guess"] == "speech"
    label = {"id": first["id"], "label": "naïve owl, <b>", "by": "ann"}
    made = searched.ask("/v1/archive/labels", json.dumps(label).encode()).data
    assert (made["path"], made["label"]) == (first["path"], label["label"])
    assert [(row["path"], row["label"], row["by"]) for row in rows()] == [
        (first["path"], label["label"], "ann")
    ]
    assert first["id"] not in [one["id"] for one in next_()]
    assert searched.ask("/v1/archive").data["labels"] == {"names": [label["label"]], "n": 1}
    assert searched.ask("/v1/archive/undo", b'{"by": "bob"}').data == {"undone": None}
    undone = searched.ask("/v1/archive/undo", b'{"by": "ann"}').data["undone"]
    assert (undone["id"], rows()) == (first["id"], [])
    assert next_()[0]["id"] == first["id"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b'{"id": 1}',
        b'{"other": "x"}',
        b'{"id": "a\\nb"}',
        b"[" * 3000,
        b'{"id": "%b"}' % (b"x" * 300),
    ],
)
def test_a_body_that_is_no_label_is_refused(searched: Server, body: bytes) -> None:
    assert searched.ask("/v1/archive/labels", body, "POST").error == (400, "bad_body")
    assert searched.ask("/v1/archive/labels", b"x" * 5000).error == (413, "too_large")


def test_a_label_without_a_name_is_refused(searched: Server) -> None:
    one = searched.ask("/v1/archive/label?label=speech&top=1").data["found"][0]
    assert searched.ask("/v1/archive/labels", json.dumps({"id": one["id"], "label": " "})).error[0] == 400


def test_a_page_of_another_origin_gives_no_labels(searched: Server) -> None:
    for path in ("labels", "undo", "like"):
        answer = searched.ask(f"/v1/archive/{path}", b"{}", "POST", Origin="https://evil.example")
        assert answer.error == (403, "wrong_origin")


def test_what_isn_t_there_is_told(archive: Path) -> None:
    with serving(levels()) as server:
        assert server.ask("/v1/archive").data == {"embeddings": None, "scores": None, "labels": None}
        assert server.ask("/v1/archive/label?label=speech").error == (404, "not_found")
    with serving(levels(), archive=(archive / "rows",)) as server:
        assert server.ask("/v1/archive/next").error == (404, "no_scan")
        assert server.ask("/v1/archive/labels", b"{}").error == (404, "no_labels")
        assert server.ask("/v1/archive").data["scores"] is None
        assert server.ask("/v1/archive/like", b"no sound").error == (415, "no_sound")
        one = server.ask("/v1/archive/like?top=1", wav(sound(2))).data["found"][0]
        assert server.ask(f"/v1/archive/sound?id={one['id']}").error == (
            415,
            "no_sound",
        )  # from another folder
    twice = Settings(archive=(archive / "scores", archive / "scores"))
    with pytest.raises(SearchError, match="one scan of scores"):
        Application([levels()], twice)


def test_the_interface_names_the_archive_s_paths_if_there_is_one(searched: Server) -> None:
    from fastaudio.serving.guarding import ARCHIVE

    assert set(ARCHIVE) <= set(searched.ask("/openapi.json").data["paths"])
    with serving(levels()) as server:
        assert set(ARCHIVE) & set(server.ask("/openapi.json").data["paths"]) == {"/v1/archive"}
