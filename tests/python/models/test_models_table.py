"""Each row of the tables in models/README.md runs as it says, and its numbers are those of the files."""

from __future__ import annotations

import csv
import json
import pickle
import re
import runpy
import shlex
import shutil
import subprocess
import sys
import warnings
from collections import Counter
from dataclasses import dataclass
from statistics import mean, stdev
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest
import soundfile
import warm
from helpers import GUITAR, RECIPES, ROOT, decode

if TYPE_CHECKING:
    from pathlib import Path

MODELS = ROOT / "models"
COLUMNS = ["name", "paper", "weights", "front end", "parameters", "size", "measured", "licence", "run"]
QUICK = ["--steps", "2", "--seeds", "0"]  # added to the lines of the trainer, of which each takes minutes
TORCH = "recipes are PyTorch: pip install '.[recipes]'"


@dataclass(frozen=True)
class Row:
    """A row of a table: its cells by column, without backticks."""

    cells: dict[str, str]

    def __getitem__(self, column: str) -> str:
        return self.cells[column]

    @property
    def parameters(self) -> int:
        return int(self["parameters"].replace(",", ""))

    @property
    def size_mb(self) -> float:
        match = re.fullmatch(r"([\d.]+) MB", self["size"])
        assert match, self["size"]
        return float(match[1])


def read_table() -> list[Row]:
    """Return all rows below a header of these columns."""
    rows, inside = [], False
    for line in (MODELS / "README.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip().strip("`") for cell in line.strip().strip("|").split("|")]
        inside = line.startswith("|") and (inside or cells == COLUMNS)
        if inside and cells != COLUMNS and not set(line) <= set("|- "):
            assert len(cells) == len(COLUMNS), line
            rows.append(Row(dict(zip(COLUMNS, cells, strict=True))))
    return rows


TABLE = read_table()
CARDS = {
    path.parent.name: json.loads(path.read_text(encoding="utf-8"))
    for path in sorted(MODELS.glob("*/card.json"))
}
SHIPPED = [row for row in TABLE if row["name"] in CARDS]
EXPORTED = [row for row in TABLE if row["run"].startswith("python models/recipes/papers/make.py")]
TRAINED = [row for row in TABLE if row["run"].startswith("python models/recipes/train/")]
MEASURED = [row for row in TABLE if row["run"].startswith("python models/recipes/instruments/measure.py")]


def row_id(row: Row) -> str:
    return row["name"]


def figures(value: Any) -> set[str]:
    """Return every number in a card's metrics, as the table would round it."""
    if isinstance(value, dict):
        return set().union(*map(figures, value.values()))
    return {f"{value:.{n}f}" for n in range(1, 5)} if isinstance(value, float) else {str(value)}


def figures_in(text: str) -> set[str]:
    """Return every number of a text, as the table would round it."""
    found = [float(number) for number in re.findall(r"\d\.\d+", text)]
    return set().union(*map(figures, found))


def test_every_shipped_model_has_one_row() -> None:
    assert sorted(row["name"] for row in SHIPPED) == list(CARDS)


def test_every_row_is_run() -> None:
    assert all(row["run"].startswith(("fastaudio ", "python ")) for row in TABLE)
    papers = {number for row in TABLE for number in row["paper"].split(", ")}
    assert papers >= set("12345"), "a system of each paper"


@pytest.mark.parametrize("row", SHIPPED, ids=row_id)
def test_a_shipped_models_numbers_are_its_cards_and_its_files(row: Row) -> None:
    card = CARDS[row["name"]]
    assert row.parameters == card["parameters"]
    assert row.size_mb == round((MODELS / row["name"] / "model.onnx").stat().st_size / 1e6, 1)
    assert row["licence"] == card["licence"]
    rate_khz = fa.Pipeline.load(row["name"]).sample_rate / 1000
    assert row["front end"].startswith(f"{rate_khz:g} kHz")
    known = figures(card.get("metrics", {}))
    assert set(re.findall(r"\d\.\d+", row["measured"])) <= known, "a figure that the card has"
    assert row["name"] in row["run"].split()


@pytest.mark.torch
@pytest.mark.parametrize("row", EXPORTED, ids=row_id)
def test_an_untrained_row_says_so_and_has_the_networks_numbers(row: Row) -> None:
    pytest.importorskip("torch", reason=TORCH)
    pytest.importorskip("onnx", reason=TORCH)
    sys.path.insert(0, str(RECIPES / "papers"))
    import make

    (recipe,) = [recipe for recipe in make.RECIPES if recipe.name == row["name"]]
    assert row.parameters == recipe.parameters
    assert row.size_mb == pytest.approx(4 * row.parameters / 1e6, rel=0.01, abs=0.1)
    rate_khz = recipe.front().input_spec.rate_hz / 1000
    assert row["front end"].startswith(f"{rate_khz:g} kHz")
    assert (row["weights"], row["measured"]) == ("recipe, untrained", "none")


@pytest.mark.parametrize("row", TRAINED, ids=row_id)
def test_a_trained_row_has_the_numbers_of_the_recorded_runs(row: Row) -> None:
    _, script, *rest = row["run"].split()
    file = "results" if script.endswith("run.py") else rest[0]
    data = json.loads((RECIPES / "train" / f"{file}.json").read_text(encoding="utf-8"))
    runs = [one for one in (data if isinstance(data, list) else data["runs"]) if one["method"] == row["name"]]
    assert {one["parameters"] for one in runs} == {row.parameters}
    found = [one["accuracy"] for one in runs if one["fraction"] == 1.0]
    assert len(found) == len({one["seed"] for one in runs}) == 5
    assert row["measured"] == f"accuracy {mean(found):.3f} ± {stdev(found):.3f}"


@pytest.mark.torch
@pytest.mark.parametrize("row", MEASURED, ids=row_id)
def test_a_measured_row_has_the_figures_that_its_line_prints(
    row: Row, shared: Path, request: pytest.FixtureRequest
) -> None:
    pytest.importorskip("torch", reason=TORCH)
    folders = {"RECORDED": str(shared / "instruments_real"), "NOTES": str(shared / "instruments")}
    _, *words = row["run"].split()
    said = run_script([folders.get(word, word) for word in words], request)
    assert set(re.findall(r"\d\.\d{3,}", row["measured"])) <= figures_in(said)


@pytest.mark.torch
def test_every_registered_recipe_has_a_row() -> None:
    pytest.importorskip("torch", reason=TORCH)
    pytest.importorskip("onnx", reason=TORCH)
    sys.path.insert(0, str(RECIPES / "papers"))
    import make

    assert sorted(row["name"] for row in EXPORTED) == sorted(recipe.name for recipe in make.RECIPES)


def sounds(folder: Path) -> Path:
    """Return a folder with a sub-folder for each of two labels."""
    samples, rate = decode(GUITAR)
    rng = np.random.default_rng(0)
    for i, start in enumerate(range(0, 6 * rate, rate)):
        clip = samples[start : start + 3 * rate]
        for label, x in (("guitar", clip), ("noise", rng.normal(0, 0.1, clip.shape))):
            (folder / label).mkdir(parents=True, exist_ok=True)
            soundfile.write(folder / label / f"{i}.wav", x, rate)
    return folder


def notes(folder: Path, shared: Path) -> Path:
    """Return a folder of shared notes, four of each family, two of them to learn from."""
    with (shared / "instruments" / "manifest.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    seen: Counter[tuple[str, str]] = Counter()
    folder.mkdir()
    with (folder / "manifest.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        for row in rows:
            seen[row["family"], row["split"]] += 1
            if seen[row["family"], row["split"]] <= 2:
                table.writerow(row)
                (folder / row["file"]).parent.mkdir(exist_ok=True)
                shutil.copy(shared / "instruments" / row["file"], folder / row["file"])
    return folder


def run_command(arguments: list[str]) -> str:
    """Return what the command line prints."""
    status, out, err = warm.run(*arguments, cwd=ROOT)
    assert status == 0, err
    return out


def run_program(arguments: list[str]) -> str:
    """Return what Python prints when it is started with these arguments."""
    start = [sys.executable, *arguments]
    result = subprocess.run(start, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout


def run_script(arguments: list[str], request: pytest.FixtureRequest) -> str:
    """Return what a script prints, run in this process so that PyTorch is imported once for all rows."""
    patch, captured = request.getfixturevalue("monkeypatch"), request.getfixturevalue("capsys")
    patch.chdir(ROOT)
    patch.setattr(sys, "argv", arguments)
    patch.syspath_prepend(str((ROOT / arguments[0]).parent))
    with warnings.catch_warnings():
        warnings.simplefilter("default")  # as in a fresh process
        with pytest.raises(SystemExit) as ended:
            runpy.run_path(arguments[0], run_name="__main__")
    said = captured.readouterr()
    assert not ended.value.code, said.err
    return said.out


def marked(row: Row) -> Any:
    """Return the row, marked if its line needs PyTorch."""
    marks = [pytest.mark.torch] if "models/recipes/" in row["run"] else []
    return pytest.param(row, id=row["name"], marks=marks)


@pytest.mark.parametrize("row", [marked(row) for row in TABLE if row not in MEASURED])
def test_a_rows_line_runs(row: Row, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    line = row["run"]
    needed = ["torch", "onnx"] if "models/recipes/" in line else []
    needed += ["sklearn", "onnx"] if "fastaudio train" in line else []
    for module in needed:
        pytest.importorskip(module, reason="pip install '.[recipes,train]'")
    if "SOUNDS" in line:
        line = line.replace("SOUNDS", sounds(tmp_path / "sounds").as_posix())
    if "NOTES" in line:
        folder = notes(tmp_path / "notes", request.getfixturevalue("shared"))
        line = line.replace("NOTES", folder.as_posix())
    if "ENCODER" in line:
        folder = request.getfixturevalue("shared") / "models" / "tag_encoder"
        line = line.replace("ENCODER", folder.as_posix())
    program, *arguments = shlex.split(line.replace("DIR", tmp_path.as_posix()))
    if "models/recipes/train/" in line:
        arguments += QUICK
        arguments += ["--jobs", "1"] if arguments[0].endswith("run.py") else []
    if arguments[0].endswith(".py"):
        said = run_script(arguments, request)
    else:
        said = run_command(arguments) if program == "fastaudio" else run_program(arguments)
    assert said.strip()
    if "NOTES" in row["run"]:
        assert f"| {row['name']} |" in said
        assert f"| {row['parameters']} |" in said


def test_no_shipped_model_and_no_published_front_end_warns() -> None:
    needed = {
        "ae_w2v": {"min": [0.0], "max": [1.0]},
        "firered": {"mean": [0.0] * 80, "std": [1.0] * 80},
        "vggish_postprocess": {"matrix": np.eye(128), "means": [0.0] * 128},
    }
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name in fa.models():
            pickle.loads(pickle.dumps(fa.Pipeline.load(name).node))  # noqa: S301  # our own
        for name in fa.presets.__all__:
            getattr(fa.presets, name)(**needed.get(name, {}))
        fa.HarmonicSpectrogram()
        fa.presets.harmonic_cnn(q=(0.9,))
