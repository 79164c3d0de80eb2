"""Training: what is learnt, what is reported, what is refused; cross-validation that can't be fooled."""

from __future__ import annotations

import dataclasses
import errno
import json
import os
import sys
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest
import soundfile
from fastaudio import heads
from fastaudio.heads.folds import deal
from heads_helpers import RATE, embedder, tone, write_network, write_tones
from sklearn.metrics import balanced_accuracy_score, confusion_matrix, roc_auc_score

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> fa.Pipeline:
    folder = tmp_path_factory.mktemp("net")
    (folder / "LICENSE").write_text("as is", encoding="utf-8")
    return embedder(write_network(folder / "net.onnx"))


@pytest.fixture(scope="module")
def tones(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[str], list[str]]:
    """Return six files of each of three tones, and their labels."""
    folder = tmp_path_factory.mktemp("tones")
    write_tones(folder, ["low", "middle", "high"], 6)
    return heads.labelled_files(folder)


@pytest.mark.parametrize(
    "how",
    [{}, {"l2": True}, {"average": True, "l2": True}, {"kind": "mlp"}, {"kind": "mlp", "average": True}],
    ids=str,
)
def test_tones_are_told_apart_and_the_saved_model_gives_the_same(
    base: fa.Pipeline,
    tones: tuple[list[str], list[str]],
    tmp_path: Path,
    how: dict[str, Any],
) -> None:
    files, labels = tones
    head = heads.fit(base, files, labels, **how, folds=3, hidden=10, penalty=1)
    assert head.labels == ("high", "low", "middle")
    assert head.metrics["balanced_accuracy"] > 0.9
    assert head.metrics["roc_auc"] > 0.95
    head.save(tmp_path / "mine")
    again = fa.Pipeline.load(tmp_path / "mine")
    assert again.name == "mine"
    for file in files[::6]:
        tags = again(file)
        assert len(tags) == (1 if "average" in how else 4)
        assert np.array_equal(tags.scores, head.pipeline(file).scores)
    new = again(tone(300, 2.0, 99), sample_rate=RATE)
    assert new.top(1)[0][0] == "low"


def test_the_card_says_how_it_was_made(
    base: fa.Pipeline, tones: tuple[list[str], list[str]], tmp_path: Path
) -> None:
    files, labels = tones
    groups = [file.rpartition("-")[0] for file in files]
    head = heads.fit(base, files, labels, groups=groups, folds=3, seed=4)
    head.save(tmp_path / "mine" / "tones.json")
    card = json.loads((tmp_path / "mine" / "tones.json").read_text(encoding="utf-8"))
    assert card["name"] == "tones"
    assert card["licence"] == "ISC"
    assert card["citation"] == "nobody, 2026"
    assert card["embedder"] == {"name": "tones", "version": "2.1.0"}
    assert card["head"]["labels"] == {"high": 6, "low": 6, "middle": 6}
    assert {key: card["head"][key] for key in ("kind", "layer", "files", "groups", "folds", "seed")} == {
        "kind": "linear",
        "layer": "embedding",
        "files": 18,
        "groups": 9,
        "folds": 3,
        "seed": 4,
    }
    assert card["metrics"]["by"].startswith("3-fold cross-validation on these 18 files in 9 groups")
    assert card["metrics"]["roc_auc"] == pytest.approx(head.metrics["roc_auc"], abs=1e-6)
    head.save(tmp_path / "folder")
    for folder in ("mine", "folder"):
        assert (tmp_path / folder / "LICENSE").read_text(encoding="utf-8") == "as is"


def test_the_licence_of_a_packed_embedder_goes_with_the_head(
    base: fa.Pipeline, tones: tuple[list[str], list[str]], tmp_path: Path
) -> None:
    base.save(tmp_path / "net" / "card.json")
    (tmp_path / "net" / "LICENSE").write_text("as is", encoding="utf-8")
    fa.Pipeline.load(tmp_path / "net").save(tmp_path / "packed.onnx")
    head = heads.fit(fa.Pipeline.load(tmp_path / "packed.onnx"), *tones, folds=3)
    head.save(tmp_path / "mine")
    assert (tmp_path / "mine" / "LICENSE").read_text(encoding="utf-8") == "as is"


def test_saving_follows_no_link_out_of_the_folder_and_takes_none_in(
    base: fa.Pipeline, tones: tuple[list[str], list[str]], tmp_path: Path
) -> None:
    files, labels = tones
    head = heads.fit(base, files, labels, folds=3)
    (tmp_path / "key").write_bytes(b"dear")
    (tmp_path / "others").mkdir()
    (tmp_path / "others" / "LICENSE").symlink_to(tmp_path / "key")
    with pytest.raises(fa.ModelError, match="LICENSE: expected none, or the licence of the model's weights"):
        head.save(tmp_path / "others")
    head.save(tmp_path / "mine")
    (tmp_path / "mine" / "LICENSE").unlink()
    (tmp_path / "mine" / "LICENSE").symlink_to(tmp_path / "key")
    head.save(tmp_path / "mine")
    assert (tmp_path / "key").read_bytes() == b"dear"
    assert not (tmp_path / "mine" / "LICENSE").is_symlink()
    assert (tmp_path / "mine" / "LICENSE").read_text(encoding="utf-8") == "as is"
    (tmp_path / "net").mkdir()
    (tmp_path / "net" / "LICENSE").symlink_to(tmp_path / "key")
    replaced = dataclasses.replace(head, licence=tmp_path / "net" / "LICENSE")  # it became one since
    with pytest.raises(fa.ModelError, match="LICENSE: expected a file in the card's folder, got a link out"):
        replaced.save(tmp_path / "theirs")
    assert not (tmp_path / "theirs").exists()


def test_a_head_that_cannot_be_saved_leaves_the_one_before_whole(
    base: fa.Pipeline, tones: tuple[list[str], list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files, labels = tones
    heads.fit(base, files, labels, folds=3).save(tmp_path / "mine")
    before = {path.name: path.read_bytes() for path in (tmp_path / "mine").iterdir()}
    other = heads.fit(base, files, labels, folds=3, penalty=1)
    replace = os.replace

    def fail(name: str, new: str, **how: int) -> None:
        if new == "card.json":  # the last
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        replace(name, new, **how)

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(fa.OutputError, match=r"card\.json: expected a file that can be replaced"):
        other.save(tmp_path / "mine")
    assert {path.name: path.read_bytes() for path in (tmp_path / "mine").iterdir()} == before


def test_the_report_is_read_aloud(base: fa.Pipeline, tones: tuple[list[str], list[str]]) -> None:
    head = heads.fit(base, *tones, folds=3)
    text = str(head)
    assert text.startswith("18 files of 3 labels; linear head on 'embedding' of tones 2.1.0, 12 values\n")
    assert "3-fold cross-validation on these 18 files, mean +- standard deviation:\n" in text
    for word in (
        "balanced accuracy",
        "F1, macro",
        "ROC-AUC, macro",
        "PR-AUC, macro",
        "files of a label (row)",
    ):
        assert word in text
    assert "balanced accuracy 1.000" in repr(head)


def test_every_file_is_judged_by_a_head_that_did_not_learn_from_its_group(
    base: fa.Pipeline, tmp_path: Path
) -> None:
    """Every second voice has the other label: known ones are found, an unknown one isn't."""
    files, labels, groups = [], [], []
    for group, hz in enumerate(np.geomspace(150, 3500, 8)):
        for i in range(4):
            files.append(tmp_path / f"{group}-{i}.wav")
            soundfile.write(files[-1], tone(float(hz), 0.5, 50 * group + i), RATE)
            labels.append("ab"[group % 2])
            groups.append(group)
    how: dict[str, Any] = {"folds": 4, "penalty": 0.01}
    leaking = heads.fit(base, files, labels, **how)
    honest = heads.fit(base, files, labels, groups=groups, **how)
    assert leaking.metrics["balanced_accuracy"] > honest.metrics["balanced_accuracy"] + 0.2
    assert honest.metrics["balanced_accuracy"] < 0.6


def test_metrics_are_those_of_the_folds(base: fa.Pipeline, tones: tuple[list[str], list[str]]) -> None:
    files, labels = tones
    wrong = [*labels]
    wrong[0], wrong[7] = "low", "high"  # no head can get these two right
    head = heads.fit(base, files, wrong, folds=3, seed=2)
    found = head.evaluation
    classes, said = found.truth.argmax(axis=1), found.scores.argmax(axis=1)
    fold_of = deal(found.truth, np.arange(18), 3, 2)
    for name, measure in (
        ("balanced_accuracy", lambda at: balanced_accuracy_score(classes[at], said[at])),
        ("roc_auc", lambda at: roc_auc_score(found.truth[at], found.scores[at])),
    ):
        values = [measure(fold_of == fold) for fold in range(3)]
        assert head.metrics[name] == pytest.approx(np.mean(values))
        assert head.metrics_std[name] == pytest.approx(np.std(values))
    assert np.array_equal(head.confusion, confusion_matrix(classes, said))
    assert 0.6 < head.metrics["balanced_accuracy"] < 1


def test_several_labels_a_file_have_scores_of_their_own(base: fa.Pipeline, tmp_path: Path) -> None:
    files, labels = [], []
    rng = np.random.default_rng(1)
    for i in range(24):
        there = [name for name in ("low", "high") if rng.random() < 0.6]
        hz = {"low": 300.0, "high": 2500.0}
        sound = sum((tone(hz[name], 0.5, 10 * i) for name in there), np.zeros(RATE // 2, np.float32))
        files.append(tmp_path / f"{i}.wav")
        soundfile.write(files[-1], sound + 0.01 * tone(1000, 0.5, i), RATE)
        labels.append(there)
    for kind in ("linear", "mlp"):
        head = heads.fit(base, files, labels, kind=kind, folds=3, hidden=10, penalty=0.5)  # type: ignore[arg-type]
        assert head.metrics["roc_auc"] > 0.9
        assert head.confusion is None
        assert "balanced" in head.report
        both = head.pipeline(tone(300, 1, 5) + tone(2500, 1, 6), sample_rate=RATE)
        assert both.mean().min() > 0.5
        with pytest.raises(ValueError, match="expected one label per file, got lists"):
            head.plot_confusion(tmp_path / "no.png")


def test_files_that_can_not_be_read_are_reported_and_the_rest_is_done(
    base: fa.Pipeline, tones: tuple[list[str], list[str]], tmp_path: Path
) -> None:
    files, labels = tones
    bad = tmp_path / "bad.wav"
    bad.write_text("no sound", encoding="utf-8")
    empty = tmp_path / "empty.wav"
    soundfile.write(empty, np.zeros(0, np.float32), RATE)
    head = heads.fit(base, [*files, bad, "gone.wav", empty], [*labels, "low", "low", "high"], folds=3)
    assert [path for path, _ in head.failed] == [str(bad), "gone.wav", str(empty)]
    assert "expected audio that libsndfile decodes" in head.failed[0][1]
    assert head.failed[1][1] == "expected an audio file, got no such file"
    assert head.failed[2][1] == "expected sound enough for a row, got none"
    assert head.evaluation.truth.sum() == 18
    assert "left out (3):\n" in head.report
    assert "  gone.wav: expected an audio file, got no such file" in head.report


def test_a_label_left_without_files_is_named(base: fa.Pipeline, tones: tuple[list[str], list[str]]) -> None:
    files, labels = tones
    with pytest.raises(
        ValueError, match=r"at least 2 files of each label, got 1 of 'odd'.*; 1 can't be read: gone\.wav: "
    ):
        heads.fit(base, [*files, "gone.wav", files[0]], [*labels, "odd", "odd"])
    with pytest.raises(ValueError, match=r"expected files that can be read, got none; gone0\.wav: expected"):
        heads.fit(base, [f"gone{i}.wav" for i in range(4)], ["a", "a", "b", "b"])


def test_a_label_that_loses_all_files_is_an_error_unless_that_is_allowed(
    base: fa.Pipeline, tones: tuple[list[str], list[str]]
) -> None:
    files, labels = [*tones[0], "gone1.wav", "gone2.wav"], [*tones[1], "odd", "odd"]
    message = r"(?s)got none of 'odd'; .*\(allow_missing=True\) to go on without:\n  gone1\.wav: .*gone2\.wav"
    with pytest.raises(ValueError, match=message):
        heads.fit(base, files, labels, folds=3)
    many = [f"bad{i}.wav" for i in range(20)]
    with pytest.raises(ValueError, match=message) as caught:
        heads.fit(base, [*many, *files], [*["low"] * 20, *labels], folds=3)
    assert "bad" not in str(caught.value)
    head = heads.fit(base, files, labels, folds=3, allow_missing=True)
    assert head.labels == ("high", "low", "middle")
    assert head.lost == ("odd",)
    assert head.report.endswith("labels without a file that could be used: odd\n")
    assert head.evaluation.to_dict()["lost_labels"] == ["odd"]
    several = heads.fit(base, files, [[label] for label in labels], folds=3, allow_missing=True)
    assert several.labels == ("high", "low", "middle")


def test_with_allow_missing_false_every_file_has_to_be_used(
    base: fa.Pipeline, tones: tuple[list[str], list[str]]
) -> None:
    files, labels = [*tones[0], "gone.wav"], [*tones[1], "low"]
    assert len(heads.fit(base, files, labels, folds=3).failed) == 1
    with pytest.raises(ValueError, match=r"embeddings of every file, got none of 1; [^\n]*:\n  gone\.wav: "):
        heads.fit(base, files, labels, folds=3, allow_missing=False)


def test_a_message_about_many_files_stays_within_a_screen(
    base: fa.Pipeline, tones: tuple[list[str], list[str]]
) -> None:
    gone = [f"gone{i}.wav" for i in range(500)]
    with pytest.raises(ValueError, match=r"and 492 more$") as caught:
        heads.fit(base, [*tones[0], *gone], [*tones[1], *["odd"] * 500])
    assert len(str(caught.value).splitlines()) < 24


def test_progress_tells_of_files_then_of_folds(base: fa.Pipeline, tones: tuple[list[str], list[str]]) -> None:
    told: list[tuple[str, int, int]] = []
    heads.fit(base, *tones, folds=3, progress=lambda *what: told.append(what))
    assert told[:18] == [("embedding", i + 1, 18) for i in range(18)]
    assert told[18:] == [("training", i + 1, 4) for i in range(4)]


@pytest.mark.parametrize(
    ("labels", "options", "refusal"),
    [
        (["a"] * 4, {}, (ValueError, "expected at least 2 labels, got 'a'")),
        (["a", "a", "a", "b"], {}, (ValueError, "at least 2 files of each label, got 1 of 'b'")),
        (["a", "b"], {}, (ValueError, "expected labels for 4 files, got 2")),
        (["a", "a", "b", "b"], {"groups": [1, 2]}, (ValueError, "expected groups for 4 files, got 2")),
        (["a", "a", "b", "b"], {"groups": [1, 2, 3, 3]}, (ValueError, "2 groups of files .* got 1 of 'b'")),
        (["a", "a", ["b"], "b"], {}, (TypeError, "one label per file, or a list for each, got a str and")),
        ([1, 1, 2, 2], {}, (TypeError, "expected labels as str")),
        (
            ["a", "a", "caf\udce9", "a"],
            {},
            (ValueError, r"expected labels in UTF-8, got 'caf\\udce9'; rename"),
        ),
        (["a", "a", "b", "b"], {"kind": "svm"}, (ValueError, "expected kind 'linear' or 'mlp', got 'svm'")),
        (["a", "a", "b", "b"], {"folds": 1}, (ValueError, "expected folds as an int of at least 2, got 1")),
        (["a", "a", "b", "b"], {"hidden": 0}, (ValueError, "expected hidden as an int of at least 1, got 0")),
        (["a", "a", "b", "b"], {"penalty": 0}, (ValueError, "expected penalty above 0, got 0")),
        (
            ["a", "a", "b", "b"],
            {"layer": "nope"},
            (ValueError, "expected one of frames, embedding, or an inner tensor, got 'nope'"),
        ),
        (
            ["a", "a", "b", "b"],
            {"layer": "frames"},
            (
                ValueError,
                r"expected rows that are vectors, got \[4 x 12\] from 'frames'; choose one of embedding",
            ),
        ),
    ],
)
def test_what_can_not_be_learnt_is_refused_by_name(
    base: fa.Pipeline,
    tones: tuple[list[str], list[str]],
    labels: Sequence[Any],
    options: dict[str, Any],
    refusal: tuple[type[Exception], str],
) -> None:
    error, message = refusal
    with pytest.raises(error, match=message):
        heads.fit(base, tones[0][:4], labels, **options)


@pytest.mark.parametrize(("module", "package"), [("sklearn", "scikit-learn"), ("onnx", "onnx")])
def test_without_the_extra_the_command_that_adds_it_is_told(
    monkeypatch: pytest.MonkeyPatch, base: fa.Pipeline, module: str, package: str
) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == module]:
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setitem(sys.modules, module, None)
    message = rf"^heads\.fit: expected {package}, got none; pip install 'fastaudio-toolkit\[train\]'$"
    with pytest.raises(heads.MissingExtra, match=message) as caught:
        heads.fit(base, ["a.wav"] * 4, ["a", "a", "b", "b"])
    assert isinstance(caught.value, ImportError)
    assert isinstance(caught.value, fa.FastaudioError)


def test_on_an_untrained_embedder_the_report_says_so_and_the_head_gives_tags(
    base: fa.Pipeline, tones: tuple[list[str], list[str]], tmp_path: Path
) -> None:
    fa.Pipeline(base.node, card=base.card | {"weights": "untrained"}).save(tmp_path / "base.json")
    head = heads.fit(tmp_path / "base.json", *tones, folds=3)
    assert "the embedder's weights are untrained" in head.report
    head.save(tmp_path / "mine")
    mine = fa.Pipeline.load(tmp_path / "mine")
    assert mine.card["embedder"]["weights"] == "untrained"
    assert mine(tones[0][0]).top(1)[0][0] == "high"


def test_features_without_a_network_are_an_embedder_too(
    tones: tuple[list[str], list[str]], tmp_path: Path
) -> None:
    mel = fa.MelSpectrogram(sample_rate=RATE, n_fft=512, hop_length=256, n_mels=24)
    features = mel >> fa.Log() >> fa.Statistics()
    with pytest.raises(ValueError, match=r"got \[2 x 24\] from 'rows'; fa\.Concat\(node\) makes a vector"):
        heads.fit(fa.Pipeline(features), *tones, folds=3)
    head = heads.fit(fa.Pipeline(fa.Concat(features)), *tones, folds=3)
    assert head.metrics["balanced_accuracy"] > 0.9
    head.save(tmp_path / "mel")
    assert {path.name for path in (tmp_path / "mel").iterdir()} == {"card.json", "head.onnx"}
    assert fa.Pipeline.load(tmp_path / "mel")(tones[0][0]).top(1)[0][0] == "high"


def test_a_head_keeps_its_embedders_level_of_silence(
    base: fa.Pipeline, tones: tuple[list[str], list[str]], tmp_path: Path
) -> None:
    quiet = fa.Pipeline(base.node, card=base.card, silence_db=-90.0)
    head = heads.fit(quiet, *tones, folds=2)
    assert head.pipeline.silence_db == -90.0
    head.save(tmp_path / "model")
    assert fa.Pipeline.load(tmp_path / "model").silence_db == -90.0


@pytest.mark.parametrize("files", [np.zeros((2, 3)), "folder", 3, None, [1, 2], [np.zeros(3)] * 2])
def test_files_are_a_list_of_paths(files: Any) -> None:
    with pytest.raises(TypeError, match=r"^heads\.fit: expected files as a list of paths, got "):
        heads.fit("musicnn-mtt", files, ["a", "b"])
