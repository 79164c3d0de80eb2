"""Uploads get the numbers that a pipeline gives for the same file, in every form that they may come in."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest
import soundfile
from helpers import GUITAR, SHARED, SOUNDS
from serving_helpers import RATE_HZ, levels, sound, wav

if TYPE_CHECKING:
    from serving_helpers import Server

BODY = GUITAR.read_bytes()


def form(body: bytes, before: bytes = b"") -> bytes:
    head = (
        b'Content-Disposition: form-data; name="file"; filename="g.flac"\r\nContent-Type: audio/flac\r\n\r\n'
    )
    return before + b"--XX\r\n" + head + body + b"\r\n--XX--\r\n"


def test_all_scores_are_the_pipeline_s_bit_for_bit(server: Server, tagger: fa.Pipeline) -> None:
    want = tagger(GUITAR)
    got = server.tag(BODY, "windows=1&top=50").data
    assert np.array_equal(np.array(got["windows"], np.float32), want.scores)
    assert got["times_s"] == want.times.round(6).tolist()
    assert got["labels"] == list(want.labels)
    assert [(tag["label"], np.float32(tag["score"])) for tag in got["tags"]] == [
        (label, np.float32(score)) for label, score in want.top(50)
    ]
    assert (got["model"], got["truncated"], got["silent"], got["warnings"]) == (
        "musicnn-mtt",
        False,
        False,
        [],
    )
    assert got["duration_s"] == round(want.duration_s, 6)


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"Content_Type": "multipart/form-data; boundary=XX"}, form(BODY)),
        (
            {"Content_Type": 'multipart/form-data; charset=utf-8; boundary="XX"'},
            form(BODY, b'--XX\r\nContent-Disposition: form-data; name="a"\r\n\r\nhi\r\n'),
        ),
        ({"Content_Type": "text/plain"}, BODY),  # a file's own bytes say what it is
    ],
)
def test_a_file_may_come_in_a_form_or_with_any_type(
    server: Server, headers: dict[str, str], body: bytes
) -> None:
    assert server.tag(body, "model=levels", **headers).data == server.tag(BODY, "model=levels").data


def test_a_body_may_come_in_chunks_of_unknown_number(server: Server) -> None:
    chunks = (BODY[start : start + 10_000] for start in range(0, len(BODY), 10_000))
    assert server.tag(chunks, "model=levels").data == server.tag(BODY, "model=levels").data


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("rate", [16_000, 22_050])
def test_raw_samples_get_the_scores_of_a_file(server: Server, rate: int, channels: int) -> None:
    samples = sound(2.2, rate, channels)
    want = server.tag(wav(samples, rate), "model=levels&windows=1").data
    raw = [
        (f"pcm=s16le&rate={rate}&channels={channels}", {}, samples.tobytes()),
        (
            f"pcm=f32le&rate={rate}&channels={channels}",
            {},
            (samples / np.float32(32768)).astype("<f4").tobytes(),
        ),
        ("", {"Content_Type": f"audio/L16;rate={rate};channels={channels}"}, samples.astype(">i2").tobytes()),
        (
            "",
            {"Content_Type": f'audio/l16; channels="{channels}"; rate={rate}'},
            samples.astype(">i2").tobytes(),
        ),
    ]
    for query, headers, body in raw:
        assert server.tag(body, f"model=levels&windows=1&{query}", **headers).data == want


def test_a_sample_that_is_cut_is_told(server: Server) -> None:
    got = server.tag(sound(1).tobytes() + b"\0", f"model=levels&pcm=s16le&rate={RATE_HZ}").data
    assert got["warnings"] == ["the last 1 bytes are no whole sample of 2 bytes"]


def test_a_file_that_is_cut_short_is_told(server: Server) -> None:
    got = server.tag(wav(sound(2))[:40_000], "model=levels").data
    assert got["truncated"]
    assert got["warnings"] == ["the file is cut short"]


def test_events_are_the_pipeline_s_in_each_format(server: Server) -> None:
    want = (levels() >> fa.Events(onset=[0.2], summary=True))(sound(4), sample_rate=RATE_HZ)
    assert len(want) == 3
    body = wav(sound(4))
    assert server.tag(body, "model=levels&onset=0.2").data["events"] == [event.to_dict() for event in want]
    audacity, raven = (
        server.tag(body, f"model=levels&onset=0.2&format={form}") for form in ("audacity", "raven")
    )
    assert audacity.body.decode() == want.to_audacity()
    assert raven.body.decode() == want.to_raven()
    none = server.tag(body, "model=levels&events=1&onset=1").data
    assert none["events"] == []
    assert "events" not in server.tag(body, "model=levels&events=0&onset=0.2").data
    assert none["why_no_events"].startswith("best: loud ")


def test_top_and_min_score_choose_tags(server: Server) -> None:
    body = wav(sound(3))
    all_ = server.tag(body, "top=50").data["tags"]
    assert server.tag(body, "top=2").data["tags"] == all_[:2]
    least = all_[3]["score"] + 1e-6
    assert server.tag(body, f"top=50&min_score={least}").data["tags"] == all_[:3]
    events = server.tag(body, "model=levels&onset=0.2").data["events"]
    peaks = sorted(event["peak"] for event in events)
    above = server.tag(body, f"model=levels&onset=0.2&min_score={peaks[-1] - 1e-6}").data["events"]
    assert above == [event for event in events if event["peak"] >= peaks[-1] - 1e-6]
    assert len(above) < len(events)


def test_hop_makes_windows_overlap(server: Server, tagger: fa.Pipeline) -> None:
    want = tagger.with_hop(1.0)(sound(5), sample_rate=RATE_HZ)
    got = server.tag(wav(sound(5)), "hop_s=1&windows=1").data["windows"]
    assert np.array_equal(np.array(got, np.float32), want.scores)


def test_the_spectrogram_shows_a_sine_where_it_is(server: Server) -> None:
    sine = np.sin(2 * np.pi * 1000 * np.arange(3 * RATE_HZ) / RATE_HZ).astype(np.float32)
    picture = server.tag(wav(sine), "model=levels&spectrogram=1").data["spectrogram"]
    rows = np.frombuffer(base64.b64decode(picture["rows"]), np.uint8).reshape(
        picture["n_rows"], picture["n_bands"]
    )
    band = rows[len(rows) // 2].argmax()
    assert abs(picture["centres_hz"][band] - 1000) < 40
    level_db = picture["db_min"] + rows[:, band].max() / 255 * (picture["db_max"] - picture["db_min"])
    assert abs(level_db) < 3
    assert abs(picture["n_rows"] * picture["hop_s"] - 3) < 0.1


def test_the_spectrogram_of_a_long_file_is_small(server: Server) -> None:
    body = wav(np.zeros(1000 * 600, np.int16), 1000)
    picture = server.tag(body, "model=levels&spectrogram=1").data["spectrogram"]
    assert 500 < picture["n_rows"] <= 1200
    assert picture["n_bands"] <= 96
    assert abs(picture["n_rows"] * picture["hop_s"] - 600) < 5


def test_models_are_described(server: Server, tagger: fa.Pipeline) -> None:
    first, second = server.ask("/v1/models").data
    assert (first["name"], second["name"]) == ("musicnn-mtt", "levels")
    assert (first["labels"], first["sample_rate"], first["hears"]) == (50, 16_000, "music")
    assert first["window_s"] == first["hop_s"] == round(tagger.hop_s, 6)
    assert first["licence"] == tagger.card["licence"]
    assert server.ask("/v1/models").headers["content-type"] == "application/json"


def test_silence_has_no_tags(server: Server) -> None:
    got = server.tag(wav(np.zeros(RATE_HZ * 4, np.int16))).data
    assert (got["silent"], got["tags"]) == (True, [])


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ("x=1", "query: expected one of channels, "),
        ("top=3&top=4", "query: expected top once"),
        *[
            (f"top={value}", "top: expected a whole number")
            for value in ("0", "-1", "1e3", "", "9" * 5000, "%D9%A3")
        ],
        *[(f"hop_s={value}", "hop_s: expected ") for value in ("nan", "inf", "0", "-1", "1e-3", "x" * 100)],
        *[(f"events={value}", "events: expected 0 or 1") for value in ("yes", "2", "")],
        ("onset=1.5", "onset: expected a number from 0 to 1"),
        ("format=xml", "format: expected one of json, audacity, raven"),
        ("rate=16000", "rate: expected pcm= with it"),
        ("pcm=u8&rate=16000", "pcm: expected one of "),
        ("pcm=s16le", "rate: expected a whole number from 1000 to 384000, got 'none'"),
        ("pcm=s16le&rate=16000&channels=33", "channels: expected a whole number"),
        ("min_score=nan", "min_score: expected a number"),
        ("hop_s=1_0", "hop_s: expected a number"),
    ],
)
def test_a_wrong_parameter_is_told(server: Server, query: str, word: str) -> None:
    answer = server.tag(wav(sound(0.1)), query)
    assert answer.error == (400, "bad_parameter")
    message = answer.data["error"]["message"]
    assert message.startswith(word)
    assert len(message) < 300


@pytest.mark.parametrize(
    "kind", ["audio/L16", "audio/L16;rate=0", "audio/L16;rate=1e9", "audio/L16;rate=8000;x"]
)
def test_a_type_that_says_too_little_is_told(server: Server, kind: str) -> None:
    assert server.tag(bytes(100), Content_Type=kind).error == (400, "bad_parameter")


@pytest.mark.parametrize(
    ("body", "query", "error"),
    [
        (b"no sound", "", (415, "no_sound")),
        (b"", "", (400, "empty")),
        (b"\0", f"pcm=s16le&rate={RATE_HZ}", (415, "no_sound")),
        (np.full(1000, np.nan, "<f4").tobytes(), f"pcm=f32le&rate={RATE_HZ}", (415, "no_sound")),
        (wav(sound(0.1)), "model=no-such", (404, "no_model")),
        (wav(sound(0.1)), "model=..%2F..%2Fetc", (404, "no_model")),
    ],
)
def test_what_is_no_sound_is_told(server: Server, body: bytes, query: str, error: tuple[int, str]) -> None:
    assert server.tag(body, query).error == error


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data", form(BODY)),
        ("multipart/form-data; boundary=YY", form(BODY)),
        ("multipart/form-data; boundary=XX", b"--XX--\r\n"),
        ("multipart/form-data; boundary=XX", form(BODY)[:-20]),
        ("multipart/form-data; boundary=XX", b"--XX\r\n" + b"a: b\r\n" * 2000),
        ("multipart/form-data; boundary=XX", b"--XX\r\n\r\n\r\n" * 200),
    ],
)
def test_a_form_without_a_whole_file_is_told(server: Server, kind: str, body: bytes) -> None:
    assert server.tag(body, Content_Type=kind).error == (400, "bad_form")


def test_an_answer_is_json_whatever_the_scores_are() -> None:
    from fastaudio.serving.numbers import json_of, plain_rows

    rows = np.array([[0.1, np.nan, np.inf, 1e-30, -0.0]], np.float32)
    got: Any = json.loads(json_of({"a": 1}, {"rows": plain_rows(rows), "none": []}))
    assert got == {"a": 1, "rows": [[0.1, None, None, 1e-30, 0.0]], "none": []}
    assert json.loads(json_of({}, {"rows": [1]})) == {"rows": [1]}
    assert json.loads(json_of({}, {})) == {}


def test_scores_come_back_as_the_same_float32() -> None:
    from fastaudio.serving.numbers import plain

    for value in np.random.default_rng(1).uniform(0, 1, 1000).astype(np.float32):
        assert np.float32(json.loads(json.dumps(plain(value)))) == value


def test_a_file_of_another_kind_decodes(server: Server, tmp_path: Any) -> None:
    path = tmp_path / "s.ogg"
    soundfile.write(path, sound(2).astype(np.float32) / 32768, RATE_HZ, format="OGG")
    assert server.tag(path.read_bytes(), "model=levels").status == 200


@pytest.mark.parametrize("name", ["guitar", "speech"])
def test_a_model_for_music_says_what_kind_of_sound_it_is(
    server: Server, tagger: fa.Pipeline, name: str
) -> None:
    from fastaudio.kinds import Heard, judge_of, split, whole_of

    source: Any = (
        GUITAR
        if name == "guitar"
        else next(iter(sorted((SHARED / "audio" / "clips").glob("*speech*"))), None)
    )
    if source is None:
        pytest.skip("there is no recording of speech in ../shared")
    judge = judge_of(tagger)
    _, heard = split(judge, judge.pipeline(source))
    assert isinstance(heard, Heard)
    want = whole_of(heard)
    got = server.tag(source.read_bytes()).data
    assert (got["kind"], got["fits"]) == tuple(want.to_dict().values())
    assert got["fits"] is (name == "guitar")


def test_kinds_are_left_out_where_nothing_tells_them(server: Server) -> None:
    assert "kind" not in server.tag(BODY, "kind=0").data
    assert "kind" not in server.tag(BODY, "model=levels").data
    silence = server.tag(wav(np.zeros(RATE_HZ * 4, np.int16))).data
    assert (silence["kind"], silence["fits"]) == (None, None)


def test_events_of_sound_that_the_model_doesn_t_hear_are_marked(server: Server) -> None:
    birds = (SOUNDS / "birds_96k_mono.flac").read_bytes()
    got = server.tag(birds, "onset=0.02").data
    assert got["events"]
    assert {event["fits"] for event in got["events"]} == {False} == {got["fits"]}
    table = server.tag(birds, "onset=0.02&format=audacity").body.decode()
    assert [line.split("\t")[2] for line in table.splitlines()] == [
        f"? {event['label']}" for event in got["events"]
    ]
    raven = server.tag(birds, "onset=0.02&format=raven&name=birds.flac").body.decode().splitlines()
    assert {line.split("\t")[-1] for line in raven[1:]} == {"birds.flac"}
    plain = server.tag(birds, "onset=0.02&kind=0").data
    assert [event | {"kind": None, "fits": None} for event in plain["events"]] == [
        event | {"kind": None, "fits": None} for event in got["events"]
    ]
    assert {event["fits"] for event in server.tag(BODY, "onset=0.2").data["events"]} == {True}
