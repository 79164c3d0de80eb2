"""Files on the command line: finding them, running over them, and reporting those that fail."""

from __future__ import annotations

import logging
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from fastaudio._system.text import indented, printable
from fastaudio._system.writing import OutputError
from fastaudio.cli.arguments import (
    add_channel,
    add_isolate,
    add_jobs,
    add_model,
    add_verbose,
    positive,
    status_of,
)
from fastaudio.cli.parsing import Parser
from fastaudio.cli.progress import Bar, progress
from fastaudio.cli.terminal import complain
from fastaudio.decoding.audio_file import DecodeError
from fastaudio.decoding.folders import find_audio
from fastaudio.drawing.clock import length_text
from fastaudio.running.whole import attempt, run_many

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import ExitStack

log = logging.getLogger("fastaudio")


def add_files(parser: argparse.ArgumentParser) -> None:
    """Add the arguments for files and the model that runs over them."""
    add_paths(parser)
    add_model(parser)


def add_paths(parser: argparse.ArgumentParser) -> None:
    """Add the arguments for files."""
    parser.add_argument("paths", nargs="+", metavar="FILE|DIR|-", help="files, folders, or - for stdin")
    if isinstance(parser, Parser):
        parser.intermixed = True


def add_files_options(parser: argparse.ArgumentParser, *, threads: bool = True) -> None:
    """Add the options for how to run over files; `threads` is for those of a network."""
    add_jobs(parser)
    if threads:
        add_threads(parser)
    add_channel(parser)
    add_isolate(parser)
    add_verbose(parser)


def add_threads(parser: argparse.ArgumentParser) -> None:
    """Add the option for the cores of a network."""
    parser.add_argument(
        "--threads", type=positive, metavar="N", help="cores per file (all for a single file, else 1)"
    )


def find_files(paths: Sequence[str], command: str) -> list[str]:
    """Return the files to run over: folders are searched for sound; stderr says what was skipped in them.

    A ValueError that names `command` says that there are none, and what there was.
    """
    files: list[str] = []
    skipped: list[tuple[str, str]] = []
    for path in paths:
        if path == "-" or not Path(path).is_dir():
            files.append(path)
            continue
        found = find_audio(path)
        files += found.files
        if (line := found.line()) or not found.files:
            skipped.append((path, line or "nothing in it"))
    if not files:
        got = ", ".join(f"{path} ({line})" for path, line in skipped)
        raise ValueError(f"{command}: expected sound files, got none in {got}")
    for path, line in skipped:
        complain(f"{path}: {line}")
    return files


def model_files(model: str) -> list[Path]:
    """Return the files that a model is read from, if it is given by its path; no output may replace them."""
    path = Path(model)
    if path.is_dir():
        path /= "card.json"
    if not path.is_file():
        return []
    return [path, *path.parent.glob("*.onnx")] if path.suffix == ".json" else [path]


def threads_of(args: argparse.Namespace, n_files: int) -> int:
    """Return how many cores each file may use."""
    threads: int | None = args.threads
    return threads or (os.cpu_count() or 1 if n_files == 1 else 1)


def _stdin() -> BinaryIO:
    if sys.stdin is None:  # closed before the program began
        raise ValueError("-: expected sound on stdin, got a closed stream; open it, or name a file")
    return sys.stdin.buffer


class FileRun:
    """One run over files; iterating gives the names and results of those that succeed.

    Attributes:
        bar: the progress bar on stderr.
        sound_s: seconds of sound so far, which the caller adds up.
    """

    def __init__(
        self,
        run: Callable[..., Any],
        names: Sequence[str],
        args: argparse.Namespace,
        stack: ExitStack,
        *,
        n_files: int | None = None,
    ) -> None:
        """Prepare to call `run`, a pipeline or something called like one, with each file.

        `n_files` counts those that an earlier run has done as well.
        """
        self._run = run
        self._names = names
        self._n_files = len(names) if n_files is None else n_files
        self._jobs: int | None = args.jobs
        self._failed = 0
        self._started = time.perf_counter()
        if names.count("-") > 1:
            raise ValueError("-: expected stdin once, got it twice; name it once")
        self._sources = [_stdin() if name == "-" else name for name in names]
        self.bar: Bar = stack.enter_context(progress(len(names), quiet=args.quiet))
        self.sound_s = 0.0

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        """Run; files that fail are named on stderr.

        Raises:
            OutputError: there is no room for what waits on the disk, which isn't a file's fault.
        """
        for name, result in zip(self._names, self._results(), strict=True):
            if isinstance(result, OutputError):
                raise result
            if isinstance(result, Exception):
                self.fail(name, result.reason if isinstance(result, DecodeError) else str(result))
                continue
            yield name, result
            self.bar.heard(self.sound_s)

    def fail(self, name: str, reason: str) -> None:
        """Count a file as failed, and say why on stderr."""
        self._failed += 1
        self.say(name, reason)

    def say(self, name: str, text: str) -> None:
        """Say something about a file on stderr, above the bar."""
        self.bar.say(f"fastaudio: {printable(name)}: {indented(text)}")

    def _results(self) -> Iterator[Any]:
        if len(self._sources) == 1:  # show progress within the file
            yield attempt(self._run, self._sources[0], self.bar.within)
            self.bar.step()
            return
        for result in run_many(self._run, self._sources, self._jobs):
            yield result
            self.bar.step()

    def say_truncated(self, name: str, duration_s: float) -> None:
        """Say on stderr that a file is shorter than its header states."""
        self.say(name, f"the file is cut short, got {length_text(duration_s)}")

    def status(self) -> int:
        """Report the whole run on stderr and return the exit status."""
        took_s = time.perf_counter() - self._started
        sound, took = length_text(self.sound_s), length_text(took_s)
        log.info("%d files, %s of sound in %s", len(self._names), sound, took)
        return status_of(self._failed, self._n_files)
