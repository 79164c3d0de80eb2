"""Whole pipelines as graphs: real recordings, what the file says of itself, and what is refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest
from export_cases import run_graph, session_of
from fastaudio.cards import MODELS, read_card
from fastaudio.cards.pack import pack
from fastaudio.exporting import ExportError, to_onnx
from helpers import GUITAR, decode

if TYPE_CHECKING:
    from pathlib import Path

onnx = pytest.importorskip("onnx")

SOUND, RATE = decode(GUITAR)

# Operators of ONNX Runtime's standard CPU build. STFT, DFT and other late or rare ones aren't among them.
COMMON = frozenset(
    [
        "Abs",
        "Add",
        "ArgMax",
        "BatchNormalization",
        "Cast",
        "Ceil",
        "Clip",
        "Concat",
        "Constant",
        "ConstantOfShape",
        "Conv",
        "CumSum",
        "Div",
        "Equal",
        "Exp",
        "Expand",
        "Flatten",
        "Floor",
        "Gather",
        "Gemm",
        "Greater",
        "Identity",
        "LSTM",
        "LayerNormalization",
        "Less",
        "Log",
        "MatMul",
        "Max",
        "MaxPool",
        "Min",
        "Mod",
        "Mul",
        "Neg",
        "Pad",
        "Pow",
        "Range",
        "ReduceL2",
        "ReduceMax",
        "ReduceMean",
        "ReduceMin",
        "ReduceSum",
        "Relu",
        "Reshape",
        "Round",
        "Scan",
        "Shape",
        "Sigmoid",
        "Slice",
        "Softmax",
        "Sqrt",
        "Squeeze",
        "Sub",
        "TopK",
        "Transpose",
        "Unsqueeze",
        "Where",
    ]
)


def operators(graph: Any) -> set[str]:
    """All operators, those of loops' bodies too."""
    found = set()
    for node in graph.node:
        found.add(node.op_type)
        for attribute in node.attribute:
            found |= operators(attribute.g)
    return found


@pytest.mark.parametrize("name", ["musicnn-mtt", "silero-vad", "instruments", "instruments-harmonic"])
def test_a_model_gives_its_tags_from_stereo_at_another_rate(name: str, tmp_path: Path) -> None:
    pipeline = fa.Pipeline.load(name)
    worst = pipeline.export_onnx(tmp_path / "all.onnx", sample_rate=RATE, channels=SOUND.shape[1])
    assert worst is not None
    assert worst <= 1e-4
    model = onnx.load(tmp_path / "all.onnx")
    assert [(one.domain, one.version) for one in model.opset_import] == [("", 17)]
    assert operators(model.graph) <= COMMON
    run = run_graph((tmp_path / "all.onnx").read_bytes())
    for n in (len(SOUND), 30_000, 1000, 0):
        part = np.ascontiguousarray(SOUND[:n])
        scores, clip = run(part)
        tags: Any = pipeline(part, sample_rate=RATE, layout="samples_channels")
        assert scores.shape == tags.scores.shape
        np.testing.assert_allclose(scores, tags.scores, rtol=0, atol=1e-4)
        np.testing.assert_allclose(clip, tags.mean(), rtol=0, atol=1e-4)


def test_a_network_of_an_earlier_opset_and_other_axes_agrees(tmp_path: Path) -> None:
    worst = fa.Pipeline.load("basic-pitch").export_onnx(tmp_path / "all.onnx")
    assert worst is not None
    assert worst <= 1e-4


def test_the_file_says_what_a_page_needs(tmp_path: Path) -> None:
    pipeline = fa.Pipeline.load("musicnn-mtt")
    pipeline.export_onnx(tmp_path / "all.onnx", sample_rate=48_000, check=False)
    said = session_of((tmp_path / "all.onnx").read_bytes()).get_modelmeta().custom_metadata_map
    assert said["fastaudio.name"] == "musicnn-mtt"
    assert said["fastaudio.licence_name"] == pipeline.card["licence"]
    text = (MODELS / "musicnn-mtt" / "LICENSE").read_text(encoding="utf-8")
    assert said["fastaudio.licence"] == text.strip()
    assert json.loads(said["fastaudio.authors"]) == pipeline.card["authors"]
    assert json.loads(said["fastaudio.source"]) == pipeline.card["source"]
    assert said["fastaudio.sample_rate"] == "48000"
    labels = json.loads(said["fastaudio.labels"])
    assert labels == list(pipeline.output_specs[""].labels)
    about = json.loads(said["fastaudio.export"])
    assert about["channels"] == 1
    assert about["outputs"]["scores"]["labels"] == labels
    assert about["outputs"]["scores"]["hop_s"] == pytest.approx(pipeline.hop_s)


def test_branches_keep_their_names(tmp_path: Path) -> None:
    mel = fa.MelSpectrogram(sample_rate=16_000, n_fft=512, hop_length=256, n_mels=3)
    labels = fa.Tags(["a", "b", "c"])
    pipeline = fa.Pipeline(
        mel >> fa.Patches(length=1) >> fa.Statistics(window=1) >> {"x": fa.Mean(), "y": fa.Max()}
    )
    pipeline.export_onnx(tmp_path / "two.onnx")
    session = session_of((tmp_path / "two.onnx").read_bytes())
    assert [one.name for one in session.get_outputs()] == ["x", "y"]
    scored = fa.Pipeline(mel >> {"p": fa.Sigmoid() >> labels, "q": fa.Softmax() >> labels})
    scored.export_onnx(tmp_path / "scored.onnx")
    session = session_of((tmp_path / "scored.onnx").read_bytes())
    assert [one.name for one in session.get_outputs()] == ["p", "q", "clip.p", "clip.q"]


def test_events_are_refused_and_the_remedy_works(tmp_path: Path) -> None:
    pipeline = fa.Pipeline.load("silero-vad")
    with pytest.raises(ExportError, match=r"got Events: .*; export the pipeline that ends before it"):
        (pipeline >> fa.Events()).export_onnx(tmp_path / "all.onnx")
    assert not list(tmp_path.iterdir())
    pipeline.export_onnx(tmp_path / "all.onnx")


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"block": 512}, "expected no block without streaming"),
        ({"block": 0, "streaming": True}, "expected block as a whole number of samples above 0"),
        ({"block": 500, "streaming": True}, "expected blocks of a multiple of 512"),
        ({"sample_rate": 11_127}, "choose a sample rate in a simpler ratio"),
        ({"sample_rate": 10}, "input_rate"),
    ],
)
def test_wrong_arguments_are_refused(how: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=message):
        fa.Pipeline.load("silero-vad").export_onnx(tmp_path / "all.onnx", **how)
    assert not list(tmp_path.iterdir())


def test_without_onnx_the_message_names_the_extra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(__import__("sys").modules, "onnx", None)
    for part in ("checker", "compose", "helper", "numpy_helper", "version_converter"):
        monkeypatch.delitem(__import__("sys").modules, f"onnx.{part}", raising=False)
    with pytest.raises(ImportError, match=r"pip install 'fastaudio-toolkit\[onnx\]'"):
        fa.Pipeline.load("silero-vad").export_onnx(tmp_path / "all.onnx")


MEL = fa.MelSpectrogram(sample_rate=16_000, n_fft=512, hop_length=256, n_mels=3)


def test_the_same_infinities_are_no_difference(tmp_path: Path) -> None:
    weights = onnx.numpy_helper.from_array(np.float32([np.inf, -np.inf, np.nan]), "w")
    ends = [onnx.helper.make_tensor_value_info(name, 1, ["n", 3]) for name in "xy"]
    nodes = [onnx.helper.make_node("Add", ["x", "w"], ["y"])]
    graph = onnx.helper.make_graph(nodes, "net", ends[:1], ends[1:], [weights])
    opsets = [onnx.helper.make_opsetid("", 17)]
    onnx.save(onnx.helper.make_model(graph, opset_imports=opsets, ir_version=8), tmp_path / "net.onnx")
    assert fa.Pipeline(MEL >> fa.OnnxModel(tmp_path / "net.onnx")).export_onnx(tmp_path / "all.onnx") == 0


def test_no_file_that_the_pipeline_was_read_from_is_replaced(tmp_path: Path) -> None:
    original = fa.Pipeline.load("instruments")
    (tmp_path / "own").mkdir()
    original.save(tmp_path / "own" / "card.json")
    original.save(tmp_path / "packed.onnx")
    (tmp_path / "own" / "LICENSE").write_text("own", encoding="utf-8")
    (tmp_path / "link.onnx").symlink_to(tmp_path / "packed.onnx")
    for model in (tmp_path / "own", tmp_path / "packed.onnx"):
        pipeline = fa.Pipeline.load(model)
        files = list(model.iterdir()) if model.is_dir() else [model, tmp_path / "link.onnx"]
        for file in files:
            before = file.read_bytes()
            with pytest.raises(fa.OutputError, match="expected another file than the inputs"):
                pipeline.export_onnx(file)
            assert file.read_bytes() == before


def test_a_packed_licence_comes_along(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    fa.Pipeline.load("instruments").save(tmp_path / "own" / "card.json")
    (tmp_path / "own" / "LICENSE").write_text("do what\nyou like\n", encoding="utf-8")
    pack(read_card(tmp_path / "own"), tmp_path / "packed.onnx")
    fa.Pipeline.load(tmp_path / "packed.onnx").export_onnx(tmp_path / "all.onnx", check=False)
    said = session_of((tmp_path / "all.onnx").read_bytes()).get_modelmeta().custom_metadata_map
    assert said["fastaudio.licence"] == "do what\nyou like"


RATES = [(22_050, 16_000), (11_025, 16_000), (16_000, 22_050), (44_100, 32_000), (32_000, 44_100)]


@pytest.mark.parametrize(("rate", "own"), RATES)
def test_rates_of_files_are_taken(rate: int, own: int, tmp_path: Path) -> None:
    mel = fa.MelSpectrogram(sample_rate=own, n_fft=512, hop_length=256, n_mels=8)
    worst = fa.Pipeline(mel).export_onnx(tmp_path / "all.onnx", sample_rate=rate)
    assert worst is not None
    assert worst <= 1e-4


def test_a_node_of_rows_exports_with_its_spec(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="expected a node that states its input, got Softmax"):
        to_onnx(fa.Softmax(), tmp_path / "rows.onnx")
    spec = fa.StreamSpec(rate_hz=10, shape=[4], unit="")
    assert to_onnx(fa.Softmax(), tmp_path / "rows.onnx", spec=spec) is not None


def test_an_isolated_pipeline_is_refused(tmp_path: Path) -> None:
    with (
        fa.isolated(fa.Pipeline.load("silero-vad")) as apart,
        pytest.raises(fa.StateError, match="export the pipeline"),
    ):
        apart.export_onnx(tmp_path / "all.onnx")


@pytest.mark.parametrize("opset", [11, 18, 21])
def test_a_network_of_another_opset_agrees(opset: int, tmp_path: Path) -> None:
    make, tensor = onnx.helper.make_node, onnx.helper.make_tensor_value_info
    weights = np.random.default_rng(opset).uniform(-1, 1, (8, 3)).astype(np.float32)
    nodes = [make("MatMul", ["x", "w"], ["m"]), make("Sigmoid", ["m"], ["y"])]
    ends = [tensor("x", 1, ["n", 8])], [tensor("y", 1, ["n", 3])]
    graph = onnx.helper.make_graph(nodes, "net", *ends, [onnx.numpy_helper.from_array(weights, "w")])
    opsets = [onnx.helper.make_opsetid("", opset)]
    onnx.save(onnx.helper.make_model(graph, opset_imports=opsets, ir_version=8), tmp_path / "net.onnx")
    mel = fa.MelSpectrogram(sample_rate=16_000, n_fft=512, hop_length=256, n_mels=8)
    front = mel >> fa.Log(kind="dB") >> fa.TopDb(top_db=1.0) >> fa.Normalize(kind="max")
    pipeline = fa.Pipeline(front >> fa.OnnxModel(str(tmp_path / "net.onnx")) >> fa.Tags(["a", "b", "c"]))
    worst = pipeline.export_onnx(tmp_path / "all.onnx")
    assert worst is not None
    assert worst <= 1e-4
    (found,) = onnx.load(tmp_path / "all.onnx").opset_import
    assert found.version == max(opset, 17)


def test_a_branch_named_as_the_graphs_input_is_refused(tmp_path: Path) -> None:
    mel = fa.MelSpectrogram(sample_rate=16_000, n_fft=512, hop_length=256, n_mels=8)
    with pytest.raises(ExportError, match="got 'samples'; give that branch another name"):
        fa.Pipeline(mel >> {"samples": fa.Log(), "x": fa.Max()}).export_onnx(tmp_path / "all.onnx")
