"""Unroll in a graph gives the node's rows, wherever patches begin and however a clip ends."""

from __future__ import annotations

from typing import Any

import fastaudio as fa
import numpy as np
import pytest
from export_cases import run_graph
from fastaudio.exporting import ExportError
from fastaudio.exporting.model import build
from helpers import by_name

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

RATE = 16_000
NOISE = np.random.default_rng(3).normal(0, 0.1, 60_000).astype(np.float32)
every_overlap = pytest.mark.parametrize("overlap", ["trim", "mean", "hamming"])


def agrees(node: fa.Node, rows: np.ndarray, spec: fa.StreamSpec, lengths: Any) -> None:
    run = run_graph(build(node, spec))
    for n in lengths:
        part = np.ascontiguousarray(rows[:n])
        stream = node.open(spec)
        parts: list[Any] = [stream.push(part), stream.flush()]
        named = [by_name(one) for one in parts]
        for got, name in zip(run(part), named[0], strict=False):
            want = np.concatenate([one[name] for one in named])
            assert got.shape == want.shape, (n, got.shape, want.shape)
            np.testing.assert_allclose(got, want, rtol=1e-6, atol=1e-7, err_msg=f"{n} rows")


def windows(hop: int, step: int, *, length: int = 5001, center: bool = False) -> fa.Node:
    frame = fa.RMS(sample_rate=RATE, frame_length=400, hop_length=step, center=center)
    return fa.Each(frame, length, hop=hop, last="pad")


@every_overlap
@pytest.mark.parametrize(
    ("patches", "rate_hz"),
    [
        (windows(1237, 173), RATE / 173),  # a step that isn't a whole number of rows
        (windows(1237, 173), None),
        (windows(5001, 300), None),
        (windows(500, 1500), None),  # several patches for each row
        (windows(2500, 160, center=True), RATE / 160),  # the last row begins behind its patch
        (windows(1600, 160, length=4800, center=True), 100),
        (windows(5328, 160, length=16_000), 100),  # rounded up, a row would begin at the end
    ],
)
def test_rows_of_windows_lie_where_the_node_puts_them(
    patches: fa.Node, rate_hz: float | None, overlap: Any
) -> None:
    node = patches >> fa.Unroll(rate_hz=rate_hz, overlap=overlap)
    assert node.input_spec is not None
    agrees(node, NOISE, node.input_spec, (0, 1, 399, 5001, 5002, 6238, 20_000, 24_000, 31_111, 60_000))


@every_overlap
@pytest.mark.parametrize("last", ["pad", "repeat", "drop"])
@pytest.mark.parametrize("sizes", [(7, 7, 0), (7, 3, 0), (5, 2, 3), (1, 1, 2), (6, 5, 1)])
def test_rows_of_patches_come_back(sizes: tuple[int, int, int], last: Any, overlap: Any) -> None:
    length, hop, context = sizes
    rows = np.random.default_rng(length).normal(size=(40, 3)).astype(np.float32)
    cut = fa.Patches(length=length, hop=hop, context=context, last=last, pad_value=99)
    node = cut >> fa.Sigmoid() >> fa.Unroll(overlap=overlap, context=context)
    agrees(node, rows, fa.StreamSpec(rate_hz=62.5, shape=[3]), range(41))


def test_a_patch_of_nothing_but_rows_and_of_images_unrolls() -> None:
    for shape in ([5], [5, 1], [5, 2, 3]):
        rows = np.random.default_rng(0).normal(size=(9, *shape)).astype(np.float32)
        agrees(fa.Unroll(overlap="mean"), rows, fa.StreamSpec(rate_hz=2, shape=shape), (0, 1, 9))
    agrees(
        fa.Patches(length=1600, hop=1000) >> fa.Unroll(), NOISE, fa.StreamSpec(rate_hz=RATE), (0, 999, 9999)
    )


def test_branches_end_with_the_clip_too() -> None:
    rows = np.random.default_rng(0).normal(size=(23, 3)).astype(np.float32)
    spec = fa.StreamSpec(rate_hz=10, shape=[3])
    cut = fa.Patches(length=10, hop=10, last="repeat")
    agrees(cut >> {"a": fa.Sigmoid() >> fa.Unroll(), "b": fa.Unroll()}, rows, spec, (0, 3, 23))
    inner = fa.Concat(fa.Patches(length=4, hop=4), fa.Patches(length=4, hop=4, last="pad"))
    agrees(cut >> fa.Unroll() >> inner, rows, spec, (3, 23))


def test_the_frames_of_a_network_end_with_the_sound() -> None:
    notes = fa.Pipeline.load("basic-pitch").layer("note") >> fa.Unroll(rate_hz=22_050 / 256)
    node, spec = notes.adapted(22_050, 1)
    sound = np.resize(NOISE, 70_000)
    got = run_graph(build(node, spec))(sound)[0]
    want = notes(sound, sample_rate=22_050)
    assert isinstance(want, np.ndarray)
    assert got.shape == want.shape
    np.testing.assert_allclose(got, want, rtol=0, atol=1e-4)


def test_blocks_are_refused() -> None:
    node = windows(1600, 160, length=4800) >> fa.Unroll()
    assert node.input_spec is not None
    with pytest.raises(ExportError, match=r"Unroll: .*; export without streaming"):
        build(node, node.input_spec, block=1600)
