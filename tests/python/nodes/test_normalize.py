"""Normalize and TopDb against float64 NumPy, librosa and the formulas of models."""

from __future__ import annotations

from typing import TYPE_CHECKING

import fastaudio as fa
import numpy as np
import pytest

if TYPE_CHECKING:
    from numpy.typing import NDArray

KINDS = ("max", "mean", "standard", "min_max", "rms", "energy")
DB_MEL = fa.MelSpectrogram(sample_rate=16_000, n_fft=512, hop_length=256, n_mels=64) >> fa.Log(kind="dB")


@pytest.fixture(scope="module")
def db_mel(guitar_16k: NDArray[np.float32]) -> NDArray[np.float32]:
    return DB_MEL(guitar_16k)[:200]


def reference(rows: NDArray[np.float32], kind: str, axes: tuple[int, ...]) -> NDArray[np.float64]:
    """Return what the documentation says, over these axes."""
    x = rows.astype(np.float64)
    mean, low = x.mean(axis=axes, keepdims=True), x.min(axis=axes, keepdims=True)
    if kind == "max":
        return x / np.abs(x).max(axis=axes, keepdims=True)
    if kind == "mean":
        return x - mean
    if kind == "standard":
        return (x - mean) / x.std(axis=axes, keepdims=True)
    if kind in ("rms", "energy"):
        return x / np.sqrt((np.mean if kind == "rms" else np.sum)(x**2, axis=axes, keepdims=True))
    return (x - low) / (x.max(axis=axes, keepdims=True) - low)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(64,), (4, 16)])
def test_each_row_by_its_own_level(db_mel: NDArray[np.float32], kind: str, shape: tuple[int, ...]) -> None:
    rows = db_mel.reshape(-1, *shape)
    want = reference(rows, kind, tuple(range(1, rows.ndim)))
    np.testing.assert_allclose(fa.Normalize(kind=kind)(rows), want, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(), (64,), (4, 16)])
def test_a_clip_is_scaled_by_its_own_level(
    db_mel: NDArray[np.float32], kind: str, shape: tuple[int, ...]
) -> None:
    rows = db_mel.reshape(-1, *shape)
    node = fa.Normalize(kind=kind, over="clip")
    got = node(rows)
    np.testing.assert_allclose(got, reference(rows, kind, tuple(range(rows.ndim))), rtol=1e-6, atol=1e-9)


def test_frames_are_standardised_as_crepe_does(guitar_16k: NDArray[np.float32]) -> None:
    frames = fa.Patches(length=1024, hop=160)(guitar_16k[:16_000])
    want = frames - np.mean(frames, axis=1)[:, None]
    want /= np.clip(np.std(frames, axis=1)[:, None], 1e-8, None)
    np.testing.assert_allclose(fa.Normalize()(frames), want, rtol=1e-4, atol=1e-5)


def test_rows_that_never_change_are_divided_by_eps_alone() -> None:
    for kind in KINDS:
        assert not fa.Normalize(kind=kind)(np.zeros((2, 5), dtype=np.float32)).any()
    flat = np.full((2, 5), 0.3, dtype=np.float32)
    for kind in ("max", "rms"):
        np.testing.assert_allclose(fa.Normalize(kind=kind)(flat), 1, rtol=1e-7)
    for kind in ("mean", "standard", "min_max"):
        np.testing.assert_allclose(fa.Normalize(kind=kind)(flat), 0, atol=1e-8)
    assert fa.Normalize(kind="max", eps=2)(np.float32([[1, -1]])).tolist() == [[0.5, -0.5]]


@pytest.mark.parametrize("node", [fa.Normalize(over="clip"), fa.TopDb(over="clip")])
def test_the_clip_comes_whole_and_at_the_end_and_says_so(node: fa.Node) -> None:
    stream = node.open()
    assert stream.push(np.ones((10, 3), dtype=np.float32)).shape == (0, 3)
    assert stream.flush().shape == (10, 3)
    chain = DB_MEL >> node >> fa.Patches(length=10)
    assert chain.input_spec is not None
    (out,) = chain.output_specs(chain.input_spec).values()
    assert out.latency_s == np.inf
    assert out.rate_hz == 6.25
    assert chain.diagram().endswith(", waits for the end")
    assert fa.Pipeline(chain).latency_s == np.inf
    assert "waits for the end" in str(fa.Pipeline(chain))


@pytest.mark.parametrize("top_db", [0, 15.5, 80])
def test_top_db_is_librosas(guitar_16k: NDArray[np.float32], top_db: float) -> None:
    librosa = pytest.importorskip("librosa")
    power = fa.MelSpectrogram(sample_rate=16_000, n_fft=512, hop_length=256)(guitar_16k)
    want = librosa.power_to_db(power.astype(np.float64), top_db=top_db)
    got = (fa.Log(kind="dB") >> fa.TopDb(top_db=top_db, over="clip"))(power)
    np.testing.assert_allclose(got, want, rtol=0, atol=2e-5)
    assert got.max() - got.min() == pytest.approx(top_db, abs=1e-5) or top_db == 80


def test_top_db_of_patches_relative_is_openl3s(db_mel: NDArray[np.float32]) -> None:
    patches = db_mel[:160].reshape(4, 40, 64)
    want = patches - patches.max(axis=(1, 2), keepdims=True)
    got = fa.TopDb(top_db=30, relative=True)(patches)
    assert np.array_equal(got, np.maximum(want, -30))
    assert got.max(axis=(1, 2)).tolist() == [0] * 4
    assert (got == -30).any()


def test_top_db_by_the_row_keeps_what_is_near_its_largest(db_mel: NDArray[np.float32]) -> None:
    highest = db_mel.max(axis=1, keepdims=True)
    assert np.array_equal(fa.TopDb(top_db=20)(db_mel), np.maximum(db_mel, highest - np.float32(20)))


def test_top_db_refuses_what_is_not_db() -> None:
    mel = fa.MelSpectrogram()
    with pytest.raises(ValueError, match=r"TopDb: expected dB, got power; take Log\(kind='dB'\) first"):
        mel >> fa.TopDb()
    with pytest.raises(ValueError, match="TopDb: expected dB, got log10"):
        mel >> fa.Log(kind="log10") >> fa.TopDb()


def test_what_comes_out_is_named() -> None:
    spec = fa.StreamSpec(rate_hz=10, shape=[2, 3], unit="dB")
    for node, unit in ((fa.Normalize(), "normalized"), (fa.Normalize(kind="mean"), "dB"), (fa.TopDb(), "dB")):
        (out,) = node.output_specs(spec).values()
        assert (out.rate_hz, out.shape, out.unit, out.latency_s) == (10, (2, 3), unit, 0.1)
