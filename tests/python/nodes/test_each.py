"""Each runs a node over every clip of its input as a whole signal."""

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
    got = only(fa.Each(FRONT, length, hop=hop, length=kept)(x))
    starts = range(0, len(x) - length + 1, hop)
    want = np.stack([only(FRONT(x[start : start + length]))[:kept] for start in starts])
    assert_same_bits({"": got}, {"": want})


def test_threads_give_the_same_bits() -> None:
    node, x = fa.Each(FRONT, clip_length=4000, hop=2000), guitar(200_000)
    once = node(x)
    stream = node.open()
    assert_same_bits({"": once}, {"": np.concatenate([stream.push(x), stream.flush()])})
    assert_same_bits({"": once}, {"": node(x, threads=2)})


def test_each_clip_is_padded_separately() -> None:
    x = guitar(8192)
    whole, cut = only(FRONT(x)), only(fa.Each(FRONT, clip_length=4096)(x))
    assert cut.shape == (2, 17, 32)
    differs = np.abs(cut[1] - whole[16:33]).max(axis=1) > 1e-3
    assert differs[0]
    assert not differs[1:16].any()


def test_specs_are_the_windows_rate_and_the_nodes_unit() -> None:
    front = fa.Each(FRONT, clip_length=8000, hop=4000, length=10)
    assert front.input_spec is not None
    assert front.input_spec.rate_hz == RATE
    assert front.input_spec.shape == ()
    spec = front.output_specs(front.input_spec)[""]
    assert spec.shape == (10, 32)
    assert spec.rate_hz == 4
    assert spec.span_s == pytest.approx(0.5)
    assert spec.latency_s == pytest.approx(8000 / RATE)
    assert spec.unit == "dB"
    assert front.diagram() == "Each(MelSpectrogram >> Log)  -> [4 Hz, 10, 32] dB, latency 0.5 s"
    assert front.receptive_field_s(front.input_spec) == 8000 / RATE


def test_a_clip_level_node_gives_one_row() -> None:
    x = guitar(6000)
    got = only(fa.Each(FRONT >> fa.Mean(), clip_length=3000)(x))
    want = [only((FRONT >> fa.Mean())(x[start : start + 3000])) for start in (0, 3000)]
    assert_same_bits({"": got}, {"": np.stack(want)})


@pytest.mark.parametrize("last", ["drop", "pad", "repeat"])
def test_clips_are_cut_as_patches_are(last: str) -> None:
    options: dict[str, Any] = {"hop": 700, "last": last, "pad_value": 0.25, "context": 200}
    x = guitar(5000)
    clips = only(fa.Patches(length=1000, **options)(x))
    want = np.stack([only(FRONT(clip)) for clip in clips])
    assert_same_bits({"": only(fa.Each(FRONT, 1000, **options)(x))}, {"": want})


def test_a_node_that_takes_any_rows_runs_over_clips_of_the_rows_given() -> None:
    rows = guitar(3000).reshape(300, 10)
    clips = only(fa.Patches(length=50, hop=20)(rows))
    want = np.stack([only(fa.Normalize(over="clip")(clip)) for clip in clips])
    assert_same_bits({"": only(fa.Each(fa.Normalize(over="clip"), clip_length=50, hop=20)(rows))}, {"": want})


def test_options_are_in_repr_dict_and_pickle(tmp_path: Path) -> None:
    node = fa.Each(FRONT, clip_length=4000, hop=2000, length=7)
    assert repr(node) == f"Each({FRONT!r}, 4000, hop=2000, length=7)"
    assert repr(fa.Each(inner=FRONT, clip_length=9)) == f"Each({FRONT!r}, 9)"
    assert (node.length, node.inner, node.clip_length, node.hop) == (7, FRONT, 4000, 2000)
    assert node.to_dict() == {
        "node": "Each",
        "inner": FRONT.to_dict(),
        "clip_length": 4000,
        "hop": 2000,
        "length": 7,
    }
    assert pickle.loads(pickle.dumps(node)) == node  # noqa: S301
    assert node != fa.Each(FRONT, clip_length=4000, hop=2000)
    front = node >> fa.TopDb()
    cards.save(tmp_path / "card.json", front, {})
    assert cards.build(cards.read_card(tmp_path / "card.json")) == front


def test_a_cards_front_end_is_what_the_network_takes_not_the_clips() -> None:
    front = fa.Each(FRONT, clip_length=4000) >> fa.Patches(length=2)
    assert cards.front_end(front) == {"rate_hz": 4.0, "shape": [16, 32], "unit": "dB"}


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        (fa.Each, TypeError, "Each: expected a node, got none"),
        (lambda: fa.Each(3), TypeError, "Each: expected a node, got 3"),
        (lambda: fa.Each(FRONT, 3, 4), TypeError, "Each: expected 2 positional arguments, got 3"),
        (lambda: fa.Each(FRONT, inner=FRONT), TypeError, "Each: expected inner once, got it twice"),
        (
            lambda: fa.Patches(length=4000) >> fa.Each(FRONT),
            TypeError,
            r"Each: expected clip_length, got none; write Each\(node, clip_length=n, hop=h\), which cuts",
        ),
        (
            lambda: (fa.Patches(length=4000) >> fa.Each(FRONT, 4000))(guitar(8000)),
            ValueError,
            r"MelSpectrogram: expected samples \[16000 Hz\], got rows \[0.00025 Hz, 4000\]",
        ),
        (
            lambda: fa.Each(MEL >> {"a": fa.Log(), "b": fa.Mean()}, clip_length=4000),
            ValueError,
            "Each: expected a node with one output, got 2",
        ),
        (
            lambda: fa.Each(FRONT, clip_length=2560, length=12),
            ValueError,
            "Each: expected at least 12 rows of a clip of 2560, got 11",
        ),
        (
            lambda: MEL >> fa.Each(FRONT, clip_length=2000),
            ValueError,
            r"MelSpectrogram: expected samples \[16000 Hz\], got rows \[62.5 Hz, 32\]",
        ),
        (
            lambda: fa.Resample(input_rate=8000, output_rate=44_100) >> fa.Each(FRONT, clip_length=2000),
            ValueError,
            r"MelSpectrogram: expected samples \[16000 Hz\], got samples \[44100 Hz\]; resample",
        ),
    ],
)
def test_errors_say_what_was_expected(make: Any, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=f"^{message}"):
        make()


@pytest.mark.parametrize("inner", [None, 3, {"node": "Nothing"}])
def test_a_card_without_a_node_within_is_refused(tmp_path: Path, inner: Any) -> None:
    path = tmp_path / "card.json"
    cards.save(path, fa.Each(FRONT, clip_length=4000), {})
    data = cards.read_card(path).data
    data["pipeline"][0]["inner"] = inner
    with pytest.raises(fa.ModelError, match="expected a node among"):
        cards.build(cards.Card(path, data))
