"""Make the model beats from the PyPI package BeatNet 1.1.3: how likely beats and downbeats are, every 20 ms.

    pip download --no-deps BeatNet==1.1.3
    pip install torch onnx onnxruntime fastaudio-toolkit
    python models/recipes/shipped/beatnet.py --wheel BeatNet-1.1.3-py3-none-any.whl --output DIR

The wheel is read as data, its third set of weights as weights alone. The bank of filters, the logarithm and
the differences between frames, which the package takes from madmom, are in the graph. What the next frame
needs of this one is state. The network is compared with the same formulas in float64.
"""

import hashlib
import io
import sys
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import fastaudio as fa
import numpy as np
import onnx
import onnxruntime  # type: ignore[import-not-found,import-untyped,unused-ignore]
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn
from wheels import make_from_wheel, write_model

WHEEL_SHA256 = "1ecfa17bdcbe899975a88bdb6efebd6970d846a4f3b6cfd5c6f320647c641c7e"
WEIGHTS = "BeatNet/models/model_3_weights.pt"
LICENCE = "BeatNet-1.1.3.dist-info/LICENSE"
RATE, WINDOW, HOP = 22_050, 1411, 441  # 64 and 20 ms
BINS = WINDOW // 2 + 1
LOWEST_HZ, HIGHEST_HZ, PER_OCTAVE, TUNED_HZ = 30.0, 17_000.0, 24, 440.0
BANDS, TAPS, INNER, CELLS, CLASSES = 136, 10, 150, 150, 3
POOLED = (2 * BANDS - TAPS + 1) // 2
INPUT, SCORES = "spectrum", "scores"
LABELS = ["beat", "downbeat"]
TOLERANCE = 1e-5
STATE = {  # each input, the output it takes after a run, and its shape
    "before": ("before_next", [1, BANDS + 1]),
    "hidden": ("hidden_next", [2, 1, CELLS]),
    "cell": ("cell_next", [2, 1, CELLS]),
}
NOTICE = """\
BeatNet: the weights of the package BeatNet 1.1.3 (its third set) by Mojtaba Heydari, under the Creative
Commons Attribution 4.0 International License, whose text follows. Changed: rebuilt in ONNX, one frame at a
time, with the front end in the graph; the score of a beat includes downbeats; the package's inference of
beats from these scores is left out. Cite: Mojtaba Heydari, Frank Cwitkowitz and Zhiyao Duan, BeatNet: CRNN
and Particle Filtering for Online Joint Beat, Downbeat and Meter Tracking, ISMIR 2021.

"""


def filters() -> NDArray[np.float64]:
    """Return triangles [bins, bands], each adding up to 1, at 24 tones per octave or, below, at every bin.

    A bin is taken to be at k / 1410 of the rate, as the package does, though its windows have 1411 samples.
    """
    bins_hz = np.arange(BINS - 1) * RATE / (WINDOW - 1)
    lowest = np.floor(np.log2(LOWEST_HZ / TUNED_HZ) * PER_OCTAVE)
    highest = np.ceil(np.log2(HIGHEST_HZ / TUNED_HZ) * PER_OCTAVE)
    tones_hz = TUNED_HZ * 2 ** (np.arange(lowest, highest) / PER_OCTAVE)
    tones_hz = tones_hz[(tones_hz >= LOWEST_HZ) & (tones_hz <= HIGHEST_HZ)]
    corners = np.unique([int(np.abs(bins_hz - hz).argmin()) for hz in tones_hz])
    bank = np.zeros((BINS, len(corners) - 2))
    for band, (start, middle, stop) in enumerate(zip(corners, corners[1:], corners[2:], strict=False)):
        if stop - start < 2:  # noqa: PLR2004
            bank[start, band] = 1
            continue
        bank[start:middle, band] = np.arange(middle - start) / (middle - start)
        bank[middle:stop, band] = 1 - np.arange(stop - middle) / (stop - middle)
    shares: NDArray[np.float64] = bank / bank.sum(axis=0)
    return shares


def read_weights(wheel: zipfile.ZipFile) -> dict[str, Tensor]:
    """Return the weights, by their names in the package."""
    return dict(torch.load(io.BytesIO(wheel.read(WEIGHTS)), "cpu", weights_only=True))


def layers_of(weights: Mapping[str, Tensor]) -> nn.ModuleDict:
    """Return layers in float64, with the package's names."""
    layers = nn.ModuleDict(
        {
            "conv1": nn.Conv1d(1, 2, TAPS),
            "linear0": nn.Linear(2 * POOLED, INNER),
            "lstm": nn.LSTM(INNER, CELLS, num_layers=2, batch_first=True),
            "linear": nn.Linear(CELLS, CLASSES),
        }
    )
    layers.load_state_dict(weights)
    return layers.double().eval()


def formulas(layers: nn.ModuleDict, rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return scores [n, 2] of a whole sound's rows [n, 272]."""
    with torch.no_grad():
        x = layers["conv1"](torch.from_numpy(rows).unsqueeze(1))
        x = layers["linear0"](nn.functional.max_pool1d(torch.relu(x), 2).flatten(1))
        x, _ = layers["lstm"](x.unsqueeze(0))
        found: NDArray[np.float64] = torch.softmax(layers["linear"](x[0]), dim=1).numpy()
    return np.stack([found[:, 0] + found[:, 1], found[:, 1]], axis=1)


def rows_of(samples: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the package's rows [n, 272] in float64: logarithms of bands, and how much they grew."""
    half = WINDOW // 2
    padded = np.pad(samples.astype(np.float64), half)
    frames = np.stack([padded[i : i + WINDOW] for i in range(0, len(samples), HOP)])
    logs = np.log10(np.abs(np.fft.rfft(frames * np.hanning(WINDOW))) @ filters() + 1)
    grown = np.maximum(np.diff(logs, axis=0, prepend=logs[:1]), 0)
    return np.hstack([logs, grown])


def by_onnx(weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return an LSTM's weights in ONNX's order of gates: PyTorch's i, f, g, o become i, o, f, g."""
    i, f, g, o = np.split(weights, 4)
    return np.concatenate([i, o, f, g])[None]


def constants(weights: Mapping[str, Tensor]) -> dict[str, NDArray[np.float32]]:
    """Return the graph's tensors."""
    w = {name: value.numpy().astype(np.float32) for name, value in weights.items()}
    made = {
        "filters": filters().astype(np.float32),
        "one": np.ones(1, np.float32),
        "log10_e": np.array([np.log10(np.e)], np.float32),
        "started": np.ones((1, 1), np.float32),
        "taps": w["conv1.weight"],
        "taps_bias": w["conv1.bias"],
        "inner": w["linear0.weight"],
        "inner_bias": w["linear0.bias"],
        "classes": w["linear.weight"],
        "classes_bias": w["linear.bias"],
    }
    for k in (0, 1):
        made[f"w{k}"], made[f"r{k}"] = (by_onnx(w[f"lstm.weight_{kind}_l{k}"]) for kind in ("ih", "hh"))
        made[f"b{k}"] = np.hstack([by_onnx(w[f"lstm.bias_{kind}_l{k}"]) for kind in ("ih", "hh")])
    return made


def nodes() -> list[onnx.NodeProto]:
    """Return the graph: bands, differences, the convolution, two LSTMs, and scores of one frame."""
    n = helper.make_node
    made = [
        n("MatMul", [INPUT, "filters"], ["bands"]),
        n("Add", ["bands", "one"], ["above"]),
        n("Log", ["above"], ["ln"]),
        n("Mul", ["ln", "log10_e"], ["logs"]),
        n("Split", ["before", "split"], ["before_logs", "before_any"], axis=1),
        n("Cast", ["before_any"], ["any"], to=TensorProto.BOOL),
        n("Where", ["any", "before_logs", "logs"], ["last"]),
        n("Sub", ["logs", "last"], ["change"]),
        n("Relu", ["change"], ["grown"]),
        n("Concat", ["logs", "started"], ["before_next"], axis=1),
        n("Concat", ["logs", "grown"], ["row"], axis=1),
        n("Unsqueeze", ["row", "axis_1"], ["channel"]),
        n("Conv", ["channel", "taps", "taps_bias"], ["filtered"]),
        n("Relu", ["filtered"], ["positive"]),
        n("MaxPool", ["positive"], ["pooled"], kernel_shape=[2], strides=[2]),
        n("Flatten", ["pooled"], ["flat"]),
        n("Gemm", ["flat", "inner", "inner_bias"], ["dense"], transB=1),
        n("Unsqueeze", ["dense", "axis_0"], ["step_0"]),
        n("Split", ["hidden", "ones"], ["hidden_0", "hidden_1"], axis=0),
        n("Split", ["cell", "ones"], ["cell_0", "cell_1"], axis=0),
    ]
    for k in (0, 1):
        given = [f"step_{k}", f"w{k}", f"r{k}", f"b{k}", "", f"hidden_{k}", f"cell_{k}"]
        made += [
            n("LSTM", given, [f"y_{k}", f"hidden_{k}_next", f"cell_{k}_next"], hidden_size=CELLS),
            n("Squeeze", [f"y_{k}", "axis_1"], [f"step_{k + 1}"]),
        ]
    return [
        *made,
        n("Concat", ["hidden_0_next", "hidden_1_next"], ["hidden_next"], axis=0),
        n("Concat", ["cell_0_next", "cell_1_next"], ["cell_next"], axis=0),
        n("Squeeze", ["step_2", "axis_0"], ["heard"]),
        n("Gemm", ["heard", "classes", "classes_bias"], ["logits"], transB=1),
        n("Softmax", ["logits"], ["probabilities"], axis=1),
        n("Split", ["probabilities", "classes_split"], ["other", "downbeat", "neither"], axis=1),
        n("Add", ["other", "downbeat"], ["beat"]),
        n("Concat", ["beat", "downbeat"], [SCORES], axis=1),
    ]


def to_onnx(weights: Mapping[str, Tensor]) -> bytes:
    """Return the network for one frame at a time."""
    floats = constants(weights)
    integers = {"split": [BANDS, 1], "ones": [1, 1], "classes_split": [1, 1, 1], "axis_0": [0], "axis_1": [1]}
    tensors = [numpy_helper.from_array(value, name) for name, value in floats.items()]
    tensors += [numpy_helper.from_array(np.array(value, np.int64), name) for name, value in integers.items()]
    value = helper.make_tensor_value_info
    given = [value(INPUT, TensorProto.FLOAT, [1, BINS])]
    left = [value(SCORES, TensorProto.FLOAT, [1, len(LABELS)])]
    for name, (after, shape) in STATE.items():
        given.append(value(name, TensorProto.FLOAT, shape))
        left.append(value(after, TensorProto.FLOAT, shape))
    graph = helper.make_graph(nodes(), "beats", given, left, tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString())


def front_end() -> fa.Spectrogram:
    """Return the node that gives the network its frames."""
    return fa.Spectrogram(sample_rate=RATE, n_fft=WINDOW, hop_length=HOP, window="hann_symmetric", power=1.0)


def examples() -> list[NDArray[np.float32]]:
    """Return noise, silence, and a made-up drum with a chord on each bar."""
    rng = np.random.default_rng(0)
    t = np.arange(12 * RATE) / RATE
    drum = rng.normal(0, 0.5, len(t)) * np.exp(-(t % 0.5) * 30)
    chord = np.sum([np.sin(2 * np.pi * hz * t) for hz in (110, 220, 277, 330)], axis=0) * np.exp(-(t % 2) * 2)
    sounds = rng.normal(0, 0.1, RATE), np.zeros(RATE), drum + 0.2 * chord
    return [x.astype(np.float32) for x in sounds]


def scores(model: bytes, samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Run the network as the card does: frame by frame, from a state of zeros."""
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    state = {name: np.zeros(shape, np.float32) for name, (_, shape) in STATE.items()}
    rows = []
    for frame in np.asarray(front_end()(samples)):
        row, *left = session.run(
            [SCORES, *(after for after, _ in STATE.values())], {INPUT: frame[None]} | state
        )
        state = dict(zip(STATE, left, strict=True))
        rows.append(row[0])
    return np.array(rows, np.float32)


def check(model: bytes, weights: Mapping[str, Tensor]) -> None:
    """Compare with the formulas, print how far the scores are, raise if that is too far."""
    layers, worst, highest = layers_of(weights), 0.0, 0.0
    for samples in examples():
        want = formulas(layers, rows_of(samples))
        got = scores(model, samples)[: len(want)]
        worst = max(worst, float(np.abs(got - want).max()))
        highest = max(highest, float(want[:, 0].max()))
    print(f"beats: largest difference from the formulas {worst:.1e} (highest score {highest:.2f})")
    if not worst <= TOLERANCE:
        raise ValueError(
            f"beats: expected scores within {TOLERANCE} of the formulas, got {worst:.1e}; not written"
        )


def make_card(model: bytes, parameters: int) -> dict[str, object]:
    """Return the card, ready for JSON."""
    return {
        "schema": "fastaudio.card/1",
        "name": "beats",
        "version": "1.0.0",
        "task": "beat tracking",
        "description": "Probabilities of a beat, and of a bar's first, every 20 ms, by a small recurrent "
        "network that hears music in order: row k is for the sound around 20 k ms and comes 32 ms later. "
        "Events that cool down for 0.2 s are beats where music marks each beat and little else; elsewhere "
        "they may be halves of beats too, or leave some out.",
        "input": {"rate_hz": RATE / HOP, "shape": [BINS], "unit": "magnitude"},
        "pipeline": [
            front_end().to_dict(),
            {
                "node": "OnnxModel",
                "path": "model.onnx",
                "sha256": hashlib.sha256(model).hexdigest(),
                "outputs": [SCORES],
                "units": ["probability"],
                "state": {name: after for name, (after, _) in STATE.items()},
            },
            {"node": "Tags", "labels": LABELS},
        ],
        "outputs": {
            SCORES: {"purpose": "scores of a frame", "unit": "probability", "shape": [len(LABELS)]},
            **{
                after: {"purpose": "memory, for the next run", "unit": "activation", "shape": shape}
                for after, shape in STATE.values()
            },
        },
        "hears": "music",
        "parameters": parameters,
        "licence": "CC-BY-4.0",
        "authors": ["Mojtaba Heydari"],
        "citation": "Mojtaba Heydari, Frank Cwitkowitz and Zhiyao Duan, BeatNet: CRNN and Particle Filtering "
        "for Online Joint Beat, Downbeat and Meter Tracking, ISMIR 2021.",
        "source": {"package": "BeatNet", "version": "1.1.3", "file": WEIGHTS, "sha256": WHEEL_SHA256},
        "changes": "rebuilt in ONNX for one frame at a time with the front end in the graph; the score of a "
        "beat includes downbeats; the inference of beats is left out",
        "trained_on": "not stated in the package but for one that was left out, the Rock Corpus",
    }


def make(wheel: zipfile.ZipFile, target: Path) -> None:
    """Write the model's folder, after checking it."""
    weights = read_weights(wheel)
    model = to_onnx(weights)
    check(model, weights)
    card = make_card(model, sum(value.numel() for value in weights.values()))
    write_model(target, model, card, NOTICE + wheel.read(LICENCE).decode("utf-8").lstrip())


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the model; the exit status says whether it passed."""
    return make_from_wheel("beats", ("BeatNet", "1.1.3", WHEEL_SHA256), make, arguments)


if __name__ == "__main__":
    sys.exit(main())
