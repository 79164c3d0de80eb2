"""Long runs: gone on with from a checkpoint, with the best weights, on a device, and seen as curves."""

from __future__ import annotations

import csv
import json
import multiprocessing
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile

torch = pytest.importorskip("torch", reason="recipes are PyTorch: pip install '.[recipes]'")
pytest.importorskip("onnx", reason="recipes are exported by onnx: pip install '.[recipes]'")

import curves  # noqa: E402
import device  # noqa: E402
import instruments  # noqa: E402
import run as command  # noqa: E402
import sources  # noqa: E402
import trainer  # noqa: E402
from augment import augment  # noqa: E402
from checkpoint import Checkpoint  # noqa: E402
from methods import METHODS  # noqa: E402

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:torch")

SETTINGS = trainer.Settings(steps=12, batch=4)


@pytest.fixture(scope="module")
def notes() -> instruments.Notes:
    """Return 24 notes of noise of three families, of four programs each, one of these for the test."""
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(0)
    power = torch.rand(24, 126, 257, generator=generator) ** 4
    target = torch.arange(24) // 8
    power *= 1 + target[:, None, None] * torch.linspace(0, 4, 257)
    batch = instruments.Batch(power, torch.rand(24, 200, generator=generator), target)
    program = torch.arange(24) // 2
    return instruments.Notes(batch, ["a", "b", "c"], program, program % 4 == 3)


class Stop(Exception):  # noqa: N818
    """Ends a run in its midst."""


def stop_at(step: int) -> object:
    def progress(done: int, _: float) -> None:
        if done == step:
            raise Stop

    return progress


@pytest.mark.parametrize("name", ["con-reg", "film"])
@pytest.mark.parametrize("select", [False, True])
def test_a_run_that_is_gone_on_with_has_the_bits_of_one_that_never_stopped(
    notes: instruments.Notes, tmp_path: Path, name: str, select: bool
) -> None:
    way = trainer.Way(every=3, select=select)
    batch, held = notes.batch[torch.arange(16)], notes.batch[torch.arange(16, 24)] if select else None

    def train(checkpoint: Checkpoint | None, until: int | None = None) -> tuple[object, trainer.History]:
        torch.manual_seed(5)
        method = METHODS[name](3)
        progress = None if until is None else stop_at(until)
        how = {"way": way, "held": held, "checkpoint": checkpoint}
        return method, trainer.train(method, batch, 12, SETTINGS, progress, **how)

    whole, want = train(None)
    kept = Checkpoint(tmp_path / "run.pt", {"method": name})
    for until in (5, 8):  # the second time from a checkpoint, too
        with pytest.raises(Stop):
            train(kept, until)
    torch.rand(7)  # what else draws in between changes nothing
    resumed, got = train(kept)
    assert got.losses == want.losses
    assert got.validation == want.validation
    theirs = resumed.state_dict()
    assert all(torch.equal(value, theirs[key]) for key, value in whole.state_dict().items())


def test_a_checkpoint_of_another_run_or_a_damaged_one_is_refused(tmp_path: Path) -> None:
    method = METHODS["plain"](3)
    optimiser = torch.optim.AdamW(method.parameters())
    parts = method, optimiser, torch.optim.lr_scheduler.ConstantLR(optimiser)
    Checkpoint(tmp_path / "run.pt", {"steps": 1}).save(parts, {})
    with pytest.raises(ValueError, match=r"expected a run of \{'steps': 2\}, got \{'steps': 1\}; delete it"):
        Checkpoint(tmp_path / "run.pt", {"steps": 2}).read()
    (tmp_path / "run.pt").write_bytes(b"no checkpoint")
    with pytest.raises(ValueError, match="expected a checkpoint, got another file; delete it"):
        Checkpoint(tmp_path / "run.pt", {"steps": 1}).read()


def test_the_weights_that_are_best_on_held_out_programs_are_kept(notes: instruments.Notes) -> None:
    learn, score = notes.split()
    rest, held = trainer.held_out(notes, learn, fold=1)
    assert not set(held.tolist()) & set(rest.tolist())
    assert set(held.tolist()) | set(rest.tolist()) == set(learn.tolist())
    assert notes.program[held].unique().tolist() == [1, 5, 9]
    assert not set(held.tolist()) & set(score.tolist())
    torch.manual_seed(0)
    method = METHODS["plain"](3)
    way = trainer.Way(every=2, select=True)
    history = trainer.train(method, notes.batch[rest], 8, SETTINGS, way=way, held=notes.batch[held])
    assert [step for step, _ in history.validation] == [2, 4, 6, 8]
    right = trainer.predict(method, notes.batch[held]).argmax(1) == notes.batch.target[held]
    assert float(right.double().mean()) == history.best_accuracy


def test_mixed_precision_lowers_the_loss_as_well(notes: instruments.Notes) -> None:
    torch.manual_seed(0)
    method = METHODS["plain"](3)
    way = trainer.Way(mixed=True)
    losses = trainer.train(method, notes.batch, 12, SETTINGS, way=way).losses
    assert np.mean(losses[-4:]) < np.mean(losses[:4])
    assert all(p.dtype == torch.float32 for p in method.parameters())


@pytest.mark.parametrize("name", METHODS)
def test_all_that_a_loss_is_made_of_lies_on_the_notes_device(notes: instruments.Notes, name: str) -> None:
    """Tensors on the device "meta" have no values, and refuse to be mixed with others."""
    meta = torch.device("meta")
    method = METHODS[name](3).to(meta)
    assert method.loss(notes.batch.to(meta), augment).device == meta


def test_devices_that_are_not_there_are_refused() -> None:
    assert device.chosen("cpu").type == "cpu"
    assert device.chosen("auto").type in device.NAMES
    with pytest.raises(
        ValueError, match=r"--device: expected one of .*cpu, got tpu; this machine has no other"
    ):
        device.chosen("tpu")


def test_the_defaults_change_no_table() -> None:
    assert trainer.Way().changes() == {}
    assert trainer.Way(select=True, every=5).changes() == {"select": True, "every": 5}


def test_curves_are_kept_and_drawn(notes: instruments.Notes, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    way = trainer.Way(every=4, select=True, curves=tmp_path / "curves", checkpoints=tmp_path / "kept")
    _, record = trainer.run(notes, trainer.Run("plain", 1.0, 0), SETTINGS, way)
    (told,) = curves.read(tmp_path / "curves")
    assert told["name"] == "plain-1.0-0"
    assert len(told["losses"]) == 12
    assert [step for step, _ in told["validation"]] == [4, 8, 12]
    assert record["selected_step"] in (4, 8, 12)
    assert list((tmp_path / "kept").iterdir()) == []  # it is done
    curves.plot(tmp_path / "curves", tmp_path / "curves.svg")
    assert (tmp_path / "curves.svg").stat().st_size > 5_000


def test_the_mean_of_a_curve_is_that_by_hand() -> None:
    assert curves.smoothed([2.0, 4.0, 6.0]) == [2.0, 3.0, 4.0]
    assert curves.smoothed([0.0] * 10 + [10.0])[-1] == pytest.approx(1.0)


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """Return a manifest of 12 short tones at another rate, in three folds, and one file that is gone."""
    rows = []
    for i in range(12):
        t = np.arange(22_050) / 22_050
        name = f"{i}.wav"
        soundfile.write(tmp_path / name, 0.1 * np.sin(2 * np.pi * (200 + 700 * (i % 2)) * t), 22_050)
        rows.append([name, ["low", "high"][i % 2], i // 4, f"g{i // 2}"])
    rows.append(["gone.wav", "low", 0, "g0"])
    with (tmp_path / "labels.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["path", "label", "fold", "group"], *rows])
    return tmp_path / "labels.csv"


def test_a_manifest_becomes_notes(manifest: Path, capsys: pytest.CaptureFixture[str]) -> None:
    read = sources.read_labelled(manifest)
    assert read.families == ["high", "low"]
    assert read.batch.power.shape == (12, 126, 257)
    assert read.is_test.tolist() == [False] * 8 + [True] * 4
    assert read.program.tolist() == [i // 2 for i in range(12)]
    assert "expected a file, got no 'gone.wav'" in capsys.readouterr().out
    assert float(read.batch.power[0, 90:].max()) < 1e-6  # what follows a short sound is silence


def test_the_command_trains_on_a_manifest(
    manifest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("matplotlib")
    options = ["--methods", "feature-only", "--fractions", "1", "--seeds", "0", "--steps", "4", "--jobs", "1"]
    more = ["--curves", str(tmp_path / "c"), "--checkpoints", str(tmp_path / "k"), "--every", "2"]
    output = tmp_path / "results.json"
    assert command.main(["--data", str(manifest), "--output", str(output), *options, *more]) == 0
    assert len(json.loads(output.read_text(encoding="utf-8"))["runs"]) == 1
    assert (tmp_path / "c" / "curves.svg").is_file()
    again = ["--data", str(manifest), "--output", str(output), *options]
    assert command.main([*again, "--device", "tpu"]) == 2
    assert command.main([*again, "--select"]) == 2  # other numbers belong into another file
    assert "expected results of" in capsys.readouterr().err


def test_an_error_ends_the_workers_that_have_begun() -> None:
    worker = multiprocessing.get_context("spawn").Process(target=time.sleep, args=(600,))
    worker.start()
    with pytest.raises(KeyboardInterrupt), command.closing_now(ThreadPoolExecutor(1)):
        raise KeyboardInterrupt
    worker.join(120)
    assert worker.exitcode not in (None, 0)
