"""The trainer's losses are those by hand, its filterbank is ours, and trained parts run the same here."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest
from helpers import GUITAR

torch = pytest.importorskip("torch", reason="recipes are PyTorch: pip install '.[recipes]'")
pytest.importorskip("onnx", reason="recipes are exported by onnx: pip install '.[recipes]'")

import compose  # noqa: E402
import instruments  # noqa: E402
import losses  # noqa: E402
import run as command  # noqa: E402
import tables  # noqa: E402
import trainer  # noqa: E402
from harmonic_network import HarmonicFilterbank  # noqa: E402
from methods import METHODS  # noqa: E402

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:torch")

FAMILIES = ["bass", "brass", "flute"]


@pytest.fixture(scope="module")
def clips(guitar_16k: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return twelve clips of 2 s, four of each of three families: the guitar low, as it is, and high."""
    torch.set_num_threads(1)
    one = guitar_16k[16_000:80_000]
    parts = [one[start : start + 32_000] for start in range(0, 32_000, 8_000)]
    tone = np.sin(np.arange(32_000, dtype=np.float32) * np.float32(0.05))
    high = [np.diff(part, prepend=np.float32(0)) for part in parts]
    return np.stack([*parts, *[part * tone for part in parts], *high])


@pytest.fixture(scope="module")
def notes(clips: NDArray[np.float32]) -> instruments.Notes:
    """Return the clips as the trainer takes them, the last of each family for the test."""
    spectrum, branch = fa.Spectrogram(**instruments.SPECTROGRAM), instruments.feature_branch()
    power, feature = (
        torch.from_numpy(np.stack(rows))
        for rows in ([spectrum(clip) for clip in clips], [branch(clip)[0] for clip in clips])
    )
    batch = instruments.Batch(power, feature, torch.arange(3).repeat_interleave(4))
    return instruments.Notes(batch, FAMILIES, torch.arange(12) // 2, torch.arange(12) % 4 == 3)


def cosine_distance(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    return 1 - float(a @ b / np.sqrt((a @ a) * (b @ b)))


def test_con_reg_is_the_papers_second_equation() -> None:
    got = losses.con_reg(
        torch.tensor([[1.0, 0.0], [1.0, 1.0], [3.0, 0.0]]),
        torch.tensor([[0.0, 2.0], [2.0, 2.0], [-1.0, 0.0]]),
    )
    assert float(got) == pytest.approx((1 + 0 + 2) / 3)  # these are at a right angle, parallel, and opposite


def test_dis_reg_is_the_papers_third_equation_over_all_pairs() -> None:
    rng = np.random.default_rng(1)
    embedding, feature = rng.standard_normal((7, 5)), rng.standard_normal((7, 9))
    pairs = [(i, j) for i in range(7) for j in range(7) if i != j]
    want = np.mean(
        [
            abs(cosine_distance(embedding[i], embedding[j]) - cosine_distance(feature[i], feature[j]))
            for i, j in pairs
        ]
    )
    assert float(losses.dis_reg(torch.tensor(embedding), torch.tensor(feature))) == pytest.approx(want)


def test_dis_reg_sees_distances_only() -> None:
    rows = torch.randn(6, 4, generator=torch.Generator().manual_seed(2))
    turned = rows @ torch.linalg.qr(torch.randn(4, 4, generator=torch.Generator().manual_seed(3)))[0]
    assert float(losses.dis_reg(rows, 7 * turned)) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("q", [0.8, 1.0, 1.37])
def test_the_learnt_filterbank_is_ours(
    clips: NDArray[np.float32], notes: instruments.Notes, q: float
) -> None:
    filterbank = HarmonicFilterbank()
    with torch.no_grad():
        filterbank.q.fill_(q)
        got = filterbank(notes.batch.power).numpy()
    front = compose.harmonic_front(q)
    want = np.concatenate([front(clip) for clip in clips])
    heard = want > want.max(axis=(1, 2, 3), keepdims=True) - 60
    np.testing.assert_allclose(got[heard], want[heard], rtol=0, atol=1e-3)
    assert got.shape == want.shape == (12, 126, 6, 128)


def test_q_is_learnt(notes: instruments.Notes) -> None:
    filterbank = HarmonicFilterbank()
    filterbank(notes.batch.power[:1]).sum().backward()
    assert float(filterbank.q.grad) < 0  # narrower filters hold less power


def test_a_share_is_drawn_within_each_family_and_grows(notes: instruments.Notes) -> None:
    learn, score = notes.split()
    assert score.tolist() == [3, 7, 11]
    third, two = (set(notes.sample(learn, share, seed=4).tolist()) for share in (0.34, 0.67))
    assert third < two < set(learn.tolist())
    assert sorted(row // 4 for row in third) == [0, 1, 2]
    assert third != set(notes.sample(learn, 0.34, seed=5).tolist())


def test_a_fold_holds_out_a_program_a_family_and_never_sees_the_test(notes: instruments.Notes) -> None:
    learn, score = notes.split(fold=1)
    assert score.tolist() == [2, 6, 10]  # this is the second program of each family without its test note
    assert learn.tolist() == [0, 1, 4, 5, 8, 9]


def short(notes: instruments.Notes, method: str, seed: int = 0, steps: int = 8) -> tuple[Any, dict[str, Any]]:
    """Return a run that takes a second."""
    return trainer.run(notes, trainer.Run(method, 1.0, seed), trainer.Settings(steps=steps, batch=6))


@pytest.mark.parametrize("name", METHODS)
def test_training_lowers_the_loss(notes: instruments.Notes, name: str) -> None:
    torch.manual_seed(0)
    method = METHODS[name](len(FAMILIES))
    learn, _ = notes.split()
    steps = 60 if name == "feature-only" else 20
    losses_seen = trainer.train(method, notes.batch[learn], steps, trainer.Settings(batch=6)).losses
    assert np.mean(losses_seen[-5:]) < 0.9 * np.mean(losses_seen[:5])


def test_one_seed_gives_one_result_and_another_seed_another(notes: instruments.Notes) -> None:
    (a, first), (b, second), (c, _) = (short(notes, "con-reg", seed) for seed in (0, 0, 1))
    learn, _ = notes.split()
    rows = [trainer.predict(method, notes.batch[learn]) for method in (a, b, c)]
    assert torch.equal(rows[0], rows[1])
    assert not torch.equal(rows[0], rows[2])
    first.pop("processor_s"), second.pop("processor_s")
    assert first == second


def test_scores_are_those_by_hand() -> None:
    matrix = trainer.confusion(torch.tensor([0, 0, 1, 1]), torch.tensor([0, 0, 0, 1]), 3)
    assert matrix.tolist() == [[2, 1, 0], [0, 1, 0], [0, 0, 0]]
    got = trainer.scores(matrix)
    assert got["accuracy"] == pytest.approx(3 / 4)
    assert got["macro_f1"] == pytest.approx((4 / 5 + 2 / 3 + 0) / 3)


@pytest.mark.parametrize("name", METHODS)
def test_a_trained_method_runs_here_as_in_torch(
    clips: NDArray[np.float32], notes: instruments.Notes, name: str, tmp_path: Path
) -> None:
    method, record = short(notes, name)
    with torch.no_grad():
        method.decoder.layers[-1].weight.mul_(20)  # scores are far from equal, so that differences show
        want = trainer.predict(method, notes.batch).softmax(1).numpy()
    assert np.ptp(want, axis=1).min() > 0.1
    pipeline = fa.Pipeline(compose.compose(method, FAMILIES, tmp_path))
    got = np.concatenate([pipeline(clip, sample_rate=16_000).scores for clip in clips])
    np.testing.assert_allclose(got, want, rtol=0, atol=1e-5)
    kinds = [type(pipeline.node[i]).__name__ for i in range(len(pipeline.node))]
    assert ("Concat" in kinds, "Film" in kinds) == (name == "concat", name == "film")
    own = sum(p.numel() for module in method.inference_modules() for p in module.parameters())
    assert record["parameters"] == own + (787_159 if method.needs_feature else 0)
    pipeline.save(tmp_path / "card.json")
    again = fa.Pipeline.load(tmp_path / "card.json")(GUITAR)
    np.testing.assert_allclose(again.scores, pipeline(GUITAR).scores, rtol=0, atol=1e-6)
    assert len(again.scores) == 5


def test_short_and_long_clips_give_the_rows_stated(
    notes: instruments.Notes, clips: NDArray[np.float32], tmp_path: Path
) -> None:
    pipeline = fa.Pipeline(compose.compose(short(notes, "plain")[0], FAMILIES, tmp_path))
    brief = pipeline(clips[0][:8_000], sample_rate=16_000)
    padded = pipeline(np.pad(clips[0][:8_000], (0, 24_000)), sample_rate=16_000)
    assert brief.scores.shape == (1, 3)
    np.testing.assert_allclose(brief.scores, padded.scores, rtol=0, atol=1e-6)
    assert pipeline(np.tile(clips[0], 2)[:40_000], sample_rate=16_000).scores.shape == (2, 3)


def test_the_command_goes_on_where_it_was(
    notes: instruments.Notes,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    asked: list[trainer.Run] = []

    def train_all(_: Any, missing: list[trainer.Run], *__: Any) -> Any:
        for what in missing:
            asked.append(what)
            yield short(notes, what.method, what.seed, steps=1)[1] | {"fraction": what.fraction}

    monkeypatch.setattr(command, "read", lambda *_: notes)
    monkeypatch.setattr(command, "train_all", train_all)
    output, plot = tmp_path / "results.json", tmp_path / "plot.svg"
    first = ["--data", ".", "--output", str(output), "--methods", "plain", "--fractions", "0.5", "1"]
    assert command.main([*first, "--seeds", "0"]) == 0
    assert command.main([*first, "--seeds", "0", "1"]) == 0
    assert [(what.fraction, what.seed) for what in asked] == [(1, 0), (0.5, 0), (1, 1), (0.5, 1)]
    assert len(json.loads(output.read_text(encoding="utf-8"))["runs"]) == 4
    assert "| method | 50% | 100% |" in capsys.readouterr().out
    assert command.main([*first, "--seeds", "0", "--steps", "3"]) == 2
    assert "expected results of" in capsys.readouterr().err
    pytest.importorskip("matplotlib")
    assert command.main([*first, "--plot", str(plot)[:-3] + "svg", "--seeds", "0", "1"]) == 0
    assert plot.stat().st_size > 1000


def test_the_table_is_that_by_hand() -> None:
    records = [
        {
            "method": "plain",
            "fraction": 1.0,
            "seed": seed,
            "accuracy": a,
            "parameters": 1234,
            "processor_s": 60,
        }
        for seed, a in enumerate([0.4, 0.5, 0.6])
    ]
    lines = tables.table(records, ["plain", "film"]).splitlines()
    assert lines[2:] == [
        "| plain | 0.500 ± 0.100 | 1,234 |",
        "",
        "accuracy, mean ± deviation over seeds [0, 1, 2]; 3 min of processor time",
    ]


def test_notes_of_the_shared_folder_are_read_and_checked(shared: Path, tmp_path: Path) -> None:
    manifest = (shared / "instruments" / "manifest.csv").read_text(encoding="utf-8").splitlines()
    (tmp_path / "train").mkdir()
    name = manifest[1].split(",")[0]
    (tmp_path / "manifest.csv").write_text("\n".join(manifest[:2]), encoding="utf-8")
    (tmp_path / name).write_bytes((shared / "instruments" / name).read_bytes())
    read = instruments.read_notes(tmp_path)
    assert read.families == ["bass"]
    assert read.batch.power.shape == (1, 126, 257)
    assert read.batch.feature.shape == (1, 200)
    (tmp_path / name).write_bytes(GUITAR.read_bytes())
    with pytest.raises(ValueError, match=r"expected \(32000,\) samples at 16000 Hz, got .* at 44100 Hz"):
        instruments.read_notes(tmp_path)
