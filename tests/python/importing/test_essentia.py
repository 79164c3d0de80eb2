"""Models of Essentia, made by hand with the published names and shapes, are imported without a difference."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest
from fastaudio import cards, heads, importing, presets
from helpers import GUITAR, decode

pytest.importorskip("onnx")
import onnx
import onnxruntime
from importing_helpers import DENSE, GENRES, SOFTMAX, write_embedder, write_head, write_json

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

MUSICNN = {"algorithm": "TensorflowPredictMusiCNN", "model_name": "msd-musicnn-1", "link": ""}
MUSICNN_INPUT: Any = ("model/Placeholder", ["n", 187, 96])


@pytest.fixture(scope="module")
def x() -> NDArray[np.float32]:
    """Return 10 s of a guitar at 16 kHz."""
    samples, rate = decode(GUITAR)
    mono = np.ascontiguousarray(samples.mean(axis=1, dtype=np.float32))
    rows: NDArray[np.float32] = fa.Resample(input_rate=rate, output_rate=16_000)(mono)  # type: ignore[assignment]
    return rows


@pytest.fixture
def head(tmp_path: Path) -> tuple[Path, Path]:
    network = write_head(tmp_path / "head.onnx", 200)
    how = {"embedding_model": MUSICNN}
    return network, write_json(
        tmp_path / "head.json", "TensorflowPredict2D", GENRES, {SOFTMAX: "predictions"}, **how
    )


def session(path: str | Path, feed: dict[str, NDArray[np.float32]], output: str) -> NDArray[np.float32]:
    """Run a network by ONNX Runtime's own package, row by row."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    opened = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    ((name, rows),) = feed.items()
    return np.concatenate([opened.run([output], {name: row[None]})[0] for row in rows])


def test_an_embedding_and_a_head_are_onnx_runtimes(
    tmp_path: Path, head: tuple[Path, Path], x: NDArray[np.float32]
) -> None:
    emb = write_embedder(tmp_path / "emb.onnx", MUSICNN_INPUT, 96, DENSE, 200)
    pipeline = importing.from_essentia(emb, head[0], metadata=head[1])
    importing.save(pipeline, tmp_path / "card")
    tags = fa.Pipeline.load(tmp_path / "card")(x, sample_rate=16_000)
    patches = presets.musicnn_essentia()(x)
    rows = session(emb, {"model/Placeholder": patches}, DENSE)
    want = session(head[0], {"model/Placeholder": rows}, SOFTMAX)
    assert tags.labels == GENRES
    assert len(tags.scores) == len(want) > 3
    assert np.abs(tags.scores - want).max() == 0.0


def test_the_card_says_whose_model_it_is(tmp_path: Path, head: tuple[Path, Path]) -> None:
    emb = write_embedder(tmp_path / "emb.onnx", MUSICNN_INPUT, 96, DENSE, 200)
    importing.save(importing.from_essentia(emb, head[0], metadata=head[1]), tmp_path / "happy")
    card = json.loads((tmp_path / "happy" / "card.json").read_text())
    assert {path.name for path in (tmp_path / "happy").iterdir()} == {"card.json", "emb.onnx", "head.onnx"}
    assert (card["name"], card["task"], card["authors"]) == ("happy", "multi-class classifier", ["A. Author"])
    assert card["trained_on"] == "in-house"
    assert card["outputs"][SOFTMAX] == {"purpose": "score of each label", "unit": "probability", "shape": [8]}
    hashes = [node["sha256"] for node in card["pipeline"] if node["node"] == "OnnxModel"]
    assert hashes == [cards.hash_file(tmp_path / "happy" / name) for name in ("emb.onnx", "head.onnx")]


@pytest.mark.parametrize("given", [("musicnn-msd",), ()])
def test_a_head_on_musicnn_takes_the_shipped_network(
    tmp_path: Path, head: tuple[Path, Path], x: NDArray[np.float32], given: tuple[str, ...]
) -> None:
    pipeline = importing.from_essentia(*given, head[0], metadata=head[1])
    importing.save(pipeline, tmp_path / "card")
    tags = fa.Pipeline.load(tmp_path / "card")(x, sample_rate=16_000)
    patches = presets.musicnn_essentia()(x)
    rows = session(cards.MODELS / "musicnn-msd" / "model.onnx", {"melspectrogram": patches}, "dense")
    want = session(head[0], {"model/Placeholder": rows}, SOFTMAX)
    assert np.abs(tags.scores - want).max() == 0.0
    assert (tmp_path / "card" / "LICENSE").read_bytes() == (
        cards.MODELS / "musicnn-msd" / "LICENSE"
    ).read_bytes()


def test_a_head_may_be_trained_on_dense(tmp_path: Path) -> None:
    pytest.importorskip("sklearn", reason="pip install '.[train]'")
    soundfile = pytest.importorskip("soundfile")
    rng = np.random.default_rng(0)
    files, labels = [], []
    for i in range(4):
        t = np.arange(4 * 16_000) / 16_000
        for label, x in (
            ("tone", 0.3 * np.sin(2 * np.pi * 220 * (i + 1) * t)),
            ("noise", rng.normal(0, 0.1, len(t))),
        ):
            files.append(str(tmp_path / f"{label}{i}.wav"))
            labels.append(label)
            soundfile.write(files[-1], x, 16_000)
    trained = heads.fit("musicnn-msd", files, labels, layer="dense", folds=2)
    trained.save(tmp_path / "mine")
    model = fa.Pipeline.load(tmp_path / "mine")
    assert model.card["head"]["layer"] == "dense"
    assert [model(file).top(1)[0][0] for file in files] == labels


def test_an_embedding_after_the_relu_is_refused(tmp_path: Path, head: tuple[Path, Path]) -> None:
    emb = write_embedder(tmp_path / "emb.onnx", MUSICNN_INPUT, 96, "penultimate", 200, relu=True)
    with pytest.raises(
        fa.ModelError, match=r"expected the output model/dense/BiasAdd, which is before the ReLU"
    ):
        importing.from_essentia(emb, head[0], metadata=head[1])
    pipeline = importing.from_essentia(emb, head[0], metadata=head[1], embedding="penultimate")
    assert pipeline.output_specs[""].shape == (8,)


def test_another_shipped_network_than_the_heads_is_refused(head: tuple[Path, Path]) -> None:
    with pytest.raises(fa.ModelError, match=r"expected an embedding of msd-musicnn-1, got musicnn-mtt"):
        importing.from_essentia("musicnn-mtt", head[0], metadata=head[1])


@pytest.mark.parametrize(
    ("algorithm", "shape", "axes", "bands", "preset", "rate"),
    [
        ("TensorflowPredictMusiCNN", ["n", 187, 96], (1,), 96, presets.musicnn_essentia, 16_000),
        ("TensorflowPredictVGGish", ["n", 96, 64], (1,), 64, presets.vggish_essentia, 16_000),
        ("TensorflowPredictEffnetDiscogs", ["n", 128, 96], (1,), 96, presets.effnet_discogs, 16_000),
        (
            "TensorflowPredictMAEST",
            ["n", 316, 96],
            (1,),
            96,
            lambda: presets.maest(length=316, hop=315),
            16_000,
        ),
        ("TensorflowPredictTempoCNN", ["n", 40, 256, 1], (2, 3), 40, presets.tempocnn, 11_025),
        ("TensorflowPredictFSDSINet", ["n", 1, 101, 96], (1, 2), 96, presets.fsd_sinet, 22_050),
        ("TensorflowPredictCREPE", ["n", 1024], (), 1024, presets.crepe, 16_000),
    ],
)
def test_a_network_alone_gets_the_front_end_of_its_algorithm(  # noqa: PLR0917
    tmp_path: Path,
    algorithm: str,
    shape: list[int | str],
    axes: tuple[int, ...],
    bands: int,
    preset: Any,
    rate: int,
) -> None:
    classes = [f"class {i}" for i in range(50)]
    if axes:
        network = write_embedder(tmp_path / "net.onnx", ("x", shape), bands, "embeddings", 30, axes=axes)
    else:
        network = write_head(tmp_path / "net.onnx", bands, 50, source="x", output="model/Sigmoid")
    about = write_json(
        tmp_path / "net.json", algorithm, classes, {"model/Sigmoid": "predictions"}, sample_rate=rate
    )
    pipeline = importing.from_essentia(network, metadata=about)
    parts, front = pipeline.node.parts(), preset().parts()
    assert parts[: len(front)] == front
    x = np.random.default_rng(0).uniform(-0.1, 0.1, 13 * rate).astype(np.float32)
    patches = preset()(x)
    if len(shape) == 4:
        patches = patches.transpose(0, 2, 1)[..., None] if shape[1] == 40 else patches[:, None]
    want = session(network, {"x": patches}, "model/Sigmoid")
    got = pipeline(x, sample_rate=rate)
    assert got.labels == classes
    assert np.abs(got.scores - want).max() == 0.0


@pytest.mark.parametrize(
    ("stated", "has"),
    [
        ("PartitionedCall:1", "PartitionedCall:1"),
        ("PartitionedCall:1", "embeddings"),
        ("PartitionedCall:1", "anything"),
    ],
)
def test_an_embedding_is_found_by_essentias_name_or_by_its_size(
    tmp_path: Path, stated: str, has: str
) -> None:
    emb = write_embedder(
        tmp_path / "emb.onnx", ("melspectrogram", ["n", 128, 96]), 96, has, 1280, n_scores=400
    )
    head = write_head(tmp_path / "head.onnx", 1280, 2, output="PartitionedCall")
    embedder = {"algorithm": "TensorflowPredictEffnetDiscogs", "model_name": "discogs-effnet-bs64-1"}
    about = write_json(
        tmp_path / "head.json",
        "TensorflowPredict2D",
        ["danceable", "not_danceable"],
        {"PartitionedCall:0": "predictions", "model/dense/BiasAdd": ""},
        embedding_model=embedder,
    )
    emb_json = write_json(
        tmp_path / "emb.json", "TensorflowPredictEffnetDiscogs", None, {stated: "embeddings"}
    )
    pipeline = importing.from_essentia(emb, head, metadata=about, embedding_metadata=emb_json)
    assert pipeline.node.parts()[3].outputs == [has]
    assert pipeline.output_specs[""].labels == ["danceable", "not_danceable"]


def test_an_embedding_network_alone_gives_its_embedding(tmp_path: Path) -> None:
    emb = write_embedder(tmp_path / "emb.onnx", ("x", ["n", 128, 96]), 96, "embeddings", 512)
    about = write_json(
        tmp_path / "emb.json", "TensorflowPredictEffnetDiscogs", None, {"embeddings": "embeddings"}
    )
    pipeline = importing.from_essentia(emb, metadata=about)
    assert pipeline(str(GUITAR)).shape == (9, 512)
    assert pipeline.card["outputs"]["embeddings"]["unit"] == "embedding"


def test_predictions_without_classes_are_rows(tmp_path: Path) -> None:
    network = write_head(
        tmp_path / "crepe.onnx", 1024, 360, source="frames", output="model/classifier/Sigmoid"
    )
    outputs = {"model/classifier/Sigmoid": "predictions"}
    about = write_json(tmp_path / "crepe.json", "TensorflowPredictCREPE", None, outputs)
    (spec,) = importing.from_essentia(network, metadata=about).output_specs.values()
    assert spec.shape == (360,)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema": None}, "expected Essentia's description of a model"),
        ({"schema": {"outputs": "x"}}, "expected 'schema' with 'outputs' as a list"),
        ({"classes": GENRES[:7]}, r"got 7; give the labels"),
        ({"classes": [*GENRES[:7], 3]}, "expected 'classes' as a list of texts"),
        ({"classes": [*GENRES[:7], "cla"]}, "expected different labels, got 'cla' for scores 0 and 7"),
        ({"classes": "rock"}, "expected 'classes' as a list, got 'rock'"),
        ({"inference": {}}, "expected 'inference' with the 'algorithm'"),
        ({"inference": {"algorithm": "TensorflowPredict"}}, "expected an algorithm with a known front end"),
        ({"inference": {"algorithm": "TensorflowPredict2D"}}, "expected an algorithm with a known front end"),
        (
            {"inference": {"algorithm": "TensorflowPredictMusiCNN", "sample_rate": 44_100}},
            "expected a sample_rate of 16000 Hz",
        ),
    ],
)
def test_json_that_says_something_else_is_refused(
    tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    emb = write_embedder(tmp_path / "emb.onnx", MUSICNN_INPUT, 96, DENSE, 200)
    head = write_head(tmp_path / "head.onnx", 200)
    about = write_json(
        tmp_path / "a.json",
        "TensorflowPredict2D",
        GENRES,
        {SOFTMAX: "predictions"},
        embedding_model=MUSICNN,
    )
    data = json.loads(about.read_text()) | change
    about.write_text(json.dumps({key: value for key, value in data.items() if value is not None}))
    alone = json.loads(about.read_text()).get("inference", {}).get("algorithm") == "TensorflowPredictMusiCNN"
    with pytest.raises(fa.ModelError, match=message):
        importing.from_essentia(*([emb] if alone else [emb, head]), metadata=about)


def test_networks_that_are_missing_are_named(tmp_path: Path, head: tuple[Path, Path]) -> None:
    about = write_json(
        tmp_path / "b.json",
        "TensorflowPredict2D",
        GENRES,
        {SOFTMAX: "predictions"},
        embedding_model={"algorithm": "TensorflowPredictVGGish", "model_name": "audioset-vggish-3"},
    )
    with pytest.raises(
        ValueError, match=r"expected the embedding network audioset-vggish-3 and the head, got one"
    ):
        importing.from_essentia(head[0], metadata=about)


def test_networks_in_the_wrong_order_are_told(tmp_path: Path, head: tuple[Path, Path]) -> None:
    emb = write_embedder(tmp_path / "emb.onnx", MUSICNN_INPUT, 96, DENSE, 200)
    message = (
        r"head\.onnx: expected an input for patches .*; name the embedding network first and the head last"
    )
    with pytest.raises(fa.ModelError, match=message):
        importing.from_essentia(head[0], emb, metadata=head[1])
    other = write_head(tmp_path / "other.onnx", 128)
    message = (
        r"other\.onnx: expected a head that takes 200 numbers, .*, got one for \? x 128; name the network"
    )
    with pytest.raises(fa.ModelError, match=message):
        importing.from_essentia(emb, other, metadata=head[1])


@pytest.mark.parametrize(("stated", "unit"), [("model/Softmax", "probability"), ("model/dense/BiasAdd", "")])
def test_a_converted_networks_unit_is_that_of_the_predictions(tmp_path: Path, stated: str, unit: str) -> None:
    network = write_head(tmp_path / "head.onnx", 200, output="activations")
    about = write_json(
        tmp_path / "a.json", "TensorflowPredict2D", GENRES, {stated: "predictions"}, embedding_model=MUSICNN
    )
    assert importing.from_essentia(network, metadata=about).output_specs[""].unit == unit


def test_a_step_may_be_given(tmp_path: Path, head: tuple[Path, Path]) -> None:
    emb = write_embedder(tmp_path / "emb.onnx", MUSICNN_INPUT, 96, DENSE, 200)
    pipeline = importing.from_essentia(emb, head[0], metadata=head[1], hop_s=0.5)
    assert 0.49 < pipeline.hop_s < 0.51


def test_a_network_without_axes_is_refused(tmp_path: Path) -> None:
    network = write_head(tmp_path / "net.onnx", 96)
    whole = onnx.load(network)
    del whole.graph.input[0].type.tensor_type.shape.dim[0]
    network.write_bytes(whole.SerializeToString())
    about = write_json(tmp_path / "a.json", "TensorflowPredictMAEST", GENRES, {SOFTMAX: "predictions"})
    with pytest.raises(fa.ModelError, match=r"net\.onnx: expected an input for patches of .*, got 96"):
        importing.from_essentia(network, metadata=about)


@pytest.mark.parametrize("name", ["aisfx", "vgg-msd"])
def test_only_musicnn_is_named_without_its_file(tmp_path: Path, head: tuple[Path, Path], name: str) -> None:
    with pytest.raises(fa.ModelError, match=r"before a head also musicnn-msd or musicnn-mtt, got"):
        importing.from_essentia(name, head[0], metadata=head[1])
    about = write_json(tmp_path / "a.json", "TensorflowPredictMusiCNN", GENRES, {SOFTMAX: "predictions"})
    with pytest.raises(fa.ModelError, match=r"expected networks as \.onnx files"):
        importing.from_essentia("musicnn-msd", metadata=about)


def test_logits_get_an_activation(tmp_path: Path, x: NDArray[np.float32]) -> None:
    network = write_head(tmp_path / "head.onnx", 200, output="model/dense/BiasAdd")
    outputs = {"model/dense/BiasAdd": "predictions"}
    about = write_json(tmp_path / "a.json", "TensorflowPredict2D", GENRES, outputs, embedding_model=MUSICNN)
    logits = importing.from_essentia(network, metadata=about)(x, sample_rate=16_000).scores
    scores = importing.from_essentia(network, metadata=about, activation="sigmoid")(
        x, sample_rate=16_000
    ).scores
    assert np.abs(scores - 1 / (1 + np.exp(-logits))).max() < 1e-6
    with pytest.raises(ValueError, match="activation: expected one of none, sigmoid, softmax, got 'relu'"):
        importing.from_essentia(network, metadata=about, activation="relu")
