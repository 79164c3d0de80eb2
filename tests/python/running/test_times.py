"""Times of rows: the same however the rows are divided, and never after the end of the sound."""

from __future__ import annotations

import fastaudio as fa
import numpy as np
import pytest
from fastaudio.running.times import row_times

(SPEC,) = (
    fa.MelSpectrogram(sample_rate=16_000, hop_length=160).output_specs(fa.StreamSpec(rate_hz=16_000)).values()
)


def test_rows_in_parts_have_the_times_of_the_whole_from_any_base() -> None:
    whole = row_times(SPEC, 200, 1.9)
    parts = [row_times(SPEC, n, 1.9, first=first) for first, n in ((0, 1), (1, 150), (151, 49))]
    assert np.array_equal(np.concatenate(parts), whole)
    assert whole[10] == pytest.approx((0.1, 0.1 + SPEC.span_s))
    assert whole.max() == 1.9
    later = row_times(SPEC, 200, 101.9, base_s=100.0)
    np.testing.assert_allclose(later, whole + 100, rtol=0, atol=1e-9)


def test_a_row_for_all_of_the_sound_lasts_from_its_base_to_its_end() -> None:
    (spec,) = fa.Mean().output_specs(SPEC).values()
    assert row_times(spec, 1, 7.5, base_s=2.5).tolist() == [[2.5, 7.5]]
