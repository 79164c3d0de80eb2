"""LinearSoftmaxPooling against float64 NumPy."""

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


@pytest.fixture(scope="module")
def scores(guitar_16k: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return bands of real sound squeezed into (0, 1) like a detector's scores; one label is never heard."""
    logs = musicnn_front()(guitar_16k)[:300, :12].astype(np.float64)
    probabilities = (1 / (1 + np.exp(3 - 2 * logs))).astype(np.float32)
    probabilities[:, 5] = 0
    return probabilities


def reference(p: NDArray[np.float32]) -> NDArray[np.float64]:
    wide = np.maximum(p.astype(np.float64), 0)
    total = wide.sum(axis=0)
    return np.divide((wide**2).sum(axis=0), total, out=np.zeros_like(total), where=total > 0)


@pytest.mark.parametrize("shape", [(), (12,), (3, 4)])
@given(n=st.integers(1, 250))
def test_a_clip_has_one_row(scores: NDArray[np.float32], shape: tuple[int, ...], *, n: int) -> None:
    rows = np.resize(scores, (n, *shape))
    node = fa.LinearSoftmaxPooling()
    got = node(rows)
    assert got.shape == (1, *shape)
    np.testing.assert_allclose(got[0], reference(rows), rtol=1e-7)


@given(
    n=st.integers(1, 120),
    window=st.integers(1, 40),
    hop=st.none() | st.integers(1, 50),
)
def test_windows_slide_by_a_hop(scores: NDArray[np.float32], *, n: int, window: int, hop: int | None) -> None:
    rows = np.ascontiguousarray(scores[:n])
    node = fa.LinearSoftmaxPooling(window=window, hop=hop)
    got = node(rows)
    starts = range(0, max(1, n - window + 1), hop or window)
    np.testing.assert_allclose(got, [reference(rows[i : i + window]) for i in starts], rtol=1e-7)


def test_it_lies_between_the_mean_and_the_largest(scores: NDArray[np.float32]) -> None:
    (got,), (mean,), (largest,) = fa.LinearSoftmaxPooling()(scores), fa.Mean()(scores), fa.Max()(scores)
    assert (mean <= got).all()
    assert (got <= largest).all()
    assert not got[5]


def test_a_window_forgets_what_left_it(scores: NDArray[np.float32]) -> None:
    loud = np.concatenate([np.ones((50, 12), dtype=np.float32), np.zeros((50, 12), dtype=np.float32), scores])
    late = fa.LinearSoftmaxPooling(window=50, hop=50)(loud)
    assert not late[1].any()
    assert np.array_equal(late[2:], fa.LinearSoftmaxPooling(window=50, hop=50)(scores))


def test_tags_of_a_clip_keep_their_names() -> None:
    spec = fa.StreamSpec(rate_hz=10, shape=[3], unit="probability")
    node = fa.Tags(["a", "b", "c"]) >> fa.LinearSoftmaxPooling()
    (out,) = node.output_specs(spec).values()
    assert (out.rate_hz, out.shape, out.unit, out.labels) == (0, (3,), "probability", ["a", "b", "c"])
    (out,) = fa.LinearSoftmaxPooling(window=5, hop=2).output_specs(spec).values()
    assert (out.rate_hz, out.shape) == (5, (3,))
    assert out.latency_s == pytest.approx(0.4 + spec.latency_s)


def test_options_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="LinearSoftmaxPooling: expected a window with hop, got None"):
        fa.LinearSoftmaxPooling(hop=3)
    with pytest.raises(ValueError, match=r"expected at most 2\*\*28 values at a time, got 1000000 rows"):
        fa.LinearSoftmaxPooling(window=1_000_000).open(fa.StreamSpec(rate_hz=1, shape=[1000]))
