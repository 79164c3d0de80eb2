"""Pipeline.layer: any output of the network, as a pipeline composed by hand gives it."""

from __future__ import annotations

from typing import Any

import fastaudio as fa
import numpy as np
import pytest
from helpers import GUITAR, MODEL_NAMES, ONNX, WEIGHTS, decode, musicnn_front

RATE = 16_000
LENGTH = 187  # rows per patch


def parts_of(pipeline: fa.Pipeline) -> list[fa.Node]:
    """Return the nodes of a pipeline that is a chain."""
    node = pipeline.node
    assert isinstance(node, fa.Sequential)
    return [node[i] for i in range(len(node))]


@pytest.mark.parametrize("name", ["penultimate", "taggram", "timbral"])
def test_a_layer_is_what_is_composed_by_hand_bit_for_bit(tagger: fa.Pipeline, name: str) -> None:
    net = fa.OnnxModel(str(WEIGHTS), outputs=[name])
    by_hand = fa.Pipeline(musicnn_front() >> fa.Patches(length=LENGTH, hop=LENGTH) >> net)
    want = by_hand(GUITAR)
    got = tagger.layer(name)(GUITAR)
    assert got.shape == want.shape
    assert got.tobytes() == want.tobytes()


def test_names_are_the_cards_in_its_order(tagger: fa.Pipeline) -> None:
    assert tagger.layers == tuple(tagger.card["outputs"])
    assert tagger.layer("penultimate").layers == tagger.layers
    assert tagger.layer("taggram").layer("penultimate").node == tagger.layer("penultimate").node


@pytest.mark.parametrize("model", [*MODEL_NAMES, "silero-vad"])
def test_every_layer_gives_the_shape_that_the_card_states(model: str) -> None:
    pipeline = fa.Pipeline.load(model)
    assert set(pipeline.layers) <= set(pipeline.card["outputs"])
    assert pipeline.layers
    sound, rate = decode(GUITAR, 7)
    for name in pipeline.layers:
        shape = pipeline.card["outputs"][name]["shape"]
        rows = pipeline.layer(name)(sound, sample_rate=rate, layout="samples_channels")
        assert list(rows.shape[1:]) == [LENGTH if n == "frames" else n for n in shape], name
        assert len(rows) >= 2
        assert np.isfinite(rows).all()
        assert np.ptp(rows) > 0


@pytest.mark.parametrize(("model", "name"), [("musicnn-mtt", "taggram"), ("silero-vad", "output")])
def test_the_last_layer_has_the_tags_scores_and_unit(model: str, name: str) -> None:
    pipeline = fa.Pipeline.load(model)
    layer = pipeline.layer(name)
    assert layer(GUITAR).tobytes() == pipeline(GUITAR).scores.tobytes()
    assert layer.output_specs[name].unit == "probability"
    assert not layer.output_specs[name].labels


@pytest.mark.parametrize(
    ("model", "name"), [("musicnn-mtt", "penultimate"), ("vgg-msd", "flat"), ("silero-vad", "output")]
)
def test_without_a_name_it_is_the_cards_first_embedding_or_the_first(model: str, name: str) -> None:
    pipeline = fa.Pipeline.load(model)
    assert pipeline.layer().node == pipeline.layer(name).node
    assert fa.Pipeline(pipeline.node).layer().node == pipeline.layer(pipeline.layers[0]).node


def test_recurrent_state_is_no_layer() -> None:
    with pytest.raises(ValueError, match=r"^Pipeline\.layer: expected one of output, got 'stateN', a state$"):
        fa.Pipeline.load("silero-vad").layer("stateN")


def test_front_end_and_metadata_are_kept(tagger: fa.Pipeline) -> None:
    left = fa.Pipeline(tagger.node, channel=0, quality="best", card=tagger.card).layer("penultimate")
    assert (left.name, left.channel, left.quality) == ("musicnn-mtt", 0, "best")
    assert left.card["citation"] == tagger.card["citation"]
    assert parts_of(left)[:3] == parts_of(tagger)[:3]
    assert all(a is b for a, b in zip(parts_of(left)[:3], parts_of(tagger)[:3], strict=True))
    assert (left.latency_s, left.receptive_field_s) == (tagger.latency_s, tagger.receptive_field_s)


def test_a_saved_layer_is_loaded_again(tagger: fa.Pipeline, tmp_path: Any) -> None:
    layer = tagger.layer("penultimate")
    layer.save(tmp_path / "embedder.json")
    again = fa.Pipeline.load(tmp_path / "embedder.json")
    assert again(GUITAR).tobytes() == layer(GUITAR).tobytes()
    assert again.layers == tagger.layers


def test_with_hop_goes_before_or_after(tagger: fa.Pipeline) -> None:
    one, other = tagger.with_hop(1).layer("penultimate"), tagger.layer("penultimate").with_hop(1)
    assert one.node == other.node
    rows = one(GUITAR)
    assert rows.shape == (8, 200)
    assert rows.tobytes() == other(GUITAR).tobytes()


def test_live_rows_are_those_of_the_file(tagger: fa.Pipeline) -> None:
    samples, rate = decode(GUITAR)
    pipeline = tagger.layer("penultimate")
    with pipeline.live(rate, channels=2) as stream:
        for start in range(0, len(samples), 4410):
            stream.push(samples[start : start + 4410])
        stream.finish()
        rows = np.concatenate([frames.rows for frames in stream])
    np.testing.assert_allclose(rows, pipeline(GUITAR), rtol=0, atol=1e-5)


def model(name: str, **options: Any) -> fa.OnnxModel:
    """Return a tiny network made for tests."""
    return fa.OnnxModel(str(ONNX / f"{name}.onnx"), **options)


def front() -> fa.Node:
    """Return rows that the tiny network `outputs` takes."""
    return fa.MelSpectrogram(sample_rate=RATE, n_mels=3) >> fa.Patches(length=4)


def test_what_comes_after_the_last_network_is_left_out() -> None:
    net = model("outputs", outputs=["triple"])
    pipeline = fa.Pipeline(front() >> net >> fa.Log() >> fa.Mean())
    assert pipeline.layers == ("double", "triple", "peak")
    assert pipeline.layer("triple").node == front() >> net


@pytest.mark.parametrize(
    "node",
    [
        front() >> {"net": model("outputs") >> fa.Log(), "rows": fa.Log()},
        front() >> fa.Concat(fa.Log(), model("outputs") >> fa.Log()),
    ],
)
def test_the_only_branch_with_a_network_is_taken(node: fa.Node) -> None:
    got = fa.Pipeline(node).layer("double")
    assert got.node == front() >> model("outputs", outputs=["double"])
    assert list(got.output_specs) == ["double"]


def test_a_films_content_is_a_branch_too() -> None:
    condition = {"gamma": fa.Normalize(), "beta": fa.L2Normalize()}
    node = front() >> fa.Film(model("outputs", outputs=["triple"]), fa.L2Normalize() >> condition)
    assert fa.Pipeline(node).layer("double").node == front() >> model("outputs", outputs=["double"])


def test_several_networks_in_branches_are_refused() -> None:
    pipeline = fa.Pipeline(front() >> {"a": model("outputs"), "b": model("outputs")})
    assert pipeline.layers == ()
    with pytest.raises(
        ValueError, match=r"^Pipeline\.layer: expected a pipeline with one network, got 2 in branches; "
    ):
        pipeline.layer("double")


def test_a_pipeline_without_a_network_is_refused() -> None:
    pipeline = fa.Pipeline(front())
    assert pipeline.layers == ()
    with pytest.raises(ValueError, match=r"expected a pipeline with one network, got none$"):
        pipeline.layer("double")


@pytest.mark.parametrize("name", ["nope", "", 3])
def test_an_unknown_name_is_refused_with_the_known_ones(tagger: fa.Pipeline, name: Any) -> None:
    with pytest.raises(ValueError, match=r"^Pipeline\.layer: expected one of taggram, penultimate, .*, got "):
        tagger.layer(name)
