"""Print what the package needs, a line each, as pyproject.toml has it.

Without options it is what is needed at run time, with all extras for users, and pybind11, which is compiled
in. `.ci/supply-chain` audits and bills it.
"""

from __future__ import annotations

import argparse
import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OURS = {"test", "lint", "dev", "bench", "recipes", "docs"}  # extras that nobody who uses the package needs


def main() -> None:
    """Print the lines."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--no-extras", action="store_true", help="without the extras")
    parser.add_argument("--lowest", action="store_true", help="each at its lowest version")
    args = parser.parse_args()
    lines = run_time() + ([] if args.no_extras else [line for each in extras().values() for line in each])
    lines = list(dict.fromkeys(lines))
    sys.stdout.write("".join(f"{line}\n" for line in (lowest(lines) if args.lowest else lines)))


def run_time() -> list[str]:
    """Return what is needed without extras, and pybind11, which is compiled into the extension."""
    data = _project()
    built = [line for line in data["build-system"]["requires"] if line.startswith("pybind11")]
    return [*data["project"]["dependencies"], *built]


def extras() -> dict[str, list[str]]:
    """Return what each extra for users needs, by the extra's name."""
    found: dict[str, list[str]] = _project()["project"]["optional-dependencies"]
    return {name: lines for name, lines in found.items() if name not in OURS}


def lowest(lines: list[str]) -> list[str]:
    """Return the lines with the lowest version of each, in three parts: `>=2` is `==2.0.0`.

    Of a package that has two bounds the higher one is taken, as by an installer.
    """
    found: dict[str, tuple[int, ...]] = {}
    for line in lines:
        match = re.fullmatch(r"([\w.-]+)>=(\d+(?:\.\d+)*)", line)
        if match is None:
            raise SystemExit(f"pyproject.toml: expected each requirement like 'name>=1.2', got {line!r}")
        parts = [int(part) for part in match[2].split(".")]
        version = tuple(parts + [0] * (3 - len(parts)))
        found[match[1]] = max(version, found.get(match[1], version))
    return [f"{name}=={'.'.join(map(str, version))}" for name, version in found.items()]


def _project() -> dict[str, dict[str, dict[str, list[str]]]]:
    data: dict[str, dict[str, dict[str, list[str]]]]
    data = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return data


if __name__ == "__main__":
    main()
