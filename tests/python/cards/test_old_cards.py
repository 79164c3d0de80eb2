"""Cards that fastaudio 0.1 wrote: they load, and their pipelines give the same bits."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest
from fastaudio import cards, presets
from helpers import GUITAR, assert_same_bits, by_name, decode

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

MEL = fa.MelSpectrogram(sample_rate=16_000, n_fft=512, hop_length=256, n_mels=32, pad_mode="reflect")
LOG = MEL >> fa.Log(kind="dB")
MEAN = LOG >> fa.Mean()


def patches(**options: Any) -> dict[str, Any]:
    return {"node": "Patches", **options}


def each(inner: fa.Node, **options: Any) -> dict[str, Any]:
    """An `Each` as cards of 0.1 hold it, behind the `Patches` that cut its clips."""
    return {"node": "Each", "inner": inner.to_dict(), **options}


def loaded(tmp_path: Path, *pipeline: dict[str, Any], **card: Any) -> fa.Node:
    path = tmp_path / "card.json"
    data = {"schema": cards.SCHEMA, "name": "old", "outputs": {}, "pipeline": list(pipeline)} | card
    path.write_text(json.dumps(data), encoding="utf-8")
    return cards.build(cards.read_card(path))


def guitar(n: int) -> NDArray[np.float32]:
    return np.ascontiguousarray(decode(GUITAR)[0][20_000 : 20_000 + n, 0])


@pytest.mark.parametrize(
    "cut",
    [
        {"length": 3000},
        {"length": 3000, "hop": 1000},
        {"length": 3000, "hop": 4000, "last": "pad"},
        {"length": 3000, "last": "repeat"},
        {"length": 3000, "last": "pad", "pad_value": 0.5, "context": 300},
        {},
    ],
    ids=str,
)
def test_an_each_behind_patches_cuts_as_they_did(tmp_path: Path, cut: dict[str, Any]) -> None:
    node = loaded(tmp_path, patches(**cut), each(LOG, length=1), fa.TopDb().to_dict())
    x = guitar(10_000)
    clips = by_name(fa.Patches(**cut)(x))[""]
    want = np.stack([by_name((LOG >> fa.Patches(length=1) >> fa.TopDb())(clip))[""][0] for clip in clips])
    assert_same_bits(by_name(node(x)), {"": want})


CLIPS = fa.Each(LOG, clip_length=3000, hop=1000)
MEANS = fa.Each(MEAN, clip_length=3000, hop=1000)
RESAMPLE = fa.Resample(input_rate=8000, output_rate=16_000)
CUT = patches(length=3000, hop=1000)
RAW = fa.Patches(length=3000, hop=1000)


@pytest.mark.parametrize(
    ("pipeline", "node"),
    [
        ([RESAMPLE.to_dict(), CUT, each(LOG)], RESAMPLE >> CLIPS),
        (
            [
                CUT,
                {
                    "node": "Parallel",
                    "branches": {
                        "clips": {"node": "Sequential", "nodes": [each(LOG), fa.TopDb().to_dict()]},
                        "samples": fa.L2Normalize().to_dict(),
                    },
                },
            ],
            fa.Sequential([fa.Parallel({"clips": CLIPS >> fa.TopDb(), "samples": RAW >> fa.L2Normalize()})]),
        ),
        (
            [CUT, {"node": "Concat", "branches": [each(MEAN), each(LOG)], "align": "average"}],
            fa.Sequential([fa.Concat(MEANS, CLIPS, align="average")]),
        ),
        (
            [
                CUT,
                {
                    "node": "Film",
                    "content": each(LOG),
                    "condition": {
                        "node": "Sequential",
                        "nodes": [
                            each(LOG),
                            fa.Parallel({"gamma": fa.L2Normalize(), "beta": fa.TopDb()}).to_dict(),
                        ],
                    },
                },
            ],
            fa.Sequential([fa.Film(CLIPS, CLIPS >> {"gamma": fa.L2Normalize(), "beta": fa.TopDb()})]),
        ),
    ],
    ids=["behind Resample", "Parallel", "Concat", "Film"],
)
def test_patches_move_into_every_each_that_took_theirs(
    tmp_path: Path, pipeline: list[dict[str, Any]], node: fa.Node
) -> None:
    assert loaded(tmp_path, *pipeline) == node


HARMONIC = fa.HarmonicSpectrogram() >> fa.Log(kind="dB")


@pytest.mark.filterwarnings("ignore:HarmonicSpectrogram")
@pytest.mark.parametrize(
    ("pipeline", "preset"),
    [
        (
            [
                patches(length=48_000, hop=4800),
                each(
                    fa.MelSpectrogram(sample_rate=48_000, n_fft=2048, hop_length=242, n_mels=256, power=1)
                    >> fa.Log(kind="dB")
                ),
                fa.TopDb(top_db=80, relative=True).to_dict(),
            ],
            presets.openl3(),
        ),
        ([patches(length=80_000, hop=80_000), each(HARMONIC)], fa.Sequential([presets.harmonic_cnn()])),
        (
            [
                patches(length=480_000, last="pad"),
                each(
                    fa.MelSpectrogram(
                        sample_rate=16_000, n_fft=400, hop_length=160, n_mels=80, pad_mode="reflect"
                    )
                    >> fa.Log(kind="dB"),
                    length=3000,
                ),
                fa.TopDb(top_db=80).to_dict(),
                fa.Standardize(mean=[-40], std=[40]).to_dict(),
            ],
            presets.whisper(),
        ),
    ],
    ids=["openl3", "harmonic_cnn", "whisper"],
)
def test_a_saved_preset_of_old_is_todays(
    tmp_path: Path, pipeline: list[dict[str, Any]], preset: fa.Node
) -> None:
    assert loaded(tmp_path, *pipeline) == preset


def test_an_each_without_patches_before_it_is_refused_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(fa.ModelError, match="Each: expected clip_length, got none; write Each"):
        loaded(tmp_path, each(LOG))


@pytest.mark.parametrize(
    "after",
    [
        {"node": "Parallel"},
        {"node": "Parallel", "branches": 3},
        {"node": "Concat", "branches": [None, 3]},
        {"node": "Film", "content": each(LOG)},
        {"node": "Sequential", "nodes": []},
        {"node": "Each"},
        {"node": ["Each"]},
        None,
    ],
    ids=str,
)
def test_what_is_no_card_behind_patches_is_a_model_error(tmp_path: Path, after: Any) -> None:
    with pytest.raises(fa.ModelError):
        loaded(tmp_path, CUT, after)


def test_branches_deeper_than_a_card_may_be_are_a_model_error(tmp_path: Path) -> None:
    deep: dict[str, Any] = each(LOG)
    for _ in range(200):
        deep = {"node": "Concat", "branches": [deep]}
    with pytest.raises(fa.ModelError, match="expected at most 32 levels"):
        loaded(tmp_path, CUT, deep)


def one_by_one(pipeline: list[dict[str, Any]], rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """The rows that a card's nodes give before its first network, each node run alone as in 0.1."""
    for data in pipeline:
        if data["node"] == "OnnxModel":
            break
        alone = data["inner"] if data["node"] == "Each" else data
        node = cards.build(cards.Card(cards.MODELS, {"pipeline": [alone]}))
        if "clip_length" in data:
            length, n_clips = data["clip_length"], -(-len(rows) // data["clip_length"])
            assert data["last"] == "pad"
            rows = np.pad(rows, (0, n_clips * length - len(rows))).reshape(n_clips, length)
        if data["node"] == "Each":
            rows = np.stack([by_name(node(clip))[""][: data.get("length")] for clip in rows])
        else:
            rows = by_name(node(rows))[""]
    return rows


@pytest.mark.filterwarnings("ignore:HarmonicSpectrogram")
@pytest.mark.parametrize("name", cards.models())
def test_a_shipped_card_gives_the_rows_of_its_nodes(name: str) -> None:
    card = cards.read_card(name)
    parts = cards.build(card).parts()
    networks = [i for i, part in enumerate(parts) if isinstance(part, fa.OnnxModel)]
    x = guitar(150_000)
    got = by_name(fa.Sequential(parts[: networks[0]])(x))
    assert_same_bits(got, {"": one_by_one(card.data["pipeline"], x)})
    assert len(got[""]) > 1
