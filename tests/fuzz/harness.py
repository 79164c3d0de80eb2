"""What every fuzzer stands on: inputs in forked children, and the laws that hold whatever the input is.

A child takes one input after another. It must not crash, hang, use too much memory, print, or touch files
outside its folder; and `Fuzzer.check` raises if a law of the fuzzer's own is broken. Each of these is a
finding, named after its kind, so that a kind is counted and kept once.
"""

from __future__ import annotations

import abc
import faulthandler
import gc
import json
import os
import random
import re
import resource
import select
import shutil
import signal
import sys
import tempfile
import time
import traceback
import warnings
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lines import Lines
from watching import Watch, peak_mb, reset_peak

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CORPUS = Path(__file__).parent / "corpus"
INPUTS_PER_CHILD = 200
LONGEST_MESSAGE = 4000
"""Characters of an error or a warning: they fit on a screen."""
MOST_ADDRESSES = 8 << 30  # bytes of a child's address space: it fails before the machine does


class Fuzzer(abc.ABC):
    """One fuzzer: how its inputs are drawn, and what holds for each.

    Attributes:
        name: its name on the command line, and of its folder of kept inputs.
        limit_s: the most seconds that an input may take.
        limit_mb: the most memory that an input may add.
        gate_runs: how many inputs the gate draws: about a minute of them.
        warns: whether native code may write to standard error, as decoders do; never to standard output.
        modules: the prefix of the Python modules whose lines are counted.
    """

    name: str
    limit_s: float = 20
    limit_mb: int = 300
    gate_runs: int = 300
    warns: bool = False
    modules: str = "fastaudio"

    def __init__(self) -> None:
        self.kept = {path.name: path.read_bytes() for path in sorted((CORPUS / self.name).glob("*"))}

    def prepare(self, outside: Path) -> None:  # noqa: B027  # few have to
        """Get ready in a new child; `outside` holds what no input may reach."""

    @abc.abstractmethod
    def draw(self, rng: random.Random) -> bytes:
        """Return an input."""

    @abc.abstractmethod
    def check(self, content: bytes, folder: Path) -> None:
        """Use an input; raise if a law is broken. `folder` is empty at first, and where files may be."""


@dataclass
class Report:
    """What a run of a fuzzer found: its findings by kind, each with how often it came and its first input."""

    runs: int = 0
    seconds: float = 0.0
    slowest: tuple[float, str] = (0.0, "")
    largest: tuple[float, str] = (0.0, "")
    findings: dict[str, tuple[int, str, bytes, str]] = field(default_factory=dict)
    lines: Lines = field(default_factory=Lines)

    def add(self, kind: str, case: str, content: bytes, told: str) -> None:
        """Count a finding; the first of its kind keeps its input."""
        times, *first = self.findings.get(kind, (0, case, content, told))
        self.findings[kind] = (times + 1, *first)  # type: ignore[assignment]


def cases(fuzzer: Fuzzer, seed: int, numbers: range) -> Iterator[tuple[int, str, bytes | random.Random]]:
    """Yield cases by number, each with its name and its content or what draws it; kept ones come first."""
    kept = list(fuzzer.kept.items())
    for number in numbers:
        if number < len(kept):
            yield number, *kept[number]
        else:
            run = number - len(kept)
            yield number, f"{run} of seed {seed}", random.Random(f"{fuzzer.name} {seed} {run}")  # noqa: S311


def fuzz(fuzzer: Fuzzer, *, seed: int, runs: int | None, seconds: float, measure: bool = False) -> Report:
    """Run kept inputs and then drawn ones: so many, or for so long where `runs` is None."""
    report, began = Report(), time.monotonic()
    last = None if runs is None else len(fuzzer.kept) + runs
    at = 0
    while (last is None or at < last) and (last is not None or time.monotonic() - began < seconds):
        until = at + INPUTS_PER_CHILD if last is None else min(last, at + INPUTS_PER_CHILD)
        deadline = None if last is not None else began + seconds
        at = _child(fuzzer, seed, range(at, until), report, deadline=deadline, measure=measure)
    report.seconds = time.monotonic() - began
    return report


def replay(fuzzer: Fuzzer, content: bytes) -> Report:
    """Run one input."""
    report = Report()
    fuzzer.kept = {"input": content}
    _child(fuzzer, 0, range(1), report, deadline=None, measure=False)
    return report


def _child(
    fuzzer: Fuzzer, seed: int, numbers: range, report: Report, *, deadline: float | None, measure: bool
) -> int:
    """Run some cases in a child of their own; return the number of the next one."""
    home = Path(tempfile.mkdtemp(prefix="fuzz-"))
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            os.close(reader)
            _serve(fuzzer, seed, numbers, home, writer, deadline=deadline, measure=measure)
            status = 0
        finally:
            os._exit(status)
    os.close(writer)
    at, ended = numbers.start, False
    case, told, pending = "", "", b""
    try:
        while not ended:
            if not select.select([reader], [], [], fuzzer.limit_s)[0]:
                told = f"hang: more than {fuzzer.limit_s} s"
                os.kill(pid, signal.SIGABRT)  # faulthandler writes where it stands
                _, status = _wait(pid)
                break
            got = os.read(reader, 1 << 16)
            ended = not got
            *complete, pending = (pending + got).split(b"\n")
            for line in complete:
                event: dict[str, Any] = json.loads(line)
                case = event.pop("case", case)
                at = event.pop("at", at)
                _note(report, event, case, home)
        else:
            _, status = _wait(pid)
        if told or status != 0:
            dump = (home / "fault").read_text(errors="replace") + _tail(home / "printed")
            signal_number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
            told = told or f"crash: signal {signal_number}, status {status}"
            content = (home / "input").read_bytes() if (home / "input").exists() else b""
            kind = told.split(":", maxsplit=1)[0] + " in " + _innermost(dump)
            report.add(kind, case, content, f"{told}\n{dump[-4000:]}")
            at += 1
    finally:
        os.close(reader)
        shutil.rmtree(home, ignore_errors=True)
    return at


def _wait(pid: int) -> tuple[int, int]:
    """Wait for a child, which is killed if it takes long."""
    for _ in range(50):
        if (done := os.waitpid(pid, os.WNOHANG))[0]:
            return done
        time.sleep(0.1)
    os.kill(pid, signal.SIGKILL)
    return os.waitpid(pid, 0)


def _note(report: Report, event: dict[str, Any], case: str, home: Path) -> None:
    """Add what a child told."""
    if "seconds" in event:
        report.runs += 1
        report.slowest = max(report.slowest, (event["seconds"], case))
        report.largest = max(report.largest, (event["mb"], case))
    if "finding" in event:
        report.add(event["finding"], case, (home / "found").read_bytes(), event["told"])
        (home / "found").unlink()  # the child waits for this before it goes on
    if "lines" in event:
        report.lines.add(event["lines"])


def _innermost(dump: str) -> str:
    """Return where a traceback of faulthandler stood: the innermost place within the package."""
    places = re.findall(r'File "([^"]+)", line \d+ in (\S+)', dump)
    ours = [place for place in places if "fastaudio" in place[0]] or places or [("?", "?")]
    return f"{Path(ours[0][0]).name} {ours[0][1]}"


def _tail(path: Path) -> str:
    return path.read_text(errors="replace")[-2000:] if path.exists() else ""


def _serve(
    fuzzer: Fuzzer,
    seed: int,
    numbers: range,
    home: Path,
    writer: int,
    *,
    deadline: float | None,
    measure: bool,
) -> None:
    """Be the child."""
    with (home / "fault").open("wb") as fault, (home / "printed").open("wb") as printed:
        faulthandler.enable(fault)
        os.dup2(printed.fileno(), 1)
        os.dup2(fault.fileno() if fuzzer.warns else 1, 2)
        resource.setrlimit(resource.RLIMIT_AS, (MOST_ADDRESSES, MOST_ADDRESSES))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

        def tell(**event: Any) -> None:
            os.write(writer, json.dumps(event).encode() + b"\n")

        outside = home / "outside"
        outside.mkdir()
        fuzzer.prepare(outside)
        lines = Lines(fuzzer.modules) if measure else None
        gc.collect()
        gc.freeze()  # what is here by now needn't be looked through after each input
        with Watch(outside) as watch:
            for number, case, drawn in cases(fuzzer, seed, numbers):
                if deadline is not None and time.monotonic() > deadline:
                    break
                tell(case=case, at=number)
                _one(fuzzer, drawn, home, watch, tell=tell, lines=lines)
                tell(at=number + 1)
        if lines is not None:
            tell(lines=lines.hit)


def _one(
    fuzzer: Fuzzer,
    drawn: bytes | random.Random,
    home: Path,
    watch: Watch,
    *,
    tell: Callable[..., None],
    lines: Lines | None,
) -> None:
    """Run one case in the child."""
    folder = home / "inside"
    (home / "input").unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    os.chdir(folder)
    before = watch.listed()
    found = told = ""
    content = b""
    base, began = reset_peak(), time.monotonic()
    warned: list[warnings.WarningMessage] = []
    try:
        content = fuzzer.draw(drawn) if isinstance(drawn, random.Random) else drawn
        (home / "input").write_bytes(content)
        base, began = reset_peak(), time.monotonic()
        with lines or nullcontext(), warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            fuzzer.check(content, folder)
    except BaseException as error:  # noqa: BLE001  # whatever it is, it is the finding
        place = next(
            (frame for frame in reversed(traceback.extract_tb(error.__traceback__)) if frame.name), None
        )
        at = f"{Path(place.filename).name} {place.name}" if place else "?"
        found = f"{type(error).__name__} in {at}: {_kind(str(error))}"
        told = traceback.format_exc()[-4000:]
        del error, place
    seconds, mb = time.monotonic() - began, max(0.0, peak_mb() - base)
    gc.collect()
    printed = _tail(home / "printed")
    if not found and seconds > fuzzer.limit_s:
        found, told = "too slow", f"{seconds:.1f} s"
    if not found and mb > fuzzer.limit_mb:
        found, told = "too much memory", f"{mb:.0f} MB"
    long = [str(one.message) for one in warned if len(str(one.message)) > LONGEST_MESSAGE]
    if not found and long:
        found, told = f"a long warning: {_kind(long[0])}", f"{len(long[0])} characters: {long[0][:300]}"
    if not found and printed:
        found, told = f"printed {_kind(printed)}", printed
    if opened := watch.opened():
        found, told = f"reached {opened} outside its folder", told or opened
    if watch.listed() != before:
        found, told = "made files outside its folder", f"{watch.listed() - before}"
    os.truncate(home / "printed", 0)
    os.lseek(1, 0, os.SEEK_SET)
    if found:
        (home / "found").write_bytes(content)
        tell(finding=found, told=told)
        while (home / "found").exists():
            time.sleep(0.001)
    tell(seconds=seconds, mb=mb)


def _kind(text: str) -> str:
    """Return a message without what differs from input to input."""
    return re.sub(r"'[^']*'|\"[^\"]*\"|\d[\w.+-]*", "#", text.partition(", got")[0])[:60]


def main_only() -> None:
    """Leave unless the system can fork and tell of its processes, as Linux does."""
    if not sys.platform.startswith("linux"):
        raise SystemExit("fuzzers: expected Linux, got another system; run them there")
