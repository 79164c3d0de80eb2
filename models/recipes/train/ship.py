"""Trains one method on all training notes and writes it as a model folder: model.onnx, card.json, LICENSE."""

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import fastaudio as fa
import numpy as np
import torch
from compose import Tagger, compose
from instruments import Notes, read_manifest, read_notes, read_samples
from methods import METHODS, Method
from output_paths import output_folder
from trainer import Run, Settings, confusion, predict, run, scores

AGREEMENT = 1e-4  # largest difference between our scores from samples and PyTorch's from spectra
CITATION = (
    "Yun-Ning Hung and Alexander Lerch, Feature-informed embedding space regularization for audio "
    "classification, 2022, arXiv:2206.04850. Minz Won, Sanghyuk Chun, Oriol Nieto and Xavier Serra, "
    "Data-driven harmonic filters for audio representation learning, ICASSP 2020."
)
TRAINED_ON = (
    "747 notes of 42 General MIDI programs, rendered from the MIT-licensed SoundFont FluidR3 GM by Frank "
    "Wen; MusiCNN's penultimate layer (musicnn-mtt) shaped the embedding in training and isn't needed after"
)
REAL = (  # what the shipped weights do on recordings, which comes first on the card
    "Right for only 16 % of recorded notes (842 of five families): a demonstration of a method, which hears "
    "one SoundFont and no recordings."
)
OUTPUTS = {
    "scores": ("score of each family; they add up to 1", "probability"),
    "embedding": ("embedding before the classifier", "embedding"),
    "logits": ("what the scores are the softmax of", "logit"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Train, compare and write."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog="example: python models/recipes/train/ship.py --data notes --method con-reg "
        "--results models/recipes/train/results.json --output models/instruments-harmonic",
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of notes with its manifest.csv")
    names = [name for name, method in METHODS.items() if not method.needs_feature]
    parser.add_argument("--method", choices=names, required=True)
    parser.add_argument("--seed", type=int, default=0, help="default: 0")
    parser.add_argument("--results", type=Path, help="of run.py: the card then tells the spread over seeds")
    parser.add_argument("--output", type=output_folder, required=True, help="the model's folder")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)  # as in run.py: the numbers depend on it
    others = []
    if options.results is not None:
        runs = json.loads(options.results.read_text(encoding="utf-8"))["runs"]
        others = [r for r in runs if (r["method"], r["fraction"]) == (options.method, 1.0)]
    notes = read_notes(options.data)
    method, record = run(notes, Run(options.method, 1.0, options.seed), Settings())
    write(method, record, others, notes=notes, data=options.data, output=options.output)
    return 0


def write(
    method: Method,
    record: dict[str, Any],
    others: Sequence[dict[str, Any]],
    *,
    notes: Notes,
    data: Path,
    output: Path,
) -> None:
    """Write the folder if the model gives here what it gives in PyTorch."""
    with tempfile.TemporaryDirectory() as temporary:
        node = compose(method, notes.families, Path(temporary))
        matrix = compare(fa.Pipeline(node), method, notes, data)
        card = make_card(output.name, record, others, matrix, notes.families)
        output.mkdir(parents=True, exist_ok=True)
        (output / "model.onnx").unlink(missing_ok=True)
        fa.Pipeline(node, card=card).save(output / "card.json")
    licence = Path(__file__).parents[3] / "LICENSE"
    (output / "LICENSE").write_text(licence.read_text(encoding="utf-8") + NOTE, encoding="utf-8")
    print(f"{output}: accuracy {card['metrics']['accuracy']:.4f} on unseen programs")


NOTE = """
---
The weights in this folder were trained by the fastaudio authors on notes rendered from the SoundFont
FluidR3 GM, which is Frank Wen's and under the MIT licence. No sound of it is part of them.
"""


def compare(pipeline: fa.Pipeline, method: Method, notes: Notes, data: Path) -> torch.Tensor:
    """Return the confusion on the test notes, from their files, if the scores are PyTorch's."""
    files = [row["file"] for row in read_manifest(data)]
    rows = torch.nonzero(notes.is_test)[:, 0]
    want = predict(method, notes.batch[rows]).softmax(1).numpy()
    samples = (read_samples(data / files[row]) for row in rows.tolist())
    got = np.concatenate([pipeline(clip, sample_rate=pipeline.sample_rate).scores for clip in samples])
    difference = float(np.abs(got - want).max())
    print(f"largest difference from PyTorch's scores on {len(rows)} notes: {difference:.1e}")
    if difference > AGREEMENT:
        raise ValueError(f"scores: expected PyTorch's within {AGREEMENT}, got {difference:.1e} more or less")
    target = notes.batch.target[rows]
    return confusion(torch.from_numpy(got).argmax(1), target, len(notes.families))


def make_card(
    name: str,
    record: dict[str, Any],
    others: Sequence[dict[str, Any]],
    matrix: torch.Tensor,
    families: Sequence[str],
) -> dict[str, Any]:
    """Return what the card says besides the pipeline."""
    recall = (matrix.diag() / matrix.sum(1)).tolist()
    seeds = [r["accuracy"] for r in others]
    metrics: dict[str, Any] = {key: round(value, 4) for key, value in scores(matrix).items()}
    if len(seeds) > 1:
        metrics["accuracy_over_seeds"] = {"mean": round(mean(seeds), 4), "deviation": round(stdev(seeds), 4)}
    metrics |= {
        "recall": {family: round(r, 3) for family, r in zip(families, recall, strict=True)},
        "confusion": {
            family: {families[k]: n for k, n in enumerate(row) if n}
            for family, row in zip(families, matrix.tolist(), strict=True)
        },
        "by": f"fastaudio's recipe, on {record['n_test']} notes of programs that no training note comes "
        "from; confusion: of each family's notes, how many were given which family",
    }
    sizes = {"scores": len(families), "embedding": 96, "logits": len(families)}
    return {
        "name": name,
        "version": "1.0.0",
        "task": "instrument family of a note",
        "description": f"{REAL} Scores of 11 instrument families every 2 s, made for single notes, by a "
        f"small harmonic CNN trained with {record['method']}.",
        "outputs": {
            output: {"purpose": OUTPUTS[output][0], "unit": OUTPUTS[output][1], "shape": [sizes[output]]}
            for output in Tagger.OUTPUTS
        },
        "parameters": record["parameters"],
        "licence": "BSD-3-Clause",
        "authors": ["the fastaudio authors"],
        "citation": CITATION,
        "source": {
            "recipe": "models/recipes/train/ship.py",
            "method": record["method"],
            "seed": str(record["seed"]),
            "torch": torch.__version__,
        },
        "trained_on": TRAINED_ON,
        "metrics": metrics,
    }


if __name__ == "__main__":
    sys.exit(main())
