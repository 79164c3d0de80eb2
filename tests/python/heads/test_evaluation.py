"""Evaluating any model on labelled files: what is counted, and what is refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest
import soundfile
from fastaudio import heads
from fastaudio.heads.evaluation import SCHEMA
from fastaudio.labelled import Segment
from heads_helpers import RATE, embedder, tone, write_network, write_tones

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def head(tmp_path_factory: pytest.TempPathFactory) -> heads.Head:
    folder = tmp_path_factory.mktemp("tones")
    write_tones(folder / "in", ["low", "middle", "high"], 4)
    base = embedder(write_network(folder / "net.onnx"))
    return heads.fit(base, *heads.labelled_files(folder / "in"), folds=2, penalty=0.1)


def test_scores_are_means_over_windows_and_metrics_are_theirs(head: heads.Head, tmp_path: Path) -> None:
    write_tones(tmp_path, ["high", "low"], 3, duration_s=0.7)
    files, labels = heads.labelled_files(tmp_path)
    found = heads.evaluate(head.pipeline, files, labels)
    assert found.labels == ("high", "low", "middle")
    want = np.stack([head.pipeline(file).mean() for file in files])
    assert np.array_equal(found.scores, want)
    assert found.confusion is not None
    assert found.confusion.sum(axis=1).tolist() == [3, 3, 0]
    assert found.metrics["balanced_accuracy"] > 0.8
    assert str(found).startswith("6 files of 2 labels\n  balanced accuracy  ")
    assert "middle" not in str(found).split("files of a label")[0]


def test_lists_of_labels_are_measured_one_by_one(head: heads.Head, tmp_path: Path) -> None:
    write_tones(tmp_path, ["high", "low"], 2)
    files, labels = heads.labelled_files(tmp_path)
    found = heads.evaluate(head.pipeline, files, [[label] for label in labels])
    assert found.confusion is None
    assert found.metrics["roc_auc"] > 0.9


def test_json_holds_all_of_it(head: heads.Head, tmp_path: Path) -> None:
    write_tones(tmp_path, ["high", "low"], 2)
    files, labels = heads.labelled_files(tmp_path)
    data = json.loads(heads.evaluate(head.pipeline, [*files, "gone.wav"], [*labels, "low"]).to_json())
    assert data["schema"] == SCHEMA
    assert data["files"] == 4
    assert data["lost_labels"] == []
    assert data["failed"] == [{"path": "gone.wav", "reason": "expected an audio file, got no such file"}]
    assert [label["files"] for label in data["labels"]] == [2, 2, 0]
    assert data["labels"][2]["roc_auc"] is None
    assert np.sum(data["confusion"]) == 4


def test_a_file_that_is_cut_short_is_told(head: heads.Head, tmp_path: Path) -> None:
    path = tmp_path / "cut.wav"
    soundfile.write(path, tone(300, 2.0, 1), RATE)
    path.write_bytes(path.read_bytes()[: RATE * 2])
    with pytest.warns(UserWarning, match=r"cut\.wav: the file is cut short, got 1\.00 s"):
        found = heads.evaluate(head.pipeline, [path], ["low"])
    assert len(found.scores) == 1


def test_what_can_not_be_evaluated_is_refused(head: heads.Head, tagger: fa.Pipeline) -> None:
    with pytest.raises(ValueError, match="expected labels among high, low, middle, got deep, shrill"):
        heads.evaluate(head.pipeline, ["a.wav", "b.wav"], ["deep", "shrill"])
    with pytest.raises(ValueError, match="expected a model that gives tags, got <Pipeline"):
        heads.evaluate(tagger.layer("penultimate"), ["a.wav"], ["low"])
    with pytest.raises(ValueError, match="expected files, got none"):
        heads.evaluate(head.pipeline, [], [])
    with pytest.raises(ValueError, match=r"files that can be read, got none; a\.wav: expected an audio file"):
        heads.evaluate(head.pipeline, ["a.wav"], ["low"])
    with pytest.raises(fa.ModelError, match=r"expected one of .*got 'nope'"):
        heads.evaluate("nope", ["a.wav"], ["low"])


def test_a_label_without_a_file_that_could_be_used_is_named(head: heads.Head, tmp_path: Path) -> None:
    write_tones(tmp_path, ["high"], 2)
    files, labels = heads.labelled_files(tmp_path)
    found = heads.evaluate(head.pipeline, [*files, "gone.wav"], [*labels, "low"])
    assert found.lost == ("low",)
    assert found.to_dict()["lost_labels"] == ["low"]
    assert str(found).endswith("labels without a file that could be used: low\n")


def test_scores_that_are_not_finite_are_no_result(
    head: heads.Head, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_tones(tmp_path, ["high", "low"], 2)
    files, labels = heads.labelled_files(tmp_path)
    whole = fa.Pipeline.__call__

    def some(self: fa.Pipeline, source: str, **how: Any) -> Any:
        tags = whole(self, source, **how)
        if source == files[0]:
            tags.scores[0, 0] = np.nan
        return tags

    monkeypatch.setattr(fa.Pipeline, "__call__", some)
    found = heads.evaluate(head.pipeline, files, labels)
    assert found.failed == ((files[0], "expected finite scores, got others"),)
    assert np.isfinite(found.scores).all()


def test_sub_folders_are_labels(tmp_path: Path) -> None:
    write_tones(tmp_path, ["high", "low"], 2)
    (tmp_path / "low" / "deep").mkdir()
    (tmp_path / ".git").mkdir()
    for path in ("low/deep/x.WAV", ".git/a.wav", "low/.b.wav", "alone.wav"):
        soundfile.write(tmp_path / path, tone(300, 0.1, 1), RATE, format="WAV")
    (tmp_path / "low" / "notes.txt").write_text("no sound", encoding="utf-8")
    files, labels = heads.labelled_files(tmp_path)
    assert labels == ["high"] * 2 + ["low"] * 3
    assert [file.rpartition("/")[2] for file in files[2:]] == ["x.WAV", "low_0-0.wav", "low_0-1.wav"]
    with pytest.raises(ValueError, match="expected audio files in sub-folders, one for each label, got none"):
        heads.labelled_files(tmp_path / "low" / "deep")
    with pytest.raises(ValueError, match="expected a folder with a sub-folder for each label, got no folder"):
        heads.labelled_files(tmp_path / "nope")


def test_sub_folders_without_sound_are_named(tmp_path: Path) -> None:
    write_tones(tmp_path, ["high", "low"], 2)
    for path in ("none/a/b.txt", "closed/x"):
        (tmp_path / path).parent.mkdir(parents=True)
        (tmp_path / path).write_text("no sound", encoding="utf-8")
    (tmp_path / "low" / "broken.wav").symlink_to("nowhere.wav")
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "card.json").write_text("{}", encoding="utf-8")
    (tmp_path / "same").symlink_to("high")
    with pytest.raises(ValueError, match="expected sound in each sub-folder, got 4 without; ") as caught:
        heads.labelled_files(tmp_path)
    told = str(caught.value).splitlines()[1:]
    assert [line.split(": ")[0].replace(str(tmp_path), "") for line in told] == [
        "  /closed/",
        "  /none/",
        "  /same/",
        "  /low/broken.wav",
    ]
    assert told[1].endswith("skipped 1 file: 1 .txt (not sound)")
    assert told[2].endswith("(link to a folder that is searched already)")
    assert told[3].endswith("got: broken link")
    files, labels = heads.labelled_files(tmp_path, allow_missing=True)
    assert (len(files), sorted(set(labels))) == (4, ["high", "low"])


def test_stretches_of_a_recording_score_as_their_own_files_do(head: heads.Head, tmp_path: Path) -> None:
    parts = [tone(300 if i % 2 else 2500, 1.0, i) for i in range(4)]
    soundfile.write(tmp_path / "whole.wav", np.concatenate(parts), RATE, subtype="FLOAT")
    segments = [Segment(str(tmp_path / "whole.wav"), i, i + 1.0) for i in range(4)]
    segments.append(Segment(str(tmp_path / "whole.wav"), 3.5, 9.0))
    found = heads.evaluate(head.pipeline, segments, ["high", "low", "high", "low", "low"])
    want = [head.pipeline(part, sample_rate=RATE).mean() for part in parts]
    assert np.array_equal(found.scores, np.stack(want))
    ((place, reason),) = found.failed
    assert place == f"{tmp_path / 'whole.wav'} [3.50-9.00 s]"
    assert reason.startswith("expected sound until 9.00 s, got 4.00 s of it")


def test_an_isolated_pipeline_decodes_no_stretches_here(head: heads.Head) -> None:
    with (
        fa.isolated(head.pipeline) as apart,
        pytest.raises(fa.StateError, match="expected a pipeline of this process for stretches of recordings"),
    ):
        heads.evaluate(apart, [Segment("a.wav", 0, 1)], ["low"])
