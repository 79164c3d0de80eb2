"""Preemphasis against its formula, and its ends."""

from __future__ import annotations

from itertools import pairwise

import fastaudio as fa
import numpy as np
import pytest
from helpers import GUITAR, decode
from hypothesis import given
from hypothesis import strategies as st

SOUND = np.ascontiguousarray(decode(GUITAR)[0][:20_000, 0])


@pytest.mark.parametrize("coeff", [0.97, 0.5, 0.0, -1.0])
def test_each_sample_loses_a_part_of_the_one_before(coeff: float) -> None:
    before = np.concatenate([[0.0], SOUND[:-1]])
    want = SOUND.astype(np.float64) - coeff * before
    got = fa.Preemphasis(coeff=coeff)(SOUND)
    assert got.shape == SOUND.shape
    np.testing.assert_allclose(got, want, rtol=0, atol=1e-7)


@pytest.mark.parametrize("coeff", [0.97, -0.3])
def test_advanced_is_the_same_one_sample_earlier(coeff: float) -> None:
    plain = fa.Preemphasis(coeff=coeff)(SOUND)
    advanced = fa.Preemphasis(coeff=coeff, advanced=True)(SOUND)
    np.testing.assert_array_equal(advanced, plain[1:])


@given(st.lists(st.integers(0, 9000), max_size=4), st.booleans())
def test_blocks_of_any_length_give_the_same_bits(lengths: list[int], advanced: bool) -> None:
    node = fa.Preemphasis(advanced=advanced)
    stream = node.open()
    cuts = np.cumsum([0, *lengths])
    parts = [stream.push(SOUND[start:end]) for start, end in pairwise(cuts)]
    parts += [stream.push(SOUND[cuts[-1] :]), stream.flush()]
    np.testing.assert_array_equal(np.concatenate(parts), node(SOUND))


def test_it_is_torchaudios() -> None:
    torchaudio = pytest.importorskip("torchaudio")
    torch = pytest.importorskip("torch")
    want = torchaudio.functional.preemphasis(torch.from_numpy(SOUND), coeff=0.97).numpy()
    np.testing.assert_allclose(fa.Preemphasis(coeff=0.97)(SOUND), want, rtol=0, atol=1e-7)


def test_no_sample_gives_none_and_one_waits_for_the_next() -> None:
    for node in (fa.Preemphasis(), fa.Preemphasis(advanced=True)):
        assert len(node(SOUND[:0])) == 0
    assert len(fa.Preemphasis(advanced=True)(SOUND[:1])) == 0
    specs = fa.Preemphasis(sample_rate=16_000, advanced=True)
    assert specs.output_specs(fa.StreamSpec(rate_hz=16_000))[""].latency_s == 2 / 16_000


def test_another_rate_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^Preemphasis: expected samples \[16000 Hz\], got "):
        fa.Preemphasis(sample_rate=16_000).output_specs(fa.StreamSpec(rate_hz=8000))
