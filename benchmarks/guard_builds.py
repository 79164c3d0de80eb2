"""Builds commits for guard.py, each one once."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_ROOT = Path(__file__).resolve().parents[1]
_BUILDS = _ROOT / "build" / "guard"
_BUILT_BY = ("CMAKE_ARGS", "SKBUILD_CMAKE_ARGS", "SKBUILD_CMAKE_DEFINE", "CC", "CXX", "CXXFLAGS", "LDFLAGS")


class NotBuiltError(Exception):
    """A commit can't be built."""


def built(commit: str) -> Path:
    """Return the folder with the package of a commit, which is built if it isn't there; or a folder as given.

    A commit is built once for each set of what decides how: options, compiler and Python.

    Raises:
        NotBuiltError: the commit can't be built.
        SystemExit: there is no such commit.
    """
    if (Path(commit) / "fastaudio" / "__init__.py").is_file():
        return Path(commit).resolve()
    asked = subprocess.run(
        ["git", "rev-parse", "--verify", "--quiet", f"{commit}^{{commit}}"],
        cwd=_ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if asked.returncode != 0:
        print(f"guard: expected a commit or a folder with fastaudio, got {commit!r}", file=sys.stderr)
        raise SystemExit(2)
    sha = asked.stdout.strip()
    package = _BUILDS / name_of_build(sha)
    with _alone(_BUILDS / "lock"):
        if not package.is_dir():
            print(f"guard: building {commit} ({sha[:10]})", file=sys.stderr, flush=True)
            _build(commit, sha, package)
    return package


def name_of_build(sha: str) -> str:
    """Return the name of a commit's build: another one for other options, another compiler or Python."""
    by = [sys.version, *(f"{name}={os.environ.get(name, '')}" for name in _BUILT_BY)]
    digest = hashlib.sha256("\n".join(by).encode()).hexdigest()
    return f"{sha}-{digest[:12]}"


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Wait until no other process builds: there is one place for sources."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as file:
        try:
            import fcntl
        except ImportError:  # Windows
            yield
        else:
            fcntl.flock(file, fcntl.LOCK_EX)  # let go when the process ends, however it does
            yield


def _build(commit: str, sha: str, package: Path) -> None:
    tree = _BUILDS / "sources"  # one place for all, so that ccache knows what didn't change
    environment = dict(os.environ)
    if shutil.which("ccache"):
        environment["CMAKE_CXX_COMPILER_LAUNCHER"] = "ccache"
    part = _BUILDS / f"{package.name}-part"
    shutil.rmtree(part, ignore_errors=True)
    _drop(tree)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
    try:
        subprocess.run(["git", "worktree", "add", "--quiet", "--detach", tree, sha], cwd=_ROOT, check=True)
        subprocess.run([*pip, "--target", part, tree], env=environment, check=True)
    except subprocess.CalledProcessError as error:
        message = f"guard: expected {commit} to build, got exit status {error.returncode}"
        raise NotBuiltError(message) from None
    finally:
        _drop(tree)
    part.rename(package)


def _drop(tree: Path) -> None:
    """Remove a worktree, if it is there."""
    for words in (["remove", "--force", tree], ["prune"]):
        subprocess.run(["git", "worktree", *words], cwd=_ROOT, check=False, stderr=subprocess.DEVNULL)
