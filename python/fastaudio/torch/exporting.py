"""From a PyTorch module and its front end to a model that runs here, checked against the module."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import torch

from fastaudio._core import ModelError, Node, OnnxModel, Tags
from fastaudio._system.writing import check_folder
from fastaudio.cards import read_card
from fastaudio.cards.replacing import model_file, save_model
from fastaudio.heads.extras import MissingExtra
from fastaudio.pipeline import Pipeline
from fastaudio.torch import graph
from fastaudio.torch.checking import (
    OtherNumbersError,
    compare,
    compare_results,
    made_up,
    recorded,
    runs_in_batches,
)
from fastaudio.torch.module import at_rest, reads_numbers
from fastaudio.torch.outputs import Named
from fastaudio.torch.plan import Plan, check_arguments, front_pipeline, make_plan

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Mapping, Sequence


@dataclass(frozen=True)
class Exported:
    """A model that was made of a module.

    Attributes:
        path: its card, or the file that holds all of it; what `Pipeline.load` takes.
        pipeline: the model, loaded from there.
        largest_difference: from the module, over all outputs and sounds that were compared.
        differences: the largest of each output.
        sounds: names of the sounds that were compared.
        exporter: PyTorch's exporter that wrote it: "script" or "dynamo".
        opset: of the ONNX graph.
        batches: whether the network takes several rows in one run, `OnnxModel(batch=...)`.
    """

    path: Path
    pipeline: Pipeline
    largest_difference: float
    differences: dict[str, float]
    sounds: tuple[str, ...]
    exporter: graph.Exporter
    opset: int
    batches: bool


def export(
    module: torch.nn.Module,
    front: Node,
    *,
    path: str | os.PathLike[str],
    labels: Sequence[str] | None = None,
    activation: Literal["sigmoid", "softmax"] | None = None,
    layout: str = "",
    outputs: Sequence[str] | None = None,
    output: str | None = None,
    sounds: Iterable[Any] = (),
    tolerance: float = 1e-4,
    exporter: graph.Exporter | None = None,
    opset: int = 17,
    card: Mapping[str, Any] | None = None,
) -> Exported:
    """Make a model of a module and its front end: a card and its ONNX, checked against the module.

    The module is run as it will be run: in eval mode, on the processor, in float32, row by row. The model is
    then loaded, run over made-up sound and over `sounds`, and every output is compared. Only if all are the
    module's does it get its place; else nothing is written. The module itself stays as it was, on its device
    and in its mode.

    Args:
        module: takes a batch of the front end's rows, and returns a tensor, or a tuple or dict of tensors,
            each with the batch as its first axis.
        front: the node from samples to rows, such as a preset, or `MelSpectrogram(...) >> Log(...) >>
            Patches(...)`. A module that takes the waveform gets windows of it from
            `Resample(input_rate=16_000, output_rate=16_000) >> Patches(length=16_000)`.
        path: a folder, for the card and its network; or a card, which ends in .json; or one file for both,
            which ends in .onnx. As with `Pipeline.save`, a model that is there is replaced, and no other
            file; it stays whole until the new one is.
        labels: names of the scores, of which the model makes tags; None if it gives an embedding.
        activation: what makes scores of logits: "sigmoid" if each label is judged by itself, "softmax" if one
            of them is right; None if the module does it.
        layout: axes of the module's input: n the batch, t a row's first axis (time), f its second (bands), c
            its third, and 1 an axis of one, such as "n1ft" for images of bands and time. '' is the rows' own.
        outputs: names of what the module returns, in its order; None for a dict's keys, a named tuple's
            fields, or "scores" ("embedding" without labels), "output_2", ...
        output: name of the output that ends the pipeline and has the labels; None for the first. The others
            are layers: `pipeline.layer(name)`.
        sounds: recordings to compare on, beside made-up sound: paths, or pairs of samples and sample rate.
        tolerance: largest difference allowed, times an output's largest magnitude if that is above 1.
        exporter: PyTorch's exporter: "script" traces one run, "dynamo" reads the program. None takes
            "script", and "dynamo" for a module that it refuses or changes, or that decides by its numbers,
            of which a trace keeps one way; this takes much longer.
        opset: of the ONNX graph; "dynamo" knows 18 and later only, and takes 18 for less.
        card: what the card says besides, such as {"licence": "MIT", "citation": "..."}.

    Raises:
        ModelError: the module doesn't fit its rows, its labels or either exporter, gives other numbers each
            time or such that aren't finite, or the model's differ by more than `tolerance`, which it names;
            another file is in the place.
        DecodeError: one of `sounds` can't be read.
        OutputError: a file can't be written.
        MissingExtra: a package of the extra [torch] isn't installed.
        TypeError, ValueError: an argument of a wrong type, or outside its range.
    """
    asked: dict[str, Any] = {"labels": labels, "activation": activation, "layout": layout}
    asked |= {"outputs": outputs, "output": output}
    check_arguments(
        tolerance=tolerance, opset=opset, exporter=exporter, activation=activation, card=card or {}
    )
    before = front_pipeline(front)
    target = model_file(path)
    check_folder(target.parent)
    if target.is_file():
        read_card(target)  # no other file is replaced
    heard = [*made_up(before), *recorded(sounds)]
    how: dict[str, Any] = {"opset": opset, "tolerance": tolerance, "card": dict(card or {})}
    with at_rest(module) as net:
        plan = make_plan(net, before, heard, **asked)
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            made = _made(plan, Path(folder), exporter=exporter, **how)
            save_model(path, made.pipeline.node, made.pipeline.card)
    return replace(made, path=target, pipeline=Pipeline.load(target))


def _made(
    plan: Plan,
    folder: Path,
    *,
    exporter: graph.Exporter | None,
    **how: Any,
) -> Exported:
    """Return a model by the first exporter whose network gives the module's numbers."""
    refusals = []
    for kind in (exporter,) if exporter else graph.EXPORTERS:
        for batches in (True, False) if plan.batches else (False,):
            place = folder / f"{kind}-{batches}"
            place.mkdir()
            try:
                made = _attempt(plan, place, exporter=kind, asked=bool(exporter), batches=batches, **how)
            except (ModelError, MissingExtra) as error:
                refusals.append(f"{kind}: {error}")
                if exporter and isinstance(error, MissingExtra):
                    raise
                if isinstance(error, MissingExtra | OtherNumbersError):  # the same for one row at a time
                    break
            else:
                if made is not None:
                    return made
    raise ModelError(
        "export: expected a module that an exporter of PyTorch turns into the same numbers, got: "
        f"{'; '.join(dict.fromkeys(refusals))}; raise tolerance if the difference is rounding, or write the "
        "module without what is refused"
    )


def _attempt(
    plan: Plan,
    folder: Path,
    *,
    exporter: graph.Exporter,
    asked: bool,
    opset: int,
    tolerance: float,
    card: dict[str, Any],
    batches: bool,
) -> Exported | None:
    """Write, load and compare a model; None if only several rows in one run have other numbers.

    A trace that took one branch where the module decides by its numbers is taken only if it was `asked` for.
    """
    network = folder / "model.onnx"
    net = Named(plan.net, plan.last, plan.activation)
    how: dict[str, Any] = {"outputs": plan.names, "exporter": exporter, "batches": batches}
    opset, froze = graph.write(net, plan.example, network, opset=opset, **how)
    main = plan.names[plan.last]
    onnx = OnnxModel(str(network), outputs=[main], units=[plan.unit], layout=plan.layout)
    node = plan.front.node >> onnx
    if plan.labels is not None:
        node = node >> Tags(plan.labels)
    written = {"by": f"PyTorch {torch.__version__}", "exporter": exporter, "opset": opset}
    about = plan.about() | {"exported": written} | card
    Pipeline(node, card=about).save(folder / "card.json")
    loaded = Pipeline.load(folder / "card.json", untrained=True)
    differences = compare(loaded, plan.sounds, plan.wanted, tolerance)
    compare_results(loaded, plan.sounds, [outputs[main] for outputs in plan.wanted], tolerance)
    if froze and not asked and reads_numbers(plan.net, plan.example[:1]):
        raise OtherNumbersError(
            "expected a module that computes the same for all numbers, got one that decides by them, of "
            "which a trace keeps one way; use torch.where, or exporter='script' if it goes that way for all "
            "sounds"
        )
    if batches and not runs_in_batches(onnx, plan.rows, plan.wanted):
        return None
    largest = max(differences.values())
    loaded.card["exported"] = written | {"largest_difference": largest}
    names = tuple(sound.name for sound in plan.sounds)
    return Exported(network, loaded, largest, differences, names, exporter, opset, batches)
