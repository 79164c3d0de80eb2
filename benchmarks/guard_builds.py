"""Builds commits for guard.py, each one once, and no more of them than differs."""

from __future__ import annotations

import compileall
import hashlib
import importlib.util
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tomllib
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_ROOT = Path(__file__).resolve().parents[1]
_BUILDS = _ROOT / "build" / "guard"
_BUILT_BY = ("CMAKE_ARGS", "SKBUILD_CMAKE_ARGS", "SKBUILD_CMAKE_DEFINE", "CC", "CXX", "CXXFLAGS", "LDFLAGS")
_NATIVE = ("cpp", "CMakeLists.txt")
_PYTHON, _MODELS = "python/fastaudio", "models"


class NotBuiltError(Exception):
    """A commit can't be built."""


def both(base: str, head: str, installed: Path | None = None) -> tuple[Path, Path] | None:
    """Return the folders with the packages of two commits; None if these don't differ in what is compared.

    Where both have the same C++, base isn't built: its package is head's extension with base's other files.

    Args:
        base: a commit, or a folder as for `built`.
        head: the same.
        installed: a folder where head is installed already, as it is in the gate.

    Raises:
        NotBuiltError: a commit can't be built.
        SystemExit: there is no such commit.
    """
    if _is_package(Path(base)) or _is_package(Path(head)):
        return built(base), built(head)
    shas = sha_of(base), sha_of(head)
    same_native = _native(shas[0]) == _native(shas[1])
    if same_native and _git("diff", "--name-only", *shas, "--", *_files()) == b"":
        return None
    like = installed.resolve() if installed else built(head)
    return (_borrowed(shas[0], like) if same_native else built(base)), like


def built(commit: str) -> Path:
    """Return the folder with the package of a commit, which is built if it isn't there; or a folder as given.

    A commit is built once for each set of what decides how: options, compiler and Python.

    Raises:
        NotBuiltError: the commit can't be built.
        SystemExit: there is no such commit.
    """
    if _is_package(Path(commit)):
        return Path(commit).resolve()
    sha = sha_of(commit)
    package = _BUILDS / name_of_build(sha)
    with _alone(_BUILDS / "lock"):
        if not package.is_dir():
            print(f"guard: building {commit} ({sha[:10]})", file=sys.stderr, flush=True)
            _build(commit, sha, package)
    return package


def sha_of(commit: str) -> str:
    """Return the full name of a commit.

    Raises:
        SystemExit: there is no such commit.
    """
    asked = subprocess.run(
        ["git", "rev-parse", "--verify", "--quiet", f"{commit}^{{commit}}"],
        cwd=_ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if asked.returncode != 0:
        print(f"guard: expected a commit or a folder with fastaudio, got {commit!r}", file=sys.stderr)
        raise SystemExit(2)
    return asked.stdout.strip()


def name_of_build(sha: str) -> str:
    """Return the name of a commit's build: another one for other options, another compiler or Python."""
    by = [sys.version, *(f"{name}={os.environ.get(name, '')}" for name in _BUILT_BY)]
    digest = hashlib.sha256("\n".join(by).encode()).hexdigest()
    return f"{sha}-{digest[:12]}"


def _is_package(folder: Path) -> bool:
    return (folder / "fastaudio" / "__init__.py").is_file()


def _git(*words: str) -> bytes:
    return subprocess.run(["git", *words], cwd=_ROOT, capture_output=True, check=True).stdout


def _files() -> tuple[str, ...]:
    """Return what a package has besides its extension, as paths for git."""
    return _PYTHON, _MODELS, f":(exclude){_MODELS}/recipes"


def _native(sha: str) -> str:
    """Return what decides how a commit's extension comes out."""
    project = tomllib.loads(_git("show", f"{sha}:pyproject.toml").decode())
    how = [project.get("build-system"), project.get("tool", {}).get("scikit-build")]
    return json.dumps(how, sort_keys=True) + _git("ls-tree", sha, "--", *_NATIVE).decode()


def _borrowed(sha: str, like: Path) -> Path:
    """Make a package of a commit's Python files and models, and another build's extension."""
    package = _BUILDS / "borrowed"
    with _alone(_BUILDS / "lock"):
        shutil.rmtree(package, ignore_errors=True)
        with tarfile.open(fileobj=io.BytesIO(_git("archive", sha, *_files()))) as archive:
            archive.extractall(package, filter="data")
        (package / _PYTHON).rename(package / "fastaudio")
        (package / _MODELS).rename(package / "fastaudio" / "_models")
        for built_file in (like / "fastaudio").glob("_core.*"):
            if not (package / "fastaudio" / built_file.name).exists():
                shutil.copy2(built_file, package / "fastaudio")
        compileall.compile_dir(package, quiet=2)  # as pip does: else each import would do it
    return package


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
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
    if all(importlib.util.find_spec(name) for name in ("scikit_build_core", "pybind11")):
        pip.append("--no-build-isolation")
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
