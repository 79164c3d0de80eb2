"""The laws that hold for every node; a new one is found and tested unasked."""

from __future__ import annotations

import json
import pickle
import re
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest
from fastaudio import cards
from helpers import assert_same_bits, by_name, in_chunks, join
from hypothesis import given, settings
from hypothesis import strategies as st
from node_cases import (
    ARGUMENTS,
    CLASSES,
    COMPOSITES,
    INPUTS,
    MADE_FIT,
    ROWS,
    node_of,
    rows_of,
    spec_of,
    whole,
)

if TYPE_CHECKING:
    from pathlib import Path


def options_of(name: str) -> dict[str, str]:
    """What each option takes, from the class's own documentation."""
    _, _, section = (CLASSES[name].__doc__ or "").partition("\nOptions:\n")
    return dict(re.findall(r"^    (\w+): (.*)$", section.partition("\nRaises:")[0], re.MULTILINE))


OPTIONS = [(name, option) for name in CLASSES for option in options_of(name)]
every_node = pytest.mark.parametrize("name", CLASSES)
every_option = pytest.mark.parametrize(("name", "option"), OPTIONS)


def test_nodes_are_found_with_their_options() -> None:
    assert {"MelSpectrogram", "OnnxModel", "Sequential", "Parallel"} <= CLASSES.keys()
    assert ("MelSpectrogram", "hop_length") in OPTIONS
    assert set(ARGUMENTS) | set(ROWS) | set(INPUTS) | set(MADE_FIT) <= CLASSES.keys()


@every_node
@settings(max_examples=10)
@given(cuts=st.lists(st.integers(0, 12_000), max_size=12))
def test_any_chunking_equals_one_push(name: str, cuts: list[int]) -> None:
    rows, node = rows_of(name), node_of(name)
    cuts = [cut % (len(rows) + 1) for cut in cuts]
    once, chunked = whole(node, rows), in_chunks(node, rows, cuts, spec_of(node))
    if name != "OnnxModel":
        assert_same_bits(once, chunked)
    for output in once:
        np.testing.assert_allclose(chunked[output], once[output], rtol=0, atol=1e-5)


@every_node
def test_row_by_row_equals_one_push(name: str) -> None:
    rows, node = rows_of(name)[:3000], node_of(name)
    assert_same_bits(whole(node, rows), in_chunks(node, rows, range(len(rows)), spec_of(node)))


@every_node
def test_two_streams_do_not_disturb_each_other(name: str) -> None:
    node, rows = node_of(name), rows_of(name)
    inputs = rows, np.ascontiguousarray(rows[::-1])
    streams = node.open(spec_of(node)), node.open(spec_of(node))
    parts: tuple[list[Any], list[Any]] = ([], [])
    step = max(1, len(rows) // 7)
    for start in range(0, len(rows), step):
        for stream, signal, part in zip(streams, inputs, parts, strict=True):
            part.append(stream.push(signal[start : start + step]))
    for stream, signal, part in zip(streams, inputs, parts, strict=True):
        assert_same_bits(join([*part, stream.flush()]), whole(node, signal))


@every_node
def test_reset_begins_anew_wherever_the_stream_is(name: str) -> None:
    node, rows = node_of(name), rows_of(name)
    stream = node.open(spec_of(node))
    stream.reset()
    for n in (0, 1, len(rows) // 3, len(rows)):
        stream.push(rows[len(rows) - n :])
        stream.reset()
    stream.push(rows)
    stream.flush()
    stream.reset()
    assert_same_bits(join([stream.push(rows), stream.flush()]), whole(node, rows))


@every_node
def test_rows_given_out_stay_as_they_were(name: str) -> None:
    node, rows = node_of(name), rows_of(name)
    stream = node.open(spec_of(node))
    first = by_name(stream.push(rows))
    copies = {output: values.copy() for output, values in first.items()}
    stream.push(np.ascontiguousarray(rows[::-1]))
    stream.flush()
    assert_same_bits(first, copies)


@every_node
def test_input_may_be_read_only_or_strided(name: str) -> None:
    node, rows = node_of(name), rows_of(name)
    double = np.repeat(rows, 2, axis=0)
    double.flags.writeable = False
    assert_same_bits(whole(node, double[::2]), whole(node, rows))


@every_node
def test_repr_makes_an_equal_node(name: str) -> None:
    node = node_of(name)
    again = eval(repr(node), dict(vars(fa)))  # noqa: S307  # the law itself
    assert again == node
    assert repr(again) == repr(node)
    assert hash(again) == hash(node)
    assert node != repr(node)


@every_node
def test_pickle_makes_an_equal_node(name: str) -> None:
    node = node_of(name)
    again = pickle.loads(pickle.dumps(node))  # noqa: S301
    assert again == node
    assert type(again) is type(node)
    rows = rows_of(name)[:2]
    assert_same_bits(whole(again, rows), whole(node, rows))


def without_places(data: Any) -> Any:
    """A node's data without where its weights lie and their hash, which a card adds."""
    if isinstance(data, list):
        return [without_places(part) for part in data]
    if isinstance(data, dict):
        return {k: without_places(v) for k, v in data.items() if k not in ("path", "sha256")}
    return data


@every_node
def test_json_of_a_card_makes_an_equal_node(name: str, tmp_path: Path) -> None:
    node = node_of(name)
    cards.save(tmp_path / "card.json", node, {})
    json.loads((tmp_path / "card.json").read_text(encoding="utf-8"))
    again = cards.build(cards.read_card(tmp_path / "card.json"))
    alone = again[0] if isinstance(again, fa.Sequential) and len(again) == 1 else again
    assert without_places(alone.to_dict()) == without_places(node.to_dict())
    if name != "OnnxModel":
        assert alone == node


@every_node
def test_nothing_in_nothing_out(name: str) -> None:
    node, rows = node_of(name), rows_of(name)
    spec = whole(node, rows)
    for output, values in whole(node, rows[:0]).items():
        assert values.shape == (0, *spec[output].shape[1:])
        assert values.dtype == np.float32


@every_node
def test_one_row_gives_finite_rows(name: str) -> None:
    for values in whole(node_of(name), rows_of(name)[:1]).values():
        assert np.isfinite(values).all()


@every_node
@pytest.mark.parametrize("level", [0.0, 1e-38, 1e6])
def test_silence_and_extremes_stay_finite(name: str, level: float) -> None:
    level = min(level, 1.0) if name == "Events" else level  # it refuses what is no score
    for values in whole(node_of(name), np.full_like(rows_of(name), level)).values():
        assert np.isfinite(values).all()


@every_node
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_refused_and_nothing_is_taken(name: str, bad: float) -> None:
    node, rows = node_of(name), rows_of(name)
    spoilt = rows.copy()
    spoilt.reshape(-1)[rows.size // 2] = bad
    stream = node.open(spec_of(node))
    first = stream.push(rows)
    message = rf"^\w+: expected finite values.*, got -?(nan|inf) at index {rows.size // 2}"
    with pytest.raises(ValueError, match=message):
        stream.push(spoilt)
    clean = node.open(spec_of(node))
    again = clean.push(rows)
    assert_same_bits(join([first, stream.flush()]), join([again, clean.flush()]))


@every_node
def test_push_after_flush_is_a_state_error(name: str) -> None:
    node = node_of(name)
    stream = node.open(spec_of(node))
    stream.push(rows_of(name))
    stream.flush()
    with pytest.raises(fa.StateError, match="expected no push after flush"):
        stream.push(rows_of(name))
    with pytest.raises(fa.StateError, match="expected no flush after flush"):
        stream.flush()


def build(name: str, option: str, value: Any) -> fa.Node:
    if name in COMPOSITES:
        return CLASSES[name](*ARGUMENTS[name], **{option: value})
    arguments = dict(zip(options_of(name), ARGUMENTS.get(name, ()), strict=False))
    return CLASSES[name](**(arguments | {option: value}))


def outside(takes: str) -> list[Any]:
    """Values of the right type just outside what an option takes."""
    if "one of" in takes:
        return ["", "nothing", takes.partition("'")[2].partition("'")[0].upper() + " "]
    bounds = re.search(r" in \[([^,]+), ([^]]+)\]", takes)
    if bounds is None:
        return []
    low, high = float(bounds[1]), float(bounds[2])
    if takes.startswith("int"):
        return [int(low) - 1, int(high) + 1, 2**31, -(2**31) - 1, 2**80, -(2**80)]
    ends = [float(np.nextafter(low, -np.inf)), float(np.nextafter(high, np.inf))]
    values = [*ends, np.nan, np.inf, -np.inf]
    return [[low, value] for value in values] if takes.startswith("list") else values


@every_option
def test_an_option_outside_its_range_is_a_value_error(name: str, option: str) -> None:
    for value in outside(options_of(name)[option]):
        with pytest.raises(ValueError, match=rf"^{name}: expected {option} .*, got "):
            build(name, option, value)


WRONG_TYPES: dict[str, list[Any]] = {
    "int": ["1", 1.5, True, [1], object()],
    "float": ["1.0", True, [1.0], 1j, object()],
    "str": [1, b"hann", ["hann"], object()],
    "bool": [1, "True", object()],
    "list[str]": ["text", [1], ["a", None], 3, object()],
    "dict[str, str]": [{"a": 1}, {1: "a"}, {"a": None}, [("a", "b")], "a", object()],
    "dict[str, float | list[typing.Any]]": [
        {"a": "b"},
        {1: 2},
        {"a": None},
        {"a": [1, "x"]},
        ["a"],
        "a",
        3,
        object(),
    ],
    "list[str | tuple[str, dict[str, str]]]": [
        [1],
        [("a", 1)],
        [("a", {"b": 1})],
        "a",
        {"a": 1},
        3,
        object(),
    ],
    "list[float]": [
        "12",
        b"12",
        True,
        1j,
        [True],
        [1.0, "2"],
        [[1.0]],
        [1j],
        object(),
    ],
}


@every_option
def test_an_option_of_a_wrong_type_is_a_type_error(name: str, option: str) -> None:
    text = options_of(name)[option].replace(
        "float | list[float]", "list[float]"
    )  # a list may be a number, too
    kind = max((kind for kind in WRONG_TYPES if text.startswith(kind)), key=len)
    values = WRONG_TYPES[kind] + ([] if f"{kind} | None" in text else [None])
    for value in values:
        with pytest.raises(
            TypeError, match=rf"^{name}: expected (the names in )?{option}(\['.*'\])? as .*, got "
        ):
            build(name, option, value)


@every_option
def test_an_unknown_option_is_a_type_error_with_a_suggestion(name: str, option: str) -> None:
    with pytest.raises(TypeError, match=rf"^{name}: expected options among .*'{option}'\?$"):
        CLASSES[name](*ARGUMENTS.get(name, ()), **{f"{option}x": 1})


@every_node
def test_an_option_far_from_all_is_a_type_error(name: str) -> None:
    with pytest.raises(TypeError):
        CLASSES[name](*ARGUMENTS.get(name, ()), zzz=1)


@every_node
def test_too_many_positional_arguments_are_a_type_error(name: str) -> None:
    with pytest.raises(TypeError):
        CLASSES[name](*ARGUMENTS.get(name, ()), 1, 2)


@every_option
def test_options_are_read_only_properties(name: str, option: str) -> None:
    node = node_of(name)
    value = getattr(node, option)
    with pytest.raises(AttributeError):
        setattr(node, option, value)
    assert getattr(node, option) == value


@every_node
def test_documentation_says_what_goes_in_and_comes_out(name: str) -> None:
    text = CLASSES[name].__doc__ or ""
    assert text.splitlines()[0].endswith(".") or name in ("Sequential", "Parallel")
    composite = name in ("Sequential", "Parallel")
    assert composite or all(f"\n{part}:" in text for part in ("Input", "Output", "Latency"))
