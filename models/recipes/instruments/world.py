"""Cuts recorded sounds of no instrument out of folders of sounds, such as the sounds of games: 2.5 s each."""

import argparse
import csv
import random
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import soundfile
from arguments import output_folder
from numpy.typing import NDArray
from programs import NOTHING
from render import COLUMNS, NOTE_S, RATE_HZ

MUSICAL = re.compile(
    r"music|menu|success|chapel|settlement|tavern|silence|beep"  # also within a word: mainmenu
    r"|bells?(?![a-z])|(?<![a-z])(wins?|winner|winning|lose[rs]?|eras?|tones?)(?![a-z])"  # not wind or stone
)
"""What may be music, a signal or silence, in a path below the folder given, by `words`."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Write a folder of sounds and its manifest."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog="example: python models/recipes/instruments/world.py --sounds megaglest-data=230 "
        "minetest-data=60 --output notes/world",
    )
    parser.add_argument(
        "--sounds",
        type=wanted,
        nargs="+",
        required=True,
        metavar="FOLDER=N",
        help="folders, and how many of each",
    )
    parser.add_argument("--seed", type=int, default=0, help="draws the files (default: 0)")
    parser.add_argument(
        "--output", type=output_folder, required=True, help="folder of sounds and manifest.csv"
    )
    options = parser.parse_args(arguments)
    draw = random.Random(options.seed)  # noqa: S311  # which files, not locks
    rows = []
    for folder, n in options.sounds:
        before = len(rows)
        for path in drawn(folder, n, draw):
            clip = loudest(path)
            if clip is None:
                continue
            name = f"{folder.name}-{len(rows):03d}-{path.stem[:30]}.flac".replace(" ", "_")
            soundfile.write(options.output / name, clip, RATE_HZ, subtype="PCM_16")
            rows.append([name, "world", folder.name, NOTHING, NOTHING, "", "", "train"])
        if len(rows) == before:
            parser.error(
                f"--sounds: expected .wav or .ogg files in {folder} that are louder than silence and whose "
                "paths don't tell of music, got none; give another folder"
            )
    with (options.output / "manifest.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([COLUMNS, *rows])
    print(f"{options.output}: {len(rows)} sounds")
    return 0


def wanted(text: str) -> tuple[Path, int]:
    """Return a folder and how many sounds to take from it."""
    folder, _, n = text.rpartition("=")
    if not folder or not n.isdecimal() or int(n) == 0:
        raise argparse.ArgumentTypeError(f"expected FOLDER=N with N above 0, got {text!r}")
    return Path(folder), int(n)


def words(path: Path) -> str:
    """Return a path in small letters, its words apart where capitals begin them."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", path.as_posix()).lower()


def drawn(folder: Path, n: int, draw: random.Random) -> Iterator[Path]:
    """Yield sounds of a folder, at most two whose names differ by a number only."""
    found = sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in (".wav", ".ogg")
        and path.is_file()
        and not MUSICAL.search(words(path.relative_to(folder)))
    )
    draw.shuffle(found)
    seen: Counter[str] = Counter()
    kept = []
    for path in found:
        kind = re.sub(r"[._]?\d+$", "", path.stem)
        seen[kind] += 1
        if seen[kind] <= 2:
            kept.append(path)
    yield from kept[:n]


def loudest(path: Path) -> NDArray[np.float32] | None:
    """Return the loudest 2.5 s of a file, at the rate of notes; None if it is short or silent."""
    sound, rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
    sound = sound.mean(axis=1)
    if len(sound) < 0.15 * rate_hz or np.sqrt(np.mean(sound**2)) < 1e-3:
        return None
    size = int(NOTE_S * rate_hz)
    energy = np.cumsum(np.append(0, sound.astype(np.float64) ** 2))
    starts = range(0, max(1, len(sound) - size), max(1, rate_hz // 4))
    start = max(starts, key=lambda i: energy[min(i + size, len(sound))] - energy[i])
    clip = sound[start : start + size]
    at = np.arange(int(NOTE_S * RATE_HZ)) * rate_hz / RATE_HZ
    return np.interp(at, np.arange(len(clip)), clip, right=0).astype(np.float32)


if __name__ == "__main__":
    sys.exit(main())
