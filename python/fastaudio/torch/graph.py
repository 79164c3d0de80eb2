"""Writing a module as ONNX by PyTorch's exporters: the plain one first, the newer one for what it refuses."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import torch

from fastaudio._core import ModelError
from fastaudio.heads.extras import require
from fastaudio.torch.module import told
from fastaudio.torch.outputs import ROWS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

Exporter: TypeAlias = Literal["script", "dynamo"]

EXPORTERS: tuple[Exporter, ...] = ("script", "dynamo")
"""In the order in which they are tried. The first traces one run, takes a second, and gives the plainer
graph; the second reads the program, takes ten times as long or more, and knows operators that the first
doesn't, such as complex numbers."""

_PRINTS = "_jit_onnx_log"

LEAST_OPSET: dict[Exporter, int] = {"script": 9, "dynamo": 18}


def write(
    net: torch.nn.Module,
    example: torch.Tensor,
    path: Path,
    *,
    outputs: Sequence[str],
    exporter: Exporter,
    opset: int,
    batches: bool,
) -> tuple[int, bool]:
    """Write a network as one ONNX file; return its opset, and whether a trace took numbers for constants.

    Args:
        net: takes a tensor of rows, and returns a tuple of tensors.
        example: rows; the batch is their first axis.
        path: the file.
        outputs: names of the tensors.
        exporter: one of `EXPORTERS`.
        opset: of the graph; `dynamo` knows 18 and later only, and takes 18 for less.
        batches: whether the number of rows stays open.

    Raises:
        ModelError: the exporter refuses the module, or what it wrote doesn't fit into one file.
        MissingExtra: a package isn't installed that the exporter needs.
    """
    opset = max(opset, LEAST_OPSET[exporter])
    if exporter == "dynamo":
        for package in ("onnx", "onnxscript"):
            require(package, extra="torch", what="fastaudio.torch.export")
    try:
        with _quiet() as warned:
            if exporter == "script":
                torch.onnx.export(
                    net,
                    (example[:1],),
                    path,
                    dynamo=False,
                    opset_version=opset,
                    input_names=[ROWS],
                    output_names=list(outputs),
                    dynamic_axes={name: {0: "n"} for name in (ROWS, *outputs)} if batches else None,
                )
            else:
                torch.onnx.export(
                    net,
                    (example if batches else example[:1],),
                    path,
                    dynamo=True,
                    opset_version=opset,
                    input_names=[ROWS],
                    output_names=list(outputs),
                    dynamic_shapes=({0: torch.export.Dim.DYNAMIC},) if batches else None,
                    external_data=False,
                    verbose=False,
                )
    except Exception as error:
        raise ModelError(told(error)) from error
    if [other.name for other in path.parent.iterdir()] != [path.name]:
        raise ModelError("expected weights that fit into one file, below 2 GB, got more")
    return opset, any(_froze(each) for each in warned)


def _froze(warning: warnings.WarningMessage) -> bool:
    """Tell whether a trace says that it made a constant of what is a number of a tensor."""
    return issubclass(warning.category, torch.jit.TracerWarning) and "to a Python" in str(warning.message)


@contextlib.contextmanager
def _quiet() -> Iterator[list[warnings.WarningMessage]]:
    """Keep to themselves what exporters print, and give what they warn of: the numbers are checked later."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    core: Any = torch._C  # noqa: SLF001  # it prints a graph that is refused, all of it, straight to stdout
    prints = getattr(core, _PRINTS, None)
    nowhere = io.StringIO()
    with (
        warnings.catch_warnings(record=True) as warned,
        contextlib.redirect_stdout(nowhere),
        contextlib.redirect_stderr(nowhere),
    ):
        warnings.simplefilter("ignore")
        warnings.simplefilter("always", torch.jit.TracerWarning)
        logger.setLevel(logging.ERROR)
        if prints is not None:
            setattr(core, _PRINTS, lambda *_: None)
        try:
            yield warned
        finally:
            logger.setLevel(level)
            if prints is not None:
                setattr(core, _PRINTS, prints)
