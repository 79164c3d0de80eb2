"""Gate against its rules in NumPy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import fastaudio as fa
import numpy as np
import pytest
from helpers import assert_same_bits, in_chunks
from hypothesis import given
from hypothesis import strategies as st

if TYPE_CHECKING:
    from numpy.typing import NDArray


def opened(
    levels: list[float], *, threshold_db: float, hysteresis_db: float = 0, hold: int = 0
) -> list[bool]:
    """Return for each window whether the gate is open, as the documentation says."""
    states, is_open, quiet = [], False, 0
    for level in levels:
        bound = threshold_db - hysteresis_db if is_open else threshold_db
        if level >= bound:
            is_open, quiet = True, 0
        else:
            quiet += 1
            is_open = is_open and quiet <= hold
        states.append(is_open)
    return states


def level_db(rows: NDArray[np.float32]) -> float:
    with np.errstate(divide="ignore"):
        return float(10 * np.log10(np.mean(rows.astype(np.float64) ** 2)))


@pytest.mark.parametrize(("hysteresis_db", "hold_s"), [(0, 0.0), (6, 0.0), (0, 0.2), (12, 0.05)])
def test_quiet_windows_of_samples_become_silence(
    guitar_16k: NDArray[np.float32], hysteresis_db: float, hold_s: float
) -> None:
    samples = guitar_16k[: 16_000 * 8 + 37] * np.float32(0.3)
    node = fa.Gate(threshold_db=-32, hysteresis_db=hysteresis_db, hold_s=hold_s, window_s=0.01)
    parts = np.split(samples, range(160, len(samples), 160))
    levels = [level_db(part) for part in parts]
    states = opened(levels, threshold_db=-32, hysteresis_db=hysteresis_db, hold=round(hold_s * 100))
    assert 0 < sum(states) < len(states)
    want = np.concatenate([part * np.float32(state) for part, state in zip(parts, states, strict=True)])
    stream = node.open(fa.StreamSpec(rate_hz=16_000))
    got = np.concatenate([stream.push(samples), stream.flush()])
    np.testing.assert_array_equal(got, want)


@given(st.lists(st.sampled_from([0.0, 0.01, 0.1, 1.0]), min_size=1, max_size=60), st.integers(0, 4))
def test_a_row_is_its_own_window_where_rows_are_slow(values: list[float], hold: int) -> None:
    rows = np.float32(values)[:, None] * np.ones((1, 3), np.float32)
    node = fa.Gate(threshold_db=-10, hysteresis_db=15, hold_s=hold / 50, value=-1, window_s=0.01)
    got = in_chunks(node, rows, (), fa.StreamSpec(rate_hz=50, shape=[3]))[""]
    levels = [level_db(row) for row in rows]
    states = np.array(opened(levels, threshold_db=-10, hysteresis_db=15, hold=hold))
    np.testing.assert_array_equal(got, np.where(states[:, None], rows, np.float32(-1)))


def test_power_and_decibels_are_levels_themselves(guitar_16k: NDArray[np.float32]) -> None:
    mel = fa.MelSpectrogram(sample_rate=16_000, n_fft=512, hop_length=256, n_mels=32)
    sound = guitar_16k[:48_000]
    power = mel(sound)
    assert isinstance(power, np.ndarray)
    threshold = float(10 * np.log10(np.median(power.mean(axis=1, dtype=np.float64))))
    is_open = 10 * np.log10(power.mean(axis=1, dtype=np.float64)) >= threshold
    assert 0 < is_open.sum() < len(is_open)
    gate = fa.Gate(threshold_db=threshold, mark=True)
    np.testing.assert_array_equal((mel >> gate)(sound)[:, 0], is_open)
    decibels = (mel >> fa.Log(kind="dB") >> fa.Gate(threshold_db=threshold + 1e-6, mark=True))(sound)[:, 0]
    assert (decibels != is_open).sum() <= 1  # the row at the threshold itself, by rounding


def test_patches_are_gated_whole_and_a_silent_one_becomes_the_value() -> None:
    patches = np.ones((3, 4, 2), np.float32)
    patches[1] = 1e-5
    got = fa.Gate(threshold_db=-60, value=7)(patches)
    np.testing.assert_array_equal(got[[0, 2]], patches[[0, 2]])
    assert (got[1] == 7).all()


def test_blocks_of_any_length_give_the_same_bits(guitar_16k: NDArray[np.float32]) -> None:
    samples = guitar_16k[:20_000]
    for options in ({"hold_s": 0.03}, {"mark": True}, {"hysteresis_db": 3.0, "window_s": 0.033}):
        node = fa.Gate(threshold_db=-25, **options)
        spec = fa.StreamSpec(rate_hz=16_000)
        whole = in_chunks(node, samples, (), spec)
        assert_same_bits(in_chunks(node, samples, range(0, 20_000, 37), spec), whole)


def test_the_window_is_the_latency_and_times_stay() -> None:
    spec = fa.StreamSpec(rate_hz=16_000)
    (out,) = fa.Gate(window_s=0.02).output_specs(spec).values()
    assert (out.rate_hz, out.shape, out.kind) == (16_000, (), "samples")
    assert out.latency_s == pytest.approx(320 / 16_000)
    (mark,) = fa.Gate(window_s=0.02, mark=True).output_specs(spec).values()
    assert (mark.rate_hz, mark.shape, mark.kind) == (16_000, (1,), "rows")
    labels = fa.Tags(["a", "b"]).output_specs(fa.StreamSpec(rate_hz=2, shape=[2]))[""]
    (scores,) = fa.Gate().output_specs(labels).values()
    assert (scores.labels, scores.kind, scores.latency_s) == (["a", "b"], "scores", 0.5)


def test_logarithms_other_than_decibels_and_large_windows_are_refused() -> None:
    for kind in ("ln", "log10"):
        with pytest.raises(ValueError, match=f"Gate: expected .* got {kind}; put Gate before Log"):
            fa.MelSpectrogram() >> fa.Log(kind=kind) >> fa.Gate()
    with pytest.raises(ValueError, match=r"at most 2\*\*28 values at a time, .* choose a smaller window_s"):
        fa.Gate(window_s=60).output_specs(fa.StreamSpec(rate_hz=48_000, shape=[1000]))
