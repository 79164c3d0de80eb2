"""Training the five methods at full size: the best epoch, the optimisers, and runs that are gone on with."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="recipes are PyTorch: pip install '.[recipes]'")
pytest.importorskip("onnx", reason="recipes are exported by onnx: pip install '.[recipes]'")

import curves  # noqa: E402
import fastaudio as fa  # noqa: E402
import informed  # noqa: E402
import informed_data  # noqa: E402
import informed_training as training  # noqa: E402
from checkpoint import Checkpoint  # noqa: E402
from fastaudio.heads.cache import EmbeddingCache  # noqa: E402
from way import Way  # noqa: E402

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:torch")

SMALL = 4  # filters
TEN = informed.Feature("ten", 16, 10.0, 0)
SPLITS = ["train"] * 3 + ["validation"] + ["test"] * 2


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """Use one thread: the last digits depend on it."""
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def clips() -> informed_data.Clips:
    """Return six clips of 5.5 s of noise with made-up features."""
    generator = torch.Generator().manual_seed(0)

    def clip(i: int) -> informed_data.Clip:
        samples = 0.1 * torch.randn(88_000, generator=generator)
        feature = torch.randn(55, 16, generator=generator)
        truth = torch.tensor([float(i % 2 == 0), float(i % 3 == 0)])
        return informed_data.Clip(samples, feature, truth, SPLITS[i])

    return informed_data.Clips([clip(i) for i in range(6)], ["car", "siren"], TEN)


def test_the_best_epoch_by_validation_is_kept(
    clips: informed_data.Clips, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    system = training.System(informed.Method(2, TEN, SMALL))
    values = iter([0.2, 0.7, 0.7])
    seen: list[dict[str, Any]] = []

    def metric(*_: Any) -> float:
        seen.append({name: value.clone() for name, value in system.state_dict().items()})
        return next(values)

    monkeypatch.setitem(training.METRICS, "f1", metric)
    history = training.train(system, clips, training.Settings(epochs=3, batch=3, chunks=1))
    assert [record["f1"] for record in history] == [0.2, 0.7, 0.7]
    kept = system.state_dict()
    assert all(torch.equal(kept[name], seen[1][name]) for name in kept), "the first of equals"
    assert not all(torch.equal(kept[name], seen[2][name]) for name in kept)


def test_sgd_takes_over_from_the_best_weights(
    clips: informed_data.Clips, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert [training.Settings().rate_of_sgd(e) for e in (79, 80, 100, 120)] == [None, 1e-3, 1e-4, 1e-5]
    torch.manual_seed(0)
    system = training.System(informed.Method(2, TEN, SMALL))
    values, began = iter([0.9, 0.1, 0.1]), []
    real = torch.optim.SGD

    def sgd(parameters: Any, **how: Any) -> Any:
        parameters = list(parameters)
        began.append((how["lr"], [p.detach().clone() for p in parameters]))
        return real(parameters, **how)

    best: list[Any] = []

    def metric(*_: Any) -> float:
        best.append([p.detach().clone() for p in system.parameters()])
        return next(values)

    monkeypatch.setattr(torch.optim, "SGD", sgd)
    monkeypatch.setitem(training.METRICS, "f1", metric)
    training.train(system, clips, training.Settings(epochs=3, batch=3, chunks=1, sgd={2: 0.01}))
    ((rate, weights),) = began
    assert rate == 0.01
    assert all(torch.equal(a, b) for a, b in zip(weights, best[0], strict=True))


def test_f1_counts_scores_from_a_tenth_up() -> None:
    truth, scores = np.array([[True, False], [True, True]]), np.array([[0.1, 0.09], [0.5, 0.05]])
    assert training.METRICS["f1"](truth, scores) == pytest.approx((1 + 2 / 3) / 2)


def test_balanced_accuracy_is_of_labels_that_exclude_one_another() -> None:
    truth = np.eye(3, dtype=bool)[[0, 0, 0, 1]]
    scores = np.array([[0.9, 0, 0.1], [0.2, 0.1, 0.7], [0.6, 0.5, 0.1], [0.1, 0.8, 0.3]])
    assert training.METRICS["balanced"](truth, scores) == pytest.approx((2 / 3 + 1) / 2)
    assert np.isnan(training.METRICS["balanced"](np.ones((2, 3), bool), scores[:2]))


def test_the_command_writes_a_record_and_the_best_weights(
    clips_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "first.json"
    command = [
        "--data",
        str(clips_folder),
        "--method",
        "film",
        "--feature",
        "musicnn",
        "--output",
        str(output),
    ]
    assert training.main([*command, "--width", "4", "--epochs", "1", "--chunks", "1"]) == 0
    record = json.loads(output.read_text(encoding="utf-8"))
    assert set(record["test"]) == {"f1", "pr_auc", "balanced"}
    assert len(record["history"]) == 1
    assert "film on musicnn: f1 " in capsys.readouterr().out
    weights = torch.load(output.with_suffix(".pt"), weights_only=True)
    again = training.System(informed.Film(2, informed.MUSICNN, 4))
    again.load_state_dict(weights)
    assert training.main([*command[:5], "vggish", *command[6:]]) == 2
    assert "expected --model" in capsys.readouterr().err


class StopError(Exception):
    """Stands for a machine that is switched off."""


def test_a_run_that_is_gone_on_with_has_the_bits_of_one_that_never_stopped(
    clips: informed_data.Clips, tmp_path: Path
) -> None:
    settings = training.Settings(epochs=6, batch=2, chunks=1, sgd={2: 0.01, 4: 0.001})

    def train(checkpoint: Checkpoint | None, until: int | None = None) -> tuple[training.System, list[Any]]:
        torch.manual_seed(3)
        system = training.System(informed.ConReg(2, TEN, SMALL))

        def stop(done: int, _: dict[str, float]) -> None:
            if done == until:
                raise StopError

        return system, training.train(system, clips, settings, stop, checkpoint=checkpoint)

    whole, want = train(None)
    kept = Checkpoint(tmp_path / "run.pt", {"method": "con-reg"})
    for until in (1, 3, 4):  # by Adam, in the midst of a rate of SGD, and just before the next
        with pytest.raises(StopError):
            train(kept, until)
    torch.rand(7)  # what else draws in between changes nothing
    resumed, got = train(kept)
    assert got == want
    theirs = resumed.state_dict()
    assert all(torch.equal(value, theirs[name]) for name, value in whole.state_dict().items())


def test_the_command_keeps_its_state_and_draws_its_curves(
    clips_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "new" / "out.json"
    command = ["--data", str(clips_folder), "--method", "none", "--output", str(output)]
    command += ["--width", "4", "--chunks", "1", "--epochs", "2", "--device", "auto", "--mixed"]
    command += ["--checkpoints", str(tmp_path / "kept"), "--curves", str(tmp_path / "curves")]
    whole = training.one_epoch

    def interrupted(*args: Any, **how: Any) -> float:
        monkeypatch.setattr(training, "one_epoch", stopped)
        return whole(*args, **how)

    def stopped(*_: Any, **__: Any) -> float:
        raise KeyboardInterrupt

    monkeypatch.setattr(training, "one_epoch", interrupted)
    assert training.main(command) == 130
    assert "stopped; the same command goes on" in capsys.readouterr().err
    assert len(list((tmp_path / "kept").glob("*.pt"))) == 1
    monkeypatch.setattr(training, "one_epoch", whole)
    assert training.main([*command, "--seed", "0"]) == 0
    record = json.loads(output.read_text(encoding="utf-8"))
    assert record["way"]["mixed"] is True
    assert len(record["history"]) == 2
    assert (tmp_path / "curves" / "curves.svg").stat().st_size > 1000
    assert not list((tmp_path / "kept").glob("*.pt")), "it is done"
    assert training.main([*command, "--device", "none"]) == 2
    assert "--device: expected one of" in capsys.readouterr().err


def test_a_checkpoint_stays_until_the_result_is_written(clips: informed_data.Clips, tmp_path: Path) -> None:
    how: dict[str, Any] = {"width": SMALL, "seed": 0, "way": Way(checkpoints=tmp_path)}
    settings = training.Settings(epochs=1, batch=3, chunks=1)
    written: list[dict[str, Any]] = []

    def full(*_: Any) -> None:
        raise OSError

    def write(_: training.System, record: dict[str, Any]) -> None:
        assert len(list(tmp_path.glob("*.pt"))) == 1
        written.append(record)

    with pytest.raises(OSError):  # noqa: PT011  # a full disk
        training.run(clips, "none", settings, **how, write=full)
    _, record = training.run(clips, "none", settings, **how, write=write)
    assert written == [record]
    assert len(record["history"]) == 1, "gone on with"
    assert not list(tmp_path.glob("*.pt"))


def test_embeddings_are_kept_for_other_methods(clips_folder: Path, tmp_path: Path) -> None:
    mel = fa.MelSpectrogram(sample_rate=16_000, n_fft=512, hop_length=1600, n_mels=16)
    embedder = fa.Pipeline(mel >> fa.Log(kind="log10"))
    kept = EmbeddingCache(tmp_path, embedder)

    def refuse(*_: Any) -> None:
        raise AssertionError

    first = informed_data.read_clips(clips_folder, TEN, embedder, kept=kept)
    again = informed_data.read_clips(clips_folder, TEN, refuse, kept=kept)
    assert len(list(tmp_path.rglob("*.npz"))) == 6
    assert all(torch.equal(a.feature, b.feature) for a, b in zip(first.clips, again.clips, strict=True))


def test_the_command_says_what_it_lacks_before_it_reads(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ["--data", str(tmp_path), "--method", "con-reg"]
    (tmp_path / "file").touch()
    for rest, told in (
        (["--output", str(tmp_path / "a.json")], "--method con-reg: expected --feature beside it, got none"),
        (["--output", str(tmp_path / "a.pt")], "--output: expected a record's name, such as a.json, got .pt"),
        (["--output", str(tmp_path)], f"--output: expected a file, got the folder {tmp_path}"),
        (["--output", str(tmp_path / "file" / "a.json")], "--output: expected a folder that can be made"),
    ):
        with pytest.raises(SystemExit):
            training.main([*command, *rest])
        assert told in capsys.readouterr().err

    def stopped(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(training, "read_clips", stopped)
    assert training.main([*command, "--feature", "musicnn", "--output", str(tmp_path / "a.json")]) == 130
    assert "stopped; with --checkpoints the same command goes on" in capsys.readouterr().err


def test_the_picture_names_each_metric() -> None:
    assert set(curves.METRICS) == set(training.METRICS)
