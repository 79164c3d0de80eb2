"""Checks what the commands of this folder are given, before any work is done."""

import argparse
import os
from collections.abc import Callable, Sequence
from pathlib import Path

LEARNT = ("train", "all")
"""Parts of a collection that may be learnt from: `mask` in fit.py says what each is."""
JUDGED = ("all", "train", "test")


def output_file(text: str) -> Path:
    """Return the path of a file to write, whose folder is made now: later its absence would lose the work."""
    path = Path(text)
    if path.is_dir():
        raise argparse.ArgumentTypeError(f"expected a file, got the folder {text}")
    output_folder(str(path.parent))
    return path


def output_folder(text: str) -> Path:
    """Return a folder to write into, which is made now."""
    path = Path(text)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise argparse.ArgumentTypeError(f"expected a folder that can be made, got {text}: {error}") from None
    if not os.access(path, os.W_OK):
        raise argparse.ArgumentTypeError(f"expected a folder that can be written into, got {text}")
    return path


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
