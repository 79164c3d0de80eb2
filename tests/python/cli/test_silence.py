"""What the command line says of silence, of scores that are no probabilities, and of none that are finite."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest
import soundfile
from fastaudio import cli
from helpers import GUITAR

if TYPE_CHECKING:
    from pathlib import Path

MEL = fa.MelSpectrogram(sample_rate=16_000, n_fft=512, hop_length=256, n_mels=2)


@pytest.fixture
def quiet(tmp_path: Path) -> Path:
    """Return a file of 7 s of digital silence."""
    path = tmp_path / "quiet.wav"
    soundfile.write(path, np.zeros(7 * 16_000, dtype=np.float32), 16_000)
    return path


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    """Return exit status, stdout and stderr of the command."""
    status = cli.main([str(argument) for argument in arguments])
    out, err = capsys.readouterr()
    return status, out, err


def saved(node: fa.Node, folder: Path) -> Path:
    """Return a card of tags after mel bands and `node`."""
    path = folder / "card.json"
    fa.Pipeline(MEL >> node >> fa.Tags(["low", "high"])).save(path)
    return path


def test_silence_is_said(capsys: pytest.CaptureFixture[str], quiet: Path) -> None:
    assert run(capsys, "tag", quiet) == (0, f"{quiet}  (7.0 s)\n  silence\n", "")
    status, out, _ = run(capsys, "tag", quiet, "--windows")
    assert (status, [line.split(" s  ")[1] for line in out.splitlines()[1:]]) == (0, ["(silence)"] * 2)
    status, out, _ = run(capsys, "tag", quiet, "--onset", 0)
    assert (status, out.splitlines()[1:]) == (0, ["  no events (silence)"])
    _, out, _ = run(capsys, "tag", quiet, "--json", "--windows")
    (data,) = json.loads(out)
    assert (data["silent"], data["tags"]) == (True, [])
    assert [(window["silent"], window["tags"]) for window in data["windows"]] == [(True, [])] * 2
    _, out, _ = run(capsys, "tag", quiet, "--events", "--json")
    (data,) = json.loads(out)
    assert (data["silent"], data["best"], data["events"]) == (True, None, [])


def test_live_silence_is_said() -> None:
    command = [sys.executable, "-m", "fastaudio", "listen", "-", "--rate", "16000"]
    for form, want in (([], "(silence)"), (["--jsonl"], '"silent": true, "tags": []')):
        result = subprocess.run(
            [*command, *form], input=bytes(2 * 7 * 16_000), capture_output=True, timeout=120, check=True
        )
        lines = result.stdout.decode().splitlines()
        assert len(lines) == 2
        assert all(want in line for line in lines)


def test_a_search_that_finds_nothing_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, "tag", GUITAR, "--events")
    assert (status, out.splitlines()[1:]) == (0, ["  no events (best: ambient 0.40, below onset 0.5)"])


def test_scores_that_are_no_probabilities_are_told_once_and_their_bars_are_bounded(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    card = saved(fa.MinMaxScale(0, 1e-6), tmp_path)
    status, out, err = run(capsys, "tag", GUITAR, GUITAR, "--model", card)
    assert status == 0
    assert max(map(len, out.splitlines())) < 200
    assert err.count("expected scores in [0, 1], got others") == 1
    status, _, err = run(capsys, "tag", GUITAR, "--model", card, "--events")
    assert status == 1
    assert "put Sigmoid() or Softmax() before Events" in err


def test_scores_that_are_not_finite_are_null_and_their_file_has_failed(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, quiet: Path
) -> None:
    huge = fa.MinMaxScale(0, 1e-12)
    card = saved(huge >> huge >> huge >> huge >> fa.Softmax(), tmp_path)
    status, out, err = run(capsys, "tag", GUITAR, quiet, "--model", card, "--json", "--windows")
    assert status == 1
    assert "NaN or infinity" in err

    def no_constant(name: str) -> Any:
        pytest.fail(name)

    loud, silent = json.loads(out, parse_constant=no_constant)
    assert loud["finite"] is False
    assert {tag["score"] for window in loud["windows"] for tag in window["tags"]} >= {None}
    assert silent["finite"] is True
    assert silent["tags"] == []
    status, out, _ = run(capsys, "tag", GUITAR, "--model", card)
    assert (status, out.splitlines()[-1]) == (1, "  (not all scores are finite)")
    status, out, err = run(capsys, "tag", GUITAR, "--model", card, "--events", "--json")
    assert status == 1
    assert json.loads(out)[0]["finite"] is False
