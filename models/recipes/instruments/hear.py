"""Computes what aiSFX's network hears of each collection, once: an embedding of each note's first window."""

import argparse
import csv
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import fastaudio as fa
import numpy as np
import soundfile
from arguments import folder_of_notes, output_folder
from numpy.typing import NDArray
from render import RATE_HZ
from spectra import manifest, samples
from tqdm import tqdm
from vary import lightly

HEARD_S, WINDOW_S = 2.0, 2.3
"""How much of a note is heard, and a window of the network, which is filled up with silence."""


@dataclass(frozen=True)
class Heard:
    """One collection."""

    embedding: NDArray[np.float32]
    """[notes, 512]"""
    rows: list[dict[str, str]]
    """The manifest."""

    def column(self, name: str) -> NDArray[np.str_]:
        """Return a column of the manifest."""
        return np.array([row.get(name, "") for row in self.rows])


def read(folder: Path) -> Heard:
    """Return a collection that was heard."""
    with np.load(folder / "heard.npz") as file:
        embedding = file["embedding"]
    return Heard(embedding, manifest(folder))


def spread(rows: Sequence[dict[str, str]], each: int) -> list[dict[str, str]]:
    """Return so many notes of each program, spread over its range; all of them if `each` is 0."""
    programs: dict[str, list[dict[str, str]]] = {}
    for row in rows:
        programs.setdefault(row.get("program", ""), []).append(row)
    if not each:
        return list(rows)
    places = {
        n: np.unique(np.linspace(0, n - 1, each).round().astype(int)) for n in map(len, programs.values())
    }
    return [notes[i] for notes in programs.values() for i in places[len(notes)]]


def compute(trunk: fa.Pipeline, path: Path, *, varied: bool) -> NDArray[np.float32]:
    """Return the embedding [512] of a note as it is, or varied, the same one for the same name."""
    rate_hz = soundfile.info(path).samplerate
    sound, heard_s = samples(path), HEARD_S
    if varied:
        if rate_hz != RATE_HZ:
            raise ValueError(f"{path}: expected {RATE_HZ} Hz, since varying is made for it, got {rate_hz} Hz")
        draw = np.random.default_rng([0, *path.name.encode()])
        sound = lightly(sound, draw)
        heard_s = HEARD_S if draw.random() < 0.6 else WINDOW_S
    return trunk(sound[: int(heard_s * rate_hz)], sample_rate=rate_hz)[0]


def main(arguments: Sequence[str] | None = None) -> int:
    """Write heard.npz and the manifest of a folder of notes."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog="example: python models/recipes/instruments/hear.py --notes notes/fluid --varied --each 7 "
        "--output heard/fluid",
    )
    parser.add_argument("--notes", type=folder_of_notes, required=True, help="folder with a manifest.csv")
    parser.add_argument("--split", help="hear only notes of this split, such as test")
    parser.add_argument("--each", type=int, default=0, help="notes of each program (default: 0, all)")
    parser.add_argument("--varied", action="store_true", help="vary level, room, tone and noise")
    parser.add_argument("--output", type=output_folder, required=True, help="folder for heard.npz")
    options = parser.parse_args(arguments)
    rows = [row for row in manifest(options.notes) if options.split in (None, row.get("split"))]
    rows = spread(rows, options.each)
    trunk = fa.Pipeline.load("aisfx", threads=1)
    found = [
        compute(trunk, options.notes / row["file"], varied=options.varied) for row in tqdm(rows, disable=None)
    ]
    np.savez(options.output / "heard.npz", embedding=np.stack(found))
    with (options.output / "manifest.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        table.writeheader()
        table.writerows(rows)
    print(f"{options.output}: {len(rows)} sounds")
    return 0


if __name__ == "__main__":
    sys.exit(main())
