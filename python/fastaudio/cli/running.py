"""Running a command line: its words, its parser, what it raises."""

from __future__ import annotations

import importlib
import logging
import os
import signal
import sys
import threading
import traceback
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from fastaudio._core import BudgetError, FastaudioError, __version__
from fastaudio._system.text import printable
from fastaudio._system.writing import LATE, NO_ROOM
from fastaudio.cli.arguments import FAILED, INTERRUPTED, OK, RAW, USAGE
from fastaudio.cli.completion import add_completion
from fastaudio.cli.parsing import Parser
from fastaudio.cli.terminal import (
    Log,
    complain,
    drop_stdout,
    only_our_words,
    prepare_stdout,
    prepare_streams,
    tell,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from fastaudio.cli.ahead import Ahead

_EXAMPLES = """\
examples:
  fastaudio tag song.mp3
  fastaudio plot song.mp3 -o song.png
  fastaudio embed album/ --output album.npz
  fastaudio features album/ --preset vggish -o album.parquet
  fastaudio scan archive/ --output scanned
  fastaudio listen
  fastaudio serve
  fastaudio train sounds/ -o my-model
  fastaudio import model.onnx --preset ced --labels labels.csv -o my-ced
  fastaudio models musicnn-mtt
  fastaudio info
"""
_COMMANDS = {
    name: f"fastaudio.cli.{name}"
    for name in (
        "tag",
        "plot",
        "embed",
        "features",
        "scan",
        "search",
        "review",
        "summarize",
        "listen",
        "serve",
        "train",
        "evaluate",
        "import",
        "export",
        "quantize",
        "pack",
        "devices",
        "models",
        "get",
        "info",
    )
} | {"import": "fastaudio.cli.importing"}  # a word of Python's
"""The module of each command, in the order of the help."""


def _parser(words: Sequence[str] = ()) -> Parser:
    """Return the program's parser; if the first of the words is a command, with this command alone.

    With none, if it asks for the version. Importing all commands takes longer than tagging a short file.
    """
    parser = Parser(
        prog="fastaudio",
        description="Tag the sound of files or a microphone: labels with their scores.",
        epilog=_EXAMPLES,
        formatter_class=RAW,
    )
    parser.add_argument("--version", action="version", version=f"fastaudio {__version__}")
    add_completion(parser)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    first = words[0] if words else ""
    wanted = [first] if first in _COMMANDS else [] if first == "--version" else list(_COMMANDS)
    for command in wanted:
        importlib.import_module(_COMMANDS[command]).add(commands)
    return parser


def run(argv: Sequence[str] | None, ahead: Ahead) -> int:
    """Run the command line, None for the program's own, and return its exit status."""
    prepare_streams()
    command = ""
    if argv is None:  # this is the program
        sys.excepthook = _show_fault
    try:
        words = sys.argv[1:] if argv is None else argv
        with ahead:
            args = _parser(words).parse_args(argv)
        command, verbose = args.command, getattr(args, "verbose", False)
        prepare_stdout(args)
        with _terminable(), only_our_words(verbose=verbose):
            level = logging.INFO if verbose else logging.WARNING
            logging.basicConfig(level=level, format="%(message)s", handlers=[Log()])
            with warnings.catch_warnings():
                warnings.showwarning = _show_warning
                status: int = args.run(args)
        sys.stdout.flush()
    except KeyboardInterrupt:
        complain("interrupted")
        return INTERRUPTED
    except BrokenPipeError:  # whoever read the output is gone, so there is nothing left to do
        drop_stdout()
        return OK
    except (FastaudioError, ValueError, OSError) as error:
        complain(_said(error, command))
        late = isinstance(error, OSError) and error.errno in LATE
        if late and not isinstance(error, FastaudioError):
            drop_stdout()
        return FAILED if late or isinstance(error, _failures()) else USAGE
    return status


def _failures() -> tuple[type[Exception], ...]:
    """Return the errors of a device, a file or a server, rather than of how the program was used."""
    from fastaudio.cli.record import RecordError  # noqa: PLC0415  # most runs have no error
    from fastaudio.decoding.audio_file import DecodeError  # noqa: PLC0415
    from fastaudio.live.devices import DeviceError  # noqa: PLC0415
    from fastaudio.registry import FetchError  # noqa: PLC0415

    return DeviceError, DecodeError, RecordError, FetchError


def _show_fault(*error: Any) -> None:
    """Show an error that is a fault of ours; what it quotes may be anyone's."""
    tell(printable("".join(traceback.format_exception(*error)), lines=True))


def _show_warning(message: Warning | str, *_: object, **__: object) -> None:
    complain(str(message))


def _said(error: Exception, command: str) -> str:
    """Return an error's message, in the command's name, with that of the system in our form."""
    if isinstance(error, FastaudioError) or not isinstance(error, OSError) or error.strerror is None:
        text = str(error)
        if isinstance(error, BudgetError):
            text += " in Python; the command line has no option for it"
        in_code = "Pipeline.load: "
        return f"{command}: {text.removeprefix(in_code)}" if text.startswith(in_code) else text
    name = "stdout" if error.filename is None else os.fsdecode(error.filename)
    wanted = "room to write" if error.errno in NO_ROOM else "a file that can be used"
    return f"{name}: expected {wanted}, got: {error.strerror}"


@contextmanager
def _terminable() -> Iterator[None]:
    """Treat SIGTERM like Ctrl-C, so that no half of a file stays."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
