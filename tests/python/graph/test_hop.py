"""Pipeline.with_hop: windows that overlap are those of the same network, only more of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest
from fastaudio import presets
from helpers import GUITAR, musicnn_front

if TYPE_CHECKING:
    from pathlib import Path

ROW_S = 256 / 16_000


def test_windows_where_the_original_has_some_are_the_original_s(tagger: fa.Pipeline) -> None:
    often = tagger.with_hop(17 * ROW_S)(GUITAR)  # eleven times as often
    want = tagger(GUITAR)
    assert len(often.scores[::11]) >= len(want.scores) == 3
    np.testing.assert_allclose(often.scores[::11][:3], want.scores, rtol=0, atol=1e-6)
    np.testing.assert_allclose(often.times[::11][:3], want.times, rtol=0, atol=1e-9)


def test_windows_are_those_of_patches_with_that_hop(tagger: fa.Pipeline) -> None:
    often = tagger.with_hop(0.5)  # 31.25 rows
    (spec,) = often.output_specs.values()
    assert spec.rate_hz == pytest.approx(1 / (31 * ROW_S))
    assert "Patches(length=187, hop=31)" in repr(often.node)
    tags = often(GUITAR)
    assert np.diff(tags.times[:, 0]) == pytest.approx(31 * ROW_S)
    assert tags.times[:-1, 1] - tags.times[:-1, 0] == pytest.approx(187 * ROW_S)


def test_latency_and_span_stay_and_weights_are_shared(tagger: fa.Pipeline) -> None:
    often = tagger.with_hop(0.5)
    assert (often.latency_s, often.receptive_field_s) == (tagger.latency_s, tagger.receptive_field_s)
    (one,), (other,) = often.output_specs.values(), tagger.output_specs.values()
    assert one.span_s == other.span_s
    assert isinstance(often.node, fa.Sequential)
    assert isinstance(tagger.node, fa.Sequential)
    assert often.node[3] is tagger.node[3]
    assert often.with_hop(187 * ROW_S).node == tagger.node


def test_the_rest_is_kept_and_a_card_has_the_new_step(tagger: fa.Pipeline, tmp_path: Path) -> None:
    left = fa.Pipeline(tagger.node, channel=0, quality="best", card=tagger.card).with_hop(1)
    assert (left.name, left.channel, left.quality) == ("musicnn-mtt", 0, "best")
    left.save(tmp_path / "card.json")
    again = fa.Pipeline.load(tmp_path / "card.json")
    assert (again.channel, again.quality) == (0, "best")
    assert again.card["citation"] == tagger.card["citation"]
    assert again.output_specs[""].rate_hz == left.output_specs[""].rate_hz
    assert "hop=62" in repr(again.node)
    assert "hop=187" in repr(tagger.node)


def test_a_step_below_a_row_is_a_row() -> None:
    often = fa.Pipeline(musicnn_front() >> fa.Patches(length=4, last="pad", pad_value=-1)).with_hop(1e-9)
    assert repr(often.node).endswith(repr(fa.Patches(length=4, hop=1, last="pad", pad_value=-1)))


def hops(pipeline: fa.Pipeline) -> list[int | None]:
    """Return the step of each Patches in a chain of nodes."""
    node = pipeline.node
    assert isinstance(node, fa.Sequential)
    parts = [node[i] for i in range(len(node))]
    return [part.hop for part in parts if isinstance(part, fa.Patches)]


def test_the_last_patches_on_the_way_to_a_result_take_the_step() -> None:
    front = musicnn_front() >> fa.Patches(length=10, hop=5) >> fa.Patches(length=4)
    assert hops(fa.Pipeline(front).with_hop(0.16)) == [5, 2]
    windows = fa.Each(musicnn_front() >> fa.Patches(length=10), clip_length=8000)
    assert fa.Pipeline(windows).with_hop(0.25).node == fa.Each(windows.inner, clip_length=8000, hop=4000)


def test_branches_take_it_each_and_those_without_patches_stay() -> None:
    branches = {"cut": fa.Log() >> fa.Patches(length=10), "loud": fa.Log(kind="dB")}
    mel = fa.MelSpectrogram(sample_rate=16_000, hop_length=160)
    specs = fa.Pipeline(mel >> branches).with_hop(0.05).output_specs
    assert [spec.rate_hz for spec in specs.values()] == pytest.approx([20, 100])
    before = mel >> fa.Patches(length=10) >> {"a": fa.Log(), "b": fa.Log(kind="dB")}
    specs = fa.Pipeline(before).with_hop(0.05).output_specs
    assert [spec.rate_hz for spec in specs.values()] == pytest.approx([20, 20])


def test_joined_branches_take_it_each_but_a_condition_keeps_its_own() -> None:
    mel = fa.MelSpectrogram(sample_rate=16_000, hop_length=160)
    cut, long = mel >> fa.Patches(length=10), mel >> fa.Log() >> fa.Patches(length=100)
    joined = fa.Concat(cut, long, rate_of=1, align="average")
    node = fa.Pipeline(joined).with_hop(0.05).node
    assert node == fa.Concat(
        mel >> fa.Patches(length=10, hop=5),
        mel >> fa.Log() >> fa.Patches(length=100, hop=5),
        rate_of=1,
        align="average",
    )
    condition = fa.Patches(length=10) >> {"gamma": fa.L2Normalize(), "beta": fa.Log()}
    film = fa.Pipeline(fa.Film(cut, mel >> condition)).with_hop(0.05).node
    assert film == fa.Film(mel >> fa.Patches(length=10, hop=5), mel >> condition)
    front = mel >> fa.Patches(length=10)
    both = front >> fa.Concat(fa.Log(), fa.L2Normalize())
    assert fa.Pipeline(both).with_hop(0.05).output_specs[""].rate_hz == pytest.approx(20)


@pytest.mark.parametrize("hop_s", [0, -1, float("nan"), float("inf")])
def test_a_step_that_is_none_is_refused(tagger: fa.Pipeline, hop_s: float) -> None:
    with pytest.raises(ValueError, match=r"^Pipeline\.with_hop: expected hop_s above 0 s, got "):
        tagger.with_hop(hop_s)


@pytest.mark.parametrize("hop_s", ["1", True, None, [1]])
def test_a_step_that_is_no_number_is_refused(tagger: fa.Pipeline, hop_s: Any) -> None:
    with pytest.raises(TypeError, match=r"^Pipeline\.with_hop: expected hop_s as a number of seconds, got "):
        tagger.with_hop(hop_s)


def test_a_pipeline_without_patches_is_refused() -> None:
    message = r"^Pipeline\.with_hop: expected a pipeline with Patches or Each, got "
    with pytest.raises(ValueError, match=message):
        fa.Pipeline(musicnn_front()).with_hop(0.5)
    with pytest.raises(ValueError, match=r"^Patches: expected hop in "):
        fa.Pipeline(presets.musicnn()).with_hop(1e9)
