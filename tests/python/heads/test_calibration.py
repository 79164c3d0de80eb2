"""Calibration: scores become shares of files that are right, ranks stay, and the network has it all."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import fastaudio as fa
import numpy as np
import pytest
from fastaudio import heads
from fastaudio.cards.thresholds import thresholds_in, thresholds_of
from fastaudio.heads.calibration import Judged, calibrate
from fastaudio.heads.classifier import probabilities, train
from heads_helpers import LINEAR, embedder, write_network, write_tones

if TYPE_CHECKING:
    from pathlib import Path

N, LABELS = 600, 3


def judged(sharpness: float, *, multi: bool = False, rows_per_clip: int = 1) -> Judged:
    """Return clips whose labels are drawn from the right probabilities, and logits that sharp."""
    rng = np.random.default_rng(3)
    right = 2 * rng.standard_normal((N, LABELS))
    p = probabilities(right, multi=multi)
    if multi:
        truth = rng.random((N, LABELS)) < p
    else:
        drawn = (rng.random((N, 1)) > p.cumsum(axis=1)).sum(axis=1)
        truth = np.arange(LABELS) == drawn[:, None]
    clip = np.repeat(np.arange(N), rows_per_clip)
    return Judged(sharpness * right[clip], clip, np.arange(N) % 5, truth, np.ones(N), multi)


@cache
def right_loss(*, multi: bool) -> float:
    """Return the loss of the right probabilities."""
    return calibrate(judged(1.0, multi=multi)).log_loss_before


@pytest.mark.parametrize("sharpness", [0.2, 1.0, 5.0])
@pytest.mark.parametrize("multi", [False, True])
@pytest.mark.parametrize("rows_per_clip", [1, 3])
def test_scores_of_any_sharpness_are_brought_to_the_right_ones(
    sharpness: float, multi: bool, rows_per_clip: int
) -> None:
    found = calibrate(judged(sharpness, multi=multi, rows_per_clip=rows_per_clip))
    assert found.scale * sharpness == pytest.approx(np.ones(LABELS), rel=0.25)
    assert found.offset == pytest.approx(np.zeros(LABELS), abs=0.4)
    assert found.error < 0.05
    assert found.log_loss < right_loss(multi=multi) + 0.01
    if sharpness != 1.0:
        assert found.log_loss < found.log_loss_before - 0.05


def test_the_order_of_one_labels_choice_stays() -> None:
    one = judged(4.0)
    before = one.scores(np.ones(LABELS), np.zeros(LABELS))
    found = calibrate(one)
    after = one.scores(found.scale, found.offset)
    assert np.array_equal(before.argmax(axis=1), after.argmax(axis=1))


@pytest.mark.parametrize("multi", [False, True])
def test_labels_that_are_never_wrong_stay_finite_and_unsure(multi: bool) -> None:
    truth = np.arange(2) == (np.arange(10) % 2)[:, None]
    logits = np.where(truth, 9.0, -9.0)
    one = Judged(logits, np.arange(10), np.arange(10) % 5, truth, np.ones(10), multi)
    found = calibrate(one)
    assert np.isfinite(found.scale).all()
    assert float(found.scores[truth].min()) > 0.5
    assert float(found.scores.max()) < 0.999


def test_a_label_that_a_fold_lacks_stays_as_it_is() -> None:
    truth = np.zeros((10, 2), np.bool_)
    truth[:, 0] = np.arange(10) % 2
    truth[0, 1] = True  # the other folds have none
    one = Judged(np.where(truth, 1.0, -1.0), np.arange(10), np.arange(10) % 5, truth, np.ones(10), multi=True)
    found = calibrate(one)
    assert found.scores[0, 1] == pytest.approx(1 / (1 + np.exp(-1)))


@pytest.mark.parametrize("multi", [False, True])
@pytest.mark.parametrize("l2", [False, True])
def test_a_calibrated_classifier_has_it_in_its_last_layer(multi: bool, l2: bool) -> None:
    rng = np.random.default_rng(4)
    rows = rng.standard_normal((90, 6)).astype(np.float32)
    truth = np.arange(3) == (np.arange(90) % 3)[:, None]
    options = LINEAR.__class__(**{**vars(LINEAR), "multi": multi, "l2": l2})
    plain = train(rows, truth, np.ones(90), options)
    assert probabilities(plain.logits(rows), multi=multi) == pytest.approx(plain.scores(rows), abs=1e-9)
    scale, offset = np.full(3, 0.5), np.full(3, -0.25)
    changed = plain.calibrated(scale, offset)
    want = probabilities(plain.logits(rows) * scale + offset, multi=multi)
    assert changed.scores(rows) == pytest.approx(want, abs=1e-12)
    assert changed.logits(rows) == pytest.approx(plain.logits(rows) * scale + offset, abs=1e-12)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> fa.Pipeline:
    return embedder(write_network(tmp_path_factory.mktemp("net") / "net.onnx"))


@pytest.fixture(scope="module")
def tones(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[str], list[str]]:
    folder = tmp_path_factory.mktemp("tones")
    write_tones(folder, ["low", "middle", "high"], 6)
    return heads.labelled_files(folder)


def test_the_card_has_calibration_and_thresholds_and_the_loaded_model_its_scores(
    base: fa.Pipeline, tones: tuple[list[str], list[str]], tmp_path: Path
) -> None:
    head = heads.fit(base, *tones, folds=3)
    raw = heads.fit(base, *tones, folds=3, calibrated=False)
    head.save(tmp_path / "mine")
    mine = fa.Pipeline.load(tmp_path / "mine")
    told = mine.card["calibration"]
    assert told["method"] == "temperature"
    assert told["log_loss"] <= told["log_loss_before"]
    assert raw.pipeline.card["calibration"] is None
    assert thresholds_of(mine) == head.thresholds == mine.card["thresholds"]
    assert set(head.thresholds) == {"low", "middle", "high"}
    assert all(0 < value < 1 for value in head.thresholds.values())
    logits = raw.classifier.logits(np.asarray(base(tones[0][0])))
    want = probabilities(logits / told["temperature"], multi=False)
    assert mine(tones[0][0]).scores == pytest.approx(want, abs=1e-3)
    assert " off the share of files that are right, " in head.report
    assert "  each label counts from a score of its own, 0." in head.report


def test_each_label_of_lists_is_calibrated_by_itself(
    base: fa.Pipeline, tones: tuple[list[str], list[str]], tmp_path: Path
) -> None:
    head = heads.fit(base, tones[0], [[label] for label in tones[1]], folds=3)
    assert head.pipeline.card["calibration"]["method"] == "scale and offset of each label"
    head.save(tmp_path / "mine.onnx")
    got = fa.Pipeline.load(tmp_path / "mine.onnx")(tones[0][0]).scores
    assert got == pytest.approx(head.classifier.scores(np.asarray(base(tones[0][0]))), abs=1e-5)


@pytest.mark.parametrize(
    "given", [[0.5], {"low": 2}, {"low": "x"}, {"other": 0.5}, {"low": float("nan")}, "0.5", {"low": True}]
)
def test_a_card_with_other_thresholds_is_refused(given: object) -> None:
    with pytest.raises(
        fa.ModelError, match=r"expected thresholds from 0 to 1 by label, got .*; mend its card"
    ):
        thresholds_in({"name": "mine", "thresholds": given}, ["low", "high"])
    assert thresholds_in({}, ["low"]) is None
