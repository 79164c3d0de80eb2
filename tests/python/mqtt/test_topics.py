"""Topics have safe characters, whatever labels are like, and no two names share one."""

from __future__ import annotations

import re

import pytest
from fastaudio.mqtt.topics import checked_topic, slug, slugs
from hypothesis import given
from hypothesis import strategies as st

SAFE = re.compile(r"[a-z0-9_]{1,60}")


@given(st.lists(st.text(max_size=80), max_size=20))
def test_every_name_gets_a_safe_slug_of_its_own(names: list[str]) -> None:
    found = slugs(names)
    assert set(found) == set(names)
    assert all(SAFE.fullmatch(text) for text in found.values())
    assert len(set(found.values())) == len(found)


@pytest.mark.parametrize("name", ["#", "+", "/", "a/../b", "$SYS/x", "\x00", "吉他", "", "\ud800", "x" * 500])
def test_signs_that_mean_something_to_a_broker_never_stay(name: str) -> None:
    assert SAFE.fullmatch(slug(name))


@pytest.mark.parametrize("topic", ["", "a/#", "+/a", "$SYS/a", "a\0", "a\nb", "x" * 201, "é" * 101])
def test_a_topic_that_cannot_be_published_to_is_refused(topic: str) -> None:
    with pytest.raises(ValueError, match="rule 1: topic: expected a topic such as home/alerts"):
        checked_topic(topic, subject="rule 1: topic")


def test_a_topic_of_the_users_choice_stays_as_it_is() -> None:
    assert checked_topic("Home/Küche/alert 1", subject="x") == "Home/Küche/alert 1"


def test_a_name_gets_no_topic_that_is_taken() -> None:
    assert slugs(["status", "a"], taken=("status", "level")) == {"status": "status_2", "a": "a"}
