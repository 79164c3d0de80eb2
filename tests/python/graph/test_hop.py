"""Pipeline.with_hop: windows that overlap are those of the same network, only more of them."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest
from fastaudio import cli, presets
from helpers import GUITAR, musicnn_front
from onnx import TensorProto, helper, numpy_helper

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


def test_the_step_is_told_as_it_is(tagger: fa.Pipeline) -> None:
    assert tagger.hop_s == pytest.approx(187 * ROW_S)
    assert tagger.with_hop(0.5).hop_s == pytest.approx(0.496)
    times = tagger.with_hop(0.5)(GUITAR).times
    assert np.diff(times[:, 0]) == pytest.approx(tagger.with_hop(0.5).hop_s)
    assert (tagger >> fa.Mean()).hop_s == np.inf
    assert (tagger >> {"all": fa.Mean(), "each": fa.L2Normalize()}).hop_s == np.inf


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


def recurrent(path: Path) -> fa.OnnxModel:
    """Return a network that adds up the rows that it hears."""
    rows = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 10, 96])
    heard = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 96]) for name in ("h", "y", "h_next")]
    axis = numpy_helper.from_array(np.array([1], np.int64), "axis")
    nodes = [
        helper.make_node("ReduceSum", ["x", "axis"], ["sum"], keepdims=0),
        helper.make_node("Add", ["sum", "h"], ["y"]),
        helper.make_node("Identity", ["y"], ["h_next"]),
    ]
    graph = helper.make_graph(nodes, "adder", [rows, heard[0]], heard[1:], [axis])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    path.write_bytes(model.SerializeToString())
    return fa.OnnxModel(str(path), outputs=["y"], state={"h": "h_next"})


REFUSED = (
    r"^Pipeline\.with_hop: expected a network without memory, got a recurrent one.*step of 0\.1 s; leave out"
)


def test_a_recurrent_network_keeps_its_own_step(tmp_path: Path) -> None:
    mel = fa.MelSpectrogram(sample_rate=16_000, hop_length=160, n_mels=96)
    cut, net = fa.Patches(length=10), recurrent(tmp_path / "net.onnx")
    for node in (
        mel >> cut >> net,
        mel >> cut >> net >> fa.Log(),
        mel >> cut >> {"tags": net, "rows": fa.Log()},
        mel >> (cut >> fa.Log()) >> fa.Concat(net, net),
        fa.Concat(mel >> cut >> net, mel >> cut >> net),
        mel >> {"net": cut >> net, "other": cut >> fa.Log()},
    ):
        pipeline = fa.Pipeline(node)
        for hop_s in (0.01, 0.05, 0.3):
            with pytest.raises(ValueError, match=REFUSED):
                pipeline.with_hop(hop_s)
        assert pipeline.with_hop(0.1).output_specs.keys() == pipeline.output_specs.keys()


def test_windows_behind_a_recurrent_network_or_around_one_take_any_step(tmp_path: Path) -> None:
    mel = fa.MelSpectrogram(sample_rate=16_000, hop_length=160, n_mels=96)
    net = recurrent(tmp_path / "net.onnx")
    behind = fa.Pipeline(mel >> fa.Patches(length=10) >> net >> fa.Patches(length=4)).with_hop(0.2)
    assert hops(behind) == [None, 2]
    inner = mel >> fa.Patches(length=10) >> net
    clips = fa.Pipeline(fa.Each(inner, clip_length=8000)).with_hop(0.25)
    assert clips.node == fa.Each(inner, clip_length=8000, hop=4000)
    sound = np.random.default_rng(0).standard_normal(16_000).astype(np.float32)
    alone = fa.Pipeline(inner)(sound[4000:12_000], sample_rate=16_000)
    assert np.array_equal(clips(sound, sample_rate=16_000)[1], alone)  # each clip starts anew
    condition = mel >> fa.Patches(length=10) >> net >> {"gamma": fa.L2Normalize(), "beta": fa.L2Normalize()}
    film = fa.Film(fa.Concat(mel >> fa.Patches(length=1)), condition, align="repeat")
    assert fa.Pipeline(film).with_hop(0.05).hop_s == pytest.approx(0.05)


def test_silero_vad_is_refused_another_step_everywhere(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    vad = fa.Pipeline.load("silero-vad")
    message = r"only with its own step of 0\.032 s; leave out hop_s \(--hop\)"
    with pytest.raises(ValueError, match=message):
        vad.with_hop(0.016)
    with pytest.raises(ValueError, match=message):
        vad.listen(fa.PcmSource(BytesIO(b""), sample_rate=16_000), hop_s=0.064)
    assert vad.with_hop(0.032).hop_s == vad.hop_s
    how = ["embed", str(GUITAR), "-o", str(tmp_path / "a.npz"), "--model", "silero-vad", "--hop", "0.016"]
    assert cli.main(how) == 2
    assert "only with its own step of 0.032 s; leave out hop_s (--hop)" in capsys.readouterr().err
    assert not (tmp_path / "a.npz").exists()


@pytest.mark.parametrize("hop_s", [1e308, 10**400])
def test_a_huge_hop_is_the_largest_or_a_value_error(hop_s: float) -> None:
    pipeline = fa.Pipeline(presets.musicnn())
    with pytest.raises(ValueError, match="expected hop in "):
        pipeline.with_hop(hop_s)
