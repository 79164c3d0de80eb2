"""Unroll of rows that overlap, in branches, over long times, and with rates at the limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import fastaudio as fa
import numpy as np
import pytest

if TYPE_CHECKING:
    from numpy.typing import NDArray

SPEC = fa.StreamSpec(rate_hz=10.0, shape=[1])
RAMP = np.arange(1, 401, dtype=np.float32)[:, None]


def run(node: fa.Node, rows: NDArray[np.float32], spec: fa.StreamSpec = SPEC) -> NDArray[np.float32]:
    """Return all that a stream of this spec gives."""
    stream = node.open(spec)
    parts = [stream.push(rows), stream.flush()]
    return np.concatenate([np.asarray(part) for part in parts])


@pytest.mark.parametrize("overlap", ["trim", "mean", "hamming"])
@pytest.mark.parametrize("hop", [4, 2])
def test_windows_that_overlap_come_back_as_they_were(overlap: str, hop: int) -> None:
    windows = fa.LinearSoftmaxPooling(window=20, hop=10)
    node = windows >> fa.Patches(length=4, hop=hop, last="pad") >> fa.Unroll(overlap=overlap)
    want, got = windows.output_specs(SPEC)[""], node.output_specs(SPEC)[""]
    assert (want.rate_hz, want.span_s) == (1.0, 2.0)
    assert (got.rate_hz, got.span_s) == (1.0, 2.0)
    np.testing.assert_allclose(run(node, RAMP), run(windows, RAMP), rtol=1e-6, atol=0)


def test_patches_within_patches_come_back_one_after_the_other() -> None:
    windows = fa.LinearSoftmaxPooling(window=20, hop=10)
    cut = windows >> fa.Patches(length=6, hop=3) >> fa.Patches(length=2)
    once, twice = cut >> fa.Unroll(), cut >> fa.Unroll() >> fa.Unroll()
    patches = (windows >> fa.Patches(length=6, hop=3)).output_specs(SPEC)[""]
    spec = once.output_specs(SPEC)[""]
    np.testing.assert_allclose([spec.rate_hz, spec.span_s], [patches.rate_hz, patches.span_s], rtol=1e-12)
    spec = twice.output_specs(SPEC)[""]
    np.testing.assert_allclose([spec.rate_hz, spec.span_s], [1, 2], rtol=1e-12)


def test_rows_of_joined_branches_end_with_the_signal() -> None:
    cut, unroll = fa.Patches(length=4, last="pad"), fa.Unroll()
    rows = RAMP[:10]
    assert len(run(cut >> unroll, rows)) == 10
    np.testing.assert_array_equal(run(cut >> fa.Concat(unroll, unroll), rows), np.repeat(rows, 2, axis=1))
    film = fa.Film(unroll, fa.Parallel({"gamma": unroll, "beta": unroll}))
    np.testing.assert_array_equal(run(cut >> film, rows), rows * rows + rows)


def test_a_step_that_is_nearly_whole_does_not_drift() -> None:
    step, n = 10 + 1.5e-5, 100_000
    patches = np.zeros((n, 11, 1), dtype=np.float32)
    rows = run(fa.Unroll(rate_hz=step), patches, fa.StreamSpec(rate_hz=1.0, shape=[11, 1]))
    assert abs(len(rows) - ((n - 1) * step + 11)) <= 1


@pytest.mark.parametrize("overlap", ["trim", "mean"])
def test_rows_rarer_than_can_be_counted_are_refused(overlap: str) -> None:
    spec = fa.StreamSpec(rate_hz=1.0, shape=[2, 1])
    with pytest.raises(ValueError, match="expected a row in 65536 patches or fewer"):
        fa.Unroll(rate_hz=1e-6, overlap=overlap).output_specs(spec)
    rarest = fa.Unroll(rate_hz=1 / 65536, overlap=overlap)
    assert rarest.output_specs(spec)[""].rate_hz == 1 / 65536
    assert 0 < rarest.receptive_field_s(spec) <= 2 * 65536
