"""What a pipeline returns, asked for its type."""

from __future__ import annotations

import copy
import pickle

import fastaudio as fa
import fastaudio.events
import fastaudio.tags
import numpy as np
import pytest
from helpers import GUITAR


@pytest.fixture(scope="module")
def events() -> fastaudio.events.Events:
    return (fa.Pipeline.load("musicnn-mtt") >> fa.Events(onset=[0.3], offset=[0.2]))(GUITAR)


def test_a_result_is_an_instance_of_the_node_that_it_is_named_after(
    tagger: fa.Pipeline, events: fastaudio.events.Events
) -> None:
    tags = tagger(GUITAR)
    assert isinstance(tags, fa.Tags)
    assert isinstance(events, fa.Events)
    assert not isinstance(tags, fa.Events)
    assert not isinstance(events, fa.Tags)
    for result in (tags, events):
        assert not isinstance(result, fa.Node | fa.Mean)
    rows = tagger.layer()(GUITAR)
    assert not isinstance(rows, fa.Tags | fa.Events)


def test_the_nodes_stay_the_nodes_that_they_were() -> None:
    for node in (fa.Tags(["a", "b"]), fa.Events()):
        assert isinstance(node, type(node))
        assert isinstance(node, fa.Node)
        assert not isinstance(node, fastaudio.tags.Tags | fastaudio.events.Events)
        pickled = pickle.loads(pickle.dumps(node))  # noqa: S301  # our own
        written = eval(repr(node), vars(fa))  # noqa: S307  # our own
        for same in (pickled, copy.deepcopy(node), written):
            assert same == node
            assert type(same) is type(node)
    assert issubclass(fa.Tags, fa.Node)
    assert not issubclass(fastaudio.tags.Tags, fa.Tags)
    assert np.array_equal(fa.Tags(["a"])(np.ones((2, 1), np.float32)), np.ones((2, 1)))


def test_a_subclass_of_the_node_does_not_take_results(tagger: fa.Pipeline) -> None:
    class Mine(fa.Tags):
        pass

    assert not isinstance(tagger(GUITAR), Mine)
    assert isinstance(Mine(["a"]), Mine)
