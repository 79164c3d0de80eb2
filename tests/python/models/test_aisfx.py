"""The model aisfx against the package it comes from, in any chunks, and on real sound."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import fastaudio as fa
import numpy as np
import pytest
from fastaudio import presets
from helpers import GOLDEN, GUITAR, ROOT, decode
from hypothesis import given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

RATE = 44_100


@pytest.fixture(scope="module")
def effects() -> fa.Pipeline:
    """Return the shipped model."""
    return fa.Pipeline.load("aisfx")


def left() -> NDArray[np.float32]:
    """Return the guitar's left channel."""
    return decode(GUITAR)[0][:, 0].copy()


def test_embeddings_are_the_packages_own(effects: fa.Pipeline) -> None:
    want = np.load(GOLDEN / "aisfx.npz")["guitar"]
    got = effects(left(), sample_rate=RATE)
    assert got.shape == want.shape == (8, 512)
    assert np.abs(got - want).max() < 1e-4 * np.abs(want).max()


@settings(max_examples=5)
@given(cuts=st.lists(st.integers(0, 200_000), max_size=10))
def test_any_chunks_give_the_same_bits(effects: fa.Pipeline, cuts: list[int]) -> None:
    samples = left()[:200_000]
    want = effects(samples, sample_rate=RATE)
    stream = effects.open(sample_rate=RATE)
    blocks = [samples[start:end] for start, end in pairwise([0, *sorted(cuts), len(samples)])]
    rows = np.concatenate([*[stream.push(block) for block in blocks], stream.flush()])
    assert rows.tobytes() == want.tobytes()


def test_a_sound_shorter_than_a_patch_is_filled_up_with_zeros(effects: fa.Pipeline) -> None:
    samples = left()[:20_000]
    frames = fa.Sequential([effects.node[i] for i in range(3)])(samples)
    patch = np.pad(frames, ((0, 100 - len(frames)), (0, 0)))
    assert np.array_equal(effects(samples, sample_rate=RATE), effects.node[-1](patch[None]))


def test_the_front_end_is_the_preset(effects: fa.Pipeline) -> None:
    front = fa.Sequential([effects.node[i] for i in range(len(effects.node) - 1)])
    assert front == presets.aisfx(last="pad")


def embedded(effects: fa.Pipeline, clip: Path) -> NDArray[np.float32]:
    """Return the rows of a clip's beginning."""
    sound, rate = decode(clip, 6)
    return effects(sound, sample_rate=rate, layout="samples_channels")


def test_recordings_of_one_voice_are_nearest_to_each_other(effects: fa.Pipeline, shared: Path) -> None:
    clips = [*sorted((shared / "audio" / "clips").glob("*_mono*")), GUITAR]
    clips = [clip for clip in clips if clip.suffix != ".m4a"]
    vectors = np.stack([embedded(effects, clip).mean(axis=0) for clip in clips])
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    cosines = vectors @ vectors.T - 2 * np.eye(len(clips))
    nearest = {clip.stem: clips[i].stem for clip, i in zip(clips, cosines.argmax(axis=1), strict=True)}
    voices = [name for name in nearest if name.startswith("speech")]
    assert len(voices) == 3
    assert all(nearest[name].startswith("speech") for name in voices), nearest


def test_attribution_is_given_wherever_the_weights_are(effects: fa.Pipeline) -> None:
    licence = (ROOT / "models" / "aisfx" / "LICENSE").read_text(encoding="utf-8")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert effects.card["licence"] == "CC-BY-4.0"
    assert effects.card["copyright"] in licence
    assert "Changed: " in licence
    assert effects.card["changes"]
    for author in effects.card["authors"]:
        assert author in licence
        assert author in readme
    assert "CC-BY-4.0" in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
