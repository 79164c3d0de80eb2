"""Live sound over a WebSocket gets the numbers of a file, nothing is lost silently, and each stream ends."""

from __future__ import annotations

import base64
import json
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest
from helpers import GUITAR, SHARED, decode
from serving_helpers import FRAME, LIMIT_S, RATE_HZ, UPGRADE, bloat, heard, levels, of, serving, sound, until
from websockets.exceptions import ConnectionClosed, InvalidStatus

if TYPE_CHECKING:
    from serving_helpers import Server


def send(server: Server, query: str, data: bytes, step: int = 7001) -> list[dict[str, Any]]:
    """Return what a stream gives for samples that are sent in messages of `step` bytes."""
    with server.live(query) as live:
        for start in range(0, len(data), step):
            live.send(data[start : start + step])
        live.send("end")
        messages = heard(live)
        assert live.close_code == 1000
        return messages


def test_live_tags_of_a_file_are_the_file_s_bit_for_bit(server: Server, tagger: fa.Pipeline) -> None:
    samples, rate = decode(GUITAR)
    want = tagger(GUITAR)
    channels = samples.shape[1]
    query = f"rate={rate}&channels={channels}&top=50&events=1&onset=0.3"
    messages = send(server, query, samples.astype("<f4").tobytes())
    windows = of("window", messages)
    assert [(one["start_s"], one["end_s"]) for one in windows] == [tuple(at) for at in want.times.round(6)]
    for window, one in zip(windows, want, strict=True):
        assert [(tag["label"], np.float32(tag["score"])) for tag in window["tags"]] == one.top(50)
    events = (tagger >> fa.Events(onset=[0.3], summary=True))(GUITAR)
    ended = [event for event in of("event", messages) if event["state"] == "end"]
    assert sorted(event["id"] for event in ended) == sorted(event.id for event in events)
    begun = [event["id"] for event in of("event", messages) if event["state"] == "begin"]
    assert sorted(begun) == sorted(event.id for event in events)


@pytest.mark.parametrize("step", [1, 3, 1000, 1 << 20])
def test_messages_may_end_anywhere(server: Server, step: int) -> None:
    samples = sound(0.05 if step < 10 else 4, 8000, 2)
    want = levels()(samples, sample_rate=8000, layout="samples_channels")
    messages = send(server, "model=levels&rate=8000&channels=2&format=s16le", samples.tobytes(), step)
    scores = [np.float32(one["tags"][0]["score"]) for one in of("window", messages)]
    assert scores == want.scores[:, 0].tolist()
    assert messages[0]["type"] == "ready"
    assert messages[-1]["type"] == "end"
    assert messages[-1]["captured_s"] == len(samples) / 8000
    assert messages[-1]["left_over_bytes"] == 0


def test_bytes_of_an_unfinished_sample_are_told(server: Server) -> None:
    messages = send(server, f"model=levels&rate={RATE_HZ}", bytes(403))
    assert messages[-1]["left_over_bytes"] == 3


@pytest.mark.parametrize("name", ["guitar", "speech"])
def test_live_windows_of_a_model_for_music_say_what_kind_of_sound_they_are(
    server: Server, tagger: fa.Pipeline, name: str
) -> None:
    from fastaudio.kinds import UNKNOWN, Heard, judge_of, split

    clips = sorted((SHARED / "audio" / "clips").glob("*speech*"))
    if name == "speech" and not clips:
        pytest.skip("there is no recording of speech in ../shared")
    samples, rate = decode(GUITAR if name == "guitar" else clips[0])
    samples = samples[: 10 * rate]
    judge = judge_of(tagger)
    _, rows = split(judge, judge.pipeline(samples, sample_rate=rate, layout="samples_channels"))
    assert isinstance(rows, Heard)
    query = f"rate={rate}&channels={samples.shape[1]}&onset=0.2&spectrogram=1"
    messages = send(server, query, samples.astype("<f4").tobytes(), 1 << 16)
    windows = of("window", messages)
    kinds = [rows.at(one["start_s"], one["end_s"]) for one in windows]
    assert [{key: one[key] for key in UNKNOWN} for one in windows] == [
        UNKNOWN if kind is None else kind.to_dict() for kind in kinds
    ]
    assert {one["fits"] for one in windows} == {name == "guitar"}
    assert all(UNKNOWN.keys() <= event.keys() for event in of("event", messages))
    plain = send(server, f"{query}&kind=0", samples.astype("<f4").tobytes(), 1 << 16)
    assert not UNKNOWN.keys() & of("window", plain)[0].keys()


def test_live_windows_with_another_hop_have_kinds_too(server: Server) -> None:
    windows = of("window", send(server, "rate=8000&format=s16le&hop_s=1", sound(8, 8000).tobytes()))
    assert len(windows) > 3
    assert all(one["fits"] is not None for one in windows)


def test_ready_says_what_comes(server: Server, tagger: fa.Pipeline) -> None:
    with server.live("rate=48000&channels=2&events=1&spectrogram=1") as live:
        ready = json.loads(live.recv(LIMIT_S))
    assert (ready["type"], ready["model"], ready["rate"], ready["channels"]) == (
        "ready",
        "musicnn-mtt",
        48000,
        2,
    )
    assert ready["window_s"] == ready["hop_s"] == round(tagger.hop_s, 6)
    assert ready["latency_s"] == round(tagger.latency_s, 6)
    assert len(ready["mel"]["centres_hz"]) == ready["mel"]["n_bands"]


def test_spectra_and_levels_show_a_sine(server: Server) -> None:
    sine = (0.5 * np.sin(2 * np.pi * 1000 * np.arange(RATE_HZ * 2) / RATE_HZ)).astype("<f4")
    with server.live(f"model=levels&rate={RATE_HZ}&spectrogram=1") as live:
        mel = json.loads(live.recv(LIMIT_S))["mel"]
        live.send(sine.tobytes())
        messages = []
        while not of("level", messages):
            messages.append(json.loads(live.recv(LIMIT_S)))
        live.send("end")
        messages += heard(live)
    levels_db = [one["peak_dbfs"] for one in of("level", messages)]
    assert abs(max(levels_db) + 6.0) < 0.1
    rows = [np.frombuffer(base64.b64decode(one["rows"]), np.uint8) for one in of("mel", messages)]
    picture = np.concatenate(rows).reshape(-1, mel["n_bands"])
    assert len(picture) == sum(one["n_rows"] for one in of("mel", messages))
    assert abs(len(picture) * mel["hop_s"] - 2) < 0.1
    band = picture[len(picture) // 2].argmax()
    assert abs(mel["centres_hz"][band] - 1000) < 40
    level_db = mel["db_min"] + picture[:, band].max() / 255 * (mel["db_max"] - mel["db_min"])
    assert abs(level_db + 6) < 3


def test_sound_that_is_dropped_is_told(server: Server, tagger: fa.Pipeline) -> None:
    data, pool = sound(120, 8000).tobytes(), fa.live.shared_pool()
    with server.live("rate=8000&format=s16le&overflow=drop_oldest") as live:
        assert json.loads(live.recv(LIMIT_S))["type"] == "ready"
        until(lambda: len(server.application.measures.streams) == 1)
        (stream,) = server.application.measures.streams.values()
        pool.pause()  # as if the machine were too slow
        try:
            for start in range(0, len(data), 1 << 18):
                live.send(data[start : start + (1 << 18)])
            until(lambda: stream()[0].captured == 120 * 8000)
        finally:
            pool.resume()
        live.send("end")
        messages = heard(live)
    end = messages[-1]
    assert end["captured_s"] == 120
    assert end["dropped_s"] > 0
    assert end["gaps"] > 0
    # What a window says was lost before it; sound after the last gap may be too short for a window.
    gaps_s = sum(one["gap_s"] for one in of("window", messages))
    assert 0 < gaps_s <= end["dropped_s"] + 1e-3
    for one in of("window", messages):
        assert one["end_s"] - one["start_s"] <= tagger.hop_s + 1e-6


def test_nothing_is_dropped_of_a_sender_who_can_wait(server: Server) -> None:
    end = send(server, "rate=8000&format=s16le", sound(30, 8000).tobytes(), 1 << 18)[-1]
    assert (end["captured_s"], end["dropped_s"], end["results_dropped"]) == (30, 0, 0)


def test_samples_that_are_no_numbers_are_told(server: Server) -> None:
    values = np.full(RATE_HZ, np.nan, "<f4")
    assert send(server, f"model=levels&rate={RATE_HZ}", values.tobytes())[-1]["bad_values"] == RATE_HZ


def test_a_provisional_window_comes_early(server: Server) -> None:
    messages = send(server, "rate=8000&format=s16le&provisional_s=1", sound(4, 8000).tobytes())
    first = of("window", messages)[0]
    assert first["provisional"]
    assert first["end_s"] < 1.1


@pytest.mark.parametrize(
    ("query", "kind"),
    [
        ("", "bad_parameter"),
        ("rate=999", "bad_parameter"),
        ("rate=16000&channels=0", "bad_parameter"),
        ("rate=16000&format=u8", "bad_parameter"),
        ("rate=16000&hop_s=0.01", "bad_parameter"),
        ("rate=16000&nothing=1", "bad_parameter"),
        ("rate=16000&overflow=raise", "bad_parameter"),
        ("rate=16000&model=no-such", "no_model"),
    ],
)
def test_a_wrong_parameter_is_told_and_ends_the_stream(server: Server, query: str, kind: str) -> None:
    with server.live(query) as live:
        (error,) = heard(live)
        assert (error["type"], error["error"]["type"]) == ("error", kind)
        assert live.close_code == 1008


@pytest.mark.parametrize("text", ["stop", "", "x" * 100_000, '{"type": "end"}', "\0"])
def test_a_text_that_isn_t_known_is_told(server: Server, text: str) -> None:
    with server.live(f"model=levels&rate={RATE_HZ}") as live:
        live.send(text)
        error = heard(live)[-1]
        assert error["error"]["type"] == "bad_message"
        assert len(error["error"]["message"]) < 200


def test_a_token_that_is_not_asked_for_is_let_pass_before_the_sound(server: Server) -> None:
    token, samples = json.dumps({"token": "of another time"}), sound(1.0, 16_000, 1).tobytes()
    with server.live("model=levels&rate=16000&format=s16le") as live:
        live.send(token)
        live.send(samples)
        live.send("end")
        assert heard(live)[-1]["type"] == "end"
    with server.live("model=levels&rate=16000&format=s16le") as live:
        live.send(samples)
        live.send(token)
        assert heard(live)[-1]["type"] == "error"


def test_an_early_result_of_more_than_a_window_is_refused(server: Server, tagger: fa.Pipeline) -> None:
    span_s = tagger.output_specs[""].span_s
    with server.live(f"rate=16000&provisional_s={span_s + 0.1}") as live:
        (message,) = heard(live)
    assert message["error"]["message"] == f"provisional_s: expected at most {span_s:.3g} s, got more"


def test_a_message_that_is_too_large_ends_the_stream(server: Server) -> None:
    with server.live(f"model=levels&rate={RATE_HZ}") as live:
        with suppress(ConnectionClosed):
            live.send(bytes((1 << 20) + 1))
        heard(live)
        assert live.close_code == 1009
    until(lambda: server.application.live.n_streams == 0)


def test_a_client_that_leaves_frees_its_place(server: Server) -> None:
    with server.live(f"model=levels&rate={RATE_HZ}") as live:
        live.recv(LIMIT_S)
        until(lambda: server.application.live.n_streams == 1)
        live.send(sound(1).astype("<f4").tobytes())
    until(lambda: server.application.live.n_streams == 0)
    assert not server.application.measures.streams


def test_more_streams_than_places_are_refused() -> None:
    with serving(levels(), max_streams=1) as server, server.live("rate=8000") as first:
        first.recv(LIMIT_S)
        with server.live("rate=8000") as second:
            (error,) = heard(second)
        assert (error["error"]["type"], second.close_code) == ("busy", 1013)
        first.send("end")
        assert heard(first)[-1]["type"] == "end"


def test_a_stream_without_sound_ends() -> None:
    with serving(levels(), idle_s=0.2) as server, server.live("rate=8000") as live:
        error = heard(live)[-1]
    assert error["error"]["type"] == "idle"


def test_a_stream_that_lasts_too_long_ends() -> None:
    with serving(levels(), live_s=0.5) as server, server.live("rate=8000") as live:
        with suppress(ConnectionClosed):
            for _ in range(1000):
                live.send(bytes(800))
                time.sleep(0.02)
        assert live.close_code == 1008
    until(lambda: server.application.live.n_streams == 0)


def test_a_client_that_takes_nothing_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """It sends on, but its side of the connection is full; the server holds only so much for it."""
    bloat(monkeypatch)
    with serving(levels(), send_s=0.3) as server:
        raw = server.raw()
        raw.sendall(UPGRADE)
        assert b" 101 " in raw.recv(100)
        with raw, pytest.raises(OSError, match=r"reset|closed|Broken pipe|aborted"):  # noqa: PT012
            for _ in range(100_000):
                raw.sendall(FRAME)
        until(lambda: server.application.live.n_streams == 0)


def test_the_end_of_the_server_sends_the_last_windows() -> None:
    with serving(levels()) as server, server.live(f"rate={RATE_HZ}&format=s16le") as live:
        live.send(sound(1.2).tobytes())
        messages: list[dict[str, Any]] = []
        while len(of("window", messages)) < 2:  # all of the sound is there by then
            messages.append(json.loads(live.recv(LIMIT_S)))
        server.stop()
        messages += heard(live)
        assert len(of("window", messages)) == len(levels()(sound(1.2), sample_rate=RATE_HZ))
        assert messages[-2]["type"] == "end"
        assert messages[-1]["error"]["type"] == "stopping"
        assert live.close_code == 1001


def test_a_plain_request_for_a_stream_is_no_page(server: Server) -> None:
    assert server.ask("/v1/live?rate=8000").error == (404, "not_found")


def test_a_stream_at_another_path_is_refused(server: Server) -> None:
    from websockets.sync.client import connect

    with pytest.raises(InvalidStatus) as raised:
        connect(f"ws://127.0.0.1:{server.port}/v1/tag?rate=8000")
    assert raised.value.response.status_code in (403, 404)
