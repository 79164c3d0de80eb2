"""`fastaudio listen` takes every form of `tag`, and --min-score means the same."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING

import fastaudio as fa
import numpy as np
import pytest
from cli_helpers import run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Listen = Callable[..., tuple[int, str, str]]

RATE = 16_000
LOOSE = ("--onset", "0.3")


@pytest.fixture
def listen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Listen:
    """Run `fastaudio listen -` over a tone between silences, with a model that needs no network."""
    mel = fa.MelSpectrogram(sample_rate=RATE, n_fft=4096, hop_length=RATE // 10, n_mels=2)
    scores = mel >> fa.Log(scale=1e3, offset=1) >> fa.MinMaxScale(min=0, max=20) >> fa.Tags(["low", "high"])
    fa.Pipeline(scores).save(tmp_path / "toy.json")
    tone = 0.5 * np.sin(2 * np.pi * 200 * np.arange(2 * RATE) / RATE)
    sound = np.concatenate([np.zeros(RATE), tone, np.zeros(RATE)])
    (tmp_path / "pcm").write_bytes(np.round(32767 * sound).astype("<i2").tobytes())

    def call(*words: object) -> tuple[int, str, str]:
        with (tmp_path / "pcm").open(encoding="latin-1") as file, monkeypatch.context() as patch:
            patch.setattr("sys.stdin", file)
            return run(capsys, "listen", "-", "--rate", RATE, "--model", tmp_path / "toy.json", *words)

    return call


def test_a_json_list_has_the_items_of_the_json_lines(listen: Listen) -> None:
    for options in (["--top", "1"], LOOSE, ["--onset", "1"]):
        lines = [json.loads(line) for line in listen("--jsonl", *options)[1].splitlines()]
        items = json.loads(listen("--json", *options)[1])
        for one in (*lines, *items):
            del one["time"]
        assert items == lines
    assert not items


def test_rttm_and_a_text_grid_hold_the_events(listen: Listen) -> None:
    (event,) = [json.loads(line) for line in listen("--jsonl", *LOOSE)[1].splitlines()]
    _, out, _ = listen("--rttm", *LOOSE)
    *before, start_s, length_s, ortho, kind, label, peak, _ = out.split()
    assert (before, ortho, kind, label) == (["SPEAKER", "pcm", "1"], "<NA>", "<NA>", "low")
    got = [float(start_s), float(start_s) + float(length_s), float(peak)]
    assert got == pytest.approx([event["start_s"], event["end_s"], event["peak"]])
    _, out, _ = listen("--praat", *LOOSE)
    assert out.startswith(
        'File type = "ooTextFile"\nObject class = "TextGrid"\n\nxmin = 0.000000\nxmax = 4.000000\n'
    )
    assert out.count('text = "low"') == 1
    assert f"xmin = {event['start_s']:.6f}" in out
    assert 'name = "events"' in listen("--praat", "--onset", "1")[1]


def test_the_name_of_the_output_chooses_the_form(listen: Listen, tmp_path: Path) -> None:
    for name, form in (("o.rttm", "rttm"), ("o.TextGrid", "praat")):
        assert listen(*LOOSE, "--output", tmp_path / name)[0] == 0
        assert (tmp_path / name).read_text("utf-8") == listen(*LOOSE, f"--{form}")[1]


def test_min_score_leaves_out_tags_and_events(listen: Listen) -> None:
    every = [json.loads(line) for line in listen("--jsonl")[1].splitlines()]
    scores = [tag["score"] for one in every for tag in one["tags"]]
    assert min(scores) < 0.3 < max(scores)
    kept = [json.loads(line) for line in listen("--jsonl", "--min-score", 0.3)[1].splitlines()]
    assert [one["tags"] for one in kept] == [
        [tag for tag in one["tags"] if tag["score"] >= 0.3] for one in every
    ]
    rows = list(csv.DictReader(io.StringIO(listen("--csv", "--min-score", 0.3)[1])))
    assert len(rows) == sum(score >= 0.3 for score in scores)
    status, out, err = listen("--rttm", *LOOSE, "--min-score", 2)
    assert (status, out) == (0, "")
    assert err == "fastaudio: no events (1 with peaks below 2)\n"
    text = listen("--min-score", 0.3)[1]
    assert "high" not in text
    assert "low" in text
