"""The check of a graph: on made-up sound and on recordings, within a bound that its user may state."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest
from export_cases import session_of
from fastaudio.exporting import ExportError, to_onnx
from fastaudio.exporting.checking import compare, largest, require_close
from fastaudio.exporting.model import build
from helpers import GUITAR, decode

if TYPE_CHECKING:
    from pathlib import Path

onnx = pytest.importorskip("onnx")

RATE = 16_000
MEL = fa.MelSpectrogram(sample_rate=RATE, n_fft=512, hop_length=256, n_mels=3)
SCORES = MEL >> fa.Sigmoid() >> fa.Tags(["a", "b", "c"])


def network(folder: Path) -> fa.Node:
    """A network that computes in float16."""
    make, tensor = onnx.helper.make_node, onnx.helper.make_tensor_value_info
    half = onnx.numpy_helper.from_array(np.float16([0.5, 0.5, 0.5]), "half")
    nodes = [make("Mul", ["x", "half"], ["m"]), make("Cast", ["m"], ["y"], to=1)]
    graph = onnx.helper.make_graph(
        nodes, "net", [tensor("x", 10, ["n", 3])], [tensor("y", 1, ["n", 3])], [half]
    )
    opsets = [onnx.helper.make_opsetid("", 17)]
    onnx.save(onnx.helper.make_model(graph, opset_imports=opsets, ir_version=8), folder / "half.onnx")
    return MEL >> fa.OnnxModel(folder / "half.onnx")


def changed(node: fa.Node, output: str, kind: str, by: Any, **how: Any) -> Any:
    """A graph one of whose outputs is another; it is multiplied, or added to."""
    assert node.input_spec is not None
    model = build(node, node.input_spec, **how)
    (last,) = (one for one in model.graph.node if output in one.output)
    last.output[0] = "before"
    model.graph.initializer.append(onnx.numpy_helper.from_array(np.asarray(by, dtype=np.float32), "by"))
    model.graph.node.append(onnx.helper.make_node(kind, ["before", "by"], [output]))
    return model


def found_in(path: Path) -> dict[str, Any]:
    said = session_of(path.read_bytes()).get_modelmeta().custom_metadata_map
    found: dict[str, Any] = json.loads(said["fastaudio.check"])
    return found


@pytest.mark.parametrize("output", ["scores", "clip"])
@pytest.mark.parametrize(("by", "kind"), [(np.nan, "Mul"), (np.inf, "Mul"), (0.5, "Add")])
def test_each_output_that_differs_is_found_and_named(output: str, by: float, kind: str) -> None:
    assert SCORES.input_spec is not None
    require_close(compare(build(SCORES, SCORES.input_spec), SCORES, SCORES.input_spec))
    model = changed(SCORES, output, kind, by)
    with pytest.raises(ExportError, match=r"expected a graph within 0\.0001 of the pipeline, got ") as told:
        require_close(compare(model, SCORES, SCORES.input_spec))
    assert f"on made-up sound (output {output}" in str(told.value)
    assert ("--no-check" in str(told.value)) == (by != 0.5)


def test_the_place_is_where_the_graph_is_farthest() -> None:
    """A graph that is wrong above a level only differs where the sound is loud."""
    node = fa.RMS(sample_rate=RATE, frame_length=1600, hop_length=1600, center=False)
    assert node.input_spec is not None
    sound = np.full(RATE * 4, 0.1, dtype=np.float32)
    sound[int(2.5 * RATE) : int(2.6 * RATE)] = 0.9
    model = changed(node, "rows", "Mul", 1.001)
    found = compare(model, node, node.input_spec, sounds=[("loud.wav", (sound, RATE))])
    (recorded,) = (one for one in found if one.kind == "recorded")
    assert (recorded.from_s, recorded.to_s) == pytest.approx((2.5, 2.6))
    assert (recorded.output, recorded.sound, recorded.n_sounds) == ("rows", "loud.wav", 1)
    assert recorded.difference == pytest.approx(9e-4, rel=0.01)
    with pytest.raises(
        ExportError, match=re.escape("on 1 recording (output rows, 2.50 to 2.60 s of loud.wav)")
    ):
        require_close(found)


def test_in_blocks_the_place_is_one_of_the_signal() -> None:
    node = MEL >> fa.Log()
    assert node.input_spec is not None
    model = changed(node, "rows", "Add", 0.5, block=2560)
    found = compare(
        model, node, node.input_spec, block=2560, sounds=[("short", (np.ones(9, np.float32), RATE))]
    )
    assert [one.kind for one in found] == ["made-up", "recorded"]
    assert all(one.difference > 0.01 for one in found)


def test_the_tolerance_that_the_message_names_is_enough(tmp_path: Path) -> None:
    mel = fa.MelSpectrogram(sample_rate=RATE, n_fft=512, hop_length=160, n_mels=80)
    pipeline = fa.Pipeline(mel >> fa.Log(floor=1e-14))
    with pytest.raises(ExportError, match="if that is rounding, give tolerance=") as told:
        pipeline.export_onnx(tmp_path / "all.onnx")
    assert not list(tmp_path.iterdir())
    enough = re.findall(r"tolerance=([0-9.e-]+)", str(told.value))
    worst = pipeline.export_onnx(tmp_path / "all.onnx", tolerance=float(enough[0]))
    assert worst is not None
    assert 1e-4 < worst <= float(enough[0])
    said = found_in(tmp_path / "all.onnx")
    assert (said["tolerance"], said["largest_difference"]) == (float(enough[0]), worst)
    assert [(one["kind"], one["output"]) for one in said["found"]] == [("made-up", "rows")]


def test_a_network_in_float16_is_written_with_its_difference(tmp_path: Path) -> None:
    node = network(tmp_path)
    worst = to_onnx(node, tmp_path / "all.onnx", tolerance=2e-3)
    assert worst == found_in(tmp_path / "all.onnx")["largest_difference"]


def test_recordings_of_all_kinds_are_compared(tmp_path: Path) -> None:
    sound, rate = decode(GUITAR)
    sounds: list[Any] = [GUITAR, str(GUITAR), (sound[:, 0].copy(), rate), (sound, rate)]
    sounds += [((sound[:30_000, 0] * 32767).astype(np.int16), rate), (np.zeros(0, np.float32), RATE)]
    for channels in (1, 2, 3):
        pipeline = fa.Pipeline(MEL)
        worst = pipeline.export_onnx(tmp_path / "all.onnx", channels=channels, sounds=sounds)
        said = found_in(tmp_path / "all.onnx")["found"]
        assert [(one["kind"], one["n_sounds"]) for one in said] == [("made-up", 5), ("recorded", 6)]
        assert max(one["difference"] for one in said) == worst


@pytest.mark.parametrize(
    ("how", "error", "message"),
    [
        ({"tolerance": -1e-4}, ValueError, "expected tolerance of 0 or above"),
        ({"tolerance": np.inf}, ValueError, "expected tolerance of 0 or above"),
        ({"tolerance": "1"}, TypeError, "expected tolerance as a float"),
        ({"sounds": "a.wav"}, TypeError, r"expected sounds as a list, got str; use \[sound\]"),
        ({"sounds": [np.zeros(3)]}, TypeError, "expected each of sounds as a path"),
        ({"sounds": [(np.zeros(3), "16000")]}, ValueError, r"sounds\[0\] with a rate"),
        ({"sounds": [(np.zeros((3, 3, 3)), RATE)]}, ValueError, r"sounds\[0\] as samples \[n\]"),
        ({"sounds": [(np.zeros((0, 0)), RATE)]}, ValueError, r"sounds\[0\] as samples \[n\]"),
        ({"sounds": [(np.array([np.nan]), RATE)]}, ValueError, "of finite samples"),
        (
            {"sounds": [(np.zeros(3), RATE)], "check": False},
            ValueError,
            "expected no sounds with check=False",
        ),
        ({"sounds": ["missing.wav"]}, fa.DecodeError, r"missing\.wav"),
    ],
)
def test_wrong_arguments_are_refused(
    how: dict[str, Any], error: type[Exception], message: str, tmp_path: Path
) -> None:
    with pytest.raises(error, match=message):
        fa.Pipeline(MEL).export_onnx(tmp_path / "all.onnx", **how)
    assert not list(tmp_path.iterdir())


def test_a_node_of_rows_takes_no_recordings(tmp_path: Path) -> None:
    spec = fa.StreamSpec(rate_hz=10, shape=[4], unit="")
    with pytest.raises(ValueError, match="expected no sounds for a node that takes rows"):
        to_onnx(fa.Softmax(), tmp_path / "rows.onnx", spec=spec, sounds=[GUITAR])


def test_an_exported_graph_is_replaced_and_no_other_file(tmp_path: Path) -> None:
    """The rule of `Pipeline.save`: a new one takes the place of what is there if that is of its kind."""
    target, pipeline = tmp_path / "all.onnx", fa.Pipeline(MEL)
    pipeline.export_onnx(target)
    first = target.read_bytes()
    pipeline.export_onnx(target, channels=2)
    assert target.read_bytes() != first
    pipeline.export_onnx(target)
    assert target.read_bytes() == first
    for other in (b"mine", b"", (network(tmp_path), (tmp_path / "half.onnx").read_bytes())[1]):
        target.write_bytes(other)
        with pytest.raises(fa.OutputError, match="or an exported graph to replace, got another file"):
            pipeline.export_onnx(target)
        assert target.read_bytes() == other
        pipeline.export_onnx(target, force=True)
        assert target.read_bytes() == first


def test_the_largest_of_all_kinds_counts() -> None:
    assert SCORES.input_spec is not None
    sounds = [("loud", (np.ones(RATE, np.float32), RATE))]
    found = compare(build(SCORES, SCORES.input_spec), SCORES, SCORES.input_spec, sounds=sounds)
    assert len(found) == 2
    assert largest(found) == max(one.difference for one in found)
