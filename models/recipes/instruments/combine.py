"""Lists rendered notes to learn from and recorded notes to be scored on in one manifest, for any trainer.

Programs that `programs.SPARED` names are the validation; recorded notes of families that no SoundFont has are
left out.
"""

import argparse
import csv
import sys
from collections.abc import Sequence
from pathlib import Path

from arguments import folder_of_notes, output_file
from hear import spread
from programs import FAMILIES, NOTHING, SPARED
from spectra import manifest

COLUMNS = ["path", "label", "fold", "group"]


def rows_of(folder: Path, each: int, fold: str | None) -> list[list[str]]:
    """Return a collection's rows, so many of each program, in a fold; None for train and validation."""
    rows = manifest(folder)
    for names in (("file",), ("family",), ("program", "instrument")):
        if not rows or not any(name in rows[0] for name in names):
            got = ", ".join(rows[0]) if rows else "no row"
            raise ValueError(f"{folder}: expected notes with the column {' or '.join(names)}, got {got}")
    rows = [row for row in rows if row["family"] in FAMILIES and row["family"] != NOTHING]
    found = []
    for row in spread(rows, each):
        program = row.get("program") or row.get("instrument", "")
        split = fold or ("validation" if program.isdigit() and int(program) in SPARED else "train")
        found.append([str((folder / row["file"]).resolve()), row["family"], split, program])
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the manifest."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="example: python models/recipes/instruments/combine.py --learn notes/fluid notes/musescore "
        "--score notes/real --output renders_to_real.csv",
    )
    parser.add_argument(
        "--learn", type=folder_of_notes, nargs="+", required=True, help="folders of rendered notes"
    )
    parser.add_argument(
        "--score", type=folder_of_notes, nargs="+", required=True, help="folders of recorded notes"
    )
    parser.add_argument(
        "--each", type=int, default=0, metavar="N", help="rendered notes of each program (%(default)s: all)"
    )
    parser.add_argument("--output", type=output_file, required=True, help="the manifest, .csv")
    options = parser.parse_args(arguments)
    try:
        rows = [row for folder in options.learn for row in rows_of(folder, options.each, None)]
        known = {label for _, label, _, _ in rows}
        tests = [row for folder in options.score for row in rows_of(folder, 0, "test") if row[1] in known]
    except ValueError as error:
        parser.error(str(error))
    with options.output.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([COLUMNS, *rows, *tests])
    print(f"{options.output}: {len(rows)} notes to learn from, {len(tests)} to be scored on")
    return 0


if __name__ == "__main__":
    sys.exit(main())
