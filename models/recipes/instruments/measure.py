"""Measures a model on whole files of notes: the figures on its card and in models/README.md."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import fastaudio as fa
import numpy as np
from arguments import folder_of_notes, output_file
from fit import mask
from hear import Heard
from programs import FAMILIES, TITLES
from spectra import manifest


def confusion(pipeline: fa.Pipeline, folder: Path, part: str = "test") -> dict[str, dict[str, int]]:
    """Return how many notes of each family were given which, by the mean scores of a file.

    Notes of families that the model doesn't name are left out.
    """
    rows = manifest(folder)
    use = mask(Heard(np.zeros((0, 0), np.float32), rows), part)
    found: dict[str, dict[str, int]] = {}
    for row in [row for row, take in zip(rows, use, strict=True) if take]:
        tags = pipeline(folder / row["file"])
        if not {row["family"], TITLES[row["family"]]} & set(tags.labels):
            continue
        families = [i for i, label in enumerate(tags.labels) if label in {*FAMILIES, *TITLES.values()}]
        got = tags.labels[families[int(tags.mean()[families].argmax())]]
        line = found.setdefault(row["family"], {})
        line[got] = line.get(got, 0) + 1
    return found


def figures(found: dict[str, dict[str, int]]) -> tuple[float, float, int]:
    """Return the mean of the families' recalls, the share of notes that are right, and the notes."""
    right = [
        line.get(name, 0) + line.get(TITLES[name], 0) * (TITLES[name] != name) for name, line in found.items()
    ]
    size = [sum(line.values()) for line in found.values()]
    return float(np.mean(np.divide(right, size))), sum(right) / sum(size), sum(size)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a table, a row for each folder of notes."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog="example: python models/recipes/instruments/measure.py instruments notes/real",
    )
    parser.add_argument("model", help="name, or path of a card, of a model of families of instruments")
    parser.add_argument(
        "notes", type=folder_of_notes, nargs="+", help="folder with a manifest.csv; its test notes are taken"
    )
    parser.add_argument("--all", action="store_true", help="take all notes, also those that training heard")
    parser.add_argument("--output", type=output_file, help="results as JSON; results there are kept")
    options = parser.parse_args(arguments)
    pipeline, part = fa.Pipeline.load(options.model), "all" if options.all else "test"
    found: dict[str, Any] = {}
    print("| notes | how many | balanced accuracy of families | accuracy |\n|---|---|---|---|")
    for folder in options.notes:
        matrix = confusion(pipeline, folder, part)
        balanced, accuracy, n = figures(matrix)
        record = {"balanced": balanced, "accuracy": accuracy, "confusion": matrix}
        found[f"{folder.name}:{part}, whole files"] = record
        print(f"| {folder.name} | {n} | {balanced:.4f} | {accuracy:.4f} |", flush=True)
    if options.output:
        there = options.output.exists()
        results = json.loads(options.output.read_text(encoding="utf-8")) if there else {}
        results.setdefault(options.model, {}).update(found)
        options.output.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
