"""Embeddings kept on disk, so that training again costs seconds and an interrupted run goes on.

Each file's rows lie in a file of their own, in a folder named after what made them: the pipeline with its
weights' hashes and the version of fastaudio. The name of the file stands for the path, size and times of the
sound, for the stretch of it and for how it was altered, so a sound that was changed is embedded again.
Nothing else is read from a name, and no object is unpickled.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fastaudio._core import __version__
from fastaudio._system.arrays import ArraysError, Expected, arrays
from fastaudio._system.text import printable
from fastaudio._system.writing import check_folder, writing
from fastaudio.heads.identity import identity
from fastaudio.labelled.segment import Segment, path_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fastaudio.labelled.segment import File
    from fastaudio.pipeline import Pipeline

SCHEMA = "fastaudio.embeddings/1"
"""Name and version of the form; a change of it raises the number."""

_DIGITS = 32  # of a hash that names a file or folder


class EmbeddingCache:
    """Rows of files as one pipeline gives them; threads may share it."""

    def __init__(self, folder: str | os.PathLike[str], pipeline: Pipeline) -> None:
        """Find the rows that this pipeline gave earlier; the folder is made when the first are kept.

        Raises:
            OutputError: the folder can't be made or written into.
        """
        check_folder(folder)
        self._folder = Path(folder) / _named({"schema": SCHEMA, "version": __version__} | identity(pipeline))
        (spec,) = pipeline.output_specs.values()
        self._width = spec.shape[0]
        self._full = False

    def place(self, file: File, change: tuple[Any, ...] = ()) -> Path | None:
        """Return where the rows of a file or a stretch belong, as it is now; None if there is no such file.

        `change` says how its sound was altered, if it was.
        """
        path = path_of(file)
        try:
            now = os.stat(path)  # noqa: PTH116  # Path reads "" as "."
        except (OSError, ValueError):
            return None
        # A changed file may have its old size and time of change, but not its old time of status change.
        about: list[Any] = [os.path.abspath(path), now.st_size, now.st_mtime_ns, now.st_ctime_ns]  # noqa: PTH100
        if isinstance(file, Segment):
            about += [file.start_s, file.end_s]
        about += [list(change)] if change else []
        return self._folder / f"{_named(about)}.npz"

    def load(self, place: Path | None) -> NDArray[np.float32] | None:
        """Return the rows kept at a place; None if there are none, or if they are damaged, with a warning."""
        if place is None:
            return None
        try:
            return _read(place, self._width)
        except FileNotFoundError:
            return None
        except (OSError, ArraysError) as error:
            warnings.warn(
                printable(f"{place}: expected kept embeddings, got: {error}; they are computed again"),
                stacklevel=2,
            )
            return None

    def keep(self, place: Path | None, rows: NDArray[np.float32]) -> None:
        """Keep a file's rows; if that fails, warn once and keep no others: training can go on."""
        if place is None or self._full:
            return
        content = io.BytesIO()
        np.savez(content, rows=rows)
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            with writing(place, force=True) as file:
                file.write(content.getbuffer())
        except OSError as error:
            self._full = True
            warnings.warn(
                printable(f"{place}: expected to keep embeddings, got: {error}; going on without"),
                stacklevel=2,
            )


def _read(place: Path, width: int) -> NDArray[np.float32]:
    """Return rows after checking their sizes, and their checksum, which a zip archive has."""
    with place.open("rb") as file, arrays(file) as held:
        # What is kept isn't packed, so that it can't hold more than the file does.
        expected = Expected((None, width), dtype=np.float32, largest=os.fstat(file.fileno()).st_size)
        rows: NDArray[np.float32] = held.read("rows", expected)
    if not len(rows):
        raise ArraysError("no rows")
    return rows


def _named(about: Any) -> str:
    text = json.dumps(about, sort_keys=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:_DIGITS]
