"""Progress bars on stderr, if that is a terminal."""

from __future__ import annotations

import sys
import warnings
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from fastaudio._system.text import indented
from fastaudio.cli.terminal import tell

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Bar:
    """A progress bar on stderr, or nothing if that is no terminal."""

    def __init__(self, bar: Any, total: int) -> None:
        self._bar = bar
        self._single = total == 1

    def step(self) -> None:
        """Count one file as done."""
        if self._bar is not None and not self._single:
            self._bar.update(1)

    def within(self, done_s: float, total_s: float | None) -> None:
        """Show how much of a single file is done."""
        if self._bar is not None:
            self._bar.total = None if total_s is None else round(total_s, 1)
            self._bar.update(round(done_s, 1) - self._bar.n)

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

    unit = "s" if total == 1 else "file"
    with tqdm(total=total, unit=unit, file=sys.stderr, leave=False, dynamic_ncols=True, desc=what) as bar:
        yield Bar(bar, total)


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
