"""Unroll against its rules in exact fractions, as the inverse of Patches, and with networks."""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import fastaudio as fa
import numpy as np
import pytest
from helpers import GUITAR, assert_same_bits, by_name, decode, in_chunks, rotated
from hypothesis import given
from hypothesis import strategies as st

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Network(NamedTuple):
    """Frames of a patch of samples, cut as a network's rows lie in its patch."""

    rate: int
    length: int  # samples of a patch
    hop: int  # between patches
    frame: int
    step: int  # between rows
    center: bool = False
    given: bool = True  # whether Unroll is told the rate of the rows

    def patches(self) -> fa.Node:
        mel = fa.MelSpectrogram(
            sample_rate=self.rate, n_fft=self.frame, hop_length=self.step, n_mels=2, center=self.center
        )
        return fa.Each(mel, self.length, hop=self.hop)

    def unroll(self, overlap: str) -> fa.Unroll:
        return fa.Unroll(rate_hz=self.rate / self.step if self.given else None, overlap=overlap)


NETWORKS = {
    "basic-pitch": Network(22_050, 36_352 + 3652, 36_164, 3908, 256),
    "pyannote": Network(16_000, 160_000, 16_000, 991, 270),
    "pyannote, spread": Network(16_000, 160_000, 16_000, 991, 270, given=False),
    "one patch after another, spread": Network(16_000, 48_000, 48_000, 991, 270, given=False),
    "centred": Network(16_000, 16_000, 8000, 400, 160, center=True),
    "odd": Network(16_000, 5001, 1237, 400, 173),
    "rows slower than patches": Network(16_000, 16_000, 1000, 400, 3700, given=False),
}
every_network = pytest.mark.parametrize("name", NETWORKS)
OVERLAPS = ["trim", "mean", "hamming"]
every_overlap = pytest.mark.parametrize("overlap", OVERLAPS)
some_overlaps = pytest.mark.parametrize(("name", "overlap"), rotated(NETWORKS, OVERLAPS, 2))
NOISE = np.random.default_rng(3).normal(0, 0.1, 400_000).astype(np.float32)


@cache
def patches_of(name: str) -> NDArray[np.float32]:
    patches = NETWORKS[name].patches()(NOISE)
    assert isinstance(patches, np.ndarray)
    return patches


def reference(name: str, overlap: str) -> NDArray[np.float64]:
    """Return what the documentation says of all patches, in float64."""
    network, patches = NETWORKS[name], patches_of(name)
    n_rows = patches.shape[1]
    rate = Fraction(network.rate, network.step)
    if not network.given:
        rate = Fraction(n_rows * network.rate, network.length)
    step = rate * Fraction(network.hop, network.rate)
    used = min(n_rows, -((-rate * network.length) // network.rate))
    starts = [int((k * step + Fraction(1, 2)) // 1) for k in range(len(patches) + 1)]
    cuts = [0, *[(b + a + used) // 2 for a, b in pairwise(starts)]]
    cuts[-1] = starts[-2] + used  # the last patch gives all
    sums = np.zeros((cuts[-1], patches.shape[2]))
    totals = np.zeros((cuts[-1], 1))
    window = np.hamming(n_rows) if overlap == "hamming" else np.ones(n_rows)
    for k, patch in enumerate(patches.astype(np.float64)):
        for j in range(used):
            row = starts[k] + j
            if overlap != "trim" or cuts[k] <= row < cuts[k + 1]:
                sums[row] += window[j] * patch[j]
                totals[row] += window[j]
    assert (totals > 0).all()
    return sums / totals


@every_network
@every_overlap
def test_rows_lie_where_their_patches_began(name: str, overlap: str) -> None:
    chain = NETWORKS[name].patches() >> NETWORKS[name].unroll(overlap)
    got = chain(NOISE)
    assert isinstance(got, np.ndarray)
    want = reference(name, overlap)
    assert got.shape == want.shape
    np.testing.assert_allclose(got, want, rtol=1e-6, atol=1e-9)


@some_overlaps
def test_blocks_of_any_length_give_the_same_bits(name: str, overlap: str) -> None:
    chain = NETWORKS[name].patches() >> NETWORKS[name].unroll(overlap)
    cuts = np.random.default_rng(5).integers(0, len(NOISE), 40)
    assert_same_bits(in_chunks(chain, NOISE, cuts), by_name(chain(NOISE)))


@some_overlaps
def test_rows_come_out_when_stated_in_samples(name: str, overlap: str) -> None:
    network = NETWORKS[name]
    chain = network.patches() >> network.unroll(overlap)
    assert chain.input_spec is not None
    (spec,) = chain.output_specs(chain.input_spec).values()
    stream, n_rows, spare, at = chain.open(), 0, [], 0
    for at in range(100, 300_000, 100):
        for _ in np.asarray(stream.push(NOISE[at - 100 : at])):
            spare.append((n_rows / spec.rate_hz + spec.latency_s) * network.rate - at)
            n_rows += 1
    assert n_rows > 10
    assert min(spare) > -100 - 1e-3, "a row is late"
    assert min(spare) < network.rate / spec.rate_hz + 100, "every row comes before it has to"


@pytest.mark.parametrize("hours", [1, 100])
def test_times_do_not_drift(hours: int) -> None:
    patch = fa.StreamSpec(rate_hz=22_050 / 36_164, shape=[142, 1])
    node = fa.Unroll(rate_hz=22_050 / 256, overlap="trim")
    stream = node.open(patch)
    n_patches = hours * 2195
    n_rows = sum(len(stream.push(np.zeros((5, 142, 1), np.float32))) for _ in range(n_patches // 5))
    n_patches = n_patches // 5 * 5
    n_rows += len(stream.flush())
    exact = Fraction((n_patches - 1) * 36_164, 256)
    assert n_rows == int((exact + Fraction(1, 2)) // 1) + 142


@given(
    n=st.integers(1, 60),
    length=st.integers(1, 12),
    hop=st.integers(1, 12),
    context=st.integers(0, 4),
    overlap=st.sampled_from(["trim", "mean", "hamming"]),
)
def test_patches_unrolled_are_the_rows_again(
    n: int, length: int, hop: int, context: int, overlap: str
) -> None:
    rows = np.random.default_rng(n).normal(size=(n, 3)).astype(np.float32)
    hop = min(hop, length)
    cut = fa.Patches(length=length, hop=hop, context=context, last="pad", pad_value=99)
    spec = fa.StreamSpec(rate_hz=62.5, shape=[3])
    got = in_chunks(cut >> fa.Unroll(overlap=overlap, context=context), rows, (), spec)[""]
    if overlap == "trim":
        np.testing.assert_array_equal(got, rows)
    else:
        np.testing.assert_allclose(got, rows, rtol=1e-6)


def test_samples_are_whole_again_and_stay_samples() -> None:
    chain = fa.Patches(length=1600, hop=1000, last="pad") >> fa.Unroll()
    spec = fa.StreamSpec(rate_hz=16_000)
    (out,) = chain.output_specs(spec).values()
    assert (out.kind, out.shape) == ("samples", ())
    assert out.rate_hz == pytest.approx(16_000, rel=1e-12)
    np.testing.assert_array_equal(in_chunks(chain, NOISE[:54_321], (), spec)[""], NOISE[:54_321])


def test_rows_of_padding_are_left_out_behind_branches_too() -> None:
    rows = np.random.default_rng(0).normal(size=(23, 3)).astype(np.float32)
    branches = {"a": fa.Sigmoid() >> fa.Unroll(), "b": fa.Unroll()}
    chain = fa.Patches(length=10, hop=10, last="repeat") >> branches
    got = in_chunks(chain, rows, (7,), fa.StreamSpec(rate_hz=10, shape=[3]))
    assert {name: len(values) for name, values in got.items()} == {"a": 23, "b": 23}
    np.testing.assert_array_equal(got["b"], rows)


def test_names_and_frequencies_of_the_last_axis_stay() -> None:
    labels = fa.Tags(["a", "b"]).output_specs(fa.StreamSpec(rate_hz=50, shape=[2]))[""]
    (out,) = (fa.Patches(length=7) >> fa.Unroll()).output_specs(labels).values()
    assert (out.labels, out.kind, out.shape) == (["a", "b"], "scores", (2,))
    assert out.rate_hz == pytest.approx(50)
    assert out.span_s == pytest.approx(1 / 50)
    (one,) = (fa.Sigmoid() >> fa.Unroll()).output_specs(fa.StreamSpec(rate_hz=2, shape=[5])).values()
    assert (one.shape, one.kind, one.rate_hz) == ((1,), "rows", 10)


def test_the_latency_is_that_of_the_patches() -> None:
    spec = fa.StreamSpec(rate_hz=2, shape=[5, 1])  # latency of a patch: 0.5 s
    for overlap in ("trim", "mean"):
        assert fa.Unroll(overlap=overlap).output_specs(spec)[""].latency_s == pytest.approx(0.5)
    waits = fa.Unroll(overlap="mean", context=2).output_specs(spec)[""]
    assert waits.rate_hz == pytest.approx(6)
    assert waits.latency_s == pytest.approx(0.5 + 2 / 6)
    rows = fa.StreamSpec(rate_hz=10, shape=[1])
    for overlap, reach_s in (("trim", 1.0), ("mean", 1.5)):
        chain = fa.Patches(length=10, hop=5) >> fa.Unroll(overlap=overlap)
        assert chain.receptive_field_s(rows) == pytest.approx(reach_s)


def test_what_does_not_fit_is_refused_with_a_remedy() -> None:
    patches = fa.StreamSpec(rate_hz=0.1, shape=[589, 7])
    for rate_hz, remedy in (
        (60.0, "patches without a gap .* got 589 rows at 60.0 Hz .*; choose a smaller hop"),
        (30.0, "rows that begin before their patch ends, .*; leave out rate_hz"),
    ):
        with pytest.raises(ValueError, match=f"^Unroll: expected {remedy}"):
            fa.Unroll(rate_hz=rate_hz).output_specs(patches)
    with pytest.raises(ValueError, match="expected context below the 5 rows of a patch, got 5"):
        fa.Unroll(context=5).output_specs(fa.StreamSpec(rate_hz=1, shape=[5, 1]))
    with pytest.raises(ValueError, match=r"expected patches \[n_rows, ...\], got rows .*; compose after"):
        fa.Unroll().output_specs(fa.StreamSpec(rate_hz=16_000))
    labels = fa.Tags(["a", "b"]).output_specs(fa.StreamSpec(rate_hz=50, shape=[2]))[""]
    with pytest.raises(ValueError, match=r"got rows \[50 Hz, 2\] of bands or labels"):
        fa.Unroll().output_specs(labels)
    with pytest.raises(ValueError, match=r"patches \[n_rows, ...\] over time, got rows \[once, 3"):
        fa.MelSpectrogram() >> fa.EnergyPatch(length=3) >> fa.Unroll()


def test_the_frames_of_a_network_end_with_the_sound_and_are_those_of_its_windows() -> None:
    notes = fa.Pipeline.load("basic-pitch").layer("note")
    frames = notes >> fa.Unroll(rate_hz=22_050 / 256)
    sound = decode(GUITAR)[0][: 3 * 44_100, 0].copy()
    got = frames(sound, sample_rate=44_100)
    windows = notes(sound, sample_rate=44_100)
    assert isinstance(got, np.ndarray)
    assert isinstance(windows, np.ndarray)
    assert windows.shape == (2, 142, 88)
    assert len(got) == 259  # the last one begins 258 * 256 / 22050 = 2.995 s after the first
    np.testing.assert_array_equal(got[:141], windows[0, :141])
    np.testing.assert_array_equal(got[141:], windows[1, : 259 - 141])
    with frames.open(sample_rate=44_100) as stream:
        parts = [stream.push(sound[i : i + 4410]) for i in range(0, len(sound), 4410)]
        live = np.concatenate([*parts, stream.flush()])
    assert live.shape == got.shape
    np.testing.assert_allclose(live, got, atol=1e-5)


@pytest.mark.parametrize("overlap", ["trim", "mean", "hamming"])
@pytest.mark.parametrize("hop", [5328, 5250, 7999, 161])
def test_no_row_begins_at_the_end_of_the_sound(hop: int, overlap: str) -> None:
    frames = fa.RMS(sample_rate=16_000, frame_length=160, hop_length=160, center=False)
    cut = fa.Each(frames, 16_000, hop=hop, last="pad")
    pipeline = fa.Pipeline(cut >> fa.Unroll(rate_hz=100, overlap=overlap))
    for n in (16_000, 16_001, 16_160, 24_000, 40_000, 40_001):
        rows = np.asarray(pipeline(np.ones(n, dtype=np.float32), sample_rate=16_000))
        times = pipeline.times(rows, duration_s=n / 16_000)
        assert (times[:, 1] > times[:, 0]).all(), (n, times[-2:])
        assert times[-1, 1] > n / 16_000 - 0.02
