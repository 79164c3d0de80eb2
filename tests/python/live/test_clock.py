"""The time of day of live sound: counted from a stated start, or held to the system's clock for weeks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest
from fastaudio.live.clock import SETTLE_S, TOLERANCE_S, Clock
from live_helpers import RATE_HZ, drain, noise, scores

if TYPE_CHECKING:
    import fastaudio as fa

RATE = 48_000
START = datetime(2026, 11, 28, 13, 15, tzinfo=timezone(timedelta(hours=1)))
NOON_S = 1_800_000_000.0


class Days:
    """A clock on the wall that a test moves, and the sound card beside it."""

    def __init__(self, **options: int) -> None:
        self.now_s = NOON_S
        self.position = float(options.get("position", 0))
        self.clock = Clock(RATE, now=lambda: self.now_s, **options)

    def run(self, seconds: float, *, speed: float = 1.0, step_s: float = 0.5) -> None:
        """Let time pass, with a sound card that runs so many times as fast."""
        for _ in range(round(seconds / step_s)):
            self.now_s += step_s
            self.position += step_s * RATE * speed
            self.clock.look(round(self.position))

    @property
    def wrong_s(self) -> float:
        """How far the newest sample's time is from the wall's."""
        return self.clock.time_of(self.position / RATE).timestamp() - self.now_s


def test_a_stated_start_counts_samples_and_keeps_its_zone() -> None:
    clock = Clock(RATE, started=START)
    for position in (0, 10**6, 10**12):
        clock.look(position)
    assert clock.time_of(0.25) == START + timedelta(seconds=0.25)
    assert clock.time_of(0.25).isoformat(timespec="milliseconds") == "2026-11-28T13:15:00.250+01:00"
    week_s = 7 * 86_400.0
    assert clock.time_of(week_s) - START == timedelta(weeks=1)


def test_a_start_without_a_zone_is_local() -> None:
    naive = START.replace(tzinfo=None)
    assert Clock(RATE, started=naive).time_of(0) == naive.astimezone()


def test_the_first_sample_is_heard_when_it_comes_not_when_the_device_is_opened() -> None:
    days = Days()
    days.now_s += 4
    days.clock.look(0)
    days.now_s += 1
    days.run(1)
    assert days.clock.time_of(0).timestamp() == pytest.approx(NOON_S + 5)


def test_a_stream_that_continues_another_counts_from_its_first_sample() -> None:
    days = Days(position=3600 * RATE)
    days.run(10)
    assert days.wrong_s == pytest.approx(0)
    assert days.clock.time_of(3600).timestamp() == pytest.approx(NOON_S)


@pytest.mark.parametrize("speed", [1 - 2e-4, 1 - 5e-5, 1 + 5e-5, 1 + 2e-4])
def test_a_sound_card_that_runs_wrong_stays_within_the_tolerance_for_weeks(speed: float) -> None:
    days = Days()
    worst_s = 0.0
    for _ in range(14 * 24):
        days.run(3600, speed=speed, step_s=10)
        worst_s = max(worst_s, abs(days.wrong_s))
    assert worst_s < TOLERANCE_S + 2 * SETTLE_S * 2e-4 + 1e-6
    assert abs(days.position / RATE - 14 * 86_400) > 10  # samples alone would be wrong by this


def test_sound_that_waits_somewhere_changes_nothing_and_sound_that_is_lost_does() -> None:
    days = Days()
    days.run(60)
    started = days.clock.time_of(0)
    days.now_s += 5  # the program stood still, and its sound comes afterwards
    days.clock.look(round(days.position))
    days.position += 2 * RATE
    days.clock.look(round(days.position))
    days.position += 3 * RATE
    days.clock.look(round(days.position))
    days.run(60)
    assert days.clock.time_of(0) == started
    days.now_s += 5  # the same, but the device dropped it and says nothing
    days.run(3 * SETTLE_S)
    assert days.wrong_s == pytest.approx(0, abs=1e-6)


def test_while_a_device_is_lost_times_stay() -> None:
    days = Days()
    days.run(60)
    for _ in range(7200):
        days.now_s += 0.5
        days.clock.look(round(days.position))
    assert days.clock.time_of(60).timestamp() == pytest.approx(NOON_S + 60)
    days.position += 3600 * RATE  # the gap has its length
    days.run(60)
    assert days.wrong_s == pytest.approx(0, abs=1e-6)


def test_a_stream_tells_the_time_of_its_windows() -> None:
    with scores().live(RATE_HZ, started=START) as stream:
        stream.push(noise(RATE_HZ))
        windows = drain(stream)
        assert stream.started == START
        assert stream.time_of(windows[-1].start_s) == START + timedelta(seconds=windows[-1].start_s)
    before = datetime.now(UTC)
    with scores().live(RATE_HZ) as stream:
        stream.push(noise(RATE_HZ))
        drain(stream)
        ended = stream.time_of(1.0)
    assert ended.tzinfo is not None
    assert before <= ended <= datetime.now(UTC)


def test_listening_takes_a_start_too() -> None:
    class Second:
        sample_rate, channels, name = RATE_HZ, 1, "second"

        def start(self, stream: fa.live.LiveStream) -> None:
            stream.push(noise(RATE_HZ))
            stream.finish()

        def stop(self) -> None: ...

        def check(self) -> None: ...

    with scores().listen(Second(), started=START) as stream:
        assert list(stream)
        assert stream.started == START
