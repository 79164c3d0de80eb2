"""Telling when a rule is met, from windows and events as they come."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fastaudio.events import Event

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from fastaudio.alerts.rules import Rule
    from fastaudio.tags import Window


@dataclass(frozen=True)
class Alert:
    """A rule that was met.

    Attributes:
        rule: the rule.
        model: the model that gave the label.
        label: what was heard.
        score: its highest score so far.
        start_s: since when it was heard, in seconds of the stream.
        duration_s: for how long, until the alert.
        time: the time of day of its start, with its zone.
    """

    rule: Rule
    model: str
    label: str
    score: float
    start_s: float
    duration_s: float
    time: datetime

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return {
            "rule": self.rule.name,
            "label": self.label,
            "score": round(self.score, 6),
            "time": self.time.isoformat(timespec="milliseconds"),
            "start_s": round(self.start_s, 6),
            "duration_s": round(self.duration_s, 6),
            "model": self.model,
        }


@dataclass
class _Stretch:
    """A stretch of sound for which a label stays above a rule's threshold."""

    start_s: float
    end_s: float
    score: float
    raised: bool = False
    going: bool = False  # an event of which the end isn't known


class Watch:
    """Watches what models say, and raises alerts.

    A label's scores of consecutive windows make a stretch, and so does an event: as soon as one is as long as
    a rule asks for, its alert is raised, once. Then the rule rests for its cool-down. In quiet hours none is
    raised, and a stretch that goes on after them raises its own then. Provisional windows don't count, and
    neither does sound of a kind that the model doesn't hear, unless the rule says so.
    """

    def __init__(self, rules: Sequence[Rule], time_of: Callable[[float], datetime]) -> None:
        """Take the rules, and what tells the time of day of a second of the stream."""
        self._rules = rules
        self._time_of = time_of
        self._stretches: dict[tuple[str, str, str], _Stretch] = {}  # of a rule, a model and a label
        self._rests_until_s: dict[str, float] = {}

    def take(self, item: Window | Event, model: str, *, fits: bool = True) -> Iterator[Alert]:
        """Take what a model gave, and whether its sound is of the kind that it hears; yield alerts."""
        for rule in self._rules:
            if rule.model not in {None, model}:
                continue
            for label in rule.labels:
                key = (rule.name, model, label)
                if isinstance(item, Event) and item.label == label:
                    self._take_event(rule, key, item, fits=fits or rule.marked)
                elif isinstance(item, Event):
                    continue
                elif not item.provisional and label in item.labels:
                    self._take_window(rule, key, item, fits=fits or rule.marked)
                else:
                    continue
                yield from self._raised(rule, key)
                stretch = self._stretches.get(key)
                if isinstance(item, Event) and item.end_s is not None and stretch is not None:
                    del self._stretches[key]

    def tick(self, known_s: Callable[[str], float]) -> Iterator[Alert]:
        """Yield the alerts of events that go on; `known_s` tells until when that is known of a model's."""
        for key, stretch in list(self._stretches.items()):
            if stretch.going:
                stretch.end_s = max(stretch.end_s, known_s(key[1]))
                rule = next(rule for rule in self._rules if rule.name == key[0])
                yield from self._raised(rule, key)

    def _take_event(self, rule: Rule, key: tuple[str, str, str], event: Event, *, fits: bool) -> None:
        if not fits or event.peak < rule.threshold:
            if event.end_s is not None:
                self._stretches.pop(key, None)
            return
        stretch = self._stretches.get(key)
        if stretch is None or stretch.start_s != event.start_s:
            stretch = self._stretches[key] = _Stretch(event.start_s, event.start_s, event.peak)
        stretch.going = event.end_s is None
        stretch.end_s = max(stretch.end_s, event.start_s) if event.end_s is None else event.end_s
        stretch.score = max(stretch.score, event.peak)

    def _take_window(self, rule: Rule, key: tuple[str, str, str], window: Window, *, fits: bool) -> None:
        score = float(window.scores[list(window.labels).index(key[2])])
        if window.silent or not fits or not score >= rule.threshold:
            self._stretches.pop(key, None)
            return
        stretch = self._stretches.get(key)
        if stretch is None or window.gap_s > 0:
            self._stretches[key] = _Stretch(window.start_s, window.end_s, score)
        else:
            stretch.end_s, stretch.score = window.end_s, max(stretch.score, score)

    def _raised(self, rule: Rule, key: tuple[str, str, str]) -> Iterator[Alert]:
        stretch = self._stretches.get(key)
        if stretch is None or stretch.raised or stretch.end_s - stretch.start_s < rule.min_duration_s:
            return
        if stretch.end_s < self._rests_until_s.get(rule.name, -math.inf):
            return
        if rule.is_quiet(self._time_of(stretch.end_s)):
            return
        stretch.raised = True
        self._rests_until_s[rule.name] = stretch.end_s + rule.cool_down_s
        duration_s = stretch.end_s - stretch.start_s
        moment = self._time_of(stretch.start_s)
        _, model, label = key
        yield Alert(rule, model, label, stretch.score, stretch.start_s, duration_s, moment)
