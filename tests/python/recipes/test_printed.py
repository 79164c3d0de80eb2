"""The papers' own settings: what a batch holds, what is trained when and how fast, and how it is judged."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="recipes are PyTorch: pip install '.[recipes]'")
pytest.importorskip("onnx", reason="recipes are exported by onnx: pip install '.[recipes]'")

import alignment_printed  # noqa: E402
import contrastive  # noqa: E402
import contrastive_printed  # noqa: E402
import svm  # noqa: E402
from alignment import Alignment  # noqa: E402
from contrastive import AsPrinted, NtXent, WithoutMixing  # noqa: E402
from instruments import Notes  # noqa: E402
from mel_notes import TaggedBatch  # noqa: E402
from mixing import Mixing, batch_split_mixing, mix, shift  # noqa: E402
from torch.nn import functional  # noqa: E402
from trainer import Settings  # noqa: E402

if TYPE_CHECKING:
    from numpy.typing import NDArray


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """Use one thread: the last digits depend on it."""
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def notes() -> Notes:
    """Return notes whose family is a band that is loud."""
    torch.manual_seed(0)
    power = torch.rand(24, 64, 64) + 1e-3
    target = torch.arange(24) % 2
    power[target == 0, :, :20] += 10
    power[target == 1, :, 40:] += 10
    words = torch.stack([1 + target, 3 + torch.arange(24) % 3], dim=1)
    feature = torch.randn(24, 6) + 3 * target[:, None]
    batch = TaggedBatch(power, feature, target, words)
    return Notes(batch, ["low", "high"], torch.arange(24) // 2 % 4 * 2 + target, torch.arange(24) >= 18)


def test_without_mixing_a_sound_is_only_moved() -> None:
    power, others = torch.rand(4, 16, 8), torch.rand(4, 16, 8)
    torch.manual_seed(3)
    got = mix(power, others, Mixing(only_offset=True))
    torch.manual_seed(3)
    assert torch.equal(got, shift(power, Mixing().largest_offset))
    halves, moved = batch_split_mixing(power, WithoutMixing.mixing)
    assert moved.shape == (2, 2, 16, 8)
    assert all(moved[h, k].max() <= power[halves[h, k]].max() for h in range(2) for k in range(2))
    assert not Mixing().only_offset


def test_a_batch_as_printed_holds_8_labelled_and_32_unlabelled_sounds(
    notes: Notes, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def watched(power: Any, ranges: Mixing) -> Any:
        seen.append(len(power))
        return batch_split_mixing(power, ranges)

    monkeypatch.setattr(contrastive, "batch_split_mixing", watched)
    batch = notes.batch[torch.arange(8)]
    for kind, n in ((AsPrinted, 40), (NtXent, 16)):
        method = kind(2)
        method.pool = notes.batch.power
        method.loss(batch, lambda same: same)
        assert seen.pop() == n
    assert (AsPrinted.temperature, AsPrinted.weight) == (0.01, 0.05)


def test_labels_arent_smoothed_as_printed(notes: Notes) -> None:
    method = AsPrinted(2)
    method.weight = 0.0
    method.decoder.eval()  # no dropout
    method.encoder.eval()
    batch = notes.batch[torch.arange(8)]
    want = functional.cross_entropy(method(batch), batch.target)
    assert method.loss(batch, lambda same: same).item() == pytest.approx(want.item(), rel=1e-4)


def test_labels_alone_are_learnt_first_and_faster(notes: Notes, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    method = AsPrinted(2)
    method.pool = notes.batch.power
    rates: list[float] = []
    stages: list[str] = []
    real = torch.optim.Adam

    def adam(parameters: Any, lr: float) -> Any:
        rates.append(lr)
        return real(parameters, lr=lr)

    monkeypatch.setattr(torch.optim, "Adam", adam)
    loss = method.loss
    monkeypatch.setattr(method, "loss", lambda *given: (stages.append("both"), loss(*given))[1])
    start = [p.clone() for p in method.projection.parameters()]
    batch = notes.batch[torch.arange(16)]
    settings = contrastive_printed.Printed(warm_up_epochs=2, epochs=0)
    assert len(contrastive_printed.train_as_printed(method, batch, settings)) == 2
    assert not stages
    after = list(method.projection.parameters())
    assert all(torch.equal(a, b) for a, b in zip(start, after, strict=True)), "the warm-up has no projection"
    settings = contrastive_printed.Printed(warm_up_epochs=0, epochs=3)
    assert len(contrastive_printed.train_as_printed(method, batch, settings)) == 3
    assert len(stages) == 3 * 2, "16 labelled sounds are two batches"
    assert rates == [1e-4, 1e-5] * 2
    assert contrastive_printed.Printed() == contrastive_printed.Printed(8, 20, 1e-4, 100, 1e-5)


@pytest.mark.parametrize("name", list(contrastive_printed.METHODS))
def test_a_run_is_scored_on_the_test_notes_and_repeats(name: str, notes: Notes) -> None:
    how: dict[str, Any] = {
        "settings": Settings(steps=2, batch=8),
        "printed": contrastive_printed.Printed(warm_up_epochs=1, epochs=1),
    }
    first, again = (contrastive_printed.run(notes, name, 0.5, 1, **how) for _ in range(2))
    first.pop("processor_s"), again.pop("processor_s")
    assert first == again
    assert first["method"] == name
    assert 0 <= first["accuracy"] <= 1


def test_the_alignment_learns_by_plain_descent_in_batches_of_128(notes: Notes) -> None:
    torch.manual_seed(0)
    method = Alignment(6)
    settings = alignment_printed.Printed(batch=12, epochs=6)
    losses = alignment_printed.train_as_printed(method, notes.batch, settings)
    assert len(losses) == 6
    assert losses[-1] < losses[0]
    assert alignment_printed.Printed() == alignment_printed.Printed(128, 0.005, 200)


def test_an_embedding_is_judged_by_ten_classifiers_of_256_units(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    y = torch.arange(60) % 3
    x = torch.from_numpy(rng.normal(size=(60, 5)) * [1, 100, 1, 1, 1]).float()
    x[:, 0] += 8 * y  # standardised, this counts as much as the second, which is larger
    learn, score = torch.arange(40), torch.arange(40, 60)
    made: list[Any] = []
    real = alignment_printed.MLPClassifier

    def classifier(hidden: tuple[int, ...], random_state: int) -> Any:
        made.append((hidden, random_state))
        return real(hidden, random_state=random_state)

    monkeypatch.setattr(alignment_printed, "MLPClassifier", classifier)
    found = alignment_printed.judge(x, y, learn, score)
    assert made == [((256,), seed) for seed in range(10)]
    assert np.mean(found) > 0.8


def test_the_support_vector_machine_is_chosen_over_whole_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    y = np.arange(60) % 2
    groups = np.arange(60) // 2 % 10 * 2 + y
    x = (rng.normal(size=(60, 4)) + 2 * y[:, None]).astype(np.float32)
    seen: list[NDArray[np.int64]] = []
    real = svm.StratifiedGroupKFold.split

    def split(self: Any, *given: Any, **how: Any) -> Any:
        for learnt, judged in real(self, *given, **how):
            seen.append(np.intersect1d(groups[learnt], groups[judged]))
            yield learnt, judged

    monkeypatch.setattr(svm.StratifiedGroupKFold, "split", split)
    search = svm.fit(x, y, groups)
    assert len(seen) == 5
    assert not any(len(both) for both in seen)
    assert search.best_score_ > 0.8
    assert set(search.best_params_) == {"svc__C", "svc__gamma"}


def test_hand_made_features_are_finite_for_sound_and_silence(guitar_16k: NDArray[np.float32]) -> None:
    node = svm.features()
    for samples in (guitar_16k[:32_000], np.zeros(32_000, np.float32)):
        row = node(samples)
        assert row.shape == (1, 2, 20 + 4 + 12 + 2)
        assert np.isfinite(row).all()


def test_the_commands_print_a_line_for_each_run(
    notes: Notes, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Words:
        words = ("a",) * 6

    for module in (alignment_printed, contrastive_printed):
        monkeypatch.setattr(module, "read_mel_notes", lambda _: (notes, Words))
    assert (
        alignment_printed.main(
            ["--data", ".", "--methods", "mfcc", "alignment", "--epochs", "1", "--times", "1"]
        )
        == 0
    )
    command = ["--data", ".", "--methods", "nt-xent -mixing", "--steps", "2", "--fraction", "1"]
    assert contrastive_printed.main(command) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["method"] for line in lines] == ["mfcc", "alignment", "nt-xent -mixing"]
