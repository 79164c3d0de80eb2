"""Graphs written as files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastaudio._system.writing import check_writable, writing
from fastaudio.exporting.checking import largest_difference, require_close
from fastaudio.exporting.model import build, smallest_block
from fastaudio.exporting.refusing import refuse
from fastaudio.exporting.sources import files_of

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from fastaudio._core import Node, StreamSpec


def to_onnx(
    node: Node,
    path: str | os.PathLike[str],
    *,
    spec: StreamSpec | None = None,
    card: Mapping[str, Any] | None = None,
    streaming: bool = False,
    block: int | None = None,
    check: bool = True,
    force: bool = True,
) -> float | None:
    """Write a node, with all that it is made of, as one ONNX graph; `Pipeline.export_onnx` does so.

    The graph takes float32 rows "samples" and gives each output of the node. It uses opset 17, or that of a
    network that needs a later one.

    Args:
        node: what to write.
        path: the file.
        spec: the node's input, for one that doesn't state it.
        card: metadata, of which the file keeps the name, the licence and others.
        streaming: whether a run takes a block and the state that the one before left, and gives its own.
        block: how many rows a run takes then; None for the fewest of 10 ms or more.
        check: whether to compare the graph with the node on made-up rows before anything is written.
        force: whether to replace a file that is there.

    Returns:
        The largest difference that was found, of values above 1 by their part of the largest; None unchecked.

    Raises:
        ExportError: ONNX operators can't compute a node, or not on blocks; or the numbers differ by more
            than 1e-4.
        MissingExtra: the package onnx isn't installed.
        OutputError: the file can't be written, or is one that the node was read from.
    """
    if block is not None and (isinstance(block, bool) or not isinstance(block, int) or block < 1):
        raise ValueError(
            f"export_onnx: expected block as a whole number of samples above 0, got {block!r:.80}"
        )
    if block is not None and not streaming:
        raise ValueError("export_onnx: expected no block without streaming, got one; give streaming=True")
    spec = spec or node.input_spec
    if spec is None:
        got = f"{type(node).__name__}, which takes any rows"
        refuse("export_onnx", "a node that states its input", got, "give spec")
    check_writable(path, force=force, inputs=files_of(node))
    if streaming and block is None:
        block = smallest_block(node, spec)
    model = build(node, spec, card=card, block=block)
    worst = None
    if check:
        worst = largest_difference(model, node, spec, block=block)
        require_close(worst)
    with writing(path, force=force) as file:
        file.write(model.SerializeToString())
    return worst
