"""Each: a node run over every row as a clip of its own."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest
from fastaudio import cards
from helpers import GUITAR, assert_same_bits, by_name, decode
from hypothesis import given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

RATE = 16_000
MEL = fa.MelSpectrogram(sample_rate=RATE, n_fft=512, hop_length=256, n_mels=32, pad_mode="reflect")
FRONT = MEL >> fa.Log(kind="dB")


def guitar(n: int) -> NDArray[np.float32]:
    return np.ascontiguousarray(decode(GUITAR)[0][20_000 : 20_000 + n, 0])


def only(rows: Any) -> NDArray[np.float32]:
    return by_name(rows)[""]


@settings(max_examples=20)
@given(length=st.integers(1, 3000), hop=st.integers(200, 3000), kept=st.integers(1, 4) | st.none())
def test_rows_are_those_of_a_call_for_each_clip(length: int, hop: int, kept: int | None) -> None:
    x = guitar(9000)
    if kept is not None and kept > 1 + length // 256:
        kept = None
    got = only((fa.Patches(length=length, hop=hop) >> fa.Each(FRONT, length=kept))(x))
    starts = range(0, len(x) - length + 1, hop)
    want = np.stack([only(FRONT(x[start : start + length]))[:kept] for start in starts])
    assert_same_bits({"": got}, {"": want})


def test_threads_give_the_same_bits() -> None:
    node, x = fa.Patches(length=4000, hop=2000) >> fa.Each(FRONT), guitar(200_000)
    once = node(x)
    stream = node.open()
    assert_same_bits({"": once}, {"": np.concatenate([stream.push(x), stream.flush()])})
    assert_same_bits({"": once}, {"": node(x, threads=2)})


def test_a_clips_edges_are_padded_by_itself() -> None:
    x = guitar(8192)
    whole, cut = only(FRONT(x)), only((fa.Patches(length=4096) >> fa.Each(FRONT))(x))
    assert cut.shape == (2, 17, 32)
    differs = np.abs(cut[1] - whole[16:33]).max(axis=1) > 1e-3
    assert differs[0]
    assert not differs[1:16].any()


def test_specs_are_the_windows_rate_and_the_nodes_unit() -> None:
    front = fa.Patches(length=8000, hop=4000) >> fa.Each(FRONT, length=10)
    assert front.input_spec is not None
    assert front.input_spec.rate_hz == RATE
    assert front.input_spec.shape == ()
    spec = front.output_specs(front.input_spec)[""]
    assert spec.shape == (10, 32)
    assert spec.rate_hz == 4
    assert spec.span_s == pytest.approx(0.5)
    assert spec.latency_s == pytest.approx(8000 / RATE)
    assert spec.unit == "dB"
    assert front.diagram().splitlines()[1].startswith("Each(MelSpectrogram >> Log)")


def test_a_clip_level_node_gives_one_row() -> None:
    x = guitar(6000)
    got = only((fa.Patches(length=3000) >> fa.Each(FRONT >> fa.Mean()))(x))
    want = [only((FRONT >> fa.Mean())(x[start : start + 3000])) for start in (0, 3000)]
    assert_same_bits({"": got}, {"": np.stack(want)})


def test_branches_after_patches_are_told_their_rate() -> None:
    node = fa.Patches(length=3000) >> {"a": fa.Each(FRONT) >> fa.TopDb(), "b": fa.Each(MEL)}
    x = guitar(6000)
    assert {name: rows.shape for name, rows in by_name(node(x)).items()} == {
        "a": (2, 12, 32),
        "b": (2, 12, 32),
    }
    with pytest.raises(ValueError, match=r"^Parallel: expected clips of one rate"):
        fa.Parallel({"a": fa.Each(FRONT), "b": fa.Each(fa.MelSpectrogram(sample_rate=8000))})


def test_length_is_in_repr_dict_and_pickle(tmp_path: Path) -> None:
    node = fa.Each(FRONT, length=7)
    assert repr(node) == f"Each({FRONT!r}, length=7)"
    assert repr(fa.Each(inner=FRONT)) == f"Each({FRONT!r})"
    assert (node.length, node.inner) == (7, FRONT)
    assert node.to_dict() == {"node": "Each", "inner": FRONT.to_dict(), "length": 7}
    assert pickle.loads(pickle.dumps(node)) == node  # noqa: S301
    assert node != fa.Each(FRONT)
    front = fa.Patches(length=4000) >> node >> fa.TopDb()
    cards.save(tmp_path / "card.json", front, {})
    assert cards.build(cards.read_card(tmp_path / "card.json")) == front


def test_a_cards_front_end_is_what_the_network_takes_not_the_clips() -> None:
    front = fa.Patches(length=4000) >> fa.Each(FRONT) >> fa.Patches(length=2)
    assert cards.front_end(front) == {"rate_hz": 4.0, "shape": [16, 32], "unit": "dB"}


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        (fa.Each, TypeError, "Each: expected a node, got none"),
        (lambda: fa.Each(3), TypeError, "Each: expected a node, got 3"),
        (lambda: fa.Each(FRONT, 3), TypeError, "Each: expected 1 positional arguments, got 2"),
        (lambda: fa.Each(FRONT, inner=FRONT), TypeError, "Each: expected 0 positional arguments, got 1"),
        (lambda: fa.Each(fa.Log()), ValueError, "Each: expected a node that is made for an input"),
        (
            lambda: fa.Each(MEL >> {"a": fa.Log(), "b": fa.Mean()}),
            ValueError,
            "Each: expected a node with one output, got 2",
        ),
        (
            lambda: fa.Patches(length=2560) >> fa.Each(FRONT, length=12),
            ValueError,
            "Each: expected at least 12 rows of a clip of 2560, got 11",
        ),
        (
            lambda: MEL >> fa.Each(FRONT),
            ValueError,
            r"Each: expected clips \[n\] of samples, got rows \[62.5 Hz, 32\] power; cut them",
        ),
        (
            lambda: fa.Resample(input_rate=8000, output_rate=44_100) >> fa.Patches() >> fa.Each(FRONT),
            ValueError,
            r"Each\(MelSpectrogram >> Log\): expected clips cut out of rows \[16000 Hz\], got .*; use",
        ),
    ],
)
def test_errors_say_what_was_expected(make: Any, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=f"^{message}"):
        make()


@pytest.mark.parametrize("inner", [None, 3, {"node": "Nothing"}])
def test_a_card_without_a_node_within_is_refused(tmp_path: Path, inner: Any) -> None:
    path = tmp_path / "card.json"
    cards.save(path, fa.Patches(length=4000) >> fa.Each(FRONT), {})
    data = cards.read_card(path).data
    data["pipeline"][1]["inner"] = inner
    with pytest.raises(fa.ModelError, match="expected a node among"):
        cards.build(cards.Card(path, data))
