"""Make the model swift-f0 from the PyPI package swift-f0 0.3.0: the pitch of one voice or instrument.

    pip download --no-deps swift-f0==0.3.0
    pip install onnx onnxruntime
    python models/recipes/shipped/swift_f0.py --wheel swift_f0-0.3.0-py3-none-any.whl --output DIR

The wheel is read as data. Its ONNX file keeps its numbers. Pitch and confidence become one output, the
range of pitches is that of the package, and quiet frames get the confidence 0 that its code gives them.
"""

import hashlib
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import onnxruntime  # type: ignore[import-not-found,import-untyped,unused-ignore]
from numpy.typing import NDArray
from onnx import helper, numpy_helper
from wheels import make_from_wheel, write_model

WHEEL_SHA256 = "d7240c7c94b1d3e8f0e0cd2701b79be89a0f23a19cd5f944895a6518ecad72f3"
FILE = "swift_f0/model.onnx"
LICENCE = "swift_f0-0.3.0.dist-info/licenses/LICENSE"
RATE, FRAME = 16_000, 256
LOWEST_HZ, HIGHEST_HZ = 46.875, 2093.75
QUIET = 1e-3  # frames whose samples stay below this have the confidence 0
HOP, REACH = 30, 11  # frames from one run to the next, and those on both sides that a frame depends on
INPUT, FRAMES = "audio", "frames"
NOTICE = """\
The network of the package swift-f0 0.3.0, under the MIT licence, whose text follows. Changed: pitch and
confidence are one output, the range of pitches is constant, and frames of quiet sound get the confidence 0.

"""


def join(model: onnx.ModelProto) -> None:
    """Make the range constant, and the outputs pitch and confidence one, [1, frames, 2]."""
    graph = model.graph
    constants: dict[str, NDArray[np.float32] | NDArray[np.int64]] = {
        "fmin": np.array(LOWEST_HZ, np.float32),
        "fmax": np.array(HIGHEST_HZ, np.float32),
        "as_frames": np.array([1, -1, FRAME], np.int64),
        "last_axis": np.array([-1], np.int64),
        "quiet": np.array(QUIET, np.float32),
    }
    graph.initializer.extend(numpy_helper.from_array(value, name) for name, value in constants.items())
    (audio,) = [one for one in graph.input if one.name == INPUT]
    del graph.input[:], graph.output[:]
    graph.input.append(audio)
    graph.node.extend(
        [
            helper.make_node("Reshape", [INPUT, "as_frames"], ["framed"]),
            helper.make_node("Abs", ["framed"], ["framed_abs"]),
            helper.make_node("ReduceMax", ["framed_abs", "last_axis"], ["peak"], keepdims=0),
            helper.make_node("GreaterOrEqual", ["peak", "quiet"], ["loud"]),
            helper.make_node("Cast", ["loud"], ["loud_01"], to=onnx.TensorProto.FLOAT),
            helper.make_node("Mul", ["confidence", "loud_01"], ["sure"]),
            helper.make_node("Cast", ["pitch"], ["pitch_32"], to=onnx.TensorProto.FLOAT),
            helper.make_node("Unsqueeze", ["pitch_32", "last_axis"], ["pitch_column"]),
            helper.make_node("Unsqueeze", ["sure", "last_axis"], ["sure_column"]),
            helper.make_node("Concat", ["pitch_column", "sure_column"], [FRAMES], axis=-1),
        ]
    )
    shape: list[str | int | None] = [1, "frames", 2]
    graph.output.append(helper.make_tensor_value_info(FRAMES, onnx.TensorProto.FLOAT, shape))


def examples() -> list[NDArray[np.float32]]:
    """Return noise, silence, and a voice that glides, of whole frames."""
    rng = np.random.default_rng(0)
    t = np.arange(2 * RATE) / RATE
    pitch = 2 * np.pi * (120 * t + 3 * np.sin(2 * np.pi * 3 * t))
    voice = 0.1 * np.sum([np.sin(k * pitch) / k for k in range(1, 20)], axis=0) * (t < 1)
    return [x.astype(np.float32) for x in (rng.normal(0, 0.1, RATE // 2 * 2), np.zeros(2 * FRAME), voice)]


def check(model: bytes, original: bytes) -> None:
    """Compare with the package's file and its rule for quiet frames, raise if a number differs."""
    ours, package = (
        onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"]) for data in (model, original)
    )
    how = {"fmin": np.array(LOWEST_HZ, np.float32), "fmax": np.array(HIGHEST_HZ, np.float32)}
    for samples in examples():
        audio = samples[: len(samples) // FRAME * FRAME][None]
        pitch, confidence = package.run(["pitch", "confidence"], {INPUT: audio} | how)
        confidence = np.where(np.abs(audio.reshape(1, -1, FRAME)).max(axis=-1) < QUIET, 0, confidence)
        (frames,) = ours.run([FRAMES], {INPUT: audio})
        worst = float(np.abs(frames - np.stack([pitch.astype(np.float32), confidence], axis=-1)).max())
        if worst > 0:
            raise ValueError(f"swift-f0: expected the package's numbers, got {worst} off; not written")
    print("swift-f0: the numbers of the package's file, to the bit")


def count_weights(model: onnx.ModelProto) -> int:
    """Return how many numbers the convolutions hold."""
    tensors = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    used = {name for node in model.graph.node if node.op_type == "Conv" for name in node.input[1:]}
    return sum(tensors[name].size for name in used if name in tensors)


def make_card(model: bytes) -> dict[str, object]:
    """Return the card, ready for JSON."""
    network = {
        "node": "OnnxModel",
        "path": "model.onnx",
        "sha256": hashlib.sha256(model).hexdigest(),
        "outputs": [FRAMES],
    }
    length = HOP + 2 * REACH
    return {
        "schema": "fastaudio.card/1",
        "name": "swift-f0",
        "version": "1.0.0",
        "task": "pitch estimation",
        "description": "Rows [n, 2] every 16 ms: the pitch in Hz, from 47 to 2094, and how sure the network "
        "is that there is one, from 0 to 1; it takes 0.5 for yes. Row k is centred at 16 k ms. For one voice "
        f"or instrument at a time. Live rows come at most {length * FRAME / RATE:.3f} s late. Those of the "
        "last 0.2 s of a sound take it that silence follows.",
        "input": {"rate_hz": float(RATE), "shape": [], "unit": "samples"},
        "pipeline": [
            {"node": "Resample", "input_rate": RATE, "output_rate": RATE},
            {"node": "Patches", "length": length * FRAME, "hop": HOP * FRAME, "last": "pad"},
            network,
            {"node": "Unroll", "rate_hz": RATE / FRAME},
        ],
        "outputs": {
            FRAMES: {
                "purpose": "pitch in Hz, and confidence",
                "unit": "Hz, probability",
                "shape": ["frames", 2],
            }
        },
        "parameters": count_weights(onnx.load_from_string(model)),
        "licence": "MIT",
        "authors": ["Lars Nieradzik"],
        "copyright": "Copyright (c) 2025-2026 Lars Nieradzik",
        "citation": "Lars Nieradzik, SwiftF0: Fast and Accurate Monophonic Pitch Detection, "
        "arXiv:2508.18440, 2025.",
        "source": {"package": "swift-f0", "version": "0.3.0", "file": FILE, "sha256": WHEEL_SHA256},
        "changes": "pitch and confidence are one output; the range is constant; quiet frames have the "
        "confidence 0",
        "trained_on": "not stated in the package",
    }


def make(wheel: zipfile.ZipFile, target: Path) -> None:
    """Write the model's folder, after checking it."""
    original = wheel.read(FILE)
    model = onnx.load_from_string(original)
    join(model)
    onnx.checker.check_model(model, full_check=True)
    data = bytes(model.SerializeToString())
    check(data, original)
    card = make_card(data)
    write_model(target, data, card, NOTICE + wheel.read(LICENCE).decode("utf-8"))


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the model; the exit status says whether it passed."""
    return make_from_wheel("swift-f0", ("swift-f0", "0.3.0", WHEEL_SHA256), make, arguments)


if __name__ == "__main__":
    sys.exit(main())
