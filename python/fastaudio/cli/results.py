"""Where the results of a run over files go: to stdout, into a file, or into a file for each recording."""

from __future__ import annotations

import hashlib
import os
import sys
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastaudio import cards
from fastaudio._core import __version__
from fastaudio._system.text import encoded
from fastaudio._system.writing import OutputError, check_folder, check_writable, is_stream, writing
from fastaudio.cli.files import model_files
from fastaudio.cli.terminal import complain, put
from fastaudio.cli.unfinished import SUFFIX, Unfinished, unfinished
from fastaudio.decoding.folders import SUFFIXES

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from fastaudio.cli.write import Form

# Options that change no result, and those that `about` tells in another way.
_NO_MATTER = {
    "command",
    "paths",
    "output",
    "force",
    "resume",
    "jobs",
    "threads",
    "isolate",
    "quiet",
    "verbose",
    "run",
}


def about(args: argparse.Namespace, **more: Any) -> dict[str, Any]:
    """Return what a run is, for --resume: the command, and all that its results depend on."""
    options = {key: value for key, value in sorted(vars(args).items()) if key not in _NO_MATTER}
    first = {"command": args.command, "fastaudio": __version__}
    if "model" in options:
        first["card"] = hashlib.sha256(cards.read_card(args.model).text).hexdigest()
    return {**first, **options, **more}


def check_output(args: argparse.Namespace, names: Sequence[str], *others: str) -> None:
    """Find out before the work whether the file --output, or stdout, can be written.

    The inputs are the sounds, the model's files, and the `others`.

    Raises:
        OutputError: it can't, or it is one of the inputs or would become one.
        ValueError: --resume without a file.
    """
    output = "-" if args.output is None else args.output
    if args.resume and is_stream(output):
        raise ValueError(
            f"--resume: expected --output FILE, got {args.output or 'none'}; only a file is kept"
        )
    model = model_files(args.model) if "model" in args else []
    inputs: list[str] = [*names, *map(str, model), *others]
    check_writable(output, force=args.force or args.resume, inputs=inputs)
    goes_on = os.path.lexists(os.path.realpath(output) + SUFFIX)
    if args.resume and not args.force and not goes_on and os.path.lexists(output):
        raise OutputError(
            f"--resume: expected {output}{SUFFIX} of an unfinished run, got none, so {output} is whole; "
            "choose another name, or begin anew with --force"
        )
    if is_stream(output):
        return
    if Path(output).suffix.lower().lstrip(".") not in SUFFIXES:
        return
    for folder in filter(os.path.isdir, args.paths):
        if Path(os.path.realpath(output)).is_relative_to(os.path.realpath(folder)):
            raise OutputError(
                f"{output}: expected a file that isn't read as sound, got a sound's name in {folder}, "
                "where the next run would read it; choose another"
            )


class Results:
    """Takes what each input gave, in the order of the inputs.

    Attributes:
        todo: the inputs that are still to be run.
    """

    def __init__(self, form: Form, todo: Sequence[str], run: Unfinished | None = None) -> None:
        self.todo = todo
        self._form = form
        self._run = run
        self._n = 0

    def add(self, name: str, results: Sequence[Any], *, failed: bool = False) -> None:
        """Take the results of an input; --resume runs it again if it `failed`."""
        text = self._form.between.join(map(self._form.piece, results))
        if self._run is not None:
            self._run.add(name, encoded(text), failed=failed)
        else:
            self._write((self._form.between if self._n else self._form.begin) + text)
            self._n += 1

    def finish(self) -> None:
        """Write what stands at the end, for results that aren't kept."""
        self._write(self._form.end if self._n else self._form.empty)

    def _write(self, text: str) -> None:
        if self._form.is_data:
            put(text)
        else:
            sys.stdout.write(text)
            sys.stdout.flush()


class _Straight(Results):
    """Writes into a pipe or a device."""

    write: Callable[[bytes], object]

    def _write(self, text: str) -> None:
        self.write(encoded(text))


@contextmanager
def collecting(
    args: argparse.Namespace, form: Form, names: Sequence[str], tables: Mapping[str, str] | None = None
) -> Iterator[Results]:
    """Take the results of a run; they are in the output once the block ends without an error.

    `tables` has the path of each recording's own file, if each gets one.
    """
    if not args.output:
        straight = Results(form, names)
        yield straight
        straight.finish()
    elif is_stream(args.output):
        with writing(args.output, force=True) as file:
            stream = _Straight(form, names)
            stream.write = file.write
            yield stream
            stream.finish()
    else:
        keep = {"force": args.force, "resume": args.resume}
        if tables is not None:
            Path(os.path.realpath(args.output)).parent.mkdir(parents=True, exist_ok=True)
        with unfinished(args.output, about(args), names, **keep) as run:
            yield Results(form, [name for name in names if not run.has(name)], run)
            if tables is None:
                _write_whole(args, form, run, names)
            else:
                _write_tables(args, form, tables, run, names)


def _write_whole(args: argparse.Namespace, form: Form, run: Unfinished, names: Sequence[str]) -> None:
    if not len(run) and os.path.lexists(args.output):
        complain(f"{args.output}: left as it was, since nothing succeeded")
        return
    with writing(args.output, force=args.force or args.resume) as file:
        before = form.begin
        for _, piece in run.pieces(names):
            file.write(encoded(before) + piece)
            before = form.between
        file.write(encoded(form.end if len(run) else form.empty))


def _write_tables(
    args: argparse.Namespace, form: Form, tables: Mapping[str, str], run: Unfinished, names: Sequence[str]
) -> None:
    for name, piece in run.pieces(names):
        path = Path(tables[name])
        content = encoded(form.begin) + piece + encoded(form.end)
        if args.resume and path.is_file() and path.read_bytes() == content:
            continue  # it was written before the run broke off
        path.parent.mkdir(parents=True, exist_ok=True)
        with writing(path, force=args.force or args.resume) as file:
            file.write(content)


def table_paths(args: argparse.Namespace, names: Sequence[str], suffix: str) -> dict[str, str]:
    """Return the path in the folder --output of each recording's own file, after checking all of them.

    It is named like the recording, in the same folders below those that were given, with another suffix, or
    with both where that would be another recording's.

    Raises:
        OutputError: one can't be written, or two recordings would have the same.
    """
    check_folder(args.output)
    folders = [path for path in args.paths if os.path.isdir(path)]  # noqa: PTH112
    places = {name: _place_below(name, folders) for name in names}
    n_alike = Counter(map(_stem, places.values()))
    read = set(map(_identity, names)) - {None}
    taken: dict[str, str] = {}
    found: dict[str, str] = {}
    for name, place in places.items():
        alone = n_alike[_stem(place)] == 1
        path = str(Path(args.output, (os.path.splitext(place)[0] if alone else place) + suffix))  # noqa: PTH122
        if (other := taken.setdefault(path.casefold(), name)) != name:
            raise OutputError(
                f"{path}: expected one recording of that name, got {other} and {name}; run each by itself"
            )
        if os.path.lexists(path):
            inputs = names if _identity(path) in read else ()
            check_writable(path, force=args.force or args.resume, inputs=inputs)
        found[name] = path
    return found


def _identity(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)  # noqa: PTH116
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _stem(place: str) -> str:
    return os.path.splitext(place)[0].casefold()  # noqa: PTH122


def _place_below(name: str, folders: Sequence[str]) -> str:
    """Return where a file lies in the folder that was given, or else its own name."""
    for folder in folders:
        if Path(name).is_relative_to(folder):
            return str(Path(name).relative_to(folder))
    return "stdin" if name == "-" else Path(name).name
