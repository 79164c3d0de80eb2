"""What kind of sound it is: said before the tags of a model for music; those of other sound are marked."""

from __future__ import annotations

import argparse
import csv
import io
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest
import soundfile
from cli_helpers import run
from fastaudio.cli.kinds import KIND, Heard, Judge, judge_for
from fastaudio.live_kinds import LiveKinds
from fastaudio.tags import Tags, Window
from helpers import GUITAR, SOUNDS

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

BIRDS = SOUNDS / "birds_96k_mono.flac"
LEGEND = "  (? isn't music, and musicnn-mtt hears nothing else)"
EVENTS = ["--onset", "0.05"]


def tag(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """Return what `fastaudio tag` writes, which succeeds and says nothing else."""
    status, out, err = run(capsys, "tag", *arguments)
    assert (status, err) == (0, "")
    return out


def judge() -> Judge:
    """Return what tells music from speech by scores of both."""
    kinds = {"speech": ([0], 0.3), "music": ([1], 0.3)}
    return Judge(fa.Pipeline(fa.Resample(input_rate=8000, output_rate=8000)), "music", "a model", kinds)


def test_music_is_called_music_and_its_tags_have_no_mark(capsys: pytest.CaptureFixture[str]) -> None:
    first, *lines = tag(capsys, GUITAR).splitlines()
    assert first == f"{GUITAR}  (10.0 s, music 0.66)"
    assert all(line.startswith("  ") for line in lines)
    assert tag(capsys, GUITAR, "--no-kind").splitlines() == [f"{GUITAR}  (10.0 s)", *lines]


@pytest.mark.parametrize(
    ("silent_s", "sound_s", "least"),
    [
        (0, 6.0, 0.9),
        (0, 3.0, 0.9),
        (2.9, 1.0, 0.4),
    ],  # windows of 2.992 s: the last hears 16 ms, 8 ms and 0.9 s
)
def test_a_last_window_that_hears_next_to_nothing_counts_for_nothing(
    silent_s: float, sound_s: float, least: float, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sound, rate = soundfile.read(GUITAR, dtype="float32")
    silence = np.zeros((int(silent_s * rate), sound.shape[1]), np.float32)
    soundfile.write(tmp_path / "a.wav", np.concatenate([silence, sound[: int(sound_s * rate)]]), rate)
    (told,) = json.loads(tag(capsys, tmp_path / "a.wav", "--json"))
    assert told["fits"]
    assert told["kind"]["music"] > least


def test_tags_of_other_sound_are_marked_and_kept(capsys: pytest.CaptureFixture[str]) -> None:
    first, *lines, legend = tag(capsys, BIRDS).splitlines()
    assert first.endswith("s, not music)")
    assert [line[0] for line in lines] == ["?"] * 5
    assert legend == LEGEND
    plain = tag(capsys, BIRDS, "--no-kind").splitlines()[1:]
    assert [line[1:] for line in lines] == [line[1:] for line in plain]


def test_each_window_is_marked_by_itself(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    birds, rate = soundfile.read(BIRDS, dtype="float32")
    guitar = fa.Resample(input_rate=44_100, output_rate=rate)(
        soundfile.read(GUITAR, dtype="float32")[0][:, 0]
    )
    soundfile.write(tmp_path / "both.wav", np.concatenate([guitar[: 3 * rate], birds[: 3 * rate]]), rate)
    _, music, other, legend = tag(capsys, tmp_path / "both.wav", "--windows", "--top", 1).splitlines()
    assert music.startswith("     0.00 -")
    assert "s  (music 1.00) " in music
    assert other.startswith("?    2.99 -")
    assert "s  (not music) " in other
    assert legend == LEGEND


@pytest.mark.parametrize("windows", [False, True])
def test_json_and_csv_say_the_kind_and_whether_it_fits(
    capsys: pytest.CaptureFixture[str], windows: bool
) -> None:
    options = ["--windows"] if windows else []
    for path, fits in ((GUITAR, True), (BIRDS, False)):
        (whole,) = json.loads(tag(capsys, path, "--json", *options))
        parts = [whole, *whole.get("windows", [])]
        parts += [json.loads(line) for line in tag(capsys, path, "--jsonl", *options).splitlines()]
        for part in parts:
            assert list(part["kind"]) == ["speech", "music"]
            assert part["fits"] is fits is (part["kind"]["music"] >= 0.3)
        rows = list(csv.DictReader(io.StringIO(tag(capsys, path, "--csv", *options))))
        assert {row["fits"] for row in rows} == {str(fits).lower()}
        (plain,) = json.loads(tag(capsys, path, "--json", "--no-kind", *options))
        assert plain["tags"] == whole["tags"]
        assert {"kind", "fits"}.isdisjoint(plain)


def test_min_score_leaves_kinds_alone(capsys: pytest.CaptureFixture[str]) -> None:
    out = tag(capsys, BIRDS, "--csv", "--min-score", 0.05)
    rows = list(csv.DictReader(io.StringIO(out)))
    assert rows
    assert all(float(row["score"]) >= 0.05 and row["fits"] == "false" for row in rows)


def test_events_of_other_sound_are_marked_in_every_form(capsys: pytest.CaptureFixture[str]) -> None:
    _, *lines, legend = tag(capsys, BIRDS, *EVENTS).splitlines()
    assert lines
    assert all(line.startswith("? ") for line in lines)
    assert legend == LEGEND
    (whole,) = json.loads(tag(capsys, BIRDS, *EVENTS, "--json"))
    assert {part["fits"] for part in [whole, *whole["events"]]} == {False}
    assert len(whole["events"]) == len(lines)
    assert all(not json.loads(line)["fits"] for line in tag(capsys, BIRDS, *EVENTS, "--jsonl").splitlines())
    rows = list(csv.DictReader(io.StringIO(tag(capsys, BIRDS, *EVENTS, "--csv"))))
    assert {row["fits"] for row in rows} == {"false"}
    labels = {row["label"] for row in rows}
    audacity = tag(capsys, BIRDS, *EVENTS, "--audacity").splitlines()
    assert {line.split("\t")[2] for line in audacity} == {f"? {label}" for label in labels}
    assert tag(capsys, BIRDS, *EVENTS, "--raven").count("\t? ") == len(lines)


def test_events_of_music_are_as_without_kinds(capsys: pytest.CaptureFixture[str]) -> None:
    for form in ("--audacity", "--raven"):
        want = tag(capsys, GUITAR, "--onset", 0.2, form, "--no-kind")
        assert tag(capsys, GUITAR, "--onset", 0.2, form) == want


def test_silence_is_of_no_kind(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "silence.wav"
    soundfile.write(path, np.zeros(64_000, np.int16), 16_000)
    assert tag(capsys, path) == f"{path}  (4.0 s)\n  silence\n"
    (whole,) = json.loads(tag(capsys, path, "--json", "--windows"))
    assert all((part["kind"], part["fits"]) == (None, None) for part in [whole, *whole["windows"]])


@pytest.mark.parametrize("hears", [None, "birds", 7, ["music"]])
def test_a_model_that_hears_no_kind_that_is_known_has_no_marks(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, tagger: fa.Pipeline, hears: Any
) -> None:
    pipeline = fa.Pipeline(tagger.node, card={"hears": hears})
    pipeline.save(tmp_path / "card.json")
    first, *lines = tag(capsys, BIRDS, "--model", tmp_path).splitlines()
    assert first.endswith("s)")
    assert all(line.startswith("  ") for line in lines)


def test_a_card_of_ones_own_is_marked_if_it_says_what_it_hears(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """It has another rate, and one row for the whole sound."""
    mel = fa.MelSpectrogram(sample_rate=22_050, n_fft=512, hop_length=256, n_mels=2)
    pipeline = fa.Pipeline(
        mel >> fa.Sigmoid() >> fa.Mean() >> fa.Tags(["low", "high"]), card={"hears": "music"}
    )
    pipeline.save(tmp_path / "mine.json")
    for path, mark in ((GUITAR, " "), (BIRDS, "?")):
        lines = tag(capsys, path, "--model", tmp_path / "mine.json").splitlines()[1:3]
        assert [line[0] for line in lines] == [mark, mark]


@pytest.mark.parametrize("hop_s", [0.25, 40])
def test_any_step_between_windows_has_kinds(capsys: pytest.CaptureFixture[str], hop_s: float) -> None:
    options = ["--windows", "--jsonl", "--hop", hop_s]
    lines = [json.loads(line) for line in tag(capsys, GUITAR, *options).splitlines()]
    assert len(lines) == 1 if hop_s == 40 else len(lines) > 20
    assert lines[0]["fits"] is True
    plain = [json.loads(line) for line in tag(capsys, GUITAR, *options, "--no-kind").splitlines()]
    assert [line["tags"] for line in lines] == [line["tags"] for line in plain]


def test_windows_that_overlap_are_each_heard_by_themselves(guitar_16k: NDArray[np.float32]) -> None:
    sound = both(guitar_16k)
    pipeline = fa.Pipeline.load("musicnn-mtt").with_hop(0.336)
    judge = judge_for(pipeline, argparse.Namespace(no_kind=False, isolate=False, paths=[]))
    assert judge is not None
    result = judge.pipeline(sound, sample_rate=16_000)
    windows, heard = result["results"], Heard(judge, result[KIND])
    n = len(windows)
    np.testing.assert_allclose(heard.rows.times[:n, 0], windows.times[:, 0], atol=1e-3)
    for k in (0, 7, n - 1):
        start_s, end_s = windows.times[k]
        alone = sound[round(start_s * 16_000) : round(end_s * 16_000)]
        found = judge.kind(judge.pipeline(alone, sample_rate=16_000)[KIND].scores[0])
        kind = heard.at(start_s, end_s)
        assert kind is not None
        assert kind.scores == pytest.approx(found.scores, abs=2e-6)


def test_several_files_at_once_each_have_their_kind(capsys: pytest.CaptureFixture[str]) -> None:
    out = tag(capsys, GUITAR, BIRDS, GUITAR, "--jsonl", "--jobs", 2)
    assert [json.loads(line)["fits"] for line in out.splitlines()] == [True, False, True]


@pytest.fixture
def listen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Run `fastaudio listen -` over samples at 16 kHz; returns what it writes."""

    def call(samples: NDArray[np.float32], *options: object) -> str:
        (tmp_path / "stdin").write_bytes(np.round(samples * 32767).astype("<i2").tobytes())
        with (tmp_path / "stdin").open(encoding="latin-1") as file, monkeypatch.context() as patch:
            patch.setattr("sys.stdin", file)
            status, out, err = run(capsys, "listen", "-", "--rate", 16_000, *options)
        assert (status, err) == (0, "")
        return out

    return call


def both(guitar_16k: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return six seconds of guitar and six of birds at 16 kHz."""
    birds, rate = soundfile.read(BIRDS, dtype="float32")
    birds = fa.Resample(input_rate=rate, output_rate=16_000)(birds)
    return np.concatenate([guitar_16k[:96_000], np.resize(birds, 96_000)])


@pytest.mark.parametrize("hop", [[], ["--hop", 1]])
def test_live_windows_have_the_kinds_of_the_files(
    capsys: pytest.CaptureFixture[str],
    listen: Any,
    guitar_16k: NDArray[np.float32],
    tmp_path: Path,
    hop: list[object],
) -> None:
    sound = both(guitar_16k)
    soundfile.write(tmp_path / "both.wav", np.round(sound * 32767).astype(np.int16), 16_000)
    live = [json.loads(line) for line in listen(sound, "--jsonl", *hop).splitlines()]
    out = tag(capsys, tmp_path / "both.wav", "--jsonl", "--windows", *hop)
    whole = [json.loads(line) for line in out.splitlines()]
    keys = ("start_s", "fits", "silent")
    assert [[line[key] for key in keys] for line in live] == [[line[key] for key in keys] for line in whole]
    assert {line["fits"] for line in live} == {True, False}
    for one, other in zip(live, whole, strict=True):
        assert one["kind"] == pytest.approx(other["kind"], abs=2e-6)
        assert one["output"] == ""


def test_live_lines_are_marked(listen: Any, guitar_16k: NDArray[np.float32]) -> None:
    lines = listen(both(guitar_16k), "--top", 1).splitlines()
    assert [line[8] for line in lines] == [" ", " ", "?", "?"]
    assert "(music 1.00) guitar" in lines[0]
    assert "(not music) " in lines[-1]
    rows = list(csv.DictReader(io.StringIO(listen(both(guitar_16k), "--top", 1, "--csv"))))
    assert [row["fits"] for row in rows] == ["true", "true", "false", "false"]
    plain = listen(both(guitar_16k), "--top", 1, "--no-kind").splitlines()
    assert [line.split()[-2:] for line in lines] == [line.split()[-2:] for line in plain]


def test_live_events_are_marked(listen: Any, guitar_16k: NDArray[np.float32]) -> None:
    sound = both(guitar_16k)[-96_000:]
    assert all(line[8] == "?" for line in listen(sound, *EVENTS).splitlines())
    assert all(
        line.split("\t")[2].startswith("? ") for line in listen(sound, *EVENTS, "--audacity").splitlines()
    )


def test_live_events_have_the_kinds_of_the_files(
    capsys: pytest.CaptureFixture[str], listen: Any, guitar_16k: NDArray[np.float32], tmp_path: Path
) -> None:
    sound = both(guitar_16k)
    soundfile.write(tmp_path / "both.wav", np.round(sound * 32767).astype(np.int16), 16_000)
    options = [*EVENTS, "--hop", 0.5, "--jsonl"]
    whole = [json.loads(line) for line in tag(capsys, tmp_path / "both.wav", *options).splitlines()]
    live = [json.loads(line) for line in listen(sound, *options).splitlines()]
    ended = {line["id"]: line for line in live if line["end_s"] is not None}
    assert whole, "events"
    for event in whole:
        assert ended[event["id"]]["fits"] == event["fits"]
        assert ended[event["id"]]["kind"] == pytest.approx(event["kind"], abs=2e-6)


def window(start_s: float, scores: list[float], output: str) -> Window:
    return Window(start_s, start_s + 3, np.array(scores, np.float32), ["speech", "music"], output=output)


@pytest.mark.parametrize("first", [KIND, "results"])
def test_whichever_comes_first_a_window_is_shown_with_its_own_kind(first: str) -> None:
    items = [window(3.0 * k, [0.9, 0.1 + 0.8 * k], name) for k in range(2) for name in ("results", KIND)]
    items.sort(key=lambda item: item.output != first)
    kinds = LiveKinds(judge())
    shown = [pair for item in items for pair in kinds.take(item)] + list(kinds.rest())
    assert [one.start_s for one, _ in shown] == [0, 3]
    assert [kind.fits for _, kind in shown if kind] == [False, True]
    assert [str(kind) for _, kind in shown] == ["speech 0.90, not music", "speech 0.90, music 0.90"]


def test_a_window_whose_kind_never_comes_is_shown_at_the_end() -> None:
    kinds = LiveKinds(judge())
    assert list(kinds.take(window(0, [0, 0], "results"))) == []
    ((one, kind),) = kinds.rest()
    assert (one.start_s, kind) == (0, None)


def test_a_stretch_has_its_own_row_or_those_within_or_the_nearest() -> None:
    times = np.array([[0, 3], [1, 4], [2, 5], [9, 12]], float)
    scores = np.array([[0, 0], [1, 0], [0, 1], [0.5, 0.5]], np.float32)
    silent = np.array([False, False, False, True])
    heard = Heard(judge(), Tags(["speech", "music"], scores, times, 12.0, silent=silent))
    cases = {(1, 4): [1, 0], (0, 4): [0.5, 0], (1, 5): [0.5, 0.5], (2.4, 3): [0, 1]}
    for stretch, want in cases.items():
        kind = heard.at(*stretch)
        assert kind is not None
        assert list(kind.scores.values()) == want
    assert heard.at(9, 12) is None, "silent"
    whole = heard.whole()
    assert whole is not None
    assert whole.scores["music"] == pytest.approx(1 / 3)


def test_the_clips_of_music_fit_and_others_do_not(capsys: pytest.CaptureFixture[str], shared: Path) -> None:
    clips = shared / "audio" / "clips"
    names = {
        True: ["music_celtic_32k_stereo_s16.wav", "piano_48k_stereo_s24.flac", "drums_44k_stereo_f32.wav"],
        False: ["dog_44k_mono.ogg", "rain_44k_stereo.ogg", "speech_en_female_16k_mono.flac"],
    }
    for fits, files in names.items():
        out = tag(capsys, *[clips / name for name in files], "--jsonl")
        assert [json.loads(line)["fits"] for line in out.splitlines()] == [fits] * 3


def test_windows_too_short_for_a_kind_have_that_of_the_seconds_around_them(
    capsys: pytest.CaptureFixture[str], guitar_16k: NDArray[np.float32], tmp_path: Path
) -> None:
    soundfile.write(tmp_path / "both.wav", both(guitar_16k), 16_000)
    out = tag(capsys, tmp_path / "both.wav", "--model", "beats", "--windows", "--jsonl")
    fits = {round(line["start_s"], 2): line["fits"] for line in map(json.loads, out.splitlines())}
    assert all(fits[start_s] for start_s in (0.5, 2.0, 4.0, 5.4)), "of guitar until 6 s"
    assert not any(fits[start_s] for start_s in (7.0, 8.0, 9.5, 11.0))
    *lines, legend = tag(capsys, BIRDS, "--model", "beats").splitlines()[1:]
    assert [line[0] for line in lines] == ["?", "?"]
    assert legend == "  (? isn't music, and beats hears nothing else)"


def test_live_windows_that_are_too_short_do_not_wait_for_their_kind() -> None:
    kinds = LiveKinds(replace(judge(), around=True))
    assert [kind for _, kind in kinds.take(window(0.5, [0, 0], "results"))] == [None]
    assert list(kinds.take(window(0, [0.9, 0.1], KIND))) == []
    for start_s in (1.0, 3.5):
        ((_, kind),) = kinds.take(window(start_s, [0, 0], "results"))
        assert str(kind) == "speech 0.90, not music", "the last 3 s"


@pytest.mark.parametrize("model", [["--model", "beats"], ["--hop", 0.5]])
def test_what_sounds_after_silence_has_a_kind(
    capsys: pytest.CaptureFixture[str], guitar_16k: NDArray[np.float32], tmp_path: Path, model: list[object]
) -> None:
    sound = np.concatenate([np.zeros(128_000, np.float32), both(guitar_16k)[-32_000:]])
    soundfile.write(tmp_path / "late.wav", sound, 16_000)
    out = tag(capsys, tmp_path / "late.wav", *model, "--windows", "--jsonl")
    windows = [line for line in map(json.loads, out.splitlines()) if not line["silent"]]
    assert windows
    assert {line["fits"] for line in windows} == {False}


def test_live_the_last_seconds_tell_a_kind_although_they_began_with_silence() -> None:
    kinds = LiveKinds(replace(judge(), around=True))
    for scores, want in (([0, 0], None), ([0, 0.9], "music 0.90")):
        assert list(kinds.take(replace(window(0, scores, KIND), silent=True))) == []
        ((_, kind),) = kinds.take(window(3.5, [0, 0], "results"))
        assert (kind if want is None else str(kind)) == want
