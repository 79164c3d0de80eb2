"""The command line: fastaudio tag, models, info."""

from __future__ import annotations

import argparse
import io
import json
import logging
import os
import sys
import tempfile
import time
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TextIO

from fastaudio._core import FastaudioError, __version__
from fastaudio.audio import DecodeError, suffixes
from fastaudio.cards import DEFAULT_MODEL, models, read_card
from fastaudio.pipeline import Pipeline
from fastaudio.versions import format_versions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from fastaudio.tags import Tags

OK, SOME_FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130
_BAR_WIDTH = 24
_STDIN_IN_MEMORY = 64_000_000

log = logging.getLogger("fastaudio")

_TAG_EXAMPLES = """\
examples:
  fastaudio tag song.mp3                         the five best tags
  fastaudio tag album/ --top 3 --jobs 2          every audio file in a folder and below
  fastaudio tag song.mp3 --windows               tags over time, a window every 3 s
  fastaudio tag *.wav --jsonl --output tags.jsonl
  cat song.ogg | fastaudio tag -                 an audio file from stdin
  fastaudio tag song.mp3 --model vgg-msd         another model, see: fastaudio models

exit status: 0 all files done, 1 some failed (each named on stderr), 2 wrong usage, 130 interrupted
"""


def _parser() -> argparse.ArgumentParser:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        prog="fastaudio",
        description="Tag sound: from files to labels with their scores.",
        epilog="examples:\n  fastaudio tag song.mp3\n  fastaudio models musicnn-mtt\n  fastaudio info",
        formatter_class=raw,
    )
    parser.add_argument("--version", action="version", version=f"fastaudio {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    tag = commands.add_parser(
        "tag",
        help="tag audio files",
        description="Tag audio files: labels and scores on stdout, progress and problems on stderr.",
        epilog=_TAG_EXAMPLES,
        formatter_class=raw,
    )
    tag.add_argument("paths", nargs="+", metavar="FILE|DIR|-", help="files, folders, or - for stdin")
    tag.add_argument("--model", default=DEFAULT_MODEL, help="name, or path of a card (%(default)s)")
    tag.add_argument("--top", type=_positive, default=5, metavar="K", help="tags to show (%(default)s)")
    tag.add_argument("--windows", action="store_true", help="tags of each window, not of the whole")
    form = tag.add_mutually_exclusive_group()
    form.add_argument("--json", dest="form", action="store_const", const="json", help="one JSON list")
    form.add_argument(
        "--jsonl",
        dest="form",
        action="store_const",
        const="jsonl",
        help="a JSON line a file or window",
    )
    form.add_argument("--csv", dest="form", action="store_const", const="csv", help="a CSV row a tag")
    tag.add_argument("--output", metavar="FILE", help="write results there instead of stdout")
    tag.add_argument("--jobs", type=_positive, metavar="N", help="files at once (one a core)")
    tag.add_argument("--threads", type=_positive, metavar="N", help="cores a file (all for one file, else 1)")
    tag.add_argument("--channel", type=int, metavar="C", help="take channel C, not the mean of all")
    tag.add_argument("--quiet", action="store_true", help="no progress bar")
    tag.add_argument("-v", "--verbose", action="store_true", help="say more on stderr")
    tag.set_defaults(run=_tag)

    listing = commands.add_parser("models", help="list the models, or show one")
    listing.add_argument("name", nargs="?", help="name, or path of a card")
    listing.set_defaults(run=_models)

    info = commands.add_parser("info", help="show versions, instruction set and ONNX Runtime")
    info.set_defaults(run=_info)
    return parser


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"expected at least 1, got {text}")
    return value


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    args = _parser().parse_args(argv)
    if isinstance(sys.stdout, io.TextIOWrapper):  # a file's name may not fit the terminal's encoding
        sys.stdout.reconfigure(errors="backslashreplace")
    level = logging.INFO if getattr(args, "verbose", False) else logging.WARNING
    logging.basicConfig(level=level, format="%(message)s", stream=sys.stderr)
    try:
        status: int = args.run(args)
        sys.stdout.flush()
    except KeyboardInterrupt:
        sys.stderr.write("fastaudio: interrupted\n")
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our output went away: nothing more to say
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except (FastaudioError, ValueError, OSError) as error:
        sys.stderr.write(f"fastaudio: {error}\n")
        return USAGE
    return status


def _info(_: argparse.Namespace) -> int:
    sys.stdout.write(format_versions())
    return OK


def _models(args: argparse.Namespace) -> int:
    if args.name is None:
        rows = [(name, read_card(name).data) for name in models()]
        width = max(map(len, models()), default=0)
        for name, data in rows:
            default = "  (default)" if name == DEFAULT_MODEL else ""
            sys.stdout.write(f"{name:<{width}}  {data.get('description', '')}{default}\n")
        return OK
    data = dict(read_card(args.name).data)
    pipeline = Pipeline.load(args.name)
    for key in ("name", "version", "task", "description", "trained_on", "metrics", "parameters"):
        if key in data:
            sys.stdout.write(f"{key:<12} {_short(data[key])}\n")
    for key in ("licence", "citation", "source"):
        if key in data:
            sys.stdout.write(f"{key:<12} {_short(data[key])}\n")
    sys.stdout.write("outputs\n")
    for name, output in data.get("outputs", {}).items():
        shape = " x ".join(str(n) for n in output.get("shape", []))
        sys.stdout.write(f"  {name:<14} {shape:<14} {output.get('purpose', '')}\n")
    labels = [label for spec in pipeline.output_specs.values() for label in spec.labels]
    sys.stdout.write(f"labels       {', '.join(labels)}\n\n{pipeline}\n")
    return OK


def _short(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _find(paths: Sequence[str]) -> list[str]:
    """Return the files to tag: folders are searched for audio, hidden files left out."""
    found: list[str] = []
    known = suffixes()
    for text in paths:
        path = Path(text)
        if text == "-" or not path.is_dir():
            found.append(text)
            continue
        below = ((p, p.relative_to(path).parts) for p in path.rglob("*"))
        files = sorted(p for p, parts in below if p.is_file() and not any(x[0] == "." for x in parts))
        audio = [str(p) for p in files if p.suffix.lower().lstrip(".") in known]
        log.info("%s: %d audio files of %d", text, len(audio), len(files))
        found += audio
    if not found:
        raise ValueError(f"tag: expected audio files, got none in {', '.join(paths)}")
    return found


@contextmanager
def _stdin() -> Iterator[BinaryIO]:
    """All of stdin as a file that can seek, as decoders need; large input goes to disk."""
    with tempfile.SpooledTemporaryFile(max_size=_STDIN_IN_MEMORY) as file:
        while chunk := sys.stdin.buffer.read(1 << 20):
            file.write(chunk)
        file.seek(0)
        yield file  # type: ignore[misc]


def _tag(args: argparse.Namespace) -> int:
    names = _find(args.paths)
    threads = args.threads or (os.cpu_count() or 1 if len(names) == 1 else 1)
    pipeline = Pipeline.load(args.model, threads=threads, channel=args.channel)
    if not all(spec.labels for spec in pipeline.output_specs.values()):
        raise ValueError(f"{args.model}: expected a model that gives tags, got features")
    failed = 0
    sound_s, started = 0.0, time.perf_counter()
    with ExitStack() as stack:
        sources = [stack.enter_context(_stdin()) if name == "-" else name for name in names]
        out: TextIO = sys.stdout
        if args.output:
            out = stack.enter_context(
                Path(args.output).open("w", encoding="utf-8", errors="backslashreplace", newline="")
            )
        write = _WRITERS[args.form](args, out)
        bar = stack.enter_context(_progress(len(sources), quiet=args.quiet))
        for name, result in zip(names, _results(pipeline, sources, args.jobs, bar), strict=True):
            if isinstance(result, Exception):
                failed += 1
                reason = result.reason if isinstance(result, DecodeError) else str(result)
                bar.say(f"fastaudio: {name}: {reason}")
                continue
            for tags in result.values() if isinstance(result, dict) else [result]:
                if tags.truncated:
                    bar.say(f"fastaudio: {name}: the file is cut short, got {tags.duration_s:.1f} s")
                with bar.aside():
                    write(replace(tags, path=name))
                sound_s += tags.duration_s
        write(None)
    took_s = time.perf_counter() - started
    log.info("%d files, %.1f s of sound in %.2f s", len(names), sound_s, took_s)
    if failed:
        sys.stderr.write(f"fastaudio: {failed} of {len(names)} files failed\n")
    return SOME_FAILED if failed else OK


def _results(pipeline: Pipeline, sources: Sequence[Any], jobs: int | None, bar: _Bar) -> Iterator[Any]:
    if len(sources) == 1:  # progress within the file
        try:
            yield pipeline(sources[0], progress=bar.within)
        except FastaudioError as error:
            yield error
        bar.step()
        return
    for result in pipeline.map(sources, jobs=jobs):
        yield result
        bar.step()


class _Bar:
    """A progress bar on stderr, or nothing where nobody is looking."""

    def __init__(self, bar: Any, total: int) -> None:
        self._bar = bar
        self._single = total == 1

    def step(self) -> None:
        if self._bar is not None and not self._single:
            self._bar.update(1)

    def within(self, done_s: float, total_s: float | None) -> None:
        if self._bar is not None:
            self._bar.total = None if total_s is None else round(total_s, 1)
            self._bar.update(round(done_s, 1) - self._bar.n)

    def aside(self) -> AbstractContextManager[object]:
        """Clear the bar while results are written, so that the two don't mix on a terminal."""
        mode: AbstractContextManager[object] | None
        mode = None if self._bar is None else self._bar.external_write_mode(file=sys.stdout)
        return mode or nullcontext()

    def say(self, text: str) -> None:
        if self._bar is None:
            sys.stderr.write(text + "\n")
        else:
            self._bar.write(text, file=sys.stderr)


@contextmanager
def _progress(total: int, *, quiet: bool) -> Iterator[_Bar]:
    if quiet or not sys.stderr.isatty():
        yield _Bar(None, total)
        return
    from tqdm import tqdm  # noqa: PLC0415  # only where there is a terminal

    unit = "s" if total == 1 else "file"
    with tqdm(total=total, unit=unit, file=sys.stderr, leave=False, dynamic_ncols=True) as bar:
        yield _Bar(bar, total)


def _write_text(args: argparse.Namespace, out: TextIO) -> Callable[[Tags | None], None]:
    def line(label: str, score: float) -> str:
        bar = "#" * round(score * _BAR_WIDTH)
        return f"  {label:<18} {score:4.2f}  {bar}".rstrip() + "\n"

    def write(tags: Tags | None) -> None:
        if tags is None:
            return
        out.write(f"{tags.path}  ({tags.duration_s:.1f} s)\n")
        if not len(tags):
            out.write("  no sound\n")
        elif args.windows:
            for window in tags:
                best = ", ".join(f"{label} {score:.2f}" for label, score in window.top(args.top))
                out.write(f"  {window.start_s:7.2f} - {window.end_s:7.2f} s  {best}\n")
        else:
            out.writelines(line(label, score) for label, score in tags.top(args.top))
        out.flush()

    return write


def _write_json(args: argparse.Namespace, out: TextIO) -> Callable[[Tags | None], None]:
    all_tags: list[dict[str, Any]] = []

    def write(tags: Tags | None) -> None:
        if tags is not None:
            all_tags.append(tags.to_dict(top=args.top, windows=args.windows))
        else:
            json.dump(all_tags, out, indent=2, ensure_ascii=False)
            out.write("\n")

    return write


def _write_jsonl(args: argparse.Namespace, out: TextIO) -> Callable[[Tags | None], None]:
    def write(tags: Tags | None) -> None:
        if tags is not None:
            text = tags.to_jsonl(top=args.top) if args.windows else tags.to_json(top=args.top) + "\n"
            out.write(text)
            out.flush()

    return write


def _write_csv(args: argparse.Namespace, out: TextIO) -> Callable[[Tags | None], None]:
    header = True

    def write(tags: Tags | None) -> None:
        nonlocal header
        if tags is not None:
            out.write(tags.to_csv(top=args.top, windows=args.windows, header=header))
            out.flush()
            header = False

    return write


_WRITERS: dict[str | None, Callable[[argparse.Namespace, TextIO], Callable[[Tags | None], None]]] = {
    None: _write_text,
    "json": _write_json,
    "jsonl": _write_jsonl,
    "csv": _write_csv,
}
