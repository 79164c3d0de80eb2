"""What `fastaudio listen` writes: the forms of `tag`, with the time of day, to stdout or to a file."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta, timezone
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soundfile
from fastaudio import Pipeline, cli
from fastaudio.cli.ears import Ear
from fastaudio.cli.live_forms import LINES
from fastaudio.events import RAVEN_COLUMNS, Event
from fastaudio.tags import Window
from helpers import GUITAR, decode

if TYPE_CHECKING:
    from pathlib import Path

TIME = "2026-11-28T13:15:00+01:00"
START = datetime(2026, 11, 28, 13, 15, tzinfo=timezone(timedelta(hours=1)))
EVENTS = ["--onset", "0.2"]


@pytest.fixture(scope="module")
def pcm() -> bytes:
    """Return the guitar as 16-bit PCM, mono at 44.1 kHz."""
    samples, _ = decode(GUITAR)
    return np.round(samples.mean(axis=1) * 32767).astype("<i2").tobytes()


@pytest.fixture
def listen(
    pcm: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Any:
    """Run `fastaudio listen -` over the guitar; returns exit status, stdout and stderr."""

    def run(*options: object, start: bool = True) -> tuple[int, str, str]:
        (tmp_path / "stdin").write_bytes(pcm)
        with (tmp_path / "stdin").open(encoding="latin-1") as file, monkeypatch.context() as patch:
            patch.setattr("sys.stdin", file)
            when = ["--start", TIME] if start else []
            status = cli.main(["listen", "-", "--rate", "44100", *when, *map(str, options)])
        return status, *capsys.readouterr()

    return run


def starts(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_lines_of_json_have_the_time_of_day_with_its_zone(listen: Any) -> None:
    for options in ([], EVENTS):
        status, out, err = listen("--jsonl", *options)
        assert (status, err) == (0, "")
        lines = starts(out)
        assert lines
        for line in lines:
            moment = datetime.fromisoformat(line["time"])
            assert moment.utcoffset() == timedelta(hours=1)
            late_s = (moment - START).total_seconds() - line["start_s"]
            assert abs(late_s) <= 0.001  # milliseconds


def test_without_a_start_it_is_the_time_now(listen: Any) -> None:
    before = datetime.now(UTC) - timedelta(seconds=11)  # the sound is older than its end
    _, out, _ = listen("--jsonl", start=False)
    for line in starts(out):
        moment = datetime.fromisoformat(line["time"])
        assert moment.tzinfo is not None
        assert before <= moment <= datetime.now(UTC)


def test_text_has_the_time_of_day_too(listen: Any) -> None:
    _, out, _ = listen()
    assert [line[:8] for line in out.splitlines()] == ["13:15:00", "13:15:02", "13:15:05"]
    _, out, _ = listen(*EVENTS)
    assert out.startswith("13:15:00")


def test_a_file_says_itself_when_it_was_recorded(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    samples, rate = decode(GUITAR)
    for name, want in (
        ("SM4_20230401_053000Z.wav", "2023-04-01T05:30:00.000+00:00"),
        ("20230401_053000.WAV", datetime(2023, 4, 1, 5, 30).astimezone().isoformat(timespec="milliseconds")),
    ):
        soundfile.write(tmp_path / name, samples[: rate // 2], rate, format="WAV")
        assert cli.main(["listen", "--realtime", str(tmp_path / name), "--jsonl"]) == 0
        (line,) = starts(capsys.readouterr().out)
        assert line["time"] == want
    assert cli.main(["listen", "--realtime", str(tmp_path / name), "--jsonl", "--start", TIME]) == 0
    (line,) = starts(capsys.readouterr().out)
    assert datetime.fromisoformat(line["time"]) == START


def test_csv_of_windows_is_that_of_tag_with_a_time(listen: Any) -> None:
    status, out, err = listen("--csv", "--top", 2)
    assert (status, err) == (0, "")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert len(rows) == 2 * 3
    assert list(rows[0])[-1] == "time"
    samples, rate = decode(GUITAR)
    whole = Pipeline.load()(samples.mean(axis=1), sample_rate=rate)
    header = whole.to_csv(windows=True).splitlines()[0]
    assert out.splitlines()[0] == header + ",fits,time"
    for row, (label, _) in zip(rows, [pair for window in whole for pair in window.top(2)], strict=True):
        assert row["label"] == label
        assert row["time"].endswith("+01:00")


def test_csv_of_events_is_that_of_tag_with_a_time(listen: Any) -> None:
    status, out, err = listen("--csv", *EVENTS)
    assert (status, err) == (0, "")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert rows
    for row in rows:
        assert float(row["end_s"]) > float(row["start_s"])
        assert datetime.fromisoformat(row["time"]) >= START


@pytest.mark.parametrize("label", ["a\u2028b", "a\u0085b", 'a "b", c', "a\nb", "a\x0bb"])
def test_csv_has_one_row_per_tag_and_event_whatever_their_names(label: str) -> None:
    out = io.StringIO()
    ear = Ear("musicnn-mtt", Pipeline.load())
    lines = LINES["csv"]([ear], 2, SimpleNamespace(name="rec\u2028.wav"), out)
    lines._stream = SimpleNamespace(time_of=lambda _: START, sample_rate=16_000)  # type: ignore[assignment]
    lines.show(ear, Event(label, 1.0, 2.0, 0.5, 0.5))
    lines.show(ear, Window(0.0, 3.0, np.array([0.75, 0.5], np.float32), [label, "dog"]))
    rows = list(csv.reader(io.StringIO(out.getvalue(), newline="\n")))
    assert [label in row for row in rows] == [True, True, False]
    assert {row[-1] for row in rows} == {START.isoformat(timespec="milliseconds")}


@pytest.mark.parametrize("options", [["--csv"], ["--csv", "--onset", "0.99"]])
def test_csv_has_its_header_without_a_result(options: list[str], listen: Any) -> None:
    status, out, _ = listen(*options, *(["--seconds", "0.001"] if "--onset" not in options else []))
    assert status == 0
    header, *_ = csv.reader(io.StringIO(out))
    assert header[0] == "schema"
    assert header[-1] == "time"


def test_tables_for_other_programs(listen: Any, tmp_path: Path) -> None:
    _, want, _ = listen("--jsonl", *EVENTS)
    events = starts(want)
    assert events
    status, out, err = listen("--audacity", *EVENTS)
    assert (status, err) == (0, "")
    assert [line.split("\t") for line in out.splitlines()] == [
        [f"{event['start_s']:.6f}", f"{event['end_s']:.6f}", event["label"]] for event in events
    ]
    path = tmp_path / "heard.selections.txt"
    status, out, err = listen("--raven", "--output", path, *EVENTS)
    assert (status, out, err) == (0, "", "")
    header, *rows = csv.reader(io.StringIO(path.read_text(encoding="utf-8")), delimiter="\t")
    assert header == list(RAVEN_COLUMNS)
    assert [row[0] for row in rows] == [str(k) for k in range(1, len(events) + 1)]
    assert [row[7] for row in rows] == [event["label"] for event in events]


def test_an_output_grows_line_by_line_and_is_never_replaced_unasked(listen: Any, tmp_path: Path) -> None:
    path = tmp_path / "tags.jsonl"
    status, out, err = listen("--jsonl", "--output", path)
    assert (status, out, err) == (0, "", "")
    before = path.read_bytes()
    assert len(starts(before.decode())) == 3
    status, out, err = listen("--jsonl", "--output", path)
    assert status != 0
    assert "expected no file there, got one" in err
    assert path.read_bytes() == before
    assert listen("--jsonl", "--output", path, "--force")[0] == 0
    assert len(path.read_bytes()) == len(before)


def test_an_event_has_the_same_id_when_it_begins_and_when_it_ends() -> None:
    begun = Event("dog", 12.288, None, 0.5, 0.5)
    ended = Event("dog", 12.288, 14.0, 0.7, 0.6)
    assert (begun.id, begun.state) == ("12.288000 dog", "begin")
    assert (ended.id, ended.state) == (begun.id, "end")
    assert Event("cat", 12.288, None, 0.5, 0.5).id != begun.id
    assert {"id", "state"} <= set(ended.to_dict())


def test_a_search_that_found_nothing_says_how_close_it_came(listen: Any) -> None:
    status, out, err = listen("--events", "--onset", 0.99)
    assert (status, out) == (0, "")
    assert err.startswith("fastaudio: no events (best: ")
    assert ", below onset 0.99" in err
