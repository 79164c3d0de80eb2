"""Writes a trained network as the model `instruments`, with card and licence, and measures it from files."""

import argparse
import sys
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import fastaudio as fa
import numpy as np
import onnx
import torch
from arguments import folder_of_notes, measured_folder, output_folder
from fit import load, mask
from note_network import EMBEDDING, Levels, NoteNetwork
from numpy.typing import NDArray
from programs import FAMILIES, NOTHING, TITLES
from spectra import BANDS, FRAMES, RATE_HZ, Spectra, front, manifest, read
from torch import Tensor, nn

WINDOW = 2 * RATE_HZ
HEARD = FRAMES + 1  # centred frames of a window cut by itself, so that 2 s of sound are one window
AGREEMENT = 1e-5  # largest difference between the pipeline's scores and PyTorch's from the same rows
NOTE = """
---
The weights in this folder were trained by the fastaudio authors on sounds of others, none of which is part of
them: notes of the SoundFonts FluidR3 GM (Frank Wen, MIT licence) and MuseScore General (S. Christian Collins
and others, MIT licence), and recorded notes by players of the Philharmonia Orchestra (CC BY-SA 3.0; they may
be used freely, but not be passed on as samples).
"""


class Published(nn.Module):
    """Rows of the front end -> scores of families and instruments, of each alone, and the embedding."""

    OUTPUTS = ("scores", "families", "instruments", "embedding")

    def __init__(self, network: NoteNetwork, temperatures: Sequence[float]) -> None:
        super().__init__()
        self.levels, self.network = Levels(), network
        self.family_t, self.instrument_t = temperatures

    def forward(self, rows: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return scores [n, families + instruments], families, instruments, embedding [n, 128]."""
        embedding = self.network.encoder(self.levels(rows))
        families = (self.network.family(embedding) / self.family_t).softmax(dim=1)
        instruments = (self.network.instrument(embedding) / self.instrument_t).softmax(dim=1)[:, :-1]
        return torch.cat([families, instruments], dim=1), families, instruments, embedding


def export(module: nn.Module, path: Path) -> None:
    """Write the network as ONNX with an open batch axis."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the older exporter is deprecated, but its graph is the plainer one
        names = ["rows", *Published.OUTPUTS]
        torch.onnx.export(
            module.eval(), (torch.zeros(1, HEARD, BANDS),), path, dynamo=False, opset_version=17,
            input_names=names[:1], output_names=names[1:], dynamic_axes={name: {0: "n"} for name in names},
        )  # fmt: skip
    onnx.checker.check_model(onnx.load(path), full_check=True)


def compose(path: Path, labels: Sequence[str]) -> fa.Node:
    """Return the node from samples to tags every 2 s."""
    net = fa.OnnxModel(str(path), outputs=["scores"], units=["probability"])
    return windows() >> net >> fa.Tags(list(labels))


def windows() -> fa.Node:
    """Return the node from samples to what the network takes of each 2 s; the last are padded with zeros."""
    return fa.Each(front(), clip_length=WINDOW, last="pad")


def measured(
    pipeline: fa.Pipeline, found: Spectra, use: NDArray[np.bool_], folder: Path, n: int
) -> dict[str, Any]:
    """Return the confusion of families over files, by their mean scores, and its balanced accuracy."""
    confusion: dict[str, dict[str, int]] = {}
    right_instrument = []
    for row in [row for row, take in zip(found.rows, use, strict=True) if take]:
        tags = pipeline(folder / row["file"])
        mean, labels = tags.mean(), tags.labels
        got = labels[int(mean[:n].argmax())]
        line = confusion.setdefault(TITLES[row["family"]], {})
        line[got] = line.get(got, 0) + 1
        if row.get("instrument") in labels:
            right_instrument.append(labels[n + int(mean[n:].argmax())] == row["instrument"])
    recall = [line.get(family, 0) / sum(line.values()) for family, line in confusion.items()]
    out: dict[str, Any] = {"balanced_accuracy": round(float(np.mean(recall)), 4)}
    if right_instrument:
        out["accuracy_of_instruments"] = round(float(np.mean(right_instrument)), 4)
    return out | {
        "confusion": {family: confusion[family] for family in TITLES.values() if family in confusion}
    }


def refused(pipeline: fa.Pipeline, folder: Path) -> dict[str, Any]:
    """Return how many windows of recordings without instruments are refused, and what others are."""
    windows, right, taken = 0, 0, {}
    for row in manifest(folder):
        if row["kind"] != "clip" or row["audioset_labels"].startswith("Music"):
            continue
        if row["file"].endswith("m4a"):  # only the extra [av] reads it
            continue
        tags = pipeline(folder / row["file"])
        families = tags.scores[~np.asarray(tags.silent), : len(FAMILIES)].argmax(axis=1)
        windows, right = windows + len(families), right + int((families == FAMILIES.index(NOTHING)).sum())
        best = tags.labels[int(tags.mean()[: len(FAMILIES)].argmax())]
        taken[row["label"]] = best
    found = {"windows": windows, "windows_refused": right, "recordings": len(taken)}
    return found | {"taken_for": {sound: best for sound, best in taken.items() if best != NOTHING}}


def flat(metrics: dict[str, Any]) -> dict[str, Any]:
    """Return the figures of a card without the confusions."""
    return {f"{k} {n}": v for k, one in metrics.items() if isinstance(one, dict) for n, v in one.items()}


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare, measure and write."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog="example: python models/recipes/instruments/publish.py --network both.pt --spectra spectra "
        "--notes real=real old=notes --clips clips --output models/instruments",
    )
    parser.add_argument("--network", type=Path, required=True, help="written by fit.py")
    parser.add_argument(
        "--spectra", type=Path, required=True, help="folder with a folder for each collection"
    )
    parser.add_argument(
        "--notes", type=measured_folder(list(NAMES)), nargs="+", required=True, metavar="COLLECTION=FOLDER",
        help="sounds to measure on, real or old",
    )  # fmt: skip
    parser.add_argument(
        "--clips",
        type=folder_of_notes,
        help="folder of recordings with manifest.csv, some without instruments",
    )
    parser.add_argument("--output", type=output_folder, required=True, help="the model's folder")
    options = parser.parse_args(arguments)
    network, record = load(options.network)
    module = Published(network, record["temperatures"])
    labels = [*TITLES.values(), *record["instruments"][:-1]]
    if len(set(labels)) < len(labels):
        raise ValueError(f"labels: expected different ones, got {sorted(labels)}; see TITLES in programs.py")
    with tempfile.TemporaryDirectory() as temporary:
        path = Path(temporary) / "model.onnx"
        export(module, path)
        pipeline = fa.Pipeline(compose(path, labels))
        agree(pipeline, module)
        card = describe(record, module, len(labels))
        for text in options.notes:
            name, folder = text.split("=", 1)
            found = read(options.spectra / name)
            card["metrics"][NAMES[name]] = measured(
                pipeline, found, mask(found, "test"), Path(folder), len(FAMILIES)
            )
        if options.clips:
            card["metrics"]["no_instrument"] = refused(pipeline, options.clips)
        (options.output / "model.onnx").unlink(missing_ok=True)
        fa.Pipeline(compose(path, labels), card={"name": options.output.name} | card).save(
            options.output / "card.json"
        )
    licence = Path(__file__).parents[3] / "LICENSE"
    (options.output / "LICENSE").write_text(licence.read_text(encoding="utf-8") + NOTE, encoding="utf-8")
    print({k: v for k, v in flat(card["metrics"]).items() if isinstance(v, float | int)})
    return 0


JUDGED_BY = (
    "fastaudio's recipe, from files, by the mean score of a file. real_notes: recorded notes at keys that "
    "training left out, by the same players. unheard_programs: rendered notes of programs that training "
    "never heard. no_instrument: windows of recordings of animals, speech, weather and machines, none of "
    "them heard in training. confusion: of each family's sounds, how many were given which family"
)
NAMES = {"real": "real_notes", "old": "unheard_programs"}
PURPOSES = {
    "scores": (
        "families, which add up to 1, then instruments, which add up to 1 with what is none",
        "probability",
    ),
    "families": ("families and `no instrument`", "probability"),
    "instruments": ("instruments; what is missing to 1 is no instrument", "probability"),
    "embedding": ("what both heads take", "embedding"),
}


def agree(pipeline: fa.Pipeline, module: nn.Module) -> None:
    """Refuse a pipeline whose scores aren't PyTorch's from the same rows."""
    draw = np.random.default_rng(0)
    for sound in (draw.normal(0, 0.1, 48_000), np.sin(np.arange(32_000) * 0.2), np.zeros(9_000)):
        samples = sound.astype(np.float32)
        rows = windows()(samples)
        with torch.no_grad():
            want = module(torch.from_numpy(rows))[0].numpy()
        apart = float(np.abs(pipeline(samples, sample_rate=16_000).scores - want).max())
        if apart > AGREEMENT:
            raise ValueError(f"scores: expected PyTorch's within {AGREEMENT}, got {apart:.1e} more or less")


def describe(record: dict[str, Any], module: nn.Module, n: int) -> dict[str, Any]:
    """Return what the card says besides the pipeline and the figures."""
    shapes = [n, len(FAMILIES), n - len(FAMILIES), EMBEDDING]
    return {
        "version": "1.0.0",
        "task": "family and instrument of a note",
        "description": f"Scores of {len(FAMILIES) - 1} families of instruments and of `{NOTHING}`, then of "
        f"{n - len(FAMILIES)} instruments, every 2 s, for single notes of one instrument at a time. "
        "It learnt from two SoundFonts and from one player of each recorded instrument, so with another "
        "player, room or microphone it is right less often than `real_notes` says.",
        "outputs": {
            name: {"purpose": purpose, "unit": unit, "shape": [size]}
            for (name, (purpose, unit)), size in zip(PURPOSES.items(), shapes, strict=True)
        },
        "parameters": sum(p.numel() for p in module.parameters()),
        "licence": "BSD-3-Clause",
        "authors": ["the fastaudio authors"],
        "citation": "fastaudio, models/recipes/instruments",
        "source": {
            "recipe": "models/recipes/instruments/publish.py",
            "learn": " ".join(record["learn"]),
            "steps": str(record["steps"]),
            "seed": str(record["seed"]),
            "torch": torch.__version__,
        },
        "trained_on": (
            f"{record['sounds']} sounds, also varied by pitch, room, tone, noise and MP3: notes rendered "
            "from FluidR3 GM (Frank Wen, MIT licence) and MuseScore General (S. Christian Collins and "
            "others, MIT licence), recorded notes by players of the Philharmonia Orchestra (CC BY-SA "
            "3.0), made-up noises, and speech by espeak-ng"
        ),
        "metrics": {"by": JUDGED_BY},
    }


if __name__ == "__main__":
    sys.exit(main())
