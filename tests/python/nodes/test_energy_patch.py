"""EnergyPatch against the sums of all patches in float64 NumPy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import fastaudio as fa
import numpy as np
import pytest
from helpers import SOUNDS, decode, musicnn_front
from hypothesis import given
from hypothesis import strategies as st

if TYPE_CHECKING:
    from numpy.typing import NDArray


@pytest.fixture(scope="module")
def log_mel(guitar_16k: NDArray[np.float32]) -> NDArray[np.float32]:
    return musicnn_front()(guitar_16k)


def reference(rows: NDArray[np.float32], length: int, hop: int = 1) -> NDArray[np.float32]:
    """Return the patch of the largest sum, the first of equal ones."""
    starts = np.arange(0, len(rows) - length + 1, hop)
    sums = [rows[start : start + length].sum(dtype=np.float64) for start in starts]
    start = starts[np.argmax(sums)]
    return rows[start : start + length]


@pytest.mark.parametrize("shape", [(96,), (4, 24)])
@given(
    n=st.integers(1, 300),
    length=st.integers(1, 100),
    hop=st.integers(1, 40),
)
def test_it_is_the_loudest_of_all_patches(
    log_mel: NDArray[np.float32], shape: tuple[int, ...], *, n: int, length: int, hop: int
) -> None:
    rows = np.ascontiguousarray(log_mel[100 : 100 + n]).reshape(n, *shape)
    node = fa.EnergyPatch(length=length, hop=hop)
    got = node(rows)
    want = reference(rows, length, hop) if n >= length else np.resize(rows, (length, *shape))
    assert got.shape == (1, length, *shape)
    assert np.array_equal(got[0], want)


@pytest.mark.parametrize("name", ["sauna_44k_mono.ogg", "drums_44k_mono.flac"])
def test_the_patch_of_a_recording_is_the_papers(name: str) -> None:
    samples, rate = decode(SOUNDS / name)
    mel = fa.MelSpectrogram(sample_rate=rate, n_fft=1024, hop_length=512, n_mels=96, power=1)
    rows = (mel >> fa.Log(kind="ln", offset=2**-23))(samples.mean(axis=1, dtype=np.float32))
    got = fa.EnergyPatch(length=96, hop=12)(rows)
    assert np.array_equal(got[0], reference(rows, 96, 12))


def test_silence_and_steady_sound_give_their_first_patch() -> None:
    rows = np.full((500, 96), 0.1, dtype=np.float32)
    rows[:, 0] += np.arange(500, dtype=np.float32) % 50  # every 50 rows repeat
    assert np.array_equal(fa.EnergyPatch(length=50, hop=25)(rows)[0], rows[:50])


def test_memory_does_not_grow_and_an_early_patch_is_kept() -> None:
    loud = np.arange(12, 0, -1, dtype=np.float32).reshape(4, 3)
    stream = fa.EnergyPatch(length=4).open()
    assert stream.push(loud).shape == (0, 4, 3)
    for _ in range(100):
        stream.push(np.zeros((7, 3), dtype=np.float32))
    assert np.array_equal(stream.flush(), loud[None])


def test_a_short_clip_is_padded_if_asked() -> None:
    rows = np.ones((2, 3), dtype=np.float32)
    got = fa.EnergyPatch(length=4, last="pad", pad_value=-7)(rows)
    assert got.tolist() == [[[1] * 3, [1] * 3, [-7] * 3, [-7] * 3]]


def test_the_patch_stands_for_the_whole_clip() -> None:
    spec = fa.StreamSpec(rate_hz=10, shape=[96], unit="ln")
    (out,) = fa.EnergyPatch(length=96).output_specs(spec).values()
    assert (out.rate_hz, out.shape, out.unit) == (0, (96, 96), "ln")


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="EnergyPatch: expected rows of a spectrogram, got samples"):
        fa.EnergyPatch()(np.zeros(100, dtype=np.float32))
    with pytest.raises(ValueError, match=r"expected at most 2\*\*28 values at a time, got 1000000 rows"):
        fa.EnergyPatch(length=1_000_000).open(fa.StreamSpec(rate_hz=1, shape=[1000]))
