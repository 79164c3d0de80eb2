"""What a network's file may refer to is known before it is loaded, in whatever way it is spelt."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import fastaudio as fa
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx_bytes import (
    GRAPH,
    TENSOR,
    attribute,
    endless,
    field,
    function,
    graph,
    info,
    model,
    node,
    tensor,
    varint,
)

if TYPE_CHECKING:
    from pathlib import Path

ROWS = np.arange(8, dtype=np.float32).reshape(2, 4)
X, Y = info("x", ("n", 4)), info("y", ("n", 4))


def load(folder: Path, content: bytes) -> fa.OnnxModel:
    """Write a network and load it."""
    path = folder / "net.onnx"
    path.write_bytes(content)
    return fa.OnnxModel(path)


def entry(key: str, value: str) -> bytes:
    """Return a key and its value."""
    return field(1, key) + field(2, value)


OUTSIDE = field(1, 4) + field(2, 1) + field(8, "w") + field(14, 1) + field(13, entry("location", "w.bin"))
"""A TensorProto whose values lie in another file."""

ADD = node("Add", ["x", "w"], ["y"])


def with_tensor(content: bytes) -> bytes:
    """Return a network that adds a tensor to its input."""
    return model(graph([ADD], [X], [Y], [content]))


def constant(*fields: bytes) -> bytes:
    """Return a network that adds what a constant's attribute holds."""
    value = field(1, "value") + field(20, TENSOR) + b"".join(fields)
    return model(graph([node("Constant", [], ["w"], value), ADD], [X], [Y]))


INSIDE = field(1, 4) + field(2, 1) + field(8, "w")
SUBGRAPH = graph([node("Identity", ["w"], ["z"])], [], [info("z", (4,))], [OUTSIDE])
BRANCHES = [attribute(name, 6, SUBGRAPH, GRAPH) for name in ("then_branch", "else_branch")]
SPELLINGS = {
    "as exporters do": with_tensor(OUTSIDE),
    "value before key": with_tensor(
        INSIDE + field(14, 1) + field(13, field(2, "w.bin") + field(1, "location"))
    ),
    "long numbers": with_tensor(INSIDE + field(13, field(1, "location", 5) + field(2, "w.bin", 5), 5)),
    "unknown fields between": with_tensor(
        INSIDE + field(13, field(9, 7) + field(1, "location") + field(99, "no") + field(2, "w.bin"))
    ),
    "key given twice": with_tensor(INSIDE + field(13, field(1, "no") + entry("location", "w.bin"))),
    "only the place": with_tensor(INSIDE + field(14, 1)),
    "the place above 32 bits": with_tensor(INSIDE + varint(14 << 3) + varint((1 << 40) + 1)),
    "the place in ten bytes": with_tensor(INSIDE + varint(14 << 3) + varint(1, 10)),
    "the place taken back": with_tensor(INSIDE + field(14, 1) + field(14, 0)),
    "tag above 32 bits": with_tensor(INSIDE + varint((14 << 3) + (1 << 32)) + varint(1)),
    "only the file": with_tensor(INSIDE + field(13, entry("location", "w.bin"))),
    "other capitals": with_tensor(INSIDE + field(13, entry("Location", "w.bin"))),
    "no key": with_tensor(INSIDE + field(13, b"")),
    "address in memory": with_tensor(INSIDE + field(13, entry("location", "*/_ORT_MEM_ADDR_/*"))),
    "network in two pieces": model(graph([ADD], [X], [Y]), field(7, field(5, OUTSIDE))),
    "attribute": constant(field(5, OUTSIDE)),
    "tensor in two pieces": constant(field(5, INSIDE), field(5, field(13, entry("location", "w.bin")))),
    "attribute's tensors": constant(field(5, tensor("w", [1.0] * 4, [4])), field(10, OUTSIDE)),
    "attribute's sparse tensor": constant(field(22, field(1, OUTSIDE))),
    "attribute's sparse tensors": constant(field(23, field(2, OUTSIDE))),
    "attribute's graphs": constant(field(11, SUBGRAPH)),
    "sparse tensor": model(graph([ADD], [X], [Y]) + field(15, field(1, OUTSIDE))),
    "branch": model(
        graph([node("If", ["c"], ["w"], *BRANCHES), ADD], [X], [Y], [tensor("c", [True], [], kind=9)])
    ),
    "function": model(
        graph([node("F", ["x"], ["y"], domain="f")], [X], [Y]),
        function("F", "f", [node("Constant", [], ["w"], attribute("value", 5, OUTSIDE, TENSOR))]),
        domains=("", "f"),
    ),
    "function's default": model(
        graph([ADD], [X], [Y]), field(25, field(11, attribute("value", 5, OUTSIDE, TENSOR)))
    ),
    "training": model(graph([ADD], [X], [Y]), field(20, field(2, SUBGRAPH))),
    "training's start": model(graph([ADD], [X], [Y]), field(20, field(1, SUBGRAPH))),
}


READ = (
    "as exporters do",
    "value before key",
    "network in two pieces",
)


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_weights_outside_the_file_are_found_in_every_spelling(tmp_path: Path, spelling: str) -> None:
    np.arange(4, dtype=np.float32).tofile(tmp_path / "w.bin")
    content = SPELLINGS[spelling]
    if spelling in READ:
        np.testing.assert_array_equal(load(tmp_path, content)(ROWS), ROWS + np.arange(4))
    else:
        with pytest.raises(
            fa.ModelError, match=r"expected (weights|a file's name|a network that ONNX Runtime)"
        ):
            load(tmp_path, content)
    (tmp_path / "w.bin").unlink()
    with pytest.raises(fa.ModelError, match=r"expected (its )?(weights|a file's name)"):
        load(tmp_path, content)  # a file that isn't there is asked for, or refused, before anything runs


def test_the_same_networks_with_weights_inside_run(tmp_path: Path) -> None:
    weights = tensor("w", [1.0, 2, 3, 4], [4])
    for content in (with_tensor(weights + field(14, 0)), constant(field(5, weights))):
        np.testing.assert_array_equal(load(tmp_path, content)(ROWS), ROWS + np.float32([1, 2, 3, 4]))


NETWORK = with_tensor(tensor("w", [1.0] * 4, [4]))
MALFORMED = {
    "not protobuf": b"\xff" * 40,
    "cut short": NETWORK[:-3],
    "longer than the file": field(7, b"")[:-1] + varint(1 << 40),
    "longer than its message": model(field(5, varint(9 << 3 | 2) + varint(1000))),
    "number cut short": b"\x08\x80",
    "number too long": b"\x08" + b"\x80" * 11 + b"\x01",
    "tag too long": b"\x88" + b"\x80" * 5 + b"\x01\x01",
    "field 0": NETWORK + b"\x00\x00",
    "group": NETWORK + b"\x9b\x06\x9c\x06",
    "end of a group": NETWORK + b"\x9c\x06",
    "unknown wire type": NETWORK + b"\x9e\x06",
    "place of another type": with_tensor(INSIDE + field(14, b"\x01")),
    "zeros": bytes(1000),
}


@pytest.mark.parametrize("content", MALFORMED.values(), ids=MALFORMED.keys())
def test_what_is_no_protobuf_is_told_with_its_place(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(
        fa.ModelError, match=r"expected an ONNX model, got .* at byte \d+; the file is damaged"
    ):
        load(tmp_path, content)


def test_depth_is_limited(tmp_path: Path) -> None:
    nested = b""
    for _ in range(40):
        nested = graph([node("If", ["c"], ["w"], attribute("then_branch", 6, nested, GRAPH))], [], [])
    with pytest.raises(fa.ModelError, match="got more than 100 messages in one another"):
        load(tmp_path, model(nested))


def test_another_format_that_the_runtime_would_take_is_refused(tmp_path: Path) -> None:
    for content in (b"\x18\x00\x00\x00ORTM" + bytes(64), field(99, b"ORTM" + bytes(64), 2)):
        assert content[4:8] == b"ORTM"
        with pytest.raises(fa.ModelError, match=r"got ONNX Runtime's own format; give the \.onnx file"):
            load(tmp_path, content)


@pytest.mark.parametrize(
    ("name", "domain"),
    [("EPContext", "com.microsoft"), ("PythonOp", "com.microsoft"), ("PyCustomOp", "ai.onnx.contrib")],
)
def test_operators_that_reach_outside_are_refused(tmp_path: Path, name: str, domain: str) -> None:
    used = node(name, ["x"], ["y"], domain=domain)
    inner = function("F", "f", [node(name, ["a"], ["b"], domain=domain)])
    called = graph([node("F", ["x"], ["y"], domain="f")], [X], [Y])
    for content in (model(graph([used], [X], [Y])), model(called, inner, domains=("", "f"))):
        with pytest.raises(fa.ModelError, match=rf"read no files, got '{domain}\.{name}'; export it without"):
            load(tmp_path, content)


def test_a_networks_own_functions_may_have_any_domain(tmp_path: Path) -> None:
    called = graph([node("F", ["x"], ["y"], domain="any.where")], [X], [Y])
    inner = function("F", "any.where", [node("Add", ["a", "a"], ["b"])])
    net = load(tmp_path, model(called, inner, domains=("", "any.where")))
    np.testing.assert_array_equal(net(ROWS), ROWS + ROWS)


def test_a_loop_that_ends_gives_its_values(tmp_path: Path) -> None:
    np.testing.assert_array_equal(load(tmp_path, endless(trips="trips"))(ROWS), ROWS + 12)


@given(at=st.integers(0, 10_000), byte=st.integers(0, 255), cut=st.integers(0, 200))
def test_a_damaged_file_is_refused_or_runs(tmp_path_factory, at: int, byte: int, cut: int) -> None:
    content = bytearray(NETWORK[: len(NETWORK) - cut] if cut < 20 else NETWORK)
    content[at % len(content)] = byte
    with suppress(fa.ModelError):
        load(tmp_path_factory.mktemp("damaged"), bytes(content))


def test_a_sparse_tensor_in_a_function_is_refused(tmp_path: Path) -> None:
    """ONNX Runtime 1.32 reads freed memory while it loads such a function beside a loop."""
    sparse = attribute("sparse_value", 22, field(1, tensor("s", [1.0])), 11)
    constant_node = node("Constant", [], ["b"], sparse)
    call = node("F", ["x"], ["y"], domain="own")
    whole = model(graph([call], [X], [Y]), function("F", "own", [constant_node]), domains=("", "own"))
    with pytest.raises(
        fa.ModelError, match=r"no sparse tensor in a function, got one.*inline_local_functions"
    ):
        load(tmp_path, whole)
