"""What a scan runs over: files, folders, patterns, tables that list files, and URLs."""

from __future__ import annotations

import glob
import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from fastaudio._core import FastaudioError, check_interrupt
from fastaudio._system.text import found_as
from fastaudio.decoding.folders import find_audio
from fastaudio.scanning import manifests, remote

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


class SourceError(FastaudioError, ValueError):
    """What to scan isn't there, or can't be read."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One file to run over.

    Attributes:
        path: its path or URL.
        size: in bytes; -1 if it isn't known.
        version: what changes with the file: its time of change in ns, or a store's etag.
        columns: what a table says of it besides, by the table's columns.
    """

    path: str
    size: int = -1
    version: str = ""
    columns: Mapping[str, str | None] = field(default_factory=dict)


@dataclass
class Sources:
    """What was found: the files, and lines that say what was left out."""

    entries: list[Entry] = field(default_factory=list)
    said: list[str] = field(default_factory=list)


def find_entries(sources: Iterable[str | os.PathLike[str]], stores: Iterable[str] = ()) -> Sources:
    """Return the files that `sources` mean, each once, with the columns of all tables that list it.

    A source is a file, a folder, which is searched for sound, a pattern such as `night/**/*.flac`, a table
    that lists files in a column `path` (.csv, .jsonl, .parquet; its paths are relative to its own folder, and
    its other columns are kept), or the URL of a file, a folder or a pattern, such as s3://bucket/night.

    A table may name URLs of those stores alone that other sources or `stores` name: s3://bucket, or s3:// for
    all buckets. So a stranger's table opens no store, nor any page of the web, that you didn't mean.

    Raises:
        SourceError: a source isn't there or can't be read, a table names another store, or there is no file
            in all of them.
        MissingExtra: what reads tables or URLs isn't installed.
    """
    found = Sources()
    seen: dict[str, int] = {}
    texts = [os.fspath(source) for source in sources]
    allowed = remote.Stores([*filter(remote.is_url, texts), *stores])
    for text in texts:
        n_found = n_other = 0
        one_way = len(texts) == 1 and not _is_table(text)
        for entry in _entries(text, allowed, found.said):
            n_found += 1
            # A folder or a pattern spells each file one way; tables and several sources may do otherwise.
            own = entry.path if one_way or remote.is_url(entry.path) else _absolute(entry.path)
            k = seen.setdefault(own, len(found.entries))
            if k == len(found.entries):
                found.entries.append(entry)
            elif entry.columns:
                before = found.entries[k]
                held = before.columns
                n_other += any((held.get(k, v) or "") != (v or "") for k, v in entry.columns.items())
                found.entries[k] = replace(before, columns={**entry.columns, **before.columns})
        if not n_found:
            found.said.append(f"{text}: no sound files in it")
        if n_other:
            found.said.append(f"{text}: rows that list a file again, otherwise: {n_other}; the first counts")
    if not found.entries:
        got = "; ".join(found.said) or f"{len(texts)} sources without one"
        raise SourceError(f"scan: expected sound files, got none: {got:.300}")
    return found


def _entries(source: str, allowed: remote.Stores, said: list[str]) -> Iterator[Entry]:
    if remote.is_url(source):
        for path, size, version in remote.find(source, said):
            yield Entry(path, size, version)
    elif _is_table(source):
        for path, columns in manifests.read(source, said):
            if remote.is_url(path) and not allowed.have(path):
                raise SourceError(
                    f"{source}: expected files, and URLs of stores that are among the sources, got "
                    f"{path!r:.200}; if you trust the table, add --store {allowed.name_of(path):.200} (in "
                    "Python, stores=)"
                )
            yield entry_of(found_as(path), columns)
    else:
        for path in _paths(source, said):
            yield entry_of(path)


def _is_table(source: str) -> bool:
    return Path(source).suffix.lower() in manifests.SUFFIXES and not os.path.isdir(source)  # noqa: PTH112


def _paths(source: str, said: list[str]) -> Iterable[str]:
    """Return the files that a path means; paths stay as they are given, so this has no use for Path."""
    if os.path.isdir(source):  # noqa: PTH112
        found = find_audio(source)
        if line := found.line():
            said.append(f"{source}: {line}")
        return found.files
    if os.path.lexists(source):
        return [source]
    if glob.has_magic(source):
        return _once(sorted(filter(os.path.isfile, glob.iglob(source, recursive=True))))  # noqa: PTH207
    raise SourceError(
        f"scan: expected a file, a folder, a pattern or a URL, got {source!r:.300}, which isn't there"
    )


def _once(paths: list[str]) -> list[str]:
    """Return paths without those that links to folders name again, as one to a folder above does for ever."""
    named: dict[str, str] = {}  # each real folder's shortest name
    real: dict[str, str] = {}
    for folder in sorted({os.path.dirname(path) for path in paths}, key=lambda name: (len(name), name)):  # noqa: PTH120
        real[folder] = os.path.realpath(folder)
        named.setdefault(real[folder], folder)
    return [path for path in paths if named[real[own := os.path.dirname(path)]] == own]  # noqa: PTH120


def _absolute(path: str) -> str:
    return os.path.abspath(path)  # noqa: PTH100  # links stay


def entry_of(path: str, columns: Mapping[str, str | None] | None = None) -> Entry:
    """Return a file's entry; one that can't be looked at fails when it is run over. No store is asked."""
    check_interrupt()
    if remote.is_url(path):
        return Entry(path, columns=columns or {})
    try:
        status = os.stat(path)  # noqa: PTH116
    except (OSError, ValueError):
        return Entry(path, columns=columns or {})
    return Entry(path, status.st_size, str(status.st_mtime_ns), columns or {})
