"""Graphs written as files."""

from __future__ import annotations

import json
import math
import os
import re
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastaudio._system.writing import OutputError, check_writable, is_stream, writing
from fastaudio.exporting.checking import TOLERANCE, Farthest, compare, largest, require_close
from fastaudio.exporting.model import PREFIX, build, smallest_block
from fastaudio.exporting.refusing import refuse
from fastaudio.exporting.sounds import checked
from fastaudio.exporting.sources import files_of
from fastaudio.running.limits import shown_number

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from fastaudio._core import Node, StreamSpec

_EXPORTED = re.compile(rb"\x08.\x12\tfastaudio", re.DOTALL)  # how such a file begins: who made it


def to_onnx(
    node: Node,
    path: str | os.PathLike[str],
    *,
    spec: StreamSpec | None = None,
    card: Mapping[str, Any] | None = None,
    streaming: bool = False,
    block: int | None = None,
    check: bool = True,
    tolerance: float = TOLERANCE,
    sounds: Iterable[Any] = (),
    force: bool = False,
) -> float | None:
    """Write a node, with all that it is made of, as one ONNX graph; `Pipeline.export_onnx` does so.

    The graph takes float32 rows "samples" and gives each output of the node. It uses opset 17, or that of a
    network that needs a later one.

    Args:
        node: what to write.
        path: the file; an exported graph that is there is replaced.
        spec: the node's input, for one that doesn't state it.
        card: metadata, of which the file keeps the name, the licence and others.
        streaming: whether a run takes a block and the state that the one before left, and gives its own.
        block: how many rows a run takes then; None for the fewest of 10 ms or more.
        check: whether to compare the graph with the node before anything is written.
        tolerance: largest difference allowed, times an output's largest magnitude if that is above 1.
        sounds: recordings to compare on, beside made-up rows: paths, or pairs of samples, [n] or
            [n, channels], and sample rate; the first minute of each.
        force: whether to replace a file that is no exported graph.

    Returns:
        The largest difference that was found, of values above 1 by their part of the largest; None unchecked.

    Raises:
        ExportError: ONNX operators can't compute a node, or not on blocks; or the numbers differ by more
            than `tolerance`.
        MissingExtra: the package onnx isn't installed.
        DecodeError: one of `sounds` can't be read.
        OutputError: the file can't be written, is one that the node was read from, or another that is no
            exported graph.
        TypeError, ValueError: an argument of a wrong type, or outside its range.
    """
    how: dict[str, Any] = {"check": check, "tolerance": tolerance, "sounds": sounds, "force": force}
    found = export(node, path, spec=spec, card=card, streaming=streaming, block=block, **how)
    return largest(found) if found else None


def export(
    node: Node,
    path: str | os.PathLike[str],
    *,
    spec: StreamSpec | None = None,
    card: Mapping[str, Any] | None = None,
    streaming: bool = False,
    block: int | None = None,
    check: bool = True,
    tolerance: float = TOLERANCE,
    sounds: Iterable[Any] = (),
    force: bool = False,
) -> list[Farthest]:
    """Do what `to_onnx` does; return where the graph is farthest on each kind of sound, if it is checked."""
    _check_arguments(streaming=streaming, block=block, tolerance=tolerance)
    spec = spec or node.input_spec
    if spec is None:
        got = f"{type(node).__name__}, which takes any rows"
        refuse("export_onnx", "a node that states its input", got, "give spec")
    heard = checked(sounds, spec)
    if heard and not check:
        raise ValueError(
            "export_onnx: expected no sounds with check=False, got some; leave either out, or --no-check"
        )
    replaces = _require_place(path, node, force=force)
    if streaming and block is None:
        block = smallest_block(node, spec)
    model = build(node, spec, card=card, block=block)
    found: list[Farthest] = []
    if check:
        found = compare(model, node, spec, block=block, sounds=heard)
        require_close(found, tolerance)
        said: dict[str, Any] = {"tolerance": tolerance, "largest_difference": largest(found)}
        said |= {"found": [asdict(one) | {"sound": Path(one.sound).name} for one in found]}
        model.metadata_props.add(key=f"{PREFIX}check", value=json.dumps(said, ensure_ascii=False))
    with writing(path, force=replaces) as file:
        file.write(model.SerializeToString())
    return found


_LARGEST_BLOCK = 1 << 24  # of 48 kHz, 6 minutes: constants and buffers of the graph grow with it


def _check_arguments(*, streaming: bool, block: Any, tolerance: Any) -> None:
    if block is not None and (isinstance(block, bool) or not isinstance(block, int) or block < 1):
        raise ValueError(
            f"export_onnx: expected block as a whole number of samples above 0, got {block!r:.80}"
        )
    if block is not None and block > _LARGEST_BLOCK:
        raise ValueError(
            f"export_onnx: expected a block of at most 2**24 samples, got {shown_number(block)}; leave block "
            "out, which takes the fewest"
        )
    if block is not None and not streaming:
        raise ValueError("export_onnx: expected no block without streaming, got one; give streaming=True")
    if isinstance(tolerance, bool) or not isinstance(tolerance, int | float):
        raise TypeError(f"export_onnx: expected tolerance as a float, got {tolerance!r:.80}")
    if not 0 <= tolerance < math.inf:
        raise ValueError(f"export_onnx: expected tolerance of 0 or above, got {tolerance}")


def _require_place(path: str | os.PathLike[str], node: Node, *, force: bool) -> bool:
    """Return whether the file may replace one: an exported graph, or any if `force`.

    Raises:
        OutputError: it can't be written, or what is there mustn't be replaced.
    """
    check_writable(path, force=True, inputs=files_of(node))
    if force or is_stream(path):
        return True
    if not os.path.lexists(path):
        return False
    try:
        with Path(path).open("rb") as file:
            exported = _EXPORTED.match(file.read(64)) is not None
    except OSError:  # a link to nowhere, or a file that can't be read
        exported = False
    if not exported:
        raise OutputError(
            f"{os.fspath(path)}: expected no file there, or an exported graph to replace, got another file; "
            "choose another name, or give force=True"
        )
    return True
