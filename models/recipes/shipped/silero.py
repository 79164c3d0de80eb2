"""Make the model silero-vad from the PyPI package silero-vad 6.2.3: its network for 16 kHz as it is.

    pip install silero-vad==6.2.3 onnx onnxruntime
    python models/recipes/shipped/silero.py --output models

It takes the package's file without control flow and without an input for the rate, and compares it with the
package's OnnxWrapper around the file that has both.
"""

import argparse
import hashlib
import json
import sys
import warnings
from collections.abc import Sequence
from importlib.metadata import distribution
from importlib.resources import files
from pathlib import Path

import numpy as np
import onnx
import onnxruntime  # type: ignore[import-not-found,import-untyped,unused-ignore]
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from silero_vad.utils_vad import OnnxWrapper

FILE = "silero_vad_openvino_16k.onnx"
SHA256 = "7776b81ad1b0350c15d7f1555943b9232eb53e9ca5d989c6d0cea9ebc8664d87"
COMPARED_WITH = "silero_vad_16k_op15.onnx"
TOLERANCE = 1e-6
RATE, LENGTH, CONTEXT = 16_000, 512, 64


def examples() -> list[NDArray[np.float32]]:
    """Return signals that take the scores up and down: noise, silence, and something like a voice."""
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 0.1, 2 * RATE).astype(np.float32)
    t = np.arange(3 * RATE) / RATE
    pitch = 2 * np.pi * (120 * t + 3 * np.sin(2 * np.pi * 3 * t))
    levels = {k: np.exp(-(((k * 120 - 600) / 700) ** 2)) for k in range(1, 30)}
    voice = sum(level * np.sin(k * pitch) for k, level in levels.items())
    gate = np.sin(2 * np.pi * 2 * t) > 0
    return [noise, np.zeros(RATE, np.float32), (0.1 * voice * gate).astype(np.float32), noise[:700]]


def read_model(data: Path) -> bytes:
    """Return the package's file, if it is the one this recipe was written for."""
    model = (data / FILE).read_bytes()
    got = hashlib.sha256(model).hexdigest()
    if got != SHA256:
        raise ValueError(f"{FILE}: expected sha256 {SHA256}, got {got}; install silero-vad==6.2.3")
    onnx.checker.check_model(onnx.load_from_string(model), full_check=True)
    return model


def scores(model: bytes, samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Run the network as the card does: context before each chunk, the last one filled with zeros."""
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    n = -(-len(samples) // LENGTH)
    padded = np.zeros(CONTEXT + n * LENGTH, np.float32)
    padded[CONTEXT : CONTEXT + len(samples)] = samples
    state = np.zeros((2, 1, 128), np.float32)
    found = []
    for k in range(n):
        chunk = padded[None, k * LENGTH : (k + 1) * LENGTH + CONTEXT]
        score, state = session.run(["output", "stateN"], {"input": chunk, "state": state})
        found.append(score[0, 0])
    return np.array(found, np.float32)


def check(model: bytes, data: Path) -> None:
    """Compare with the package, print how far it is, raise if that is too far."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the file is for 16 kHz alone
        package = OnnxWrapper(str(data / COMPARED_WITH), force_onnx_cpu=True)
    worst, highest = 0.0, 0.0
    for samples in examples():
        want = package.audio_forward(torch.from_numpy(samples)[None], RATE).numpy()[0]
        worst = max(worst, float(np.abs(scores(model, samples) - want).max()))
        highest = max(highest, float(want.max()))
    print(f"silero-vad: largest difference from the package {worst:.2e} (highest score {highest:.2f})")
    if not worst <= TOLERANCE:
        raise ValueError(f"silero-vad: expected scores within {TOLERANCE} of the package's, got {worst:.2e}")


def count_weights(model: bytes) -> int:
    """Return the number of trained values, which are all float tensors but the Fourier transform's."""
    nodes = [node for node in onnx.load_from_string(model).graph.node if node.op_type == "Constant"]
    trained = [node.attribute[0].t for node in nodes if "forward_basis" not in node.output[0]]
    arrays = [numpy_helper.to_array(tensor) for tensor in trained]
    return sum(array.size for array in arrays if array.dtype == np.float32 and array.ndim > 0)


def make_card(model: bytes) -> dict[str, object]:
    """Return the card, ready for JSON."""
    return {
        "schema": "fastaudio.card/1",
        "name": "silero-vad",
        "version": "1.0.0",
        "task": "voice activity detection",
        "description": "Probability of speech every 32 ms, by a small recurrent network that hears the "
        "sound in order and remembers what it heard.",
        "input": {"rate_hz": float(RATE), "shape": [], "unit": "samples"},
        "pipeline": [
            {"node": "Resample", "input_rate": RATE, "output_rate": RATE},
            {"node": "Patches", "length": LENGTH, "context": CONTEXT, "last": "pad"},
            {
                "node": "OnnxModel",
                "path": "model.onnx",
                "sha256": SHA256,
                "outputs": ["output"],
                "units": ["probability"],
                "state": {"state": "stateN"},
            },
            {"node": "Tags", "labels": ["speech"]},
        ],
        "outputs": {
            "output": {"purpose": "score of speech", "unit": "probability", "shape": [1]},
            "stateN": {"purpose": "memory, for the next run", "unit": "activation", "shape": [2, 1, 128]},
        },
        "parameters": count_weights(model),
        "licence": "MIT",
        "authors": ["Silero Team"],
        "copyright": "Copyright (c) 2020-present Silero Team",
        "citation": "Silero Team, Silero VAD: pre-trained enterprise-grade Voice Activity Detector (VAD), "
        "Number Detector and Language Classifier, GitHub repository snakers4/silero-vad, 2024.",
        "source": {"package": "silero-vad", "version": "6.2.3", "file": FILE, "sha256": SHA256},
        "trained_on": "recordings in over 6000 languages, as the authors say",
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the model's folder, if it passes."""
    parser = argparse.ArgumentParser(
        description="Make silero-vad from the installed package silero-vad 6.2.3."
    )
    parser.add_argument("--output", type=Path, default=Path("models"), help="default: models")
    options = parser.parse_args(arguments)
    data = Path(str(files("silero_vad"))) / "data"
    try:
        model = read_model(data)
        check(model, data)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    licence = distribution("silero-vad").read_text("licenses/LICENSE")
    target = options.output / "silero-vad"
    target.mkdir(parents=True, exist_ok=True)
    (target / "model.onnx").write_bytes(model)
    text = json.dumps(make_card(model), indent=2, ensure_ascii=False) + "\n"
    (target / "card.json").write_text(text, encoding="utf-8")
    (target / "LICENSE").write_text(str(licence), encoding="utf-8")
    print(f"  {count_weights(model)} parameters, {len(model)} bytes, sha256 {SHA256}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
