"""The heads of `instruments`: fair draws, calibration, and one network of aiSFX and the heads."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="recipes are PyTorch: pip install '.[recipes]'")
onnx = pytest.importorskip("onnx", reason="pip install '.[recipes]'")

import fastaudio as fa  # noqa: E402
import fit  # noqa: E402
import fit_heads  # noqa: E402
import hear  # noqa: E402
import judge  # noqa: E402
import programs  # noqa: E402
import publish_heads  # noqa: E402
import soundfile  # noqa: E402
import vary  # noqa: E402
import world  # noqa: E402

if TYPE_CHECKING:
    from types import ModuleType


def collection(*, real: bool) -> hear.Heard:
    """Return embeddings that say their family by one value, and their instrument by another."""
    rows = [
        {"file": f"{name}{i}", "family": family, "instrument": name, "pitch": str(i)}
        | ({"dynamic": "forte"} if real else {"program": str(number)})
        for family, name, number, n in (
            ("flute", "flute", 73, 12),
            ("flute", "whistle", 78, 3),
            ("reed", "oboe", 68, 9),
        )
        for i in range(n)
    ]
    embedding = np.random.default_rng(0).normal(0, 0.1, (len(rows), fit_heads.EMBEDDING)).astype(np.float32)
    for values, row in zip(embedding, rows, strict=True):
        values[("flute", "whistle", "oboe").index(row["instrument"])] += 2
    return hear.Heard(embedding, rows)


def parts() -> list[fit_heads.Part]:
    found = [collection(real=real) for real in (True, False)]
    return [(one, np.ones(len(one.rows), bool)) for one in found]


def test_families_are_drawn_as_often_and_recorded_notes_as_often_as_told() -> None:
    weight = fit_heads.drawn(parts(), recorded=3)
    family = np.concatenate([one.column("family") for one, _ in parts()])
    real = np.arange(len(weight)) < len(weight) // 2
    assert weight.sum() == pytest.approx(1)
    for label in ("flute", "reed"):
        assert weight[family == label].sum() == pytest.approx(0.5)
        assert weight[(family == label) & real].sum() == pytest.approx(0.75 * 0.5)


def test_training_tells_three_instruments_apart_and_comes_again() -> None:
    names = ["flute", "oboe", "whistle", programs.NOTHING]
    heads, again = (fit_heads.train(parts(), names, steps=60, seed=1) for _ in range(2))
    found = collection(real=True)
    family, kind = fit_heads.logits(heads, found.embedding)
    assert [programs.FAMILIES[i] for i in family.argmax(1)] == found.column("family").tolist()
    assert [names[i] for i in kind.argmax(1)] == found.column("instrument").tolist()
    assert torch.equal(family, fit_heads.logits(again, found.embedding)[0])


def test_the_joined_network_is_aisfx_with_the_heads(tmp_path: Path) -> None:
    torch.manual_seed(0)
    heads = fit_heads.Heads(4).eval()
    onnx.save(publish_heads.joined(heads, [1.5, 0.7]), tmp_path / "model.onnx")
    labels = [*programs.TITLES.values(), "oboe", "flute", "cello"]
    pipeline = fa.Pipeline(publish_heads.compose(tmp_path / "model.onnx", labels))
    publish_heads.agree(pipeline, heads, [1.5, 0.7])
    with pytest.raises(ValueError, match="expected PyTorch's within 1e-05"):
        publish_heads.agree(pipeline, heads, [3.0, 0.7])


def test_the_calibration_error_is_that_by_hand() -> None:
    sure = torch.tensor([[0.0, 0.0], [20.0, 0.0], [20.0, 0.0], [0.0, 20.0]])
    wrong_once = torch.tensor([0, 0, 1, 1])  # 0.5 and right; 1, of which two of three are right
    assert fit_heads.calibration_error(sure, wrong_once) == pytest.approx(0.25 * 0.5 + 0.75 / 3, abs=1e-6)


def test_notes_are_spread_over_a_programs_range() -> None:
    rows = [{"program": "1", "pitch": str(i)} for i in range(9)] + [{"program": "2", "pitch": "5"}]
    chosen = hear.spread(rows, 3)
    assert [(row["program"], row["pitch"]) for row in chosen] == [
        ("1", "0"),
        ("1", "4"),
        ("1", "8"),
        ("2", "5"),
    ]
    assert hear.spread(rows, 0) == rows


def test_a_note_is_heard_the_same_again(tmp_path: Path) -> None:
    x = (0.2 * np.sin(np.arange(110_250) * 0.05)).astype(np.float32)
    soundfile.write(tmp_path / "a.flac", x, 44_100)
    trunk = fa.Pipeline.load("aisfx")
    plain, varied, again = (
        hear.compute(trunk, tmp_path / "a.flac", varied=varied) for varied in (False, True, True)
    )
    assert plain.shape == (fit_heads.EMBEDDING,)
    np.testing.assert_array_equal(varied, again)
    assert not np.array_equal(plain, varied)
    assert len(vary.lightly(x, np.random.default_rng(0))) == len(x)


def test_the_loudest_part_of_a_recording_is_cut_out_and_music_is_left(tmp_path: Path) -> None:
    import random

    x = np.zeros(8 * 8000)
    x[5 * 8000 : 6 * 8000] = 0.5
    for name in ("door_1.wav", "door_2.wav", "door_3.wav", "music_1.wav"):
        soundfile.write(tmp_path / name, x, 8000)
    clip = world.loudest(tmp_path / "door_1.wav")
    assert clip is not None
    assert len(clip) == int(2.5 * 44_100)
    assert np.mean(clip > 0.25) == pytest.approx(1 / 2.5, abs=0.01)
    kept = list(world.drawn(tmp_path, 9, random.Random(0)))  # noqa: S311
    assert len(kept) == 2
    assert all(path.name.startswith("door") for path in kept)
    soundfile.write(tmp_path / "short.wav", x[:800], 8000)
    assert world.loudest(tmp_path / "short.wav") is None


HEARD = (
    "wind.ogg",
    "window_2.wav",
    "close.wav",
    "camera.ogg",
    "stone1.wav",
    "belly.wav",
    "generated/rain.wav",
)
LEFT = ("win.ogg", "you_win2.ogg", "YouWin.ogg", "lose-1.wav", "era/a.wav", "tones/440.wav", "tone440.wav",
        "doorbell.wav", "MainMenu.ogg")  # fmt: skip


@pytest.mark.parametrize(
    ("name", "kept"), [(name, True) for name in HEARD] + [(name, False) for name in LEFT]
)
def test_words_of_music_are_whole_words_below_the_folder(tmp_path: Path, name: str, kept: bool) -> None:
    import random

    folder = tmp_path / "generated" / "music"
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(folder / name, np.full(4000, 0.5), 8000, format="WAV")
    assert [path.name for path in world.drawn(folder, 9, random.Random(0))] == [Path(name).name] * kept  # noqa: S311


def test_a_folder_that_gives_no_sounds_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        world.main(["--sounds", f"{tmp_path / 'nowhere'}=3", "--output", str(tmp_path / "out")])
    assert f"files in {tmp_path / 'nowhere'} that are louder" in capsys.readouterr().err
    assert not (tmp_path / "out" / "manifest.csv").exists()
    with pytest.raises(SystemExit):
        world.main(["--sounds", str(tmp_path), "--output", str(tmp_path / "out")])
    assert "expected FOLDER=N with N above 0" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--heads", "a=a.pt"], "--heads: expected --heard FOLDER beside it, got none"),
        (["--network", "a=a.pt"], "--network: expected --spectra FOLDER beside it, got none"),
        (["--baseline", "a:train"], "--baseline: expected --spectra FOLDER beside it, got none"),
        (["--older", "m", "--spectra", "s"], "--older: expected --notes a=FOLDER beside --on a, got none"),
        ([], "expected --heads, --network, --baseline or --older, got none of them"),
        (["--heads", "a.pt"], "--heads: expected NAME=FILE, got a.pt"),
        (["--heads", "a=a.pt", "--heard", "h"], "--heads: expected a file that is there, got a.pt"),
        (
            ["--baseline", "a:test", "--spectra", "s"],
            "COLLECTION:PART with the part train or all, got a:test",
        ),
        (
            ["--baseline", "a:all", "--spectra", "s"],
            "--spectra: expected s/a/spectra.npz, written by spectra.py",
        ),
        (["--older", "m", "--notes", "a=nowhere"], "--notes: expected a folder with a manifest.csv"),
    ],
)
def test_judging_says_what_an_option_lacks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], told: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        judge.main([*words, "--on", "a:all", "--output", str(tmp_path / "results.json")])
    assert ended.value.code == 2
    assert told in capsys.readouterr().err
    assert not (tmp_path / "results.json").exists()


@pytest.mark.parametrize("part", ["a", "a:tset", ":test"])
def test_judging_names_the_parts_that_there_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], part: str
) -> None:
    with pytest.raises(SystemExit):
        judge.main(["--heads", "a=a.pt", "--on", part, "--output", str(tmp_path / "results.json")])
    wanted = "--on: expected COLLECTION:PART with the part all, train or test"
    assert f"{wanted}, got {part}" in capsys.readouterr().err


@pytest.mark.parametrize("command", [fit_heads, fit])
def test_only_what_is_for_training_is_learnt_from(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: ModuleType
) -> None:
    folder = "--heard" if command is fit_heads else "--spectra"
    rest = [folder, str(tmp_path), "--output", str(tmp_path / "made" / "a.pt")]
    for learn, told in (
        ("fluid:test", "expected COLLECTION:PART with the part train or all, got fluid:test"),
        ("fluid:train", f"{folder}: expected {tmp_path / 'fluid' / folder[2:]}.npz, written by"),
    ):
        with pytest.raises(SystemExit):
            command.main([*rest, "--learn", learn])
        assert told in capsys.readouterr().err


def write(folder: Path, found: hear.Heard) -> None:
    """Write a collection as `hear.py` does."""
    folder.mkdir(parents=True)
    np.savez(folder / "heard.npz", embedding=found.embedding)
    with (folder / "manifest.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, list(found.rows[0]))
        table.writeheader()
        table.writerows(found.rows)


def test_heads_are_written_into_a_new_folder_and_each_collection_has_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path / "heard" / "real", collection(real=True))
    clips = collection(real=False)
    write(tmp_path / "heard" / "clips", hear.Heard(clips.embedding[:3], clips.rows[:3]))
    heads, results = tmp_path / "new" / "heads.pt", tmp_path / "newer" / "results.json"
    heard = ["--heard", str(tmp_path / "heard")]
    assert fit_heads.main([*heard, "--learn", "real:all", "--steps", "3", "--output", str(heads)]) == 0
    command = [*heard, "--heads", f"mine={heads}", "--on", "real:all", "clips:all", "--output", str(results)]
    capsys.readouterr()
    assert judge.main(command) == 0
    real, refused = capsys.readouterr().out.splitlines()
    assert real.startswith("mine real:all {'real:all, of 11 families': ")
    assert refused.startswith("mine clips:all {'clips:all': ")
    assert list(json.loads(results.read_text(encoding="utf-8"))["mine"])[-1] == "clips:all"
