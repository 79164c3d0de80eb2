"""Adapting sound: what files say about themselves doesn't decide how much memory is kept."""

from __future__ import annotations

import weakref

import fastaudio as fa
from helpers import musicnn_front


def test_nodes_for_few_rates_are_kept_however_many_were_seen() -> None:
    pipeline = fa.Pipeline(musicnn_front())
    made = []
    for rate in range(8000, 8100):
        node, _ = pipeline.adapted(rate, 1)
        made.append(weakref.ref(node))
        del node
    assert sum(node() is not None for node in made) == 8


def test_a_rate_in_use_keeps_its_node() -> None:
    pipeline = fa.Pipeline(musicnn_front())
    often, _ = pipeline.adapted(44_100, 2)
    for rate in range(8000, 8100):
        pipeline.adapted(rate, 1)
        assert pipeline.adapted(44_100, 2)[0] is often
