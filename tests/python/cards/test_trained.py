"""Untrained weights: whatever gives rows runs, whatever gives tags is refused unless asked for."""

from __future__ import annotations

import json
import pickle
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest
from fastaudio import cli
from helpers import GUITAR, ONNX

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

REFUSED = (
    r"^random: expected trained weights, got untrained ones, whose tags mean nothing; "
    r"load with untrained=True \(--untrained\) to run it anyway$"
)
SOUND = np.zeros(16_000, dtype=np.float32)


@pytest.fixture(params=["random.json", "random.onnx"])
def path(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A card that says that its weights are untrained, with its network beside it or packed."""
    mel = fa.MelSpectrogram(sample_rate=16_000, n_fft=512, n_mels=3)
    net = fa.OnnxModel(str(ONNX / "nft.onnx"), layout="nft")
    node = mel >> fa.Patches(length=4) >> net >> fa.Tags(["loudness"])
    place: Path = tmp_path / request.param
    fa.Pipeline(node, card={"weights": "untrained"}).save(place)
    return place


def swap(pipeline: fa.Pipeline) -> None:
    """Exchange a trained model that runs for this one."""
    trained = fa.Pipeline(pipeline.node)
    with trained.live(16_000) as stream:
        stream.swap(pipeline)


# Each way in which tags come out.
RUNS: dict[str, Callable[[fa.Pipeline], Any]] = {
    "call with a file": lambda pipeline: pipeline(GUITAR),
    "call with samples": lambda pipeline: pipeline(SOUND, sample_rate=16_000),
    "open": lambda pipeline: pipeline.open(sample_rate=44_100, channels=2),
    "live": lambda pipeline: pipeline.live(16_000).close(),
    "swap": swap,
    "listen": lambda pipeline: pipeline.listen(fa.FileSource(str(GUITAR)), overflow="block").close(),
    "map": lambda pipeline: list(pipeline.map([GUITAR, GUITAR])),
    "map, before anything is taken from it": lambda pipeline: pipeline.map([]),
}
# Each way to another pipeline of the same weights.
WAYS: dict[str, Callable[[fa.Pipeline], fa.Pipeline]] = {
    "itself": lambda pipeline: pipeline,
    "events": lambda pipeline: pipeline >> fa.Sigmoid() >> fa.Events(onset=0.5),
    "branches": lambda pipeline: (
        pipeline >> {"now": fa.Max(), "events": fa.Sigmoid() >> fa.Events(onset=0.5)}
    ),
    "hop": lambda pipeline: pipeline.with_hop(0.1),
    "layer and other tags": lambda pipeline: pipeline.layer(pipeline.layers[0]) >> fa.Tags(["noise"]),
    "pickle": lambda pipeline: pickle.loads(pickle.dumps(pipeline)),  # noqa: S301
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("run", RUNS)
def test_tags_by_untrained_weights_are_refused_in_every_way(run: str, way: str, path: Path) -> None:
    with pytest.raises(fa.ModelError, match=REFUSED):
        RUNS[run](WAYS[way](fa.Pipeline.load(path)))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("run", [run for run in RUNS if run != "swap"])
def test_asked_for_they_come_in_every_way(run: str, way: str, path: Path) -> None:
    result = RUNS[run](WAYS[way](fa.Pipeline.load(path, untrained=True)))
    assert not isinstance(result, list) or not any(isinstance(one, Exception) for one in result)


def test_asked_for_they_may_be_swapped_in(path: Path) -> None:
    swap(fa.Pipeline.load(path, untrained=True))


def test_untrained_weights_load_print_and_give_rows(path: Path) -> None:
    pipeline = fa.Pipeline.load(path)
    assert "Tags" in str(pipeline)
    assert pipeline.latency_s > 0
    rows = pipeline.layer(pipeline.layers[0])
    want = fa.Pipeline(pipeline.node)(SOUND, sample_rate=16_000).scores  # a card is what says it
    assert np.array_equal(rows(SOUND, sample_rate=16_000), want)
    assert rows.open(sample_rate=16_000).push(SOUND).shape[1] == 1


def test_save_keeps_the_cards_word_and_not_the_callers(path: Path, tmp_path: Path) -> None:
    for name in ("again.json", "again.onnx"):
        fa.Pipeline.load(path, untrained=True).save(tmp_path / "saved" / name)
        again = fa.Pipeline.load(tmp_path / "saved" / name)
        assert again.card["weights"] == "untrained"
        with pytest.raises(fa.ModelError, match="expected trained weights"):
            again(GUITAR)


def test_trained_weights_need_no_word(path: Path) -> None:
    node = fa.Pipeline.load(path).node
    for card in ({}, {"weights": "trained"}):
        assert len(fa.Pipeline(node, card=card)(GUITAR))


@pytest.mark.parametrize("value", ["Untrained", "", None, True, 1, ["untrained"], {}])
def test_any_other_word_is_refused(value: Any, path: Path, tmp_path: Path) -> None:
    fa.Pipeline.load(path).save(tmp_path / "spoilt.json")
    data = json.loads((tmp_path / "spoilt.json").read_text(encoding="utf-8"))
    (tmp_path / "spoilt.json").write_text(json.dumps(data | {"weights": value}), encoding="utf-8")
    with pytest.raises(
        fa.ModelError, match=r"spoilt\.json: expected 'weights' as 'trained' or 'untrained', got "
    ):
        fa.Pipeline.load(tmp_path / "spoilt.json")


def test_the_command_line_asks_too(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for command in (["tag", str(GUITAR)], ["listen", "--realtime", str(GUITAR), "--seconds", "0.5"]):
        where = ["--model", str(path)]
        assert cli.main([*command, *where]) == 2
        said = capsys.readouterr()
        assert said.out == ""
        assert said.err.startswith("fastaudio: random: expected trained weights, got untrained ones")
        assert cli.main([*command, *where, "--untrained"]) == 0
        assert "loudness" in capsys.readouterr().out
    assert cli.main(["models", str(path)]) == 0
    assert "\nweights      untrained\n" in capsys.readouterr().out
