"""Writes ONNX files byte by byte: also malformed ones, and in spellings that no library writes."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

FLOAT, INT64, BOOL = 1, 7, 9
GRAPH, TENSOR = 5, 4


def varint(value: int, n_bytes: int = 1) -> bytes:
    """Return a number in protobuf's way, in `n_bytes` bytes at least."""
    parts = bytearray()
    while value > 0x7F or len(parts) < n_bytes - 1:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    parts.append(value)
    return bytes(parts)


def field(number: int, value: bytes | str | int, n_bytes: int = 1) -> bytes:
    """Return a field of a number, or of bytes; tag and length take `n_bytes` bytes at least."""
    if isinstance(value, int):
        return varint(number << 3, n_bytes) + varint(value, n_bytes)
    content = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2, n_bytes) + varint(len(content), n_bytes) + content


def tensor(name: str, values: Sequence[float], shape: Sequence[int] = (), kind: int = FLOAT) -> bytes:
    """Return a TensorProto that holds its values."""
    letter = {FLOAT: "f", INT64: "q", BOOL: "?"}[kind]
    raw = struct.pack(f"<{len(values)}{letter}", *values)
    return b"".join(field(1, n) for n in shape) + field(2, kind) + field(8, name) + field(9, raw)


def info(name: str, shape: Sequence[int | str], kind: int = FLOAT) -> bytes:
    """Return a ValueInfoProto; a text in `shape` names an open axis."""
    axes = b"".join(field(1, field(1 if isinstance(n, int) else 2, n)) for n in shape)
    return field(1, name) + field(2, field(1, field(1, kind) + field(2, axes)))


def attribute(name: str, number: int, value: bytes, kind: int) -> bytes:
    """Return an AttributeProto whose value stands in field `number`."""
    return field(1, name) + field(number, value) + field(20, kind)


def node(
    kind: str, inputs: Sequence[str], outputs: Sequence[str], *attributes: bytes, domain: str = ""
) -> bytes:
    """Return a NodeProto."""
    names = b"".join(field(1, name) for name in inputs) + b"".join(field(2, name) for name in outputs)
    where = field(7, domain) if domain else b""
    return names + field(4, kind) + where + b"".join(field(5, each) for each in attributes)


def graph(
    nodes: Sequence[bytes], inputs: Sequence[bytes], outputs: Sequence[bytes], tensors: Sequence[bytes] = ()
) -> bytes:
    """Return a GraphProto."""
    parts = [(1, nodes), (5, tensors), (11, inputs), (12, outputs)]
    return field(2, "g") + b"".join(field(number, each) for number, some in parts for each in some)


def model(whole_graph: bytes, *more: bytes, domains: Sequence[str] = ("",)) -> bytes:
    """Return a ModelProto; `more` is appended to it."""
    opsets = b"".join(field(8, field(1, domain) + field(2, 17 if not domain else 1)) for domain in domains)
    return field(1, 8) + opsets + field(7, whole_graph) + b"".join(more)


def function(name: str, domain: str, nodes: Sequence[bytes]) -> bytes:
    """Return a model's field with a FunctionProto from `a` to `b`."""
    parts = field(1, name) + field(4, "a") + field(5, "b") + b"".join(field(7, each) for each in nodes)
    return field(25, parts + field(9, field(1, "") + field(2, 17)) + field(10, domain))


def endless(shape: Sequence[int | str] = ("n", 4), *, trips: str = "", work: int = 4) -> bytes:
    """Return a network that adds 1 to its rows for ever, or as often as the network's tensor `trips` says."""
    body = graph(
        [node("Identity", ["go_on"], ["go_on_out"])]
        + [node("Add", [f"v{k}", "one"], [f"v{k + 1}"]) for k in range(work)],
        [info("i", (), INT64), info("go_on", (), BOOL), info("v0", shape)],
        [info("go_on_out", (), BOOL), info(f"v{work}", shape)],
    )
    loop = node("Loop", [trips, "", "x"], ["y"], attribute("body", 6, body, GRAPH))
    tensors = [tensor("one", [1.0]), tensor("trips", [3], kind=INT64)]
    return model(graph([loop], [info("x", shape)], [info("y", shape)], tensors))
