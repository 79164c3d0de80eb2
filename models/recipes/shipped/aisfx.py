"""Make the model aisfx from the PyPI package aisfx 0.1.2: embeddings of sound effects.

    pip download --no-deps aisfx==0.1.2
    pip install torch onnx onnxruntime fastaudio-toolkit
    python models/recipes/shipped/aisfx.py --wheel aisfx-0.1.2-py2.py3-none-any.whl --output models

The wheel is read as data; of its code only the network's class is run, to compare with. The checkpoint is
loaded as weights alone. Its nine classifiers are left out: the names of their classes aren't in the package.
"""

import argparse
import hashlib
import importlib.util
import io
import json
import sys
import tempfile
import warnings
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime  # type: ignore[import-not-found,import-untyped,unused-ignore]
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from wheels import read_wheel

WHEEL_SHA256 = "bfe219950715af179e9a1653e7117cc1852baef267cd6596c42cad74afe1d194"
CHECKPOINT = "aisfx/models/checkpoint.pth"
NETWORK = "aisfx/models/cnn2d.py"
LICENCE = "aisfx-0.1.2.dist-info/licenses/LICENSE"
FRAMES, BANDS, WIDTH = 100, 96, 512
CHANNELS = (64, 128, 256, 512)
INPUT, OUTPUT = "melspectrogram", "embedding"
TOLERANCE = 1e-5  # as a share of the largest value
NOTICE = """\
aiSFX: the weights of the package aisfx 0.1.2 by Alison Bernice Ma and Alexander Lerch, under the Creative
Commons Attribution 4.0 International License, whose text follows. Changed: converted to ONNX, batch
normalisation folded into the convolutions, the classifiers left out. Cite: Alison Bernice Ma and Alexander
Lerch, Representation Learning for the Automatic Indexing of Sound Effects Libraries, ISMIR 2022, 866-875.

"""


class EmbeddingNet(nn.Module):
    """Four pairs of 3 x 3 convolutions; the mean over frequency, then the largest over time."""

    def __init__(self) -> None:
        super().__init__()
        self.pairs = nn.ModuleList()
        for before, after in zip((1, *CHANNELS[:-1]), CHANNELS, strict=True):
            first = nn.Conv2d(before, after, 3, padding=1, bias=False)
            second = nn.Conv2d(after, after, 3, padding=1, bias=False)
            pair = (first, nn.BatchNorm2d(after), nn.ReLU(), second, nn.BatchNorm2d(after), nn.ReLU())
            self.pairs.append(nn.Sequential(*pair))

    def forward(self, patches: Tensor) -> Tensor:
        """Return embeddings [n, 512] of patches [n, frames, bands]."""
        x = patches.unsqueeze(1)
        for i, pair in enumerate(self.pairs):
            x = pair(x)
            if i < len(self.pairs) - 1:
                x = nn.functional.max_pool2d(x, 2)
        return x.mean(dim=3).amax(dim=2)

    def load(self, weights: Mapping[str, Tensor]) -> None:
        """Take the package's weights, by their names there."""
        places = {"conv1": 0, "bn1": 1, "conv2": 3, "bn2": 4}
        mine = {}
        for name, value in weights.items():
            top, *rest = name.split(".")
            if top == "embedding_net":
                block, layer, kind = rest
                mine[f"pairs.{int(block.removeprefix('conv_block')) - 1}.{places[layer]}.{kind}"] = value
        self.load_state_dict(mine)

    def count_weights(self) -> int:
        """Return how many numbers were trained."""
        return sum(weight.numel() for weight in self.parameters())


def read_weights(wheel: zipfile.ZipFile) -> dict[str, Tensor]:
    """Return the checkpoint's weights; beside them it holds counts of classes, as NumPy's numbers."""
    scalar = np.float32(0).__reduce__()[0]  # NumPy 2 moved it, so it is allowed under its old name
    allowed = [(scalar, "numpy.core.multiarray.scalar"), np.dtype, type(np.dtype("int64"))]
    with torch.serialization.safe_globals(allowed):
        weights, _ = torch.load(io.BytesIO(wheel.read(CHECKPOINT)), "cpu", weights_only=True)
    return dict(weights)


def original(wheel: zipfile.ZipFile, weights: Mapping[str, Tensor]) -> Any:
    """Return the package's own network with its weights."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "cnn2d.py"
        path.write_bytes(wheel.read(NETWORK))
        spec = importlib.util.spec_from_file_location("aisfx_cnn2d", path)
        if spec is None or spec.loader is None:
            raise ValueError(f"{NETWORK}: expected a module, got none")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    net = module.EmbeddingNet("max", 3, 1, CHANNELS[0])
    prefix = "embedding_net."
    net.load_state_dict({k.removeprefix(prefix): v for k, v in weights.items() if k.startswith(prefix)})
    return net.eval()


def export(net: EmbeddingNet) -> bytes:
    """Return the network as ONNX with open axes for batch and frames."""
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the older exporter is deprecated, but its graph is the plainer one
        torch.onnx.export(
            net.eval(),
            (torch.zeros(1, FRAMES, BANDS),),
            buffer,
            dynamo=False,
            opset_version=17,
            input_names=[INPUT],
            output_names=[OUTPUT],
            dynamic_axes={INPUT: {0: "n", 1: "frames"}, OUTPUT: {0: "n"}},
        )
    onnx.checker.check_model(onnx.load_from_string(buffer.getvalue()), full_check=True)
    return buffer.getvalue()


def examples() -> list[NDArray[np.float32]]:
    """Return patches like the front end's: noise, silence, and notes that begin and end."""
    rng = np.random.default_rng(0)
    notes = np.zeros((2, FRAMES, BANDS))
    notes[0, 20:60, 10::12] = 0.8
    notes[1, :, 30] = np.linspace(1, 0, FRAMES)
    short = rng.uniform(0, 1, (1, 30, BANDS))
    patches = [rng.uniform(0, 1, (3, FRAMES, BANDS)), np.zeros((1, FRAMES, BANDS)), notes, short]
    return [patch.astype(np.float32) for patch in patches]


def check(model: bytes, reference: Any) -> None:
    """Compare with the package's network, print how far it is, raise if that is too far."""
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    worst = 0.0
    for patches in examples():
        with torch.no_grad():
            want = reference(torch.from_numpy(patches)).numpy()
        (got,) = session.run([OUTPUT], {INPUT: patches})
        worst = max(worst, float(np.abs(got - want).max() / np.abs(want).max()))
    print(f"aisfx: largest difference from the package's network {worst:.1e} of the largest value")
    if not worst <= TOLERANCE:
        raise ValueError(f"aisfx: expected a difference of at most {TOLERANCE}, got {worst}; not written")


def make_card(model: bytes, parameters: int) -> dict[str, object]:
    """Return the card, ready for JSON."""
    from fastaudio import presets

    # Sound effects are often shorter than a patch, and none of their sound may be lost.
    front = presets.aisfx(last="pad")
    network = {"node": "OnnxModel", "path": "model.onnx", "sha256": hashlib.sha256(model).hexdigest()}
    network |= {"outputs": [OUTPUT], "units": ["embedding"]}
    return {
        "schema": "fastaudio.card/1",
        "name": "aisfx",
        "version": "1.0.0",
        "task": "sound-effects embedding",
        "description": "Embeddings of sound effects, 512 numbers every 1.2 s: alike where sounds are alike. "
        "No tags; for search, for comparing, and for training a classifier of your own.",
        "input": {"rate_hz": 44_100 / 1024, "shape": [BANDS], "unit": "normalized"},
        "pipeline": [*front.to_dict()["nodes"], network],
        "outputs": {OUTPUT: {"purpose": "what the sound is like", "unit": "embedding", "shape": [WIDTH]}},
        "parameters": parameters,
        "licence": "CC-BY-4.0",
        "authors": ["Alison Bernice Ma", "Alexander Lerch"],
        "copyright": "Copyright (c) 2022 A.B. Ma and A. Lerch",
        "citation": "Alison Bernice Ma and Alexander Lerch, Representation Learning for the Automatic "
        "Indexing of Sound Effects Libraries, Proceedings of the 23rd International Society for Music "
        "Information Retrieval Conference (ISMIR), Bengaluru, 2022, 866-875.",
        "source": {"package": "aisfx", "version": "0.1.2", "file": CHECKPOINT, "sha256": WHEEL_SHA256},
        "changes": "converted to ONNX; batch normalisation folded; classifiers left out",
        "trained_on": "nine libraries of sound effects",
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the model's folder, if it passes."""
    parser = argparse.ArgumentParser(description="Make aisfx from the wheel of the package aisfx 0.1.2.")
    parser.add_argument("--wheel", type=Path, help="aisfx-0.1.2-py2.py3-none-any.whl")
    parser.add_argument("--output", type=Path, default=Path("models"), help="default: models")
    options = parser.parse_args(arguments)
    try:
        with read_wheel(options.wheel, "aisfx", "0.1.2", WHEEL_SHA256) as wheel:
            weights = read_weights(wheel)
            net = EmbeddingNet()
            net.load(weights)
            model = export(net)
            check(model, original(wheel, weights))
            licence = wheel.read(LICENCE).decode("utf-8")
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    target = options.output / "aisfx"
    target.mkdir(parents=True, exist_ok=True)
    (target / "model.onnx").write_bytes(model)
    card = make_card(model, net.count_weights())
    (target / "card.json").write_text(json.dumps(card, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    (target / "LICENSE").write_text(NOTICE + licence, encoding="utf-8")
    print(
        f"  {net.count_weights()} parameters, {len(model)} bytes, sha256 {hashlib.sha256(model).hexdigest()}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
