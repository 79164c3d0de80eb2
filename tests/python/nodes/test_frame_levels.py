"""RMS and ZeroCrossingRate against float64 NumPy and librosa."""

from __future__ import annotations

from typing import TYPE_CHECKING

import fastaudio as fa
import numpy as np
import pytest
from helpers import sine
from hypothesis import given
from hypothesis import strategies as st

if TYPE_CHECKING:
    from numpy.typing import NDArray

SHAPES = [(2048, 512), (400, 160), (255, 64), (64, 100), (1, 1)]


def frames(x: NDArray[np.float32], length: int, hop: int, mode: str | None) -> NDArray[np.float64]:
    """Return frames of the padded signal, in float64."""
    wide = x.astype(np.float64)
    if mode:
        wide = np.pad(wide, length // 2, mode=mode)  # type: ignore[call-overload]
    return np.lib.stride_tricks.sliding_window_view(wide, length)[::hop]


@pytest.mark.parametrize(("length", "hop"), SHAPES)
@pytest.mark.parametrize("mode", ["constant", "reflect", None])
def test_rms_is_the_definition(
    guitar_16k: NDArray[np.float32], length: int, hop: int, mode: str | None
) -> None:
    x = guitar_16k[: 30_000 if length > 1 else 1000]
    node = fa.RMS(frame_length=length, hop_length=hop, center=mode is not None, pad_mode=mode or "constant")
    want = np.sqrt((frames(x, length, hop, mode) ** 2).mean(axis=1, keepdims=True))
    stream = node.open()
    got = np.concatenate([stream.push(x), stream.flush()])
    np.testing.assert_allclose(got, want, rtol=2e-7)


@pytest.mark.parametrize(("length", "hop"), SHAPES[:3])
def test_rms_is_librosas(guitar_16k: NDArray[np.float32], length: int, hop: int) -> None:
    librosa = pytest.importorskip("librosa")
    want = librosa.feature.rms(y=guitar_16k, frame_length=length, hop_length=hop, dtype=np.float64)
    got = fa.RMS(frame_length=length, hop_length=hop)(guitar_16k)
    np.testing.assert_allclose(got, want.T, rtol=1e-6)


def test_rms_of_a_tone_is_its_level() -> None:
    rows = fa.RMS(frame_length=2205, hop_length=441, center=False)(sine(1000, 22_050, 22_050, level=0.5))
    np.testing.assert_allclose(rows, 0.5 / np.sqrt(2), rtol=1e-6)


@pytest.mark.parametrize(("length", "hop"), SHAPES)
@pytest.mark.parametrize("center", [True, False])
@pytest.mark.parametrize("threshold", [0, 1e-10, 0.01])
def test_zero_crossings_are_librosas(
    guitar_16k: NDArray[np.float32], length: int, hop: int, *, center: bool, threshold: float
) -> None:
    librosa = pytest.importorskip("librosa")
    x = guitar_16k[: 30_000 if length > 1 else 1000].copy()
    x[200:900] = np.resize(np.float32([0.0, -0.0, 1e-10, -1e-10, -1e-11, 0.01, -0.01, -0.02]), 700)
    want = librosa.feature.zero_crossing_rate(
        x, frame_length=length, hop_length=hop, center=center, threshold=threshold
    )
    node = fa.ZeroCrossingRate(frame_length=length, hop_length=hop, center=center, threshold=threshold)
    assert np.array_equal(node(x), want.T.astype(np.float32))


@pytest.mark.parametrize("center", [True, False])
def test_zero_crossings_are_the_definition(guitar_16k: NDArray[np.float32], *, center: bool) -> None:
    x = guitar_16k[:20_000]
    signs = frames(x, 400, 160, "edge" if center else None) < -np.float32(1e-10)
    want = (signs[:, 1:] != signs[:, :-1]).sum(axis=1, keepdims=True) / 400
    got = fa.ZeroCrossingRate(frame_length=400, hop_length=160, center=center)(x)
    assert np.array_equal(got, want.astype(np.float32))


def test_zero_crossings_of_a_tone_are_twice_its_frequency() -> None:
    rows = fa.ZeroCrossingRate(center=False)(sine(1000, 22_050, 22_050))
    np.testing.assert_allclose(rows, 2000 / 22_050, atol=1 / 2048)


@pytest.mark.parametrize("name", ["RMS", "ZeroCrossingRate"])
@pytest.mark.parametrize("center", [True, False])
@given(
    n=st.integers(1, 900),
    length=st.integers(1, 200),
    hop=st.integers(1, 250),
)
def test_any_length_has_the_frames_stated(
    guitar_16k: NDArray[np.float32],
    name: str,
    *,
    center: bool,
    n: int,
    length: int,
    hop: int,
) -> None:
    x = guitar_16k[5000 : 5000 + n]
    node = getattr(fa, name)(frame_length=length, hop_length=hop, center=center)
    got = node(x)
    padded = n + (length // 2 * 2 if center else 0)
    assert got.shape == (1 + max(0, padded - length) // hop, 1)


@pytest.mark.parametrize("node", [fa.RMS(sample_rate=16_000), fa.ZeroCrossingRate(sample_rate=16_000)])
def test_times_follow_from_the_options_and_the_input_is_samples(node: fa.Node) -> None:
    (out,) = node.output_specs(fa.StreamSpec(rate_hz=16_000)).values()
    assert (out.rate_hz, out.shape) == (31.25, (1,))
    assert out.latency_s == pytest.approx(0.064)
    for spec in (fa.StreamSpec(rate_hz=22_050), fa.StreamSpec(rate_hz=16_000, shape=[2])):
        with pytest.raises(ValueError, match=r"expected samples \[16000 Hz\], got "):
            node.output_specs(spec)
