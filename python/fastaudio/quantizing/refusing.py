"""What can't be had, in words; and the packages that are needed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from fastaudio._core import FastaudioError
from fastaudio._system.extras import require

if TYPE_CHECKING:
    from collections.abc import Mapping


class QuantizeError(FastaudioError, ValueError):
    """A pipeline that can't be quantized, or sounds that it can't be quantized with.

    Attributes:
        failed: why sounds were left out, by path.
    """

    def __init__(self, message: str, failed: Mapping[str, str] | None = None) -> None:
        """Keep the message, and what was left out."""
        super().__init__(message)
        self.failed: dict[str, str] = dict(failed or {})


class NothingWon(QuantizeError):  # noqa: N818  # named for what was found
    """Nothing was both within the bound and faster on this processor."""


def package(name: str) -> Any:
    """Import and return a module of onnx or onnxruntime; MissingExtra without it."""
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # it is read when the package starts
    return require(name, extra="quantize", what="quantize")
