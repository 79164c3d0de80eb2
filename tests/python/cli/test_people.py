"""Times are as on a clock for people, seconds for machines; the line of progress says how fast it goes."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soundfile
from cli_helpers import run
from fastaudio.cli import progress as module
from fastaudio.cli.progress import progress
from fastaudio.cli.write import stretch
from fastaudio.drawing.clock import length_text

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0.0 s"),
        (59.94, "59.9 s"),
        (60, "1:00"),
        (127.4, "2:07"),
        (7189.78, "1:59:50"),
        (360_000, "100:00:00"),
    ],
)
def test_a_length_is_in_seconds_or_as_on_a_clock(seconds: float, text: str) -> None:
    assert length_text(seconds) == text


def test_stretches_of_a_sound_have_one_width_and_the_parts_that_its_length_has() -> None:
    assert stretch(0, 2.992, 10) == "   0.00 -    2.99 s"
    assert stretch(0, 2.992, 60) == "0:00.00 - 0:02.99"
    assert stretch(59.999, 3599.5, 3599.5) == "1:00.00 - 59:59.50"
    assert stretch(2.5, 7189.78, 7200) == "0:00:02.50 - 1:59:49.78"
    assert stretch(2.5, None, 7200) == "0:00:02.50 -        ..."
    assert len({len(stretch(at, at + 3, 35_000)) for at in range(0, 35_000, 1000)}) == 1


def test_text_of_long_sound_has_a_clock_and_data_has_seconds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sound = 0.1 * np.random.default_rng(0).standard_normal(75 * 8000).astype(np.float32)
    soundfile.write(tmp_path / "long.wav", sound, 8000)
    call = ("tag", tmp_path / "long.wav", "--windows", "--top", 1, "--no-kind")
    head, *lines = run(capsys, *call)[1].splitlines()
    assert head == f"{tmp_path / 'long.wav'}  (1:15)"
    assert lines[-1].startswith("  1:11.81 - 1:14.80  ")
    last = json.loads(run(capsys, *call, "--jsonl")[1].splitlines()[-1])
    assert (last["start_s"], last["end_s"]) == (pytest.approx(71.808), pytest.approx(74.8))


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def on_terminal(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Let stderr be a terminal of 80 columns, and the clock stand still unless told."""
    at = {"now": 100.0, "err": Terminal()}
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr("sys.stderr", at["err"])
    monkeypatch.setattr(module.time, "perf_counter", lambda: at["now"])
    return at


def last_line(at: dict[str, Any]) -> str:
    return str(at["err"].getvalue().rpartition("\r")[2]).rstrip()


def test_progress_within_a_file_is_its_time_and_the_speed(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = on_terminal(monkeypatch)
    with progress(1, quiet=False) as bar:
        terminal["now"] += 27.23
        bar.within(1307.7, 7199.1)
        bar._bar.refresh()
        assert last_line(terminal).endswith("| 21:47 / 1:59:59, 48x, 2:03 left")
        assert len(last_line(terminal)) <= 80
        bar.within(30.0, None)
        bar._bar.refresh()
        assert last_line(terminal).endswith("| 30.0 s, 1.1x")


def test_progress_over_files_counts_them_and_says_the_speed(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = on_terminal(monkeypatch)
    with progress(200, quiet=False) as bar:
        bar._bar.refresh()
        assert last_line(terminal).endswith("| starting")
        for n in range(12):
            terminal["now"] += 1.0
            bar.step()
            bar.heard(48.0 * (n + 1))
        bar.step()
        bar._bar.refresh()
        assert last_line(terminal).endswith("| 13 / 200 files, 48x, 2:53 left")
