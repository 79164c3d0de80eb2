"""Progress bars on stderr, if that is a terminal."""

from __future__ import annotations

import sys
import time
import warnings
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from fastaudio._system.text import indented
from fastaudio.cli.terminal import tell
from fastaudio.drawing.clock import MINUTE_S, clock_text, length_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_WHOLE = 10  # times real time from which decimals say nothing
_SETTLED_S = 2.0  # before that, what is left is a guess


class Bar:
    """A progress bar on stderr, or nothing if that is no terminal.

    It says how much is done, and how many times faster than the sound plays: "21:47 / 1:59:59, 48x" of a
    single file, "12 / 200 files, 48x, 3:05 left" of several.
    """

    def __init__(self, bar: Any, total: int, unit: str = "files") -> None:
        self._bar = bar
        self._total = total
        self._unit = unit
        self._started = time.perf_counter()
        self._sound_s = 0.0

    def step(self) -> None:
        """Count one file as done."""
        if self._bar is not None and self._total != 1:
            self._bar.update(1)
            self._tell(f"{self._bar.n} / {self._total} {self._unit}", self._bar.n, self._total)

    def heard(self, sound_s: float) -> None:
        """Take the seconds of sound that are done, of several files."""
        self._sound_s = sound_s

    def within(self, done_s: float, total_s: float | None) -> None:
        """Show how much of a single file is done."""
        if self._bar is not None:
            self._sound_s = done_s
            self._bar.total = None if total_s is None else max(total_s, done_s)
            self._bar.n = done_s
            text = length_text(done_s) if total_s is None else _of(done_s, total_s)
            self._tell(text, done_s, total_s)
            self._bar.update(0)

    def _tell(self, text: str, n_done: float, total: float | None) -> None:
        took_s = max(time.perf_counter() - self._started, 1e-6)
        if self._sound_s > 0:
            speed = self._sound_s / took_s
            text += f", {speed:.0f}x" if speed >= _WHOLE else f", {speed:.2g}x"
        if total and 0 < n_done < total and took_s > _SETTLED_S:
            text += f", {_clock(took_s * (total - n_done) / n_done)} left"
        self._bar.set_description_str(text, refresh=False)

    def aside(self) -> AbstractContextManager[object]:
        """Hide the bar while results are written, so that the two don't mix on a terminal."""
        mode: AbstractContextManager[object] | None
        mode = None if self._bar is None else self._bar.external_write_mode(file=sys.stdout)
        return mode or nullcontext()

    def say(self, text: str) -> None:
        """Write a line on stderr, above the bar."""
        if self._bar is None:
            tell(text + "\n")
        else:
            self._bar.write(text, file=sys.stderr)


@contextmanager
def progress(total: int, *, quiet: bool, what: str | None = None) -> Iterator[Bar]:
    """Show a bar that counts `total` files, or the seconds of a single one, with `what` before it."""
    if quiet or not sys.stderr.isatty():
        yield Bar(None, total)
        return
    from tqdm import tqdm  # noqa: PLC0415  # needed on a terminal only

    more = {"bar_format": f"{what}: {{bar}}| {{desc}}" if what else "{bar}| {desc}", "desc": "starting"}
    with tqdm(total=total, file=sys.stderr, leave=False, dynamic_ncols=True, **more) as bar:
        yield Bar(bar, total)


def _clock(seconds: float) -> str:
    return clock_text(round(seconds), max(seconds, MINUTE_S))


def _of(done_s: float, total_s: float) -> str:
    return f"{_clock(min(done_s, total_s) // 1)} / {_clock(total_s)}"


@contextmanager
def stages(*, quiet: bool) -> Iterator[Callable[[str, int, int], None]]:
    """Give a function that shows a bar for each stage of work: call it with stage, count and total."""
    with ExitStack() as stack, ExitStack() as bar_stack:
        bars: dict[str, Bar] = {}

        def say(message: Warning | str, *_: object, **__: object) -> None:
            bar = next(reversed(bars.values()), Bar(None, 0))
            bar.say(f"fastaudio: {indented(str(message))}")

        stack.enter_context(warnings.catch_warnings())
        warnings.filterwarnings("always", message=".*: the file is cut short", category=UserWarning)
        warnings.showwarning = say  # one line each, above the bar

        def show(what: str, _: int, total: int) -> None:
            if what not in bars:
                bar_stack.close()  # removes the last stage's bar
                bars[what] = bar_stack.enter_context(progress(total, quiet=quiet, what=what))
            bars[what].step()

        yield show


class Trials(ExitStack):
    """Shows the stages of several rounds of work, each with its own bars."""

    def __init__(self, *, quiet: bool) -> None:
        super().__init__()
        self._quiet = quiet
        self._show: Callable[[str, int, int], None] | None = None

    def begin(self, name: str) -> None:
        """Begin a round, whose name stands before its stages."""
        self.close()
        show = self.enter_context(stages(quiet=self._quiet))
        self._show = lambda what, done, total: show(f"{name}: {what}", done, total)

    def show(self, what: str, done: int, total: int) -> None:
        """Show a stage of the round."""
        if self._show is not None:
            self._show(what, done, total)
