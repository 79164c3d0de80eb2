"""Standardize, MinMaxScale and L2Normalize against float64 NumPy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import fastaudio as fa
import numpy as np
import pytest
from helpers import musicnn_front

if TYPE_CHECKING:
    from numpy.typing import NDArray


@pytest.fixture(scope="module")
def log_mel(guitar_16k: NDArray[np.float32]) -> NDArray[np.float32]:
    return musicnn_front()(guitar_16k)


@pytest.mark.parametrize("n", [1, 96])
def test_standardize_is_the_formula_for_one_number_and_for_one_per_band(
    log_mel: NDArray[np.float32], n: int
) -> None:
    mean = log_mel.mean(axis=0, dtype=np.float64)[:n]
    std = log_mel.std(axis=0, dtype=np.float64)[:n]
    got = fa.Standardize(mean=mean, std=std)(log_mel)
    np.testing.assert_allclose(got, (log_mel.astype(np.float64) - mean) / std, rtol=1e-7, atol=1e-9)


def test_standardised_by_their_own_mean_and_std_bands_have_mean_0_and_std_1(
    log_mel: NDArray[np.float32],
) -> None:
    wide = log_mel.astype(np.float64)
    got = fa.Standardize(wide.mean(axis=0), wide.std(axis=0))(log_mel).astype(np.float64)
    np.testing.assert_allclose(got.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(got.std(axis=0), 1, rtol=1e-6)


def test_one_number_serves_all_of_the_other_list(log_mel: NDArray[np.float32]) -> None:
    mean = [float(i) for i in range(96)]
    same = fa.Standardize(mean, [2.0] * 96)(log_mel)
    assert np.array_equal(fa.Standardize(mean, [2.0])(log_mel), same)


def test_the_last_axis_of_patches_is_the_one_that_counts(log_mel: NDArray[np.float32]) -> None:
    node = fa.Standardize([float(i) for i in range(96)], [3.0])
    patches = log_mel[:96].reshape(4, 24, 96)
    assert np.array_equal(node(patches), node(log_mel[:96]).reshape(4, 24, 96))


def test_samples_take_one_number(guitar_16k: NDArray[np.float32]) -> None:
    got = fa.Standardize([0.25], [0.5])(guitar_16k)
    np.testing.assert_allclose(got, (guitar_16k - 0.25) / 0.5, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("n", [1, 96])
@pytest.mark.parametrize("clipped", [False, True])
def test_min_max_scale_is_the_formula(log_mel: NDArray[np.float32], n: int, clipped: bool) -> None:
    low = np.quantile(log_mel, 0.2, axis=0)[:n].astype(np.float64) - 0.5
    high = low + 1.25
    want = (log_mel.astype(np.float64) - low) / (high - low)
    assert want.max() > 1
    want = np.clip(want, 0, 1) if clipped else want
    got = fa.MinMaxScale(low, high, clip=clipped)(log_mel)
    np.testing.assert_allclose(got, want, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("shape", [(96,), (4, 24)])
def test_l2_rows_have_length_one(log_mel: NDArray[np.float32], shape: tuple[int, ...]) -> None:
    rows = log_mel[:50].reshape(50, *shape) + np.float32(1e-3)
    wide = rows.astype(np.float64).reshape(50, -1)
    want = (wide / np.linalg.norm(wide, axis=1, keepdims=True)).reshape(rows.shape)
    np.testing.assert_allclose(fa.L2Normalize()(rows), want, rtol=1e-7)


def test_l2_of_a_row_below_eps_is_divided_by_eps() -> None:
    assert fa.L2Normalize(eps=10)(np.float32([[3, 4]])).tolist() == pytest.approx(np.array([[0.3, 0.4]]))
    assert not fa.L2Normalize()(np.zeros((2, 3), dtype=np.float32)).any()
    largest = fa.L2Normalize()(np.full((1, 4), 1e12, dtype=np.float32))
    assert largest.tolist() == pytest.approx(np.full((1, 4), 0.5))


def test_lists_come_as_any_sequence_and_back_as_floats() -> None:
    node = fa.Standardize(np.array([1, 2], dtype=np.float32), (3, 4))
    assert (node.mean, node.std) == ([1.0, 2.0], [3.0, 4.0])
    assert repr(node) == "Standardize([1.0, 2.0], [3.0, 4.0])"
    assert node == fa.Standardize(mean=[1, 2], std=[3, 4])
    assert node.to_dict() == {"node": "Standardize", "mean": [1.0, 2.0], "std": [3.0, 4.0]}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: fa.Standardize([], [1.0]), "expected mean of at least one item, got 0 items"),
        (lambda: fa.Standardize([1.0], []), "expected std of at least one item, got 0 items"),
        (lambda: fa.Standardize([1.0] * 3, [1.0] * 2), "expected std of one item, or of 3 as mean, got 2"),
        (lambda: fa.Standardize([1.0], [1.0, 0.0]), r"expected std in \[1e-12, 1e\+12\], got 0.0"),
        (lambda: fa.MinMaxScale([0, 1], [1, 1]), "expected max at least 1e-12 above min = 1.0, got 1.0"),
        (lambda: fa.MinMaxScale([0.0], [-1.0]), "expected max at least 1e-12 above min = 0.0, got -1.0"),
    ],
)
def test_lists_that_do_not_fit_are_refused(make: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()  # type: ignore[operator]


def test_rows_of_another_width_are_refused_when_composing() -> None:
    mel = fa.MelSpectrogram(sample_rate=16_000, n_fft=512, hop_length=256, n_mels=96)
    with pytest.raises(ValueError, match=r"expected rows of 3 along the last axis, got rows \[62.5 Hz, 96\]"):
        mel >> fa.Standardize([1.0] * 3, [1.0])
    assert "MinMaxScale(96 bands)" in (mel >> fa.MinMaxScale([0.0] * 96, [1.0])).diagram()


def test_what_comes_out_is_named() -> None:
    spec = fa.StreamSpec(rate_hz=10, shape=[2, 3], unit="dB")
    for node in (fa.Standardize([0.0], [1.0]), fa.MinMaxScale([0.0], [1.0]), fa.L2Normalize()):
        (out,) = node.output_specs(spec).values()
        assert (out.rate_hz, out.shape, out.unit) == (10, (2, 3), "normalized")
