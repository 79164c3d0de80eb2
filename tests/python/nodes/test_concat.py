"""Concat: branches of different rates joined row by row, against what NumPy makes of their rows."""

from __future__ import annotations

import math
import pickle
from fractions import Fraction
from itertools import count
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest
from fastaudio import cards
from fastaudio.cards import card
from helpers import GUITAR, ONNX, assert_same_bits, by_name, in_chunks
from hypothesis import given
from hypothesis import strategies as st

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

RATE = 16_000
MEL = fa.MelSpectrogram(sample_rate=RATE, n_fft=512, hop_length=160, n_mels=24)
LOG = MEL >> fa.Log()


def means(window: int, hop: int | None = None, kinds: tuple[str, ...] = ("mean",)) -> fa.Node:
    """Return the node that pools log-mel over windows of frames of 10 ms."""
    return LOG >> fa.Statistics(kinds=list(kinds), window=window, hop=hop)


def only(rows: Any) -> NDArray[np.float32]:
    return by_name(rows)[""]


def joined(
    parts: list[NDArray[np.float32]], hops: list[int], to: int, *, average: bool = False
) -> NDArray[np.float32]:
    """Return rows joined by the rule: each beside the last that began by then, or the mean in its step."""
    rows = []
    for i in count():
        start, end = i * hops[to], (i + 1) * hops[to]
        beside = []
        for part, hop in zip(parts, hops, strict=True):
            within = [k for k in range(-(-start // hop), -(-end // hop)) if k < len(part)]
            last = start // hop
            if average and hop < hops[to] and within:
                beside.append(part[within].mean(axis=0, dtype=np.float64).astype(np.float32))
            elif (not average or hop >= hops[to]) and last < len(part):
                beside.append(part[last])
        if len(beside) < len(parts):
            break
        rows.append(np.concatenate([row.reshape(-1) for row in beside]))
    size = sum(math.prod(part.shape[1:]) for part in parts)
    return np.stack(rows) if rows else np.empty((0, size), np.float32)


def test_a_second_beside_a_tenth_repeats_ten_times(guitar_16k: NDArray[np.float32]) -> None:
    slow, fast = means(100), means(10, kinds=("mean", "max"))
    got = only(fa.Concat(slow, fast)(guitar_16k))
    seconds, tenths = only(slow(guitar_16k)), only(fast(guitar_16k))
    n = 10 * len(seconds)
    assert n == 90
    want = np.concatenate([np.repeat(seconds, 10, axis=0).reshape(n, -1), tenths[:n].reshape(n, -1)], axis=1)
    assert_same_bits({"": got}, {"": want})


def test_rates_of_vggish_and_openl3_do_not_drift(guitar_16k: NDArray[np.float32]) -> None:
    x = np.tile(guitar_16k, 6)  # a minute
    vggish, openl3 = means(96), means(10)  # 0.96 s and 0.1 s: 48 rows beside 5
    parts = [only(vggish(x)), only(openl3(x))]
    got = only(fa.Concat(vggish, openl3)(x))
    assert_same_bits({"": got}, {"": joined(parts, [96, 10], 1)})
    beside = [int(np.flatnonzero((parts[0].reshape(-1, 24) == row).all(axis=1))[0]) for row in got[:, :24]]
    assert beside == [math.floor(Fraction(i * 10, 96)) for i in range(len(got))]
    assert beside[:10] == [0] * 10
    assert beside[480] == 50


branch = st.tuples(st.integers(1, 40), st.integers(1, 40))


@given(
    branches=st.lists(branch, min_size=1, max_size=4),
    to=st.integers(0, 3) | st.none(),
    average=st.booleans(),
    cuts=st.lists(st.integers(0, 40_000), min_size=1, max_size=9),
)
def test_any_rates_and_any_chunking(
    guitar_16k: NDArray[np.float32],
    branches: list[tuple[int, int]],
    to: int | None,
    average: bool,
    cuts: list[int],
) -> None:
    nodes = [means(window, hop) for window, hop in branches]
    hops = [hop for _, hop in branches]
    to = None if to is None else to % len(nodes)
    node = fa.Concat(*nodes, rate_of=to, align="average" if average else "repeat")
    x = guitar_16k[20_000 : 20_000 + max(cuts)]
    reference = hops.index(min(hops)) if to is None else to
    want = joined([only(part(x)) for part in nodes], hops, reference, average=average)
    got = only(node(x))
    np.testing.assert_allclose(got, want, rtol=1e-6, atol=1e-6)
    if not average:
        assert_same_bits({"": got}, {"": want})
    assert_same_bits(in_chunks(node, x, cuts), {"": got})


def test_more_than_one_piece_at_once(guitar_16k: NDArray[np.float32]) -> None:
    x = np.tile(guitar_16k, 3)
    node = fa.Concat(means(300), LOG)
    parts = [only(means(300)(x)), only(LOG(x))]
    assert len(x) > 4 * 65_536
    assert_same_bits({"": only(node(x))}, {"": joined(parts, [300, 1], 1)})
    assert_same_bits(in_chunks(node, x, range(0, len(x), 997)), {"": only(node(x))})


@pytest.mark.parametrize("align", ["repeat", "average"])
@pytest.mark.parametrize("to", [None, 0, 1, 2])
def test_threads_give_the_same_bits(guitar_16k: NDArray[np.float32], align: str, to: int | None) -> None:
    x = np.tile(guitar_16k, 6)
    node = fa.Concat(means(48, 32), means(10), means(7, 11), rate_of=to, align=align)
    assert_same_bits({"": node(x, threads=2)}, {"": node(x)})


def test_resampled_branches_of_one_rate_are_shared_in_whole_cycles(guitar_16k: NDArray[np.float32]) -> None:
    x = np.tile(guitar_16k, 6)
    frames = fa.MelSpectrogram(sample_rate=RATE, n_fft=512, hop_length=100, n_mels=4)
    low = fa.Resample(input_rate=44_100, output_rate=RATE, quality="fast") >> frames  # 8 rows in 2205 samples
    node = fa.Concat(low, low >> fa.Statistics(window=3, hop=1))
    assert_same_bits({"": node(x, threads=2)}, {"": node(x)})


def test_branches_with_resamplers_join_at_the_rates_of_the_sound(
    guitar: tuple[NDArray[np.float32], int],
) -> None:
    x = np.ascontiguousarray(guitar[0][:, 0])
    low = fa.Resample(input_rate=44_100, output_rate=RATE) >> means(96)
    high = fa.MelSpectrogram(sample_rate=44_100, hop_length=441, n_mels=8) >> fa.Statistics(window=10)
    got = only(fa.Concat(low, high)(x))
    parts = [only(low(x)), only(high(x))]
    assert got.shape[1] == 24 + 16
    assert_same_bits({"": got}, {"": joined(parts, [96, 10], 1)})


def test_rows_that_other_threads_still_compute_are_waited_for(guitar_16k: NDArray[np.float32]) -> None:
    model, x = str(ONNX / "film.onnx"), np.tile(guitar_16k, 3)
    nets = [fa.OnnxModel(model, outputs=["gamma"], threads=threads) for threads in (1, 3)]
    two = fa.Concat(means(4), means(4))  # 48 values, as the network takes
    one, several = (fa.Concat(means(30), two >> net) for net in nets)
    want = only(one(x))
    np.testing.assert_allclose(only(several(x)), want, rtol=0, atol=1e-5)
    stream = several.open()
    blocks = [stream.push(x[start : start + 1600], wait=False) for start in range(0, len(x), 1600)]
    np.testing.assert_allclose(np.concatenate([*blocks, stream.flush()]), want, rtol=0, atol=1e-5)
    stream.reset()
    settled = [len(stream.push(x[start : start + 1600])) for start in range(0, 20 * 1600, 1600)]
    assert sum(settled) == len(only(one.open().push(x[: 20 * 1600])))


def test_clips_join_the_same_within_an_each_and_outside(guitar_16k: NDArray[np.float32]) -> None:
    x = guitar_16k[20_000:60_000]
    a, b = LOG >> fa.Mean(), MEL >> fa.Max()
    within = fa.Each(fa.Concat(a, b), clip_length=8000)
    outside = fa.Concat(fa.Each(a, clip_length=8000), fa.Each(b, clip_length=8000))
    got = only(within(x))
    assert got.shape == (5, 1, 48)
    assert_same_bits({"": got.reshape(5, 48)}, {"": only(outside(x))})
    with pytest.raises(ValueError, match=r"^MelSpectrogram: expected samples \[8000 Hz\], got samples "):
        fa.Concat(
            fa.Each(a, clip_length=8000), fa.Each(fa.MelSpectrogram(sample_rate=8000), clip_length=8000)
        )


def test_rows_of_a_whole_clip_join_once(guitar_16k: NDArray[np.float32]) -> None:
    node = LOG >> fa.Concat(fa.Mean(), fa.Max(), fa.Statistics(kinds=["std"]))
    rows = only(LOG(guitar_16k))
    got = only(node(guitar_16k))
    assert got.shape == (1, 72)
    np.testing.assert_allclose(got[0], [*rows.mean(0), *rows.max(0), *rows.std(0)], rtol=1e-4, atol=1e-4)
    assert only(node(guitar_16k[:0])).shape == (0, 72)


def test_rows_of_any_shape_become_vectors(guitar_16k: NDArray[np.float32]) -> None:
    patches = LOG >> fa.Patches(length=5, hop=2)
    level = fa.RMS(sample_rate=RATE, frame_length=512, hop_length=320)
    got = only(fa.Concat(patches, level)(guitar_16k))
    want = only(patches(guitar_16k)).reshape(-1, 120)
    assert_same_bits({"": np.ascontiguousarray(got[:, :120])}, {"": want})
    assert_same_bits({"": got[:, 120].copy()}, {"": only(level(guitar_16k)).reshape(-1)[: len(want)]})


@pytest.mark.parametrize(
    ("node", "rate_hz", "span_s", "latency_s"),
    [
        (fa.Concat(means(100), means(10)), 10, 0.1, 0.99 + 256 / RATE),
        (fa.Concat(means(100), means(10), rate_of=0), 1, 1, 0.99 + 256 / RATE),
        (fa.Concat(means(50, 100), means(10), rate_of=0, align="average"), 1, 0.5, 0.99 + 256 / RATE),
        (fa.Concat(means(2, 3), means(2), rate_of=0, align="average"), 100 / 3, 0.02, 0.03 + 256 / RATE),
    ],
    ids=["repeat", "of the slow", "average", "average, uneven"],
)
def test_a_row_comes_out_when_stated(
    guitar_16k: NDArray[np.float32], node: fa.Node, rate_hz: float, span_s: float, latency_s: float
) -> None:
    assert node.input_spec is not None
    spec = node.output_specs(node.input_spec)[""]
    assert spec.rate_hz == pytest.approx(rate_hz)
    assert spec.span_s == pytest.approx(span_s)
    assert spec.latency_s == pytest.approx(latency_s, abs=1e-9)
    stream, arrivals = node.open(), []
    for sample in range(3 * RATE):
        arrivals += [sample + 1] * len(only(stream.push(guitar_16k[sample : sample + 1])))
    late = [n - math.ceil((k / rate_hz + latency_s) * RATE - 1e-6) for k, n in enumerate(arrivals)]
    assert len(late) >= 2
    assert max(late) == 0  # some row takes all of it, and none takes more


def test_a_slow_row_holds_back_the_rows_beside_it_and_no_others(guitar_16k: NDArray[np.float32]) -> None:
    stream = fa.Concat(means(100), means(10)).open()
    came = []
    for sample in range(3 * RATE):
        came += [sample + 1] * len(only(stream.push(guitar_16k[sample : sample + 1])))
    slow, fast = 99 * 160 + 256, 9 * 160 + 256
    assert came == [max(i // 10 * RATE + slow, i * 1600 + fast) for i in range(len(came))]


NODES: dict[str, fa.Node] = {
    "slow beside fast": fa.Concat(means(100), means(10)),
    "rates that meet late": fa.Concat(means(48), means(10), means(7, 11)),
    "averaged": fa.Concat(means(30, 35), means(4), rate_of=0, align="average"),
    "behind a front": LOG
    >> fa.Concat(fa.Delta(mode="nearest"), fa.Statistics(window=10))
    >> fa.L2Normalize(),
}


@pytest.mark.parametrize("name", NODES)
def test_no_row_looks_further_than_stated_and_one_does_look_so_far(
    guitar_16k: NDArray[np.float32], name: str
) -> None:
    node, x, step = NODES[name], guitar_16k[20_000:80_000], 80
    assert node.input_spec is not None
    stated = round(node.receptive_field_s(node.input_spec) * RATE)
    clean = only(node(x))
    places = range(step // 2, len(x), step)
    touched = np.zeros((len(places), len(clean)), bool)
    for t, place in enumerate(places):
        spoilt = x.copy()
        spoilt[place] += 100
        touched[t] = (only(node(spoilt)) != clean).any(axis=1)
    first, last = touched.argmax(axis=0), len(places) - 1 - touched[::-1].argmax(axis=0)
    inside = (first > 4) & (last < len(places) - 5)
    widest = int((last - first)[inside].max()) * step
    assert stated - 4 * step <= widest < stated  # frames taper to nothing at their edges


def test_a_branch_without_a_limit_makes_the_field_infinite() -> None:
    assert fa.Pipeline(MEL >> fa.Concat(fa.PCEN(), fa.Log())).receptive_field_s == math.inf


def test_an_average_of_what_there_is_at_the_end(guitar_16k: NDArray[np.float32]) -> None:
    x = guitar_16k[: RATE + RATE // 2]
    slow = LOG >> fa.Patches(length=100, last="repeat") >> fa.Statistics(kinds=["max"], window=1)
    node = fa.Concat(slow, LOG, rate_of=0, align="average")
    got, frames = only(node(x)), only(LOG(x))
    assert got.shape == (2, 2424)
    np.testing.assert_allclose(got[1, 2400:], frames[100:].mean(axis=0), rtol=1e-6, atol=1e-6)


def test_diagram_repr_dict_and_pickle(tmp_path: Path) -> None:
    node = fa.Concat(means(100), means(10), rate_of=1, align="average")
    assert repr(node) == f"Concat({means(100)!r}, {means(10)!r}, rate_of=1, align='average')"
    assert node.branches == [means(100), means(10)]
    assert (node.rate_of, node.align) == (1, "average")
    assert pickle.loads(pickle.dumps(node)) == node  # noqa: S301
    assert node != fa.Concat(means(100), means(10))
    assert node.to_dict() == {
        "node": "Concat",
        "branches": [means(100).to_dict(), means(10).to_dict()],
        "rate_of": 1,
        "align": "average",
    }
    pipeline = fa.Pipeline(node >> fa.L2Normalize())
    pipeline.save(tmp_path / "card.json")
    assert fa.Pipeline.load(tmp_path / "card.json").node == pipeline.node
    assert cards.front_end(pipeline.node) == {"rate_hz": 16_000.0, "shape": [], "unit": "samples"}
    assert str(pipeline) == (
        "16000 Hz mono (mean of all channels)\n"
        "0:\n"
        "  MelSpectrogram(sample_rate=16000, ...)  -> [100 Hz, 24] power\n"
        "  Log()                                   -> [100 Hz, 24] ln\n"
        "  Statistics(...)                         -> [1 Hz, 1, 24] ln\n"
        "1:\n"
        "  MelSpectrogram(sample_rate=16000, ...)  -> [100 Hz, 24] power\n"
        "  Log()                                   -> [100 Hz, 24] ln\n"
        "  Statistics(...)                         -> [10 Hz, 1, 24] ln\n"
        "Concat(2 branches)                        -> [10 Hz, 48] ln\n"
        "L2Normalize()                             -> [10 Hz, 48] normalized, latency 1.01 s"
    )


def test_units_stay_where_all_agree() -> None:
    spec = fa.StreamSpec(rate_hz=100, shape=[3], unit="power", bin_hz=10.0)
    same, mixed = fa.Concat(fa.Patches(length=1), fa.Patches(length=2)), fa.Concat(fa.Log(), fa.Patches())
    assert same.output_specs(spec)[""].unit == "power"
    assert mixed.output_specs(spec)[""].unit == ""
    assert same.output_specs(spec)[""].bin_hz == 0


HARMONIC = fa.MelSpectrogram(sample_rate=44_100, hop_length=512)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (fa.Concat, r"^Concat: expected at least one branch, got none$"),
        (
            lambda: fa.Concat(MEL, HARMONIC),
            r"^MelSpectrogram: expected samples \[44100 Hz\], got samples \[16000 Hz\]; ",
        ),
        (lambda: fa.Concat(MEL, LOG, rate_of=2), r"^Concat: expected rate_of below 2, .*, got 2$"),
        (
            lambda: fa.Concat(LOG, LOG >> fa.Mean()),
            r"got one row per clip from branch 1, MelSpectrogram >> Log >> Mean; pool windows",
        ),
        (
            lambda: fa.Concat(LOG >> fa.Mean(), LOG),
            r"^Concat: expected rows over time from all branches, got one row per clip from branch 0, Mel",
        ),
        (
            lambda: fa.Concat(
                fa.Resample(input_rate=48_000, output_rate=44_099) >> fa.Patches(length=7),
                fa.MelSpectrogram(sample_rate=48_000, hop_length=482),
            ),
            r"^Concat: expected rates in a ratio .* got 6299.857 Hz from branch 0, Resample >> Patches and ",
        ),
        (
            lambda: fa.Concat(MEL, MEL >> {"a": fa.Log(), "b": fa.Log()}),
            r"^Concat: expected branches with one output, got 2 from branch 1, MelSpectrogram >> Parallel; ",
        ),
        (
            lambda: fa.Concat(LOG, LOG >> fa.Tags([str(i) for i in range(24)]) >> fa.Events()),
            r"^Concat: expected rows at a steady rate, got events from branch 1, ",
        ),
    ],
)
def test_what_does_not_fit_is_refused_when_composed(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"node": "Concat"}, "Concat: expected 'branches' as a list, got None"),
        ({"node": "Concat", "branches": {"a": 1}}, "Concat: expected 'branches' as a list, got "),
        ({"node": "Concat", "branches": [3]}, "expected a node among .*, got 3"),
        ({"node": "Concat", "branches": [], "rate": 1}, "Concat: expected options among rate_of, align"),
    ],
)
def test_a_bad_card_says_where(data: dict[str, Any], message: str) -> None:
    with pytest.raises((ValueError, TypeError, fa.ModelError), match=message):
        card._build(data, lambda options: options, card.Counted(fa.Budget()), 0)


def test_a_pipeline_gives_the_same_from_a_file_a_stream_and_live(
    guitar: tuple[NDArray[np.float32], int],
) -> None:
    pipeline = fa.Pipeline(fa.Concat(means(100), means(10)))
    whole = pipeline(GUITAR)
    samples, rate = guitar
    stream = pipeline.open(sample_rate=rate, channels=2)
    blocks = [stream.push(samples[start : start + 4410]) for start in range(0, len(samples), 4410)]
    assert whole.shape == (90, 48)
    np.testing.assert_array_equal(np.concatenate([*blocks, stream.flush()]), whole)
    with pipeline.live(rate, 2, buffer_s=60) as live:
        live.push(samples)
        live.finish()
        came = np.concatenate([result.rows for result in live])
    np.testing.assert_array_equal(came, whole)
