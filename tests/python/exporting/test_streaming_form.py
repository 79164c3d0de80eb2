"""The form for blocks: as many samples in each run, state in and out, and the stream's numbers."""

from __future__ import annotations

from typing import Any

import fastaudio as fa
import numpy as np
import pytest
from export_cases import in_blocks_and_streamed, session_of
from fastaudio.exporting.model import build, smallest_block
from fastaudio.exporting.refusing import BlockError, ExportError

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

RATE = 16_000
NOISE = np.random.default_rng(5).uniform(-0.5, 0.5, 60_000).astype(np.float32)
MEL = fa.MelSpectrogram(sample_rate=RATE, n_fft=512, hop_length=128, n_mels=32)
LOG = MEL >> fa.Log()

ADVANCED = fa.Preemphasis(sample_rate=RATE, advanced=True)
TO_16K = fa.Resample(input_rate=48_000, output_rate=RATE)


def mel(**options: Any) -> fa.Node:
    return fa.MelSpectrogram(sample_rate=RATE, n_fft=400, hop_length=160, n_mels=16, **options)


STREAMS: list[tuple[fa.Node, int | None]] = [
    (LOG, None),
    (LOG, 128 * 9),
    (mel(pad_mode="reflect"), None),
    (mel(pad_mode="kaldi"), 3200),
    (mel(center=False, window_at="start", win_length=320), 160),
    (fa.Resample(input_rate=48_000, output_rate=RATE) >> LOG, None),
    (fa.Resample(input_rate=44_100, output_rate=RATE) >> mel(pad_mode="reflect"), None),
    (fa.Resample(input_rate=RATE, output_rate=24_000), None),
    (LOG >> fa.Patches(length=7, hop=4, context=3, pad_value=-1.5), None),
    (fa.Resample(input_rate=48_000, output_rate=RATE) >> fa.Patches(length=512, context=64), None),
    (LOG >> fa.Statistics(kinds=["mean", "p50", "std"], window=6, hop=2), None),
    (LOG >> fa.Patches(length=2, hop=9), None),
    (MEL >> fa.PCEN(initial="first"), None),
    (MEL >> fa.PCEN(time_constants_s=[0.1, 0.5]), 128 * 5),
    (fa.Preemphasis(sample_rate=RATE) >> MEL, None),
    (fa.Preemphasis(sample_rate=RATE, advanced=True) >> LOG >> fa.SpectralFlux(lag=3), None),
    (fa.RMS(sample_rate=RATE, frame_length=300, hop_length=100, pad_mode="reflect"), 600),
    (fa.ZeroCrossingRate(sample_rate=RATE, frame_length=300, hop_length=100), 600),
    (fa.Each(MEL >> fa.PCEN(), 4000, hop=2000, context=100), None),
    (fa.Concat(LOG, MEL >> fa.SpectralFlux(lag=2), MEL >> fa.Patches(length=3, hop=1)), None),
    (LOG >> fa.Patches(length=8, hop=8) >> fa.Normalize(), None),
    (LOG >> fa.Patches(length=8, hop=8) >> fa.Normalize(kind="energy"), None),
    (MEL >> fa.SpectralFlux(lag=2, aggregate="l2", rectify=False), None),
    (fa.Resample(input_rate=48_000, output_rate=RATE) >> fa.Gate(threshold_db=-12, window_s=0.003), None),
    (MEL >> fa.Gate(threshold_db=10, hysteresis_db=6, hold_s=0.03, window_s=0.024), 128 * 9),
    (MEL >> fa.Gate(threshold_db=14, mark=True), None),
    (ADVANCED >> fa.Patches(length=1, hop=5, context=1, pad_value=1.5), None),
    (ADVANCED >> fa.Patches(length=1, hop=9, context=2), None),
    (TO_16K >> fa.Patches(length=2, hop=900, context=3, pad_value=1.5), None),
    (LOG >> fa.Patches(length=3, hop=11, context=2) >> fa.Patches(length=2, hop=9, context=3), None),
]  # fmt: skip


@pytest.mark.parametrize(("node", "block"), STREAMS, ids=[repr(node)[:70] for node, _ in STREAMS])
def test_blocks_give_the_rows_of_the_stream(node: fa.Node, block: int | None) -> None:
    spec = node.input_spec
    assert spec is not None
    block = block or smallest_block(node, spec)
    sound = NOISE if len(NOISE) >= 4 * block else np.resize(NOISE, 4 * block)
    rows, wanted = in_blocks_and_streamed(node, sound, block)
    n = min(len(rows), len(wanted))
    assert n > 0
    assert len(wanted) - n <= 2, "the graph gives its rows no later than the stream, to the block"
    scale = max(1.0, float(np.abs(wanted).max()))
    np.testing.assert_allclose(rows[:n], wanted[:n], rtol=0, atol=1e-4 * scale)


@pytest.mark.parametrize(
    ("node", "part"),
    [
        (MEL >> fa.Mean(), "one row at the end of the clip"),
        (MEL >> fa.Delta(), "Delta"),
        (MEL >> fa.Normalize(over="clip"), "clip"),
        (fa.Concat(LOG, LOG >> fa.Statistics(window=4)), "different rates"),
    ],
    ids=["Mean", "Delta", "over a clip", "rates"],
)
def test_what_needs_the_whole_signal_is_refused(node: fa.Node, part: str) -> None:
    assert node.input_spec is not None
    with pytest.raises(ExportError, match=part):
        build(node, node.input_spec, block=smallest_block(node, node.input_spec))


def test_a_block_that_cuts_a_row_is_refused() -> None:
    assert MEL.input_spec is not None
    with pytest.raises(BlockError, match="expected blocks of a multiple of 128 of its input rows, got 100"):
        build(MEL, MEL.input_spec, block=100)


def test_a_silent_network_keeps_its_state(tmp_path: Any) -> None:
    path = tmp_path / "vad.onnx"
    worst = fa.Pipeline.load("silero-vad").export_onnx(path, streaming=True)
    assert worst is not None
    assert worst <= 1e-5
    session = session_of(path.read_bytes())
    assert [one.name for one in session.get_inputs()] == ["samples", "state0", "state1"]
    assert [one.name for one in session.get_outputs()] == ["scores", "next_state0", "next_state1"]


@pytest.mark.parametrize("block", [1536, 4608])
def test_a_resampled_network_with_state_begins_with_the_signal(block: int, tmp_path: Any) -> None:
    worst = fa.Pipeline.load("silero-vad").export_onnx(
        tmp_path / "vad.onnx", sample_rate=48_000, streaming=True, block=block
    )
    assert worst is not None
    assert worst <= 1e-4


@pytest.mark.parametrize(("n_rows", "fits"), [(7, 7), (10, 10), (11, 11), (1, 2)])
def test_the_fewest_samples_that_fit_are_found(n_rows: int, fits: int) -> None:
    node = MEL >> fa.Gate(threshold_db=10, window_s=n_rows * 0.008)
    assert node.input_spec is not None
    assert smallest_block(node, node.input_spec) == 128 * fits


def test_a_node_without_a_form_for_blocks_is_named_before_the_block() -> None:
    node = LOG >> fa.Patches(length=10) >> fa.Unroll()
    assert node.input_spec is not None
    with pytest.raises(ExportError, match=r"^Unroll: .*; export without streaming"):
        smallest_block(node, node.input_spec)
