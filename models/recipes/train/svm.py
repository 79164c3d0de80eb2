"""Trains the baseline of Essentia's older classifiers: a support vector machine on hand-made features.

Theirs takes features of timbre, rhythm and tonality, and chooses its parameters by a grid search in
cross-validation. The features here are those that fastaudio has nodes for.

Source: Alonso-Jimenez, Bogdanov, Pons & Serra, TensorFlow audio models in Essentia, ICASSP 2020, section 3.1
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import fastaudio as fa
import numpy as np
from instruments import RATE_HZ, read_manifest, read_samples
from intervals import counts, interval
from numpy.typing import NDArray
from output_paths import output_file
from sklearn.model_selection import GridSearchCV, StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

FRAME = {"sample_rate": RATE_HZ, "n_fft": 1024, "hop_length": 512}
GRID = {"svc__C": [2.0**k for k in range(-5, 12, 4)], "svc__gamma": [2.0**k for k in range(-15, 2, 4)]}
FOLDS = 5


def features() -> fa.Node:
    """Return the node for mean and deviation over a clip of 20 MFCCs, spectral shape, chroma and level."""
    mfcc = fa.MelSpectrogram(**FRAME, n_mels=40) >> fa.Log(kind="dB") >> fa.MFCC(n_mfcc=20)
    kinds = (fa.SpectralCentroid, fa.SpectralBandwidth, fa.SpectralRolloff, fa.SpectralFlatness)
    shape = fa.Spectrogram(**FRAME, power=1) >> fa.Concat(*(kind() for kind in kinds))
    chroma = fa.Spectrogram(**FRAME) >> fa.Chroma()
    how = {"sample_rate": RATE_HZ, "frame_length": 1024, "hop_length": 512}
    level = [fa.RMS(**how), fa.ZeroCrossingRate(**how)]
    return fa.Concat(mfcc, shape, chroma, *level) >> fa.Statistics()


def read(folder: Path) -> tuple[NDArray[np.float32], list[dict[str, str]]]:
    """Return the features of a folder's notes [n, d], and its manifest."""
    rows, node = read_manifest(folder), features()
    return np.stack([node(read_samples(folder / row["file"])).ravel() for row in rows]), rows


def fit(x: NDArray[np.float32], y: NDArray[np.int64], groups: NDArray[np.int64]) -> GridSearchCV:
    """Return the machine whose parameters are best over folds of whole groups, trained on all rows."""
    machine = make_pipeline(StandardScaler(), SVC())
    search = GridSearchCV(machine, GRID, cv=StratifiedGroupKFold(FOLDS), scoring="accuracy")
    return search.fit(x, y, groups=groups)


def run(x: NDArray[np.float32], rows: Sequence[dict[str, str]]) -> dict[str, Any]:
    """Train on the training notes and score on the test notes."""
    families = sorted({row["family"] for row in rows})
    y = np.array([families.index(row["family"]) for row in rows])
    program = np.array([int(row["gm_program"]) for row in rows])
    test = np.array([row["split"] == "test" for row in rows])
    search = fit(x[~test], y[~test], program[~test])
    right = search.predict(x[test]) == y[test]
    return {
        "method": "svm",
        "values": x.shape[1],
        "chosen": {name.partition("__")[2]: value for name, value in search.best_params_.items()},
        "validation": float(search.best_score_),
        "accuracy": float(right.mean()),
        "interval": interval(counts(right, program[test].astype(str))),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the result as a line of JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of notes with its manifest.csv")
    parser.add_argument("--output", type=output_file, help="the same as a file")
    options = parser.parse_args(arguments)
    start_s = time.process_time()
    record = run(*read(options.data)) | {"processor_s": time.process_time() - start_s}
    print(json.dumps(record))
    if options.output:
        options.output.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
