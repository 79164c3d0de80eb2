"""Published collections of labelled sound, in the folders in which they come.

Those are ESC-50, UrbanSound8K, GTZAN, MagnaTagATune, OpenMIC-2018 and FSD50K. Their own folds, and groups of
clips from one recording or artist, are kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from fastaudio.decoding.folders import find_audio
from fastaudio.labelled.segment import Found
from fastaudio.labelled.text import TableError, number_in, read_text, rows_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_GENRES = frozenset(
    ("blues", "classical", "country", "disco", "hiphop", "jazz", "metal", "pop", "reggae", "rock")
)
_PRESENT = 0.5  # relevance from which an instrument counts as heard, as in OpenMIC's own baseline
_MTT_VALIDATION, _MTT_TEST = "c", "def"  # the usual split by folder


@dataclass(frozen=True)
class Example:
    """A clip of a collection: its path within it, its labels, and its group and fold if it has them."""

    path: str
    labels: Sequence[str]
    group: str = ""
    fold: str = ""


@dataclass(frozen=True)
class Collection:
    """A collection: its name, the file or folder that tells it, and what yields its clips."""

    name: str
    mark: str
    clips: Callable[[Path], Iterator[Example]]
    several: bool = False


def _esc50(top: Path) -> Iterator[Example]:
    for row in _rows(top, "meta/esc50.csv", "filename", "fold", "category", "src_file"):
        yield Example(f"audio/{row['filename']}", [row["category"]], row["src_file"], row["fold"])


def _urbansound8k(top: Path) -> Iterator[Example]:
    for row in _rows(top, "metadata/UrbanSound8K.csv", "slice_file_name", "fold", "class", "fsID"):
        path = f"audio/fold{row['fold']}/{row['slice_file_name']}"
        yield Example(path, [row["class"]], row["fsID"], row["fold"])


def _gtzan(top: Path) -> Iterator[Example]:
    (folder,) = [folder for folder in (*_parts(top), top) if _is_gtzan(folder)][:1]
    for file in find_audio(folder).files:
        path = Path(file).relative_to(top)
        yield Example(path.as_posix(), [path.parent.name])


def _parts(top: Path) -> list[Path]:
    return [top / "genres", top / "genres_original"]


def _is_gtzan(folder: Path) -> bool:
    return all((folder / genre).is_dir() for genre in _GENRES)


def _magnatagatune(top: Path) -> Iterator[Example]:
    artists = {}
    if (top / "clip_info_final.csv").is_file():
        info = _rows(top, "clip_info_final.csv", "mp3_path", "artist", delimiter="\t")
        artists = {row["mp3_path"]: row["artist"] for row in info}
    for row in _rows(top, "annotations_final.csv", "clip_id", "mp3_path", delimiter="\t"):
        path = row.pop("mp3_path")
        row.pop("clip_id")
        folder = path[:1]
        fold = "validation" if folder == _MTT_VALIDATION else "test" if folder in _MTT_TEST else "train"
        tags = [tag for tag, given in row.items() if given == "1"]
        if path:
            yield Example(path, tags, artists.get(path) or path, fold)


def _openmic(top: Path) -> Iterator[Example]:
    folds: dict[str, str] = {}
    for fold in ("train", "test"):
        part = top / "partitions" / f"split01_{fold}.csv"
        if part.is_file():
            folds |= dict.fromkeys(read_text(part).split(), fold)
    heard: dict[str, list[str]] = {}
    table = "openmic-2018-aggregated-labels.csv"
    for row in _rows(top, table, "sample_key", "instrument", "relevance"):
        labels = heard.setdefault(row["sample_key"], [])
        try:
            present = number_in(row["relevance"]) >= _PRESENT
        except ValueError as error:
            got = f"{row['relevance']!r:.40} for {row['sample_key']:.60}"
            raise TableError(f"{top / table}: expected numbers as relevance, got {got}") from error
        if present:
            labels.append(row["instrument"])
    for key, labels in heard.items():
        yield Example(f"audio/{key[:3]}/{key}.ogg", labels, key.partition("_")[0], folds.get(key, "train"))


def _fsd50k(top: Path) -> Iterator[Example]:
    for part in ("dev", "eval"):
        table = f"FSD50K.ground_truth/{part}.csv"
        if not (top / table).is_file():
            continue
        for row in _rows(top, table, "fname", "labels"):
            fold = row.get("split") or "test"
            yield Example(f"FSD50K.{part}_audio/{row['fname']}.wav", row["labels"].split(","), "", fold)


COLLECTIONS = (
    Collection("ESC-50", "meta/esc50.csv", _esc50),
    Collection("UrbanSound8K", "metadata/UrbanSound8K.csv", _urbansound8k),
    Collection("MagnaTagATune", "annotations_final.csv", _magnatagatune, several=True),
    Collection("OpenMIC-2018", "openmic-2018-aggregated-labels.csv", _openmic, several=True),
    Collection("FSD50K", "FSD50K.ground_truth/dev.csv", _fsd50k, several=True),
    Collection("GTZAN", "", _gtzan),
)
"""Those that are known."""


def recognised(top: Path) -> Collection | None:
    """Return the collection that a folder is, or None."""
    for collection in COLLECTIONS:
        if collection.mark:
            known = (top / collection.mark).is_file()
        else:
            known = any(map(_is_gtzan, (*_parts(top), top)))
        if known:
            return collection
    return None


def read(top: Path, collection: Collection) -> Found:
    """Return a collection's clips; those whose file isn't there are left out, and named.

    Raises:
        TableError: a table isn't as published.
    """
    found = Found(f"the collection {collection.name}", several=collection.several)
    groups, folds = list[str](), list[str]()
    for clip in collection.clips(top):
        path = top / clip.path
        if not _is_within(clip.path) or not path.is_file():
            found.leave_out(str(path), "expected a file of the collection, got none; unpack it all")
            continue
        found.add(str(path), list(clip.labels))
        groups.append(clip.group or clip.path)
        folds.append(clip.fold)
    found.groups = groups if len(set(groups)) < len(groups) else None
    found.folds = folds if all(folds) and folds else None
    return found


def _is_within(path: str) -> bool:
    """Tell whether a path from a table stays within the collection, whose folders may be links."""
    parts = PurePosixPath(path)
    return not parts.is_absolute() and ".." not in parts.parts and "\0" not in path


def _rows(top: Path, name: str, *columns: str, delimiter: str = ",") -> Iterator[dict[str, str]]:
    path = top / name
    for line, row in rows_of(path, read_text(path), delimiter):
        if missing := [column for column in columns if column not in row]:
            raise TableError(
                f"{path}: expected the columns {', '.join(columns)} in line {line}, got no {missing[0]}"
            )
        yield row
