"""Rendered and recorded notes: a manifest of both, layers of several networks, and the script for a card."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

torch = pytest.importorskip("torch", reason="recipes are PyTorch: pip install '.[recipes]'")
pytest.importorskip("sklearn", reason="pip install 'fastaudio-toolkit[train]'")

import combine  # noqa: E402
import layers  # noqa: E402
import measure  # noqa: E402
import pieces  # noqa: E402
from helpers import RECIPES  # noqa: E402
from judge import ELEVEN  # noqa: E402

FAMILIES = {73: "flute", 68: "reed", 37: "bass", 38: "bass"}  # 37 is spared


def collection(folder: Path, *, real: bool) -> Path:
    """Write notes of a few programs, whose pitch tells the family."""
    folder.mkdir()
    rows = []
    for number, family in FAMILIES.items():
        for i in range(2):
            name = f"{number}-{i}.wav"
            t = np.arange(44_100) / 44_100
            soundfile.write(folder / name, 0.3 * np.sin(2 * np.pi * number * 10 * t), 44_100)
            rows.append({"file": name, "program": number, "family": family, "instrument": family})
    if real:
        rows = [{key: row[key] for key in ("file", "family", "instrument")} for row in rows]
        rows.append(rows[0] | {"family": "kazoo"})
    with (folder / "manifest.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return folder


def test_a_manifest_of_both_spares_programs_and_leaves_out_what_no_font_has(tmp_path: Path) -> None:
    learn, score = collection(tmp_path / "font", real=False), collection(tmp_path / "real", real=True)
    output = tmp_path / "both.csv"
    command = ["--learn", str(learn), "--score", str(score), "--each", "1", "--output", str(output)]
    assert combine.main(command) == 0
    with output.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [(row["label"], row["fold"], row["group"]) for row in rows[:4]] == [
        ("flute", "train", "73"),
        ("reed", "train", "68"),
        ("bass", "validation", "37"),
        ("bass", "train", "38"),
    ]
    assert [(row["label"], row["fold"]) for row in rows[4:]] == [
        (family, "test") for family in FAMILIES.values() for _ in range(2)
    ]
    assert all(Path(row["path"]).is_file() for row in rows)


def test_recordings_are_cut_every_two_seconds(tmp_path: Path) -> None:
    lengths_s = {"short": 0.4, "whole": 2.5, "more": 5.1}
    for name, length_s in lengths_s.items():
        sound = np.linspace(0, 0.5, int(16_000 * length_s))
        soundfile.write(tmp_path / f"{name}.wav", np.column_stack([sound, -sound / 2]), 16_000)
    files = [str(tmp_path / f"{name}.wav") for name in lengths_s]
    assert pieces.main([*files, "--output", str(tmp_path / "out")]) == 0
    with (tmp_path / "out" / "manifest.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["file"] for row in rows] == ["short-0.flac", "whole-0.flac"] + [
        f"more-{i}.flac" for i in range(3)
    ]
    found = [soundfile.read(tmp_path / "out" / row["file"])[0] for row in rows]
    assert [len(one) / 16_000 for one in found] == pytest.approx([0.4, 2.5, 2.5, 2.5, 1.1])
    assert found[3][0] == pytest.approx(0.5 * 2 / 5.1 / 4, abs=1e-3), "the mean of both channels"


class Loud:
    """Names each note's family by its file, and knows two families."""

    labels = ("flute", "bass", "oboe")

    def __init__(self, path: Path) -> None:
        self.path = path

    def mean(self) -> np.ndarray:
        return np.array([0.2, 0.1 if self.path.name == "37-1.wav" else 0.3, 0.9])


def test_whole_files_are_measured_and_families_that_a_model_lacks_are_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measure.fa.Pipeline, "load", lambda _: Loud)
    folder, output = collection(tmp_path / "font", real=False), tmp_path / "new" / "results.json"
    assert measure.main(["mine", str(folder), "--all", "--output", str(output)]) == 0
    assert "| font | 6 | 0.3750 | 0.5000 |" in capsys.readouterr().out
    record = json.loads(output.read_text(encoding="utf-8"))["mine"]["font:all, whole files"]
    assert record["confusion"] == {"flute": {"bass": 2}, "bass": {"bass": 3, "flute": 1}}


def made_up(cache: Path, seed: int) -> None:
    """Write layers in which each family lies elsewhere, and one family that isn't among the eleven."""
    draw = np.random.default_rng(seed)
    family = np.repeat([*ELEVEN, "percussion"], 30)
    place = np.random.default_rng(0).normal(0, 3, (12, 230))
    about = {"family": family, "group": np.array([f"{name} {i % 6}" for i, name in enumerate(family)])}
    found = {
        name: (place[np.repeat(np.arange(12), 30)] + draw.normal(0, 1, (360, 230))).astype(np.float32)
        for name in layers.LAYERS
    }
    cache.parent.mkdir(exist_ok=True)
    np.savez(cache, **found, **about)


def test_what_was_heard_before_is_judged_with_intervals(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    few = {"one layer": [["aisfx"]], "two": [["aisfx", "mtt_max"]], "the mean": [["aisfx"], ["mtt_max"]]}
    monkeypatch.setattr(layers, "SETS", few)
    cache = tmp_path / "cache"
    folders = [tmp_path / name for name in ("one", "two", "real")]
    for seed, (folder, how) in enumerate(zip(folders, ("8", "8", "score"), strict=True)):
        folder.mkdir()
        (folder / "manifest.csv").write_text(f"file\n{folder.name}.wav\n", encoding="utf-8")
        made_up(layers.place(cache, folder, how), seed)
    output = tmp_path / "layers.json"
    one, two, real = map(str, folders)
    command = ["--learn", one, two, "--score", real, "--cache", str(cache)]
    assert layers.main([*command, "--output", str(output)]) == 0
    results = json.loads(output.read_text(encoding="utf-8"))
    assert list(results) == ["one", "one + two"]
    assert list(results["one"]) == list(layers.SETS)
    for found in results.values():
        assert all(one["of eleven"]["balanced"] > 0.95 for one in found.values())
    assert "| the mean | one + two | 1.00 (" in capsys.readouterr().out


def test_another_collection_of_the_same_name_is_heard_itself(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    mine, theirs = tmp_path / "font", tmp_path / "other" / "font"
    found = [
        layers.place(tmp_path, collection(folder, real=real), "8")
        for folder, real in ((mine, False), (theirs, True))
    ]
    assert found[0] != found[1]
    assert found[0] == layers.place(tmp_path, mine, "8")
    assert found[0] != layers.place(tmp_path, mine, "score")


def test_few_notes_have_fewer_components(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made_up(tmp_path / "cache" / "few.npz", 0)
    with np.load(tmp_path / "cache" / "few.npz") as file:
        few = {name: values[:330:3] for name, values in file.items()}
    assert layers.judge(few, few, [["aisfx"]])["of eleven"]["balanced"] > 0.9
    assert "110 notes: 55 components in place of 200" in capsys.readouterr().err


@pytest.mark.parametrize(
    "command", [["--learn", "here", "--score", "nowhere"], ["--learn", "here", "--score", "old"]]
)
def test_folders_that_cant_be_combined_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    collection(tmp_path / "here", real=False)
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "manifest.csv").write_text(
        "file,family,gm_program\na.wav,bass,37\n", encoding="utf-8"
    )
    with pytest.raises(SystemExit):
        combine.main([*command, "--output", "out/both.csv"])
    told = {
        "nowhere": "--score: expected a folder with a manifest.csv, got nowhere",
        "old": "old: expected notes with the column program or instrument, got file, family, gm_program",
    }
    assert told[command[-1]] in capsys.readouterr().err


def test_the_script_for_a_card_goes_on_where_it_was(tmp_path: Path) -> None:
    learn, score = collection(tmp_path / "font", real=False), collection(tmp_path / "real", real=True)
    script, output = RECIPES / "train" / "gpu_full.sh", tmp_path / "out"
    small = {"DEVICE": "cpu", "WIDTH": "2", "EPOCHS": "1", "EACH": "2", "METHODS": "con-reg"}
    command = ["bash", str(script), str(output), str(score), str(learn)]
    done = subprocess.run(command, env=os.environ | small, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "con-reg on musicnn: f1 " in done.stdout
    record = json.loads((output / "con-reg.json").read_text(encoding="utf-8"))
    assert 0 <= record["test"]["balanced"] <= 1
    (output / "con-reg.json").unlink()
    late = small | {"SECONDS_AT_MOST": "0"}
    done = subprocess.run(command, env=os.environ | late, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (
        1,
        "time is up before con-reg; the same command goes on",
    )
    assert len(list((output / "embeddings").rglob("*.npz"))) == 16, "kept for other methods"


def test_ctrl_c_ends_the_script_for_a_card(tmp_path: Path) -> None:
    pytest.importorskip("pty", reason="a terminal of Linux or macOS")
    learn, score = collection(tmp_path / "font", real=False), collection(tmp_path / "real", real=True)
    script, output = RECIPES / "train" / "gpu_full.sh", tmp_path / "out"
    long = {"DEVICE": "cpu", "WIDTH": "2", "EPOCHS": "100000", "METHODS": "none"}
    long["SECONDS_AT_MOST"] = "1200"
    command = ["bash", str(script), str(output), str(score), str(learn)]
    terminal = f"import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn({command})))"
    with subprocess.Popen(
        [sys.executable, "-c", terminal], env=os.environ | long, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as running:
        while running.poll() is None and not list(output.glob("kept/*.pt")):
            time.sleep(0.1)
        shown, _ = running.communicate(b"\x03")
        assert running.returncode == 130, shown.decode()
    assert b"stopped; the same command goes on" in shown
    assert b"Traceback" not in shown
