"""The command `fastaudio plot`: a picture of a recording."""

from __future__ import annotations

import argparse
import re
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastaudio._system.text import printable
from fastaudio._system.writing import is_stream
from fastaudio.cli.arguments import (
    Commands,
    add_channel,
    add_command,
    add_hop,
    add_model,
    add_output,
    add_tags,
    add_verbose,
    positive,
)
from fastaudio.cli.events import add_events_options, with_events
from fastaudio.cli.files import FileRun, model_files, threads_of
from fastaudio.drawing import figures
from fastaudio.pipeline import Pipeline
from fastaudio.plot.reading import Heard, read
from fastaudio.plot.whole import LEAST_PX, MOST_PX, SIZE_PX, picture
from fastaudio.tags import OUT_OF_RANGE, Tags

if TYPE_CHECKING:
    from fastaudio.decoding.audio_file import FileLike

_HELP = """\
draw a recording: waveform, spectrogram, tags

Draw a file's waveform, its mel-spectrogram and what a model hears in it, over one axis of time, into a PNG,
SVG or PDF file. Needs the extra [plot].

examples:
  fastaudio plot song.mp3                        into song.png, in this folder
  fastaudio plot song.mp3 -o picture.svg --top 5
  fastaudio plot song.mp3 --hop 0.25 --dark      tags that follow the sound closely, on a dark page
  fastaudio plot talk.wav --model silero-vad --onset 0.5    when somebody speaks
  fastaudio plot night.wav --events --size 2400x1000 --force

A recording of any length is read once, and of each stretch the highest values are drawn, so nothing brief is
lost. The tags drawn are those whose highest score is highest; the events, those heard longest.

exit status: 0 done, 1 the file can't be read or the picture can't be written, 2 wrong usage, 130 interrupted
"""


def add(commands: Commands) -> None:
    """Add the command."""
    plot = add_command(commands, "plot", _run, _HELP)
    plot.add_argument("path", metavar="FILE|-", help="a sound file, or - for stdin")
    add_model(plot)
    add_tags(plot, top=10)
    plot.set_defaults(form=None)
    add_output(plot, "the picture, which ends in .png, .svg or .pdf (FILE's name .png)")
    plot.add_argument("--dark", action="store_true", help="draw on a dark page")
    width, height = SIZE_PX
    plot.add_argument(
        "--size", type=_size, default=SIZE_PX, metavar="WxH", help=f"size in pixels ({width}x{height})"
    )
    add_hop(plot)
    add_channel(plot)
    plot.add_argument("--threads", type=positive, metavar="N", help="cores to use (all)")
    plot.add_argument("--quiet", action="store_true", help="show no progress bar")
    add_verbose(plot)
    add_events_options(plot)


def _size(text: str) -> tuple[int, int]:
    """Return width and height in pixels."""
    match = re.fullmatch(r"(\d{1,6})[xX](\d{1,6})", text)
    sides = (int(match[1]), int(match[2])) if match else (0, 0)
    if not all(LEAST_PX <= side <= MOST_PX for side in sides):
        wanted = f"a size such as 1200x800, with sides from {LEAST_PX} to {MOST_PX}"
        raise argparse.ArgumentTypeError(f"expected {wanted}, got {text}")
    return sides


def _output(args: argparse.Namespace) -> str:
    if args.output is not None:
        return str(args.output)
    if args.path == "-":
        raise ValueError("plot: expected -o FILE with sound from stdin, got none")
    return f"{Path(args.path).stem}.png"


def _run(args: argparse.Namespace) -> int:
    output = _output(args)
    if Path(args.path).is_dir():
        raise ValueError(f"plot: expected a sound file, got the folder {args.path}; name one of its files")
    figures.check(output, force=args.force, inputs=[args.path, *model_files(args.model)])
    how = {"threads": threads_of(args, 1), "channel": args.channel, "untrained": args.untrained}
    pipeline = Pipeline.load(args.model, **how)
    if args.hop is not None:
        pipeline = pipeline.with_hop(args.hop)
    pipeline = with_events(pipeline, args)

    def heard_in(source: FileLike, *, progress: Any) -> Heard:
        return read(source, pipeline, progress)

    args.jobs = 1
    with ExitStack() as stack:
        files = FileRun(heard_in, [args.path], args, stack)
        for name, heard in files:
            _tell(files, name, heard)
            drawn = picture(heard, pipeline.name, top=args.top, dark=args.dark, size_px=args.size)
            figures.save(drawn, output, force=args.force)
            if not is_stream(output):
                with files.bar.aside():
                    sys.stdout.write(f"{printable(output)}\n")
    return files.status()


def _tell(files: FileRun, name: str, heard: Heard) -> None:
    """Say on stderr what is wrong with a file or its scores, as `fastaudio tag` does."""
    files.sound_s += heard.duration_s
    if heard.truncated:
        files.say_truncated(name, heard.duration_s)
    parts: list[Any] = list(heard.result.values()) if isinstance(heard.result, dict) else [heard.result]
    if not all(part.finite for part in parts):
        files.fail(name, "expected scores that are numbers, got NaN or infinity from the network")
    if any(isinstance(part, Tags) and not part.in_range for part in parts):
        files.say(name, OUT_OF_RANGE)
