"""fastaudio train and evaluate on tables of labels; what is other; which tags count."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import fastaudio as fa
import numpy as np
import pytest
import soundfile
from cli_helpers import run
from fastaudio.cli.labels import Labels, choose_groups
from fastaudio.labelled import Segment
from heads_helpers import RATE, TONES_HZ, tone

if TYPE_CHECKING:
    from pathlib import Path

SLOTS = 20


def write_recording(path: Path, seed: int, slots: int = SLOTS) -> Path:
    """Write 2 s of noise for each slot, with a tone of 1 s in it, high or low; return its label track."""
    rng = np.random.default_rng(seed)
    samples = (0.02 * rng.standard_normal(2 * slots * RATE)).astype(np.float32)
    lines = []
    for slot in range(slots):
        label = ["low", "high"][slot % 2]
        first = 2 * slot * RATE + RATE // 2
        samples[first : first + RATE] += tone(TONES_HZ[label], 1.0, seed + slot)
        lines.append(f"{2 * slot + 0.5}\t{2 * slot + 1.5}\t{label}\n")
    soundfile.write(path, samples, RATE)
    path.with_suffix(".txt").write_text("".join(lines), encoding="utf-8")
    return path.with_suffix(".txt")


@pytest.fixture
def track(tmp_path: Path) -> Path:
    return write_recording(tmp_path / "night.wav", 1)


@pytest.fixture
def mine(base: Path, track: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    status, _, _ = run(capsys, "train", track, "-o", tmp_path / "mine", "--model", base, "--no-cache")
    assert status == 0
    return tmp_path / "mine"


def test_a_label_track_becomes_a_model_that_finds_them_in_another_recording(
    base: Path, track: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    to = tmp_path / "mine"
    status, out, err = run(capsys, "train", track, "-o", to, "--model", base)
    assert status == 0
    assert out.startswith("20 stretches of 2 labels; linear head on 'embedding' of tones 2.1.0, 12 values\n")
    told, warned = err.splitlines()
    assert told == (f"fastaudio: {track}: an Audacity label track, 20 examples of 2 labels in 1 recording")
    assert warned.startswith("fastaudio: stretches of one recording are both learnt from and judged, since")
    other = write_recording(tmp_path / "other.wav", 50)
    status, out, _ = run(capsys, "evaluate", to, other)
    assert status == 0
    assert out.startswith("20 files of 2 labels\n  balanced accuracy  1.000\n")
    status, _, err = run(capsys, "train", track, "-o", to, "--model", base, "--kind", "mlp", "--force")
    assert status == 0
    assert f"20 of 20 embeddings from {tmp_path / 'fastaudio-embeddings'}" in err


def test_recordings_are_kept_apart_if_there_are_enough(
    base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for seed in range(4):
        write_recording(tmp_path / f"{seed}.wav", 100 * seed, slots=6)
    status, out, err = run(capsys, "train", tmp_path, "-o", tmp_path / "mine", "--model", base)
    assert status == 0
    assert (
        "4-fold cross-validation on these 24 stretches in 4 groups, none both learnt from and judged" in out
    )
    assert err == f"fastaudio: {tmp_path}: 4 tables of labels, 24 examples of 2 labels in 4 recordings\n"


def test_what_has_no_label_becomes_other(
    base: Path, track: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    to = tmp_path / "mine"
    status, out, _ = run(capsys, "train", track, "-o", to, "--model", base, "--other", "rest")
    assert status == 0
    card = fa.Pipeline.load(to).card
    assert card["head"]["labels"].keys() == {"high", "low", "other"}
    assert card["head"]["labels"]["other"] >= 15
    assert card["metrics"]["balanced_accuracy"] > 0.9
    noise = tmp_path / "noise.wav"
    soundfile.write(noise, 0.02 * np.random.default_rng(7).standard_normal(3 * RATE), RATE)
    status, out, _ = run(capsys, "tag", noise, "--model", to, "--jsonl", "--no-kind")
    assert [tag["label"] for tag in json.loads(out)["tags"]] == ["other"]


def test_other_may_come_from_a_folder(
    base: Path, sounds: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "others").mkdir()
    soundfile.write(
        tmp_path / "others" / "n.wav", 0.1 * np.random.default_rng(1).standard_normal(40 * RATE), RATE
    )
    train = ["train", sounds, "-o", tmp_path / "mine", "--model", base, "--no-cache"]
    status, _, _ = run(capsys, *train, "--other", tmp_path / "others")
    assert status == 0
    assert fa.Pipeline.load(tmp_path / "mine").card["head"]["labels"] == {"high": 4, "low": 4, "other": 13}
    for where, message in (
        ("rest", "expected labels of stretches with"),
        (tmp_path / "gone", "expected rest or a"),
    ):
        status, _, err = run(capsys, *train, "--force", "--other", where)
        assert status == 2
        assert f"train --other: {message}" in err


def test_rows_that_are_wrong_are_named_and_the_rest_is_done_if_asked(
    base: Path, track: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    track.write_text(track.read_text(encoding="utf-8") + "90\t91\tlow\n5\t4\tlow\n", encoding="utf-8")
    train = ["train", track, "-o", tmp_path / "mine", "--model", base, "--no-cache"]
    status, out, err = run(capsys, *train)
    assert (status, out) == (2, "")
    assert f"{track}:22: expected an end after its start, got 5 to 4 s; give the label a length" in err
    assert "add --allow-missing" in err
    status, out, err = run(capsys, *train, "--allow-missing")
    assert status == 1
    assert f"{tmp_path / 'night.wav'} [90.00-91.00 s]: expected sound until 91.00 s, got 40.00 s of it" in out
    assert f"left out (1):\n  {track}:22: " in out
    assert "1 of 21 files failed" in err


def test_several_models_are_tried_and_told_as_json(
    base: Path, track: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train = ["train", track, "-o", tmp_path / "mine", "--no-cache", "--model", base, "--json"]
    status, out, _ = run(capsys, *train)
    assert status == 0
    data = json.loads(out)
    assert data["schema"] == "fastaudio.training/1"
    assert data["compared"] is None
    assert data["evaluation"]["files"] == 20
    assert data["thresholds"].keys() == {"low", "high"}
    assert data["calibration"]["method"] == "temperature"
    status, out, _ = run(capsys, *train, "--force", "--model", tmp_path / "gone")
    assert status == 0
    assert [one["model"] for one in json.loads(out)["compared"]] == [str(base), str(tmp_path / "gone")]
    status, out, _ = run(capsys, *[one for one in train if one != "--json"], "--force", "--model", "gone")
    assert status == 0
    assert out.startswith("  model ")


def test_a_manifest_with_folds_and_lists_of_labels(
    base: Path, track: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = ["path,labels,fold,start_s,end_s"]
    for i, line in enumerate(track.read_text(encoding="utf-8").splitlines()):
        start, end, label = line.split("\t")
        rows.append(f"night.wav,{label if i % 4 < 3 else f'{label};loud'},{i % 3},{start},{end}")
    rows[1] = rows[1].replace(",low,", ",low;loud,")
    (tmp_path / "labels.csv").write_text("\n".join(rows), encoding="utf-8")
    train = ["train", tmp_path / "labels.csv", "-o", tmp_path / "mine", "--model", base, "--no-cache"]
    status, out, _ = run(capsys, *train)
    assert status == 0
    assert "3-fold cross-validation on these 20 stretches, folds as given" in out
    card = fa.Pipeline.load(tmp_path / "mine").card
    assert card["head"]["several_labels_a_file"]
    assert card["calibration"]["method"] == "scale and offset of each label"
    status, out, _ = run(capsys, "evaluate", tmp_path / "mine", tmp_path / "labels.csv", "--json")
    assert status == 0
    data = json.loads(out)
    assert data["threshold"] == pytest.approx([card["thresholds"][name] for name in ("high", "loud", "low")])


def test_labels_that_the_model_lacks_are_skipped_if_asked(
    mine: Path, track: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    track.write_text(track.read_text(encoding="utf-8").replace("high", "shrill"), encoding="utf-8")
    status, _, err = run(capsys, "evaluate", mine, track)
    assert status == 2
    assert f"evaluate: expected labels of {mine}, got shrill; rename them" in err
    status, out, _ = run(capsys, "evaluate", mine, track, "--skip-unknown")
    assert status == 0
    assert out.startswith("10 files of 1 labels\n")


def lowered(mine: Path, thresholds: dict[str, float]) -> Path:
    card = json.loads((mine / "card.json").read_text(encoding="utf-8"))
    card["thresholds"] = thresholds
    (mine / "card.json").write_text(json.dumps(card), encoding="utf-8")
    return mine


@pytest.mark.parametrize(
    "form", [[], ["--jsonl"], ["--csv"], ["--json"], ["--windows"], ["--windows", "--jsonl"]]
)
def test_tags_that_do_not_reach_their_threshold_are_left_out(
    mine: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], form: list[str]
) -> None:
    soundfile.write(tmp_path / "low.wav", tone(TONES_HZ["low"], 1.0, 77), RATE)
    tag = ["tag", tmp_path / "low.wav", "--model", mine, *form]
    _, out, _ = run(capsys, *tag)
    assert "low" in out.replace("low.wav", "")
    assert "high" not in out
    _, out, _ = run(capsys, *tag, "--min-score", 0)
    assert "high" in out
    lowered(mine, {"low": 1.0, "high": 1.0})
    status, out, _ = run(capsys, *tag)
    assert status == 0
    assert "high" not in out
    if not form:
        assert "  no tag reaches its threshold; nearest: low 0." in out
    if form == ["--windows"]:
        assert "(none)" in out


def test_events_begin_at_their_thresholds(
    mine: Path, track: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    events = ["tag", track.with_suffix(".wav"), "--model", mine, "--events", "--csv", "--no-kind"]
    lowered(mine, {"low": 0.6, "high": 1.0})
    _, out, _ = run(capsys, *events)
    assert "low" in out
    assert "high" not in out
    _, out, _ = run(capsys, *events, "--onset", 0.6)
    assert "high" in out


def test_a_microphones_tags_go_by_the_thresholds_too(
    mine: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    soundfile.write(tmp_path / "low.wav", tone(TONES_HZ["low"], 1.0, 77), RATE)
    listen = ["listen", "--realtime", tmp_path / "low.wav", "--model", mine]
    _, out, _ = run(capsys, *listen)
    assert "low" in out
    assert "high" not in out
    _, out, _ = run(capsys, *listen, "--jsonl")
    assert all([tag["label"] for tag in json.loads(line)["tags"]] == ["low"] for line in out.splitlines())
    _, out, _ = run(capsys, *listen, "--min-score", 0)
    assert "high" in out


def test_a_card_with_wrong_thresholds_is_refused(
    mine: Path, track: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, _, err = run(capsys, "tag", track.with_suffix(".wav"), "--model", lowered(mine, {"cat": 0.5}))
    assert status in (1, 2)
    assert "mine: expected thresholds from 0 to 1 by label, got {'cat': 0.5}; mend its card" in err


def test_groups_by_rule() -> None:
    files = [Segment("a.wav", 0, 1), Segment("a.wav", 61, 62), Segment("b.wav", 3, 4), "whole.wav"]

    def groups(rule: str) -> list[str] | None:
        labels = Labels(list(files), list("xyxy"))
        choose_groups(labels, "in", rule, n_folds=2, seed=0)
        return labels.groups

    assert groups("recording") == ["a.wav", "a.wav", "b.wav", "whole.wav"]
    assert groups("60s") == ["a.wav:0", "a.wav:1", "b.wav:0", "whole.wav:0"]
    assert groups(r"^(\w)") == ["a", "a", "b", "w"]


def test_labels_that_overlap_are_never_both_learnt_from_and_judged() -> None:
    files = [Segment("a.wav", start, start + 2) for start in (0.0, 1.0, 2.5, 10.0, 11.0, 20.0, 30.0, 40.0)]
    labels = Labels(list(files), list("xxyxyyxy"))
    choose_groups(labels, "in", None, n_folds=2, seed=0)
    assert labels.groups is not None
    first, second, third, *rest = labels.groups
    assert first == second == third
    assert rest[0] == rest[1]
    assert len(set(labels.groups)) == 5
