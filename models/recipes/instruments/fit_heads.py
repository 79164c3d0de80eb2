"""Trains the heads of `instruments`, families and instruments, on embeddings of collections of notes."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from arguments import add_learn, output_file, require
from fit import UNKNOWN, instruments, mask, temperature
from hear import Heard, read
from numpy.typing import NDArray
from programs import FAMILIES
from torch import Tensor, nn
from torch.nn import functional

EMBEDDING, HIDDEN, DROPOUT = 512, 256, 0.4
BATCH, LEARNING_RATE, DECAY, BLUR = 128, 3e-3, 0.01, 0.3
"""BLUR: deviation of the noise that is added to standardised embeddings."""


class Heads(nn.Module):
    """Embedding [n, 512] -> logits of families, logits of instruments, by one hidden layer."""

    def __init__(self, n_instruments: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(EMBEDDING))
        self.register_buffer("deviation", torch.ones(EMBEDDING))
        self.hidden = nn.Linear(EMBEDDING, HIDDEN)
        self.drop = nn.Dropout(DROPOUT)
        self.family, self.instrument = nn.Linear(HIDDEN, len(FAMILIES)), nn.Linear(HIDDEN, n_instruments)

    def forward(self, embedding: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits [n, families], [n, instruments]."""
        x = ((embedding - self.mean) / self.deviation).clamp(-5, 5)
        x = self.drop(self.hidden(self.drop(x)).relu())
        return self.family(x), self.instrument(x)


Part = tuple[Heard, NDArray[np.bool_]]


def targets(parts: Sequence[Part], names: Sequence[str]) -> tuple[Tensor, Tensor, Tensor]:
    """Return the embeddings of parts of collections, their families and their instruments."""
    embedding = np.concatenate([found.embedding[use] for found, use in parts])
    labels = np.concatenate([found.column("family")[use] for found, use in parts])
    kinds = np.concatenate([found.column("instrument")[use] for found, use in parts])
    family = [FAMILIES.index(label) for label in labels]
    instrument = [names.index(kind) if kind in names else UNKNOWN for kind in kinds]
    return torch.from_numpy(embedding), torch.tensor(family), torch.tensor(instrument)


def drawn(parts: Sequence[Part], recorded: float) -> NDArray[np.float64]:
    """Return how often each sound is drawn: families as often, and in each the collections.

    In a collection, instruments or programs with few notes are drawn more often. `recorded` says how many
    times as often recorded notes are drawn as those of a SoundFont.
    """
    weight, family, collection = [], [], []
    for i, (found, use) in enumerate(parts):
        real = "dynamic" in found.rows[0]
        group = found.column("instrument" if real else "program")[use]
        names, place, count = np.unique(group, return_inverse=True, return_counts=True)
        own, labels = count[place] ** -0.5, found.column("family")[use]
        for label in np.unique(labels):
            own[labels == label] *= (recorded if real else 1) / own[labels == label].sum()
        weight.append(own)
        family.append(labels)
        collection.append(np.full(len(names[place]), i))
    out, labels = np.concatenate(weight), np.concatenate(family)
    for label in np.unique(labels):
        out[labels == label] /= out[labels == label].sum()
    return out / out.sum()


def train(
    parts: Sequence[Part], names: Sequence[str], *, steps: int, recorded: float = 1, seed: int = 0
) -> Heads:
    """Return the heads after so many steps; the same for a seed on one machine with one thread."""
    torch.manual_seed(seed)
    draw = np.random.default_rng(seed)
    embedding, family, instrument = targets(parts, names)
    weight = drawn(parts, recorded)
    heads = Heads(len(names)).train()
    share = torch.from_numpy(weight).float()[:, None]
    heads.mean.copy_((embedding * share).sum(dim=0))
    variance = ((embedding - heads.mean) ** 2 * share).sum(dim=0)
    heads.deviation.copy_(variance.sqrt() + 0.02 * embedding.std())
    optimiser = torch.optim.AdamW(heads.parameters(), LEARNING_RATE, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, LEARNING_RATE, total_steps=steps + 1)
    for rows in draw.choice(len(weight), (steps, BATCH), p=weight):
        x = embedding[rows]
        families, kinds = heads(x + BLUR * torch.randn_like(x) * heads.deviation)
        loss = functional.cross_entropy(families, family[rows], label_smoothing=0.05)
        loss = loss + functional.cross_entropy(
            kinds, instrument[rows], ignore_index=UNKNOWN, label_smoothing=0.05
        )
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    return heads.eval()


@torch.no_grad()
def logits(heads: Heads, embedding: NDArray[np.float32]) -> tuple[Tensor, Tensor]:
    """Return the logits of families and of instruments."""
    families, kinds = heads(torch.from_numpy(embedding))
    return families, kinds


def calibration_error(found: Tensor, target: Tensor, bins: int = 10) -> float:
    """Return how far the score of what is named lies from how often it is right, on average (ECE)."""
    best, named = found.softmax(dim=1).max(dim=1)
    right, place = (named == target).double(), (best * bins).long().clamp(max=bins - 1)
    gaps = [
        (place == i).double().mean() * (right[place == i].mean() - best[place == i].double().mean()).abs()
        for i in range(bins)
        if (place == i).any()
    ]
    return float(sum(gaps))


def load(path: Path) -> tuple[Heads, dict[str, Any]]:
    """Return trained heads and what was written with them."""
    record = torch.load(path, weights_only=True)
    heads = Heads(len(record["instruments"]))
    heads.load_state_dict(record.pop("state"))
    return heads.eval(), record


def main(arguments: Sequence[str] | None = None) -> int:
    """Train on parts of collections, calibrate on what they spare, and write the heads."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog="example: python models/recipes/instruments/fit_heads.py --heard heard "
        "--learn fluid:train musescore:train world:train others:train real:train --output both.pt",
    )
    parser.add_argument("--heard", type=Path, required=True, help="folder with a folder for each collection")
    add_learn(parser)
    parser.add_argument("--steps", type=int, default=800, help="of 128 sounds each (default: 800)")
    parser.add_argument(
        "--recorded", type=float, default=1, help="how often recorded notes are drawn (default: 1)"
    )
    parser.add_argument("--seed", type=int, default=0, help="default: 0")
    parser.add_argument("--output", type=output_file, required=True, help="file for the heads")
    options = parser.parse_args(arguments)
    require(parser, "--heard", options.heard, options.learn, "heard.npz")
    torch.set_num_threads(1)
    found = [(read(options.heard / name), part) for name, part in (t.rsplit(":", 1) for t in options.learn)]
    parts = [(heard, mask(heard, part)) for heard, part in found]
    names = instruments(parts)
    heads = train(parts, names, steps=options.steps, recorded=options.recorded, seed=options.seed)
    record: dict[str, Any] = {"instruments": names, "learn": options.learn, "steps": options.steps}
    record |= {"recorded": options.recorded, "seed": options.seed, "state": heads.state_dict()}
    record |= {"sounds": int(sum(use.sum() for _, use in parts)), "temperatures": [1.0, 1.0]}
    spared = [(heard, mask(heard, "spared")) for heard, part in found if part == "train"]
    if spared:
        embedding, *wanted = targets(spared, names)
        with torch.no_grad():
            pairs = list(zip(heads(embedding), wanted, strict=True))
        record["temperatures"] = [temperature(*pair) for pair in pairs]
        record["spared"] = {}
        for (heard, use), text in zip(spared, options.learn, strict=True):
            right = [
                float((x.argmax(dim=1) == y)[y != UNKNOWN].double().mean())
                for x, y in zip(
                    logits(heads, heard.embedding[use]), targets([(heard, use)], names)[1:], strict=True
                )
            ]
            record["spared"][text] = right
        print(f"spared: right {record['spared']}, temperatures {record['temperatures']}")
    torch.save(record, options.output)
    return 0


if __name__ == "__main__":
    sys.exit(main())
