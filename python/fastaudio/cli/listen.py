"""The command `fastaudio listen`: tags of a microphone while it hears."""

from __future__ import annotations

import io
import logging
import signal
import sys
import threading
from contextlib import ExitStack, closing, contextmanager
from typing import TYPE_CHECKING, TextIO

from fastaudio._system.growing import growing
from fastaudio._system.text import printable
from fastaudio._system.writing import check_writable
from fastaudio.cards import DEFAULT_MODEL
from fastaudio.cli.alerting import Alerts, add_rules_options, checked, read_rules, require_labels
from fastaudio.cli.arguments import (
    FAILED,
    OK,
    Commands,
    add_command,
    add_hop,
    add_output,
    add_tags,
    add_verbose,
    seconds,
)
from fastaudio.cli.audience import Audience, Hearer
from fastaudio.cli.clips import add_clips_options
from fastaudio.cli.ears import Ears, ears_of
from fastaudio.cli.events import add_events_options
from fastaudio.cli.forms import TABLES, add_forms, choose_form
from fastaudio.cli.input import add_input_options, overflow_of, source_of, wants_microphone
from fastaudio.cli.keeping import Keeping
from fastaudio.cli.kinds import add_kind
from fastaudio.cli.live_forms import LINES
from fastaudio.cli.quiet import quiet_libraries
from fastaudio.cli.record import add_record_options
from fastaudio.cli.reporting import Reporter, add_mqtt_options, broker_for
from fastaudio.cli.screen import Screen, summary
from fastaudio.cli.start import started_of
from fastaudio.cli.terminal import tell, terminal_size
from fastaudio.live.urls import is_url

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from fastaudio.cli.ears import Ear
    from fastaudio.cli.live_lines import Lines
    from fastaudio.live import LiveStream
    from fastaudio.live.sources import Source

_TICK_S = 0.1
_WIDTH = 40  # a narrower terminal, or one of unknown width, gets lines
_BUFFER_S = 30.0  # long, since recording reads from this buffer
_BUFFER_BYTES = 1 << 28  # shorter for more channels than anybody records

log = logging.getLogger("fastaudio")

_HELP = """\
tag a microphone, live

Tag sound while it is heard: windows go to stdout, problems to stderr.

examples:
  fastaudio listen                               the default microphone; Ctrl-C ends
  fastaudio listen "USB Audio" --hop 0.5         part of a name or a number from: fastaudio devices
  fastaudio listen --model musicnn-mtt --model silero-vad    two models over one microphone
  fastaudio listen --jsonl --output tags.jsonl   one JSON line per window
  fastaudio listen --events --onset 0.3          events, each with its beginning and end
  fastaudio listen --events --clips heard --before 3 --after 5    the sound of each event
  fastaudio listen --events --mqtt mqtt://USER@HOST    for Home Assistant
  fastaudio listen --events --rules rules.toml         alerts; --check-rules says what they do
  fastaudio listen --retry --record heard.flac --record-every 1h
  fastaudio listen --realtime 20261128_131500.wav    a file as if a microphone heard it
  fastaudio listen rtsp://CAMERA/1 --retry       a network camera, or a radio by http
  ffmpeg -i FILE -f s16le -ac 1 -ar 16000 - | fastaudio listen - --rate 16000

exit status: 0 the sound ended, or Ctrl-C or SIGTERM ended it, 1 the device or file can't be opened or was
lost, or the sound couldn't be recorded, 2 wrong usage, 130 interrupted twice
"""


def add(commands: Commands) -> None:
    """Add the command."""
    listen = add_command(commands, "listen", _run, _HELP)
    listen.add_argument(
        "--model",
        action="append",
        help=f"name, or path of a card or a packed model ({DEFAULT_MODEL}); again for another beside it",
    )
    add_tags(listen)
    add_kind(listen)
    add_hop(listen)
    listen.add_argument(
        "--provisional", type=seconds, metavar="S", help="also show a first, early result after S seconds"
    )
    add_forms(listen)
    add_output(
        listen, "write the results to a file as they come, in the form that its name or an option says"
    )
    listen.add_argument(
        "--stats",
        action="store_true",
        help="show counts and times on stderr at the end, with --no-kind those of each part of the model",
    )
    add_verbose(listen)
    add_input_options(listen)
    add_record_options(listen)
    add_clips_options(listen)
    add_mqtt_options(listen)
    add_rules_options(listen)
    add_events_options(listen)
    listen.add_argument(
        "--begins",
        action="store_true",
        help="write an event when it begins too, not only when it has ended; implies --events",
    )


def _run(args: argparse.Namespace) -> int:
    choose_form(args)
    inputs = [args.realtime] if args.realtime is not None else ["-"] if args.device == "-" else []
    if args.record_every is not None and not args.record:
        raise ValueError("listen: expected --record with --record-every, got none; name a file")
    if args.clips_mb is not None and not args.clips:
        raise ValueError("listen: expected --clips with --clips-mb, got none; name a folder")
    if args.begins and args.form in TABLES:
        raise ValueError(f"listen: expected no --begins with --{args.form}, got it; its rows have an end")
    recorded = [args.record] if args.record else []
    output = "-" if args.output is None else args.output
    check_writable(output, force=args.force, inputs=[*inputs, *recorded])
    args.events = args.events or args.begins or args.clips is not None
    with _terminable() as ending:
        return _listen(args, inputs, ending)


def _listen(args: argparse.Namespace, inputs: list[str], ending: threading.Event) -> int:
    wide = _wide(args)
    rules, broker = read_rules(args), broker_for(args)
    told = bool(rules or broker)  # who also wants to know when an event begins
    with _loading(show=wide):
        ears = ears_of(args, onsets=args.begins or wide or told)
    require_labels(rules, ears)
    if args.check_rules:
        text, good = checked(rules, broker=args.mqtt is not None)
        sys.stdout.write(text)
        return OK if good else FAILED
    if args.form == "csv" and len({ear.events for ear in ears}) > 1:
        raise ValueError(
            "listen: expected models that all give events, or all tags, for --csv, got both; add --events"
        )
    with ExitStack() as stack:
        tapped = wants_microphone(args)
        if tapped and not args.verbose:
            stack.enter_context(quiet_libraries())
        source = source_of(args)
        stack.callback(source.stop)
        rate = source.sample_rate
        log.info("%s: %d Hz, %d channels", source.name, rate, source.channels)
        buffer_s = max(min(_BUFFER_S, _BUFFER_BYTES / (4 * source.channels * rate)), 0.01)
        heard = Ears(ears, rate)
        # What can't wait is read from the stream, which knows what was lost.
        tapped |= is_url(args.device) and not getattr(source, "can_wait", True)
        keeping = Keeping(args, source, stack, inputs=inputs, tapped=tapped, buffer_s=buffer_s)
        stream = stack.enter_context(
            heard.pipeline.listen(
                keeping.around(source),
                overflow=overflow_of(args),
                provisional_s=args.provisional,
                buffer_s=buffer_s,
                retry_s=args.retry,
                started=started_of(args.start, args.realtime),
            )
        )
        # Only now, so that old results stay if it can't listen.
        out = stack.enter_context(_output(args.output, force=args.force))
        view = _view(args, source, ears, out, wide=wide)
        view.least = args.min_score
        hearers: list[Hearer] = [view]
        reporter = None
        if broker is not None:
            hearers.append(reporter := Reporter(args, broker, ears, source.name))
        alerts = Alerts(rules, reporter.publisher if reporter else None, view.say)
        hearers += [alerts] if rules else []
        audience = stack.enter_context(closing(Audience(heard, hearers)))
        keeping.begin(stream, view.say)
        audience.begin(stream)
        limit = None if args.seconds is None else round(min(args.seconds, 1e9) * rate)
        try:
            _follow(stream, audience, limit, keeping, ending)
            audience.end()
        finally:
            keeping.end()
            if args.stats:
                view.close()
                sys.stderr.write(summary(stream.stats(), rate))
    return FAILED if keeping.failed or alerts.failed else OK


def _wide(args: argparse.Namespace) -> bool:
    """Tell whether there is a terminal for moving bars."""
    plain = args.form is not None or args.output or not sys.stdout.isatty()
    return not plain and terminal_size()[0] >= _WIDTH


def _view(
    args: argparse.Namespace, source: Source, ears: Sequence[Ear], out: TextIO | None, *, wide: bool
) -> Lines:
    if wide:
        return Screen(ears, args.top, source)
    if sys.stderr.isatty():
        tell(printable(f"listening to {source.name}; Ctrl-C ends") + "\n")
    return LINES[args.form](ears, args.top, source, out, begins=args.begins)


@contextmanager
def _loading(*, show: bool) -> Iterator[None]:
    """Say on the terminal that models are loaded, until they are."""
    if show:
        sys.stdout.write("loading...\r")
        sys.stdout.flush()
    try:
        yield
    finally:
        if show:
            sys.stdout.write("\x1b[K")
            sys.stdout.flush()


@contextmanager
def _output(path: str | None, *, force: bool) -> Iterator[TextIO | None]:
    """Open a file that grows while it is written, since listening may go on for weeks; None is stdout."""
    if path is None or path == "-":
        yield None
        return
    with growing(path, force=force) as file:
        out = io.TextIOWrapper(file, encoding="utf-8", newline="", errors="backslashreplace")
        try:
            yield out
        finally:
            out.detach()


def _follow(
    stream: LiveStream,
    audience: Audience,
    limit: int | None,
    keeping: Keeping,
    ending: threading.Event,
) -> None:
    """Show results until the sound ends, until `limit` samples were captured, or until `ending` is set."""
    open_ = True
    while True:
        item = stream.get(timeout_s=_TICK_S)
        if item is not None:
            audience.take(item)
        elif stream.ended:
            return
        keeping.keep(item)
        audience.tick(stream)
        enough = limit is not None and stream.stats().captured >= limit
        if open_ and (enough or ending.is_set()):
            stream.finish()
            open_ = False


@contextmanager
def _terminable() -> Iterator[threading.Event]:
    """Give an event that Ctrl-C or SIGTERM sets, so that the sound so far still gives its results.

    The second of them interrupts at once.
    """
    ending = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield ending
        return

    def end(number: int, frame: object) -> None:
        del frame
        if ending.is_set():
            raise KeyboardInterrupt
        ending.set()
        log.info("ending, because of %s; once more ends at once", signal.Signals(number).name)

    before = [(number, signal.signal(number, end)) for number in (signal.SIGINT, signal.SIGTERM)]
    try:
        yield ending
    finally:
        for number, handler in before:
            signal.signal(number, handler)
