"""Live streams: an early result, and another model from the next patch on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import fastaudio as fa
import numpy as np
import pytest
from fastaudio.tags import Window
from live_helpers import (
    RATE_HZ,
    assert_windows_are,
    background,
    cut,
    drain,
    features,
    feed,
    jittered,
    noise,
    rows_of,
    run_live,
    scores,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

FEATURES, SCORES = features(), scores()
SOUND = noise(4 * 48_000)


# An early result


def test_a_provisional_window_is_that_of_a_shorter_clip(
    tagger: fa.Pipeline, guitar_16k: NDArray[np.float32]
) -> None:
    want = tagger(guitar_16k[:100_000], sample_rate=RATE_HZ)
    short = tagger(guitar_16k[:16_000], sample_rate=RATE_HZ)
    first, *others = run_live(tagger, jittered(guitar_16k[:100_000], RATE_HZ), RATE_HZ, provisional_s=1.0)
    assert first.provisional
    assert (first.start_s, first.end_s) == (0.0, 1.0)
    assert first.scores.tobytes() == next(iter(short)).scores.tobytes()
    assert_windows_are(others, want)


def test_a_provisional_clip_longer_than_the_sound_never_comes() -> None:
    got = run_live(SCORES, [SOUND[:8000]], RATE_HZ, provisional_s=1.0)
    assert not any(window.provisional for window in got)


# Another model


def test_a_swap_changes_the_model_between_two_patches(
    tagger: fa.Pipeline, guitar_16k: NDArray[np.float32]
) -> None:
    other = fa.Pipeline.load("vgg-mtt")
    sound = guitar_16k[:159_000]
    want = tagger(sound, sample_rate=RATE_HZ), other(sound, sample_rate=RATE_HZ)
    with tagger.live(RATE_HZ) as stream:
        stream.push(sound[:60_000])  # one patch and a part of the next
        first = stream.get(timeout_s=60)
        stream.swap(other)
        stream.push(sound[60_000:110_000])
        second = stream.get(timeout_s=60)
        stream.swap(tagger)
        stream.push(sound[110_000:])
        got = [first, second, *drain(stream)]
        assert [name for name, _ in stream.stats().parts][-2].startswith("Tags")
    whose = [0, 1, *[0] * (len(got) - 2)]
    assert len(got) == len(want[0])
    for k, window in enumerate(got):
        match = want[whose[k]][k]
        np.testing.assert_allclose(window.scores, match.scores, rtol=0, atol=1e-6)
        assert window.model == ("musicnn-mtt", "vgg-mtt")[whose[k]]
        assert window.labels == match.labels
        assert (window.start_s, window.end_s) == (
            pytest.approx(match.start_s, abs=1e-9),
            pytest.approx(match.end_s, abs=1e-9),
        )


def test_embeddings_and_tags_of_any_silence_swap_into_each_other(
    tagger: fa.Pipeline, guitar_16k: NDArray[np.float32]
) -> None:
    sound = np.concatenate([guitar_16k[:100_000], np.zeros(160_000, np.float32)])
    others = [tagger.layer(), fa.Pipeline(tagger.node, card=tagger.card, silence_db=None), tagger]
    with tagger.layer().live(RATE_HZ, max_results=10**4) as stream:
        for k, other in enumerate(others):
            stream.push(sound[40_000 * k : 40_000 * (k + 1)])
            stream.swap(other)
        stream.push(sound[120_000:])
        got = drain(stream)
    tags = [window for window in got if isinstance(window, Window)]
    want = {round(window.start_s, 6): window.silent for window in tagger(sound, sample_rate=RATE_HZ)}
    marked = [window for window in tags if window.start_s >= 120_000 / RATE_HZ]
    assert len(got) == len(want)
    assert {window.silent for window in marked} == {True}
    assert [window.silent for window in marked] == [want[round(window.start_s, 6)] for window in marked]


def test_another_front_end_is_refused_and_nothing_changes(tagger: fa.Pipeline) -> None:
    with tagger.live(RATE_HZ) as stream:
        with pytest.raises(ValueError, match=r"^swap: expected a network that begins with the same parts"):
            stream.swap(FEATURES)
        with pytest.raises(ValueError, match=r"^swap: expected"):
            stream.swap(SCORES)
        stream.push(SOUND[:60_000])
        got = drain(stream)
    assert {window.model for window in got} == {"musicnn-mtt"}
    with pytest.raises(fa.StateError, match=r"^live: expected no swap after close, got one; open a new"):
        stream.swap(tagger)


def test_swaps_while_results_come_lose_none() -> None:
    # Two heads behind the same features; results of each swap may come before it returns.
    heads = [SCORES, FEATURES >> fa.Tags([f"other {k}" for k in range(8)])]
    want = rows_of(SCORES(SOUND, sample_rate=RATE_HZ))
    with SCORES.live(RATE_HZ, max_results=10**6) as stream:

        def swap() -> None:
            for k in range(100):
                stream.swap(heads[k % 2])

        with background(swap), background(feed, stream, cut(SOUND, [500])):
            got = list(stream)
    assert rows_of(got).tobytes() == want.tobytes()
    assert [round(window.start_s * RATE_HZ) for window in got] == [256 * k for k in range(len(want))]
