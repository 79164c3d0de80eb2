"""What can't be had, in words; and the packages that are needed."""

from __future__ import annotations

import os
from typing import Any

from fastaudio._core import FastaudioError
from fastaudio._system.extras import require


class QuantizeError(FastaudioError, ValueError):
    """A pipeline that can't be quantized, or sounds that it can't be quantized with."""


class NothingWon(QuantizeError):  # noqa: N818  # named for what was found
    """Nothing was both within the bound and faster on this processor."""


def package(name: str) -> Any:
    """Import and return a module of onnx or onnxruntime; MissingExtra without it."""
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # it is read when the package starts
    return require(name, extra="quantize", what="quantize")
