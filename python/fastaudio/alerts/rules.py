"""Rules of a TOML file: which label raises an alert, at which score, when, and what is done then."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from datetime import time
from typing import TYPE_CHECKING, Any

from fastaudio._core import FastaudioError, did_you_mean
from fastaudio._system.text import listed, printable
from fastaudio.mqtt.topics import checked_topic

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

_MOST_RULES = 1000
_LONGEST_S = 86_400.0
_LEAST_S = 0.1  # of a program
_LONGEST_TEXT = 10_000
_HOUR = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d")


class RuleError(FastaudioError, ValueError):
    """A file of rules, or one of them, can't be used."""


@dataclass(frozen=True)
class Quiet:
    """Hours of the day without alerts, from one time to another; past midnight if the end comes first."""

    start: time
    end: time

    def holds(self, moment: datetime) -> bool:
        """Tell whether a moment lies in it, by the clock of its own zone."""
        at = moment.time()
        if self.start <= self.end:
            return self.start <= at < self.end
        return at >= self.start or at < self.end

    def __str__(self) -> str:
        return f"{self.start:%H:%M}-{self.end:%H:%M}"


@dataclass(frozen=True)
class Rule:
    """When an alert is raised, and what is done then.

    Attributes:
        name: its name, which no other rule has.
        labels: labels of which each raises an alert by itself.
        model: the model that gives them; None for any.
        threshold: score from which on it counts, in [0, 1].
        min_duration_s: seconds for which it has to stay there.
        cool_down_s: seconds after an alert without another one of this rule.
        quiet_hours: hours of the day without alerts.
        marked: whether sound of a kind that the model doesn't hear raises alerts too.
        command: a program and its arguments, run without a shell; None for none.
        timeout_s: seconds after which the program is ended.
        topic: an MQTT topic to publish to; None for none.
    """

    name: str
    labels: tuple[str, ...]
    model: str | None = None
    threshold: float = 0.5
    min_duration_s: float = 0.0
    cool_down_s: float = 60.0
    quiet_hours: tuple[Quiet, ...] = ()
    marked: bool = False
    command: tuple[str, ...] | None = None
    timeout_s: float = 30.0
    topic: str | None = None

    def is_quiet(self, moment: datetime) -> bool:
        """Tell whether no alert is due at that time of day."""
        return any(hours.holds(moment) for hours in self.quiet_hours)

    def __str__(self) -> str:
        own = " or ".join(map(printable, self.labels))
        parts = [f"{printable(self.name)}: {own} from {self.threshold:g}"]
        if self.min_duration_s:
            parts.append(f"for {self.min_duration_s:g} s")
        parts.append(f"at most every {self.cool_down_s:g} s")
        if self.quiet_hours:
            parts.append("but not " + " or ".join(map(str, self.quiet_hours)))
        does = [] if self.command is None else [f"runs {printable(self.command[0])}"]
        does += [] if self.topic is None else [f"publishes to {printable(self.topic)}"]
        return f"{', '.join(parts)}: {' and '.join(does)}"


_KEYS = ("label", *(each.name for each in fields(Rule) if each.name != "labels"))


def rules_of(text: str, path: str) -> list[Rule]:
    """Return the rules of a TOML file: tables `[[rule]]`; `path` is for messages.

    Raises:
        RuleError: it is no TOML, has no rules or too many, or one that can't be used.
    """
    import tomllib  # noqa: PLC0415  # few need it

    try:
        data = tomllib.loads(text)
    except (
        ValueError,
        RecursionError,
    ) as error:  # also of numbers of thousands of digits
        raise RuleError(f"{path}: expected TOML, got: {error}; see examples/rules.toml") from error
    tables = data.pop("rule", None)
    if data:
        raise RuleError(f"{path}: expected tables [[rule]] only, got {listed(list(data))}")
    if not isinstance(tables, list) or not 1 <= len(tables) <= _MOST_RULES:
        got = f"{len(tables)}" if isinstance(tables, list) else "none"
        raise RuleError(f"{path}: expected 1 to {_MOST_RULES} tables [[rule]], got {got}")
    rules: list[Rule] = []
    for number, table in enumerate(tables, 1):
        rule = _Table(table, f"{path}: rule {number}").rule(number)
        if rule.name in {other.name for other in rules}:
            raise RuleError(f"{path}: rule {number}: expected a name of its own, got {rule.name!r:.80} again")
        rules.append(rule)
    return rules


def check_labels(rules: Iterable[Rule], labels: Mapping[str, Iterable[str]]) -> None:
    """Find out whether models give what rules wait for; `labels` has those of each model.

    Raises:
        RuleError: a rule names a model that isn't run, or a label that it doesn't give.
    """
    for rule in rules:
        if rule.model is not None and rule.model not in labels:
            guess = did_you_mean(rule.model, list(labels))
            raise RuleError(
                f"rule {rule.name!r:.80}: expected model among {listed(list(labels))}, "
                f"got {rule.model!r:.80}{guess}"
            )
        known = [label for model, own in labels.items() if rule.model in {None, model} for label in own]
        for label in rule.labels:
            if label not in known:
                guess = did_you_mean(label, known) or f"; the models give {listed(known)}"
                raise RuleError(
                    f"rule {rule.name!r:.80}: expected a label that a model gives, got {label!r:.80}{guess}"
                )


class _Table:
    """One table of the file, whose values are checked."""

    def __init__(self, table: Any, subject: str) -> None:
        if not isinstance(table, dict):
            raise RuleError(f"{subject}: expected a table, got {table!r:.80}")
        self._table: dict[str, Any] = table
        self._subject = subject
        for key in table:
            if key not in _KEYS:
                known = did_you_mean(key, _KEYS) or f"; known are {', '.join(_KEYS)}"
                raise RuleError(f"{subject}: expected a known key, got {key!r:.80}{known}")

    def rule(self, number: int) -> Rule:
        command = self._texts("command", many=True)
        topic = self._text("topic")
        if command is None and topic is None:
            raise RuleError(f"{self._subject}: expected command or topic, got neither; add one")
        if topic is not None:
            try:
                checked_topic(topic, subject=f"{self._subject}: topic")
            except ValueError as error:
                raise RuleError(str(error)) from error
        labels = self._texts("label")
        if labels is None:
            raise RuleError(f"{self._subject}: expected label, got none; name the label to listen for")
        return Rule(
            name=self._text("name") or f"rule {number}",
            labels=labels,
            model=self._text("model"),
            threshold=self._number("threshold", 0.5, 1.0),
            min_duration_s=self._number("min_duration_s", 0.0, _LONGEST_S),
            cool_down_s=self._number("cool_down_s", 60.0, _LONGEST_S * 366),
            quiet_hours=tuple(map(self._quiet, self._texts("quiet_hours") or ())),
            marked=self._flag("marked"),
            command=command,
            timeout_s=self._number("timeout_s", 30.0, _LONGEST_S, least=_LEAST_S),
            topic=topic,
        )

    def _wrong(self, key: str, wanted: str) -> RuleError:
        return RuleError(f"{self._subject}: expected {key} as {wanted}, got {self._table[key]!r:.80}")

    def _text(self, key: str) -> str | None:
        value = self._table.get(key)
        if value is not None and not (isinstance(value, str) and 0 < len(value) <= _LONGEST_TEXT):
            raise self._wrong(key, "text")
        return value

    def _texts(self, key: str, *, many: bool = False) -> tuple[str, ...] | None:
        value = self._table.get(key)
        if value is None:
            return None
        values = [value] if isinstance(value, str) and not many else value
        if (
            not isinstance(values, list)
            or not 1 <= len(values) <= _MOST_RULES
            or not all(isinstance(each, str) and len(each) <= _LONGEST_TEXT for each in values)
            or not values[0]
            or any("\0" in each for each in values)
        ):
            wanted = 'a list such as ["program", "argument"]' if many else "text, or a list of texts"
            raise self._wrong(key, wanted)
        return tuple(values)

    def _number(self, key: str, default: float, most: float, least: float = 0.0) -> float:
        value = self._table.get(key, default)
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not least <= value <= most:  # which no nan is, and nothing infinite
            raise self._wrong(key, f"a number from {least:g} to {most:.0f}")
        return float(value)

    def _flag(self, key: str) -> bool:
        value = self._table.get(key, False)
        if not isinstance(value, bool):
            raise self._wrong(key, "true or false")
        return value

    def _quiet(self, text: str) -> Quiet:
        first, dash, last = text.partition("-")
        if not (dash and _HOUR.fullmatch(first) and _HOUR.fullmatch(last)) or first == last:
            raise self._wrong("quiet_hours", 'hours such as "22:00-07:00"')
        return Quiet(time.fromisoformat(first), time.fromisoformat(last))
