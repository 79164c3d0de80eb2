"""Patches against slicing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import fastaudio as fa
import numpy as np
import pytest
from helpers import assert_same_bits, in_chunks
from hypothesis import given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from numpy.typing import NDArray

LAST = ["drop", "pad", "repeat"]


def numbered(n: int, width: int = 2) -> NDArray[np.float32]:
    """Return rows that hold their own index."""
    return np.repeat(np.arange(n, dtype=np.float32)[:, None], width, axis=1) + np.float32(0.25)


def reference(
    rows: NDArray[np.float32], length: int, hop: int, last: str, *, pad_value: float, context: int
) -> list[NDArray[np.float32]]:
    """Return the patches without the `context` rows before each."""
    patches = without_context(rows, length, hop, last, pad_value)
    padded = np.concatenate([np.full((context, *rows.shape[1:]), pad_value, dtype=np.float32), rows])
    return [np.concatenate([padded[k * hop :][:context], patch]) for k, patch in enumerate(patches)]


def without_context(
    rows: NDArray[np.float32], length: int, hop: int, last: str, pad_value: float
) -> list[NDArray[np.float32]]:
    """Return patches: patch k holds rows k * hop to k * hop + length - 1; the rest, if any, follows."""
    n = len(rows)
    full = max(0, (n - length) // hop + 1)
    patches = [rows[k * hop : k * hop + length] for k in range(full)]
    start = full * hop
    covered = (full - 1) * hop + length if full else 0
    if n <= max(start, covered) or (last == "drop" and full):
        return patches
    rest = rows[start:]
    if last == "pad":
        filling = np.full((length - len(rest), *rows.shape[1:]), pad_value, dtype=np.float32)
        return [*patches, np.concatenate([rest, filling])]
    return [*patches, rest[np.arange(length) % len(rest)]]


@given(
    n=st.integers(0, 60),
    length=st.integers(1, 20),
    hop=st.integers(1, 30),
    last=st.sampled_from(LAST),
    context=st.integers(0, 25),
    cuts=st.lists(st.integers(0, 60), max_size=8),
)
@settings(max_examples=200)
def test_any_lengths_match_slicing_in_any_chunks(
    *, n: int, length: int, hop: int, last: str, context: int, cuts: list[int]
) -> None:
    node = fa.Patches(length=length, hop=hop, last=last, pad_value=-7.0, context=context)
    rows = numbered(n)
    want = reference(rows, length, hop, last, pad_value=-7.0, context=context)
    got = node(rows)
    assert got.shape == (len(want), context + length, 2)
    assert np.array_equal(got, np.array(want, dtype=np.float32).reshape(got.shape))
    assert_same_bits({"": got}, in_chunks(node, rows, cuts))


@pytest.mark.parametrize("last", LAST)
@pytest.mark.parametrize("n", [1, 2, 9])
def test_a_clip_shorter_than_a_patch_always_yields_one(last: str, n: int) -> None:
    (patch,) = fa.Patches(length=10, last=last, pad_value=-1.0)(numbered(n))
    assert np.array_equal(patch[:n], numbered(n))
    rest = np.full((10 - n, 2), -1) if last == "pad" else numbered(n)[np.arange(n, 10) % n]
    assert np.array_equal(patch[n:], rest)


@pytest.mark.parametrize("last", LAST)
def test_a_clip_of_whole_patches_has_no_rest(last: str) -> None:
    assert len(fa.Patches(length=10, last=last)(numbered(30))) == 3


@pytest.mark.parametrize("last", ["pad", "repeat"])
def test_rows_that_an_earlier_patch_held_make_no_new_patch(last: str) -> None:
    assert len(fa.Patches(length=10, hop=5, last=last)(numbered(20))) == 3
    assert len(fa.Patches(length=10, hop=5, last=last)(numbered(21))) == 4


def test_rows_between_patches_are_skipped() -> None:
    patches = fa.Patches(length=2, hop=5)(numbered(12))
    assert patches[:, 0, 0].tolist() == [0.25, 5.25, 10.25]


def test_hop_is_the_length_by_default() -> None:
    assert fa.Patches(length=4).hop is None
    assert fa.Patches(length=4)(numbered(8))[1, 0, 0] == np.float32(4.25)


def test_times_and_latency_follow_from_the_lengths() -> None:
    spec = fa.StreamSpec(rate_hz=100, shape=[96], unit="log10")
    (out,) = fa.Patches(length=50, hop=25).output_specs(spec).values()
    assert out.shape == (50, 96)
    assert out.rate_hz == pytest.approx(4)
    assert out.span_s == pytest.approx(0.5)
    assert out.latency_s == pytest.approx(0.5)
    assert out.unit == "log10"


def test_context_changes_the_shape_and_no_time() -> None:
    spec = fa.StreamSpec(rate_hz=16_000, shape=[], unit="samples")
    (out,) = fa.Patches(length=512, context=64).output_specs(spec).values()
    assert out.shape == (576,)
    assert out.rate_hz == pytest.approx(31.25)
    assert out.span_s == pytest.approx(0.032)
    assert out.latency_s == pytest.approx(0.032)  # its last sample has then passed


@pytest.mark.parametrize("threads", [2, 3])
def test_threads_give_patches_their_context(threads: int) -> None:
    rows = numbered(100_000)
    node = fa.Patches(length=300, hop=200, context=500)
    assert np.array_equal(node(rows, threads=threads), node(rows))


def test_a_patch_beyond_memory_is_refused_before_it_is_made() -> None:
    with pytest.raises(ValueError, match=r"^Patches: expected at most 2\*\*28 values at a time, got "):
        fa.Patches(length=1_000_000)(numbered(3, width=1000))
