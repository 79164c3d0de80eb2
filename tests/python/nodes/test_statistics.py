"""Statistics against float64 NumPy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import fastaudio as fa
import numpy as np
import pytest
from helpers import musicnn_front
from hypothesis import given
from hypothesis import strategies as st

if TYPE_CHECKING:
    from numpy.typing import NDArray

KINDS = ["p97.5", "mean", "std", "p0", "min", "max", "p25", "p100", "p50"]


@pytest.fixture(scope="module")
def log_mel(guitar_16k: NDArray[np.float32]) -> NDArray[np.float32]:
    return musicnn_front()(guitar_16k)[:300, :12]


def reference(rows: NDArray[np.float32], kinds: list[str]) -> NDArray[np.float64]:
    """Return one row as NumPy computes it."""
    x = rows.astype(np.float64)
    named = {"mean": np.mean, "std": np.std, "min": np.min, "max": np.max}
    return np.stack(
        [named[k](x, axis=0) if k in named else np.percentile(x, float(k[1:]), axis=0) for k in kinds]
    )


@pytest.mark.parametrize("shape", [(), (12,), (3, 4)])
@given(n=st.integers(1, 250))
def test_a_clip_has_one_row(log_mel: NDArray[np.float32], shape: tuple[int, ...], *, n: int) -> None:
    rows = np.resize(log_mel, (n, *shape))
    node = fa.Statistics(kinds=KINDS)
    got = node(rows)
    assert got.shape == (1, len(KINDS), *shape)
    np.testing.assert_allclose(got[0], reference(rows, KINDS), rtol=1e-6, atol=1e-9)


@given(
    n=st.integers(1, 120),
    window=st.integers(1, 40),
    hop=st.none() | st.integers(1, 50),
)
def test_windows_slide_by_a_hop(
    log_mel: NDArray[np.float32], *, n: int, window: int, hop: int | None
) -> None:
    rows = np.ascontiguousarray(log_mel[:n])
    node = fa.Statistics(kinds=KINDS, window=window, hop=hop)
    got = node(rows)
    starts = range(0, max(1, n - window + 1), hop or window)
    want = [reference(rows[start : start + window], KINDS) for start in starts]
    np.testing.assert_allclose(got, np.stack(want), rtol=1e-6, atol=1e-7)


def test_a_window_is_a_clip_of_its_own(log_mel: NDArray[np.float32]) -> None:
    windows = fa.Statistics(kinds=KINDS, window=50, hop=25)(log_mel)
    for i, row in enumerate(windows):
        clip = np.ascontiguousarray(log_mel[25 * i : 25 * i + 50])
        assert np.array_equal(row, fa.Statistics(kinds=KINDS)(clip)[0])


def test_a_small_deviation_of_large_values_keeps_its_digits() -> None:
    rows = (1e4 + np.sin(np.arange(100_000))).astype(np.float32)
    (got,) = fa.Statistics()(rows)
    want = reference(rows, ["mean", "std"])
    np.testing.assert_allclose(got, want, rtol=1e-6)
    assert fa.Statistics(kinds=["std"])(np.full(1000, 0.1, dtype=np.float32)).tolist() == [[0.0]]


def test_a_window_comes_with_its_last_row() -> None:
    stream = fa.Statistics(window=4, hop=3).open()
    came = [len(stream.push(np.ones((1, 2), dtype=np.float32))) for _ in range(10)]
    assert came == [0, 0, 0, 1, 0, 0, 1, 0, 0, 1]
    assert stream.flush().shape == (0, 2, 2)


def test_times_and_labels_follow_from_the_options() -> None:
    spec = fa.StreamSpec(rate_hz=10, shape=[3], unit="dB")
    (out,) = fa.Statistics().output_specs(spec).values()
    assert (out.rate_hz, out.shape, out.unit, out.labels) == (0, (2, 3), "dB", [])
    (out,) = fa.Statistics(window=5, hop=2).output_specs(spec).values()
    assert (out.rate_hz, out.shape) == (5, (2, 3))
    assert out.latency_s == pytest.approx(0.5)
    assert out.span_s == pytest.approx(0.5)
    (out,) = fa.Statistics(kinds=["min", "p5"]).output_specs(fa.StreamSpec(rate_hz=10)).values()
    assert (out.shape, out.labels) == ((2,), ["min", "p5"])


@pytest.mark.parametrize(
    "kind",
    ["", "median", "p", "p.5", "p5.", "p1.2.3", "p-1", "p101", "p100.1", "P5", "p 5", "p1e1", "p" + "0" * 13],
)
def test_kinds_that_are_none_are_refused(kind: str) -> None:
    with pytest.raises(ValueError, match=r"Statistics: expected kinds among 'mean', 'std', .*, got "):
        fa.Statistics(kinds=["mean", kind])


def test_options_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="expected at least one of kinds, got none"):
        fa.Statistics(kinds=[])
    with pytest.raises(ValueError, match="expected different kinds, got 'p5' twice"):
        fa.Statistics(kinds=["p5", "p5"])
    with pytest.raises(ValueError, match="expected a window with hop, got None"):
        fa.Statistics(hop=3)
    with pytest.raises(ValueError, match=r"expected at most 2\*\*28 values at a time, got 1000000 rows"):
        fa.Statistics(window=1_000_000).open(fa.StreamSpec(rate_hz=1, shape=[1000]))
