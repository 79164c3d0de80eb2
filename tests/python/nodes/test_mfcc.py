"""MFCC against SciPy's transform in float64, librosa and the formulas of Kaldi."""

from __future__ import annotations

from typing import TYPE_CHECKING

import fastaudio as fa
import numpy as np
import pytest

if TYPE_CHECKING:
    from numpy.typing import NDArray

MEL = fa.MelSpectrogram(sample_rate=16_000, n_fft=512, hop_length=256, n_mels=64)


@pytest.fixture(scope="module")
def db_mel(guitar_16k: NDArray[np.float32]) -> NDArray[np.float32]:
    return (MEL >> fa.Log(kind="dB"))(guitar_16k)


def transform(n_mfcc: int, n_mels: int, norm: str) -> NDArray[np.float64]:
    """Return the type II transform by its definition."""
    k, n = np.arange(n_mfcc)[:, None], np.arange(n_mels)[None]
    matrix = 2 * np.cos(np.pi * k * (2 * n + 1) / (2 * n_mels))
    if norm == "ortho":
        matrix *= np.sqrt(1 / (2 * n_mels))
        matrix[0] /= np.sqrt(2)
    return matrix


def lifter(n_mfcc: int, length: float, kind: str) -> NDArray[np.float64]:
    """Return what each coefficient is multiplied by."""
    if length == 0:
        return np.ones(n_mfcc)
    k = np.arange(n_mfcc) + (kind == "librosa")
    return 1 + length / 2 * np.sin(np.pi * k / length)


def assert_close(got: NDArray[np.float32], want: NDArray[np.float64]) -> None:
    """Assert that values agree within the roundings of a float32 sum of 64 values."""
    np.testing.assert_allclose(got, want, rtol=0, atol=1e-6 * np.abs(want).max())


@pytest.mark.parametrize("norm", ["ortho", "none"])
@pytest.mark.parametrize(("length", "kind"), [(0, "librosa"), (22, "librosa"), (22, "htk"), (12.5, "htk")])
@pytest.mark.parametrize("n_mfcc", [1, 13, 16, 20, 33, 64])
def test_coefficients_are_the_lifted_transform(
    db_mel: NDArray[np.float32], norm: str, length: float, kind: str, n_mfcc: int
) -> None:
    got = fa.MFCC(n_mfcc=n_mfcc, norm=norm, lifter=length, lifter_kind=kind)(db_mel)
    matrix = transform(n_mfcc, 64, norm) * lifter(n_mfcc, length, kind)[:, None]
    assert got.shape == (len(db_mel), n_mfcc)
    assert_close(got, db_mel.astype(np.float64) @ matrix.T)


@pytest.mark.parametrize("norm", ["ortho", "none"])
@pytest.mark.parametrize("length", [0, 40])
def test_librosa_gives_the_same(db_mel: NDArray[np.float32], norm: str, length: float) -> None:
    librosa = pytest.importorskip("librosa")
    want = librosa.feature.mfcc(
        S=db_mel.T.astype(np.float64), n_mfcc=20, norm=None if norm == "none" else norm, lifter=length
    )
    assert_close(fa.MFCC(norm=norm, lifter=length)(db_mel), want.T)


def test_the_htk_lifter_leaves_coefficient_0_alone_as_kaldi_does(db_mel: NDArray[np.float32]) -> None:
    plain = fa.MFCC(n_mfcc=13)(db_mel)
    lifted = fa.MFCC(n_mfcc=13, lifter=22, lifter_kind="htk")(db_mel)
    assert np.array_equal(plain[:, 0], lifted[:, 0])
    assert_close(plain[:, :1], db_mel.sum(axis=1, keepdims=True, dtype=np.float64) / np.sqrt(64))
    assert_close(lifted[:, 11], plain[:, 11].astype(np.float64) * 12)  # sin(pi / 2) = 1


def test_all_ortho_coefficients_keep_the_energy(db_mel: NDArray[np.float32]) -> None:
    energy = (fa.MFCC(n_mfcc=64)(db_mel).astype(np.float64) ** 2).sum(axis=1)
    np.testing.assert_allclose(energy, (db_mel.astype(np.float64) ** 2).sum(axis=1), rtol=1e-6)


def test_a_flat_row_has_coefficient_0_only() -> None:
    (row,) = fa.MFCC(n_mfcc=8)(np.full((1, 40), -23.0, dtype=np.float32))
    assert row[0] == pytest.approx(-23 * np.sqrt(40))
    np.testing.assert_allclose(row[1:], 0, atol=2e-5)


def test_more_coefficients_than_bands_are_refused_when_composing() -> None:
    with pytest.raises(ValueError, match=r"MFCC: expected n_mfcc in \[1, 64\] \(n_mels\), got 65"):
        MEL >> fa.Log() >> fa.MFCC(n_mfcc=65)


def test_power_and_patches_are_refused_when_composing() -> None:
    with pytest.raises(ValueError, match="expected log-mel rows, got power; take the logarithm first"):
        MEL >> fa.MFCC()
    with pytest.raises(ValueError, match=r"expected log-mel rows \[n_rows, n_mels\], got rows"):
        MEL >> fa.Log() >> fa.Patches(length=3) >> fa.MFCC()


def test_what_comes_out_is_named() -> None:
    (out,) = fa.MFCC(n_mfcc=13).output_specs(fa.StreamSpec(rate_hz=10, shape=[40], unit="dB")).values()
    assert (out.rate_hz, out.shape, out.unit) == (10, (13,), "cepstral")


@pytest.mark.parametrize("n_mels", [1, 2, 3, 5, 62, 63])
def test_any_number_of_bands_will_do(db_mel: NDArray[np.float32], n_mels: int) -> None:
    rows = np.ascontiguousarray(db_mel[:, :n_mels])
    want = rows.astype(np.float64) @ transform(n_mels, n_mels, "ortho").T
    assert_close(fa.MFCC(n_mfcc=n_mels)(rows), want)
