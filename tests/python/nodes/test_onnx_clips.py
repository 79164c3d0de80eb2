"""OnnxModel: a whole clip as one run, which gives one row, or a row for each of the clip's."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest

if TYPE_CHECKING:
    from pathlib import Path

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
from network_forms import answers, node, save, tensor


def clip_network(path: Path, axes: tuple[int | str, ...]) -> Path:
    """Write a network that takes a clip of any length, and gives its peak and its mean square."""
    axis = len(axes) - 1
    return save(
        path,
        [
            node("ReduceMax", ["x"], ["peak"], axes=[axis], keepdims=1),
            node("Mul", ["x", "x"], ["square"]),
            node("ReduceMean", ["square"], ["power"], axes=[axis], keepdims=1),
            node("Concat", ["peak", "power"], ["y"], axis=axis),
        ],
        [tensor("x", "float32", axes)],
        [tensor("y", "float32", (*axes[:-1], 2)), tensor("square", "float32", axes)],
    )


@pytest.mark.parametrize("axes", [("s",), (1, "s"), ("n", "s")])
@pytest.mark.parametrize("n", [1, 999, 40_000])
def test_a_whole_clip_is_one_run_in_any_chunks(tmp_path: Path, axes: tuple[int | str, ...], n: int) -> None:
    path = clip_network(tmp_path / "net.onnx", axes)
    net = fa.OnnxModel(path, clip_rows=50_000)
    sound = np.random.default_rng(n).uniform(-1, 1, n).astype(np.float32)
    want = answers(path, {"x": sound.reshape([1] * (len(axes) - 1) + [n])}, ["y"])[0].reshape(2)
    spec = fa.StreamSpec(rate_hz=16_000, shape=[])
    (out,) = net.output_specs(spec).values()
    assert (out.rate_hz, out.shape) == (0, (2,))
    for step in (n, 160, 7001):
        stream = net.open(spec)
        for at in range(0, n, step):
            assert len(stream.push(sound[at : at + step])) == 0
        assert np.array_equal(stream.flush()[0], want)
    assert len(net.open(spec).flush()) == 0


def test_frames_of_a_whole_clip_are_one_run(tmp_path: Path) -> None:
    path = save(
        tmp_path / "net.onnx",
        [node("ReduceMean", ["x"], ["y"], axes=[2], keepdims=0)],
        [tensor("x", "float32", ("n", 3, "t"))],
        [tensor("y", "float32", ("n", 3))],
    )
    frames = np.random.default_rng(0).uniform(0, 1, (321, 3)).astype(np.float32)
    net = fa.OnnxModel(path, layout="nft", clip_rows=1000)
    (want,) = answers(path, {"x": frames.T[None]})
    np.testing.assert_array_equal(net(frames), want)


def test_a_clip_too_long_is_refused(tmp_path: Path) -> None:
    path = clip_network(tmp_path / "net.onnx", ("s",))
    with pytest.raises(
        fa.ModelError, match=r"expected at most 10 rows in a clip, got more; cut it, or raise clip"
    ):
        fa.OnnxModel(path, clip_rows=10).open(fa.StreamSpec(rate_hz=8, shape=[])).push(
            np.zeros(11, np.float32)
        )


@pytest.mark.parametrize("axes", [("s",), (1, "s"), ("n", "s")])
@pytest.mark.parametrize("n", [1, 2, 999, 20_001])
def test_an_output_as_long_as_the_clip_gives_its_rows_at_their_rate_in_any_chunks(
    tmp_path: Path, axes: tuple[int | str, ...], n: int
) -> None:
    path = clip_network(tmp_path / "net.onnx", axes)
    net = fa.OnnxModel(path, outputs=["y", "square"], clip_rows=50_000)
    sound = np.random.default_rng(n).uniform(-1, 1, n).astype(np.float32)
    spec = fa.StreamSpec(rate_hz=16_000, shape=[])
    one, rows = net.output_specs(spec).values()
    assert (one.rate_hz, one.shape) == (0, (2,))
    assert (rows.rate_hz, rows.shape, rows.latency_s) == (16_000, (), float("inf"))
    assert rows.span_s == spec.span_s
    for step in (n, 160, 7001):
        stream = net.open(spec)
        for at in range(0, n, step):
            assert all(len(out) == 0 for out in stream.push(sound[at : at + step]).values())
        found = stream.flush()
        assert np.array_equal(found["square"], sound * sound)
        assert found["y"].shape == (1, 2)
    assert all(len(out) == 0 for out in net.open(spec).flush().values())


def framewise(path: Path, nodes: list[Any], kind: str = "float32", **weights: Any) -> Path:
    """Write a network that takes all frames of a clip."""
    rows = [tensor("x", kind, ("n", "t", 3))], [tensor("y", kind, ("n", "u", 3))]
    return save(path, nodes, *rows, **weights)


@pytest.mark.parametrize("kind", ["float32", "float16"])
def test_tags_of_all_frames_of_a_clip_are_those_of_one_run(tmp_path: Path, kind: str) -> None:
    path = framewise(tmp_path / "net.onnx", [node("Softmax", ["x"], ["y"], axis=1)], kind)  # over time
    frames = np.random.default_rng(0).uniform(0, 1, (321, 3)).astype(np.float32)
    net = fa.OnnxModel(path, clip_rows=1000, units=["probability"])
    (want,) = answers(path, {"x": frames[None].astype(kind)})
    tags = net >> fa.Tags(["a", "b", "c"])
    spec = fa.StreamSpec(rate_hz=62.5, shape=[3])
    (out,) = tags.output_specs(spec).values()
    assert (out.rate_hz, out.span_s, out.shape, out.labels) == (62.5, spec.span_s, (3,), ["a", "b", "c"])
    stream = tags.open(spec)
    got = [stream.push(frames[at : at + 50]) for at in range(0, 321, 50)] + [stream.flush()]
    assert np.array_equal(np.concatenate(got), want[0].astype(np.float32))
    mean = (net >> fa.Mean()).open(spec)
    assert len(mean.push(frames)) == 0
    np.testing.assert_allclose(mean.flush()[0], want[0].mean(axis=0, dtype=np.float64), rtol=0, atol=1e-6)
    assert pickle.loads(pickle.dumps(net)) == net  # noqa: S301


@pytest.mark.parametrize("most", [1, 2, 3, 1000])
def test_a_clip_of_few_rows_at_most_gives_them(tmp_path: Path, most: int) -> None:
    path = framewise(tmp_path / "net.onnx", [node("Mul", ["x", "x"], ["y"])])
    rows = np.random.default_rng(0).uniform(0, 1, (min(most, 5), 3)).astype(np.float32)
    net = fa.OnnxModel(path, clip_rows=most)
    assert np.array_equal(net(rows).reshape(-1, 3), rows * rows)


def test_an_output_of_another_length_than_the_clips_is_refused(tmp_path: Path) -> None:
    half = framewise(
        tmp_path / "half.onnx",
        [node("Slice", ["x", "start", "end", "axis", "step"], ["y"])],
        **{key: np.int64([value]) for key, value in {"start": 0, "end": 2**31, "axis": 1, "step": 2}.items()},
    )
    one_less = framewise(
        tmp_path / "less.onnx",
        [node("Slice", ["x", "start", "end", "axis"], ["y"])],
        **{key: np.int64([value]) for key, value in {"start": 1, "end": 2**31, "axis": 1}.items()},
    )
    padded = framewise(  # to an even length
        tmp_path / "padded.onnx",
        [
            node("Shape", ["x"], ["shape"], start=1, end=2),
            node("Mod", ["shape", "two"], ["odd"]),
            node("Concat", ["none", "odd", "none3"], ["pads"], axis=0),
            node("Pad", ["x", "pads"], ["y"]),
        ],
        two=np.int64([2]),
        none=np.zeros(4, np.int64),
        none3=np.zeros(1, np.int64),
    )
    for path in (half, one_less, padded):
        with pytest.raises(
            fa.ModelError, match=r"of one shape for clips of any length, or with a row for each.*Patches"
        ):
            fa.OnnxModel(path, clip_rows=1000).output_specs(fa.StreamSpec(rate_hz=62.5, shape=[3]))
