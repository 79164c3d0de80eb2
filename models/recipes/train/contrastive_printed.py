"""Trains contrastive regularisation with the paper's own settings, or without mixing.

Source: Lee & Lee, Cross-domain semi-supervised audio event classification using contrastive regularization,
    section 3.4 and algorithm 1: warm-up on labels, then 8 labelled and 32 unlabelled sounds a batch
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from contrastive import AsPrinted, AsPrintedWithoutMixing, CrossEntropy, NtXent, WithoutMixing
from epochs import one_epoch, unchanged
from instruments import Batch, Notes
from mel_notes import read_mel_notes
from methods import classification
from torch import Tensor
from trainer import Settings, confusion, predict, scores, train

METHODS: dict[str, type[CrossEntropy]] = {
    kind.name: kind for kind in (CrossEntropy, NtXent, WithoutMixing, AsPrinted, AsPrintedWithoutMixing)
}


@dataclass(frozen=True)
class Printed:
    """Settings of section 3.4; an epoch is the labelled sounds once."""

    batch: int = 8
    warm_up_epochs: int = 20
    warm_up_rate: float = 1e-4
    epochs: int = 100
    rate: float = 1e-5


def train_as_printed(method: NtXent, batch: Batch, settings: Printed) -> list[float]:
    """Train in place; return the mean loss of every epoch, those of the warm-up first."""
    method.train()
    losses: list[float] = []

    def warm_up(some: Batch) -> Tensor:
        return classification(method(some), some, method.smoothing)

    def both(some: Batch) -> Tensor:
        return method.loss(some, unchanged)

    for stage, epochs, rate in (
        ("warm-up", settings.warm_up_epochs, settings.warm_up_rate),
        ("both", settings.epochs, settings.rate),
    ):
        optimiser = torch.optim.Adam(method.parameters(), lr=rate)
        loss_of = warm_up if stage == "warm-up" else both
        losses += [one_epoch(batch, settings.batch, loss_of, optimiser) for _ in range(epochs)]
    return losses


def run(
    notes: Notes, name: str, fraction: float, seed: int, *, settings: Settings, printed: Printed
) -> dict[str, Any]:
    """Train one method on a share of the notes, and score it on the test notes."""
    start_s = time.process_time()
    torch.manual_seed(seed)
    learn, score = notes.split()
    labelled = notes.sample(learn, fraction, seed)
    method = METHODS[name](len(notes.families))
    if isinstance(method, NtXent):
        rest = learn[~torch.isin(learn, labelled)]
        method.pool = notes.batch.power[rest] if len(rest) else None
    if isinstance(method, AsPrinted):
        train_as_printed(method, notes.batch[labelled], printed)
    else:
        train(method, notes.batch[labelled], settings.steps_for(fraction), settings)
    test = notes.batch[score]
    found = scores(confusion(predict(method, test).argmax(1), test.target, len(notes.families)))
    about = {"method": name, "fraction": fraction, "seed": seed}
    return about | found | {"processor_s": time.process_time() - start_s}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is asked for and print a line of JSON for each run."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of notes with its manifest.csv")
    parser.add_argument("--methods", nargs="+", choices=list(METHODS), default=list(METHODS), metavar="NAME")
    parser.add_argument("--fraction", type=float, default=0.1, metavar="F", help="of labelled notes (0.1)")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0], metavar="N", help="(0)")
    parser.add_argument(
        "--steps", type=int, default=300, metavar="N", help="of the others, with all notes (300)"
    )
    parser.add_argument("--epochs", type=int, default=100, metavar="N", help="of those as printed (100)")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)  # the last digits of the numbers depend on it
    notes, _ = read_mel_notes(options.data)
    how: dict[str, Any] = {
        "settings": Settings(steps=options.steps),
        "printed": Printed(epochs=options.epochs),
    }
    for seed in options.seeds:
        for name in options.methods:
            print(json.dumps(run(notes, name, options.fraction, seed, **how)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
