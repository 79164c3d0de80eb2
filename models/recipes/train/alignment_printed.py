"""Trains the alignment with the paper's own optimiser, and judges embeddings as the paper does.

A classifier with a hidden layer of 256 units is trained ten times on standardised embeddings; the mean
accuracy counts. MFCC statistics are judged in the same way.

Source: Favory, Drossos, Virtanen & Serra, Learning contextual tag embeddings for cross-modal alignment of
    audio and tags, ICASSP 2021, sections 3.1 and 3.2
"""

import argparse
import json
import sys
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, stdev

import torch
from alignment import Alignment, Autoencoder, ContrastOnly, embed
from epochs import one_epoch, unchanged
from mel_notes import TaggedBatch, read_mel_notes
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits
from torch import Tensor

METHODS = {kind.name: kind for kind in (Autoencoder, ContrastOnly, Alignment)}
MFCC = "mfcc"
HIDDEN, TIMES = 256, 10


@dataclass(frozen=True)
class Printed:
    """Settings of section 3.1."""

    batch: int = 128
    learning_rate: float = 0.005
    epochs: int = 200


def train_as_printed(method: Alignment, batch: TaggedBatch, settings: Printed) -> list[float]:
    """Train in place by plain gradient descent; return the mean loss of every epoch."""
    method.train()
    optimiser = torch.optim.SGD(method.parameters(), lr=settings.learning_rate)

    def loss_of(some: TaggedBatch) -> Tensor:
        return method.loss(some, unchanged)

    return [one_epoch(batch, settings.batch, loss_of, optimiser) for _ in range(settings.epochs)]


def judge(x: Tensor, y: Tensor, learn: Tensor, score: Tensor, times: int = TIMES) -> list[float]:
    """Return the accuracy of each classifier, trained on some rows of x [n, d] and scored on others."""
    centre, spread = x[learn].mean(dim=0), x[learn].std(dim=0, correction=0).clamp_min(1e-6)
    ready = ((x - centre) / spread).numpy()
    found = []
    for seed in range(times):
        classifier = MLPClassifier((HIDDEN,), random_state=seed)
        # On small matrices several threads wait for each other; on a busy machine that takes minutes.
        with threadpool_limits(1), warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            classifier.fit(ready[learn], y[learn].numpy())
        found.append(float(classifier.score(ready[score], y[score].numpy())))
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is asked for and print a line of JSON for each embedding."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = [MFCC, *METHODS]
    parser.add_argument("--data", type=Path, required=True, help="folder of notes with its manifest.csv")
    parser.add_argument("--methods", nargs="+", choices=names, default=names, metavar="NAME")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="(0)")
    parser.add_argument("--epochs", type=int, default=200, metavar="N", help="(200)")
    parser.add_argument("--times", type=int, default=TIMES, metavar="N", help="classifiers each (10)")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)  # the last digits of the numbers depend on it
    notes, vocabulary = read_mel_notes(options.data)
    learn, score = notes.split()
    for name in options.methods:
        start_s = time.process_time()
        x = notes.batch.feature
        if name != MFCC:
            torch.manual_seed(options.seed)
            method = METHODS[name](len(vocabulary.words))
            batch = notes.batch[learn]
            assert isinstance(batch, TaggedBatch)
            train_as_printed(method, batch, Printed(epochs=options.epochs))
            x = embed(method, notes.batch)[0]
        found = judge(x, notes.batch.target, learn, score, options.times)
        spread = stdev(found) if len(found) > 1 else 0.0
        record = {"method": name, "seed": options.seed, "accuracy": mean(found), "deviation": spread}
        print(json.dumps(record | {"processor_s": time.process_time() - start_s}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
