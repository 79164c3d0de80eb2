"""Several embedders in one table: the best is kept, and one that can't be used doesn't end the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import fastaudio as fa
import pytest
from fastaudio import heads
from heads_helpers import embedder, write_network, write_tones

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def tones(tmp_path: Path) -> tuple[list[str], list[str]]:
    write_tones(tmp_path / "in", ["low", "high"], 4)
    return heads.labelled_files(tmp_path / "in")


@pytest.fixture
def models(tmp_path: Path) -> list[str]:
    """Return a model that hears nothing, one that isn't there, and a good one."""
    good = embedder(write_network(tmp_path / "net.onnx"))
    good.save(tmp_path / "good" / "card.json")
    deaf = fa.MelSpectrogram(sample_rate=8000, n_fft=512, hop_length=500, n_mels=4, f_min=3_800, f_max=3_990)
    fa.Pipeline(fa.Concat(deaf >> fa.Statistics())).save(tmp_path / "deaf.json")
    return [str(tmp_path / "deaf.json"), str(tmp_path / "gone"), str(tmp_path / "good")]


def test_the_best_is_kept_and_all_are_told(tones: tuple[list[str], list[str]], models: list[str]) -> None:
    told: list[str] = []
    result = heads.compare(models, *tones, told=told.append, folds=2)
    assert told == models
    assert [one.model for one in result.tried] == [models[2], models[0], models[1]]
    best, _, gone = result.tried
    assert result.best.metrics == best.metrics
    assert len(result.best.classifier.mean) == best.values
    assert "gone" in gone.failed
    assert result.report.splitlines()[0].split() == [
        "model",
        "values",
        "balanced",
        "accuracy",
        "F1",
        "ROC-AUC",
        "seconds",
    ]
    assert len(result.report.splitlines()) == 4
    assert [one["model"] for one in result.best.pipeline.card["compared"]] == [models[2], models[0]]
    assert result.to_list()[2]["failed"] == gone.failed


def test_if_none_can_be_used_the_error_is_the_last_ones(tones: tuple[list[str], list[str]]) -> None:
    with pytest.raises(fa.ModelError, match="gone"):
        heads.compare(["gone"], *tones)
    with pytest.raises(ValueError, match="expected models, got none; name some"):
        heads.compare([], *tones)


def test_shipped_models_with_embeddings_are_found() -> None:
    names = heads.shipped_embedders()
    assert {"musicnn-mtt", "aisfx", "vgg-msd"} <= set(names)
    assert not {"silero-vad", "sound-activity", "basic-pitch"} & set(names)
