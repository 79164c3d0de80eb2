"""Mean and Max against NumPy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import fastaudio as fa
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

if TYPE_CHECKING:
    from numpy.typing import NDArray

POOLS = [fa.Mean(), fa.Max()]


@pytest.mark.parametrize("shape", [(), (5,), (3, 4)])
@given(n=st.integers(1, 200))
def test_pools_match_numpy(guitar_16k: NDArray[np.float32], shape: tuple[int, ...], n: int) -> None:
    rows = np.resize(guitar_16k[5000:], (n, *shape))
    np.testing.assert_allclose(
        fa.Mean()(rows), rows.mean(axis=0, dtype=np.float64)[None], rtol=1e-6, atol=1e-9
    )
    assert np.array_equal(fa.Max()(rows), rows.max(axis=0)[None])


@pytest.mark.parametrize("node", POOLS)
def test_nothing_comes_before_the_end_and_one_row_then(node: fa.Node) -> None:
    stream = node.open()
    assert stream.push(np.ones((10, 3), dtype=np.float32)).shape == (0, 3)
    assert stream.flush().tolist() == [[1, 1, 1]]


def test_the_largest_of_negative_rows_is_negative() -> None:
    assert fa.Max()(np.float32([[-3, -1], [-2, -5]])).tolist() == [[-2, -1]]


def test_a_long_mean_does_not_drift() -> None:
    rows = np.full(3_000_000, 0.1, dtype=np.float32)
    assert fa.Mean()(rows)[0] == np.float32(0.1)


@pytest.mark.parametrize("node", POOLS)
def test_the_row_stands_for_the_whole_clip(node: fa.Node) -> None:
    (spec,) = node.output_specs(fa.StreamSpec(rate_hz=10, shape=[7], unit="dB")).values()
    assert (spec.rate_hz, spec.shape, spec.unit) == (0, (7,), "dB")
    assert repr(spec) == "[once, 7] dB"


def test_a_pooled_pipeline_gives_one_row_for_the_clip(guitar_16k: NDArray[np.float32]) -> None:
    mel = fa.MelSpectrogram(sample_rate=16_000, n_fft=512, hop_length=256, n_mels=32)
    pooled = fa.Pipeline(mel >> fa.Mean())(guitar_16k, sample_rate=16_000)
    np.testing.assert_allclose(pooled, mel(guitar_16k).mean(axis=0)[None], rtol=1e-5)
