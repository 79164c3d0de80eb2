"""A whole signal shared among threads: the rows of one thread, bit for bit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest
from helpers import assert_same_bits, by_name
from hypothesis import given, settings
from hypothesis import strategies as st
from node_cases import CLASSES, INPUTS, node_of, rows_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

N_VALUES = 300_000  # enough for four threads


def repeated(rows: NDArray[np.float32], n_values: int = N_VALUES) -> NDArray[np.float32]:
    """Return real sound over and over, each time a little quieter, so that no two places are alike."""
    n = n_values // rows[:1].size
    times = -(-n // len(rows))
    level = np.float32(0.9) ** np.arange(times, dtype=np.float32)
    return np.concatenate([rows * k for k in level])[:n]


@pytest.mark.parametrize("name", [name for name in CLASSES if name != "OnnxModel"])
@pytest.mark.parametrize("threads", [2, 3, 9])
def test_every_node_gives_the_same_bits_from_any_number_of_threads(name: str, threads: int) -> None:
    node, rows = node_of(name), repeated(rows_of(name))
    if name == "Events":  # without a spec it knows no labels
        node = fa.Tags(list("abcde")) >> node
    elif name == "Unroll":
        node = fa.RMS() >> fa.Patches(length=20, hop=10) >> node
        rows = repeated(rows_of("RMS"))
    elif name in INPUTS:  # without a spec it doesn't know the frequencies of its rows
        node = fa.Spectrogram(n_fft=1024, hop_length=64, power=2 if name == "Chroma" else 1) >> node
        rows = repeated(rows_of("Spectrogram"))
    assert_same_bits(by_name(node(rows, threads=threads)), by_name(node(rows)))


@settings(max_examples=40)
@given(
    n=st.integers(N_VALUES - 2000, N_VALUES),
    rate=st.sampled_from([8000, 11_127, 16_000, 44_100]),
    frames=st.fixed_dictionaries(
        {
            "n_fft": st.sampled_from([63, 400, 512]),
            "hop_length": st.integers(150, 700),
            "center": st.booleans(),
            "pad_mode": st.sampled_from(["constant", "reflect", "kaldi"]),
        }
    ),
    patches=st.fixed_dictionaries(
        {
            "length": st.integers(1, 40),
            "hop": st.integers(1, 60),
            "last": st.sampled_from(["drop", "pad", "repeat"]),
        }
    ),
)
def test_chains_of_any_steps_give_the_same_bits(
    guitar_16k: NDArray[np.float32], n: int, rate: int, frames: dict[str, Any], patches: dict[str, Any]
) -> None:
    resample = fa.Resample(input_rate=16_000, output_rate=rate, quality="fast")
    mel = fa.MelSpectrogram(sample_rate=rate, n_mels=1, **frames)
    node = resample >> mel >> fa.Log() >> fa.Patches(**patches)
    rows = repeated(guitar_16k, n)
    assert_same_bits({"": node(rows, threads=3)}, {"": node(rows)})


@pytest.mark.parametrize(
    ("input_rate", "output_rate"),
    [(44_100, 16_000), (192_000, 8000), (8000, 48_000), (11_127, 16_000), (16_000, 16_000)],
)
@pytest.mark.parametrize("quality", ["fast", "high", "best"])
def test_resampled_parts_join(
    guitar_16k: NDArray[np.float32], input_rate: int, output_rate: int, quality: str
) -> None:
    node = fa.Resample(input_rate=input_rate, output_rate=output_rate, quality=quality)
    rows = repeated(guitar_16k)
    assert_same_bits({"": node(rows, threads=4)}, {"": node(rows)})


def test_integers_are_shared_too(guitar_16k: NDArray[np.float32]) -> None:
    rows = np.round(repeated(guitar_16k) * 30_000).astype(np.int16)
    mel = fa.MelSpectrogram(sample_rate=16_000)
    alone = mel(rows)
    assert_same_bits({"": mel(rows, threads=3)}, {"": alone})
    assert_same_bits({"": mel(rows.astype(np.float32) / 32_768)}, {"": alone})


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_the_first_bad_value_is_named(guitar_16k: NDArray[np.float32], threads: int) -> None:
    rows = repeated(guitar_16k)
    rows[[151_000, 290_000]] = np.nan, np.inf
    with pytest.raises(ValueError, match="got nan at index 151000;"):
        fa.MelSpectrogram(sample_rate=16_000)(rows, threads=threads)


def test_no_threads_are_refused(guitar_16k: NDArray[np.float32]) -> None:
    with pytest.raises(ValueError, match=r"^threads: expected 1 or more, got 0; "):
        fa.MelSpectrogram(sample_rate=16_000)(guitar_16k, threads=0)
