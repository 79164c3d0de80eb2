"""Loudness against libebur128, whose values `tests/golden/loudness.npz` holds, and by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest
from helpers import GOLDEN, GUITAR, SHARED, assert_same_bits, decode, in_chunks, sine

if TYPE_CHECKING:
    from numpy.typing import NDArray

REFERENCE = np.load(GOLDEN / "loudness.npz")
CASES = sorted({key.rpartition("/")[0] for key in REFERENCE.files if "/" in key})
KINDS = ("momentary", "short_term", "integrated")


def sound_of(case: str) -> tuple[NDArray[np.float32], int]:
    """Return what `make_loudness.py` measured: samples [n, channels] and their rate."""
    if not case.startswith("guitar_") or "." in case:
        path = SHARED / "audio" / "clips" / case
        if not path.is_file():
            pytest.skip("the folder of shared clips, ../shared, isn't there")
        return decode(path)
    rate, n = map(int, case.split("_")[1:])
    samples = decode(GUITAR)[0]
    if n == 6:
        left, right = samples[:, 0], samples[:, 1]
        samples = np.stack([left, right, left / 2, right * 2, right / 4, left / 3], axis=1)
    return np.ascontiguousarray(samples[:, :n]), rate


def loudness(samples: NDArray[np.float32], rate: int, **options: Any) -> NDArray[np.float32]:
    n = samples.shape[1]
    node = fa.Loudness(sample_rate=rate, channels=n, **options)
    rows = node(np.ascontiguousarray(samples[:, 0]) if n == 1 else samples)
    assert isinstance(rows, np.ndarray)
    return rows[:, 0]


@pytest.mark.parametrize("turned", [False, True])
def test_an_array_with_channels_is_refused_with_what_measures_it(turned: bool) -> None:
    """Neither one channel nor their mean has the loudness of both."""
    samples, rate = decode(GUITAR)
    node = fa.Loudness(sample_rate=rate, kind="integrated")
    with pytest.raises(ValueError, match=r"make the node with channels=2(, and use samples\.T)?$") as refused:
        node(samples.T if turned else samples)
    assert str(refused.value).endswith(".T") == turned
    with pytest.raises(ValueError, match=r"samples\[0\] or" if turned else r"samples\[:, 0\] or"):
        node(samples[:, :1].T if turned else samples[:, :1])  # which one channel does
    assert fa.Loudness(sample_rate=rate, kind="integrated", channels=2)(samples) == pytest.approx(
        -16.11, abs=0.01
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("case", CASES)
def test_values_are_libebur128s(case: str, kind: str) -> None:
    samples, rate = sound_of(case)
    want = REFERENCE[f"{case}/{kind}"]
    if len(want) == 0:
        pytest.skip("the clip is shorter than a window")
    got = loudness(samples, rate, kind=kind)
    assert got.shape == want.shape
    np.testing.assert_allclose(got, np.maximum(want, -120), rtol=0, atol=1e-3)


@pytest.mark.parametrize(("level_db", "weights"), [(-23.0, []), (-33.0, []), (-23.0, [1.0, 1.0])])
def test_a_stereo_tone_of_997_hz_reads_its_level(level_db: float, weights: list[float]) -> None:
    tone = sine(997, 48_000, 20 * 48_000, 10 ** (level_db / 20))
    stereo = np.stack([tone, tone], axis=1)
    for kind in KINDS:
        got = loudness(stereo, 48_000, kind=kind, weights=weights)
        np.testing.assert_allclose(got[3:] if kind != "integrated" else got, level_db, atol=0.1)


def test_gating_leaves_out_what_is_quiet() -> None:
    parts = [(10, -36.0), (60, -23.0), (10, -36.0)]  # case 3 of EBU Tech 3341: -23 LUFS
    tone = np.concatenate([sine(1000, 48_000, 48_000 * s, 10 ** (db / 20)) for s, db in parts])
    stereo = np.stack([tone, tone], axis=1)
    np.testing.assert_allclose(loudness(stereo, 48_000, kind="integrated"), -23, atol=0.1)
    quiet = sine(1000, 48_000, 48_000 * 60, 10 ** (-72 / 20))
    longer = np.concatenate([stereo, np.stack([quiet, quiet], axis=1)])  # case 4: below the absolute gate
    np.testing.assert_allclose(loudness(longer, 48_000, kind="integrated"), -23, atol=0.1)


def test_channels_count_by_their_weights() -> None:
    tone = sine(997, 48_000, 96_000, 0.1)
    mono = loudness(tone[:, None], 48_000, kind="integrated")[0]
    for weights, more in (([2.0], 10 * np.log10(2)), ([0.5], -10 * np.log10(2)), ([0.0], -120 - mono)):
        got = fa.Loudness(kind="integrated", weights=weights)(tone)[0, 0]
        assert got - mono == pytest.approx(more, abs=1e-4)
    bass = np.zeros((96_000, 6), dtype=np.float32)
    bass[:, 3] = tone
    assert loudness(bass, 48_000, kind="integrated")[0] == -120
    bass[:, 5] = tone
    assert loudness(bass, 48_000, kind="integrated")[0] - mono == pytest.approx(1.492, abs=1e-3)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("channels", [1, 2])
def test_blocks_of_any_length_give_the_same_bits(kind: str, channels: int) -> None:
    rng = np.random.default_rng(7)
    samples = rng.normal(0, 0.1, (60_000, channels)).astype(np.float32)
    rows = samples[:, 0].copy() if channels == 1 else samples
    node = fa.Loudness(sample_rate=11_025, kind=kind, channels=channels)
    whole = in_chunks(node, rows, ())
    for _ in range(4):
        assert_same_bits(in_chunks(node, rows, rng.integers(0, 60_000, 9)), whole)
    assert_same_bits(in_chunks(node, rows[:20_000], range(0, 20_000, 7)), in_chunks(node, rows[:20_000], ()))


def test_silence_is_the_floor_and_a_short_clip_is_measured() -> None:
    for kind in KINDS:
        assert set(fa.Loudness(kind=kind)(np.zeros(200_000, np.float32))[:, 0].tolist()) == {-120.0}
        low = fa.Loudness(kind=kind, floor_lufs=-80)(np.zeros(200_000, np.float32))
        assert set(low[:, 0].tolist()) == {-80.0}
        short = fa.Loudness(kind=kind)(sine(997, 48_000, 9600, 1.0))  # 200 ms
        assert short.shape == (1, 1)
        assert short[0, 0] == pytest.approx(-3.01, abs=0.3)


def test_sound_after_hours_of_silence_is_as_loud_as_at_once() -> None:
    tone = sine(440, 8000, 16_000)
    node = fa.Loudness(sample_rate=8000)
    late = node(np.concatenate([np.zeros(80 * 8000, np.float32), tone]))[-17:]
    np.testing.assert_array_equal(late, node(tone))


def test_rows_come_ten_times_per_second_and_say_what_they_cover() -> None:
    for kind, span in (("momentary", 0.4), ("short_term", 3.0)):
        node = fa.Loudness(sample_rate=44_100, kind=kind)
        assert node.input_spec is not None
        (spec,) = node.output_specs(node.input_spec).values()
        assert (spec.rate_hz, spec.shape, spec.unit) == (10, (1,), "LUFS")
        assert spec.span_s == pytest.approx(span)
        assert spec.latency_s == pytest.approx(span)
    (spec,) = fa.Loudness(kind="integrated").output_specs(fa.StreamSpec(rate_hz=48_000)).values()
    assert spec.once


def test_a_pipeline_measures_the_mono_mix() -> None:
    stereo = decode(GUITAR)[0]
    pipeline = fa.Pipeline(fa.Loudness(sample_rate=44_100, kind="integrated"))
    got = pipeline(GUITAR)
    want = fa.Loudness(sample_rate=44_100, kind="integrated")(stereo.mean(axis=1, dtype=np.float32))
    assert float(np.asarray(got).ravel()[0]) == pytest.approx(float(want[0, 0]), abs=1e-3)


def test_a_pipeline_leaves_the_channels_that_its_first_node_takes() -> None:
    pipeline = fa.Pipeline(fa.Loudness(sample_rate=44_100, channels=2, kind="integrated"))
    want = REFERENCE["guitar_44100_2/integrated"]
    np.testing.assert_allclose(np.asarray(pipeline(GUITAR)).ravel(), want, atol=1e-3)
    assert "44100 Hz, 2 channels" in str(pipeline)
    with pytest.raises(ValueError, match=r"Loudness: expected .*; set sample_rate and channels to those"):
        pipeline(np.zeros(44_100, np.float32), sample_rate=44_100)


def test_channels_and_rates_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match=r"expected weights of 8 items, one for each channel, got 0"):
        fa.Loudness(channels=8)
    with pytest.raises(ValueError, match=r"Loudness: expected weights of 2 items, .*, got 1 items"):
        fa.Loudness(channels=2, weights=[1.0])
    with pytest.raises(ValueError, match=r"expected samples \[48000 Hz, 2\], got \[44100 Hz, 2\]; set"):
        fa.Loudness(channels=2).output_specs(fa.StreamSpec(rate_hz=44_100, shape=[2]))
    with pytest.raises(ValueError, match=r"samples \[48000 Hz\], got samples \[44100 Hz\]; resample"):
        fa.Loudness().output_specs(fa.StreamSpec(rate_hz=44_100))
