"""A head's labels beside its network's classes: the network's own weights, and cosines that find pairs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import onnx
import pytest
from fastaudio import heads
from fastaudio.heads import plots, source
from fastaudio.heads.classifier import Classifier, train
from heads_helpers import LINEAR, embedder, write_network, write_tones
from onnx import TensorProto, helper, numpy_helper

if TYPE_CHECKING:
    from pathlib import Path

CLASSES = ["wind", "rain", "dog"]


@pytest.mark.parametrize(("model", "layer"), [("musicnn-mtt", "penultimate"), ("vgg-msd", "flat")])
def test_weights_are_those_that_make_the_models_scores_of_the_layer(
    model: str, layer: str, guitar_16k: Any
) -> None:
    pipeline = fa.Pipeline.load(model)
    weights = source.class_weights(pipeline, layer)
    rows = np.asarray(pipeline.layer(layer)(guitar_16k, sample_rate=16_000))
    scores = pipeline(guitar_16k, sample_rate=16_000).scores.astype(np.float64)
    logits = np.log(scores / (1 - scores))
    biases = logits - rows @ weights.T
    np.testing.assert_allclose(biases, np.broadcast_to(biases[0], biases.shape), atol=0.02)
    assert np.ptp(logits, axis=0).max() > 0.2, "the windows differ, so equal biases say something"


def tagger(path: Path, nodes: list[Any], extra: list[Any] | None = None) -> fa.Pipeline:
    """Return a pipeline of tags whose network has these nodes from "rows" [n, 4] to "scores" [n, 3]."""
    rng = np.random.default_rng(0)
    weights = rng.normal(size=(4, 3)).astype(np.float32)
    kept = [
        numpy_helper.from_array(weights, "w"),
        numpy_helper.from_array(weights.T.copy(), "turned"),
        numpy_helper.from_array(np.ones(3, np.float32), "b"),
        *(extra or []),
    ]
    sizes = {"rows": 4, "scores": 3}
    info = {
        name: helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", size])
        for name, size in sizes.items()
    }
    graph = helper.make_graph(nodes, "g", [info["rows"]], [info["scores"]], kept)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    path.write_bytes(model.SerializeToString())
    net = fa.OnnxModel(str(path), outputs=["scores"], units=["probability"])
    front = fa.MelSpectrogram(sample_rate=8000, n_fft=256, hop_length=128, n_mels=4)
    return fa.Pipeline(front >> net >> fa.Tags(CLASSES), card={"name": "weather"})


@pytest.mark.parametrize(
    "nodes",
    [
        [("MatMul", ["rows", "w"], "x"), ("Add", ["x", "b"], "y"), ("Sigmoid", ["y"], "scores")],
        [("MatMul", ["rows", "w"], "x"), ("Add", ["b", "x"], "y"), ("Softmax", ["y"], "scores")],
        [("Identity", ["rows"], "r"), ("Gemm", ["r", "turned", "b"], "x"), ("Sigmoid", ["x"], "scores")],
        [("Gemm", ["rows", "w", "b"], "scores")],
    ],
    ids=["matmul", "bias first", "turned", "logits"],
)
def test_the_same_layer_is_found_however_it_is_written(nodes: list[Any], tmp_path: Path) -> None:
    made = [
        helper.make_node(kind, inputs, [output], **({"transB": 1} if "turned" in inputs else {}))
        for kind, inputs, output in nodes
    ]
    want = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32).T
    assert np.array_equal(source.class_weights(tagger(tmp_path / "net.onnx", made), "rows"), want)


def test_more_than_a_dense_layer_is_refused(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Relu", ["rows"], ["r"]),
        helper.make_node("MatMul", ["r", "w"], ["x"]),
        helper.make_node("Sigmoid", ["x"], ["scores"]),
    ]
    with pytest.raises(ValueError, match="expected one dense layer between 'rows' and the scores of weather"):
        source.class_weights(tagger(tmp_path / "net.onnx", nodes), "rows")
    with pytest.raises(ValueError, match="expected a model of one network with labels"):
        source.class_weights(embedder(write_network(tmp_path / "other.onnx")), "embedding")
    with pytest.raises(ValueError, match="expected one dense layer between 'mean_pool' and the scores"):
        source.class_weights(fa.Pipeline.load("musicnn-mtt"), "mean_pool")


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    """Return a linear head whose three labels are the network's classes in another order."""
    rng = np.random.default_rng(1)
    which = np.arange(300) % 3
    rows = (rng.normal(size=(300, 8)) + 2 * np.eye(8)[which]).astype(np.float32)
    return train(rows, np.eye(3, dtype=bool)[(which + 1) % 3], np.ones(300), LINEAR)


def test_cosines_find_the_class_that_a_label_means(classifier: Classifier) -> None:
    found = source.cosines(classifier, np.eye(3, 8))
    assert found.shape == (3, 3)
    assert found.argmax(axis=0).tolist() == [2, 0, 1]
    assert (np.abs(found) <= 1 + 1e-9).all()
    vectors = classifier.layers[-1][0].T
    sides = [
        (x - x.mean(axis=0)) / np.where(x.std(axis=0) > 0, x.std(axis=0), 1) for x in (np.eye(3, 8), vectors)
    ]
    unit = [x / np.linalg.norm(x, axis=1, keepdims=True) for x in sides]
    np.testing.assert_allclose(found, unit[0] @ unit[1].T)


def test_a_head_of_two_layers_is_refused(classifier: Classifier) -> None:
    two = replace(classifier, layers=((np.ones((8, 5)), np.zeros(5)), (np.ones((5, 3)), np.zeros(3))))
    with pytest.raises(ValueError, match="got one whose last layer has 5; train it with kind='linear'"):
        source.cosines(two, np.eye(3, 8))


def test_a_head_names_its_networks_classes_and_draws_its_labels(tmp_path: Path) -> None:
    write_tones(tmp_path, ["low", "middle", "high"], 3, duration_s=3.0)
    head = heads.fit("musicnn-mtt", *heads.labelled_files(tmp_path), folds=2, layer="penultimate")
    classes, labels, cosines = head.source_similarity()
    assert classes == list(fa.Pipeline.load("musicnn-mtt").output_specs[""].labels)
    assert labels == list(head.labels)
    assert cosines.shape == (50, 3)
    again = head.source_similarity(fa.Pipeline.load("musicnn-mtt"))[2]
    assert np.array_equal(cosines, again)
    head.plot_labels(tmp_path / "labels.png")
    assert (tmp_path / "labels.png").read_bytes().startswith(b"\x89PNG")


def test_many_labels_are_drawn_by_t_sne(tmp_path: Path) -> None:
    vectors = np.random.default_rng(0).normal(size=(12, 20))
    plots.plot_labels(tmp_path / "many.png", [f"$label_{k}" for k in range(12)], vectors)
    assert (tmp_path / "many.png").stat().st_size > 5_000


def test_no_file_but_the_network_is_read(tmp_path: Path) -> None:
    nodes = [helper.make_node("MatMul", ["rows", "w"], ["scores"])]
    pipeline = tagger(tmp_path / "net.onnx", nodes)
    model = onnx.load(tmp_path / "net.onnx")
    assert not any(one.data_location for one in model.graph.initializer)
    model.graph.initializer[0].data_location = TensorProto.EXTERNAL
    model.graph.initializer[0].external_data.add(key="location", value="../secret")
    content = model.SerializeToString()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(source, "read_network", lambda *_: content)
        with pytest.raises(ValueError, match="expected the weights within weather's file, got none there"):
            source.class_weights(pipeline, "rows")
