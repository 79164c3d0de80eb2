"""When recordings began: the names that recorders give, and what users write."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from fastaudio.running.start_time import start_in_name, start_of

LOCAL = datetime(2023, 4, 1, 5, 30).astimezone()


@pytest.mark.parametrize(
    "name",
    [
        "20230401_053000.WAV",  # AudioMoth
        "20230401_053000T.WAV",  # AudioMoth, triggered
        "SM4_20230401_053000.wav",  # Song Meter
        "SMM01234_20230401_053000_2.wav",
        "S4A05999_20230401$053000.wav",  # Song Meter, scheduled
        "folder/20990101_000000/garden-20230401-053000.flac",
        "2023-04-01_05-30-00.mp3",
        "2023-04-01T05:30:00.mp3",
        "2023-04-01 05.30.00 meeting.mp3",
        "2023_04_01_05_30_00.ogg",
        "20230401T053000_Rec.flac",
        "99999999_999999_20230401_053000.wav",  # the first isn't a date
        "rec_20230401_053000_7.flac",
    ],
)
def test_names_of_recorders_without_a_zone_are_local_time(name: str) -> None:
    found = start_in_name(name)
    assert found == LOCAL
    assert found is not None
    assert found.utcoffset() == LOCAL.utcoffset()


@pytest.mark.parametrize(
    ("name", "hours"),
    [
        ("20230401_053000Z.wav", 0),
        ("20230401T053000+1000_Rec.flac", 10),  # Frontier Labs
        ("20230401T053000-0330_Rec.flac", -3.5),
        ("2023-04-01_05-30-00+02:00.wav", 2),
        ("20230401_053000_(UTC+2).wav", 2),
        ("SMU_20230401_053000_(UTC-3:30).wav", -3.5),
        ("20230401_053000(UTC).wav", 0),
        ("20230401_053000_UTC.wav", 0),
    ],
)
def test_a_zone_in_the_name_holds(name: str, hours: float) -> None:
    found = start_in_name(name)
    assert found is not None
    assert found.utcoffset() == timedelta(hours=hours)
    assert found.replace(tzinfo=None) == datetime(2023, 4, 1, 5, 30)  # noqa: DTZ001


@pytest.mark.parametrize(
    "name",
    [
        "song.mp3",
        "20230401.wav",
        "20231301_053000.wav",
        "20230401_250000.wav",
        "120230401_0530001.wav",
        "20230401_0530.wav",
        "20230401_053000/take.wav",
        "00000000_000000.wav",
        "20230401053000.wav",
        "",
    ],
)
def test_other_names_say_nothing(name: str) -> None:
    assert start_in_name(name) is None


def test_a_time_in_iso_8601_is_taken_and_without_a_zone_it_is_local() -> None:
    assert start_of("2023-04-01T05:30:00") == LOCAL
    assert start_of("2023-04-01 05:30") == LOCAL
    utc = datetime(2023, 4, 1, 5, 30, tzinfo=UTC)
    assert start_of("2023-04-01T05:30:00Z") == utc
    assert start_of("2023-04-01T07:30:00+02:00") == utc
    assert start_of("2023-04-01T07:30:00+02:00").utcoffset() == timedelta(hours=2)


@pytest.mark.parametrize("text", ["", "Z", "noon", "2023-13-01T00:00:00", "5:30"])
def test_what_is_no_time_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(
        ValueError, match=r"^expected a time such as 2026-11-28T13:15:00 or .*, got '"
    ) as error:
        start_of(text)
    assert repr(text) in str(error.value)
