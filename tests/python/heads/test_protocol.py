"""The paper's protocol and predefined folds: what is drawn, what is kept aside, what a head then gives."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest
from fastaudio import heads
from fastaudio.heads import adam, embedders
from heads_helpers import embedder, write_network, write_tones
from sklearn.linear_model import LogisticRegression

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

LABELS = ["low", "middle", "high"]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> fa.Pipeline:
    return embedder(write_network(tmp_path_factory.mktemp("net") / "net.onnx"))


@pytest.fixture(scope="module")
def tones(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[str], list[str]]:
    folder = tmp_path_factory.mktemp("tones")
    write_tones(folder, LABELS, 6)
    return heads.labelled_files(folder)


def clips_of(n: int, seed: int = 0) -> adam.Clips:
    """Return clips of 1 to 5 rows of four values, of three classes that are easy to tell apart."""
    rng = np.random.default_rng(seed)
    count = rng.integers(1, 6, n)
    which = np.arange(n) % 3
    rows = rng.normal(size=(count.sum(), 4)) + 3 * np.eye(4)[np.repeat(which, count)]
    first = np.cumsum(count) - count
    return adam.Clips(rows, np.eye(3, dtype=bool)[which], first, count, np.arange(n))


def test_a_segment_is_consecutive_rows_of_its_clip_and_clips_weigh_the_same() -> None:
    clips = clips_of(30)
    numbered = adam.Clips(
        np.arange(len(clips.rows))[:, None] * 1.0, clips.truth, clips.first, clips.count, clips.groups
    )
    rng = np.random.default_rng(1)
    starts = set()
    for _ in range(40):
        rows, truth, shares = numbered.segments(np.array([7, 3, 20]), 2, rng)
        at = 0
        for clip in (7, 3, 20):
            n = min(2, clips.count[clip])
            mine = rows[at : at + n, 0]
            assert np.array_equal(mine, mine[0] + np.arange(n))
            assert clips.first[clip] <= mine[0]
            assert mine[-1] < clips.first[clip] + clips.count[clip]
            assert (truth[at : at + n] == clips.truth[clip]).all()
            assert shares[at : at + n].sum() == pytest.approx(1)
            starts.add((clip, mine[0]))
            at += n
        assert at == len(rows)
    want = sum(max(1, clips.count[clip] - 1) for clip in (7, 3, 20))
    assert len(starts) == want, "every place is drawn in time"
    everything, _, _ = numbered.segments(np.array([4]), None, None)
    assert len(everything) == clips.count[4]


@pytest.mark.parametrize("multi", [False, True])
@pytest.mark.parametrize("hidden", [[], [5]])
def test_gradients_are_the_losss_slopes(hidden: list[int], multi: bool) -> None:
    clips = clips_of(9)
    batch = clips.segments(np.arange(9), 2, np.random.default_rng(0))
    layers = adam._start(np.random.default_rng(2), [4, *hidden, 3])
    gradients = adam._gradients(layers, *batch, multi=multi)
    for part, gradient in zip([part for layer in layers for part in layer], gradients, strict=True):
        for at in ((0,) * part.ndim, (-1,) * part.ndim):
            kept = part[at]
            losses = []
            for change in (1e-5, -1e-5):
                part[at] = kept + change
                losses.append(adam._loss(layers, *batch, multi=multi))
            part[at] = kept
            assert gradient[at] == pytest.approx((losses[0] - losses[1]) / 2e-5, abs=1e-8)


def test_adams_first_steps_are_those_by_hand() -> None:
    part = np.array([1.0, -2.0])
    optimiser = adam._Adam([part])
    want, mean, square = part.copy(), np.zeros(2), np.zeros(2)
    for t, gradient in enumerate((np.array([0.5, -3.0]), np.array([0.1, 2.0])), start=1):
        optimiser.step([gradient])
        mean, square = 0.9 * mean + 0.1 * gradient, 0.999 * square + 0.001 * gradient**2
        want -= 1e-3 * (mean / (1 - 0.9**t)) / (np.sqrt(square / (1 - 0.999**t)) + 1e-7)
    np.testing.assert_allclose(part, want, rtol=1e-6)


def test_the_rate_is_halved_when_the_loss_rests_and_only_then(monkeypatch: pytest.MonkeyPatch) -> None:
    rates: list[float] = []

    class Watched(adam._Adam):
        def step(self, _: Any) -> None:
            rates.append(self.rate)

    monkeypatch.setattr(adam, "_Adam", Watched)  # nothing is learnt, so the loss rests from the first on
    clips = clips_of(15)
    adam.learn(clips, [4, 3], LABELS, multi=False, n_rows=1, seed=0)
    assert len(rates) == 150, "12 clips make one batch in an epoch"
    assert rates == [1e-3] * 76 + [5e-4] * 74
    rates.clear()
    falling = iter(np.arange(1000)[::-1])
    monkeypatch.setattr(adam, "_loss", lambda *_, **__: next(falling))
    adam.learn(clips, [4, 3], LABELS, multi=False, n_rows=1, seed=0)
    assert set(rates) == {1e-3}


def test_a_fifth_is_kept_aside_in_whole_groups_and_never_learnt_from(monkeypatch: pytest.MonkeyPatch) -> None:
    clips = clips_of(30)
    grouped = adam.Clips(clips.rows, clips.truth, clips.first, clips.count, np.arange(30) // 2)
    learnt, held = adam._split(grouped, LABELS, seed=0)
    assert len(held) == 6
    assert not set(grouped.groups[learnt]) & set(grouped.groups[held])
    assert sorted([*learnt, *held]) == list(range(30))
    drawn: set[int] = set()
    real = adam.Clips.segments

    def watched(self: adam.Clips, chosen: NDArray[np.int64], n_rows: int | None, rng: Any) -> Any:
        if rng is not None:
            drawn.update(chosen.tolist())
        return real(self, chosen, n_rows, rng)

    monkeypatch.setattr(adam.Clips, "segments", watched)
    adam.learn(grouped, [4, 3], LABELS, multi=False, n_rows=1, seed=0)
    assert drawn == set(learnt.tolist())


def test_what_is_learnt_tells_classes_apart_as_well_as_the_solver() -> None:
    clips, new = clips_of(600), clips_of(60, seed=5)
    layers = adam.learn(clips, [4, 3], LABELS, multi=False, n_rows=1, seed=0)
    which = np.repeat(np.arange(60) % 3, new.count)
    got = (adam.scores(layers, multi=False)(new.rows).argmax(axis=1) == which).mean()
    solver = LogisticRegression().fit(clips.rows, np.repeat(np.arange(600) % 3, clips.count))
    assert got > solver.score(new.rows, which) - 0.02


def test_too_few_files_for_validation_are_refused_with_the_labels_name(
    base: fa.Pipeline, tones: tuple[list[str], list[str]]
) -> None:
    files, labels = tones
    few = files[::3], labels[::3]  # two of each, so that every fold learns from one
    with pytest.raises(
        ValueError, match=r"expected files of 'high' for learning and for validation, got too"
    ):
        heads.fit(base, *few, folds=2, protocol="paper")
    enough = [i for i in range(18) if i % 6 < 4]  # four of each, as the message says
    heads.fit(base, [files[i] for i in enough], [labels[i] for i in enough], folds=2, protocol="paper")
    with pytest.raises(ValueError, match="expected protocol 'paper' or None, got 'papers'"):
        heads.fit(base, files, labels, protocol="papers")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "how",
    [{}, {"kind": "mlp", "hidden": 10}, {"average": True, "l2": True}, {"standardise": True, "l2": True}],
    ids=str,
)
def test_a_head_of_the_protocol_runs_the_same_and_says_how_it_was_trained(
    base: fa.Pipeline, tones: tuple[list[str], list[str]], tmp_path: Path, how: dict[str, Any]
) -> None:
    files, labels = tones
    head = heads.fit(base, files, labels, folds=3, protocol="paper", **how)
    assert head.metrics["accuracy"] == pytest.approx(head.metrics["balanced_accuracy"], abs=0.1)
    assert "  accuracy" in head.report
    again = heads.fit(base, files, labels, folds=3, protocol="paper", **how)
    assert np.array_equal(again.evaluation.scores, head.evaluation.scores)
    head.save(tmp_path / "mine")
    assert np.array_equal(
        fa.Pipeline.load(tmp_path / "mine")(files[0]).scores, head.pipeline(files[0]).scores
    )
    said = json.loads((tmp_path / "mine" / "card.json").read_text(encoding="utf-8"))["head"]
    want = {"protocol": "paper", "penalty": None, "standardise": how.get("standardise", False)}
    assert {key: said[key] for key in want} == want
    if not said["standardise"]:
        assert not head.classifier.mean.any()


def test_a_segment_of_3_s_has_the_windows_that_lie_within_it(base: fa.Pipeline) -> None:
    assert embedders.rows_within(base, 3.0) == 12  # windows of 0.25 s and hardly more
    music = fa.Pipeline.load("musicnn-mtt").layer("penultimate")
    assert embedders.rows_within(music, 3.0) == 1
    assert embedders.rows_within(music.with_hop(0.5), 4.1) == 3
    assert embedders.rows_within(embedders.averaged(base), 3.0) == 1


def test_rows_as_they_are_can_be_divided_by_their_length(
    base: fa.Pipeline, tones: tuple[list[str], list[str]]
) -> None:
    files, labels = tones
    pooled = fa.Pipeline(base.node >> fa.Max(), card=base.card)  # as WEANet's: the largest, of length 1
    head = heads.fit(pooled, files, labels, folds=3, l2=True, standardise=False, penalty=0.01)
    assert head.classifier.l2
    assert not head.classifier.mean.any()
    assert (head.classifier.std == 1).all()
    assert head.metrics["accuracy"] > 0.9


def test_folds_as_given_are_those_judged(base: fa.Pipeline, tones: tuple[list[str], list[str]]) -> None:
    files, labels = tones
    folds = [f"fold {int(file[-5]) // 2}" for file in files]
    head = heads.fit(base, files, labels, fold_of=folds)
    assert head.pipeline.card["metrics"]["by"].endswith("files, folds as given")
    assert head.pipeline.card["head"]["folds"] == 3
    kept = [i for i, fold in enumerate(folds) if fold != "fold 1"]
    rest = heads.fit(
        base, [files[i] for i in kept], [labels[i] for i in kept], fold_of=[folds[i] for i in kept]
    )
    assert rest.pipeline.card["head"]["folds"] == 2
    other = heads.fit(base, files, labels, fold_of=[file[-5] in "03" for file in files])
    assert not np.array_equal(other.evaluation.scores, head.evaluation.scores)


def test_folds_that_cant_be_judged_are_refused(base: fa.Pipeline, tones: tuple[list[str], list[str]]) -> None:
    files, labels = tones
    with pytest.raises(ValueError, match="expected fold_of with at least 2 folds, got 1"):
        heads.fit(base, files, labels, fold_of=[1] * 18)
    with pytest.raises(ValueError, match="expected fold_of for 18 files, got 2"):
        heads.fit(base, files, labels, fold_of=[1, 2])
    with pytest.raises(ValueError, match="got files of one group in several, the first at index 0"):
        heads.fit(base, files, labels, fold_of=[0, 1] * 9, groups=[0, 0, *range(16)])
    with pytest.raises(ValueError, match="got all of 'high' in one"):
        heads.fit(base, files, labels, fold_of=[label == "high" for label in labels])


def test_a_fold_whose_files_cant_be_read_leaves_the_others(
    base: fa.Pipeline, tones: tuple[list[str], list[str]], tmp_path: Path
) -> None:
    files, labels = tones
    bad = tmp_path / "bad.wav"
    bad.write_bytes(b"none")
    head = heads.fit(
        base, [str(bad), *files], ["low", *labels], fold_of=["lost", *(int(f[-5]) % 2 for f in files)]
    )
    assert len(head.failed) == 1
    assert head.pipeline.card["head"]["folds"] == 2
