"""Similarity against float64 NumPy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import fastaudio as fa
import numpy as np
import pytest
from helpers import musicnn_front

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

LABELS = [f"tag {i}" for i in range(40)]


@pytest.fixture(scope="module")
def rows(guitar_16k: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return log-mel frames as embeddings, one of them silent."""
    frames = musicnn_front()(guitar_16k)[:300] - np.float32(1)
    frames[7] = 0
    return frames


@pytest.fixture(scope="module")
def bank(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return other frames of all lengths, one of them zero."""
    vectors = rows[100::5] * np.logspace(-6, 6, 40, dtype=np.float32)[:, None]
    vectors[3] = 0
    return vectors


def reference(rows: NDArray[np.float32], bank: NDArray[np.float32]) -> NDArray[np.float64]:
    x, y = rows.astype(np.float64), bank.astype(np.float64)
    norms = np.linalg.norm(x, axis=1)[:, None] * np.linalg.norm(y, axis=1)
    return np.divide(x @ y.T, norms, out=np.zeros_like(norms), where=norms > 0)


def test_cosines_are_numpys(rows: NDArray[np.float32], bank: NDArray[np.float32]) -> None:
    node = fa.Similarity(bank.ravel(), LABELS)
    got = node(rows)
    np.testing.assert_allclose(got, reference(rows, bank), rtol=0, atol=1e-7)
    assert not got[7].any()
    assert not got[:, 3].any()
    assert np.abs(got).max() <= 1


def test_the_vector_most_like_a_row_is_named(rows: NDArray[np.float32], bank: NDArray[np.float32]) -> None:
    got = fa.Similarity(bank.ravel(), LABELS)(rows[100::5])
    likest = got.argmax(axis=1)
    others = np.arange(40) != 3
    assert np.array_equal(likest[others], np.arange(40)[others])


def test_scores_have_names_and_make_tags(guitar_16k: NDArray[np.float32], bank: NDArray[np.float32]) -> None:
    node = fa.Similarity(bank.ravel(), LABELS)
    (out,) = node.output_specs(fa.StreamSpec(rate_hz=10, shape=[96])).values()
    assert (out.rate_hz, out.shape, out.unit, out.labels) == (10, (40,), "cosine", LABELS)
    pipeline = fa.Pipeline(musicnn_front() >> node >> fa.Mean() >> fa.Tags(LABELS))
    assert "Similarity(40 labels)" in str(pipeline)
    tags = pipeline(guitar_16k, sample_rate=16_000)
    want = node(musicnn_front()(guitar_16k)).mean(axis=0, dtype=np.float64).argmax()
    assert tags.top(1)[0][0] == LABELS[want]


def test_the_largest_bank_fits_into_a_card(tmp_path: Path) -> None:
    bank = np.random.default_rng(0).normal(scale=1e-5, size=2**17)  # long numbers
    pipeline = fa.Pipeline(
        fa.MelSpectrogram(sample_rate=16_000, n_mels=128)
        >> fa.Similarity(bank, [f"a rather long name of a tag {i}" for i in range(1024)])
    )
    pipeline.save(tmp_path / "card.json")
    assert fa.Pipeline.load(tmp_path / "card.json").node == pipeline.node


@pytest.mark.parametrize(
    ("bank", "labels", "message"),
    [
        ([], ["a"], "expected bank of a multiple of 1 items, the number of labels, got 0 items"),
        ([1.0] * 5, ["a", "b"], "expected bank of a multiple of 2 items, the number of labels, got 5 items"),
        ([1.0], [], "expected at least one label, got none"),
        ([1.0], [""], "expected a name for each label, got ''"),
        ([1.0, 2.0], ["a", "a"], "expected different labels, got 'a' twice"),
        (
            [0.0] * 131_073,
            ["a"],
            "expected bank of at most 131072 items, got 131073 items; take an Onnx",
        ),
    ],
)
def test_lists_that_do_not_fit_are_refused(bank: list[float], labels: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=f"Similarity: {message}"):
        fa.Similarity(bank, labels)


def test_rows_of_another_width_are_refused_when_composing() -> None:
    with pytest.raises(ValueError, match="Similarity: expected rows of 2, as the bank's vectors have, got"):
        musicnn_front() >> fa.Similarity([1.0, 2.0], ["a"])
