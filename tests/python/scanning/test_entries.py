"""What a scan runs over: each file once, with what a table says of it."""

from __future__ import annotations

import io
import json
import os
import zipfile
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile
from fastaudio import FastaudioError
from fastaudio.scanning.entries import Entry, SourceError, find_entries
from fastaudio.scanning.manifests import ManifestError
from fastaudio.scanning.networks import Chosen
from fastaudio.scanning.order import in_order
from fastaudio.scanning.remote import RemoteError
from fastaudio.scanning.scan import scan

if TYPE_CHECKING:
    from pathlib import Path

parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow isn't installed")


def files(folder: Path, *names: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(folder / name, np.zeros(1600), 16_000)
    return folder


def test_folders_patterns_and_files_give_each_file_once(tmp_path: Path) -> None:
    folder = files(tmp_path / "in", "a.wav", "deep/b.flac", "deep/er/c.wav")
    (folder / "notes.txt").write_text("no sound", encoding="utf-8")
    found = find_entries([folder / "a.wav", str(folder / "**" / "*.wav"), folder])
    assert [entry.path[len(str(folder)) + 1 :] for entry in found.entries] == [
        "a.wav",
        "deep/er/c.wav",
        "deep/b.flac",
    ]
    assert all(entry.size > 0 and entry.version for entry in found.entries)
    assert found.said == [f"{folder}: skipped 1 file: 1 .txt (not sound)"]


def test_a_file_that_several_sources_spell_otherwise_is_one_with_all_columns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = files(tmp_path / "in", "a.wav", "deep/b.wav")
    for name, row in (("one.csv", "path,site\na.wav,hill\n"), ("deep/two.csv", "path,n\n../a.wav,7\n")):
        (folder / name).write_text(row, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    found = find_entries(["in", folder / "one.csv", folder / "deep" / "two.csv", "in/./deep/b.wav"])
    assert {entry.path: dict(entry.columns) for entry in found.entries} == {
        "in/a.wav": {"site": "hill", "n": "7"},
        "in/deep/b.wav": {},
    }


def test_a_row_further_down_with_a_column_of_the_scan_is_refused(tmp_path: Path) -> None:
    folder = files(tmp_path / "in", "a.wav", "b.wav")
    table = folder / "list.jsonl"
    table.write_text('\ufeff{"path": "a.wav"}\n{"path": "b.wav", "size": 5}\n', encoding="utf-8")
    with pytest.raises(FastaudioError, match="got size in row 2; rename them"):
        find_entries([table])


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="it has no pipes")
def test_a_pipe_is_no_table_and_in_a_table_a_row_with_its_error(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "list.csv")
    with pytest.raises(FastaudioError, match="expected a file that lists files, got a pipe"):
        find_entries([tmp_path / "list.csv"])
    os.mkfifo(tmp_path / "a.wav")
    (tmp_path / "other.csv").write_text("path\na.wav\n", encoding="utf-8")
    assert scan([tmp_path / "other.csv"], tmp_path / "out", chosen=Chosen("silero-vad")).n_failed == 1


def test_a_pattern_follows_no_link_in_a_circle(tmp_path: Path) -> None:
    folder = files(tmp_path / "in", "a.wav", "deep/b.wav")
    (folder / "deep" / "loop").symlink_to(folder, target_is_directory=True)
    (folder / "also").symlink_to(tmp_path / "other", target_is_directory=True)
    files(tmp_path / "other", "c.wav")
    found = find_entries([str(folder / "**" / "*.wav")])
    assert [entry.path[len(str(folder)) + 1 :] for entry in found.entries] == [
        "a.wav",
        "also/c.wav",
        "deep/b.wav",
    ]


def test_a_source_without_files_is_said_beside_others(tmp_path: Path) -> None:
    folder, empty = files(tmp_path / "in", "a.wav"), tmp_path / "empty"
    empty.mkdir()
    pattern = str(tmp_path / "nights" / "*.wav")
    found = find_entries([folder, empty, pattern])
    assert len(found.entries) == 1
    assert found.said == [f"{empty}: no sound files in it", f"{pattern}: no sound files in it"]


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_a_table_lists_files_relative_to_itself_with_its_other_columns(tmp_path: Path, form: str) -> None:
    folder = files(tmp_path / "in", "a.wav", "deep/b.wav")
    rows = [
        {"path": "a.wav", "site": "näe", "n": 1},
        {"path": str(folder / "deep/b.wav"), "site": None, "n": 2},
    ]
    table = folder / f"list.{form}"
    if form == "csv":
        table.write_text(f"\ufeffpath,site,n\na.wav,näe,1\n{folder}/deep/b.wav,,2\n", encoding="utf-8")
    elif form == "jsonl":
        table.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    else:
        import pyarrow as pa

        parquet.write_table(pa.Table.from_pylist(rows), table)
    entries = find_entries([table]).entries
    assert [entry.path for entry in entries] == [str(folder / "a.wav"), str(folder / "deep/b.wav")]
    assert [entry.columns["n"] for entry in entries] == ["1", "2"]
    assert entries[0].columns["site"] == "näe"
    done = scan([table], tmp_path / "out", chosen=Chosen("silero-vad"))
    assert done.n_failed == 0
    held = {row["path"]: row for row in parquet.read_table(tmp_path / "out").to_pylist()}
    assert held[str(folder / "a.wav")]["site"] == "näe"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", "file\nx.wav\n"),
        ("a.csv", ""),
        ("a.csv", "path,error\nx.wav,none\n"),
        ("a.jsonl", "[1]\n"),
        ("a.jsonl", '{"path": \n'),
        ("a.parquet", "not a table"),
    ],
)
def test_a_table_that_cannot_be_read_is_an_error(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(ManifestError, match="expected"):
        find_entries([tmp_path / name])


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", "path,n\na.wav,1\n,\n\0,2\nb.wav,3\n"),
        ("a.jsonl", '{"path": "a.wav"}\n{"path": 3}\n{"n": 2}\n{"path": "b.wav"}\n'),
    ],
)
def test_rows_without_a_path_are_said_and_the_rest_are_read(tmp_path: Path, name: str, text: str) -> None:
    table = files(tmp_path, "a.wav", "b.wav") / name
    table.write_text(text, encoding="utf-8")
    found = find_entries([table])
    assert [entry.path for entry in found.entries] == [str(tmp_path / "a.wav"), str(tmp_path / "b.wav")]
    assert found.said == [f"{table}: rows without a path are left out: 2, 3"]
    table.write_text("path\n\0\n" if name == "a.csv" else '{"path": 3}\n', encoding="utf-8")
    with pytest.raises(SourceError, match=r"expected sound files, got none: .*without a path.*: 1"):
        find_entries([table])


def test_a_row_that_lists_a_file_again_otherwise_is_said_and_the_first_counts(tmp_path: Path) -> None:
    table = files(tmp_path, "a.wav") / "list.csv"
    table.write_text("path,site\na.wav,hill\na.wav,hill\na.wav,lake\n", encoding="utf-8")
    found = find_entries([table])
    assert [entry.columns["site"] for entry in found.entries] == ["hill"]
    assert found.said == [f"{table}: rows that list a file again, otherwise: 1; the first counts"]
    table.write_text(f"path,site,n\na.wav,,7\n./a.wav,,7\n{tmp_path}/a.wav\n", encoding="utf-8")
    found = find_entries([table])
    assert [entry.path for entry in found.entries] == [str(tmp_path / "a.wav")]
    assert found.said == [f"{table}: rows that list a file again, otherwise: 1; the first counts"], (
        "7 and none"
    )


def test_what_is_not_there_is_an_error_but_in_a_table_it_is_a_row(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="isn't there"):
        find_entries([tmp_path / "none"])
    with pytest.raises(SourceError, match="expected sound files"):
        find_entries([str(tmp_path / "*.wav")])
    (tmp_path / "list.csv").write_text("path\nnone.wav\n", encoding="utf-8")
    assert scan([tmp_path / "list.csv"], tmp_path / "out", chosen=Chosen("silero-vad")).n_failed == 1


def test_urls_are_listed_and_read_where_they_lie(tmp_path: Path) -> None:
    fsspec = pytest.importorskip("fsspec", reason="fsspec isn't installed")
    store = fsspec.filesystem("memory")
    content = io.BytesIO()
    soundfile.write(content, np.zeros(16_000), 16_000, format="WAV")
    for name in ("/night/a.wav", "/night/deep/b.wav", "/night/notes.txt"):
        store.pipe(name, content.getvalue())
    found = find_entries(["memory://night"])
    assert [entry.path for entry in found.entries] == ["memory://night/a.wav", "memory://night/deep/b.wav"]
    assert found.said == ["memory://night: skipped 1 files (not sound)"]
    assert [entry.path for entry in find_entries(["memory://night/*.wav"]).entries] == [
        "memory://night/a.wav"
    ]
    local = files(tmp_path / "in", "a.wav")
    done = scan(["memory://night", f"file://{local}"], tmp_path / "out", chosen=Chosen("silero-vad"))
    assert (done.n_done, done.n_failed) == (3, 0)
    assert scan(["memory://night"], tmp_path / "out", chosen=Chosen("silero-vad")).n_done == 0
    store.pipe("/night/a.wav", content.getvalue()[:-2])
    assert scan(["memory://night"], tmp_path / "out", chosen=Chosen("silero-vad")).n_done == 1
    for url in ("nosuch://a/b", "memory://none.wav"):
        with pytest.raises(RemoteError, match="expected"):
            find_entries([url])


def test_the_host_and_the_archive_of_a_url_stay_in_its_files_urls(tmp_path: Path) -> None:
    fsspec = pytest.importorskip("fsspec", reason="fsspec isn't installed")
    from fsspec.implementations.memory import MemoryFileSystem

    class Hosted(MemoryFileSystem):  # as SFTP, whose own paths lack the host
        protocol = "hosted"

        @classmethod
        def _strip_protocol(cls, path: str) -> str:
            rest = path.removeprefix("hosted://")
            return (f"/{rest.partition('/')[2]}" if rest != path else path).rstrip("/")

    fsspec.register_implementation("hosted", Hosted, clobber=True)
    Hosted().pipe("/calls/a.wav", b"RIFF")
    for url in ("hosted://me@host/calls", "hosted://me@host/calls/", "hosted://me@host/calls/*.wav"):
        assert [entry.path for entry in find_entries([url]).entries] == ["hosted://me@host/calls/a.wav"]
    assert [entry.path for entry in find_entries(["hosted://host/calls/a.wav"]).entries] == [
        "hosted://host/calls/a.wav"
    ]
    folder = files(tmp_path / "in", "a.wav", "b.wav")
    with zipfile.ZipFile(tmp_path / "night.zip", "w") as archive:
        archive.write(folder / "a.wav", "a.wav")
        archive.write(folder / "b.wav", "deep/b.wav")
    for inner, names in (("*.wav", ["a.wav"]), ("deep/b.wav", ["deep/b.wav"]), ("", ["a.wav", "deep/b.wav"])):
        found = find_entries([f"zip://{inner}::file://{tmp_path}/night.zip"])
        assert [entry.path for entry in found.entries] == [
            f"zip://{name}::file://{tmp_path}/night.zip" for name in names
        ]
    done = scan([f"zip://::file://{tmp_path}/night.zip"], tmp_path / "out", chosen=Chosen("silero-vad"))
    assert (done.n_done, done.n_failed) == (2, 0)


def test_the_largest_come_first_and_one_above_a_cores_share_gets_all_cores() -> None:
    entries = [Entry(str(size), size) for size in (1, 50, 3, 900, 2, 40, -1)]
    wide, others = in_order(entries, 2)
    assert [entry.size for entry in wide] == [900, 50, 40]
    assert [entry.size for entry in others] == [3, 2, 1, -1]
    assert in_order(entries, 1)[0] == []
