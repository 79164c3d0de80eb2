"""Alerts of a live run: the options, and what is done when a rule is met."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

from fastaudio._core import Events
from fastaudio._system.reading import read_small
from fastaudio._system.text import printable
from fastaudio.alerts.commands import Commands
from fastaudio.alerts.rules import Rule, RuleError, check_labels, rules_of
from fastaudio.alerts.watch import Alert, Watch
from fastaudio.cli.events import onsets_of
from fastaudio.cli.terminal import complain

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    from fastaudio.cli.ears import Ear
    from fastaudio.cli.kinds import Kind
    from fastaudio.live import LiveStream
    from fastaudio.mqtt.publisher import Publisher
    from fastaudio.pipeline import Pipeline

_MOST_BYTES = 1 << 20
_ROUNDING = 1e-6  # the core holds scores as float32


def add_rules_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that name a file of rules."""
    group = parser.add_argument_group("alerts")
    group.add_argument(
        "--rules", metavar="FILE", help="raise alerts by the rules of a TOML file: see examples/rules.toml"
    )
    group.add_argument(
        "--check-rules",
        action="store_true",
        help="say what the rules do, and whether they can, and end",
    )


def read_rules(args: argparse.Namespace) -> list[Rule]:
    """Return the rules of the file that the options name, if they do.

    Raises:
        RuleError: it can't be used, or a rule publishes and no broker is named.
        ValueError: --check-rules without a file.
        OSError: it can't be read.
    """
    if args.rules is None:
        if args.check_rules:
            raise ValueError("listen: expected --rules with --check-rules, got none; name the file")
        return []
    held = read_small(args.rules, _MOST_BYTES)
    if held is None:
        raise RuleError(f"{args.rules}: expected rules of at most 1 MiB, got more")
    try:
        text = held.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RuleError(f"{args.rules}: expected UTF-8, got other bytes; save it as UTF-8") from error
    rules = rules_of(text, args.rules)
    published = next((rule.name for rule in rules if rule.topic is not None), None)
    if published is not None and args.mqtt is None and not args.check_rules:
        raise RuleError(
            f"{args.rules}: expected --mqtt for the topic of rule {published!r:.80}, got none; "
            "name the broker"
        )
    return rules


def require_labels(rules: Sequence[Rule], ears: Sequence[Ear]) -> None:
    """Refuse rules that wait for what no model gives, and say which are met late.

    An event's highest score is known only when it has ended: a rule that asks for more than the score at
    which events begin is met then.
    """
    check_labels(rules, {ear.name or "": ear.labels for ear in ears})
    for ear in ears:
        onsets = onsets_of(ear.pipeline)
        for rule in rules:
            for label in rule.labels:
                onset = onsets.get(label, 1.0)
                if rule.model in {None, ear.name or ""} and rule.threshold > onset + _ROUNDING:
                    complain(
                        f"rule {rule.name!r:.80}: its threshold of {rule.threshold:g} is above {onset:.6g}, "
                        f"at which events of {label!r:.80} begin: its alert comes when such an event ends"
                    )


def checked(rules: Sequence[Rule], *, broker: bool) -> tuple[str, bool]:
    """Return what rules do, as lines, and whether all of their programs are there.

    Those that publish say so where no `broker` is named.
    """
    lines, good = [], True
    for rule in rules:
        missing = rule.command is not None and shutil.which(rule.command[0]) is None
        good &= not missing
        note = f"  (no program {printable((rule.command or ('',))[0])} is found)" if missing else ""
        note += "  (a run needs --mqtt for that)" if rule.topic is not None and not broker else ""
        lines.append(f"{rule}{note}\n")
    return "".join(lines), good


def known_until_s(pipeline: Pipeline, heard_s: float) -> float:
    """Return until when an event that hasn't ended goes on for sure, of a stream that has heard so much.

    Its end may lie in the window that isn't whole, in the one whose result is on its way, or in a pause that
    may still be bridged.
    """
    spec = next(iter(pipeline.output_specs.values()))
    last = pipeline.node.parts()[-1]
    bridged_s = max(last.min_off_s, default=0.0) if isinstance(last, Events) else 0.0
    return heard_s - spec.span_s - 1 / spec.rate_hz - bridged_s


class Alerts:
    """Raises alerts by rules: runs their programs, and publishes to their topics."""

    def __init__(
        self, rules: Sequence[Rule], publisher: Publisher | None, say: Callable[[str], None]
    ) -> None:
        """Take the rules, what publishes, and what takes a line for each alert."""
        self._rules = rules
        self._publisher = publisher
        self._say = say
        self._commands = Commands(complain)
        self._ears: dict[str, Ear] = {}  # by name, those that have said something

    @property
    def failed(self) -> bool:
        """Whether a program wasn't run, or ended with an error."""
        return bool(self._commands.n_failed or self._commands.n_dropped)

    def begin(self, stream: LiveStream) -> None:
        """Take the stream before its first result."""
        self._watch = Watch(self._rules, stream.time_of)

    def show(self, ear: Ear, item: Any, kind: Kind | None = None) -> None:
        """Raise the alerts that a window or an event asks for."""
        fits = kind is None or kind.fits
        self._ears[ear.name or ""] = ear
        for alert in self._watch.take(item, ear.name or "", fits=fits):
            self._raise(alert)

    def tick(self, stream: LiveStream, peak: float) -> None:
        """Raise the alerts of events that have gone on for long enough."""
        del peak
        stats = stream.stats()  # places in the sound count what was lost, too
        heard_s = (stats.delivered + stats.dropped) / stream.sample_rate
        for alert in self._watch.tick(lambda model: known_until_s(self._ears[model].pipeline, heard_s)):
            self._raise(alert)

    def end(self) -> None:
        """Take note that no more comes."""

    def close(self) -> None:
        """Let programs end, for some seconds."""
        self._commands.close()

    def _raise(self, alert: Alert) -> None:
        label = printable(alert.label)
        name = printable(alert.rule.name)
        self._say(f"alert: {name}: {label} {alert.score:.2f} since {alert.time:%H:%M:%S}")
        if alert.rule.command is not None:
            self._commands.run(alert)
        if alert.rule.topic is not None and self._publisher is not None:
            self._publisher.message(alert.rule.topic, json.dumps(alert.to_dict()))
