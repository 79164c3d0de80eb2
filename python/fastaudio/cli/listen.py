"""The command `fastaudio listen`: tags of a microphone while it hears."""

from __future__ import annotations

import logging
import shutil
import signal
import sys
import threading
from contextlib import ExitStack, closing, contextmanager
from typing import TYPE_CHECKING

from fastaudio.cli.arguments import OK, Commands, add_command, add_model, add_tags, add_verbose, seconds
from fastaudio.cli.events import add_events_options, with_events
from fastaudio.cli.input import add_input_options, overflow_of, source_of, wants_microphone
from fastaudio.cli.quiet import quiet_libraries
from fastaudio.cli.record import Recorded, Recorder
from fastaudio.cli.screen import JsonLines, Lines, Screen, summary
from fastaudio.pipeline import Pipeline

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

    from fastaudio.live import LiveStream
    from fastaudio.live.sources import Source

_TICK_S = 0.1
_WIDTH = 40  # a narrower terminal, or one of unknown width, gets lines
_BUFFER_S = 30.0  # long, since recording reads from this buffer

log = logging.getLogger("fastaudio")

_HELP = """\
tag a microphone, live

Tag sound while it is heard: windows go to stdout, problems to stderr.

examples:
  fastaudio listen                               the default microphone; Ctrl-C ends
  fastaudio listen "USB Audio" --hop 0.5         part of a name or a number from: fastaudio devices
  fastaudio listen --jsonl > tags.jsonl          one JSON line per window
  fastaudio listen --events --onset 0.3          events, each with its beginning and end
  fastaudio listen --record heard.flac --seconds 60
  fastaudio listen --realtime song.mp3           a file as if a microphone heard it
  ffmpeg -i URL -f s16le -ac 1 -ar 16000 - | fastaudio listen - --rate 16000

exit status: 0 the sound ended, 1 the device or file can't be opened or was lost, 2 wrong usage,
130 interrupted
"""


def add(commands: Commands) -> None:
    """Add the command."""
    listen = add_command(commands, "listen", _run, _HELP)
    add_model(listen)
    add_tags(listen)
    listen.add_argument(
        "--hop", type=seconds, metavar="S", help="step between windows in seconds (the model's)"
    )
    listen.add_argument(
        "--provisional", type=seconds, metavar="S", help="also show a first, early result after S seconds"
    )
    listen.add_argument(
        "--jsonl",
        dest="form",
        action="store_const",
        const="jsonl",
        help="write one JSON line per window or event",
    )
    listen.add_argument("--record", metavar="FILE", help="record the sound to a .wav or .flac file")
    listen.add_argument("--stats", action="store_true", help="show counts and times on stderr at the end")
    add_verbose(listen)
    add_input_options(listen)
    add_events_options(listen)


def _run(args: argparse.Namespace) -> int:
    pipeline = Pipeline.load(args.model, untrained=args.untrained)
    pipeline = with_events(pipeline, args, onsets=True)
    with ExitStack() as stack:
        if wants_microphone(args) and not args.verbose:
            stack.enter_context(quiet_libraries())
        source = source_of(args)
        stack.callback(source.stop)
        rate = source.sample_rate
        log.info("%s: %d Hz, %d channels", source.name, rate, source.channels)
        limit = None if args.seconds is None else round(args.seconds * rate)
        stack.enter_context(_terminable())
        recorder = None
        if args.record:
            recorder = stack.enter_context(closing(Recorder(args.record, rate, source.channels, limit)))
        tapped = wants_microphone(args)
        if recorder is not None and not tapped:
            source = Recorded(source, recorder)
        stream = stack.enter_context(
            pipeline.listen(
                source,
                overflow=overflow_of(args),
                hop_s=args.hop,
                provisional_s=args.provisional,
                buffer_s=_BUFFER_S,
            )
        )
        tap = stream.tap()
        tap.position = 0  # include the sound before it
        view = stack.enter_context(closing(_view(args, source, pipeline)))

        def record() -> None:
            if recorder is not None and tapped:
                recorder.write_from(tap, view.say)

        try:
            _follow(stream, view, limit, record)
        finally:
            record()
            if args.stats:
                view.close()
                sys.stderr.write(summary(stream.stats(), rate))
    return OK


def _view(args: argparse.Namespace, source: Source, pipeline: Pipeline) -> Lines:
    wide = sys.stdout.isatty() and shutil.get_terminal_size((0, 0)).columns >= _WIDTH
    bars = wide and args.form is None and len(pipeline.output_specs) == 1
    view = Screen if bars else JsonLines if args.form else Lines
    return view(pipeline, args.top, source.name)


def _follow(stream: LiveStream, view: Lines, limit: int | None, record: Callable[[], None]) -> None:
    """Show results until the sound ends, or until `limit` samples were captured."""
    while True:
        item = stream.get(timeout_s=_TICK_S)
        if item is not None:
            view.show(item)
        elif stream.ended:
            return
        record()
        view.tick(stream)
        if limit is not None and stream.stats().captured >= limit:
            stream.finish()
            limit = None


@contextmanager
def _terminable() -> Iterator[None]:
    """Treat SIGTERM like Ctrl-C, so that a recording gets its header and the device is closed."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
