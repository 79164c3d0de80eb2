"""A folder's sound files are all found, once each, and what is left out is said."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest
from fastaudio.decoding.folders import SUFFIXES, Found, find_audio

if TYPE_CHECKING:
    from pathlib import Path


no_links = pytest.mark.skipif(sys.platform == "win32", reason="links and pipes want rights on Windows")


def make(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def names_in(folder: Path) -> list[str]:
    return [os.path.relpath(path, folder) for path in find_audio(folder).files]


def test_every_suffix_of_sound_is_taken_whether_it_decodes_here_or_not(tmp_path: Path) -> None:
    names = [f"a.{suffix}" for suffix in SUFFIXES] + ["B.WAV", "deep/er/c.M4A"]
    make(tmp_path, *names)
    assert names_in(tmp_path) == sorted(names)
    assert find_audio(tmp_path).line() is None


@pytest.mark.parametrize(
    "suffix", ["sph", "aifc", "mp2", "snd", "iff", "8svx", "sf", "bwf", "mpga", "m4a", "wma"]
)
def test_suffixes_that_are_no_names_of_formats_are_known(suffix: str) -> None:
    assert suffix in SUFFIXES


def test_one_line_says_what_was_skipped_and_why(tmp_path: Path) -> None:
    make(tmp_path, "a.wav", "1.txt", "2.txt", "b/3.TXT", "b/x.jpg", "b/README")
    assert find_audio(tmp_path).line() == "skipped 5 files: 3 .txt, 1 .jpg, 1 without a suffix (not sound)"
    make(tmp_path, "._a.wav", ".git/b.wav", ".DS_Store")
    assert names_in(tmp_path) == ["a.wav"]
    assert "hidden" not in str(find_audio(tmp_path).line())
    make(tmp_path, ".take.wav")
    assert "1 .wav (hidden)" in str(find_audio(tmp_path).line())


def test_the_line_stays_short(tmp_path: Path) -> None:
    make(tmp_path, *(f"a.x{i}" for i in range(200)))
    line = str(find_audio(tmp_path).line())
    assert "194 others (not sound)" in line
    assert len(line) < 120


@no_links
def test_links_are_followed_and_a_loop_ends(tmp_path: Path) -> None:
    make(tmp_path, "top/dog/a.wav", "elsewhere/b.wav", "elsewhere/deep/c.wav")
    (tmp_path / "top" / "cat").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    (tmp_path / "top" / "one.wav").symlink_to(tmp_path / "elsewhere" / "b.wav")
    (tmp_path / "elsewhere" / "deep" / "up").symlink_to(tmp_path / "top", target_is_directory=True)
    (tmp_path / "top" / "a_link").symlink_to(tmp_path / "top" / "dog", target_is_directory=True)
    (tmp_path / "top" / "gone.wav").symlink_to(tmp_path / "nothing.wav")
    (tmp_path / "top" / "self.wav").symlink_to(tmp_path / "top" / "self.wav")
    top = tmp_path / "top"
    assert names_in(top) == ["cat/b.wav", "cat/deep/c.wav", "dog/a.wav", "one.wav"]
    line = str(find_audio(top).line())
    assert "2 folder (link to a folder that is searched already)" in line
    assert "1 .wav (broken link)" in line
    assert len(find_audio(top).skipped) == 4


def test_a_file_without_a_suffix_is_taken_if_it_begins_as_sound(tmp_path: Path) -> None:
    (tmp_path / "take1").write_bytes(b"RIFF\0\0\0\0WAVEfmt ")
    (tmp_path / "README").write_bytes(b"words")
    assert names_in(tmp_path) == ["take1"]


@no_links
def test_what_is_no_file_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.wav")
    assert find_audio(tmp_path).line() == "skipped 1 file: 1 .wav (not a file)"


def test_a_folder_that_cannot_be_opened_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, "a.wav", "shut/b.wav")
    scandir = os.scandir

    def refuse(path: str) -> object:
        if path.endswith("shut"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    assert names_in(tmp_path) == ["a.wav"]
    assert find_audio(tmp_path).line() == "skipped 1 folder: 1 folder (permission denied)"


def test_a_name_that_is_not_utf_8_is_found(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9.wav")
    try:
        make(tmp_path, name)
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    assert names_in(tmp_path) == [name]


def test_nothing_found_is_nothing_said() -> None:
    assert Found().line() is None
