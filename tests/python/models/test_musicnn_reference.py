"""The four shipped models against the original recipe and the original graphs.

There are two yardsticks, because one of them is wrong for one model:

- `../shared/reference/musicnn.npz`, made by the original recipe: the PyPI package `musicnn` 0.1.0
  with librosa. Its scores for the VGG trained on MSD come from the package's Python code, whose
  pooling sizes are not those that checkpoint was trained with: the code has one set of sizes for
  both VGGs. The checkpoint's own stored graph has others, and only with those do its scores make
  sense. So `vgg-msd` is not compared with that file.
- `tests/golden/musicnn_graphs.npz`, the graphs stored in the four checkpoints run by TensorFlow on
  patches of the guitar clip. All four models are compared with it, `vgg-msd` too.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import fastaudio as fa
import numpy as np
import pytest
from helpers import GOLDEN, MODEL_NAMES, SHARED, clips, decode, musicnn_front, rotated

if TYPE_CHECKING:
    from pathlib import Path

IN_REFERENCE = {
    "musicnn-mtt": "MTT_musicnn",
    "musicnn-msd": "MSD_musicnn",
    "vgg-mtt": "MTT_vgg",
}
SAMPLE_RATE = 16_000
CLIPS = [path for path, _ in clips() if SHARED in path.parents]
# Every clip with one model, and those at the models' rate, where nothing is resampled, with all.
PAIRS = [
    *rotated([path for path in CLIPS if "_16k_" not in path.name], list(IN_REFERENCE), 1),
    *rotated([path for path in CLIPS if "_16k_" in path.name], list(IN_REFERENCE), 3),
]


@pytest.fixture(scope="module")
def reference(shared: Path) -> dict[str, np.ndarray]:
    """Return the original recipe's numbers by name."""
    with np.load(shared / "reference" / "musicnn.npz") as file:
        return dict(file)


@cache
def loaded(name: str) -> fa.Pipeline:
    """Return a model."""
    return fa.Pipeline.load(name)


@pytest.mark.parametrize("name", MODEL_NAMES)
def test_scores_are_those_of_the_graph_it_was_trained_as(name: str) -> None:
    golden = np.load(GOLDEN / "musicnn_graphs.npz")
    patches = golden["patches"].astype(np.float32)
    network = next(part for part in fa.Pipeline.load(name).node if isinstance(part, fa.OnnxModel))
    got = network(patches)
    assert got.shape == golden[name].shape == (len(patches), 50)
    assert np.abs(got - golden[name]).max() < 1e-5


@pytest.mark.parametrize("name", ["musicnn-mtt", "musicnn-msd"])
def test_dense_is_penultimate_before_its_relu(name: str) -> None:
    onnx = pytest.importorskip("onnx")
    (network,) = (part for part in fa.Pipeline.load(name).node.parts() if isinstance(part, fa.OnnxModel))
    weights = {
        tensor.name: onnx.numpy_helper.to_array(tensor).astype(np.float64)
        for tensor in onnx.load(network.path).graph.initializer
    }
    patches = np.load(GOLDEN / "musicnn_graphs.npz")["patches"].astype(np.float32)
    dense, penultimate = network["dense"](patches), network["penultimate"](patches)
    assert dense.shape == (len(patches), 200)
    assert (dense < 0).any()
    norm = {key: weights[f"norm_out.{key}"] for key in ("weight", "bias", "running_mean", "running_var")}
    scaled = (np.maximum(dense, 0) - norm["running_mean"]) / np.sqrt(norm["running_var"] + 1e-3)
    assert np.abs(scaled * norm["weight"] + norm["bias"] - penultimate).max() < 1e-4
    # Asking for it changes no bit of the rest.
    both = fa.OnnxModel(network.path, outputs=["taggram", "dense"])(patches)
    assert both["taggram"].tobytes() == network["taggram"](patches).tobytes()


def test_log_mel_of_16_khz_files_is_the_references(shared: Path, reference: dict[str, np.ndarray]) -> None:
    pipeline = fa.Pipeline(musicnn_front())
    seen = 0
    for name in (key for key in reference if key.startswith("logmel|")):
        path = shared / "audio" / name.partition("|")[2]
        _, rate = decode(path, 0)
        if rate != SAMPLE_RATE:
            continue
        want = reference[name]
        assert np.abs(pipeline(path)[: len(want)] - want).max() < 1e-4
        seen += 1
    assert seen > 0


def test_the_shipped_front_end_is_the_one_tested_here() -> None:
    for name in MODEL_NAMES:
        node = fa.Pipeline.load(name).node
        assert fa.Sequential([node[0], node[1]]) == musicnn_front()
        assert node[2] == fa.Patches(length=187, hop=187)


@pytest.mark.parametrize(("path", "name"), PAIRS, ids=lambda value: getattr(value, "name", value))
def test_scores_are_the_references(path: Path, name: str, reference: dict[str, np.ndarray]) -> None:
    key = f"{IN_REFERENCE[name]}|clips/{path.name}"
    tags = loaded(name)(path)
    if key not in reference:  # shorter than a patch: the original recipe gives nothing
        assert tags.duration_s < 187 * 256 / SAMPLE_RATE
        assert len(tags) == 1
        return
    want = reference[key]
    assert tags.scores.shape == want.shape
    if decode(path, 0)[1] == SAMPLE_RATE:
        assert np.abs(tags.scores - want).max() < 5e-4
    mean = want.mean(axis=0)
    assert np.abs(tags.mean() - mean).max() < 0.01
    assert tags.top(1)[0][0] == tags.labels[int(mean.argmax())]
