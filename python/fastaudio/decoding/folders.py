"""Folders: which of the files in them are sound, and what was left out."""

from __future__ import annotations

import os
import stat
from collections import Counter
from dataclasses import dataclass, field
from typing import TypeAlias

from fastaudio.decoding.sources import said

PathLike: TypeAlias = "str | os.PathLike[str]"

_DECODED_ALWAYS = """
    8svx aif aifc aiff al au avr bwf caf flac gsm htk iff ircam mat mat4 mat5 mp1 mp2 mp3 mpa mpc2k mpga
    nist oga ogg ogx opus paf pvf rf64 rifx sd2 sds sf snd sph svx ul voc vox w64 wav wave wavex wve xi
"""
_DECODED_WITH_AV = """
    3g2 3ga 3gp 3gpp aa3 aac ac3 adts adx aea amr ape aptx asf at3 avi awb dff dsf dts dtshd eac3 ec3 f4a
    f4v flv latm loas m2ts m4a m4b m4p m4r m4v mka mkv mlp mov mp+ mp4 mpc mpeg mpg mpp mts nut ofr ogm ogv
    oma qcp qt ra rm rmvb spx tak thd tta vob vqf weba webm wma wmv wv xwma
"""
SUFFIXES_WITH_AV = frozenset(_DECODED_WITH_AV.split())
SUFFIXES = frozenset(_DECODED_ALWAYS.split()) | SUFFIXES_WITH_AV
"""What names of sound files end with, in lower case; such a file that can't be decoded fails by its name."""

_HEAD = 16
# What a sound file begins with, for files without a suffix; MP3 without tags can't be told from other data.
_MAGIC = (
    *(b"RIFF", b"RIFX", b"RF64", b"BW64", b"riff", b"FORM", b"OggS", b"fLaC", b"ID3", b".snd", b"dns."),
    *(
        b"caff",
        b"NIST",
        b"Creative Voice",
        b"\x1a\x45\xdf\xa3",
        b"\x30\x26\xb2\x75",
        b"#!AMR",
        b"wvpk",
        b"MAC ",
    ),
)
_MAX_KINDS = 6


@dataclass(frozen=True)
class Found:
    """What a folder holds.

    Attributes:
        files: paths of the sound files, sorted.
        skipped: why each other entry was left out, by path; the path of a folder ends with a separator.
    """

    files: list[str] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)

    def line(self) -> str | None:
        """Return one line that says what was skipped and why, or None if nothing was."""
        if not self.skipped:
            return None
        kinds: dict[str, Counter[str]] = {}
        for path, reason in self.skipped.items():
            kinds.setdefault(reason, Counter())[_kind(path)] += 1
        parts = [f"{_listed(counter)} ({reason})" for reason, counter in kinds.items()]
        n_folders = sum(path.endswith(os.sep) for path in self.skipped)
        counts = (_count(len(self.skipped) - n_folders, "file"), _count(n_folders, "folder"))
        return f"skipped {' and '.join(filter(None, counts))}: {', '.join(parts)}"


def find_audio(folder: PathLike) -> Found:
    """Return the sound files in a folder and in all folders below it.

    A file is sound if its suffix is one that sound files have, whether or not it can be decoded here; a file
    without a suffix is sound if it begins as a sound file does. Links are followed, and a folder that is
    reached twice is searched once, under its own name if it has one here. Hidden folders aren't searched.
    """
    found = Found()
    seen: set[tuple[int, int]] = set()
    folders, links = [os.fspath(folder)], list[str]()
    while folders or links:
        # Links wait until all real folders are searched, so that a folder keeps its own name.
        path = folders.pop() if folders else links.pop(0)
        try:
            info = os.stat(path)  # noqa: PTH116
            if (info.st_dev, info.st_ino) in seen:
                found.skipped[_as_folder(path)] = "link to a folder that is searched already"
                continue
            seen.add((info.st_dev, info.st_ino))
            entries = sorted(os.scandir(path), key=lambda entry: entry.name)
        except OSError as error:
            found.skipped[_as_folder(path)] = said(error)
            continue
        for entry in entries:
            if not _is_folder(entry):
                reason = _why_not(entry)
                if reason is None:
                    found.files.append(entry.path)
                elif reason:
                    found.skipped[entry.path] = reason
            elif not entry.name.startswith("."):
                (links if entry.is_symlink() else folders).append(entry.path)
    found.files.sort()
    return found


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _why_not(entry: os.DirEntry[str]) -> str | None:
    """Return why a file is left out: "" if that goes without saying; None for sound."""
    suffix = _suffix(entry.name)
    hidden = entry.name.startswith(".")
    try:
        mode = entry.stat().st_mode
        if hidden:
            return "hidden" if suffix in SUFFIXES and not entry.name.startswith("._") else ""
        if not stat.S_ISREG(mode):
            return "not a file"
        sound = suffix in SUFFIXES if suffix else _begins_as_sound(entry.path)
    except FileNotFoundError:
        return "" if hidden else "broken link"
    except OSError as error:  # such as a link that leads to itself
        return said(error)
    return None if sound else "not sound"


def _begins_as_sound(path: str) -> bool:
    with open(path, "rb") as file:  # noqa: PTH123
        return file.read(_HEAD).startswith(_MAGIC)


def _suffix(name: str) -> str:
    return os.path.splitext(name)[1][1:].lower()  # noqa: PTH122


def _as_folder(path: str) -> str:
    return os.path.join(path, "")  # noqa: PTH118


def _kind(path: str) -> str:
    if path.endswith(os.sep):
        return "folder"
    suffix = _suffix(os.path.basename(path))  # noqa: PTH119
    return f".{suffix}" if suffix else "without a suffix"


def _listed(counter: Counter[str]) -> str:
    """Return counted kinds, the most frequent first; rare ones are lumped together."""
    kinds = sorted(counter.items(), key=lambda item: (-item[1], item[0]))
    shown = [f"{n} {kind}" for kind, n in kinds[:_MAX_KINDS]]
    rest = sum(n for _, n in kinds[_MAX_KINDS:])
    return ", ".join(shown + ([f"{rest} others"] if rest else []))


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}{'s' if n > 1 else ''}" if n else ""
