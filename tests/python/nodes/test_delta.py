"""Delta against fitted polynomials in float64, SciPy and librosa, and HTK's formula."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import fastaudio as fa
import numpy as np
import pytest
from helpers import musicnn_front
from hypothesis import given
from hypothesis import strategies as st

if TYPE_CHECKING:
    from numpy.typing import NDArray

MODES = ("interp", "nearest", "htk")


@pytest.fixture(scope="module")
def log_mel(guitar_16k: NDArray[np.float32]) -> NDArray[np.float32]:
    return musicnn_front()(guitar_16k)[:200]


def fitted(x: NDArray[np.float64], order: int) -> NDArray[np.float64]:
    """Return this derivative of the least-squares polynomial of the same order through all of x."""
    t = np.arange(len(x), dtype=np.float64) - len(x) // 2
    top = np.polynomial.polynomial.polyfit(t, x.reshape(len(x), -1), order)[order]
    return (top * np.prod(np.arange(1, order + 1))).reshape(x.shape[1:])


def nearest(x: NDArray[np.float64], width: int, order: int) -> NDArray[np.float64]:
    """Return a fit around each row; end rows are repeated."""
    half = width // 2
    padded = np.concatenate([x[:1]] * half + [x] + [x[-1:]] * half)
    return np.stack([fitted(padded[t : t + width], order) for t in range(len(x))])


def reference(x: NDArray[np.float32], width: int, order: int, mode: str) -> NDArray[np.float64]:
    """Return what the documentation says, in float64."""
    wide = x.astype(np.float64)
    if mode == "htk":
        for _ in range(order):
            n = np.arange(1, width // 2 + 1)
            last = len(wide) - 1
            wide = np.stack(
                [
                    sum(k * (wide[min(t + k, last)] - wide[max(t - k, 0)]) for k in n) / (2 * (n**2).sum())
                    for t in range(len(wide))
                ]
            )
        return wide
    half = width // 2
    inner = nearest(wide, width, order)
    if mode == "interp" and len(x) >= width:
        inner[:half], inner[len(x) - half :] = fitted(wide[:width], order), fitted(wide[-width:], order)
    return inner


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("width", "order"), [(9, 1), (9, 2), (5, 2), (3, 1), (3, 2), (21, 3), (11, 8)])
def test_rows_are_derivatives_of_fitted_polynomials(
    log_mel: NDArray[np.float32], width: int, order: int, mode: str
) -> None:
    rows = np.ascontiguousarray(log_mel[:60, :8])
    want = reference(rows, width, order, mode)
    got = fa.Delta(width=width, order=order, mode=mode)(rows)
    np.testing.assert_allclose(got, want, rtol=1e-6, atol=2e-7 * np.abs(want).max())


@pytest.mark.parametrize("mode", ["interp", "nearest"])
@pytest.mark.parametrize(("width", "order"), [(9, 1), (9, 2), (25, 3)])
def test_librosa_gives_the_same(
    log_mel: NDArray[np.float32], width: int, order: int, mode: Literal["interp", "nearest"]
) -> None:
    librosa = pytest.importorskip("librosa")
    want = librosa.feature.delta(log_mel.astype(np.float64), width=width, order=order, axis=0, mode=mode)
    got = fa.Delta(width=width, order=order, mode=mode)(log_mel)
    np.testing.assert_allclose(got, want, rtol=1e-6, atol=1e-7 * np.abs(want).max())


@pytest.mark.parametrize("mode", MODES)
@given(
    n=st.integers(1, 40),
    width=st.integers(1, 7).map(lambda half: 2 * half + 1),
    order=st.integers(1, 2),
)
def test_clips_of_any_length_have_the_slopes_of_the_formula(
    log_mel: NDArray[np.float32], mode: str, *, n: int, width: int, order: int
) -> None:
    rows = np.ascontiguousarray(log_mel[50 : 50 + n, :6].reshape(n, 2, 3))
    node = fa.Delta(width=width, order=order, mode=mode)
    got = node(rows)
    want = reference(rows, width, order, mode)
    np.testing.assert_allclose(got, want, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("mode", MODES)
def test_a_steady_signal_has_no_slope_and_a_ramp_its_own(mode: str) -> None:
    node = fa.Delta(width=5, mode=mode)
    assert not node(np.full((30, 2), 1e9, dtype=np.float32)).any()
    ramp = node(np.arange(30, dtype=np.float32) * 4)
    assert ramp[2:-2].tolist() == pytest.approx([4.0] * 26)
    assert (ramp[:2] < 4).all() == (mode != "interp")


@pytest.mark.parametrize(("mode", "order", "wait"), [("interp", 2, 8), ("nearest", 2, 4), ("htk", 2, 8)])
def test_a_row_comes_as_soon_as_it_can(mode: str, order: int, wait: int) -> None:
    stream = fa.Delta(width=9, order=order, mode=mode).open()
    came = [len(stream.push(np.ones((1, 2), dtype=np.float32))) for _ in range(20)]
    assert came.index(next(n for n in came if n)) == wait
    assert sum(came) == 20 - (8 if mode == "htk" else 4)


def test_the_latency_is_that_of_the_row_that_waits_longest() -> None:
    spec = fa.StreamSpec(rate_hz=100, shape=[3], unit="dB")
    for order, mode, latency_s in ((1, "interp", 0.09), (2, "nearest", 0.05), (2, "htk", 0.09)):
        (out,) = fa.Delta(width=9, order=order, mode=mode).output_specs(spec).values()
        assert (out.rate_hz, out.shape, out.unit) == (100, (3,), "dB")
        assert out.latency_s == pytest.approx(latency_s)


def test_widths_and_orders_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="Delta: expected width odd, got 4"):
        fa.Delta(width=4)
    with pytest.raises(ValueError, match="Delta: expected order below width = 3, got 3"):
        fa.Delta(width=3, order=3)
    assert fa.Delta(width=3, order=3, mode="htk").order == 3
    with pytest.raises(ValueError, match=r"expected at most 2\*\*28 values at a time, got 4095 rows"):
        fa.Delta(width=4095).open(fa.StreamSpec(rate_hz=1, shape=[100_000]))
