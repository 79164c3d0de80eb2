"""Trains one method of compare.py on all training notes; writes model.onnx, card.json and LICENSE."""

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import mean, stdev
from typing import Any, ClassVar

import fastaudio as fa
import numpy as np
import torch
from alignment import Alignment, cosines, embed, tag_bank
from compare import Share, train_alignment, train_classifier
from compose import export
from contrastive import EMBEDDING, PROJECTION, CrossEntropy, NtXent
from harmonic_network import count
from instruments import Notes, read_manifest, read_samples
from linear import classifier
from mel_notes import SIDE, front, read_mel_notes
from output_paths import output_folder
from ship import NOTE
from torch import Tensor, nn
from trainer import confusion, predict, scores

AGREEMENT = 1e-5  # largest difference between our scores from samples and PyTorch's
TRAINED_ON = (
    "747 notes of 42 General MIDI programs, rendered from the MIT-licensed SoundFont FluidR3 GM by Frank Wen"
)


class Contrastive(nn.Module):
    """Both branches of a contrastive network: decibels -> scores, embedding, projection."""

    OUTPUTS: ClassVar = {
        "scores": ("score of each family; they add up to 1", "probability"),
        "embedding": ("embedding that both branches take", "embedding"),
        "projection": ("unit vector in which a sound lies near its own mixes with others", "embedding"),
    }
    TEXT = (
        "Scores of 11 instrument families every 2 s, made for single notes, by a small CNN trained with "
        "contrastive regularisation and batch-split mixing."
    )
    CITATION = (
        "Donmoon Lee and Kyogu Lee, Cross-domain semi-supervised audio event classification using "
        "contrastive regularization, IEEE WASPAA 2021."
    )

    def __init__(self, method: CrossEntropy) -> None:
        super().__init__()
        self.encoder, self.decoder, self.projection = method.encoder, method.decoder, method.projection

    def forward(self, decibels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return scores, embedding, projection."""
        embedding = self.encoder(decibels)
        return self.decoder(embedding).softmax(1), embedding, self.projection(embedding)


class Tagged(nn.Module):
    """Encoder and a classifier beside the way to tags: decibels -> scores, embedding, projection."""

    OUTPUTS: ClassVar = {
        "scores": ("score of each family by a linear classifier of the embedding", "probability"),
        "embedding": ("embedding that the sound can be rebuilt from", "embedding"),
        "projection": ("vector in the space of tags: what Similarity takes", "embedding"),
    }
    TEXT = (
        "Likeness to the names of 11 instrument families every 2 s, made for single notes: the cosine of a "
        "sound's vector to each name's, both from encoders trained together. Its layer `scores` is a linear "
        "classifier of the embedding, to compare with."
    )
    CITATION = (
        "Xavier Favory, Konstantinos Drossos, Tuomas Virtanen and Xavier Serra, Learning contextual tag "
        "embeddings for cross-modal alignment of audio and tags, ICASSP 2021."
    )

    def __init__(self, method: Alignment, linear: nn.Module) -> None:
        super().__init__()
        self.relative, self.net, self.linear = method.relative, method.net, linear

    def forward(self, decibels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return scores, embedding, projection."""
        embedding, projection = self.net(self.relative(decibels))
        return self.linear(embedding).softmax(1), embedding, projection


def main(arguments: Sequence[str] | None = None) -> int:
    """Train, compare and write."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog="example: python models/recipes/train/ship_mel.py nt-xent --data notes "
        "--results contrastive.json --output instruments-contrastive",
    )
    parser.add_argument("method", choices=["nt-xent", "alignment"])
    parser.add_argument("--data", type=Path, required=True, help="folder of notes with its manifest.csv")
    parser.add_argument("--seed", type=int, default=0, help="default: 0")
    parser.add_argument(
        "--results", type=Path, required=True, help="of compare.py, for the spread over seeds"
    )
    parser.add_argument("--output", type=output_folder, required=True, help="the model's folder")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)  # as in compare.py: the numbers depend on it
    seeds = over_seeds(json.loads(options.results.read_text(encoding="utf-8")))
    share = Share.draw(*read_mel_notes(options.data), 1.0, options.seed, None)
    files = [options.data / row["file"] for row in read_manifest(options.data)]
    test = [files[row] for row in share.score.tolist()]
    ship = ship_contrastive if options.method == "nt-xent" else ship_tags
    ship(share, test, options.output, seeds)
    return 0


def over_seeds(records: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the accuracy of each method of a table with all notes: mean and deviation over seeds."""
    own = [r for r in records if (r["on"], r["fraction"]) == ("test", 1.0)]
    found = {r["method"]: [x["accuracy"] for x in own if x["method"] == r["method"]] for r in own}
    return {
        "accuracy_over_seeds": {
            method: {"mean": round(mean(values), 4), "deviation": round(stdev(values), 4)}
            for method, values in found.items()
        }
    }


def ship_contrastive(share: Share, test: Sequence[Path], output: Path, metrics: dict[str, Any]) -> None:
    """Write the network with both branches; tags come from the classifier."""
    method = train_classifier(NtXent, share)
    module = Contrastive(method)
    with tempfile.TemporaryDirectory() as temporary:
        model = export(module, Path(temporary) / "model.onnx", (SIDE, SIDE), list(module.OUTPUTS))
        net = fa.OnnxModel(str(model), outputs=["scores"], units=["probability"])
        node = front() >> net >> fa.Tags(share.notes.families)
        want = predict(method, share.notes.batch[share.score]).softmax(1)
        shapes = {"scores": len(share.notes.families), "embedding": EMBEDDING, "projection": PROJECTION}
        write(node, module, want, share=share, test=test, output=output, shapes=shapes, metrics=metrics)


def ship_tags(share: Share, test: Sequence[Path], output: Path, metrics: dict[str, Any]) -> None:
    """Write the audio encoder; tags come from cosines to the families' names."""
    method = train_alignment(Alignment, share)
    notes = share.notes
    embedding, projection = embed(method, notes.batch)
    learn = share.labelled
    linear = classifier(
        embedding[learn], notes.batch.target[learn], notes.program[learn], len(notes.families)
    )
    with torch.no_grad():
        by_linear = share.scored(linear(embedding[share.score]))
    bank = tag_bank(method, share.vocabulary, notes.families)
    module = Tagged(method, linear)
    with tempfile.TemporaryDirectory() as temporary:
        model = export(module, Path(temporary) / "model.onnx", (SIDE, SIDE), list(module.OUTPUTS))
        names = fa.Similarity([round(x, 6) for x in bank.ravel().tolist()], notes.families)
        net = fa.OnnxModel(str(model), outputs=["projection"], units=["embedding"])
        node = front() >> net >> names >> fa.Tags(notes.families)
        want = cosines(projection[share.score], bank)
        width = method.net.encoder.width
        shapes = {"scores": len(notes.families), "embedding": width, "projection": width}
        metrics = {"accuracy_of_scores": round(by_linear["accuracy"], 4)} | metrics
        write(node, module, want, share=share, test=test, output=output, shapes=shapes, metrics=metrics)


def write(
    node: fa.Node,
    module: Contrastive | Tagged,
    want: Tensor,
    *,
    share: Share,
    test: Sequence[Path],
    output: Path,
    shapes: dict[str, int],
    metrics: dict[str, Any],
) -> None:
    """Write the folder if the model gives from samples what it gives in PyTorch."""
    pipeline = fa.Pipeline(node)
    got = np.concatenate([pipeline(read_samples(path), sample_rate=16_000).scores for path in test])
    difference = float(np.abs(got - want.numpy()).max())
    print(f"largest difference from PyTorch on {len(test)} notes: {difference:.1e}")
    if difference > AGREEMENT:
        raise ValueError(f"scores: expected PyTorch's within {AGREEMENT}, got {difference:.1e} more or less")
    families = share.notes.families
    matrix = confusion(torch.from_numpy(got).argmax(1), share.notes.batch.target[share.score], len(families))
    card = {
        "name": output.name,
        "version": "1.0.0",
        "task": "instrument family of a note",
        "description": f"{module.TEXT} It knows few instruments, all from one SoundFont: a demonstration of "
        "the recipe rather than a recogniser for recordings.",
        "outputs": {
            name: {"purpose": module.OUTPUTS[name][0], "unit": module.OUTPUTS[name][1], "shape": [n]}
            for name, n in shapes.items()
        },
        "parameters": exported(module),
        "licence": "BSD-3-Clause",
        "authors": ["the fastaudio authors"],
        "citation": module.CITATION,
        "source": {
            "recipe": "models/recipes/train/ship_mel.py",
            "seed": str(share.seed),
            "torch": torch.__version__,
        },
        "trained_on": TRAINED_ON,
        "metrics": {key: round(value, 4) for key, value in scores(matrix).items()}
        | metrics
        | {
            "confusion": confused(matrix, share.notes),
            "by": f"fastaudio's recipe, on {len(test)} notes of programs that no training note comes from; "
            "confusion: of each family's notes, how many were given which family",
        },
    }
    output.mkdir(parents=True, exist_ok=True)
    (output / "model.onnx").unlink(missing_ok=True)
    fa.Pipeline(node, card=card).save(output / "card.json")
    licence = Path(__file__).parents[3] / "LICENSE"
    (output / "LICENSE").write_text(licence.read_text(encoding="utf-8") + NOTE, encoding="utf-8")
    print(f"{output}: accuracy {card['metrics']['accuracy']:.4f} on unseen programs")


def confused(matrix: Tensor, notes: Notes) -> dict[str, dict[str, int]]:
    """Return how many notes of each family were given which family."""
    rows = zip(notes.families, matrix.tolist(), strict=True)
    return {family: {notes.families[k]: n for k, n in enumerate(row) if n} for family, row in rows}


def exported(module: Contrastive | Tagged) -> int:
    """Return the number of parameters in the file: decoder and tag encoder stay behind."""
    if isinstance(module, Contrastive):
        return count(module)
    return count(module.net.encoder) + count(module.net.to_tags) + count(module.linear)


if __name__ == "__main__":
    sys.exit(main())
