"""A network gets the preset that is named, its axes in the right order, and one label for each score."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest
from fastaudio import importing, presets
from fastaudio.importing.network_file import read_network
from helpers import GUITAR, WEIGHTS

pytest.importorskip("onnx")
import onnxruntime
from importing_helpers import dense, dense_weights, numbers, write, write_head
from onnx import helper

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

LABELS = [f"sound {i}" for i in range(10)]


def tagger(path: Path, shape: list[int | str], axes: list[int], bands: int, **more: Any) -> Path:
    """Write a network of 10 scores: the mean over some axes, and a dense layer."""
    last = more.pop("kind", "Sigmoid")
    mean = helper.make_node("ReduceMean", ["x"], ["mean"], axes=axes, keepdims=0)
    nodes = [mean, *dense("mean", "prob", None if last == "none" else last)]
    weights = dense_weights("prob", bands, 10, 0)
    return write(path, nodes, ("x", shape), {"prob": ["n", 10]}, weights, more.get("metadata"))


def run(path: Path, rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Run a network by ONNX Runtime's own package, row by row."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return np.concatenate([session.run(["prob"], {"x": row[None]})[0] for row in rows])


def noise(preset_rate: int, seconds: float) -> NDArray[np.float32]:
    return np.random.default_rng(0).uniform(-0.3, 0.3, round(preset_rate * seconds)).astype(np.float32)


@pytest.mark.parametrize(
    ("preset", "shape", "axes", "bands", "rate", "order"),
    [
        ("ced", ["n", 64, "t"], [2], 64, 16_000, (0, 2, 1)),
        ("efficientat", ["n", 1, 128, "t"], [1, 3], 128, 32_000, (0, None, 2, 1)),
        ("passt", ["n", 1, 128, 998], [1, 3], 128, 32_000, (0, None, 2, 1)),
        ("ast", ["n", 1024, 128], [1], 128, 16_000, (0, 1, 2)),
        ("yamnet", ["n", 96, 64], [1], 64, 16_000, (0, 1, 2)),
        ("vggish", ["n", 1, 96, 64], [1, 2], 64, 16_000, (0, None, 1, 2)),
        ("musicnn", ["n", 187, 96, 1], [1, 3], 96, 16_000, (0, 1, 2, None)),
        ("harmonic_cnn", ["n", 6, 128, 313], [1, 3], 128, 16_000, (0, 2, 3, 1)),
    ],
)
def test_presets_with_windows_fit_in_the_order_of_the_input(  # noqa: PLR0917
    tmp_path: Path,
    preset: str,
    shape: list[int | str],
    axes: list[int],
    bands: int,
    rate: int,
    order: tuple[int | None, ...],
) -> None:
    network = tagger(tmp_path / "net.onnx", shape, axes, bands)
    pipeline = importing.from_onnx(network, preset, labels=LABELS)
    x = noise(rate, 12)
    patches = getattr(presets, preset)()(x)
    kept = [axis for axis in order if axis is not None]
    patches = patches.transpose(kept)
    for i, axis in enumerate(order):
        if axis is None:
            patches = np.expand_dims(patches, i)
    got = pipeline(x, sample_rate=rate)
    assert got.labels == LABELS
    assert np.abs(got.scores - run(network, np.ascontiguousarray(patches))).max() == 0.0


@pytest.mark.parametrize(
    ("shape", "how", "length"),
    [
        (["n", 300, 64], {}, 300),
        (["n", "t", 64], {}, 1000),
        (["n", "t", 64], {"window_s": 2.5}, 250),
        (["n", "t", "bands"], {"window_s": 2.5}, 250),
    ],
)
def test_presets_of_frames_are_cut_into_windows(
    tmp_path: Path, shape: list[int | str], how: dict[str, float], length: int
) -> None:
    network = tagger(tmp_path / "net.onnx", shape, [1], 64)
    pipeline = importing.from_onnx(network, "panns", labels=LABELS, **how)  # type: ignore[arg-type]
    frames = presets.panns()(noise(32_000, 21))
    got = pipeline(noise(32_000, 21), sample_rate=32_000)
    rows = np.stack([frames[t : t + length] for t in range(0, len(frames) - length + 1, length)])
    assert np.abs(got.scores - run(network, rows)).max() == 0.0


def test_a_network_of_samples_gets_windows_of_samples(tmp_path: Path) -> None:
    nodes = [helper.make_node("Abs", ["x"], ["a"]), *dense("a", "prob", "Sigmoid")]
    weights = {"prob.w": numbers(15_600, 10, scale=0.01), "prob.b": numbers(10)}
    network = write(tmp_path / "net.onnx", nodes, ("x", ["n", 15_600]), {"prob": ["n", 10]}, weights)
    x = noise(16_000, 3)
    pipeline = importing.from_onnx(
        network, "samples", labels=LABELS, options={"sample_rate": 16_000}, hop_s=0.4875
    )
    rows = np.stack([x[t : t + 15_600] for t in range(0, len(x) - 15_599, 7800)])
    assert np.abs(pipeline(x, sample_rate=16_000).scores - run(network, rows)).max() == 0.0


@pytest.mark.parametrize(
    ("activation", "node"), [("sigmoid", fa.Sigmoid), ("softmax", fa.Softmax), ("none", None)]
)
def test_logits_become_scores(tmp_path: Path, activation: str, node: type[fa.Node] | None) -> None:
    network = tagger(tmp_path / "net.onnx", ["n", 64, "t"], [2], 64, kind="none")
    pipeline = importing.from_onnx(network, "ced", labels=LABELS, activation=activation)
    rows = run(network, presets.ced()(noise(16_000, 11)).transpose(0, 2, 1))
    want = rows if node is None else node()(rows)
    assert np.abs(pipeline(noise(16_000, 11), sample_rate=16_000).scores - want).max() < 1e-6


def test_labels_come_from_the_metadata_if_none_are_given(tmp_path: Path) -> None:
    metadata = {"labels": ",".join(LABELS)}
    network = tagger(tmp_path / "net.onnx", ["n", 64, "t"], [2], 64, metadata=metadata)
    assert importing.from_onnx(network, "ced")(str(GUITAR)).labels == LABELS
    network = tagger(tmp_path / "net.onnx", ["n", 64, "t"], [2], 64)
    assert importing.from_onnx(network, "ced")(str(GUITAR)).shape == (1, 10)


def test_of_several_outputs_the_one_that_fits_the_labels_is_taken() -> None:
    pipeline = importing.from_onnx(WEIGHTS, "musicnn", labels=[f"tag {i}" for i in range(50)])
    assert pipeline.node.parts()[3].outputs == ["taggram"]
    message = r"expected one output of 753 numbers, got mean_pool, max_pool; choose one \(--output-name\)"
    with pytest.raises(fa.ModelError, match=message):
        importing.from_onnx(WEIGHTS, "musicnn", labels=[f"tag {i}" for i in range(753)])
    chosen = importing.from_onnx(
        WEIGHTS, "musicnn", labels=[f"tag {i}" for i in range(753)], output="max_pool"
    )
    assert chosen.node.parts()[3].outputs == ["max_pool"]


@pytest.mark.parametrize(
    ("preset", "how", "message"),
    [
        ("cedd", {}, r"preset: expected one of .*, got 'cedd'; did you mean 'ced'\?"),
        ("ced", {"options": {"hopp": 3}}, r"preset ced: expected options among length, hop, got 'hopp'; did"),
        ("ced", {"options": {"hop": "x"}}, r"expected"),
        ("firered", {}, r"firered: expected cmvn, the file cmvn.ark that comes with the weights, or"),
        ("samples", {}, r"preset samples: expected the option sample_rate, got none"),
        (
            "samples",
            {"options": {"sample_rate": "16k"}},
            r"preset samples: expected sample_rate as a whole number in .* Hz, got '16k'",
        ),
        ("samples", {"options": {"sample_rate": 0}}, r"preset samples: expected sample_rate as .*, got 0"),
        ("ced", {"activation": "relu"}, r"activation: expected one of none, sigmoid, softmax, got 'relu'"),
        (
            "ced",
            {"labels": LABELS[:9]},
            r"expected an output with 9 scores, one for each of the labels, got prob",
        ),
        (
            "ced",
            {"labels": LABELS[:9], "output": "prob"},
            r"the labels: expected a label for each number .*got 9",
        ),
        ("ced", {"output": "nope"}, r"expected an output nope, got prob"),
        ("musicnn", {}, r"expected an input for patches of 187 x 96, as the preset musicnn gives them, got"),
        (
            "beats",
            {},
            r"preset beats: expected a network whose input has an axis of 128 bands, got \? x 64 x \?",
        ),
        ("ced", {"window_s": 3.0}, r"preset ced: expected no window, as it has one of its own, got 3 s"),
    ],
)
def test_what_does_not_fit_is_told(tmp_path: Path, preset: str, how: dict[str, Any], message: str) -> None:
    network = tagger(tmp_path / "net.onnx", ["n", 64, "t"], [2], 64)
    with pytest.raises((ValueError, fa.ModelError), match=message):
        importing.from_onnx(network, preset, **{"labels": LABELS} | how)


@pytest.mark.parametrize(
    "content", [b"", b"not an ONNX file", b"\x08\x01", bytes(1000), b"\x3a\xff\xff\xff\xff\x0f"]
)
def test_what_is_no_network_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "net.onnx").write_bytes(content)
    with pytest.raises(fa.ModelError, match=r"net\.onnx: expected "):
        importing.from_onnx(tmp_path / "net.onnx", "ced")


def test_a_file_cut_anywhere_is_refused_or_read(tmp_path: Path) -> None:
    whole = write_head(tmp_path / "net.onnx", 20).read_bytes()
    rng = np.random.default_rng(0)
    for end in rng.integers(0, len(whole), 200):
        (tmp_path / "cut.onnx").write_bytes(whole[:end])
        try:
            read_network(tmp_path / "cut.onnx")
        except fa.ModelError as error:
            assert "expected" in str(error)  # noqa: PT017


def test_inputs_outputs_and_metadata_are_read_without_a_library(tmp_path: Path) -> None:
    network = tagger(tmp_path / "net.onnx", ["n", 64, "t"], [2], 64, metadata={"a": "b", "c": "d"})
    found = read_network(network)
    assert found.inputs == {"x": ("n", 64, "t")}
    assert found.outputs == {"prob": ("n", 10)}
    assert found.metadata == {"a": "b", "c": "d"}
