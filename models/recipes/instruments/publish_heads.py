"""Writes aiSFX's network with trained heads as the model `instruments`, and measures it from files."""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import fastaudio as fa
import numpy as np
import onnx
import torch
from arguments import folder_of_notes, measured_folder, output_folder
from fastaudio import cards
from fit import mask
from fit_heads import EMBEDDING, Heads, load
from hear import Heard
from programs import FAMILIES, NOTHING, TITLES
from publish import JUDGED_BY, NAMES, PURPOSES, flat, measured, refused
from spectra import manifest

MODELS = Path(__file__).parents[2]
FRAMES = 100  # of a window of aiSFX: 2.3 s
LOUDEST = 9.457798957824707  # what aiSFX takes as 1
AGREEMENT = 1e-5  # largest difference between the pipeline's scores and PyTorch's from the same embedding
NOTE = """
---
The heads on this network were trained by the fastaudio authors, and are under fastaudio's licence,
BSD-3-Clause. They learnt from sounds of others, none of which is part of them: notes of the SoundFonts
FluidR3 GM (Frank Wen, MIT licence), MuseScore General (S. Christian Collins and others, MIT licence) and
csound's GMbank (public domain); recorded notes by players of the Philharmonia Orchestra (CC BY-SA 3.0; they
may be used freely, but not be passed on as samples); sounds of the games MegaGlest, Minetest and Unknown
Horizons (CC BY-SA 3.0), and spoken prompts of Asterisk in French, Italian and Russian (CC BY-SA 3.0).
"""


def joined(heads: Heads, temperatures: Sequence[float]) -> onnx.ModelProto:
    """Return aiSFX's network with the heads on its embedding: scores, families, instruments, embedding."""
    model = onnx.load(MODELS / "aisfx" / "model.onnx")
    graph = model.graph
    values = {name: value.detach().numpy() for name, value in heads.state_dict().items()}

    def step(kind: str, name: str, *inputs: str, **options: Any) -> str:
        graph.node.append(
            onnx.helper.make_node(kind, list(inputs), [name], name=f"heads/{kind}_{name}", **options)
        )
        return name

    def kept(name: str, value: Any) -> str:
        graph.initializer.append(onnx.numpy_helper.from_array(np.asarray(value), f"heads/{name}"))
        return f"heads/{name}"

    def dense(name: str, source: str, divisor: float, target: str) -> str:
        weight, bias = (np.float32(values[f"{name}.{part}"] / divisor) for part in ("weight", "bias"))
        return step(
            "Gemm", target, source, kept(f"{name}.weight", weight), kept(f"{name}.bias", bias), transB=1
        )

    x = step("Sub", "heads/centred", "embedding", kept("mean", values["mean"]))
    x = step("Div", "heads/standardised", x, kept("deviation", values["deviation"]))
    x = step("Clip", "heads/clipped", x, kept("least", np.float32(-5)), kept("most", np.float32(5)))
    x = step("Relu", "heads/relu", dense("hidden", x, 1, "heads/hidden"))
    family = dense("family", x, temperatures[0], "heads/family")
    kind = dense("instrument", x, temperatures[1], "heads/instrument")
    step("Softmax", "families", family, axis=1)
    every = step("Softmax", "heads/every", kind, axis=1)
    ends = [kept(name, np.int64([value])) for name, value in (("first", 0), ("last", -1), ("axis", 1))]
    step("Slice", "instruments", every, *ends)
    step("Concat", "scores", "families", "instruments", axis=1)
    n = len(values["instrument.bias"]) - 1
    sizes = {"scores": len(FAMILIES) + n, "families": len(FAMILIES), "instruments": n}
    embedding = graph.output.pop()
    for name, size in sizes.items():
        graph.output.append(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["n", size]))
    graph.output.append(embedding)
    onnx.checker.check_model(model, full_check=True)
    return model


def compose(path: Path, labels: Sequence[str]) -> fa.Node:
    """Return the node from samples to tags every 2.3 s."""
    net = fa.OnnxModel(str(path), outputs=["scores"], units=["probability"])
    return front() >> net >> fa.Tags(list(labels))


def front() -> fa.Node:
    """Return the node from samples to what aiSFX takes, whole windows side by side."""
    mel = fa.MelSpectrogram(
        sample_rate=44_100, hop_length=1024, window="hann_symmetric", n_mels=96, norm="unit_sum",
        mel_scale="htk", triangles="mel",
    )  # fmt: skip
    log = fa.Log(kind="log10", scale=10_000, offset=1)
    return mel >> log >> fa.MinMaxScale([0], [LOUDEST]) >> fa.Patches(length=FRAMES, hop=FRAMES, last="pad")


def agree(pipeline: fa.Pipeline, heads: Heads, temperatures: Sequence[float]) -> None:
    """Refuse a pipeline whose scores aren't PyTorch's, from the embedding that aiSFX itself gives."""
    trunk = fa.Pipeline.load("aisfx")
    draw = np.random.default_rng(0)
    for sound in (draw.normal(0, 0.1, 90_000), np.sin(np.arange(60_000) * 0.1), np.zeros(9_000)):
        samples = sound.astype(np.float32)
        embedding = torch.from_numpy(trunk(samples, sample_rate=44_100)[:1])
        with torch.no_grad():
            family, kind = (
                (x / t).softmax(dim=1) for x, t in zip(heads(embedding), temperatures, strict=True)
            )
        want = torch.cat([family, kind[:, :-1]], dim=1).numpy()
        apart = float(np.abs(pipeline(samples, sample_rate=44_100).scores[:1] - want).max())
        if apart > AGREEMENT:
            raise ValueError(f"scores: expected PyTorch's within {AGREEMENT}, got {apart:.1e} more or less")


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare, measure and write."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog="example: python models/recipes/instruments/publish_heads.py --heads both.pt "
        "--notes real=real old=notes --clips clips --output models/instruments",
    )
    parser.add_argument("--heads", type=Path, required=True, help="written by fit_heads.py")
    parser.add_argument(
        "--notes", type=measured_folder(list(NAMES)), default=[], nargs="+", metavar="COLLECTION=FOLDER",
        help="sounds to measure on, real or old",
    )  # fmt: skip
    parser.add_argument(
        "--clips", type=folder_of_notes, help="folder of recordings, some without instruments"
    )
    parser.add_argument("--output", type=output_folder, required=True, help="the model's folder")
    options = parser.parse_args(arguments)
    heads, record = load(options.heads)
    labels = [*TITLES.values(), *record["instruments"][:-1]]
    if len(set(labels)) < len(labels):
        raise ValueError(f"labels: expected different ones, got {sorted(labels)}; see TITLES in programs.py")
    with tempfile.TemporaryDirectory() as temporary:
        path = Path(temporary) / "model.onnx"
        onnx.save(joined(heads, record["temperatures"]), path)
        pipeline = fa.Pipeline(compose(path, labels))
        agree(pipeline, heads, record["temperatures"])
        card = describe(record, heads, len(labels))
        for text in options.notes:
            name, folder = text.split("=", 1)
            notes = Heard(np.zeros((0, EMBEDDING), np.float32), manifest(Path(folder)))
            card["metrics"][NAMES[name]] = measured(
                pipeline, notes, mask(notes, "test"), Path(folder), len(FAMILIES)
            )
        if options.clips:
            card["metrics"]["no_instrument"] = refused(pipeline, options.clips)
        (options.output / "model.onnx").unlink(missing_ok=True)
        fa.Pipeline(compose(path, labels), card={"name": options.output.name} | card).save(
            options.output / "card.json"
        )
    licence = (MODELS / "aisfx" / "LICENSE").read_text(encoding="utf-8")
    (options.output / "LICENSE").write_text(licence.rstrip("\n") + "\n" + NOTE, encoding="utf-8")
    print({k: v for k, v in flat(card["metrics"]).items() if isinstance(v, float | int)})
    return 0


def describe(record: dict[str, Any], heads: Heads, n: int) -> dict[str, Any]:
    """Return what the card says besides the pipeline and the figures."""
    trunk = cards.read_card("aisfx").data
    shapes = [n, len(FAMILIES), n - len(FAMILIES), EMBEDDING]
    purposes = PURPOSES | {"embedding": ("aiSFX's embedding, which both heads take", "embedding")}
    return {
        "version": "2.0.0",
        "task": "family and instrument of a note",
        "description": f"Scores of {len(FAMILIES) - 1} families of instruments and of `{NOTHING}`, then of "
        f"{n - len(FAMILIES)} instruments, every 2.3 s, for single notes of one instrument at a time. "
        "It learnt from three SoundFonts and from one player of each recorded instrument, so with another "
        "player, room or microphone it is right less often than `real_notes` says.",
        "outputs": {
            name: {"purpose": purpose, "unit": unit, "shape": [size]}
            for (name, (purpose, unit)), size in zip(purposes.items(), shapes, strict=True)
        },
        "parameters": trunk["parameters"] + sum(p.numel() for p in heads.parameters()),
        "licence": "CC-BY-4.0",
        "authors": [*trunk["authors"], "the fastaudio authors"],
        "copyright": trunk["copyright"],
        "citation": trunk["citation"],
        "source": {
            "recipe": "models/recipes/instruments/publish_heads.py",
            "network": "aisfx " + trunk["version"],
            "learn": " ".join(record["learn"]),
            "steps": str(record["steps"]),
            "recorded": str(record["recorded"]),
            "seed": str(record["seed"]),
            "torch": torch.__version__,
        },
        "changes": f"{trunk['changes']}; two heads of ours on the embedding",
        "trained_on": (
            f"heads: embeddings of {record['sounds']} sounds: notes rendered from FluidR3 GM (Frank Wen, MIT "
            "licence), MuseScore General (S. Christian Collins and others, MIT licence) and csound's GMbank "
            "(public domain), varied by level, room, tone and noise; recorded notes by players of the "
            "Philharmonia Orchestra (CC BY-SA 3.0); sounds of games and spoken prompts (CC BY-SA 3.0); made-"
            f"up noises, and speech by espeak-ng. Network: {trunk['trained_on']}"
        ),
        "metrics": {"by": JUDGED_BY},
    }


if __name__ == "__main__":
    sys.exit(main())
