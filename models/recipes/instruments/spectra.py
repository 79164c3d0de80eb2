"""Computes what the networks hear of each collection, once: notes as they are, and varied copies of them."""

import argparse
import csv
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import fastaudio as fa
import numpy as np
import soundfile
from arguments import folder_of_notes, output_folder
from numpy.typing import NDArray
from render import NOTE_S
from render import RATE_HZ as NOTES_HZ
from tqdm import tqdm
from vary import vary

RATE_HZ, BANDS, FRAMES = 16_000, 96, 125
"""Of a window: 2 s. The front end is MusiCNN's, so that its layers can be tried too."""


def front() -> fa.Node:
    """Return the node from samples to log10(1 + 10,000 power) in 96 mel bands, 62.5 rows per second."""
    mel = fa.MelSpectrogram(sample_rate=RATE_HZ, n_fft=512, hop_length=256, n_mels=BANDS, pad_mode="reflect")
    return mel >> fa.Log(kind="log10", scale=10_000, offset=1)


@dataclass(frozen=True)
class Spectra:
    """One collection."""

    mel: NDArray[np.float16]
    """[notes, copies, frames, 96]; the first copy is the note as it is."""
    rows: list[dict[str, str]]
    """The manifest."""

    def column(self, name: str) -> NDArray[np.str_]:
        """Return a column of the manifest."""
        return np.array([row.get(name, "") for row in self.rows])


def read(folder: Path) -> Spectra:
    """Return a collection whose spectra were computed."""
    with np.load(folder / "spectra.npz") as file:
        mel = file["mel"]
    return Spectra(mel, manifest(folder))


def manifest(folder: Path) -> list[dict[str, str]]:
    """Return the manifest's rows."""
    with (folder / "manifest.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def samples(path: Path, seconds: float = NOTE_S) -> NDArray[np.float32]:
    """Return a note's first seconds, mono, at its own rate; a shorter one is padded with zeros."""
    with soundfile.SoundFile(path) as file:
        size = int(seconds * file.samplerate)
        x = file.read(size, dtype="float32", always_2d=True).mean(axis=1)
    return np.pad(x, (0, size - len(x)))


def compute(path: Path, copies: int, seed: int) -> NDArray[np.float16]:
    """Return the spectra [1 + copies, frames, 96] of a note, the same ones for the same name and seed."""
    draw = np.random.default_rng([seed, *path.name.encode()])
    x = samples(path)
    rate_hz = soundfile.info(path).samplerate
    if copies and rate_hz != NOTES_HZ:
        raise ValueError(f"{path}: expected {NOTES_HZ} Hz, since varying is made for it, got {rate_hz} Hz")
    versions = [x, *(vary(x, draw) for _ in range(copies))]
    node = fa.Pipeline(front())
    return np.stack([node(version, sample_rate=rate_hz) for version in versions]).astype(np.float16)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write spectra.npz and the manifest of a folder of notes."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog="example: python models/recipes/instruments/spectra.py --notes notes/tim --output spectra/tim",
    )
    parser.add_argument("--notes", type=folder_of_notes, required=True, help="folder with a manifest.csv")
    parser.add_argument("--copies", type=int, default=2, help="varied copies of each note (default: 2)")
    parser.add_argument("--seed", type=int, default=0, help="default: 0")
    parser.add_argument("--jobs", type=int, default=2, help="processes (default: 2)")
    parser.add_argument("--output", type=output_folder, required=True, help="folder for spectra.npz")
    options = parser.parse_args(arguments)
    rows = manifest(options.notes)
    paths = [options.notes / row["file"] for row in rows]
    work = partial(compute, copies=options.copies, seed=options.seed)
    with ProcessPoolExecutor(options.jobs) as pool:
        found = list(tqdm(pool.map(work, paths, chunksize=8), total=len(paths), disable=None))
    np.savez(options.output / "spectra.npz", mel=np.stack(found))
    text = (options.notes / "manifest.csv").read_text(encoding="utf-8")
    (options.output / "manifest.csv").write_text(text, encoding="utf-8")
    print(f"{options.output}: {len(rows)} sounds, {1 + options.copies} spectra each")
    return 0


if __name__ == "__main__":
    sys.exit(main())
