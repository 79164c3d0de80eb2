"""What `fastaudio listen` shows on a terminal: rows that stay, within its width, whatever labels are like."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import unicodedata
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from fastaudio.cli import board as boards
from fastaudio.cli.board import Board, bar, columns_of, fit
from fastaudio.cli.ears import Ear
from fastaudio.cli.screen import Rows, Screen, heard_text
from fastaudio.cli.terminal import tell
from fastaudio.events import Event
from fastaudio.tags import Window

if TYPE_CHECKING:
    from fastaudio import Pipeline

SOURCE: Any = SimpleNamespace(name="a pipe")
UP = re.compile(r"\x1b\[(\d+)A")


class Terminal(io.StringIO):
    """A terminal of a given size that keeps the lines it shows: enough of one for what a Board writes."""

    encoding = "utf-8"  # type: ignore[assignment]

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        super().__init__()
        self._patch = patch
        self.lines: list[str] = [""]
        self.row = 0

    def plug(self) -> None:
        """Stand for stdout and stderr; pytest puts its own there before each test's first line."""
        self._patch.setattr(sys, "stdout", self)
        self._patch.setattr(sys, "stderr", self)

    def wrap(self, columns: int) -> None:
        """Break what is wider, as terminals do that are made narrower."""
        pieces = [
            [line[i : i + columns] for i in range(0, len(line), columns)] or [""] for line in self.lines
        ]
        self.lines = [piece for line in pieces for piece in line]
        self.row = len(self.lines) - 1

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        for part in re.findall(r"\x1b\[\d*[AKJ]|\r|\n|[^\x1b\r\n]+", text):
            if part == "\n":
                self.row += 1
                if self.row == len(self.lines):
                    self.lines.append("")
            elif part == "\x1b[J":
                self.lines[self.row :] = [""]
            elif match := UP.fullmatch(part):
                self.row -= int(match[1])
                assert self.row >= 0, "it went above what is its own"
            elif part not in {"\r", "\x1b[K"}:
                self.lines[self.row] = part
            elif part == "\x1b[K":
                pass  # what is written replaces the line
        return len(text)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    resize(monkeypatch, 60)
    return Terminal(monkeypatch)


def resize(monkeypatch: pytest.MonkeyPatch, columns: int, rows: int = 24) -> None:
    monkeypatch.setattr(boards, "terminal_size", lambda: (columns, rows))


def window(scores: dict[str, float], start_s: float = 0.0, **more: Any) -> Window:
    return Window(start_s, start_s + 3.0, np.array(list(scores.values()), np.float32), list(scores), **more)


@pytest.fixture
def opened(tagger: Pipeline) -> Any:
    with tagger.live(16_000) as stream:
        yield stream


def test_it_says_at_once_that_it_listens_and_when_the_first_result_comes(
    terminal: Terminal, tagger: Pipeline, opened: Any
) -> None:
    terminal.plug()
    screen = Screen([Ear("musicnn-mtt", tagger)], 5, SOURCE)
    screen.begin(opened)
    screen.close()
    assert terminal.lines[0] == "a pipe, musicnn-mtt; Ctrl-C ends"
    assert re.fullmatch(r"listening\.\.\. +\d\d:\d\d:\d\d", terminal.lines[1])
    assert terminal.lines[2] == "musicnn-mtt  first in 3.0 s"
    assert "0.0 s heard, lost 0.0 s" in terminal.lines[-2]


def test_a_label_keeps_its_row_as_long_as_it_is_among_the_best() -> None:
    rows = Rows()
    assert rows.place([("a", 0.9), ("b", 0.8), ("c", 0.7)], 3) == [("a", 0.9), ("b", 0.8), ("c", 0.7)]
    assert rows.place([("c", 0.9), ("d", 0.8), ("a", 0.7)], 3) == [("a", 0.7), ("d", 0.8), ("c", 0.9)]
    assert rows.place([], 3) == [("", 0.0)] * 3
    assert rows.place([("e", 0.5)], 2) == [("e", 0.5), ("", 0.0)]


@pytest.mark.parametrize("columns", [40, 60, 120])
def test_no_line_is_wider_than_the_terminal(
    columns: int, terminal: Terminal, tagger: Pipeline, opened: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal.plug()
    resize(monkeypatch, columns)
    ears = [Ear("one" * 20, tagger), Ear("two", tagger)]
    screen = Screen(ears, 5, SOURCE)
    screen.begin(opened)
    first = len(terminal.lines)
    labels = ["吉他" * 12, "a" * 90, "e\u0301" * 40, "\x1b[2J\x07", "plain"]
    screen.show(ears[0], window(dict(zip(labels, [1.0, 0.9, 0.8, 0.7, 0.6], strict=True))))
    screen.tick(opened, 0.5)
    screen.close()
    block = terminal.lines[1:]
    assert len(terminal.lines) == first
    assert max(map(columns_of, block)) <= columns - 1
    assert "\x07" not in "".join(block)
    assert any("plain" in line and "█" in line for line in block)


def test_it_follows_a_resize_and_leaves_what_stands_above(
    terminal: Terminal, tagger: Pipeline, opened: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal.plug()
    ear = Ear("musicnn-mtt", tagger)
    screen = Screen([ear], 3, SOURCE)
    screen.begin(opened)
    for columns in (100, 60, 80):
        resize(monkeypatch, columns)
        terminal.wrap(columns)
        screen.tick(opened, 0.5)
        assert len(terminal.lines[1]) == columns - 1  # the clock stands at the right
    screen.close()
    assert terminal.lines[0].startswith("a pipe")


def test_of_many_models_each_keeps_a_row_in_a_low_terminal(
    terminal: Terminal, tagger: Pipeline, opened: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal.plug()
    resize(monkeypatch, 80, 12)
    ears = [Ear(name, tagger) for name in ("one", "two", "three")]
    screen = Screen(ears, 5, SOURCE)
    screen.begin(opened)
    for ear in ears:
        screen.show(ear, window({"guitar": 0.5, "piano": 0.4}))
    screen.tick(opened, 0.5)
    screen.close()
    assert len(terminal.lines) - 1 <= 12
    assert sum("guitar" in line for line in terminal.lines) == 3


def test_events_scroll_by_above_and_those_that_go_on_are_named(
    terminal: Terminal, tagger: Pipeline, opened: Any
) -> None:
    terminal.plug()
    import fastaudio as fa

    ear = Ear("musicnn-mtt", tagger >> fa.Events())
    screen = Screen([ear], 3, SOURCE)
    screen.begin(opened)
    screen.show(ear, Event("dog", 1.0, None, 0.5, 0.5))
    screen.tick(opened, 0.5)
    assert any("now: dog" in line for line in terminal.lines)
    tell("fastaudio: a message of another thread\n")
    screen.show(ear, Event("dog", 1.0, 2.0, 0.7, 0.6))
    screen.tick(opened, 0.5)
    screen.close()
    above = terminal.lines[1:4]
    assert [bool(re.search("dog|message", line)) for line in above] == [True] * 3
    assert terminal.lines[4].startswith("listening...")
    assert any("no event now" in line for line in terminal.lines)


def test_more_lines_than_before_take_their_place_and_fewer_leave_none_behind(terminal: Terminal) -> None:
    terminal.plug()
    board = Board()
    board.draw(["a", "b", "c"])
    board.draw(["a"])
    assert [line for line in terminal.lines if line] == ["a"]
    board.above("text\n")
    board.draw(["x", "y"])
    assert terminal.lines == ["text", "x", "y", ""]


def test_what_the_terminal_wrapped_when_it_was_made_narrower_is_drawn_over(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal.plug()
    board = Board()
    board.draw(["x" * 59])
    terminal.wrap(30)
    resize(monkeypatch, 30)
    board.draw(["y"])
    assert [line for line in terminal.lines if line] == ["y"]


@pytest.mark.parametrize("text", ["guitar", "吉他", "e\u0301te\u0301", "", "🎸x"])
@pytest.mark.parametrize("width", [0, 1, 3, 10])
def test_fitted_text_takes_exactly_its_columns(text: str, width: int) -> None:
    fitted = fit(text, width)
    assert columns_of(fitted) == width
    assert text.startswith(unicodedata.normalize("NFC", fitted).rstrip()) or fitted.strip() in text


def test_bars_have_eighths_and_stay_within_their_width() -> None:
    assert bar(0.5, 4) == "██"
    assert bar(1 / 16, 2) == "▏"
    assert bar(7.0, 3) == "███"
    assert bar(-1.0, 3) == bar(0.0, 3) == ""
    assert bar(0.5, 4, plain=True) == "##"


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.0, "0.0 s"), (59.94, "59.9 s"), (62.0, "1:02"), (3_723.9, "1:02:03")]
)
def test_long_times_have_minutes_and_hours(seconds: float, text: str) -> None:
    assert heard_text(seconds) == text


def in_a_terminal(code: str, *, columns: int = 50, **environment: str) -> bytes:
    """Return what a Python program writes to a pseudo-terminal, on both streams."""
    import fcntl
    import struct
    import termios

    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 20, columns, 0, 0))
    variables = {key: value for key, value in os.environ.items() if key not in {"COLUMNS", "LINES"}}
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=theirs, stderr=theirs, env=variables | environment
    ) as process:
        os.close(theirs)
        shown = b""
        while True:
            try:
                part = os.read(ours, 4096)
            except OSError:  # Linux says so when the other end is closed
                break
            if not part:
                break
            shown += part
        os.close(ours)
        assert process.wait(60) == 0
    return shown


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="this system has no pseudo-terminals")
def test_the_size_is_that_of_the_terminal_although_libraries_were_led_elsewhere() -> None:
    code = """
from fastaudio.cli.terminal import only_our_words, terminal_size
with only_our_words(verbose=False):
    print(*terminal_size())
"""
    assert in_a_terminal(code).split() == [b"50", b"20"]
    assert in_a_terminal(code, COLUMNS="33", LINES="7").split() == [b"50", b"20"]


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="this system has no pseudo-terminals")
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_messages_come_at_once_whatever_python_buffers(unbuffered: str) -> None:
    code = """
import os
from fastaudio.cli.terminal import only_our_words, tell
with only_our_words(verbose=False):
    tell("first\\n")
    print("second")
    os._exit(0)
"""
    shown = in_a_terminal(code, PYTHONUNBUFFERED=unbuffered)
    assert shown.split() == [b"first", b"second"]
