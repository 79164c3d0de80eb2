"""fastaudio tag --events takes the node's options and writes the forms of the results."""

from __future__ import annotations

import csv
import io
import json
import shutil
from typing import TYPE_CHECKING

import fastaudio as fa
import pytest
from fastaudio import cli
from fastaudio.events import CSV_COLUMNS, RAVEN_COLUMNS
from helpers import GUITAR

if TYPE_CHECKING:
    from pathlib import Path

    from fastaudio.events import Events

LOOSE = ("--onset", "0.2", "--offset", "0.1")


@pytest.fixture(scope="module")
def found(tagger: fa.Pipeline) -> Events:
    """Return what LOOSE finds."""
    events: Events = (tagger >> fa.Events(onset=[0.2], offset=[0.1]))(GUITAR)
    assert len(events) > 3
    return events


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    """Return exit status, stdout and stderr of `fastaudio tag`, without the kind of sound."""
    status = cli.main(["tag", "--no-kind", *map(str, arguments)])
    out, err = capsys.readouterr()
    return status, out, err


def test_text_is_a_line_an_event(capsys: pytest.CaptureFixture[str], found: Events) -> None:
    status, out, err = run(capsys, GUITAR, "--events", *LOOSE)
    assert (status, err) == (0, "")
    first, *lines = out.splitlines()
    assert first == f"{GUITAR}  (10.0 s)"
    shown = [(line[22:40].strip(), line.split()[0], line.split()[2], line.split()[-1]) for line in lines]
    assert shown == [(e.label, f"{e.start_s:.2f}", f"{e.end_s:.2f}", f"{e.peak:.2f}") for e in found]


def test_a_file_without_events_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, GUITAR, "--onset", "1")
    assert (status, out.splitlines()[1:]) == (0, ["  no events (best: ambient 0.40, below onset 1)"])


def test_every_form_is_that_of_the_results(capsys: pytest.CaptureFixture[str], found: Events) -> None:
    forms = {
        "--jsonl": found.to_jsonl(),
        "--csv": found.to_csv(),
        "--audacity": found.to_audacity(),
        "--raven": found.to_raven(),
    }
    for form, want in forms.items():
        assert run(capsys, GUITAR, *LOOSE, form) == (0, want, ""), form
    _, out, _ = run(capsys, GUITAR, *LOOSE, "--json")
    assert json.loads(out) == [found.to_dict()]


def test_many_files_have_one_header_and_one_list(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, found: Events
) -> None:
    for name in ("a.flac", "b.flac"):
        shutil.copy(GUITAR, tmp_path / name)
    _, out, _ = run(capsys, tmp_path, *LOOSE, "--csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert tuple(rows[0]) == CSV_COLUMNS
    assert len(rows) == 2 * len(found)
    assert out.count("start_s") == 1
    _, out, _ = run(capsys, tmp_path, *LOOSE, "--json")
    assert [len(item["events"]) for item in json.loads(out)] == [len(found)] * 2


def test_every_number_reaches_the_node(capsys: pytest.CaptureFixture[str], tagger: fa.Pipeline) -> None:
    numbers = {"min_on": 5.0, "min_off": 7.0, "cool_down": 5.0, "smoothing": 6.0}
    for name, number in numbers.items():
        _, out, _ = run(capsys, GUITAR, "--onset", 0.15, f"--{name.replace('_', '-')}", number, "--jsonl")
        option = number if name == "smoothing" else [number]
        want = (tagger >> fa.Events(onset=[0.15], **{f"{name}_s": option}))(GUITAR)
        assert out == want.to_jsonl()
        assert out != (tagger >> fa.Events(onset=[0.15]))(GUITAR).to_jsonl()


def test_a_table_goes_to_a_file(capsys: pytest.CaptureFixture[str], tmp_path: Path, found: Events) -> None:
    table = tmp_path / "guitar.Table.1.selections.txt"
    assert run(capsys, GUITAR, *LOOSE, "--raven", "--output", table) == (0, "", "")
    header, *lines = table.read_text(encoding="utf-8").splitlines()
    assert tuple(header.split("\t")) == RAVEN_COLUMNS
    assert len(lines) == len(found)


def test_a_card_that_ends_in_events_needs_no_option(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, tagger: fa.Pipeline
) -> None:
    pipeline = tagger >> fa.Events(onset=[0.2])
    pipeline.save(tmp_path / "card.json")
    want = pipeline(GUITAR)
    assert run(capsys, GUITAR, "--model", tmp_path, "--csv") == (0, want.to_csv(), "")
    assert run(capsys, GUITAR, "--model", tmp_path, "--events", "--raven") == (0, want.to_raven(), "")
    status, _, err = run(capsys, GUITAR, "--model", tmp_path, "--onset", 0.3)
    assert status == 2
    assert err.startswith("fastaudio: Events: expected scores with names, got rows [0.334 Hz, 6] of events")


def test_a_card_that_gives_tags_and_events_is_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, tagger: fa.Pipeline
) -> None:
    (tagger >> {"tags": fa.L2Normalize(), "events": fa.Events()}).save(tmp_path / "card.json")
    status, _, err = run(capsys, GUITAR, "--model", tmp_path)
    assert (status, err) == (
        2,
        "fastaudio: musicnn-mtt: expected a model that gives tags or events, got both\n",
    )


def test_wrong_usage_is_told_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, message in (
        (["--onset", 0.2, "--offset", 0.3], "Events: expected offset at most onset = 0.2, got 0.3"),
        (["--min-on", -1], "Events: expected min_on_s in [0, 86400] s, got -1.0"),
        (["--events", "--windows"], "tag: expected --windows or --events, got both; leave out one"),
        (
            [GUITAR, "--raven"],
            "tag --raven: expected --output FOLDER for 2 recordings, got none",
        ),
    ):
        assert run(capsys, GUITAR, *arguments) == (2, "", f"fastaudio: {message}\n")
