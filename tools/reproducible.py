"""Build the wheel and the source distribution twice, in two folders, and compare them bit for bit.

    python tools/reproducible.py            about 10 minutes of processor time
    python tools/reproducible.py --sdist    the source distribution alone, seconds

It builds what is committed, without ccache, with the commit's time as SOURCE_DATE_EPOCH, as releases are
built. Exit status: 0 if the bits are the same, else 1, after a list of what differs.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import os
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_MOST_SHOWN = 20


def main() -> int:
    """Build twice, compare, and return the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sdist", action="store_true", help="the source distribution alone")
    args = parser.parse_args()
    git = ["git", "-C", str(ROOT)]
    epoch = subprocess.run([*git, "log", "-1", "--format=%ct"], check=True, capture_output=True, text=True)
    sources = subprocess.run([*git, "archive", "HEAD"], check=True, capture_output=True).stdout
    environment = os.environ | {"SOURCE_DATE_EPOCH": epoch.stdout.strip(), "CCACHE_DISABLE": "1"}
    with tempfile.TemporaryDirectory() as folder:
        # Names of different lengths, since a path of another length moves all that follows it.
        places = [Path(folder, name) for name in ("a", "a longer name of a folder")]
        built = [_build(place, sources, environment, sdist_only=args.sdist) for place in places]
        differences = compare(*built)
    if differences:
        sys.stdout.write("".join(f"differs: {line}\n" for line in differences[:_MOST_SHOWN]))
        return 1
    sys.stdout.write("twice the same bits\n")
    return 0


def _build(place: Path, sources: bytes, environment: dict[str, str], *, sdist_only: bool) -> dict[str, bytes]:
    """Build in a new folder; return the files by their names."""
    place.mkdir()
    with tarfile.open(fileobj=io.BytesIO(sources)) as archive:
        archive.extractall(place / "src", filter="data")
    python = [sys.executable, "-m"]
    calls = [[*python, "build", "--sdist", "--outdir", str(place / "out"), "."]]
    if not sdist_only:
        calls.append(
            [*python, "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(place / "out"), "."]
        )
    for call in calls:
        subprocess.run(call, cwd=place / "src", env=environment, check=True, stdout=sys.stderr)
    return {path.name: path.read_bytes() for path in sorted((place / "out").iterdir())}


def compare(one: dict[str, bytes], other: dict[str, bytes]) -> list[str]:
    """Return a line for each file, member of an archive, or header of one that differs."""
    lines = [f"{name}: only in one build" for name in sorted(one.keys() ^ other.keys())]
    for name in sorted(one.keys() & other.keys()):
        if one[name] == other[name]:
            sys.stdout.write(f"{hashlib.sha256(one[name]).hexdigest()}  {name}\n")
            continue
        members = [_members(name, content) for content in (one[name], other[name])]
        lines += [f"{name}: {line}" for line in _compare_members(*members)] or [f"{name}: how it is packed"]
    return lines


def _members(name: str, content: bytes) -> dict[str, tuple[object, bytes]]:
    """Return what an archive says of each member, and the member itself, in its order."""
    if name.endswith(".whl"):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return {
                each.filename: ((each.date_time, each.external_attr, each.compress_type), archive.read(each))
                for each in archive.infolist()
            }
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        return {
            each.name: (
                (each.mtime, each.mode, each.uid, each.gid, each.uname, each.gname),
                held.read() if (held := archive.extractfile(each)) else b"",
            )
            for each in archive
        }


def _compare_members(
    one: dict[str, tuple[object, bytes]], other: dict[str, tuple[object, bytes]]
) -> list[str]:
    lines = [f"{name}: only in one build" for name in sorted(one.keys() ^ other.keys())]
    if not lines and list(one) != list(other):
        lines.append("the order of its files")
    for name in sorted(one.keys() & other.keys()):
        if one[name][0] != other[name][0]:
            lines.append(f"{name}: {one[name][0]} against {other[name][0]}")
        a, b = one[name][1], other[name][1]
        if a != b:
            at = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
            near = slice(max(0, at - 40), at + 40)
            lines.append(f"{name}: from byte {at} on: {a[near]!r} against {b[near]!r}")
    return lines


if __name__ == "__main__":
    sys.exit(main())
