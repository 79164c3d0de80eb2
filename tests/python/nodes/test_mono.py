"""Mono against NumPy, and the mean or one channel through a pipeline."""

from __future__ import annotations

from typing import TYPE_CHECKING

import fastaudio as fa
import numpy as np
import pytest
from helpers import GUITAR, musicnn_front
from hypothesis import given
from hypothesis import strategies as st

if TYPE_CHECKING:
    from numpy.typing import NDArray

Guitar = "tuple[NDArray[np.float32], int]"


@given(
    channels=st.integers(1, 20),
    n=st.integers(0, 300),
)
def test_the_mean_matches_numpy(guitar_16k: NDArray[np.float32], channels: int, n: int) -> None:
    rows = np.resize(guitar_16k[5000:], (n, channels))
    node = fa.Mono(channels=channels)
    got = node(rows)
    assert got.shape == (n,)
    np.testing.assert_allclose(got, rows.mean(axis=1, dtype=np.float64), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("channel", [0, 1])
def test_one_channel_is_taken_as_it_is(guitar: Guitar, channel: int) -> None:
    samples = guitar[0]
    assert np.array_equal(fa.Mono(channels=2, channel=channel)(samples), samples[:, channel])


def test_one_of_one_channel_is_the_signal_itself(guitar: Guitar) -> None:
    one = np.ascontiguousarray(guitar[0][:, :1])
    assert np.array_equal(fa.Mono(channels=1)(one), one[:, 0])


def test_opposite_channels_cancel() -> None:
    noise = np.random.default_rng(0).uniform(-1, 1, 5000).astype(np.float32)
    assert not fa.Mono(channels=2)(np.stack([noise, -noise], axis=1)).any()


def test_integer_samples_are_scaled_to_full_scale() -> None:
    rows = np.array([[32767, -32768], [-32768, -32768]], dtype=np.int16)
    stream = fa.Mono(channels=2).open(fa.StreamSpec(rate_hz=44_100, shape=[2]))
    assert stream.push(rows).tolist() == pytest.approx([-0.5 / 32768, -1.0])


def test_a_channel_that_is_not_there_is_a_value_error() -> None:
    with pytest.raises(ValueError, match=r"^Mono: expected channel below 2, got 2$"):
        fa.Mono(channels=2, channel=2)


def test_a_pipeline_says_which_channel_it_takes() -> None:
    assert "mono (mean of all channels)" in repr(fa.Pipeline(musicnn_front()))
    assert "mono (channel 1)" in repr(fa.Pipeline(musicnn_front(), channel=1))
    assert "mono (channel 1)" in str(fa.Pipeline(musicnn_front(), channel=1))


@pytest.mark.parametrize("channel", [None, 0, 1])
def test_a_pipeline_takes_the_mean_or_the_channel_named(guitar: Guitar, channel: int | None) -> None:
    samples, rate = guitar
    mono = samples.mean(axis=1, dtype=np.float32) if channel is None else samples[:, channel]
    alone = fa.Pipeline(musicnn_front())(np.ascontiguousarray(mono), sample_rate=rate)
    rows = fa.Pipeline(musicnn_front(), channel=channel)(GUITAR)
    np.testing.assert_allclose(rows, alone, rtol=0, atol=2e-4)


@pytest.mark.parametrize("channel", [-1, 2, True, "left"])
def test_a_pipeline_refuses_a_channel_that_is_not_there(guitar: Guitar, channel: object) -> None:
    samples, rate = guitar
    with pytest.raises((ValueError, TypeError), match=r"^\w+: expected channel .*, got "):
        fa.Pipeline(musicnn_front(), channel=channel)(samples, sample_rate=rate, layout="samples_channels")


def test_channel_zero_of_a_mono_signal_is_the_signal(guitar_16k: NDArray[np.float32]) -> None:
    first = fa.Pipeline(musicnn_front(), channel=0)(guitar_16k, sample_rate=16_000)
    assert np.array_equal(first, musicnn_front()(guitar_16k))


def test_a_second_channel_of_a_mono_signal_is_a_value_error(
    guitar_16k: NDArray[np.float32],
) -> None:
    with pytest.raises(ValueError, match=r"^Mono: expected channel below 1, got 1$"):
        fa.Pipeline(musicnn_front(), channel=1)(guitar_16k, sample_rate=16_000)
