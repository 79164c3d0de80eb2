"""Compare beats made of BeatNet's scores with the package's own beats, by the package 1.1.3 itself.

    python models/recipes/shipped/beatnet_compare.py song.ogg other.wav

README.md in the folder above says how to install BeatNet and madmom, which this needs beside mir_eval. It
prints F-measures within 70 ms of: events of the scores, as `fa.Events(cool_down_s=0.2)` finds them; the
package's offline DBN; and its online particle filter, which draws at random, so it runs twice.
"""

import argparse
import sys
import types
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import librosa
import numpy as np
import torch
from mir_eval.beat import f_measure  # type: ignore[import-not-found,import-untyped,unused-ignore]
from numpy.typing import NDArray

FPS, RATE = 50, 22_050
ONSET, COOL_DOWN = 0.5, 10  # a score, and frames
SEEDS = (0, 1)


def events(scores: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return when scores rise to the onset, not within the cool-down after they were there."""
    found, free, inside = [], 0, False
    for k, score in enumerate(scores):
        if inside and score < ONSET:
            inside, free = False, k + COOL_DOWN
        elif not inside and score >= ONSET and k >= free:
            inside = True
            found.append(k)
    return np.array(found) / FPS


def package() -> Any:
    """Return the package's class; it imports PyAudio for microphones, which may be absent."""
    sys.modules.setdefault("pyaudio", types.ModuleType("pyaudio"))
    from BeatNet.BeatNet import BeatNet  # type: ignore[import-not-found,import-untyped,unused-ignore]

    return BeatNet


def compare(path: Path, weights: int, seconds: float) -> list[float]:
    """Return F-measures: events and DBN, events and filter, filter and DBN, filter and itself."""
    opened = package()
    samples, _ = librosa.load(path, sr=RATE, duration=seconds)
    offline = opened(weights, mode="offline", inference_model="DBN")
    scores = offline.activation_extractor_online(samples)
    dbn = offline.estimator(scores)[:, 0]
    runs = []
    for seed in SEEDS:
        np.random.seed(seed)  # noqa: NPY002  # what the package draws from
        filtering = opened(weights, mode="online", inference_model="PF").estimator
        runs.append(filtering.process(scores.copy())[:, 0])
    ours = events(scores.sum(axis=1))
    by_filter = float(np.mean([f_measure(run, ours) for run in runs]))
    return [f_measure(dbn, ours), by_filter, f_measure(dbn, runs[0]), f_measure(*runs)]


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a row for each file."""
    parser = argparse.ArgumentParser(description="Compare events of BeatNet's scores with its own beats.")
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--weights", type=int, choices=(1, 2, 3), default=3, help="default: 3")
    parser.add_argument("--seconds", type=float, default=60.0, help="of each file, default: 60")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    print("| clip | events and DBN | events and filter | filter and DBN | filter and itself |")
    for path in options.files:
        row = compare(path, options.weights, options.seconds)
        print(f"| {path.stem} |", " | ".join(f"{value:.3f}" for value in row), "|", flush=True)


if __name__ == "__main__":
    main()
