"""Heads on real sound: instrument families, judged on instruments that none of the files is from."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import fastaudio as fa
import pytest
from fastaudio import heads

if TYPE_CHECKING:
    from pathlib import Path

CHANCE = 1 / 11


@pytest.fixture(scope="module")
def notes(shared: Path) -> dict[str, list[dict[str, str]]]:
    """Return every fifth note of each split, which covers all pitches and velocities."""
    folder = shared / "instruments"
    if not (folder / "manifest.csv").is_file():
        pytest.skip("the folder of shared notes, ../shared/instruments, isn't there")
    with (folder / "manifest.csv").open(encoding="utf-8", newline="") as file:
        rows = [row | {"path": str(folder / row["file"])} for row in csv.DictReader(file)]
    return {split: [row for row in rows if row["split"] == split][::5] for split in ("train", "test")}


def test_families_are_found_and_cross_validation_foretells_how_well(
    notes: dict[str, list[dict[str, str]]], tmp_path: Path
) -> None:
    files, families, programs = (
        [row[key] for row in notes["train"]] for key in ("path", "family", "gm_program")
    )
    head = heads.fit("musicnn-mtt", files, families, groups=programs)
    assert not head.failed
    assert len(head.labels) == 11
    head.save(tmp_path / "families")
    assert {path.name for path in (tmp_path / "families").iterdir()} == {"card.json", "model.onnx", "LICENSE"}

    model = fa.Pipeline.load(tmp_path / "families")
    assert model.layers[-1] == "scores"
    assert model.card["licence"] == "ISC"
    assert "musicnn" in model.card["citation"]
    unheard = [row["path"] for row in notes["test"]], [row["family"] for row in notes["test"]]
    found = heads.evaluate(model, *unheard)
    assert found.metrics["balanced_accuracy"] > 3 * CHANCE
    assert found.metrics["roc_auc"] > 0.75
    assert head.metrics["balanced_accuracy"] == pytest.approx(found.metrics["balanced_accuracy"], abs=0.15)

    tagger = fa.Pipeline.load("musicnn-mtt")
    want = tagger.layer("penultimate")(files[0])
    assert abs(model.layer("penultimate")(files[0]) - want).max() < 1e-6
    assert abs(model.layer("taggram")(files[0]) - tagger(files[0]).scores).max() < 1e-6
