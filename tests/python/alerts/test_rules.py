"""Rules of a TOML file: what they say is kept, and what can't be meant is refused with its place."""

from __future__ import annotations

from datetime import datetime, time
from typing import Any

import pytest
from fastaudio.alerts.rules import Quiet, RuleError, check_labels, rules_of

GOOD = """
[[rule]]
name = "barking"
label = ["dog", "howl"]
model = "yamnet"
threshold = 0.6
min_duration_s = 2
cool_down_s = 300
quiet_hours = ["22:00-07:00", "13:00-15:00"]
command = ["notify-send", "{label}"]
topic = "home/alerts"
marked = true
timeout_s = 5

[[rule]]
label = "siren"
topic = "home/siren"
"""


def test_a_rule_says_what_when_and_what_then() -> None:
    full, short = rules_of(GOOD, "rules.toml")
    assert (full.name, full.labels, full.model) == ("barking", ("dog", "howl"), "yamnet")
    assert (full.threshold, full.min_duration_s, full.cool_down_s, full.timeout_s) == (0.6, 2, 300, 5)
    assert full.quiet_hours == (Quiet(time(22), time(7)), Quiet(time(13), time(15)))
    assert (full.command, full.topic, full.marked) == (("notify-send", "{label}"), "home/alerts", True)
    assert (short.name, short.threshold, short.min_duration_s, short.cool_down_s) == ("rule 2", 0.5, 0, 60)
    assert str(full) == (
        "barking: dog or howl from 0.6, for 2 s, at most every 300 s, but not 22:00-07:00 or 13:00-15:00: "
        "runs notify-send and publishes to home/alerts"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected 1 to 1000 tables [[rule]], got none"),
        ("rule = 1", "expected 1 to 1000 tables [[rule]], got none"),
        ("[[rule", "expected TOML, got: "),
        ("rule = [1]", "rule 1: expected a table, got 1"),
        ("[other]", "expected tables [[rule]] only, got other"),
        ('[[rule]]\nlabel = "a"', "rule 1: expected command or topic, got neither; add one"),
        ('[[rule]]\ntopic = "a"', "rule 1: expected label, got none"),
        ('[[rule]]\nlabel = ""\ntopic = "a"', "rule 1: expected label as text, or a list of texts, got ''"),
        ('[[rule]]\nlabel = "a"\ntopic = "a/#"', "rule 1: topic: expected a topic such as home/alerts"),
        ('[[rule]]\nlabel = "a"\ncommand = "rm"', "expected command as a list such as"),
        ('[[rule]]\nlabel = "a"\ncommand = []', "expected command as a list such as"),
        ('[[rule]]\nlabel = "a"\ncommand = ["a\\u0000"]', "expected command as a list such as"),
        ('[[rule]]\nlabel = "a"\ntopic = "a"\nthresold = 1', "got 'thresold'; did you mean 'threshold'?"),
        ('[[rule]]\nlabel = "a"\ntopic = "a"\nthreshold = 2', "expected threshold as a number from 0 to 1"),
        ('[[rule]]\nlabel = "a"\ntopic = "a"\nthreshold = nan', "expected threshold as a number from 0 to 1"),
        (
            f'[[rule]]\nlabel = "a"\ntopic = "a"\nthreshold = {"9" * 400}',
            "expected threshold as a number from 0",
        ),
        (f'[[rule]]\nlabel = "a"\ntopic = "a"\nthreshold = {"9" * 9000}', "expected TOML, got: Exceeds"),
        ('[[rule]]\nlabel = "a"\ntopic = "a"\nthreshold = true', "expected threshold as a number"),
        (
            '[[rule]]\nlabel = "a"\ntopic = "a"\nquiet_hours = "22-7"',
            "expected quiet_hours as hours such as",
        ),
        ('[[rule]]\nlabel = "a"\ntopic = "a"\nquiet_hours = "24:00-07:00"', "expected quiet_hours as hours"),
        ('[[rule]]\nlabel = "a"\ntopic = "a"\nmarked = 1', "expected marked as true or false, got 1"),
        ('[[rule]]\nname="x"\nlabel = "a"\ntopic = "a"\n' * 2, "expected a name of its own, got 'x' again"),
    ],
)
def test_what_cannot_be_meant_is_refused(text: str, message: str) -> None:
    with pytest.raises(RuleError) as error:
        rules_of(text, "rules.toml")
    assert str(error.value).startswith("rules.toml: ")
    assert message in str(error.value)


def test_labels_and_models_have_to_be_there() -> None:
    full, short = rules_of(GOOD, "rules.toml")
    check_labels([full, short], {"yamnet": ["dog", "howl"], "other": ["siren"]})
    with pytest.raises(RuleError, match="rule 'barking': expected model among yamnt, got 'yamnet'; did you"):
        check_labels([full], {"yamnt": ["dog", "howl"]})
    with pytest.raises(RuleError, match="rule 'rule 2': expected a label that a model gives, got 'siren';"):
        check_labels([short], {"yamnet": ["Siren"]})
    with pytest.raises(RuleError, match="'howl'; the models give dog"):
        check_labels([full], {"yamnet": ["dog"], "other": ["howl"]})


@pytest.mark.parametrize(
    ("hours", "at", "want"),
    [
        ("22:00-07:00", "23:30", True),
        ("22:00-07:00", "06:59", True),
        ("22:00-07:00", "07:00", False),
        ("13:00-15:00", "13:00", True),
        ("13:00-15:00", "15:00", False),
    ],
)
def test_quiet_hours_go_past_midnight(hours: str, at: str, want: Any) -> None:
    (rule,) = rules_of(f'[[rule]]\nlabel="a"\ntopic="a"\nquiet_hours="{hours}"', "x")
    assert rule.is_quiet(datetime.fromisoformat(f"2026-11-28T{at}:00+01:00")) is want
