"""Build the wheel and the source distribution twice, in two folders, and compare them bit for bit.

    python tools/reproducible.py                two builds; about 10 minutes of processor time
    python tools/reproducible.py --sdist        of the source distribution alone; seconds
    python tools/reproducible.py --compare A B  no build: two wheels or source distributions that are there

It builds what is committed, without ccache, with the commit's time as SOURCE_DATE_EPOCH, as releases are
built. Its wheel is made by this machine's compiler: it shows that a build depends on nothing but the sources
and the tools, and isn't the wheel of a release, which cibuildwheel makes and repairs in a container. To
compare with that, run `.ci/wheels` for the same Python, and then `--compare`.

Exit status: 0 if the bits are the same, else 1, after a list of what differs; 2 if they can't be compared.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
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
    parser.add_argument("--compare", nargs=2, type=Path, metavar=("A", "B"), help="two files that are there")
    args = parser.parse_args()
    try:
        built = (
            [_read(path) for path in args.compare] if args.compare else _build_twice(sdist_only=args.sdist)
        )
        differences = compare(*built)
    except subprocess.CalledProcessError as error:
        said = (error.stderr or b"its messages are above").decode(errors="replace").strip()
        return _fail(f"expected {' '.join(error.cmd[:4])} to succeed, got status {error.returncode}: {said}")
    except OSError as error:
        return _fail(f"expected a file that can be read, got {error}")
    except (tarfile.TarError, zipfile.BadZipFile) as error:
        return _fail(
            f"expected two wheels or two source distributions, got another file: {str(error).splitlines()[0]}"
        )
    if differences:
        sys.stdout.write("".join(f"differs: {line}\n" for line in differences[:_MOST_SHOWN]))
        return 1
    sys.stdout.write("twice the same bits\n")
    return 0


def _fail(reason: str) -> int:
    sys.stderr.write(f"tools/reproducible.py: {reason}\n")
    return 2


def _read(path: Path) -> dict[str, bytes]:
    """Return a file by its name."""
    return {path.name: path.read_bytes()}


def _build_twice(*, sdist_only: bool) -> list[dict[str, bytes]]:
    """Build what is committed in two folders; return the files by their names."""
    if importlib.util.find_spec("build") is None:
        raise SystemExit(_fail("expected the package build, got none; pip install build"))
    git = ["git", "-C", str(ROOT)]
    epoch = subprocess.run([*git, "log", "-1", "--format=%ct"], check=True, capture_output=True)
    sources = subprocess.run([*git, "archive", "HEAD"], check=True, capture_output=True).stdout
    environment = os.environ | {"SOURCE_DATE_EPOCH": epoch.stdout.decode().strip(), "CCACHE_DISABLE": "1"}
    with tempfile.TemporaryDirectory() as folder:
        # Names of different lengths, since a path of another length moves all that follows it.
        places = [Path(folder, name) for name in ("a", "a longer name of a folder")]
        return [_build(place, sources, environment, sdist_only=sdist_only) for place in places]


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
