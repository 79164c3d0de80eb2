"""Networks whose rows change each other in one run: no batch is taken where a row alone gets others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

pytest.importorskip("onnx")
from live_helpers import rows_of
from network_forms import cast, node, save, tensor

LENGTH = 160
LOUD = np.full(4 * LENGTH, 0.9, dtype=np.float32)
SOFT = np.full(4 * LENGTH, 0.009, dtype=np.float32)

# What is done to rows [n, LENGTH] of one run, each so that rows change each other.
MIXING: dict[str, list[Any]] = {
    "the largest of all": [
        node("Abs", ["x"], ["a"]),
        node("ReduceMax", ["a"], ["m"], keepdims=0),
        node("Div", ["x", "m"], ["y"]),
    ],
    "the mean of each place": [
        node("ReduceMean", ["x"], ["m"], axes=[0], keepdims=1),
        node("Sub", ["x", "m"], ["y"]),
    ],
    "the rows before": [node("CumSum", ["x", "zero"], ["y"])],
    "8-bit steps of all": [
        node("DynamicQuantizeLinear", ["x"], ["q", "s", "z"]),
        node("DequantizeLinear", ["q", "s", "z"], ["y"]),
    ],
    "the row after the next": [
        node("Pad", ["x", "pads"], ["p"]),
        node("Slice", ["p", "two", "large", "zeros"], ["later"]),
        node("Add", ["x", "later"], ["y"]),
    ],
    "the next row": [
        node("Pad", ["x", "up"], ["p"]),
        node("Slice", ["p", "one", "large", "zeros"], ["y"]),
    ],
}
WEIGHTS: dict[str, Any] = {
    "zero": np.int64(0),
    "zeros": np.int64([0]),
    "one": np.int64([1]),
    "two": np.int64([2]),
    "large": np.int64([10**6]),
    "pads": np.int64([0, 0, 2, 0]),
    "up": np.int64([0, 0, 1, 0]),
}


def mixing(tmp_path: Path, what: str) -> Path:
    nodes = MIXING[what]
    used = {name for one in nodes for name in one.input}
    weights = {name: value for name, value in WEIGHTS.items() if name in used}
    rows = tensor("x", "float32", ("n", LENGTH)), tensor("y", "float32", ("n", LENGTH))
    return save(tmp_path / "net.onnx", nodes, [rows[0]], [rows[1]], **weights)


def pipeline(net: fa.OnnxModel) -> fa.Pipeline:
    front = fa.Resample(input_rate=16_000, output_rate=16_000) >> fa.Patches(length=LENGTH)
    return fa.Pipeline(front >> net, silence_db=None)


def shared(ours: fa.Pipeline, sounds: list[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
    """Return the rows of live streams whose sounds wait for one worker that batches."""
    pool = fa.Pool(workers=1, batch=8, batch_wait_s=0.05)
    pool.pause()
    streams = [ours.live(16_000, pool=pool) for _ in sounds]
    for stream, sound in zip(streams, sounds, strict=True):
        stream.push(sound)
        stream.finish()
    pool.resume()
    return [rows_of(stream) for stream in streams]


@pytest.mark.parametrize("what", MIXING)
def test_a_batch_of_rows_that_change_each_other_is_refused_and_the_remedy_works(
    what: str, tmp_path: Path
) -> None:
    path = mixing(tmp_path, what)
    rows = np.stack([LOUD[:LENGTH], SOFT[:LENGTH]])
    message = (
        r"expected rows that get the same numbers together as alone, got .* output 'y'; leave out batch="
    )
    with pytest.raises(fa.ModelError, match=message):
        fa.OnnxModel(path, batch=8)(rows)
    one_by_one = [np.asarray(fa.OnnxModel(path)(row[None])) for row in rows]
    np.testing.assert_array_equal(fa.OnnxModel(path)(rows), np.concatenate(one_by_one))


@pytest.mark.parametrize("what", MIXING)
def test_streams_that_share_a_pool_keep_the_numbers_of_a_file(what: str, tmp_path: Path) -> None:
    ours = pipeline(fa.OnnxModel(mixing(tmp_path, what)))
    sounds = [LOUD, SOFT]
    for sound, got in zip(sounds, shared(ours, sounds), strict=True):
        np.testing.assert_array_equal(got, ours(sound, sample_rate=16_000))


def test_a_fixed_batch_is_looked_at_too(tmp_path: Path) -> None:
    rows = tensor("x", "float32", (4, LENGTH)), tensor("y", "float32", (4, LENGTH))
    path = save(tmp_path / "net.onnx", MIXING["the mean of each place"], [rows[0]], [rows[1]])
    ours = pipeline(fa.OnnxModel(path))
    sounds = [LOUD[:LENGTH], SOFT[:LENGTH]]
    for sound, got in zip(sounds, shared(ours, sounds), strict=True):
        np.testing.assert_array_equal(got, ours(sound, sample_rate=16_000))


@pytest.mark.parametrize("kind", ["float32", "float16", "float64", "int16", "uint8", "int64", "bool"])
def test_a_network_of_any_type_whose_rows_are_apart_takes_a_batch(kind: str, tmp_path: Path) -> None:
    path = save(
        tmp_path / "net.onnx",
        [cast("x", "f", "float32"), node("ReduceSum", ["f", "one"], ["y"], keepdims=1)],
        [tensor("x", kind, ("n", LENGTH))],
        [tensor("y", "float32", ("n", 1))],
        one=WEIGHTS["one"],
    )
    rows = np.random.default_rng(2).integers(0, 2, (5, LENGTH)).astype(np.float32)
    np.testing.assert_array_equal(fa.OnnxModel(path, batch=4)(rows), fa.OnnxModel(path)(rows))
