"""Provides what the tests of heads share: tones as labelled files, and a small network that embeds them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import fastaudio as fa
import numpy as np
import onnx
import soundfile
from fastaudio.heads.classifier import Options
from onnx import TensorProto, helper, numpy_helper

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from numpy.typing import NDArray

RATE = 8_000
BANDS, VALUES = 24, 12
TONES_HZ = {"low": 300.0, "middle": 900.0, "high": 2_500.0}
LINEAR = Options(kind="linear", multi=False, balanced=True, l2=False, hidden=8, penalty=0.1, seed=0)


def tone(frequency_hz: float, duration_s: float, seed: int) -> NDArray[np.float32]:
    """Return a tone of about that frequency in noise; the seed decides the rest."""
    rng = np.random.default_rng(seed)
    t = np.arange(round(duration_s * RATE)) / RATE
    samples = 0.3 * np.sin(2 * np.pi * frequency_hz * rng.uniform(0.9, 1.1) * t + rng.uniform(0, 6))
    return (samples + 0.02 * rng.standard_normal(len(t))).astype(np.float32)


def write_tones(folder: Path, names: Iterable[str], n_files: int, duration_s: float = 1.0) -> None:
    """Write `n_files` tones of each name into a sub-folder of that name."""
    for k, name in enumerate(names):
        (folder / name).mkdir(parents=True)
        for i in range(n_files):
            samples = tone(TONES_HZ[name], duration_s, 1000 * k + i)
            soundfile.write(folder / name / f"{name}_{i // 2}-{i}.wav", samples, RATE)


def write_network(path: Path, opset: int = 13, output: str = "embedding") -> Path:
    """Write a network [n, 4, BANDS] -> [n, 4, VALUES] -> [n, VALUES], both of them outputs."""
    rng = np.random.default_rng(7)
    weights = numpy_helper.from_array(
        (rng.standard_normal((BANDS, VALUES)) / 8).astype(np.float32), "head/mean"
    )
    scale = numpy_helper.from_array(np.full(1, 0.25, np.float32), "scale")
    summed = numpy_helper.from_array(np.ones((1, 4), np.float32), "ones")
    last = numpy_helper.from_array(np.array([-1, VALUES], np.int64), "flat")
    nodes = [
        helper.make_node("MatMul", ["x", "head/mean"], ["projected"]),
        helper.make_node("Tanh", ["projected"], ["frames"]),
        helper.make_node("MatMul", ["ones", "frames"], ["sum"]),
        helper.make_node("Mul", ["sum", "scale"], ["mean"]),
        helper.make_node("Reshape", ["mean", "flat"], [output]),
    ]
    graph = helper.make_graph(
        nodes,
        "tones",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 4, BANDS])],
        [
            helper.make_tensor_value_info("frames", TensorProto.FLOAT, ["n", 4, VALUES]),
            helper.make_tensor_value_info(output, TensorProto.FLOAT, ["n", VALUES]),
        ],
        [weights, scale, summed, last],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())
    return path


def embedder(path: Path, output: str = "embedding") -> fa.Pipeline:
    """Return a pipeline of log-mel, patches of 0.25 s and a network that gives one row per patch."""
    mel = fa.MelSpectrogram(sample_rate=RATE, n_fft=512, hop_length=500, n_mels=BANDS)
    net = fa.OnnxModel(str(path), outputs=[output])
    card = {
        "name": "tones",
        "version": "2.1.0",
        "licence": "ISC",
        "citation": "nobody, 2026",
        "outputs": {
            "frames": {"purpose": "frames", "unit": "activation", "shape": [4, VALUES]},
            output: {"purpose": "their mean", "unit": "embedding", "shape": [VALUES]},
        },
    }
    front = mel >> fa.Log(kind="log10", scale=10_000, offset=1)
    return fa.Pipeline(front >> fa.Patches(length=4) >> net, card=card)
