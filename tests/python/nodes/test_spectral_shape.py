"""SpectralCentroid, SpectralBandwidth, SpectralRolloff and SpectralFlatness against float64 and librosa."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest
import spectral_reference as reference
from helpers import decode, sine
from hypothesis import given
from hypothesis import strategies as st
from spectral_reference import excerpt, features

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

RATE, N_FFT = 16_000, 512
BIN_HZ = RATE / N_FFT
SPECTRUM = fa.Spectrogram(sample_rate=RATE, n_fft=N_FFT, hop_length=256, power=1)
OF_MAGNITUDE = [fa.SpectralCentroid(), fa.SpectralBandwidth(), fa.SpectralRolloff(), fa.SpectralFlatness()]
WITH_HZ = OF_MAGNITUDE[:3]

rows_of_any = st.lists(st.integers(0, 1000), min_size=1, max_size=70)


def magnitudes(values: list[int]) -> NDArray[np.float32]:
    return np.array([values], dtype=np.float32)


@pytest.fixture(scope="module")
def rows(guitar_16k: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return magnitudes of two seconds of guitar, and a silent row."""
    spectrum = SPECTRUM(guitar_16k[: 2 * RATE])
    assert isinstance(spectrum, np.ndarray)
    return np.concatenate([spectrum, np.zeros_like(spectrum[:1])])


def test_the_centroid_matches_the_reference(rows: NDArray[np.float32]) -> None:
    got = features(fa.SpectralCentroid(), rows, BIN_HZ)
    np.testing.assert_allclose(got, reference.centroid(rows, BIN_HZ), rtol=1e-6)


@pytest.mark.parametrize("norm", [True, False])
@pytest.mark.parametrize("p", [1.0, 2.0, 3.5, 10.0])
def test_the_bandwidth_matches_the_reference(rows: NDArray[np.float32], p: float, norm: bool) -> None:
    got = features(fa.SpectralBandwidth(p=p, norm=norm), rows, BIN_HZ)
    np.testing.assert_allclose(got, reference.bandwidth(rows, BIN_HZ, p, norm=norm), rtol=1e-6)


@pytest.mark.parametrize("roll_percent", [0.0001, 0.05, 0.5, 0.85, 0.9999])
def test_the_rolloff_is_the_references(rows: NDArray[np.float32], roll_percent: float) -> None:
    got = features(fa.SpectralRolloff(roll_percent=roll_percent), rows, BIN_HZ)
    assert np.array_equal(got, reference.rolloff(rows, BIN_HZ, roll_percent))


@pytest.mark.parametrize(
    "options", [{}, {"power": 1.0}, {"power": 3.3}, {"power": 10.0}, {"amin": 1e-30}, {"amin": 1.0}]
)
def test_the_flatness_matches_the_reference(rows: NDArray[np.float32], options: dict[str, float]) -> None:
    got = features(fa.SpectralFlatness(**options), rows, BIN_HZ)
    np.testing.assert_allclose(got, reference.flatness(rows, **options), rtol=2e-5)


@given(values=rows_of_any, roll_percent=st.sampled_from([0.25, 0.5, 0.75]))
def test_the_rolloff_of_whole_numbers_is_exact_also_where_a_bin_just_reaches_it(
    values: list[int], roll_percent: float
) -> None:
    got = features(fa.SpectralRolloff(roll_percent=roll_percent), magnitudes(values), 2.0)
    assert np.array_equal(got, reference.rolloff(magnitudes(values), 2.0, roll_percent))


@given(values=rows_of_any)
def test_any_row_matches_the_references(values: list[int]) -> None:
    row = magnitudes(values)
    for node, function in (
        (fa.SpectralCentroid(), reference.centroid),
        (fa.SpectralBandwidth(), reference.bandwidth),
    ):
        np.testing.assert_allclose(features(node, row, 3.0), function(row, 3.0), rtol=1e-6, atol=1e-12)
    np.testing.assert_allclose(
        features(fa.SpectralFlatness(), row, 3.0), reference.flatness(row), rtol=2e-5, atol=1e-12
    )


@given(values=rows_of_any)
def test_a_row_twice_as_loud_has_the_same_frequencies(values: list[int]) -> None:
    for node in WITH_HZ:
        once, twice = (features(node, scale * magnitudes(values), 2.0) for scale in (1, 2))
        assert np.array_equal(once, twice)


def test_librosa_agrees_on_every_clip(clip: tuple[Path, str]) -> None:
    librosa = pytest.importorskip("librosa")
    samples, rate = decode(clip[0], 3)
    rows = fa.Spectrogram(sample_rate=rate, power=1)(excerpt(samples, rate))
    assert isinstance(rows, np.ndarray)
    given = {"S": rows.T.astype(np.float64), "sr": rate}
    wanted = {
        fa.SpectralCentroid(): librosa.feature.spectral_centroid(**given),
        fa.SpectralBandwidth(): librosa.feature.spectral_bandwidth(**given),
        fa.SpectralBandwidth(p=3.0, norm=False): librosa.feature.spectral_bandwidth(**given, p=3, norm=False),
        fa.SpectralRolloff(): librosa.feature.spectral_rolloff(**given),
        fa.SpectralRolloff(roll_percent=0.3): librosa.feature.spectral_rolloff(**given, roll_percent=0.3),
        fa.SpectralFlatness(): librosa.feature.spectral_flatness(S=given["S"]),
        fa.SpectralFlatness(power=1.0): librosa.feature.spectral_flatness(S=given["S"], power=1),
    }
    for node, want in wanted.items():
        np.testing.assert_allclose(features(node, rows, rate / 2048), want.T, rtol=2e-5, err_msg=repr(node))


def test_librosa_agrees_from_samples_on(guitar: tuple[NDArray[np.float32], int]) -> None:
    librosa = pytest.importorskip("librosa")
    samples, rate = np.ascontiguousarray(guitar[0][:, 0]), guitar[1]
    spectrum = fa.Spectrogram(sample_rate=rate, power=1)
    branches = {
        "centroid": fa.SpectralCentroid(),
        "bandwidth": fa.SpectralBandwidth(),
        "flatness": fa.SpectralFlatness(),
        "rolloff": fa.SpectralRolloff(),
    }
    got = (spectrum >> branches)(samples)
    for name in ("centroid", "bandwidth"):
        want = getattr(librosa.feature, f"spectral_{name}")(y=samples, sr=rate)
        np.testing.assert_allclose(got[name], want.T, rtol=1e-4)
    want = librosa.feature.spectral_flatness(y=samples)
    # A tone's faintest bins are rounding, which differs between transforms, and they count like the others.
    np.testing.assert_allclose(got["flatness"], want.T, rtol=1e-3)
    want = librosa.feature.spectral_rolloff(y=samples, sr=rate)
    # The running sum is float32, so a bin that almost reaches the threshold may fall on either side.
    assert np.abs(got["rolloff"] - want.T).max() <= 1.001 * rate / 2048
    assert (got["rolloff"] == want.T.astype(np.float32)).mean() > 0.99


def test_a_tone_lies_at_its_frequency() -> None:
    rows = SPECTRUM(sine(1000, RATE, RATE))[5:-5]
    assert features(fa.SpectralCentroid(), rows, BIN_HZ).ravel() == pytest.approx(1000, abs=3)
    assert features(fa.SpectralRolloff(), rows, BIN_HZ).ravel() == pytest.approx(1000, abs=2 * BIN_HZ)
    assert features(fa.SpectralBandwidth(), rows, BIN_HZ).max() < 100
    assert features(fa.SpectralFlatness(), rows, BIN_HZ).max() < 1e-3


def test_silence_is_zero_hertz_and_flat() -> None:
    silence = np.zeros((2, 257), dtype=np.float32)
    for node in WITH_HZ:
        assert features(node, silence, BIN_HZ).tolist() == [[0], [0]]
    assert features(fa.SpectralFlatness(), silence, BIN_HZ) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("node", OF_MAGNITUDE, ids=repr)
def test_values_below_zero_count_as_zero(node: fa.Node) -> None:
    row = np.random.default_rng(3).normal(size=(4, 100)).astype(np.float32)
    assert np.array_equal(features(node, row, 10.0), features(node, np.maximum(row, 0), 10.0))


@pytest.mark.parametrize(("node", "unit"), [*((node, "Hz") for node in WITH_HZ), (OF_MAGNITUDE[3], "ratio")])
def test_what_comes_out_is_named(node: fa.Node, unit: str) -> None:
    (spectrum,) = SPECTRUM.output_specs(fa.StreamSpec(rate_hz=RATE)).values()
    (out,) = node.output_specs(spectrum).values()
    assert (out.rate_hz, out.shape, out.unit, out.bin_hz) == (RATE / 256, (1,), unit, 0)
    assert out.latency_s == spectrum.latency_s


@pytest.mark.parametrize("node", OF_MAGNITUDE, ids=repr)
def test_a_wrong_input_is_refused_when_composing(node: fa.Node) -> None:
    name = type(node).__name__
    power = fa.Spectrogram(sample_rate=RATE, power=2)
    root = fa.Spectrogram(sample_rate=RATE, power=0.5)
    parts = fa.Spectrogram(sample_rate=RATE, power=None)
    remedy = "; compose with Spectrogram(power=1)"
    wrong: list[tuple[Any, str]] = [
        (power, f"{name}: expected magnitude, got power{remedy}"),
        (root, f"{name}: expected magnitude, got magnitude ** 0.5{remedy}"),
        (power >> fa.Log(kind="dB"), f"{name}: expected magnitude, got dB{remedy}"),
        (parts, f"{name}: expected a spectrum's rows [n_bins], got rows [31.2 Hz, 1025, 2]{remedy}"),
        (fa.Resample(input_rate=RATE), f"{name}: expected a spectrum's rows [n_bins], got samples "),
    ]
    for before, message in wrong:
        with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
            before >> node


@pytest.mark.parametrize("node", WITH_HZ, ids=repr)
def test_rows_without_frequencies_are_refused(node: fa.Node) -> None:
    message = (
        rf"^{type(node).__name__}: expected rows of a spectrum with its bin_hz, got rows \[.*\] without; "
        r"compose with Spectrogram, or open with StreamSpec\(bin_hz=\.\.\.\)$"
    )
    with pytest.raises(ValueError, match=message):
        fa.MelSpectrogram(sample_rate=RATE, power=1) >> node
    with pytest.raises(ValueError, match=message):
        node(np.ones((3, 257), dtype=np.float32))


def test_flatness_needs_no_frequencies() -> None:
    mel = fa.MelSpectrogram(sample_rate=RATE, n_mels=40, power=1) >> fa.SpectralFlatness()
    assert mel(sine(440, RATE, RATE)).shape == (32, 1)
