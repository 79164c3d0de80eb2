"""NT-Xent and batch-split mixing against NumPy written out, and their properties."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest
from helpers import decode

torch = pytest.importorskip("torch")

import contrastive  # noqa: E402
from contrastive import CrossEntropy, MelEncoder, NtXent  # noqa: E402
from contrastive_losses import nt_xent  # noqa: E402
from instruments import Batch  # noqa: E402
from methods import classification  # noqa: E402
from mixing import Mixing, batch_split_mixing, mix, noise_curve, shift  # noqa: E402
from trainer import Settings, train  # noqa: E402

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

RATE = 16_000
EXACT = Mixing(snr_db=(3, 3), noise_snr_db=(200, 200), largest_offset=0)


def written_out(
    a: NDArray[np.float64], b: NDArray[np.float64], temperature: float, groups: list[int] | None = None
) -> float:
    """Return equation (1), computed by loops: each of the 2 n rows looks for its partner."""
    n = len(a)
    rows = [row / np.linalg.norm(row) for row in [*a, *b]]
    same = [*groups, *groups] if groups else list(range(n)) * 2
    losses = []
    for i, x in enumerate(rows):
        partner = (i + n) % (2 * n)
        positive = np.exp(x @ rows[partner] / temperature)
        negatives = sum(np.exp(x @ rows[k] / temperature) for k in range(2 * n) if same[k] != same[i])
        losses.append(-np.log(positive / (positive + negatives)))
    return float(np.mean(losses))


@pytest.fixture
def halves() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    rng = np.random.default_rng(0)
    a = rng.normal(size=(5, 4))
    return a, a + rng.normal(scale=0.7, size=a.shape)


@pytest.mark.parametrize("temperature", [0.05, 0.3, 2.0])
def test_nt_xent_is_the_equation(
    halves: tuple[NDArray[np.float64], NDArray[np.float64]], temperature: float
) -> None:
    got = nt_xent(*map(torch.from_numpy, halves), temperature)
    assert got.item() == pytest.approx(written_out(*halves, temperature), rel=1e-10)


def test_rows_of_one_group_are_no_negatives(halves: tuple[NDArray[np.float64], NDArray[np.float64]]) -> None:
    groups = [0, 1, 0, 2, 0]
    got = nt_xent(*map(torch.from_numpy, halves), 0.2, torch.tensor(groups))
    assert got.item() == pytest.approx(written_out(*halves, 0.2, groups), rel=1e-10)
    assert got < nt_xent(*map(torch.from_numpy, halves), 0.2)


def test_nt_xent_is_symmetric_and_knows_no_length_and_no_order(
    halves: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> None:
    a, b = map(torch.from_numpy, halves)
    loss = nt_xent(a, b, 0.2)
    torch.testing.assert_close(nt_xent(b, a, 0.2), loss)
    torch.testing.assert_close(nt_xent(3 * a, 0.1 * b, 0.2), loss)
    order = torch.tensor([3, 0, 4, 1, 2])
    torch.testing.assert_close(nt_xent(a[order], b[order], 0.2), loss)


def test_nt_xent_is_zero_where_only_the_partner_is_like_and_log_2n_minus_1_where_all_are() -> None:
    apart = torch.eye(6)
    assert nt_xent(apart, apart, 0.01).item() == pytest.approx(0, abs=1e-6)
    alike = torch.ones(6, 3)
    assert nt_xent(alike, alike, 0.01).item() == pytest.approx(np.log(11), rel=1e-5)


@pytest.fixture
def sounds() -> torch.Tensor:
    """Return eight sounds [8, 20, 257], each in different frequencies."""
    power = torch.zeros(8, 20, 257)
    for i, sound in enumerate(power):
        sound[:, 10 + 30 * i] = 0.1 + i
    return power


def level_db(power: torch.Tensor) -> np.ndarray:
    return 10 * np.log10(power.mean(dim=(1, 2)).numpy())


@pytest.mark.parametrize(
    ("colour", "slope_db"),
    [("violet", 6.02), ("blue", 3.01), ("white", 0), ("pink", -3.01), ("brown", -6.02)],
)
def test_noise_rises_or_falls_by_its_colours_decibels_an_octave(colour: str, slope_db: float) -> None:
    db = 10 * torch.log10(noise_curve(colour, 257))
    assert (db[128] - db[64]).item() == pytest.approx(slope_db, abs=0.01)
    assert (db[256] - db[128]).item() == pytest.approx(slope_db, abs=0.01)


def test_grey_noise_is_weakest_where_the_ear_is_keenest() -> None:
    """A-weighting is 0 dB at 1 kHz, +1.0 at 4 kHz and -19.1 at 100 Hz by its table."""
    db = 10 * torch.log10(noise_curve("grey", 8001))
    assert (db[100] - db[1000]).item() == pytest.approx(19.1, abs=0.1)
    assert (db[4000] - db[1000]).item() == pytest.approx(-1.0, abs=0.1)


def test_halves_share_nothing_and_leave_out_at_most_one() -> None:
    for n in (2, 7, 8):
        order, mixed = batch_split_mixing(torch.rand(n, 20, 257), Mixing())
        assert order.shape == (2, n // 2)
        assert len(set(order.flatten().tolist())) == n // 2 * 2
        assert mixed.shape == (2, n // 2, 20, 257)


def test_each_half_is_mixed_with_the_other(sounds: torch.Tensor) -> None:
    order, mixed = batch_split_mixing(sounds, replace(EXACT, snr_db=(0, 0)))
    for half in (0, 1):
        for own, partner, sound in zip(order[half], order[1 - half], mixed[half], strict=True):
            loudest = sound.sum(dim=0).topk(2).indices
            assert {(int(k) - 10) // 30 for k in loudest} == {int(own), int(partner)}


def test_the_other_sound_is_added_at_its_level(sounds: torch.Tensor) -> None:
    extra = mix(sounds, sounds.flip(0), EXACT) - sounds
    np.testing.assert_allclose(level_db(sounds) - level_db(extra), 3, atol=1e-3)
    torch.testing.assert_close(extra.argmax(dim=2), sounds.flip(0).argmax(dim=2))


def test_noise_lies_below_the_sound_as_asked(sounds: torch.Tensor) -> None:
    extra = mix(sounds, sounds, replace(EXACT, snr_db=(200, 200), noise_snr_db=(10, 10))) - sounds
    np.testing.assert_allclose(level_db(sounds) - level_db(extra), 10, atol=1e-3)


def test_a_silent_partner_and_silence_stay_finite() -> None:
    quiet, loud = torch.zeros(2, 20, 257), torch.ones(2, 20, 257)
    for pair in ((quiet, loud), (loud, quiet), (quiet, quiet)):
        assert torch.isfinite(mix(*pair, Mixing())).all()


def test_offsets_move_a_sound_and_let_silence_in() -> None:
    torch.manual_seed(0)
    click = torch.zeros(200, 20, 3)
    click[:, 10] = 1
    place = shift(click, 0.2)[:, :, 0].argmax(dim=1)
    assert sorted(set(place.tolist())) == [6, 7, 8, 9, 10, 11, 12, 13, 14]
    assert (shift(click, 0.2).sum(dim=(1, 2)) == 3).all()
    gone = shift(click, 1.0)
    assert gone[:, :, 0].sum(dim=1).min() == 0  # it moves out and doesn't come round again


def test_powers_add_up_as_samples_do(shared: Path) -> None:
    """Adding powers may replace mixing samples: on average over pairs of notes the cross term is small."""
    folder = shared / "instruments" / "train"
    spectrum = fa.Spectrogram(sample_rate=RATE, n_fft=512, hop_length=256)
    apart_db = []
    for low, high in zip(
        sorted(folder.glob("*-041-120.flac")), sorted(folder.glob("*-062-120.flac")), strict=False
    ):
        one, other = decode(low)[0][:, 0], decode(high)[0][:, 0]
        both = spectrum(one + other).mean(dtype=np.float64)
        added = spectrum(one).mean(dtype=np.float64) + spectrum(other).mean(dtype=np.float64)
        apart_db.append(10 * np.log10(both / added))
    assert len(apart_db) > 30
    assert np.abs(apart_db).max() < 2
    assert np.abs(np.mean(apart_db)) < 0.2


@pytest.fixture(scope="module")
def batch() -> Batch:
    """Return thirty-two made-up notes of two families, with energy in the lower or the upper bands."""
    generator = torch.Generator().manual_seed(0)
    target = torch.arange(32) % 2
    power = 1e-4 * torch.rand(32, 64, 64, generator=generator)
    for row, family in enumerate(target.tolist()):
        start = 36 * family + row % 5
        power[row, :, start : start + 12] += 1
    return Batch(power, torch.zeros(32, 1), target)


def test_the_baseline_starts_from_the_same_weights() -> None:
    nets = []
    for kind in (CrossEntropy, NtXent):
        torch.manual_seed(3)
        nets.append(kind(2))
    for (name, a), b in zip(nets[0].named_parameters(), nets[1].parameters(), strict=True):
        assert torch.equal(a, b), name
    assert nets[0].inference_parameters() == nets[1].inference_parameters()


def test_the_loss_is_cross_entropy_and_both_halves_contrast(batch: Batch, monkeypatch: Any) -> None:
    """The loss is line 12 of algorithm 1; with nothing changed or mixed, projections make the contrast."""
    torch.manual_seed(0)
    method = NtXent(2).eval()
    half = len(batch) // 2
    order = torch.arange(len(batch)).reshape(2, half)
    halves = (order, batch.power.reshape(2, half, 64, 64))
    monkeypatch.setattr(contrastive, "batch_split_mixing", lambda *_: halves)
    projection = method.projection(method.embedding(batch))
    contrast = sum(nt_xent(part, part, method.temperature) for part in projection.split(half))
    want = classification(method(batch), batch) + method.weight * contrast
    torch.testing.assert_close(method.loss(batch, lambda x: x), want, rtol=1e-4, atol=1e-5)


def test_sounds_without_labels_take_part_in_the_contrast_only(batch: Batch) -> None:
    method = NtXent(2)
    method.pool = torch.rand(8, 64, 64)
    method.weight = 0.0
    assert torch.isfinite(method.loss(batch, lambda x: x))
    method.weight = 0.05
    method.loss(batch, lambda x: x).backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in method.parameters())


def test_a_few_steps_learn_families_apart(batch: Batch) -> None:
    torch.manual_seed(0)
    torch.set_num_threads(1)
    method = NtXent(2)
    losses = train(method, batch, 60, Settings(batch=16)).losses
    assert np.mean(losses[-5:]) < np.mean(losses[:5])
    method.eval()
    assert (method(batch).argmax(1) == batch.target).all()


def test_the_encoder_hears_no_loudness_and_takes_other_lengths() -> None:
    torch.manual_seed(0)
    encoder = MelEncoder().eval()
    rows = 60 * torch.rand(2, 64, 64) - 80
    with torch.no_grad():
        torch.testing.assert_close(encoder(rows + 13), encoder(rows), atol=1e-4, rtol=1e-4)
        assert encoder(rows[:, :40]).shape == (2, 96)
