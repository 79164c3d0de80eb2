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


MEL = fa.MelSpectrogram(sample_rate=16_000, n_fft=512, hop_length=256, n_mels=8)
SOUND = np.zeros(16_100, dtype=np.float32)


def test_a_pipeline_tells_when_its_rows_happened() -> None:
    pipeline = fa.Pipeline(MEL >> fa.Log())
    rows = pipeline(SOUND, sample_rate=16_000)
    times = pipeline.times(rows, duration_s=len(SOUND) / 16_000)
    assert times.shape == (len(rows), 2)
    assert times[:2].tolist() == [[0, 0.016], [0.016, 0.032]]
    assert times[-1, 1] == len(SOUND) / 16_000
    open_end = pipeline.times(rows)
    assert np.array_equal(open_end[:-1], times[:-1])
    assert open_end[-1, 1] == pytest.approx(len(rows) * 0.016)


def test_rows_of_several_outputs_have_times_by_name() -> None:
    pipeline = fa.Pipeline(MEL >> {"log": fa.Log(), "mean": fa.Mean()})
    rows = pipeline(SOUND, sample_rate=16_000)
    times = pipeline.times(rows, duration_s=1.00625)
    assert list(times) == ["log", "mean"]
    assert len(times["log"]) == len(rows["log"])
    assert times["mean"].tolist() == [[0, 1.00625]]
    with pytest.raises(TypeError, match=r"^Pipeline\.times: expected a dict by output name, got ndarray"):
        pipeline.times(rows["log"])
    with pytest.raises(ValueError, match=r"expected outputs among 'log', 'mean', got 'nope'$"):
        pipeline.times({"nope": rows["log"]})


def test_tags_keep_their_own_times(tagger: fa.Pipeline) -> None:
    tags = tagger(SOUND, sample_rate=16_000)
    assert tagger.times(tags) is tags.times


@pytest.mark.parametrize(
    ("node", "rows", "message"),
    [
        (MEL, np.zeros((8, 5), "f4"), r"expected rows \[n_rows, 8\], got \(8, 5\); pass rows\.T$"),
        (MEL, np.zeros((5, 9), "f4"), r"got \(5, 9\)$"),
        (MEL, np.float32(1), r"got \(\)$"),
        (MEL, [[1.0] * 8], "expected rows as an array, got list"),
        (MEL >> fa.Mean(), np.zeros((1, 8), "f4"), "expected duration_s= with a row for the whole signal"),
        (MEL >> fa.Tags(list("abcdefgh")) >> fa.Events(), np.zeros((1, 6), "f4"), "got events"),
    ],
)
def test_rows_that_a_pipeline_did_not_give_have_no_times(node: fa.Node, rows: object, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=rf"^Pipeline\.times: .*{message}"):
        fa.Pipeline(node).times(rows)
