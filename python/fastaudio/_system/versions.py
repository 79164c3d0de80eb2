"""Versions of what is installed and in use, for bug reports."""

from __future__ import annotations

import platform
import sys

from fastaudio import _core

_PACKAGES = ("numpy", "onnxruntime", "soundfile", "tqdm")
_OF_EXTRAS = ("av", "librosa", "matplotlib", "onnx", "pyarrow", "scikit-learn", "sounddevice", "uvicorn")


def versions() -> dict[str, str]:
    """Return the versions, the instruction set, ONNX Runtime's library and its providers, by name."""
    found = {
        "fastaudio": _core.__version__,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "instruction set": _core.isa(),
    }
    found |= {package: _installed(package) for package in (*_PACKAGES, *_OF_EXTRAS)}
    try:
        import soundfile  # noqa: PLC0415  # loads libsndfile, so only when needed

        found["libsndfile"] = soundfile.__libsndfile_version__
    except (ImportError, OSError) as error:
        found["libsndfile"] = f"not usable: {error}"
    try:
        runtime = _core.onnxruntime_info()
        found["ONNX Runtime"] = f"{runtime['version']}, {runtime['library']}"
        found["providers"] = ", ".join(runtime["providers"])
    except _core.ModelError as error:
        found["ONNX Runtime"] = f"not usable: {error}"
    return found


def _installed(package: str) -> str:
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415  # it loads 30 modules

    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def format_versions() -> str:
    """Return `versions()` as aligned lines."""
    found = versions()
    width = max(map(len, found))
    return "".join(f"{name:<{width}}  {value}\n" for name, value in found.items())


def show_versions() -> None:
    """Print to stdout what a bug report needs."""
    sys.stdout.write(format_versions())
