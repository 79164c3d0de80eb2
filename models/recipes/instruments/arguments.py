"""Checks what the commands of this folder are given, before any work is done."""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "train"))
from output_paths import output_file, output_folder

LEARNT = ("train", "all")
"""Parts of a collection that may be learnt from: `mask` in fit.py says what each is."""
JUDGED = ("all", "train", "test")


def part_of(parts: Sequence[str]) -> Callable[[str], str]:
    """Return what takes COLLECTION:PART with one of these parts."""

    def check(text: str) -> str:
        name, _, part = text.rpartition(":")
        if not name or part not in parts:
            wanted = f"{', '.join(parts[:-1])} or {parts[-1]}"
            raise argparse.ArgumentTypeError(f"expected COLLECTION:PART with the part {wanted}, got {text}")
        return text

    return check


def named_file(text: str) -> str:
    """Take NAME=FILE."""
    name, _, path = text.partition("=")
    if not name or not path:
        raise argparse.ArgumentTypeError(f"expected NAME=FILE, got {text}")
    return text


def named_folder(text: str) -> str:
    """Take COLLECTION=FOLDER, where the folder has notes."""
    name, _, path = text.partition("=")
    if not name or not path:
        raise argparse.ArgumentTypeError(f"expected COLLECTION=FOLDER, got {text}")
    folder_of_notes(path)
    return text


def measured_folder(names: Sequence[str]) -> Callable[[str], str]:
    """Return what takes COLLECTION=FOLDER of one of these collections."""

    def check(text: str) -> str:
        if text.partition("=")[0] not in names:
            wanted = " or ".join(f"{name}=FOLDER" for name in names)
            raise argparse.ArgumentTypeError(f"expected {wanted}, got {text}")
        return named_folder(text)

    return check


def folder_of_notes(text: str) -> Path:
    """Return a folder that has a manifest."""
    path = Path(text)
    if not (path / "manifest.csv").is_file():
        raise argparse.ArgumentTypeError(f"expected a folder with a manifest.csv, got {text}")
    return path


def require(
    parser: argparse.ArgumentParser, option: str, folder: Path, wanted: Sequence[str], file: str
) -> None:
    """End with a message unless a folder has a file of each of these collections."""
    for name in {text.rpartition(":")[0]: None for text in wanted}:
        if not (folder / name / file).is_file():
            writer = {"heard.npz": "hear.py", "spectra.npz": "spectra.py"}[file]
            parser.error(f"{option}: expected {folder / name / file}, written by {writer}, got none")


def add_learn(parser: argparse.ArgumentParser) -> None:
    """Add the option that says which parts of which collections are learnt from."""
    parser.add_argument(
        "--learn",
        type=part_of(LEARNT),
        nargs="+",
        required=True,
        metavar="COLLECTION:PART",
        help="part: train or all",
    )


__all__ = [
    "JUDGED",
    "LEARNT",
    "add_learn",
    "folder_of_notes",
    "measured_folder",
    "named_file",
    "named_folder",
    "output_file",
    "output_folder",
    "part_of",
    "require",
]
