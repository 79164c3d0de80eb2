"""Events: searches that find nothing say why, what is no score is refused, and a number is for all labels."""

from __future__ import annotations

import json
import pickle
from typing import TYPE_CHECKING

import fastaudio as fa
import numpy as np
import pytest
from fastaudio.events import Events
from fastaudio.tags import Tags
from helpers import GUITAR

if TYPE_CHECKING:
    from numpy.typing import NDArray


def test_a_search_that_finds_nothing_says_the_best_score_and_the_threshold(tagger: fa.Pipeline) -> None:
    tags = tagger(GUITAR)
    label, score = max(((label, float(tags[label].max())) for label in tags.labels), key=lambda pair: pair[1])
    none = (tagger >> fa.Events())(GUITAR)
    assert isinstance(none, Events)
    assert none.best is not None
    assert (none.best.label, none.best.onset) == (label, 0.5)
    assert none.best.score == pytest.approx(score, abs=1e-5)
    assert none.why_none() == f"best: {label} {score:.2f}, below onset 0.5"
    assert none.why_none() in repr(none)
    assert json.loads(none.to_json())["best"] == none.best.to_dict()
    short = (tagger >> fa.Events(onset=0.2, min_on_s=60))(GUITAR)
    assert short.why_none() == f"best: {label} {score:.2f}, but shorter than min_on_s"
    some = (tagger >> fa.Events(onset=0.2))(GUITAR)
    assert some.best.label == label
    assert some.why_none() == ""


def test_the_summary_is_no_event(tagger: fa.Pipeline) -> None:
    pipeline = tagger >> fa.Events(onset=0.2, summary=True)
    assert list(pipeline(GUITAR)) == list((tagger >> fa.Events(onset=0.2))(GUITAR))


@pytest.mark.parametrize("option", ["onset", "offset", "min_on_s", "min_off_s", "cool_down_s"])
@pytest.mark.parametrize("number", [0.25, 0, np.float64(0.25), np.float32(0.25)])
def test_a_number_is_for_all_labels(option: str, number: float) -> None:
    node = fa.Events(**{option: number})
    assert node == fa.Events(**{option: [float(number)]})
    assert getattr(node, option) == [float(number)]
    assert pickle.loads(pickle.dumps(node)) == node  # noqa: S301
    assert fa.Standardize(0.5, 2) == fa.Standardize([0.5], [2.0])


def logits() -> fa.Pipeline:
    """Return a pipeline whose scores are below 0."""
    mel = fa.MelSpectrogram(sample_rate=16_000, n_fft=512, hop_length=256, n_mels=2)
    return fa.Pipeline(mel >> fa.Log() >> fa.Tags(["low", "high"]))


def test_what_is_no_score_is_refused_and_the_remedy_works(guitar_16k: NDArray[np.float32]) -> None:
    tags = logits()(guitar_16k, sample_rate=16_000)
    assert isinstance(tags, Tags)
    assert not tags.in_range
    assert not tags[0].in_range
    message = r"^Events: expected scores in \[0, 1\], got -?\d.* for '(low|high)'; put Sigmoid\(\) or "
    with pytest.raises(ValueError, match=message):
        (logits() >> fa.Events())(guitar_16k, sample_rate=16_000)
    for node in (fa.Sigmoid(), fa.Softmax(), fa.MinMaxScale(-30, 30)):
        scores = (logits() >> node)(guitar_16k, sample_rate=16_000)
        assert scores.in_range
        found = (logits() >> node >> fa.Events(onset=0.25))(guitar_16k, sample_rate=16_000)
        assert found.best.score == scores.scores.max()
    with pytest.raises(ValueError, match=r"^Events: expected onset in \[0, 1\], got 50"):
        fa.Events(onset=50)
