"""SpectralFlux against its formula in float64, and against librosa."""

from __future__ import annotations

from typing import TYPE_CHECKING

import fastaudio as fa
import numpy as np
import pytest
from helpers import assert_same_bits
from hypothesis import given
from hypothesis import strategies as st

if TYPE_CHECKING:
    from numpy.typing import NDArray

MEL = fa.MelSpectrogram(sample_rate=16_000, n_fft=1024, hop_length=256, n_mels=64)
DB = MEL >> fa.Log(kind="dB")


@pytest.fixture(scope="module")
def rows(guitar_16k: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return three seconds of guitar as mel bands in dB."""
    result = DB(guitar_16k[:48_000])
    assert isinstance(result, np.ndarray)
    return result


def reference(
    x: NDArray[np.float32],
    *,
    lag: int = 1,
    max_size: int = 1,
    aggregate: str = "mean",
    rectify: bool = True,
) -> NDArray[np.float64]:
    """Return what the documentation says, in float64, band by band."""
    wide = x.astype(np.float64)
    flux = np.zeros((len(x), 1))
    for t in range(lag, len(x)):
        rises = []
        for k in range(x.shape[1]):
            low = max(0, k - max_size // 2)
            around = wide[t - lag, low : k + (max_size - 1) // 2 + 1]
            rise = wide[t, k] - around.max()
            rises.append(max(0.0, rise) if rectify else abs(rise))
        how = {"mean": np.mean, "sum": np.sum, "l2": np.linalg.norm}
        flux[t] = how[aggregate](rises)
    return flux


@pytest.mark.parametrize("rectify", [True, False])
@pytest.mark.parametrize("aggregate", ["mean", "sum", "l2"])
@pytest.mark.parametrize(("lag", "max_size"), [(1, 1), (2, 3), (5, 4), (1, 255), (500, 1)])
def test_each_row_is_the_rise_of_its_bands(
    rows: NDArray[np.float32], lag: int, max_size: int, aggregate: str, rectify: bool
) -> None:
    got = fa.SpectralFlux(lag=lag, max_size=max_size, aggregate=aggregate, rectify=rectify)(rows)
    want = reference(rows, lag=lag, max_size=max_size, aggregate=aggregate, rectify=rectify)
    np.testing.assert_allclose(got, want, rtol=2e-7, atol=0)


@given(
    values=st.lists(st.integers(-9, 9), min_size=1, max_size=60),
    n_bands=st.integers(1, 7),
    lag=st.integers(1, 5),
    max_size=st.integers(1, 9),
)
def test_whole_numbers_give_the_exact_sum(values: list[int], n_bands: int, lag: int, max_size: int) -> None:
    rows = np.resize(np.float32(values), (len(values) // n_bands, n_bands))
    got = fa.SpectralFlux(lag=lag, max_size=max_size, aggregate="sum")(rows)
    assert np.array_equal(got, reference(rows, lag=lag, max_size=max_size, aggregate="sum"))


@pytest.mark.parametrize(("lag", "max_size"), [(1, 1), (2, 3), (3, 6)])
def test_librosa_gives_the_same_onset_strength(
    guitar_16k: NDArray[np.float32], lag: int, max_size: int
) -> None:
    librosa = pytest.importorskip("librosa")
    samples = guitar_16k[:48_000]
    options = {"sr": 16_000, "n_fft": 1024, "hop_length": 256, "n_mels": 64}
    mel = librosa.feature.melspectrogram(y=samples.astype(np.float64), **options)
    decibels = librosa.power_to_db(mel, top_db=None)
    node = fa.SpectralFlux(lag=lag, max_size=max_size)
    got = (DB >> node)(samples)
    for center, later in ((False, 0), (True, 2)):
        want = librosa.onset.onset_strength(
            S=decibels, n_fft=1024, hop_length=256, lag=lag, max_size=max_size, center=center
        )
        assert want.max() > 10
        assert len(want) == len(got)
        np.testing.assert_allclose(got[: len(got) - later, 0], want[later:], rtol=0, atol=2e-4)


def test_only_rises_count_and_the_first_rows_are_zero() -> None:
    falling = np.arange(20, 0, -1, dtype=np.float32).reshape(-1, 1)
    assert not fa.SpectralFlux(lag=3)(falling).any()
    assert fa.SpectralFlux(lag=3)(-falling)[:, 0].tolist() == [0.0] * 3 + [3.0] * 17
    assert fa.SpectralFlux(lag=30)(-falling)[:, 0].tolist() == [0.0] * 20


def test_vibrato_within_the_window_of_bands_is_no_onset() -> None:
    vibrato = np.zeros((40, 9), dtype=np.float32)
    vibrato[np.arange(40), 4 + np.arange(40) % 2] = 1
    assert fa.SpectralFlux()(vibrato)[1:].all()
    assert not fa.SpectralFlux(max_size=3)(vibrato)[1:].any()


def test_one_number_per_row_comes_out_with_its_row_in_the_same_unit() -> None:
    spec = fa.StreamSpec(rate_hz=100, shape=[3], unit="dB")
    (out,) = fa.SpectralFlux(lag=7).output_specs(spec).values()
    assert (out.rate_hz, out.shape, out.unit) == (100, (1,), "dB")
    assert out.latency_s == pytest.approx(0.01)
    assert fa.SpectralFlux(lag=7).receptive_field_s(spec) == pytest.approx(0.08)


def test_threads_give_the_same_bits(rows: NDArray[np.float32]) -> None:
    many = np.tile(rows, (60, 1))
    node = fa.SpectralFlux(lag=3, max_size=3)
    assert_same_bits({"": node(many, threads=4)}, {"": node(many)})


def test_rows_that_are_no_bands_and_lags_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match=r"SpectralFlux: expected rows \[n_bands\], got rows"):
        fa.SpectralFlux()(np.zeros((3, 4, 5), dtype=np.float32))
    with pytest.raises(ValueError, match=r"at most 2\*\*28 values at a time, .* choose a smaller lag"):
        fa.SpectralFlux(lag=4095).open(fa.StreamSpec(rate_hz=1, shape=[100_000]))
