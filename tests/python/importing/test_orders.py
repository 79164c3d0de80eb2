"""The axes of a network are never guessed where its sizes speak against it, and a doubt is told."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest
from fastaudio import importing, presets
from fastaudio.cli import main
from fastaudio.importing.plain import other_orders
from helpers import WEIGHTS

pytest.importorskip("onnx")
import onnxruntime
from importing_helpers import dense, dense_weights, numbers, write, write_embedder, write_json
from onnx import helper

if TYPE_CHECKING:
    from pathlib import Path

LABELS = ["a", "b", "c"]
RANGE = {"min": [-16.0], "max": [4.0]}


def tagger(path: Path, shape: list[int | str], axes: list[int], bands: int) -> Path:
    """Write a network of scores: the mean over some axes, and a dense layer of the one that is left."""
    nodes = [
        helper.make_node("ReduceMean", ["x"], ["mean"], axes=axes, keepdims=0),
        *dense("mean", "prob", "Sigmoid"),
    ]
    return write(path, nodes, ("x", shape), {"prob": ["n", 3]}, dense_weights("prob", bands, 3, 0))


@pytest.mark.parametrize("preset", ["vggish", "yamnet", "vggish_essentia"])
def test_time_is_put_where_an_input_states_a_size_by_layout_only(preset: str) -> None:
    labels = [f"tag {i}" for i in range(50)]
    message = (
        r"expected an input for patches of 96 x 64, as the preset \w+ gives them, got \? x \? x 96; name"
    )
    with pytest.raises(fa.ModelError, match=message) as told:
        importing.from_onnx(WEIGHTS, preset, labels=labels)
    (layout,) = re.findall(r"--layout (\w+)", str(told.value))
    pipeline = importing.from_onnx(WEIGHTS, preset, labels=labels, layout=layout)
    assert pipeline.output_specs[""].labels == labels


@pytest.mark.parametrize(
    ("shape", "axes", "bands"),
    [
        (["n", 1, 96, "f"], [1, 2], 96),
        (["n", 1, "t", 96], [1, 2], 96),
        (["n", "t", 96, 1], [1, 3], 96),
        (["n", 96, "f"], [2], 96),
    ],
)
def test_other_inputs_with_a_size_of_time_alone_are_refused(
    tmp_path: Path, shape: list[int | str], axes: list[int], bands: int
) -> None:
    network = tagger(tmp_path / "net.onnx", shape, axes, bands)
    with pytest.raises(fa.ModelError, match=r"expected an input for patches of 96 x 64, .*--layout n"):
        importing.from_onnx(network, "vggish", labels=LABELS)


def test_an_essentia_front_end_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    network = write_embedder(tmp_path / "net.onnx", ("x", ["n", "t", 96]), 96, "embeddings", 30)
    outputs = {"model/Sigmoid": "predictions"}
    classes = [f"class {i}" for i in range(50)]
    about = write_json(tmp_path / "net.json", "TensorflowPredictVGGish", classes, outputs)
    with pytest.raises(
        fa.ModelError, match=r"expected an input for patches of 96 x 64, .*name the front end"
    ):
        importing.from_essentia(network, metadata=about)


@pytest.mark.parametrize(
    ("shape", "others"),
    [
        (["n", 96, 96], ["nft"]),
        (["n", None, None], ["nft"]),
        (["n", 1, 96, 96], ["n1ft"]),
        (["n", "t", 96], []),
    ],
)
def test_orders_that_fit_as_well_are_told(
    tmp_path: Path, shape: list[int | str], others: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    network = tagger(tmp_path / "net.onnx", shape, [*range(1, len(shape) - 1)], 96)
    (tmp_path / "l.txt").write_text("a\nb\nc\n", encoding="utf-8")
    options = [f"--option={name}={value[0]}" for name, value in RANGE.items()]
    arguments = ["import", str(network), "--preset", "ae_w2v", *options, "--labels", str(tmp_path / "l.txt")]
    main([*arguments, "-o", str(tmp_path / "m")])
    out = capsys.readouterr().out
    assert ("fits in several orders of axes" in out) is bool(others)
    for layout in others:
        assert f"--layout {layout}" in out
        main([*arguments, "-o", str(tmp_path / layout), "--layout", layout])
        assert "fits in several orders" not in capsys.readouterr().out
        assert fa.Pipeline.load(tmp_path / layout).node.parts()[-2].layout == layout


def test_an_order_in_which_the_network_does_not_run_is_no_doubt(tmp_path: Path) -> None:
    network = tagger(tmp_path / "net.onnx", ["n", None, None], [1], 64)
    pipeline = importing.from_onnx(network, "vggish", labels=LABELS)
    assert other_orders(pipeline, "vggish") == ""
    other = tagger(tmp_path / "other.onnx", ["n", None, None], [1], 96)
    with pytest.raises(fa.ModelError, match=r"taken in the order ntf: name the preset .*--layout nft\)"):
        importing.from_onnx(other, "vggish", labels=LABELS)


@pytest.mark.parametrize("layout", ["nft", "n1tf", "tf", "ntt", "x", "n" * 300])
def test_a_layout_that_does_not_fit_is_told_with_one_that_does(tmp_path: Path, layout: str) -> None:
    network = tagger(tmp_path / "net.onnx", ["n", 96, 64], [1], 64)
    with pytest.raises(
        fa.ModelError, match=r"expected a layout in which .* it fits by --layout ntf$"
    ) as told:
        importing.from_onnx(network, "yamnet", labels=LABELS, layout=layout)
    assert len(str(told.value)) < 600
    assert importing.from_onnx(network, "yamnet", labels=LABELS, layout="ntf").output_specs


@pytest.mark.parametrize("batch", [["n"], [1], []])
def test_statistics_become_a_vector_for_a_network_of_vectors(tmp_path: Path, batch: list[Any]) -> None:
    shape = [*batch, 120]
    nodes = [
        helper.make_node("Reshape", ["x", "flat"], ["r"]),
        helper.make_node("MatMul", ["r", "w"], ["g"]),
        helper.make_node("Sigmoid", ["g"], ["prob"]),
    ]
    weights = {"flat": np.array([-1, 120]), "w": numbers(120, 3, scale=0.01)}
    network = write(tmp_path / "net.onnx", nodes, ("x", shape), {"prob": ["n", 3]}, weights)  # type: ignore[arg-type]
    pipeline = importing.from_onnx(network, "mfcc_statistics", labels=LABELS)
    importing.save(pipeline, tmp_path / "m")
    x = np.random.default_rng(0).uniform(-0.3, 0.3, 44_000).astype(np.float32)
    rows = presets.mfcc_statistics()(x).reshape([1] * len(batch) + [120])
    (want,) = onnxruntime.InferenceSession(network, providers=["CPUExecutionProvider"]).run(None, {"x": rows})
    got = fa.Pipeline.load(tmp_path / "m")(x, sample_rate=22_000)
    assert np.abs(got.scores - want).max() < 1e-6


def test_scores_may_be_any_tensor_of_the_graph(tmp_path: Path) -> None:
    network = tagger(tmp_path / "net.onnx", ["n", 96, 64], [1], 64)
    pipeline = importing.from_onnx(
        network, "yamnet", labels=LABELS, output="prob_before", activation="sigmoid"
    )
    plain = importing.from_onnx(network, "yamnet", labels=LABELS)
    x = np.random.default_rng(0).uniform(-0.3, 0.3, 32_000).astype(np.float32)
    assert np.abs(pipeline(x, sample_rate=16_000).scores - plain(x, sample_rate=16_000).scores).max() < 1e-6
    inner = write_embedder(tmp_path / "emb.onnx", ("x", ["n", 96, 64]), 64, "embeddings", 30)
    outputs = {"embeddings": "", "model/Sigmoid_before": "predictions"}
    classes = [f"class {i}" for i in range(50)]
    about = write_json(tmp_path / "net.json", "TensorflowPredictVGGish", classes, outputs)
    got = importing.from_essentia(inner, metadata=about, activation="sigmoid")
    assert got.output_specs[""].labels == classes
    assert got.node.parts()[3].outputs == ["model/Sigmoid_before"]


@pytest.mark.parametrize("seconds", [4.0, 10.0, 23.4])
def test_frames_of_a_network_of_any_length_see_the_sound_around_them(tmp_path: Path, seconds: float) -> None:
    reach = 100
    nodes = [
        helper.make_node("Transpose", ["x"], ["t"], perm=[0, 2, 1]),
        helper.make_node("Conv", ["t", "w"], ["c"], pads=[reach, reach]),
        helper.make_node("Sigmoid", ["c"], ["s"]),
        helper.make_node("Transpose", ["s"], ["prob"], perm=[0, 2, 1]),
    ]
    weights = {"w": numbers(3, 64, 2 * reach + 1, scale=0.001)}
    network = write(tmp_path / "net.onnx", nodes, ("x", ["n", "t", 64]), {"prob": ["n", "t", 3]}, weights)
    x = np.random.default_rng(0).uniform(-0.3, 0.3, round(32_000 * seconds)).astype(np.float32)
    frames = presets.panns()(x)
    session = onnxruntime.InferenceSession(network, providers=["CPUExecutionProvider"])
    want = session.run(None, {"x": frames[None]})[0][0]
    got = importing.from_onnx(network, "panns", labels=LABELS)(x, sample_rate=32_000).scores
    assert got.shape == want.shape
    assert np.abs(got - want)[:-reach].max() < 1e-5
    apart = importing.from_onnx(network, "panns", labels=LABELS, hop_s=10)(x, sample_rate=32_000).scores
    assert seconds < 20 or np.abs(apart - want)[:-reach].max() > 0.01


def test_the_values_of_a_regression_are_no_scores(tmp_path: Path) -> None:
    network = write_embedder(
        tmp_path / "net.onnx", ("x", ["n", 96, 64]), 64, "embeddings", 30, scores="model/Identity", n_scores=2
    )
    about = write_json(
        tmp_path / "net.json",
        "TensorflowPredictVGGish",
        ["valence", "arousal"],
        {"model/Identity": "predictions"},
    )
    about.write_text(about.read_text().replace("multi-class classifier", "Regression"))
    pipeline = importing.from_essentia(network, metadata=about)
    importing.save(pipeline, tmp_path / "m")
    loaded = fa.Pipeline.load(tmp_path / "m")
    (spec,) = loaded.output_specs.values()
    assert (spec.labels, spec.shape) == ([], (2,))
    said = loaded.card["outputs"]["model/Identity"]
    assert said["purpose"] == "values of valence, arousal, in this order"
    scores = importing.from_essentia(network, metadata=about, activation="sigmoid")
    assert scores.output_specs[""].labels == ["valence", "arousal"]
    about.write_text(about.read_text().replace('"valence", ', ""))
    with pytest.raises(fa.ModelError, match="got 1; give"):
        importing.from_essentia(network, metadata=about)
