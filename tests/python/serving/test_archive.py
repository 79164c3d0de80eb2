"""An archive is searched, heard and labelled by names that the server gives, and by no path of a client's."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import sys
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soundfile
from fastaudio import labelled
from fastaudio.scanning.networks import Chosen
from fastaudio.scanning.scan import scan
from fastaudio.searching.query import vector_of
from fastaudio.searching.search import best_of_label, nearest
from fastaudio.searching.store import SearchError, about_scan, opened
from fastaudio.serving import Settings, excerpts
from fastaudio.serving.application import Application
from fastaudio.serving.refusing import Refused
from serving_helpers import RATE_HZ, Server, levels, serving, sound, wav

if TYPE_CHECKING:
    from collections.abc import Iterator


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


@pytest.mark.skipif(sys.platform in ("darwin", "win32"), reason="its file names are text")
def test_a_file_whose_name_is_not_utf_8_is_heard_and_labelled(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "s.wav", sound(2), RATE_HZ)
    (tmp_path / "s.wav").rename(os.fsdecode(os.fsencode(str(tmp_path)) + b"/caf\xe9.wav"))
    scan([tmp_path], tmp_path / "scores", chosen=Chosen("silero-vad", windows=True))
    labels = tmp_path / "labels.csv"
    with serving(levels(), archive=(tmp_path / "scores",), archive_root=tmp_path, labels=labels) as server:
        one = server.ask("/v1/archive/label?label=speech&top=1").data["found"][0]
        assert one["path"].endswith(r"caf\xe9.wav")
        assert server.ask(f"/v1/archive/sound?id={one['id']}").body.startswith(b"RIFF")
        body = json.dumps({"id": one["id"], "label": "owl"}).encode()
        assert server.ask("/v1/archive/labels", body).status == 200
    (file,) = labelled.read(labels).files
    assert Path(str(file.path)).is_file()


def test_a_file_without_places_is_heard_too(tmp_path: Path) -> None:
    samples = sound(3, 44_100).astype(np.float32) / 32768
    soundfile.write(tmp_path / "s.ogg", samples, 44_100)
    got, rate = soundfile.read(io.BytesIO(excerpts.wav_of(tmp_path / "s.ogg", 1.0, 1.5)))
    whole, _ = soundfile.read(tmp_path / "s.ogg")
    assert np.abs(got - whole[rate : rate * 3 // 2]).max() < 1e-3


@pytest.mark.parametrize("stated", [0, 800])
def test_what_a_header_does_not_state_is_heard_too(tmp_path: Path, stated: int) -> None:
    samples = sound(3, 8000)
    soundfile.write(tmp_path / "s.wav", samples, 8000, subtype="PCM_16")
    content = bytearray((tmp_path / "s.wav").read_bytes())
    size = content.index(b"data") + 4
    content[size : size + 4] = stated.to_bytes(4, "little")  # as a writer leaves it that was killed
    content[4:8] = (size - 4 + stated).to_bytes(4, "little")
    (tmp_path / "s.wav").write_bytes(content)
    got, _ = soundfile.read(io.BytesIO(excerpts.wav_of(tmp_path / "s.wav", 1.0, 3.0)), dtype="int16")
    assert np.abs(got.astype(int) - samples[8000:24_000]).max() <= 1


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
    row = {name: made[name] for name in ("id", "label", "when", "by")}
    for other in ({"by": "bob"}, {"label": "owl"}, {"when": "2020-01-01T00:00:00+00:00"}):
        assert searched.ask("/v1/archive/undo", json.dumps(row | other)).data == {"undone": None}
    assert len(rows()) == 1
    undone = searched.ask("/v1/archive/undo", json.dumps(row)).data["undone"]
    assert (undone["id"], rows()) == (first["id"], [])
    assert searched.ask("/v1/archive/undo", json.dumps(row)).data == {"undone": None}
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
        refused = server.ask(f"/v1/archive/sound?id={one['id']}")  # from another folder
        assert refused.error == (404, "no_file")
        assert "--archive-root" in refused.data["error"]["message"]
    twice = Settings(archive=(archive / "scores", archive / "scores"))
    with pytest.raises(SearchError, match="one scan of scores"):
        Application([levels()], twice)


def test_the_interface_names_the_archive_s_paths_if_there_is_one(searched: Server) -> None:
    from fastaudio.serving.guarding import ARCHIVE

    assert set(ARCHIVE) <= set(searched.ask("/openapi.json").data["paths"])
    with serving(levels()) as server:
        assert set(ARCHIVE) & set(server.ask("/openapi.json").data["paths"]) == {"/v1/archive"}


def test_a_sound_to_look_for_is_bounded_and_its_model_is_loaded_once(
    archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(levels(), archive=(archive / "rows",), max_s=3.0) as server:
        monkeypatch.setattr("fastaudio.scanning.networks.Chosen.load", None)
        assert server.ask("/v1/archive/like", wav(sound(2))).status == 200
        for form in ("WAV", "FLAC", "OGG"):
            body = io.BytesIO()
            soundfile.write(body, np.zeros(4 * RATE_HZ, np.int16), RATE_HZ, format=form)
            assert server.ask("/v1/archive/like", body.getvalue()).error == (413, "too_long")


def test_the_model_of_the_embeddings_is_looked_for_at_the_start(archive: Path) -> None:
    for model in ("musicnn-mtt", "/nowhere/card.json"):
        with pytest.raises(SearchError, match=r"expected the model.*--archive-model"):
            Application([levels()], Settings(archive=(archive / "rows",), archive_model=model))
    Application([levels()], Settings(archive=(archive / "rows",), archive_model="aisfx")).close()
    apart = Settings(archive=(archive / "rows",), archive_model="/nowhere", isolate=True)
    Application([levels()], apart).close()  # takes no sounds


def test_a_label_that_comes_too_slowly_is_refused(archive: Path, tmp_path: Path) -> None:
    how: dict[str, Any] = {"archive": (archive / "scores",), "labels": tmp_path / "labels.csv"}
    with serving(levels(), pause_s=0.3, **how) as server, server.raw() as slow:
        slow.sendall(b"POST /v1/archive/labels HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4000\r\n\r\n{")
        assert b" 408 " in slow.recv(1000).partition(b"\r\n")[0]


def test_searches_take_the_places_of_uploads(searched: Server) -> None:
    one = searched.ask("/v1/archive/label?label=speech&top=1").data["found"][0]
    asked = {
        f"/v1/archive/{path}": body
        for path, body in {
            "label?label=speech": None,
            "next": None,
            f"sound?id={one['id']}": None,
            f"like?id={one['id']}": b"",
            "labels": json.dumps({"id": one["id"], "label": "owl"}),
        }.items()
    }
    uploads = searched.application.uploads
    with ExitStack() as full:
        with suppress(Refused):
            while True:
                full.enter_context(uploads.place())
        for path, body in asked.items():
            assert searched.ask(path, body).error == (429, "busy")
    assert uploads.n_here == 0
    assert searched.ask("/v1/archive/next").status == 200


def test_a_page_of_another_origin_reads_nothing(searched: Server, archive: Path) -> None:
    foreign: list[dict[str, str]] = [{"Origin": "https://evil.example"}]
    foreign += [{"Sec_Fetch_Site": site} for site in ("cross-site", "same-site")]
    for path in ("", "/label?label=speech", "/next", "/sound?id=0"):
        for headers in foreign:
            assert searched.ask(f"/v1/archive{path}", **headers).error == (403, "wrong_origin")
    for site in ("same-origin", "none"):
        assert searched.ask("/v1/archive", Sec_Fetch_Site=site).status == 200
    assert searched.ask("/v1/models", Sec_Fetch_Site="cross-site").status == 200
    with serving(
        levels(), archive=(archive / "scores",), allowed_origins=("https://good.example",)
    ) as server:
        headers = {"Origin": "https://good.example", "Sec_Fetch_Site": "cross-site"}
        assert server.ask("/v1/archive/next", **headers).status == 200


def test_what_comes_next_is_told_page_by_page(searched: Server) -> None:
    whole = searched.ask("/v1/archive/next?top=30").data["found"]
    pages = [searched.ask(f"/v1/archive/next?top=10&after={after}").data["found"] for after in (0, 10, 20)]
    assert sum(pages, []) == whole  # noqa: RUF017  # three
    assert searched.ask("/v1/archive/next?after=100000").data["found"] == []


def test_what_has_a_label_is_left_out_of_what_is_new(archive: Path, tmp_path: Path) -> None:
    how: dict[str, Any] = {"archive": (archive / "scores",), "labels": tmp_path / "labels.csv"}
    with serving(levels(), **how) as server:
        whole = server.ask("/v1/archive/label?label=speech&top=500").data["found"]
        body = json.dumps({"id": whole[0]["id"], "label": "owl"})
        assert server.ask("/v1/archive/labels", body).status == 200
        new = server.ask("/v1/archive/label?label=speech&top=500&new=1").data["found"]
        assert whole[0]["id"] not in [one["id"] for one in new]
        assert [one for one in whole if one in new] == new
        assert len(new) >= len(whole) - 3  # its neighbours overlap


@pytest.mark.parametrize("name", ['=HYPERLINK("http://evil.example")', "+1", "-1", " @x"])
def test_a_name_that_a_table_takes_for_a_formula_is_refused(searched: Server, name: str) -> None:
    one = searched.ask("/v1/archive/label?label=speech&top=1").data["found"][0]
    for told in ({"label": name}, {"label": "owl", "by": name}):
        answer = searched.ask("/v1/archive/labels", json.dumps({"id": one["id"]} | told))
        assert answer.error == (400, "bad_body")


def test_what_is_damaged_or_cannot_be_written_is_told(archive: Path, tmp_path: Path) -> None:
    scores, labels = tmp_path / "scores", tmp_path / "labels.csv"
    shutil.copytree(archive / "scores", scores)
    with serving(levels(), archive=(scores,), labels=labels) as server:
        one = server.ask("/v1/archive/next?top=1").data["found"][0]
        labels.mkdir()
        answer = server.ask("/v1/archive/labels", json.dumps({"id": one["id"], "label": "owl"}))
        assert answer.error == (507, "not_written")
        assert str(labels) in answer.data["error"]["message"]
        labels.rmdir()
        (table,) = scores.glob("*.parquet")
        whole = table.read_bytes()
        table.write_bytes(whole[:100] + bytes(len(whole) // 2) + whole[100 + len(whole) // 2 :])
        for path in ("next", "label?label=speech"):
            answer = server.ask(f"/v1/archive/{path}")
            assert answer.error == (500, "bad_scan")
            assert table.name in answer.data["error"]["message"]


def test_of_many_channels_two_are_read(tmp_path: Path) -> None:
    samples = np.random.default_rng(2).integers(-9000, 9000, (8 * RATE_HZ, 12)).astype(np.int16)
    soundfile.write(tmp_path / "s.wav", samples, RATE_HZ)
    got, rate = soundfile.read(io.BytesIO(excerpts.wav_of(tmp_path / "s.wav", 1.0, 7.5)), dtype="int16")
    assert rate == RATE_HZ
    assert np.abs(got.astype(int) - samples[RATE_HZ : 15 * RATE_HZ // 2, :2]).max() <= 1
