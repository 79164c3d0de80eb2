"""The list of notes: manifest.csv with file, split, family, gm_program, gm_name, pitch and velocity."""

import csv
from pathlib import Path


def read_rows(folder: Path) -> list[dict[str, str]]:
    """Return a row for each note of a folder."""
    with (folder / "manifest.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
