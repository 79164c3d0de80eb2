"""Cuts recordings of no instrument into pieces of 2.5 s, one every 2 s, to see what a model refuses."""

import argparse
import csv
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile
from arguments import output_folder
from fastaudio.decoding.audio_file import AudioFile
from programs import NOTHING
from render import COLUMNS, NOTE_S

STEP_S, LEAST_S = 2.0, 1.0
"""From one piece to the next, and what a piece after the first has at least."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Write a folder of pieces and its manifest."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog="example: python models/recipes/instruments/pieces.py clips/dog.ogg clips/rain.ogg "
        "--output notes/clips",
    )
    parser.add_argument("files", type=Path, nargs="+", help="recordings")
    parser.add_argument(
        "--output", type=output_folder, required=True, help="folder of pieces and manifest.csv"
    )
    options = parser.parse_args(arguments)
    rows = []
    for path in options.files:
        with AudioFile(str(path)) as file:
            sound = np.concatenate([block.mean(axis=1) for block in file.blocks()])
            rate_hz = file.sample_rate
        last_s = max(0.0, len(sound) / rate_hz - LEAST_S)
        for i in range(int(last_s / STEP_S) + 1):
            name, start = f"{path.stem}-{i}.flac", int(i * STEP_S * rate_hz)
            piece = sound[start : start + int(NOTE_S * rate_hz)]
            soundfile.write(options.output / name, piece, rate_hz, subtype="PCM_16")
            rows.append([name, "clips", path.stem, NOTHING, NOTHING, "", "", "test"])
    with (options.output / "manifest.csv").open("w", encoding="utf-8", newline="") as table:
        csv.writer(table, lineterminator="\n").writerows([COLUMNS, *rows])
    print(f"{options.output}: {len(rows)} pieces of {len(options.files)} recordings")
    return 0


if __name__ == "__main__":
    sys.exit(main())
