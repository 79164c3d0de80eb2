"""The command `fastaudio plot`: a picture of a recording."""

from __future__ import annotations

import argparse
import os
import re
import sys
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fastaudio._system.text import printable
from fastaudio._system.writing import is_stream
from fastaudio.cli.arguments import (
    Commands,
    add_channel,
    add_command,
    add_hop,
    add_jobs,
    add_output,
    add_tags,
    add_verbose,
)
from fastaudio.cli.events import add_events_options, with_events
from fastaudio.cli.files import FileRun, add_files, add_threads, find_files, model_files, threads_of
from fastaudio.cli.forms import names_folder
from fastaudio.cli.kinds import add_kind, judge_for
from fastaudio.cli.results import table_paths
from fastaudio.cli.write import reaching
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
  fastaudio plot night/ -o pictures --min-score 0.3    a picture of each recording, in the folder pictures

A recording of any length is read once, and of each stretch the highest values are drawn, so nothing brief is
lost. The tags drawn are those whose highest score is highest; the events, those heard longest. A model for
music gives music tags for any sound: stretches that aren't music are hatched, unless --no-kind is given.

exit status: 0 done, 1 the file can't be read or the picture can't be written, 2 wrong usage, 130 interrupted
"""


def add(commands: Commands) -> None:
    """Add the command."""
    plot = add_command(commands, "plot", _run, _HELP)
    add_files(plot)
    add_tags(plot, top=10)
    add_kind(plot)
    plot.set_defaults(form=None, resume=False, isolate=False)
    add_output(
        plot,
        "the picture, which ends in .png, .svg or .pdf (FILE's name .png); for several recordings, the "
        "folder that gets a .png file for each",
    )
    plot.add_argument("--dark", action="store_true", help="draw on a dark page")
    width, height = SIZE_PX
    plot.add_argument(
        "--size", type=_size, default=SIZE_PX, metavar="WxH", help=f"size in pixels ({width}x{height})"
    )
    add_hop(plot)
    add_jobs(plot)
    add_threads(plot)
    add_channel(plot)
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


def _outputs(args: argparse.Namespace, names: list[str]) -> dict[str, str]:
    """Return the picture of each recording, after finding out whether it could be written."""
    if len(names) > 1 or any(map(os.path.isdir, args.paths)) or (args.output and names_folder(args.output)):
        if not args.output or is_stream(args.output):
            got = f"-o {args.output}" if args.output else "none"
            raise ValueError(f"plot: expected -o FOLDER for {len(names)} recordings, got {got}; name one")
        figures.figure(1, 1)  # whether there is matplotlib is known before the work
        return table_paths(args, names, ".png")
    (name,) = names
    if args.output is None and name == "-":
        raise ValueError("plot: expected -o FILE with sound from stdin, got none; name one")
    output = args.output or f"{Path(name).stem}.png"
    figures.check(output, force=args.force, inputs=[name, *model_files(args.model)])
    return {name: output}


def _run(args: argparse.Namespace) -> int:
    names = find_files(args.paths, "plot")
    outputs = _outputs(args, names)
    how = {"threads": threads_of(args, len(names)), "channel": args.channel, "untrained": args.untrained}
    pipeline = Pipeline.load(args.model, **how)
    if args.hop is not None:
        pipeline = pipeline.with_hop(args.hop)
    pipeline = with_events(pipeline, args)
    judge = judge_for(pipeline, args)

    def heard_in(source: FileLike, *, progress: Any) -> Heard:
        return read(source, pipeline, progress, judge)

    with ExitStack() as stack:
        files = FileRun(heard_in, names, args, stack)
        for name, heard in files:
            _tell(files, name, heard)
            shown = _reaching(heard, args.min_score)
            drawn = picture(shown, pipeline.name, top=args.top, dark=args.dark, size_px=args.size)
            stream = is_stream(outputs[name])
            if not stream:
                Path(outputs[name]).parent.mkdir(parents=True, exist_ok=True)
            figures.save(drawn, outputs[name], force=args.force)
            if not stream:
                with files.bar.aside():
                    sys.stdout.write(f"{printable(outputs[name])}\n")
    return files.status()


def _reaching(heard: Heard, least: float | None) -> Heard:
    """Leave out labels none of whose scores reach `least`, and events whose peaks don't."""
    if least is None:
        return heard
    result = heard.result
    if isinstance(result, dict):
        return replace(heard, result={name: _part_reaching(part, least) for name, part in result.items()})
    return replace(heard, result=_part_reaching(result, least))


def _part_reaching(part: Any, least: float) -> Any:
    if not isinstance(part, Tags):
        return reaching(part, least)[0]
    highest = np.where(part.silent[:, None], -np.inf, part.scores).max(axis=0, initial=-np.inf)
    kept: list[int] = np.flatnonzero(~(highest < least)).tolist()
    return replace(part, labels=[part.labels[k] for k in kept], scores=part.scores[:, kept])


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
