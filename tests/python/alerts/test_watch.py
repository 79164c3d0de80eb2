"""Alerts come once per stretch of sound, after its least length, and not while a rule rests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest
from fastaudio.alerts.rules import Quiet, Rule
from fastaudio.alerts.watch import Watch
from fastaudio.cli.alerting import known_until_s
from fastaudio.events import Event
from fastaudio.tags import Window

if TYPE_CHECKING:
    from collections.abc import Callable

START = datetime(2026, 11, 28, 21, 59, tzinfo=UTC)


def time_of(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def rule(**more: Any) -> Rule:
    own: dict[str, Any] = {"name": "r", "labels": ("dog",), "topic": "t", "cool_down_s": 0.0}
    return Rule(**own | more)


def window(start_s: float, score: float, **more: Any) -> Window:
    return Window(start_s, start_s + 1.0, np.array([0.1, score], np.float32), ["cat", "dog"], **more)


def until(seconds: float) -> Callable[[str], float]:
    """Return what says of each model that its events are known until then."""
    return lambda _: seconds


def raised(watch: Watch, items: list[Any], **how: Any) -> list[tuple[float, float]]:
    """Start and length of each alert, in order."""
    return [(alert.start_s, alert.duration_s) for item in items for alert in watch.take(item, "model", **how)]


def test_a_stretch_of_windows_raises_one_alert_once_it_is_long_enough() -> None:
    watch = Watch([rule(min_duration_s=3.0)], time_of)
    scores = [0.1, 0.6, 0.7, 0.9, 0.8, 0.2, 0.9, 0.9, 0.2]
    assert raised(watch, [window(i, score) for i, score in enumerate(scores)]) == [(1.0, 3.0)]


def test_an_alert_says_what_was_heard_since_when_and_how_surely() -> None:
    (alert,) = Watch([rule()], time_of).take(window(60.0, 0.75), "model")
    assert alert.to_dict() == {
        "rule": "r",
        "label": "dog",
        "score": 0.75,
        "time": "2026-11-28T22:00:00.000+00:00",
        "start_s": 60.0,
        "duration_s": 1.0,
        "model": "model",
    }


@pytest.mark.parametrize(
    "between",
    [window(1, 0.9, gap_s=2.0), window(1, 0.9, silent=True), window(1, float("nan"))],
    ids=["a gap", "silence", "no number"],
)
def test_what_lies_between_ends_a_stretch(between: Window) -> None:
    watch = Watch([rule(min_duration_s=3.0)], time_of)
    assert raised(watch, [window(0, 0.9), between, window(2, 0.9)]) == []


def test_provisional_windows_and_sound_of_other_kinds_do_not_count() -> None:
    assert raised(Watch([rule()], time_of), [window(0, 0.9, provisional=True)]) == []
    assert raised(Watch([rule()], time_of), [window(0, 0.9)], fits=False) == []
    assert raised(Watch([rule(marked=True)], time_of), [window(0, 0.9)], fits=False) == [(0.0, 1.0)]


def test_a_rule_rests_after_an_alert() -> None:
    watch = Watch([rule(cool_down_s=5.0)], time_of)
    items = [window(i, 0.9 if i % 2 else 0.1) for i in range(12)]
    assert [start for start, _ in raised(watch, items)] == [1.0, 7.0]


def test_a_stretch_that_goes_on_after_the_rest_is_raised_then() -> None:
    watch = Watch([rule(cool_down_s=3.0)], time_of)
    scores = [0.9, 0.1, 0.9, 0.9, 0.9, 0.9]
    assert raised(watch, [window(i, score) for i, score in enumerate(scores)]) == [(0.0, 1.0), (2.0, 2.0)]


def test_no_alert_in_quiet_hours_but_after_them() -> None:
    hours = Quiet(time_of(0).time(), time_of(60).time())
    watch = Watch([rule(quiet_hours=(hours,))], time_of)
    assert raised(watch, [window(i, 0.9) for i in range(57, 62)]) == [(57.0, 3.0)]


def test_an_event_is_raised_when_it_begins_or_once_it_is_long_enough() -> None:
    begun, ended = Event("dog", 5.0, None, 0.7, 0.7), Event("dog", 5.0, 9.0, 0.8, 0.7)
    assert raised(Watch([rule()], time_of), [begun, ended]) == [(5.0, 0.0)]
    watch = Watch([rule(min_duration_s=2.0)], time_of)
    assert raised(watch, [begun]) == []
    assert [alert.duration_s for at in (6.0, 6.9, 7.1, 8.0) for alert in watch.tick(until(at))] == [
        pytest.approx(2.1)
    ]
    assert raised(watch, [ended]) == []
    assert list(watch.tick(until(20.0))) == []


def test_an_event_whose_beginning_was_not_told_is_raised_at_its_end() -> None:
    watch = Watch([rule(min_duration_s=2.0, threshold=0.8)], time_of)
    events = [
        Event("dog", 0.0, 1.0, 0.9, 0.9),
        Event("dog", 2.0, 5.0, 0.9, 0.9),
        Event("dog", 6.0, 9.0, 0.7, 0.7),
    ]
    assert raised(watch, events) == [(2.0, 3.0)]
    assert watch._stretches == {}


def test_another_labels_event_ends_nothing_of_this_one() -> None:
    watch = Watch([rule(min_duration_s=5.0)], time_of)
    events = [
        Event("dog", 0.0, None, 0.9, 0.9),
        Event("cat", 1.0, None, 0.9, 0.9),
        Event("cat", 1.0, 2.0, 0.9, 0.9),
    ]
    assert raised(watch, events) == []
    assert [alert.label for alert in watch.tick(until(6.0))] == ["dog"]
    assert raised(watch, [Event("dog", 0.0, 60.0, 0.9, 0.9)]) == []


def test_models_and_labels_are_told_apart() -> None:
    watch = Watch([rule(labels=("dog", "cat"), threshold=0.05, model="a")], time_of)
    assert [alert.label for alert in watch.take(window(0, 0.9), "a")] == ["dog", "cat"]
    assert list(watch.take(window(1, 0.9), "b")) == []
    both = Watch([rule(min_duration_s=2.0)], time_of)
    assert list(both.take(window(0, 0.9), "a")) == list(both.take(window(1, 0.9), "b")) == []


def test_what_goes_on_is_known_up_to_the_window_whose_result_is_on_its_way() -> None:
    """Windows of 3 s: one of them above the threshold is no event of 5 s, whatever was heard since."""
    pipeline = fa.Pipeline.load("musicnn-mtt") >> fa.Events(onset=[0.3], min_off_s=[0.5])
    assert known_until_s(pipeline, 5.9) <= 0
    hop_s = 1 / next(iter(pipeline.output_specs.values())).rate_hz
    watch = Watch([rule(min_duration_s=5.0)], time_of)
    assert raised(watch, [Event("dog", 0.0, None, 0.9, 0.9)]) == []
    for heard_s in np.arange(3.0, 2 * hop_s, 0.1):  # the second window's result may say that it has ended
        assert list(watch.tick(until(known_until_s(pipeline, heard_s)))) == []
    assert [alert.label for alert in watch.tick(until(known_until_s(pipeline, 11.6)))] == ["dog"]
