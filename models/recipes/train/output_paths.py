"""Takes the paths that commands write to: their folders are made before any work is done."""

import argparse
import os
from pathlib import Path


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
