"""Exports a recipe's network as ONNX with its card, and measures how far it is from PyTorch."""

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from fastaudio import Node, OnnxModel, Pipeline, Tags
from recipe import Recipe, Rows, count_parameters, run
from torch import nn

INPUT = "patches"
OPSET = 17


def export(recipe: Recipe, net: nn.Module, folder: Path) -> None:
    """Write model.onnx and card.json into a folder: the pipeline from samples to tags, or rows."""
    folder.mkdir(parents=True, exist_ok=True)
    model = folder / "model.onnx"
    write_model(recipe, net, model)
    first, (_, unit) = next(iter(recipe.outputs.items()))
    node: Node = recipe.front() >> OnnxModel(str(model), outputs=[first], units=[unit], layout=recipe.layout)
    if recipe.after is not None:
        node = node >> recipe.after()
    if recipe.labels:
        node = node >> Tags(list(recipe.labels))
    shapes = [list(spec.shape) for spec in Pipeline(all_outputs(recipe, model)).output_specs.values()]
    card = make_card(recipe, folder.name, count_parameters(net), shapes)
    Pipeline(node, card=card).save(folder / "card.json")


def write_model(recipe: Recipe, net: nn.Module, path: Path) -> None:
    """Write a network as ONNX; its batch is open, and so is time where the recipe says so."""
    free = {name: {0: "n"} for name in (INPUT, *recipe.outputs)}
    for name, axis in recipe.free.items():
        free[name][axis] = f"{name}_length"
    example = torch.from_numpy(recipe.patches(recipe.sound())[:1])
    with warnings.catch_warnings():
        # The older exporter is deprecated, but its graph is the plainer one.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            net.eval(),
            (example,),
            path,
            dynamo=False,
            opset_version=OPSET,
            input_names=[INPUT],
            output_names=list(recipe.outputs),
            dynamic_axes=free,
        )
    onnx.checker.check_model(onnx.load(path), full_check=True)


def all_outputs(recipe: Recipe, model: Path) -> Node:
    """Return the node from samples to every output of an exported network."""
    return recipe.front() >> OnnxModel(str(model), outputs=list(recipe.outputs), layout=recipe.layout)


def differences(recipe: Recipe, net: nn.Module, model: Path, samples: Rows) -> dict[str, tuple[float, float]]:
    """Run fastaudio and PyTorch from the same samples.

    Returns:
        For each output the largest difference and the largest magnitude.
    """
    rows = all_outputs(recipe, model)(samples)
    found = list(rows.values()) if isinstance(rows, dict) else [rows]
    wanted = run(net, recipe.patches(samples))
    return {
        name: (float(np.abs(ours - theirs).max()), float(np.abs(theirs).max()))
        for name, ours, theirs in zip(recipe.outputs, found, wanted, strict=True)
    }


def require_close(recipe: Recipe, found: Mapping[str, tuple[float, float]]) -> None:
    """Raise ValueError if an output is further from PyTorch's than rounding explains."""
    for output, (difference, magnitude) in found.items():
        limit = recipe.tolerance * max(1.0, magnitude)
        if not difference <= limit:
            raise ValueError(
                f"{recipe.name}: expected {output} within {limit:.1e} of PyTorch, got {difference:.1e}"
            )


def make_card(recipe: Recipe, name: str, parameters: int, shapes: Sequence[list[int]]) -> dict[str, Any]:
    """Return what a card says beside its pipeline."""
    card: dict[str, Any] = {
        "name": name,
        "task": recipe.task,
        "description": recipe.description,
        "weights": "untrained",
        "outputs": {
            output: {"purpose": purpose, "unit": unit, "shape": shape}
            for (output, (purpose, unit)), shape in zip(recipe.outputs.items(), shapes, strict=True)
        },
        "parameters": parameters,
        "citation": recipe.citation,
    }
    if recipe.label_source:
        card["label_source"] = recipe.label_source
    return card
