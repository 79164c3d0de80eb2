"""Scores a baseline that needs no network: logistic regression on log-mel statistics.

Levels are in dB below a note's loudest value, no lower than -80. The penalty is chosen on training programs
that are left out in turn. Intervals come from drawing the test's programs anew, since a method is as good as
the instruments that it happens to meet.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import fastaudio as fa
import numpy as np
from instruments import read_manifest, read_samples
from intervals import counts, interval
from numpy.typing import NDArray
from output_paths import output_file

RANGE_DB, FOLDS = 80.0, 4
PENALTIES = tuple(10.0**n for n in range(-4, 2))
THREE = ("mean", "std", "max")
VARIANTS = {  # bands, statistics, whether each is scaled to a deviation of 1
    "log-mel, mean, deviation, maximum": (128, THREE, False),
    "log-mel, mean, deviation, maximum, each of deviation 1": (128, THREE, True),
    "log-mel, mean, deviation": (128, ("mean", "std"), False),
    "log-mel of 64 bands, mean, deviation, maximum": (64, THREE, False),
}


def statistics(folder: Path, bands: int, which: Sequence[str]) -> NDArray[np.float64]:
    """Return the statistics over time of each note [notes, bands x statistics]."""
    mel = fa.MelSpectrogram(sample_rate=16_000, n_fft=1024, hop_length=256, n_mels=bands) >> fa.Log(kind="dB")
    found = []
    for row in read_manifest(folder):
        levels = mel(read_samples(folder / row["file"]))
        below = np.maximum(levels - levels.max(), -RANGE_DB)
        found.append(np.concatenate([getattr(below, name)(axis=0) for name in which]))
    return np.array(found, np.float64)


def in_twenties(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return decibels in steps of 20, a range that the penalties suit."""
    return x / 20


def score(x: NDArray[np.float64], rows: Sequence[dict[str, str]], *, scaled: bool) -> dict[str, Any]:
    """Return accuracy on the test notes, its interval, and the accuracy on programs left out of training."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV, GroupKFold
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, StandardScaler

    family = np.array([row["family"] for row in rows])
    program = np.array([row["gm_program"] for row in rows])
    test = np.array([row["split"] == "test" for row in rows])
    grid = {"logisticregression__C": PENALTIES}
    scale = StandardScaler() if scaled else FunctionTransformer(in_twenties)
    model = make_pipeline(scale, LogisticRegression(max_iter=500))
    search = GridSearchCV(model, grid, cv=GroupKFold(FOLDS))
    search.fit(x[~test], family[~test], groups=program[~test])
    right = search.predict(x[test]) == family[test]
    return {
        "C": search.best_params_["logisticregression__C"],
        "left_out": float(search.best_score_),
        "accuracy": float(right.mean()),
        "interval": interval(counts(right, program[test])),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Score each variant and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="example: python models/recipes/train/baseline.py --data notes --output baseline.json",
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of notes with its manifest.csv")
    parser.add_argument("--output", type=output_file, help="results as JSON")
    options = parser.parse_args(arguments)
    rows = read_manifest(options.data)
    found = {}
    for name, (bands, which, scaled) in VARIANTS.items():
        found[name] = score(statistics(options.data, bands, which), rows, scaled=scaled)
    if options.output:
        options.output.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print("| baseline | left-out training programs | test programs | interval over programs |")
    print("| --- | ---: | ---: | ---: |")
    for name, one in found.items():
        low, high = one["interval"]
        print(f"| {name} | {one['left_out']:.3f} | {one['accuracy']:.3f} | {low:.3f} to {high:.3f} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
