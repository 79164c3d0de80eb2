"""Measures a model on the notes that it was judged on: the figures on its card and in models/README.md."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import fastaudio as fa
import numpy as np
from fit import mask
from hear import Heard
from programs import FAMILIES, TITLES
from spectra import manifest


def confusion(pipeline: fa.Pipeline, folder: Path) -> dict[str, dict[str, int]]:
    """Return how many of each family's test notes were given which family, by the mean scores of a file."""
    rows = manifest(folder)
    use = mask(Heard(np.zeros((0, 0), np.float32), rows), "test")
    found: dict[str, dict[str, int]] = {}
    for row in [row for row, take in zip(rows, use, strict=True) if take]:
        tags = pipeline(folder / row["file"])
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
        epilog="example: python models/recipes/instruments/measure.py instruments ../shared/instruments_real",
    )
    parser.add_argument("model", help="name, or path of a card, of a model of families of instruments")
    parser.add_argument(
        "notes", type=Path, nargs="+", help="folder with a manifest.csv; its test notes are taken"
    )
    options = parser.parse_args(arguments)
    pipeline = fa.Pipeline.load(options.model)
    print("| notes | how many | balanced accuracy of families | accuracy |\n|---|---|---|---|")
    for folder in options.notes:
        balanced, accuracy, n = figures(confusion(pipeline, folder))
        print(f"| {folder.name} | {n} | {balanced:.4f} | {accuracy:.4f} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
