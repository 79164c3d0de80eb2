"""Latency and receptive field: what is stated, proven sample by sample and with an impulse."""

from __future__ import annotations

import math
from typing import Any

import fastaudio as fa
import numpy as np
import pytest
from fastaudio import presets
from helpers import MODEL_NAMES

N_ROWS = 3
RATE = 16_000


def mel(**options: Any) -> fa.MelSpectrogram:
    return fa.MelSpectrogram(
        **({"sample_rate": RATE, "n_fft": 512, "hop_length": 160, "n_mels": 8} | options)
    )


def resample(input_rate: int, output_rate: int, quality: str = "high") -> fa.Resample:
    return fa.Resample(input_rate=input_rate, output_rate=output_rate, quality=quality)


NODES: dict[str, fa.Node] = {
    "centred on zeros": mel(),
    "centred on a mirror": mel(pad_mode="reflect"),
    "odd frames on a mirror": mel(n_fft=511, pad_mode="reflect"),
    "Kaldi's frames": mel(pad_mode="kaldi", win_length=400, window_at="start"),
    "not centred": mel(center=False),
    "a hop beyond the frame": mel(n_fft=128, hop_length=300, pad_mode="kaldi"),
    "Spectrogram": fa.Spectrogram(sample_rate=RATE, n_fft=400, hop_length=160, pad_mode="reflect"),
    "RMS": fa.RMS(sample_rate=RATE, frame_length=400, hop_length=100, pad_mode="reflect"),
    "ZeroCrossingRate": fa.ZeroCrossingRate(sample_rate=RATE, frame_length=401, hop_length=100),
    "one row each": mel() >> fa.Log() >> fa.MFCC(n_mfcc=5) >> fa.Normalize() >> fa.L2Normalize(),
    "patches that overlap": mel() >> fa.Patches(length=9, hop=2),
    "patches apart": mel() >> fa.Patches(length=4, hop=11),
    "patches of patches": mel() >> fa.Patches(length=4, hop=2) >> fa.Patches(length=5, hop=3),
    "clips of their own": fa.Each(mel() >> fa.Log(), clip_length=2000, hop=500),
    "Delta, nearest": mel() >> fa.Delta(width=9, mode="nearest"),
    "Delta, htk": mel() >> fa.Delta(width=5, order=2, mode="htk"),
    "Statistics": mel() >> fa.Statistics(kinds=["mean", "max"], window=7, hop=3),
    "LinearSoftmaxPooling": mel() >> fa.LinearSoftmaxPooling(window=7, hop=3),
    "branches": mel() >> {"long": fa.Patches(length=9, hop=9)},
    **{
        f"Resample {a} to {b}, {quality}": resample(a, b, quality)
        for a, b in (
            (48_000, 16_000),
            (44_100, 16_000),
            (192_000, 8000),
            (8000, 48_000),
            (11_127, 16_000),
            (16_000, 44_100),
        )
        for quality in ("fast", "high")
    },
    "48 to 16 kHz, patches": resample(48_000, 16_000) >> mel() >> fa.Patches(length=9, hop=4),
    "44.1 to 16 kHz, patches": resample(44_100, 16_000) >> mel(pad_mode="reflect") >> fa.Patches(length=9),
}
OPTIONS: dict[str, dict[str, Any]] = {
    "ae_w2v": {"min": [0.0], "max": [1.0]},
    "firered": {"mean": [0.0] * 80, "std": [1.0] * 80},
    "whisper": {"last": "drop"},
}
# One follows a network, one gives a row at the clip's end.
for preset in sorted(set(presets.__all__) - {"vggish_postprocess", "mfcc_statistics"}):
    NODES[preset] = getattr(presets, preset)(**OPTIONS.get(preset, {}))

every_node = pytest.mark.parametrize("name", NODES)


def slack(node: fa.Node) -> int:
    """Samples that a row may come out before it is due.

    Where rates differ it is one of the slower rate's; one more where frame 0 alone needs a sample more, to
    be mirrored; and one more where an output just behind half a sample waits half a sample longer than
    others, of which a whole one is stated.
    """
    first = node[0] if isinstance(node, fa.Sequential) else node
    mirrored = int("reflect" in repr(node) and "Each" not in repr(node))
    if not isinstance(first, fa.Resample):
        return mirrored
    halves = int(first.output_rate > first.input_rate and first.quality != "fast")
    return math.ceil(first.input_rate / min(first.input_rate, first.output_rate)) * (1 + mirrored) + halves


def due(spec: fa.StreamSpec, rate: float, k: int) -> int:
    """Samples that have to be there for row k, as stated."""
    return math.ceil((k / spec.rate_hz + spec.latency_s) * rate - 1e-6)


def check_arrivals(node: fa.Node, input_spec: fa.StreamSpec) -> None:
    """Push one sample at a time from just before each row may come out."""
    (spec,) = node.output_specs(input_spec).values()
    rate = input_spec.rate_hz
    stream = node.open(input_spec)
    pushed = 0
    found: list[int] = []  # samples pushed when each row came out
    for k in range(N_ROWS):
        latest = due(spec, rate, k)
        earliest = latest - slack(node)
        step = max(earliest - 1 - pushed, 1)
        while len(found) <= k:
            assert pushed < latest, f"row {k} is late"
            rows = stream.push(np.zeros(step, dtype=np.float32))
            pushed += step
            step = 1
            found += [pushed] * len(next(iter(rows.values())) if isinstance(rows, dict) else rows)
        assert earliest <= found[k] <= latest


@every_node
def test_a_row_comes_out_at_the_sample_stated(name: str) -> None:
    node = NODES[name]
    assert node.input_spec is not None
    check_arrivals(node, node.input_spec)


@pytest.mark.parametrize("rate", [16_000, 44_100, 48_000])
def test_a_model_hears_a_window_at_the_sample_stated(tagger: fa.Pipeline, rate: int) -> None:
    check_arrivals(*tagger.adapted(rate, 1))


@pytest.mark.parametrize("name", MODEL_NAMES)
def test_the_latency_of_a_model_is_that_of_its_patch(name: str) -> None:
    pipeline = fa.Pipeline.load(name)
    assert pipeline.latency_s == pytest.approx((186 * 256 + 257) / RATE, abs=1e-9)
    assert pipeline.receptive_field_s == pytest.approx((186 * 256 + 513) / RATE, abs=1e-9)


def test_only_the_first_rows_of_interpolated_slopes_take_all_the_latency() -> None:
    node = fa.Delta(width=9)
    spec = fa.StreamSpec(rate_hz=100, shape=[2], unit="")
    (out,) = node.output_specs(spec).values()
    assert out.latency_s == pytest.approx(0.09)
    stream = node.open(spec)
    counts = [len(stream.push(np.zeros((1, 2), dtype=np.float32))) for _ in range(12)]
    assert counts == [0] * 8 + [5] + [1] * 3
    assert node.receptive_field_s(spec) == pytest.approx(0.09)


def field_of(node: fa.Node, k: int, input_spec: fa.StreamSpec) -> tuple[int, int]:
    """First sample that row k may depend on, and the first one after these."""
    (spec,) = node.output_specs(input_spec).values()
    end = due(spec, input_spec.rate_hz, k)
    return end - round(node.receptive_field_s(input_spec) * input_spec.rate_hz), end


def touched(node: fa.Node, input_spec: fa.StreamSpec, k: int, places: list[int]) -> list[bool]:
    """Whether row k changes with an impulse at each of some places."""
    n = max(max(places) + 1, field_of(node, k, input_spec)[1])
    quiet = 0.01 * np.random.default_rng(7).standard_normal(n).astype(np.float32)

    def row(place: int | None) -> bytes:
        samples = quiet.copy()
        if place is not None:
            samples[place] += 1000
        rows = node.open(input_spec).push(samples)
        return bytes((next(iter(rows.values())) if isinstance(rows, dict) else rows)[k].tobytes())

    want = row(None)
    return [row(place) != want for place in places]


def check_field(node: fa.Node, input_spec: fa.StreamSpec) -> None:
    (spec,) = node.output_specs(input_spec).values()
    reach_s = node.receptive_field_s(input_spec)
    k = math.ceil(reach_s * spec.rate_hz) + 1  # begins after the signal does
    first, end = field_of(node, k, input_spec)
    margin = max((end - first) // 20, 1)  # towards its ends a window tapers to nothing
    assert first > margin
    outside = [first - 1 - margin, first - 1, end, end + 1, end + margin]
    assert touched(node, input_spec, k, outside) == [False] * len(outside)
    for edge in (first + margin, end - 1 - margin):
        assert any(touched(node, input_spec, k, [edge - 1, edge, edge + 1]))


@every_node
def test_a_row_changes_with_what_lies_in_its_field_and_nothing_else(name: str) -> None:
    node = NODES[name]
    assert node.input_spec is not None
    check_field(node, node.input_spec)


@pytest.mark.parametrize("rate", [16_000, 48_000])
def test_a_model_hears_its_field_and_nothing_else(tagger: fa.Pipeline, rate: int) -> None:
    node, spec = tagger.adapted(rate, 1)
    check_field(node, spec)
    assert node.receptive_field_s(spec) == pytest.approx(tagger.receptive_field_s, abs=0.02)


@pytest.mark.parametrize(
    "last",
    [
        fa.PCEN(),
        fa.Mean(),
        fa.Mean() >> fa.Log(),
        fa.Statistics(),
        fa.LinearSoftmaxPooling(),
        fa.Normalize(over="clip"),
        fa.PCEN() >> fa.Patches(length=3),
        fa.Parallel({"now": fa.Log(), "ever": fa.PCEN()}),
    ],
    ids=repr,
)
def test_a_row_that_may_depend_on_all_before_it_says_so(last: fa.Node) -> None:
    assert fa.Pipeline(mel() >> last).receptive_field_s == math.inf


def test_of_several_outputs_the_largest_field_counts() -> None:
    branches = {"short": fa.Log(), "long": fa.Patches(length=10, hop=3), "patch": fa.Patches(length=2)}
    pipeline = fa.Pipeline(mel() >> branches)
    assert pipeline.receptive_field_s == pytest.approx((9 * 160 + 512) / RATE)
    alone = fa.Pipeline(mel() >> {"long": fa.Patches(length=10, hop=3)})
    assert alone.receptive_field_s == pipeline.receptive_field_s


def test_samples_as_they_are_take_one_sample() -> None:
    spec = fa.StreamSpec(rate_hz=8000.0)
    node = resample(8000, 8000)
    assert node.output_specs(spec)[""].latency_s == spec.latency_s == 1 / 8000
    assert node.receptive_field_s(spec) == 1 / 8000
