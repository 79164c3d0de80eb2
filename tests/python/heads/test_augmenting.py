"""Altered copies: what changes, that a seed gives the same, and that no file is judged by its copies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile
from fastaudio import heads
from fastaudio.heads import augmenting
from fastaudio.heads.augmenting import Augment, vary
from fastaudio.heads.data import examples
from fastaudio.labelled import Segment
from heads_helpers import RATE, embedder, tone, write_network, write_tones

if TYPE_CHECKING:
    from pathlib import Path

    import fastaudio as fa

NOTHING = {"gain_db": 0.0, "shift_s": 0.0, "noise_db": (199.0, 199.0), "mix_db": (199.0, 199.0)}


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def level_db(samples: np.ndarray) -> float:
    return float(10 * np.log10(np.mean(np.square(samples, dtype=np.float64))))


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> fa.Pipeline:
    return embedder(write_network(tmp_path_factory.mktemp("net") / "net.onnx"))


@pytest.fixture
def tones(tmp_path: Path) -> tuple[list[str], list[str]]:
    write_tones(tmp_path / "in", ["low", "high"], 4)
    return heads.labelled_files(tmp_path / "in")


@pytest.fixture
def samples() -> np.ndarray:
    return np.stack([tone(500, 1.0, 1), tone(500, 1.0, 2)], axis=1) * np.float32(0.3)


def test_gain_and_shift_stay_within_their_bounds(samples: np.ndarray) -> None:
    gains, shifts = [], []
    for seed in range(40):
        gained = vary(samples, RATE, Augment(**NOTHING | {"gain_db": 6.0}), rng(seed))
        gains.append(level_db(gained) - level_db(samples))
        click = np.zeros((RATE, 1), np.float32)
        click[RATE // 2] = 0.5
        shifts.append(
            int(vary(click, RATE, Augment(**NOTHING | {"shift_s": 0.1}), rng(seed)).argmax()) - RATE // 2
        )
    assert -6.01 <= min(gains) < -3 < 3 < max(gains) <= 6.01
    assert -801 <= min(shifts) < -400 < 400 < max(shifts) <= 801


@pytest.mark.parametrize("what", ["noise_db", "mix_db"])
def test_half_of_the_copies_have_noise_or_another_sound_at_its_level(samples: np.ndarray, what: str) -> None:
    partner = tone(2_000, 0.3, 9)
    levels = []
    for seed in range(60):
        changed = vary(samples, RATE, Augment(**NOTHING | {what: (12.0, 12.0)}), rng(seed), partner)
        levels.append(level_db(changed - samples + 1e-12) - level_db(samples))
    added = [level for level in levels if level > -100]
    assert 15 < len(added) < 45
    assert added == pytest.approx([-12.0] * len(added), abs=0.2)


def test_nothing_goes_beyond_full_scale_and_silence_stays(samples: np.ndarray) -> None:
    loud = samples / np.abs(samples).max()
    assert (
        max(np.abs(vary(loud, RATE, Augment(), rng(seed), tone(900, 1, 3))).max() for seed in range(20)) <= 1
    )
    silence = np.zeros((RATE, 1), np.float32)
    assert not vary(silence, RATE, Augment(), rng(), tone(900, 1, 3)).any()
    assert vary(np.zeros((0, 2), np.float32), RATE, Augment(), rng()).shape == (0, 2)


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"copies": -1}, "copies as an int from 0 to 100"),
        ({"copies": 1.5}, "copies"),
        ({"gain_db": -1.0}, "0 to 200"),
    ],
)
def test_options_outside_their_range_are_refused(how: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=f"^Augment: expected .*{message}"):
        Augment(**how)  # type: ignore[arg-type]


def test_copies_are_learnt_from_and_a_seed_gives_the_same(
    base: fa.Pipeline, tones: tuple[list[str], list[str]], tmp_path: Path
) -> None:
    plain = heads.fit(base, *tones, folds=2)
    first = heads.fit(base, *tones, folds=2, augment=2, jobs=1, cache=tmp_path / "kept")
    again = heads.fit(base, *tones, folds=2, augment=2, jobs=3)
    kept = heads.fit(base, *tones, folds=2, augment=2, jobs=1, cache=tmp_path / "kept")
    other = heads.fit(base, *tones, folds=2, augment=2, seed=1)
    weights = [head.classifier.layers[0][0] for head in (plain, first, again, kept, other)]
    assert np.array_equal(weights[1], weights[2])
    assert np.array_equal(weights[1], weights[3])
    assert not np.array_equal(weights[0], weights[1])
    assert not np.array_equal(weights[1], weights[4])
    assert len(first.evaluation.truth) == 8
    assert first.pipeline.card["head"]["augment"]["copies"] == 2


def test_kept_copies_are_not_made_again(
    base: fa.Pipeline, tones: tuple[list[str], list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heads.fit(base, *tones, folds=2, augment=2, cache=tmp_path / "kept")
    monkeypatch.setattr(augmenting, "vary", None)
    heads.fit(base, *tones, folds=2, augment=2, cache=tmp_path / "kept")


def test_what_is_mixed_in_is_of_the_same_fold_and_another_label(
    base: fa.Pipeline, tones: tuple[list[str], list[str]]
) -> None:
    clips = examples("test", *tones)
    folds = np.arange(8) % 2
    partners = augmenting._partners(clips, folds, 0, 1)
    copies = augmenting._Copies(base, clips, folds, augmenting._Way(Augment(), 0, None), partners)
    for i, file in enumerate(clips.files):
        for copy in range(5):
            partner = copies._partner(file, copy)
            assert partner is not None
            j = clips.files.index(partner.name)
            assert folds[i] == folds[j]
            assert not (clips.truth[i] & clips.truth[j]).any()


def test_stretches_of_a_recording_are_altered_as_their_own_files_are(
    base: fa.Pipeline, tmp_path: Path
) -> None:
    parts = [tone(300 if i % 2 else 2500, 1.0, i) for i in range(8)]
    soundfile.write(tmp_path / "whole.wav", np.concatenate(parts), RATE, subtype="FLOAT")
    segments = [Segment(str(tmp_path / "whole.wav"), i, i + 1.0) for i in range(8)]
    head = heads.fit(base, segments, ["low" if i % 2 else "high" for i in range(8)], folds=2, augment=3)
    assert head.metrics["balanced_accuracy"] > 0.9
    assert head.pipeline.card["trained_on"] == "8 stretches of 2 labels"


def test_the_papers_protocol_knows_no_copies(base: fa.Pipeline, tones: tuple[list[str], list[str]]) -> None:
    with pytest.raises(ValueError, match="expected no augment with protocol 'paper', got it; leave one out"):
        heads.fit(base, *tones, augment=1, protocol="paper")
