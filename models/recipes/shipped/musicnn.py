"""Rebuilds musicnn-mtt, musicnn-msd, vgg-mtt and vgg-msd from the PyPI package `musicnn` 0.1.0.

The wheel is read as data; its code never runs. Each export is compared with the TensorFlow graph
it was trained as before anything of it is written.
"""

import argparse
import ast
import hashlib
import json
import re
import sys
import tempfile
import warnings
import zipfile
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import torch
from musicnn_cards import make_card
from musicnn_check import (
    BANDS,
    FRAMES,
    INPUT,
    differences,
    example_patches,
    milliseconds_per_patch,
    open_session,
    require_close,
)
from musicnn_layers import Pool, numbered
from musicnn_networks import MusiCNN, Vgg
from tf_checkpoint import OriginalGraph, read_pools, read_weights
from wheels import read_wheel

WHEEL_SHA256 = "f38a4890c648c1ddbb141c5d96d2b0a8cfcd36746002d896989f7b88beb65cfa"
LICENCE = "musicnn-0.1.0.dist-info/LICENSE.md"
CONFIGURATION = "musicnn/configuration.py"
CHECKPOINT_FILES = (".index", ".data-00000-of-00001", ".meta", "experiment.result")
OPSET = 17

# Where each output is in the original graphs; several tensors are joined along the last axis.
MUSICNN_TENSORS = {
    "taggram": ("model/Sigmoid",),
    "penultimate": ("model/batch_normalization_10/batchnorm/add_1",),
    "mean_pool": ("model/moments/Squeeze",),
    "max_pool": ("model/Max",),
    "timbral": ("model/Squeeze", "model/Squeeze_1"),
    "temporal": ("model/Squeeze_2", "model/Squeeze_3", "model/Squeeze_4"),
    "cnn1": ("model/transpose",),
    "cnn2": ("model/Add",),
    "cnn3": ("model/Add_1",),
    "dense": ("model/dense/BiasAdd",),
}
VGG_TENSORS = {
    "taggram": ("model/Sigmoid",),
    "flat": ("model/Flatten/flatten/Reshape",),
    **{f"pool{i + 1}": (f"model/{numbered('max_pooling2d', i)}/MaxPool",) for i in range(5)},
}


@dataclass(frozen=True)
class Recipe:
    """A model's name here, its folder in the wheel, and its list of labels there."""

    name: str
    folder: str
    labels: str


RECIPES = (
    Recipe("musicnn-mtt", "MTT_musicnn", "MTT_LABELS"),
    Recipe("musicnn-msd", "MSD_musicnn", "MSD_LABELS"),
    Recipe("vgg-mtt", "MTT_vgg", "MTT_LABELS"),
    Recipe("vgg-msd", "MSD_vgg", "MSD_LABELS"),
)


def build(recipe: Recipe, wheel: zipfile.ZipFile, recordings: Sequence[Path], output: Path) -> None:
    """Check one model, print what was measured, and write its folder."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = extract(wheel, recipe.folder, Path(temporary))
        weights = read_weights(folder)
        net: MusiCNN | Vgg
        tensors: Mapping[str, tuple[str, ...]]
        if recipe.name.startswith("musicnn"):
            net, tensors = MusiCNN(), MUSICNN_TENSORS
        else:
            # Pools come from the graph: the package's code has others than vgg-msd was trained with.
            net, tensors = Vgg([Pool(*pool) for pool in read_pools(folder)]), VGG_TENSORS
        net.load(weights)
        model = Path(temporary) / "model.onnx"
        export(net, model)
        shapes = check(recipe.name, net, model, OriginalGraph(folder, tensors), recordings)
        record = (folder / "experiment.result").read_text(encoding="utf-8")
        roc_auc, pr_auc = (float(x) for x in re.findall(r"AUC: ([0-9.]+)", record))
        data = model.read_bytes()
    parameters = sum(w.size for name, w in weights.items() if "/moving_" not in name)
    card = make_card(
        recipe.name,
        labels=read_labels(wheel, recipe.labels),
        model_sha256=sha256(data),
        shapes=shapes,
        parameters=parameters,
        source={
            "package": "musicnn",
            "version": "0.1.0",
            "file": recipe.folder,
            "sha256": WHEEL_SHA256,
        },
        roc_auc=roc_auc,
        pr_auc=pr_auc,
    )
    target = output / recipe.name
    target.mkdir(parents=True, exist_ok=True)
    (target / "model.onnx").write_bytes(data)
    text = json.dumps(card, indent=2, ensure_ascii=False) + "\n"
    (target / "card.json").write_text(text, encoding="utf-8")
    (target / "LICENSE").write_bytes(wheel.read(LICENCE))
    print(f"  {parameters} parameters, {len(data)} bytes, sha256 {sha256(data)}")


def extract(wheel: zipfile.ZipFile, name: str, parent: Path) -> Path:
    """Return the folder of one checkpoint, with only the files known by name."""
    folder = parent / name
    folder.mkdir()
    for file in CHECKPOINT_FILES:
        (folder / file).write_bytes(wheel.read(f"musicnn/{name}/{file}"))
    return folder


def read_labels(wheel: zipfile.ZipFile, name: str) -> list[str]:
    """Return a list of labels from the package's configuration, parsed and not run."""
    for node in ast.parse(wheel.read(CONFIGURATION)).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name:
            return [str(label) for label in ast.literal_eval(node.value)]
    raise ValueError(f"{CONFIGURATION}: expected a list {name}, got none; use musicnn 0.1.0.")


def export(net: MusiCNN | Vgg, path: Path) -> None:
    """Write a network as ONNX with an open batch axis, and open frames for MusiCNN."""
    free = {INPUT: {0: "n"}, **{name: {0: "n"} for name in net.OUTPUTS}}
    if isinstance(net, MusiCNN):
        for name in (INPUT, *net.ROWS):
            free[name][1] = "frames"
    with warnings.catch_warnings():
        # The older exporter is deprecated, but its graph is the plainer one.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            net.eval(),
            (torch.zeros(1, FRAMES, BANDS),),
            path,
            dynamo=False,
            opset_version=OPSET,
            input_names=[INPUT],
            output_names=list(net.OUTPUTS),
            dynamic_axes=free,
        )
    model = onnx.load(path)
    if isinstance(net, MusiCNN):
        state_shapes(model)
        onnx.save(model, path)
    onnx.checker.check_model(model, full_check=True)


def state_shapes(model: onnx.ModelProto) -> None:
    """State the shapes of what lies between the layers, of which some change with the input.

    ONNX Runtime adds two tensors within a convolution if the file says that they are of one shape, which
    it can't tell of an open axis by itself.
    """
    sizes = [{"n": n, "frames": frames} for n, frames in ((2, FRAMES), (3, FRAMES + 13))]
    found = []
    for given in sizes:
        fixed = onnx.ModelProto()
        fixed.CopyFrom(model)
        for value in (*fixed.graph.input, *fixed.graph.output):
            for axis in value.type.tensor_type.shape.dim:
                if axis.dim_param in given:
                    axis.dim_value = given[axis.dim_param]
        known = onnx.shape_inference.infer_shapes(fixed, data_prop=True).graph.value_info
        found.append({value.name: value for value in known if value.type.HasField("tensor_type")})
    del model.graph.value_info[:]
    for name, value in found[0].items():
        for axis, other in zip(
            value.type.tensor_type.shape.dim, found[1][name].type.tensor_type.shape.dim, strict=True
        ):
            pair = [axis.dim_value, other.dim_value]
            if pair[0] != pair[1]:
                names = [key for key in sizes[0] if [given[key] for given in sizes] == pair]
                axis.ClearField("value")
                axis.dim_param = names[0] if names else ""
        model.graph.value_info.append(value)


def check(
    name: str, net: MusiCNN | Vgg, model: Path, original: OriginalGraph, recordings: Sequence[Path]
) -> dict[str, list[int | str]]:
    """Compare an export with the original, print how far it is, return the outputs' shapes."""
    lengths = (FRAMES, 100, 2 * FRAMES) if isinstance(net, MusiCNN) else (FRAMES,)
    worst = dict.fromkeys(net.OUTPUTS, (0.0, 0.0))
    with closing(original):
        for length in lengths:
            found = differences(model, original, net.OUTPUTS, example_patches(recordings, length))
            worst = {k: (max(v[0], found[k][0]), max(v[1], found[k][1])) for k, v in worst.items()}
    print(f"{name}: largest difference from the original graph (largest magnitude)")
    for output, (difference, magnitude) in worst.items():
        print(f"  {output:<12} {difference:.2e} ({magnitude:.3g})")
    require_close(name, worst)
    print(f"  {milliseconds_per_patch(model, ['taggram']):.1f} ms a patch on one thread")
    patch = np.zeros((1, FRAMES, BANDS), np.float32)
    rows = open_session(model).run(list(net.OUTPUTS), {INPUT: patch})
    shapes: dict[str, list[int | str]] = {}
    for output, row in zip(net.OUTPUTS, rows, strict=True):
        first: list[int | str] = ["frames"] if output in net.ROWS else [row.shape[1]]
        shapes[output] = [*first, *row.shape[2:]]
    return shapes


def sha256(data: bytes) -> str:
    """Return the hash in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def main(arguments: Sequence[str] | None = None) -> int:
    """Build the models asked for; the exit status says whether all passed."""
    parser = argparse.ArgumentParser(
        description="Rebuild MusiCNN and VGG as ONNX from the PyPI package musicnn 0.1.0.",
        epilog="example: python models/recipes/shipped/musicnn.py "
        "--wheel musicnn-0.1.0-py3-none-any.whl --output models",
    )
    names = [recipe.name for recipe in RECIPES]
    parser.add_argument("--wheel", type=Path, help="musicnn-0.1.0-py3-none-any.whl")
    parser.add_argument("--output", type=Path, default=Path("models"), help="default: models")
    parser.add_argument("--only", choices=names, nargs="+", default=names, metavar="NAME")
    parser.add_argument(
        "--audio",
        type=Path,
        nargs="+",
        default=[],
        metavar="FILE",
        help="recordings to compare on as well as on made-up patches (needs librosa)",
    )
    options = parser.parse_args(arguments)
    try:
        with read_wheel(options.wheel, "musicnn", "0.1.0", WHEEL_SHA256) as wheel:
            for recipe in RECIPES:
                if recipe.name in options.only:
                    build(recipe, wheel, options.audio, options.output)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
