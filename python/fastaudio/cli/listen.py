"""fastaudio listen: tags of a microphone as it hears."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
import threading
from contextlib import ExitStack, closing, contextmanager
from typing import TYPE_CHECKING, Any

from fastaudio.cards import DEFAULT_MODEL
from fastaudio.cli.arguments import OK, RAW, Commands, positive, seconds
from fastaudio.cli.record import Recorder
from fastaudio.cli.screen import JsonLines, Lines, Screen, summary
from fastaudio.live.microphone import Microphone
from fastaudio.live.sources import ENCODINGS, FileSource, PcmSource, Source
from fastaudio.pipeline import Pipeline

if TYPE_CHECKING:
    from collections.abc import Iterator

_TICK_S = 0.1
_BLOCK_S = 0.01

log = logging.getLogger("fastaudio")

_EXAMPLES = """\
examples:
  fastaudio listen                               the default microphone, bars that move; Ctrl-C ends
  fastaudio listen "USB Audio" --hop 0.5         part of a name or a number from: fastaudio devices
  fastaudio listen --jsonl > tags.jsonl          a JSON line a window
  fastaudio listen --record heard.flac --seconds 60
  fastaudio listen --realtime song.mp3           a file as if a microphone heard it
  ffmpeg -i URL -f s16le -ac 1 -ar 16000 - | fastaudio listen - --rate 16000

exit status: 0 the sound ended, 1 the device or file can't be read, or was lost, 2 wrong usage, 130 interrupted
"""


def add(commands: Commands) -> None:
    """Add the command."""
    listen = commands.add_parser(
        "listen",
        help="tag a microphone, live",
        description="Tag sound while it is heard: windows on stdout, problems on stderr.",
        epilog=_EXAMPLES,
        formatter_class=RAW,
    )
    listen.add_argument(
        "device",
        nargs="?",
        metavar="DEVICE|-",
        help="number or name; - for raw PCM on stdin (the default one)",
    )
    listen.add_argument(
        "--realtime", metavar="FILE", help="an audio file instead, at the pace of a microphone"
    )
    listen.add_argument("--model", default=DEFAULT_MODEL, help="name, or path of a card (%(default)s)")
    listen.add_argument("--top", type=positive, default=5, metavar="K", help="tags to show (%(default)s)")
    listen.add_argument("--jsonl", action="store_true", help="a JSON line a window")
    listen.add_argument("--record", metavar="FILE", help="write what is heard to a .wav or .flac")
    listen.add_argument("--seconds", type=seconds, metavar="N", help="end after N seconds of sound")
    listen.add_argument("--hop", type=seconds, metavar="S", help="a window every S seconds (the model's)")
    listen.add_argument(
        "--provisional", type=seconds, metavar="S", help="a first, early result after S seconds"
    )
    listen.add_argument("--rate", type=positive, metavar="HZ", help="sample rate (the device's default)")
    listen.add_argument("--channels", type=positive, metavar="N", help="channels to take (1)")
    listen.add_argument("--encoding", choices=list(ENCODINGS), help="of raw PCM (s16le)")
    listen.add_argument(
        "--overflow",
        choices=["drop_oldest", "block", "raise"],
        help="when sound comes too fast: lose the oldest, let the source wait, or fail (block for -, else drop_oldest)",
    )
    listen.add_argument(
        "--block", type=seconds, default=_BLOCK_S, metavar="S", help="seconds a block (%(default)s)"
    )
    listen.add_argument("--stats", action="store_true", help="figures on stderr at the end")
    listen.add_argument("-v", "--verbose", action="store_true", help="say more on stderr")
    listen.set_defaults(run=_run)


def _source(args: argparse.Namespace) -> Source:
    if args.realtime is not None:
        for name in ("device", "rate", "channels", "encoding"):
            if getattr(args, name) is not None:
                what = name if name == "device" else f"--{name}"
                raise ValueError(f"listen: expected a device or --realtime FILE, got both {what} and a file")
        return FileSource(args.realtime, block_s=args.block, duration_s=args.seconds)
    if args.device == "-":
        if args.rate is None:
            raise ValueError("listen -: expected --rate, got none; raw PCM doesn't say: state it in Hz")
        return PcmSource(
            sys.stdin.buffer,
            sample_rate=args.rate,
            channels=args.channels or 1,
            encoding=args.encoding or "s16le",
            duration_s=args.seconds,
        )
    if args.encoding is not None:
        raise ValueError(
            "listen: expected --encoding with raw PCM only, got it with a device; read stdin with -"
        )
    device = args.device
    return Microphone(
        int(device) if device is not None and device.isdecimal() else device,
        sample_rate=args.rate,
        channels=args.channels or 1,
        block_s=args.block,
    )


def _run(args: argparse.Namespace) -> int:
    pipeline = Pipeline.load(args.model)
    if not all(spec.labels for spec in pipeline.output_specs.values()):
        raise ValueError(f"{args.model}: expected a model that gives tags, got features")
    source = _source(args)
    rate = source.sample_rate
    log.info("%s: %d Hz, %d channels", source.name, rate, source.channels)
    limit = None if args.seconds is None else round(args.seconds * rate)
    live_terminal = sys.stdout.isatty() and not args.jsonl
    view_type = JsonLines if args.jsonl else Screen if live_terminal else Lines
    with ExitStack() as stack:
        stack.callback(source.stop)
        stack.enter_context(_terminable())
        view = stack.enter_context(closing(view_type(args, source.name, pipeline.name)))
        recorder = None
        if args.record:
            recorder = Recorder(args.record, rate, source.channels, limit=limit, say=view.say)
            stack.enter_context(closing(recorder))
        stream = stack.enter_context(
            pipeline.listen(
                source,
                overflow=args.overflow or ("block" if args.device == "-" else "drop_oldest"),
                hop_s=args.hop,
                provisional_s=args.provisional,
            )
        )
        tap = stream.tap() if recorder else None
        try:
            _follow(stream, view, limit, lambda: recorder and recorder.write(tap))
        finally:
            if recorder is not None:
                recorder.write(tap)
            if args.stats:
                view.close()
                sys.stderr.write(summary(stream.stats(), rate))
    return OK


def _follow(stream: Any, view: Lines, limit: int | None, record: Any) -> None:
    """Show what comes until the sound ends, or there was enough of it."""
    while True:
        try:
            item = stream.get(timeout_s=_TICK_S)
        except StopIteration:
            return
        if item is not None:
            view.show(item)
        record()
        stats = stream.stats()
        view.tick(stats)
        if limit is not None and stats.captured >= limit:
            stream.finish()
            limit = None


@contextmanager
def _terminable() -> Iterator[None]:
    """Take SIGTERM for Ctrl-C, so that a recording gets its header and the device is closed."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
