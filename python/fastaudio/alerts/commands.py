"""Running a rule's program beside the rest: in a thread of its own, one at a time, for a bounded time."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from fastaudio._system.text import printable
from fastaudio.mqtt.broker import PASSWORD

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastaudio.alerts.watch import Alert

_MOST_WAITING = 16
_LAST_S = 5.0
_LOOK_S = 0.1


def arguments(command: tuple[str, ...], alert: Alert) -> list[str]:
    """Return a command with an alert's values in place of {label}, {score}, {time}, {rule} and {model}.

    The program's own name stays as it is. A value never becomes an option: where it would begin an argument
    with a dash, a space comes before it. Control characters are escaped.
    """
    values = {key: printable(text) for key, text in _texts(alert).items()}
    program, *given = command
    made = [program]
    for text in given:
        filled = _filled(text, values)
        made.append(f" {filled}" if filled.startswith("-") and not text.startswith("-") else filled)
    return made


def environment(alert: Alert) -> dict[str, str]:
    """Return an alert's values as environment variables such as FASTAUDIO_LABEL."""
    return {f"FASTAUDIO_{key.upper()}": printable(text) for key, text in _texts(alert).items()}


def _texts(alert: Alert) -> dict[str, str]:
    data = alert.to_dict()
    keys = ("rule", "label", "score", "time", "duration_s", "model")
    return {key: f"{data[key]:g}" if isinstance(data[key], float) else str(data[key]) for key in keys}


def _filled(text: str, values: dict[str, str]) -> str:
    """Put values in place of their names in braces, in one pass: a value's own braces stay."""
    parts = text.split("{")
    made = [parts[0]]
    for part in parts[1:]:
        name, brace, rest = part.partition("}")
        made.append(values[name] + rest if brace and name in values else "{" + part)
    return "".join(made)


class Commands:
    """Runs programs one after another, so that many alerts don't become many processes.

    Sixteen wait at most; others are dropped, counted, and said. What a program prints is dropped too.

    Attributes:
        n_dropped: how many weren't run since too many waited.
        n_failed: how many ended with another status than 0, too late, or weren't found.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        """Take what takes a line about what went wrong."""
        self._say = say
        self._waiting: queue.Queue[Alert] = queue.Queue(_MOST_WAITING)
        self._ending = threading.Event()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self.n_dropped = self.n_failed = 0

    def run(self, alert: Alert) -> None:
        """Run an alert's command, and return at once."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="fastaudio-alerts", daemon=True)
            self._thread.start()
        try:
            self._waiting.put_nowait(alert)
        except queue.Full:
            self.n_dropped += 1
            if self.n_dropped == 1:
                self._say(f"alerts: {_MOST_WAITING} commands wait: others are dropped")

    def close(self) -> None:
        """Let those that wait run for some seconds, and end what runs then."""
        self._ending.set()
        if self._thread is not None:
            self._thread.join(_LAST_S)
            self._stopped.set()
            self._thread.join(_LAST_S)
        self.n_dropped += self._waiting.qsize()
        if self.n_dropped:
            self._say(f"alerts: {self.n_dropped} commands weren't run")

    def _work(self) -> None:
        while not self._stopped.is_set():
            try:
                alert = self._waiting.get(timeout=_LOOK_S)
            except queue.Empty:
                if self._ending.is_set():
                    return
                continue
            problem = self._problem(alert)
            if problem:
                self.n_failed += 1
                self._say(f"alerts: rule {printable(alert.rule.name)}: {problem}")

    def _problem(self, alert: Alert) -> str:
        """Run a command to its end; return what went wrong, or nothing."""
        command = arguments(alert.rule.command or (), alert)
        none: Any = subprocess.DEVNULL
        try:
            process = subprocess.Popen(  # noqa: S603  # the user's own command, without a shell
                command,
                stdin=none,
                stdout=none,
                stderr=none,
                env={key: text for key, text in os.environ.items() if key != PASSWORD} | environment(alert),
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            return f"expected a program that runs, got {printable(command[0])}: {error}"
        left_s = alert.rule.timeout_s
        while left_s > 0 and not self._stopped.is_set():
            with suppress(subprocess.TimeoutExpired):
                status = process.wait(min(_LOOK_S, left_s))
                return f"{printable(command[0])} ended with status {status}" if status else ""
            left_s -= _LOOK_S
        _end(process)
        if left_s > 0:
            return f"{printable(command[0])} was still running at the end, and was ended"
        return f"{printable(command[0])} didn't end within {alert.rule.timeout_s:g} s, and was ended"


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a program, and what it started."""
    with suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    process.wait()
