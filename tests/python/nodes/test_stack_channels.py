"""StackChannels against NumPy, and before a network."""

from __future__ import annotations

from typing import TYPE_CHECKING

import fastaudio as fa
import numpy as np
import pytest
from helpers import ONNX, musicnn_front
from hypothesis import given
from hypothesis import strategies as st

if TYPE_CHECKING:
    from numpy.typing import NDArray


@pytest.mark.parametrize("shape", [(), (96,), (8, 12), (2, 3, 4)])
@given(channels=st.integers(1, 5))
def test_all_channels_are_the_row(
    guitar_16k: NDArray[np.float32], shape: tuple[int, ...], *, channels: int
) -> None:
    rows = np.resize(guitar_16k[5000:], (60, *shape))
    last = fa.StackChannels(channels=channels)
    first = fa.StackChannels(channels=channels, axis="first")
    assert np.array_equal(last(rows), np.stack([rows] * channels, axis=-1))
    assert np.array_equal(first(rows), np.stack([rows] * channels, axis=1))


def test_times_stay_and_names_of_the_last_axis_go() -> None:
    spec = fa.StreamSpec(rate_hz=10, shape=[2, 3], unit="dB")
    (out,) = fa.StackChannels().output_specs(spec).values()
    assert (out.rate_hz, out.shape, out.unit, out.span_s) == (10, (2, 3, 3), "dB", spec.span_s)
    named = fa.Tags(["a", "b"]).output_specs(fa.StreamSpec(rate_hz=10, shape=[2]))[""]
    assert fa.StackChannels().output_specs(named)[""].labels == []
    assert fa.StackChannels(axis="first").output_specs(named)[""].labels == ["a", "b"]


def test_three_channels_of_a_patch_compose() -> None:
    front = musicnn_front() >> fa.Patches(length=480) >> fa.StackChannels(channels=3)
    assert "[0.13 Hz, 480, 96, 3]" in front.diagram()


@pytest.mark.parametrize(
    ("name", "axis", "layout", "subscripts"),
    [
        ("nctf", "first", "", "ntf,ctf->n"),
        ("nctf", "last", "nctf", "ntf,ctf->n"),
        ("nftc", "last", "nftc", "ntf,ftc->n"),
    ],
)
def test_networks_take_channels_where_they_want_them(
    name: str, axis: str, layout: str, subscripts: str
) -> None:
    rows = np.random.default_rng(1).uniform(-1, 1, (7, 4, 3)).astype(np.float32)
    net = fa.OnnxModel(str(ONNX / f"{name}.onnx"), layout=layout)
    shape = (2, 4, 3) if name == "nctf" else (3, 4, 2)
    want = np.einsum(subscripts, rows.astype(np.float64), np.arange(1, 25).reshape(shape))
    got = (fa.StackChannels(channels=2, axis=axis) >> net)(rows)
    np.testing.assert_allclose(got[:, 0], want, rtol=0, atol=1e-4)


def test_more_than_fits_is_refused() -> None:
    with pytest.raises(ValueError, match=r"StackChannels: expected at most 2\*\*28 values at a time"):
        fa.StackChannels(channels=1024).open(fa.StreamSpec(rate_hz=1, shape=[1000, 1000]))
