"""Several models over one sound: each says what it says alone, and what they share is computed once."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest
from fastaudio import cli
from fastaudio.cli.ears import Ear, Ears, named
from fastaudio.cli.together import together
from helpers import GUITAR, decode

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

RATE = 44_100
MODELS = ("musicnn-mtt", "musicnn-msd", "silero-vad")


@pytest.fixture(scope="module")
def pcm() -> NDArray[np.int16]:
    """Return seven seconds of guitar as 16-bit PCM, mono at 44.1 kHz."""
    samples, _ = decode(GUITAR)
    return np.round(samples[: 7 * RATE].mean(axis=1) * 32767).astype("<i2")


@pytest.fixture
def listen(
    pcm: NDArray[np.int16],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Any:
    """Run `fastaudio listen -` over it; returns exit status, stdout and stderr."""
    (tmp_path / "stdin").write_bytes(pcm.tobytes())

    def run(*options: object) -> tuple[int, str, str]:
        with (tmp_path / "stdin").open(encoding="latin-1") as file, monkeypatch.context() as patch:
            patch.setattr("sys.stdin", file)
            start = ["--start", "2026-11-28T13:15:00+01:00"]
            status = cli.main(["listen", "-", "--rate", str(RATE), *start, *map(str, options)])
        return status, *capsys.readouterr()

    return run


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def of(*models: str) -> list[str]:
    return [part for model in models for part in ("--model", model)]


def test_each_of_several_models_says_what_it_says_alone(listen: Any) -> None:
    status, out, err = listen("--jsonl", *of(*MODELS))
    assert (status, err) == (0, "")
    for model in MODELS:
        _, alone, _ = listen("--jsonl", *of(model))
        want = lines(alone)
        assert want
        got = [line for line in lines(out) if line["model"] == model]
        for line in (*got, *want):
            line.pop("kind", None), line.pop("fits", None)
        assert got == want  # bit for bit, as far as JSON shows


def test_kinds_mark_the_tags_of_those_that_hear_one_kind_only(listen: Any) -> None:
    _, out, _ = listen("--jsonl", *of("musicnn-mtt", "silero-vad"))
    _, alone, _ = listen("--jsonl", *of("musicnn-mtt"))
    told = [(line["start_s"], line["kind"], line["fits"]) for line in lines(out) if line["kind"]]
    assert told == [(line["start_s"], line["kind"], line["fits"]) for line in lines(alone)]
    assert {line["fits"] for line in lines(out) if line["model"] == "silero-vad"} == {None}


def test_events_of_one_stand_beside_tags_of_another(listen: Any, tmp_path: Path) -> None:
    pipeline = fa.Pipeline.load("musicnn-msd")
    (pipeline >> fa.Events(onset=[0.2])).save(tmp_path / "card.json")
    status, out, _ = listen(*of("musicnn-mtt", str(tmp_path / "card.json")))
    assert status == 0
    assert " musicnn-mtt: " in out
    assert " musicnn-msd: " in out
    status, _, err = listen("--csv", *of("musicnn-mtt", str(tmp_path / "card.json")))
    assert status == 2
    assert err.startswith("fastaudio: listen: expected models that all give events, or all tags, for --csv")


def test_tables_say_which_model_a_row_is_of(listen: Any) -> None:
    _, out, _ = listen("--csv", "--top", 1, *of("musicnn-mtt", "musicnn-msd"))
    assert {row["model"] for row in csv.DictReader(io.StringIO(out))} == {"musicnn-mtt", "musicnn-msd"}
    _, out, _ = listen("--audacity", "--onset", 0.2, *of("musicnn-mtt", "musicnn-msd"))
    models = {line.split("\t")[2].removeprefix("? ").split(":")[0] for line in out.splitlines()}
    assert models == {"musicnn-mtt", "musicnn-msd"}


def test_the_same_model_twice_is_refused(listen: Any) -> None:
    status, _, err = listen(*of("musicnn-mtt", "musicnn-mtt"))
    assert status == 2
    assert "expected each --model once, got musicnn-mtt and musicnn-mtt; leave one out" in err


def test_models_of_one_name_are_told_apart(tagger: fa.Pipeline) -> None:
    assert named({"a/card.json": tagger, "b/card.json": tagger}) == ["musicnn-mtt", "musicnn-mtt 2"]
    assert named({"a/card.json": tagger}) == ["musicnn-mtt"]
    nameless = fa.Pipeline(tagger.node)
    assert named({"a/x.json": nameless, "b/x.json": nameless}) == ["x", "x 2"]
    assert named({"a/x.json": nameless}) == [None]


def counts(node: fa.Node) -> dict[str, int]:
    """Return how often a graph has each kind of node."""
    text = json.dumps(node.to_dict())
    return {name: text.count(f'"{name}"') for name in ("MelSpectrogram", "Resample", "OnnxModel")}


def test_a_front_end_that_models_share_is_computed_once(tagger: fa.Pipeline) -> None:
    other, voice = fa.Pipeline.load("musicnn-msd"), fa.Pipeline.load("silero-vad")
    made, outputs = together({"a": tagger, "v": voice, "b": other}, 48_000)
    assert counts(made.node) == {"MelSpectrogram": 1, "Resample": 1, "OnnxModel": 3}  # its own Resample
    assert set(outputs) == {"a", "v", "b"}
    assert made.sample_rate == 16_000


@pytest.mark.parametrize("rate", [48_000, 22_050, 16_000])
def test_models_of_several_rates_have_their_own_numbers(rate: int, tagger: fa.Pipeline) -> None:
    mel = {"n_fft": 512, "hop_length": 256, "n_mels": 8}
    low, high = (
        fa.Pipeline(fa.MelSpectrogram(sample_rate=hz, **mel) >> fa.Log(), quality=quality)
        for hz, quality in ((22_050, "high"), (8_000, "fast"))
    )
    pipelines = {"tags": tagger, "low": low, "high": high, "twin": low}
    made, outputs = together(pipelines, rate)
    assert outputs["twin"] == outputs["low"]
    sound = np.random.default_rng(5).uniform(-0.5, 0.5, 4 * rate).astype(np.float32)
    result = made(sound, sample_rate=rate)
    for name, pipeline in pipelines.items():
        want, got = pipeline(sound, sample_rate=rate), result[outputs[name]]
        if name == "tags":
            assert np.array_equal(got.silent, want.silent)
            want, got = want.scores, got.scores
        assert np.array_equal(got, want)


def test_models_that_take_other_channels_or_levels_are_refused(tagger: fa.Pipeline) -> None:
    right = fa.Pipeline(tagger.node, channel=1)
    with pytest.raises(ValueError, match=r"--model: expected models with the same channel, got 1 and None;"):
        together({"a": tagger, "b": right}, 16_000)
    loud = fa.Pipeline(tagger.node, silence_db=-20)
    with pytest.raises(ValueError, match="the same silence_db"):
        together({"a": tagger, "b": loud}, 16_000)


def test_a_model_of_several_outputs_keeps_their_names(tagger: fa.Pipeline) -> None:
    *parts, tags = tagger.node.parts()
    two = fa.Pipeline(fa.Sequential(parts) >> {"a": tags >> fa.Events(onset=[0.3]), "b": tags})
    ears = Ears([Ear("two", two), Ear("one", tagger)], 16_000)
    sound = decode(GUITAR)[0][: 5 * RATE].mean(axis=1)
    with ears.pipeline.live(RATE) as stream:
        stream.push(sound)
        stream.finish()
        told = [(ear.name, item.output) for each in stream for ear, item, _ in ears.take(each)]
    assert set(told) == {("two", "a"), ("two", "b"), ("one", "")}
