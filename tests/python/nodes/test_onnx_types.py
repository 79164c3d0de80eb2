"""OnnxModel: rows and outputs of every type of numbers, converted at the edge."""

from __future__ import annotations

from typing import TYPE_CHECKING

import fastaudio as fa
import numpy as np
import pytest
from helpers import assert_same_bits, in_chunks

if TYPE_CHECKING:
    from pathlib import Path

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
from network_forms import TYPES, answers, cast, node, save, tensor

INTEGERS = sorted(kind for kind in TYPES if "int" in kind)
SAMPLES = {"int8": 128.0, "int16": 32768.0, "int32": 2.0**31, "uint8": 128.0}


def same(path: Path, kind: str, axes: tuple[int | str, ...] = ("n", 4)) -> Path:
    """Write a network that gives its rows back in their type."""
    return save(path, [node("Identity", ["x"], ["y"])], [tensor("x", kind, axes)], [tensor("y", kind, axes)])


@pytest.mark.parametrize("kind", sorted(TYPES))
def test_rows_of_every_type_go_in_and_out_as_onnx_runtime_gives_them(tmp_path: Path, kind: str) -> None:
    path = same(tmp_path / "net.onnx", kind)
    rows = np.random.default_rng(0).uniform(0, 100, (7, 4)).astype(np.float32)
    model_rows = rows != 0 if kind == "bool" else (np.rint(rows) if kind in INTEGERS else rows).astype(kind)
    (want,) = answers(path, {"x": model_rows})
    net = fa.OnnxModel(path, batch=3)
    got = net(rows)
    assert got.dtype == np.float32
    assert np.array_equal(got, want.astype(np.float32))
    assert_same_bits({"": got}, in_chunks(net, rows, [1, 2, 6]))


def test_every_float16_becomes_itself_and_every_float32_the_nearest(tmp_path: Path) -> None:
    net = fa.OnnxModel(same(tmp_path / "net.onnx", "float16", ("n", "k")))
    halves = np.arange(1 << 16, dtype=np.uint16).view(np.float16)
    exact = halves[np.isfinite(halves)].astype(np.float32)
    assert np.array_equal(net(exact[None])[0], exact)
    between = np.nextafter(exact, np.float32(np.inf)), np.nextafter(exact, np.float32(-np.inf))
    middles = ((exact[1:] + exact[:-1]) / 2).astype(np.float32)  # ties, to the even one
    random = np.random.default_rng(1).uniform(-1, 1, 1 << 16).astype(np.float32)
    tiny = random * np.float32(2.0**-20)
    for values in (*between, middles, random, tiny, np.float32([65519.99, -65519.99])):
        assert np.array_equal(net(values[None])[0], values.astype(np.float16).astype(np.float32))


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("float16", 65520.0),
        ("float16", np.nan),
        ("int16", 32767.6),
        ("int16", -32769.0),
        ("uint8", -1.0),
        ("uint8", 256.0),
        ("uint64", -1.0),
        ("uint32", 1e11),
        ("int32", 2.0**31),
        ("bool", np.inf),
    ],
)
def test_a_number_that_the_type_cannot_hold_is_an_error_that_says_so(
    tmp_path: Path, kind: str, value: float
) -> None:
    net = fa.OnnxModel(same(tmp_path / "net.onnx", kind))
    rows = np.full((2, 4), value, np.float32)
    message = rf"input 'x' of {kind} can hold, got .*; scale the rows first"
    if not np.isfinite(value):
        message = "finite"
    with pytest.raises((fa.ModelError, ValueError), match=message):
        net(rows)


@pytest.mark.parametrize("kind", sorted(SAMPLES))
def test_sound_has_full_scale_in_integers_and_clips_beyond(tmp_path: Path, kind: str) -> None:
    path = same(tmp_path / "net.onnx", kind, ("n", "k"))
    scale, limits = SAMPLES[kind], np.iinfo(kind)
    sound = np.concatenate([np.linspace(-1.25, 1.25, 999), [1, -1, 0]]).astype(np.float32)[None]
    net = fa.OnnxModel(path, units=["samples"])
    spec = fa.StreamSpec(rate_hz=1, shape=[sound.shape[1]], unit="samples")
    stream = net.open(spec)
    got = stream.push(sound)[0]
    offset = 128 if kind == "uint8" else 0
    stored = np.clip(np.rint(sound[0].astype(np.float64) * scale + offset), limits.min, limits.max)
    assert np.array_equal(got, ((stored - offset) / scale).astype(np.float32))
    plain = fa.OnnxModel(path).open(spec).push(sound)[0]  # the output's unit isn't sound
    assert np.array_equal(plain, stored.astype(np.float32))


@pytest.mark.parametrize(("kind", "value"), [("float64", 1e300), ("float64", np.nan), ("float16", np.inf)])
def test_a_number_that_is_not_finite_never_leaves_an_output_of_another_type(
    tmp_path: Path, kind: str, value: float
) -> None:
    path = save(
        tmp_path / "net.onnx",
        [cast("x", "c", kind), node("Add", ["c", "w"], ["y"])],
        [tensor("x", "float32", ("n", 4))],
        [tensor("y", kind, ("n", 4))],
        w=np.full(4, value, kind),
    )
    with pytest.raises(fa.ModelError, match=rf"finite numbers within float32 from output 'y' of {kind}, got"):
        fa.OnnxModel(path)(np.zeros((1, 4), np.float32))


def test_a_type_without_numbers_is_refused_with_its_shape(tmp_path: Path) -> None:
    axes = ("n", 4)
    onnx = pytest.importorskip("onnx")
    text = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.STRING, axes) for name in "xy"]
    path = save(tmp_path / "net.onnx", [node("Identity", ["x"], ["y"])], text[:1], text[1:])
    with pytest.raises(
        fa.ModelError, match=r"expected rows of float16, .*, got input 'x' str \[\?, 4\]; export"
    ):
        fa.OnnxModel(path)


@pytest.mark.parametrize("kind", ["float16", "float64", "int64"])
def test_a_state_may_have_any_type(tmp_path: Path, kind: str) -> None:
    rows_type = "float32"
    path = save(
        tmp_path / "net.onnx",
        [cast("x", "c", kind), node("Add", ["c", "h"], ["h_next"]), cast("h_next", "y", rows_type)],
        [tensor("x", rows_type, (1, 2)), tensor("h", kind, (1, 2))],
        [tensor("y", rows_type, (1, 2)), tensor("h_next", kind, (1, 2))],
    )
    net = fa.OnnxModel(path, outputs=["y"], state={"h": "h_next"})
    rows = np.arange(10, dtype=np.float32).reshape(5, 2)
    assert np.array_equal(net(rows), np.cumsum(rows, axis=0))
