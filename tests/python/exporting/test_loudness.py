"""Loudness in a graph gives the node's values: whole clips of any length, gating, and blocks with state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest
from export_cases import in_blocks_and_streamed, run_graph
from fastaudio.exporting import ExportError
from fastaudio.exporting.model import build, smallest_block
from helpers import GUITAR, decode

if TYPE_CHECKING:
    from pathlib import Path

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

RATE = 48_000


def loud_and_quiet(rate: int, seconds: float, channels: int = 1) -> np.ndarray:
    """Noise whose level changes every 0.7 s by up to 40 dB, with silence in it."""
    random = np.random.default_rng(1)
    n = round(rate * seconds)
    gains = 10 ** (random.uniform(-50, -10, 1 + round(seconds / 0.7)) / 20)
    gains[2::7] = 0
    sound = random.normal(size=(n, channels)) * np.repeat(gains, round(0.7 * rate) + 1)[:n, None]
    sound = sound.astype(np.float32)
    return sound[:, 0].copy() if channels == 1 else sound


def agrees(node: fa.Loudness, sound: np.ndarray, lengths: Any) -> None:
    assert node.input_spec is not None
    run = run_graph(build(node, node.input_spec))
    for n in lengths:
        part = np.ascontiguousarray(sound[:n])
        want = np.concatenate([(stream := node.open()).push(part), stream.flush()])
        (got,) = run(part)
        assert got.shape == want.shape, n
        np.testing.assert_allclose(got, want, rtol=0, atol=1e-4, err_msg=f"{n} samples")


@pytest.mark.parametrize("kind", ["momentary", "short_term", "integrated"])
@pytest.mark.parametrize("rate", [8000, 11_025, 44_100, 48_000])
def test_clips_of_any_length_agree(kind: Any, rate: int) -> None:
    step = (rate + 5) // 10
    lengths = (
        0,
        1,
        step - 1,
        step,
        4 * step - 1,
        4 * step,
        4 * step + 1,
        30 * step,
        31 * step + 7,
        10 * rate,
    )
    agrees(fa.Loudness(sample_rate=rate, kind=kind), loud_and_quiet(rate, 10), lengths)


@pytest.mark.parametrize(
    ("channels", "weights"), [(2, []), (4, []), (5, []), (6, []), (2, [2.0, 0.0]), (7, [0.5] * 7)]
)
def test_channels_have_their_weights(channels: int, weights: Any) -> None:
    node = fa.Loudness(sample_rate=RATE, channels=channels, weights=weights)
    agrees(node, loud_and_quiet(RATE, 3, channels), (1000, 3 * RATE))


@pytest.mark.parametrize("seed", range(6))
def test_gating_keeps_the_blocks_that_the_node_keeps(seed: int) -> None:
    """Many blocks lie near the relative threshold, where one more or less is heard."""
    random = np.random.default_rng(seed)
    rate = 8000
    levels = np.where(np.arange(120) % 3 == 0, -20, random.uniform(-33, -30, 120))
    sound = np.repeat(10 ** (levels / 20), rate // 2) * np.sin(np.arange(60 * rate) * 0.8)
    node = fa.Loudness(sample_rate=rate, kind="integrated")
    agrees(node, sound.astype(np.float32), (60 * rate,))
    agrees(node, (sound * 10 ** (-45 / 20)).astype(np.float32), (60 * rate,))  # near the absolute one


def test_silence_gives_the_floor() -> None:
    for kind in ("momentary", "integrated"):
        node = fa.Loudness(kind=kind, floor_lufs=-90)
        agrees(node, np.zeros(RATE, dtype=np.float32), (1, 1000, RATE))


def test_a_stereo_recording_agrees_as_a_pipeline(tmp_path: Path) -> None:
    sound, rate = decode(GUITAR)
    pipeline = fa.Pipeline(fa.Loudness(sample_rate=rate, channels=2, kind="short_term"))
    worst = pipeline.export_onnx(tmp_path / "all.onnx", channels=2, sounds=[GUITAR])
    assert worst is not None
    assert worst <= 1e-5
    (got,) = run_graph((tmp_path / "all.onnx").read_bytes())(sound)
    want: Any = pipeline(sound, sample_rate=rate, layout="samples_channels")
    np.testing.assert_allclose(got, want, rtol=0, atol=1e-4)


def test_a_recording_agrees_at_another_rate(tmp_path: Path) -> None:
    pipeline = fa.Pipeline(fa.Loudness(sample_rate=RATE, kind="integrated"))
    worst = pipeline.export_onnx(tmp_path / "all.onnx", sample_rate=44_100, sounds=[GUITAR])
    assert worst is not None
    assert worst <= 1e-5


@pytest.mark.parametrize(
    ("node", "steps"),
    [
        (fa.Loudness(sample_rate=RATE), 1),
        (fa.Loudness(sample_rate=RATE, kind="short_term", channels=2), 3),
        (fa.Loudness(sample_rate=11_025), 2),  # 1103 samples each, a prime number
        (fa.Resample(input_rate=44_100, output_rate=RATE) >> fa.Loudness(sample_rate=RATE), None),
    ],
)
def test_blocks_give_the_rows_of_the_stream(node: fa.Node, steps: int | None) -> None:
    spec = node.input_spec
    assert spec is not None
    block = smallest_block(node, spec) if steps is None else steps * ((round(spec.rate_hz) + 5) // 10)
    sound = loud_and_quiet(round(spec.rate_hz), 20, spec.shape[0] if spec.shape else 1)
    rows, wanted = in_blocks_and_streamed(node, sound, block)
    n = min(len(rows), len(wanted))
    assert n > 100
    np.testing.assert_allclose(rows[:n], wanted[:n], rtol=0, atol=1e-4)


def test_one_value_for_the_clip_has_no_blocks() -> None:
    node = fa.Loudness(kind="integrated")
    assert node.input_spec is not None
    with pytest.raises(ExportError, match="whole clip; export without streaming"):
        build(node, node.input_spec, block=4800)
