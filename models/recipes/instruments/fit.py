"""Trains the network of `instruments` on collections of notes, drawn evenly by family and collection."""

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from arguments import add_learn, output_file, require
from note_network import Levels, NoteNetwork, decibels, relative
from numpy.typing import NDArray
from programs import FAMILIES, NOTHING, SPARED, UNHEARD
from spectra import FRAMES, Spectra, read
from torch import Tensor
from torch.nn import functional

BATCH, LEARNING_RATE, DECAY = 64, 4e-3, 0.05
UNKNOWN = -100
"""Stands for an instrument that isn't told, such as real percussion: cross_entropy leaves it out."""


@dataclass(frozen=True)
class Notes:
    """Sounds to learn from."""

    mel: NDArray[np.float16]
    family: NDArray[np.int64]
    instrument: NDArray[np.int64]
    weight: NDArray[np.float64]
    """How often each is drawn; they add up to 1."""


def fifth(rows: Sequence[dict[str, str]], which: int) -> NDArray[np.bool_]:
    """Return which real notes lie in a fifth of each instrument's keys, with all that was played there."""
    keys: dict[str, list[str]] = {}
    for row in rows:
        keys.setdefault(row["instrument"], []).append(key_of(row))
    chosen = {name: set(sorted(set(found))[which::5]) for name, found in keys.items()}
    return np.array([key_of(row) in chosen[row["instrument"]] for row in rows])


def key_of(row: dict[str, str]) -> str:
    """Return what notes that sound alike share: the key, or the file for percussion."""
    return row["pitch"] or row["file"]


def mask(collection: Spectra, part: str) -> NDArray[np.bool_]:
    """Return which rows of a collection a part has: `train`, `spared` to choose by, `test`, or `all`."""
    rows = collection.rows
    if "split" in rows[0] and "gm_program" in rows[0]:  # the older models' notes
        test, spared = collection.column("split") == "test", np.zeros(len(rows), bool)
    elif "dynamic" in rows[0]:  # real notes
        test, spared = fifth(rows, 2), fifth(rows, 4)
    elif not rows[0].get("program", "").isdigit():  # made-up sounds
        test, spared = np.zeros(len(rows), bool), np.arange(len(rows)) % 10 == 9
    else:
        test = np.array([int(row["program"]) in UNHEARD for row in rows])
        spared = np.array([int(row["program"]) in SPARED for row in rows])
    everything = np.ones(len(rows), bool)
    return {"train": ~test & ~spared, "spared": spared, "test": test, "all": everything}[part]


def instruments(collections: Sequence[tuple[Spectra, NDArray[np.bool_]]]) -> list[str]:
    """Return the names of all instruments that are heard."""
    names = {str(name) for found, use in collections for name in found.column("instrument")[use]}
    return [*sorted(names - {NOTHING, "percussion"}), NOTHING]


def gather(collections: Sequence[tuple[Spectra, NDArray[np.bool_]]], names: Sequence[str]) -> Notes:
    """Return the notes of some rows of collections, each family and in it each collection drawn as often."""
    mel, family, instrument, weight = [], [], [], []
    for found, use in collections:
        own = found.mel[use]
        copies = max(each.mel.shape[1] for each, _ in collections)
        mel.append(own[:, np.arange(copies) % own.shape[1]])
        labels = found.column("family")[use]
        family.append([FAMILIES.index(label) for label in labels])
        kinds = found.column("instrument")[use]
        instrument.append([names.index(label) if label in names else UNKNOWN for label in kinds])
        pairs = list(zip(labels, kinds, strict=True))
        count = {pair: pairs.count(pair) for pair in set(pairs)}
        weight.append([count[pair] ** -0.5 for pair in pairs])
    targets, drawn = np.concatenate(family), np.concatenate(weight)
    part = np.concatenate([np.full(len(each), i) for i, each in enumerate(family)])
    for label in set(targets.tolist()):
        for i in set(part.tolist()):
            here = (targets == label) & (part == i)
            drawn[here] /= max(1e-12, drawn[here].sum())
        here = targets == label
        drawn[here] /= drawn[here].sum()
    return Notes(np.concatenate(mel), targets, np.concatenate(instrument), drawn / drawn.sum())


def varied(levels: Tensor, draw: np.random.Generator) -> Tensor:
    """Return levels with another tone, shorter notes, and some bands and frames left out."""
    n, frames, bands = levels.shape
    points = torch.from_numpy(draw.normal(0, 0.05, (n, 1, 6)).astype(np.float32))
    tone = functional.interpolate(points, bands, mode="linear", align_corners=True)
    out = torch.where(levels > 0, (levels + tone).clamp_min(0), levels)
    for i in range(n):
        if draw.random() < 0.25:
            end = int(draw.integers(frames // 6, frames))
            out[i, end:] = 0
        low, first = int(draw.integers(0, bands - 10)), int(draw.integers(0, frames - 16))
        out[i, :, low : low + int(draw.integers(0, 10))] = 0
        out[i, first : first + int(draw.integers(0, 16))] = 0
    return out


def train(notes: Notes, n_instruments: int, steps: int, seed: int) -> NoteNetwork:
    """Return the network after so many steps; the same for a seed on one machine with one thread."""
    torch.manual_seed(seed)
    draw = np.random.default_rng(seed)
    network, level_db = NoteNetwork(len(FAMILIES), n_instruments), all_decibels(notes.mel)
    optimiser = torch.optim.AdamW(network.parameters(), LEARNING_RATE, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, LEARNING_RATE, total_steps=steps + 1, pct_start=0.15
    )
    network.train()
    start_s, losses = time.monotonic(), []
    spare = notes.mel.shape[2] - FRAMES
    for step in range(steps):
        rows = draw.choice(len(notes.weight), BATCH, p=notes.weight)
        copies = draw.integers(0, notes.mel.shape[1], BATCH)
        first = np.where(draw.random(BATCH) < 0.5, 0, draw.integers(0, spare + 1, BATCH))
        picked = [level_db[r, c, f : f + FRAMES] for r, c, f in zip(rows, copies, first, strict=True)]
        x = varied(relative(torch.from_numpy(np.stack(picked).astype(np.float32))), draw)
        family, instrument = network(x)
        loss = functional.cross_entropy(family, torch.from_numpy(notes.family[rows]), label_smoothing=0.05)
        wanted = torch.from_numpy(notes.instrument[rows])
        loss = loss + functional.cross_entropy(instrument, wanted, ignore_index=UNKNOWN, label_smoothing=0.05)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimiser.step()
        schedule.step()
        losses.append(float(loss.detach()))
        if step % 100 == 99:
            took_s = time.monotonic() - start_s
            print(
                f"step {step + 1}/{steps}: loss {np.mean(losses[-100:]):.3f}, {took_s:.0f} s", file=sys.stderr
            )
    return network.eval()


def all_decibels(mel: NDArray[np.float16]) -> NDArray[np.float16]:
    """Return the levels in dB, which needn't be computed again for each batch."""
    out = np.empty_like(mel)
    for i in range(0, len(mel), 64):
        out[i : i + 64] = decibels(torch.from_numpy(mel[i : i + 64].astype(np.float32))).numpy()
    return out


@torch.no_grad()
def logits(network: NoteNetwork, mel: NDArray[np.float16]) -> tuple[Tensor, Tensor]:
    """Return the logits of notes' first windows [n, frames, 96]."""
    found = [
        network(Levels()(torch.from_numpy(part.astype(np.float32))))
        for part in np.array_split(mel[:, :FRAMES], max(1, len(mel) // 64))
    ]
    return torch.cat([family for family, _ in found]), torch.cat([instrument for _, instrument in found])


def temperature(found: Tensor, target: Tensor) -> float:
    """Return what logits are divided by, so that scores of sounds not learnt are as sure as right."""
    known = target != UNKNOWN
    choices = np.geomspace(0.3, 3, 47)
    losses = [float(functional.cross_entropy(found[known] / t, target[known])) for t in choices]
    return float(choices[int(np.argmin(losses))])


def load(path: Path) -> tuple[NoteNetwork, dict[str, Any]]:
    """Return a trained network and what was written with it."""
    record = torch.load(path, weights_only=True)
    network = NoteNetwork(len(FAMILIES), len(record["instruments"]))
    network.load_state_dict(record.pop("state"))
    return network.eval(), record


def main(arguments: Sequence[str] | None = None) -> int:
    """Train on parts of collections, calibrate on what they spare, and write the network."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog="example: python models/recipes/instruments/fit.py --spectra spectra "
        "--learn fluid:train musescore:train others:train real:train --output both.pt",
    )
    parser.add_argument(
        "--spectra", type=Path, required=True, help="folder with a folder for each collection"
    )
    add_learn(parser)
    parser.add_argument("--steps", type=int, default=1500, help="of 64 notes each (default: 1500)")
    parser.add_argument("--seed", type=int, default=0, help="default: 0")
    parser.add_argument(
        "--threads", type=int, default=1, help="default: 1, which gives the same numbers again"
    )
    parser.add_argument("--output", type=output_file, required=True, help="file for the network")
    options = parser.parse_args(arguments)
    require(parser, "--spectra", options.spectra, options.learn, "spectra.npz")
    torch.set_num_threads(options.threads)
    wanted = [text.rsplit(":", 1) for text in options.learn]
    found = [(read(options.spectra / name), part) for name, part in wanted]
    learn = [(spectra, mask(spectra, part)) for spectra, part in found]
    names = instruments(learn)
    notes = gather(learn, names)
    print(f"{len(notes.family)} sounds, {len(names)} instruments", file=sys.stderr)
    network = train(notes, len(names), options.steps, options.seed)
    record = {"instruments": names, "learn": options.learn, "steps": options.steps, "seed": options.seed}
    record |= {"state": network.state_dict(), "sounds": len(notes.family), "temperatures": [1.0, 1.0]}
    spared = [(spectra, mask(spectra, "spared")) for spectra, part in found if part == "train"]
    if spared:
        rest = gather(spared, names)
        mel = rest.mel.reshape(-1, *rest.mel.shape[2:])  # varied copies too
        targets = [
            torch.from_numpy(each).repeat_interleave(rest.mel.shape[1])
            for each in (rest.family, rest.instrument)
        ]
        pairs = list(zip(logits(network, mel), targets, strict=True))
        record["temperatures"] = [temperature(*pair) for pair in pairs]
        record["spared"] = [float((x.argmax(1) == y)[y != UNKNOWN].double().mean()) for x, y in pairs]
        print(f"spared: right {record['spared']}, temperatures {record['temperatures']}")
    torch.save(record, options.output)
    return 0


if __name__ == "__main__":
    sys.exit(main())
