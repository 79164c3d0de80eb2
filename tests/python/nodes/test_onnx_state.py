"""Networks with state: each stream keeps its tensors from run to run."""

from __future__ import annotations

import pickle
from typing import Any

import fastaudio as fa
import numpy as np
import pytest
from helpers import assert_same_bits, in_chunks, join
from hypothesis import given
from hypothesis import strategies as st
from onnx_files import BANDS, model, rows_of

STATE = {"h": "h_next"}


def test_a_running_sum_carries_its_state_from_run_to_run() -> None:
    rows = rows_of(30)[:, 0]
    want = np.cumsum(rows, axis=0)
    for options in ({}, {"threads": 3}, {"batch": 8}):
        np.testing.assert_array_equal(model("state", state=STATE, **options)(rows), want)


@given(cuts=st.lists(st.integers(0, 30), max_size=8))
def test_states_may_come_in_any_place_have_any_shape_and_any_chunks(cuts: list[int]) -> None:
    node = model("state_mean", state={"count": "count_next", "sum": "sum_next"})
    rows = rows_of(30)[:, 0]
    got = node(rows)
    np.testing.assert_allclose(got, np.cumsum(rows, axis=0) / np.arange(1, 31)[:, None], atol=1e-6)
    assert_same_bits({"": got}, in_chunks(node, rows, cuts))


def test_streams_of_a_network_with_state_do_not_disturb_each_other() -> None:
    node, rows = model("state", state=STATE), rows_of(12)[:, 0]
    one, other = node.open(), node.open()
    parts: list[Any] = []
    for k in range(12):
        parts.append(one.push(rows[k : k + 1]))
        other.push(rows[::-1][: k + 1])
    assert_same_bits(join(parts), {"": node(rows)})


def test_a_state_is_an_option_like_others() -> None:
    node = model("state_mean", state={"sum": "sum_next", "count": "count_next"})
    assert node.state == {"count": "count_next", "sum": "sum_next"}
    assert ", state={'count': 'count_next', 'sum': 'sum_next'}, sha256=" in repr(node)
    assert eval(repr(node), dict(vars(fa))) == node  # noqa: S307
    again = pickle.loads(pickle.dumps(node))  # noqa: S301
    assert again == node
    assert np.array_equal(again(rows_of(5)[:, 0]), node(rows_of(5)[:, 0]))
    assert model("state", state=STATE)["y"].state == STATE


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("state", {"state": {"g": "h_next"}}, r"expected state inputs among \['x', 'h'\], got 'g'"),
        ("state", {"state": {"h": "g"}}, r"expected state outputs among \['y', 'h_next'\], got 'g'"),
        ("state", {"state": {"h": "y", "x": "y"}}, r"expected a state output for each input, got 'y' twice"),
        (
            "state",
            {"state": {"h": "h_next", "x": "y"}},
            r"expected one input for the rows, got none; leave that one out of state=",
        ),
        (
            "state_mean",
            {"state": {"sum": "sum_next"}},
            r"one input for the rows, got 'count' float32 \[\], 'x' ",
        ),
        ("two_inputs", {"state": {"z": "y"}}, r"expected a model with outputs beside its state, got none"),
        ("state", {"state": STATE, "outputs": ["h_next"]}, r"expected outputs among \['y'\], got 'h_next'"),
        (
            "state_open",
            {"state": STATE},
            r"expected state 'h' with no open axis but .*, got shape \[\?, \?\]",
        ),
        ("state_large", {"state": STATE}, r"expected from 1 to 2\*\*24 values in a state, .* in 'h'"),
        ("state_shapes", {"state": STATE}, r"'h' and 'h_next' of one shape, got \[1, 3\] and \[1, 6\]"),
    ],
)
def test_a_state_that_cannot_be_one_is_refused_when_made(
    name: str, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(fa.ModelError, match=rf"^OnnxModel\('.*{name}\.onnx'\): .*{message}"):
        model(name, **options)


def test_a_batch_fixed_at_several_rows_has_no_state() -> None:
    with pytest.raises(fa.ModelError, match=r"with state a run takes one row$"):
        model("state_batch4", state=STATE).open(fa.StreamSpec(rate_hz=1, shape=[BANDS]))


def test_an_error_inside_a_run_breaks_the_stream_until_it_is_reset() -> None:
    stream = model("state_grows", state=STATE).open()
    row = np.ones((1, BANDS), dtype=np.float32)
    for _ in range(2):
        assert np.array_equal(stream.push(row), row)
        with pytest.raises(fa.ModelError, match=r"^OnnxModel\('.*state_grows\.onnx'\): "):
            stream.push(2 * row)
        with pytest.raises(fa.StateError, match="expected no push after an error"):
            stream.push(row)
        stream.reset()
