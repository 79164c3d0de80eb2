"""PCEN against its definition in float64, and librosa."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest

if TYPE_CHECKING:
    from numpy.typing import NDArray

MEL = fa.MelSpectrogram(sample_rate=16_000, n_fft=512, hop_length=256, n_mels=40)
SPEC = fa.StreamSpec(rate_hz=62.5, shape=[40], unit="power")


@pytest.fixture(scope="module")
def power(guitar_16k: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return mel power at the level of 32-bit integers, with a silent beginning."""
    rows = MEL(guitar_16k[:48_000]) * np.float32(2**31)
    rows[:5] = 0
    return rows


def run(node: fa.PCEN, rows: NDArray[np.float32]) -> NDArray[np.float32]:
    stream = node.open(SPEC)
    out = stream.push(rows)
    stream.flush()
    assert isinstance(out, np.ndarray)
    return out


def reference(rows: NDArray[np.float32], node: fa.PCEN, time_constant_s: float) -> NDArray[np.float64]:
    """Return what the paper says, row by row."""
    t = time_constant_s * 62.5
    b = (np.sqrt(1 + 4 * t**2) - 1) / (2 * t**2)
    wide = rows.astype(np.float64)
    level = np.ones(40) if node.initial == "one" else wide[0]
    out = []
    for energy in wide:
        level = (1 - b) * level + b * energy
        ratio = energy / (node.eps + level) ** node.gain
        if node.power == 0:
            out.append(np.log1p(ratio))
        else:
            out.append((ratio + node.bias) ** node.power - node.bias**node.power)
    return np.stack(out)


OPTIONS: list[dict[str, Any]] = [
    {},
    {"initial": "first"},
    {"gain": 0.8, "bias": 10, "power": 0.25, "eps": 1e-3},
    {"power": 1, "bias": 0.5},
    {"bias": 0},
    {"power": 0},
    {"power": 0, "bias": 0},
    {"gain": 0},
    {"gain": 0, "bias": 1e-3, "power": 0.75},
    {"gain": 0.2, "bias": 1e-50, "power": 0.75},
    {"gain": 1, "power": 0.3, "initial": "first"},
]


@pytest.mark.parametrize("options", OPTIONS)
def test_rows_are_the_papers(power: NDArray[np.float32], options: dict[str, Any]) -> None:
    node = fa.PCEN(**options)
    np.testing.assert_allclose(run(node, power), reference(power, node, 0.4), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("time_constant_s", [0.001, 0.06, 0.4, 30])
@pytest.mark.parametrize("options", [option for option in OPTIONS if option.get("initial") != "first"])
def test_librosa_gives_the_same(
    power: NDArray[np.float32], options: dict[str, Any], time_constant_s: float
) -> None:
    librosa = pytest.importorskip("librosa")
    defaults = {"gain": 0.98, "bias": 2, "power": 0.5, "eps": 1e-6}
    with np.errstate(divide="ignore"):  # librosa takes the logarithm of silence
        want = librosa.pcen(
            power.T.astype(np.float64),
            sr=16_000,
            hop_length=256,
            time_constant=time_constant_s,
            **(defaults | options),
        )
    got = run(fa.PCEN(time_constants_s=[time_constant_s], **options), power)
    np.testing.assert_allclose(got, want.T, rtol=1e-6, atol=1e-12)


def test_the_level_of_small_values_keeps_its_digits() -> None:
    rows = np.full((3, 40), 1e-9, dtype=np.float32)
    for options in ({}, {"power": 0.3}, {"power": 0}):
        node = fa.PCEN(gain=0, **options)
        slope = 1 if node.power == 0 else node.power * node.bias ** (node.power - 1)
        np.testing.assert_allclose(run(node, rows), 1e-9 * slope, rtol=1e-6)


def test_several_rates_are_those_of_each(power: NDArray[np.float32]) -> None:
    rates = [0.06, 0.4, 2.0]
    for initial in ("one", "first"):
        got = run(fa.PCEN(time_constants_s=rates, initial=initial), power)
        assert got.shape == (len(power), 3, 40)
        for i, rate in enumerate(rates):
            assert np.array_equal(got[:, i], run(fa.PCEN(time_constants_s=[rate], initial=initial), power))


def test_a_change_of_level_is_divided_out_in_the_long_run(power: NDArray[np.float32]) -> None:
    node = fa.PCEN(gain=1, initial="first", eps=1e-12)
    rows = np.repeat(power[100:101], 400, axis=0)
    loud, quiet = run(node, rows), run(node, rows * np.float32(0.001))
    np.testing.assert_allclose(loud[-1], quiet[-1], rtol=1e-5)
    np.testing.assert_allclose(quiet[-1], np.sqrt(3) - np.sqrt(2), rtol=1e-5)


def test_silence_and_values_below_zero_are_exactly_zero() -> None:
    rows = np.zeros((20, 40), dtype=np.float32)
    for options in OPTIONS:
        assert not run(fa.PCEN(**options), rows).any()
        assert not run(fa.PCEN(**options), rows - 3).any()


def test_the_rate_is_the_rows_own(power: NDArray[np.float32]) -> None:
    slow = fa.PCEN(time_constants_s=[0.8]).open(fa.StreamSpec(rate_hz=31.25, shape=[40], unit="power"))
    assert np.array_equal(slow.push(power), run(fa.PCEN(), power))


def test_logarithms_pooled_rows_and_no_time_constant_are_refused() -> None:
    with pytest.raises(ValueError, match="PCEN: expected power or magnitude, got dB; it takes the place"):
        MEL >> fa.Log(kind="dB") >> fa.PCEN()
    with pytest.raises(ValueError, match=r"PCEN: expected rows over time, got rows \[once, 40\]"):
        MEL >> fa.Mean() >> fa.PCEN()
    with pytest.raises(ValueError, match="PCEN: expected time_constants_s of at least one item, got none"):
        fa.PCEN(time_constants_s=[])


def test_what_comes_out_is_named() -> None:
    for rates, shape in (([0.4], (40,)), ([0.1, 0.4], (2, 40))):
        (out,) = fa.PCEN(time_constants_s=rates).output_specs(SPEC).values()
        assert (out.rate_hz, out.shape, out.unit, out.latency_s) == (62.5, shape, "pcen", 1 / 62.5)
