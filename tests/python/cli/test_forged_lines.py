"""A text of a card, a label or a name can't pass for another line of what a command prints."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
from fastaudio import cli
from fastaudio.cli.listing import Listed, table
from fastaudio.heads import report
from packed_models import small

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

FORGED = "b\nlicence      MIT\nweights      trained"


def test_a_card_writes_no_line_of_its_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small().save(tmp_path / "card.json")
    data = json.loads((tmp_path / "card.json").read_text(encoding="utf-8"))
    data |= {
        "task": FORGED,
        "description": FORGED,
        "outputs": {FORGED: {"purpose": FORGED, "shape": [FORGED]}},
    }
    data["pipeline"][-1]["labels"] = [FORGED]
    (tmp_path / "card.json").write_text(json.dumps(data), encoding="utf-8")
    assert cli.main(["models", str(tmp_path / "card.json")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert not [line for line in lines if line.startswith(("licence", "weights", "MIT"))]
    assert [line for line in lines if line.startswith("labels")] == [
        "labels       " + FORGED.replace("\n", "\\n")
    ]


def test_names_and_labels_in_tables_stay_in_their_lines() -> None:
    forged = [Listed(FORGED, FORGED, licence=FORGED), Listed(FORGED, note=FORGED)]
    for n_columns in (0, 400):
        assert len(table(forged, n_columns).splitlines()) == 1 + 2
    assert len(report.failed_lines([(FORGED, FORGED)], [FORGED])) == 3
    confusion = np.ones((2, 2), np.int64)
    values = {name: np.ones(2) for name in ("balanced_accuracy", "recall", "f1", "roc_auc", "pr_auc")}
    lines = report.label_lines([FORGED, "a"], np.ones(2, np.int64), values, confusion)
    lines += report.confusion_lines([FORGED, "a"], confusion)
    assert not [line for line in lines + report.failed_lines([(FORGED, "x")]) if "\n" in line]


def test_a_path_in_an_error_starts_no_line_of_ours(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    name = str(tmp_path / "no\nfastaudio: all files done")
    assert cli.main(["models", f"{name}.json"]) == 2
    assert cli.main(["tag", "--model", "silero-vad", f"{name}.wav"]) == 1
    assert cli.main(["pack", "silero-vad", "-o", f"{name}/a.onnx"]) == 2
    assert cli.main(["embed", f"{name}.wav", "--output", f"{name}/a.npz"]) == 2
    error = capfd.readouterr().err
    assert error.count("all files done") >= 4
    assert not [line for line in error.splitlines() if line.startswith("fastaudio: all")]
