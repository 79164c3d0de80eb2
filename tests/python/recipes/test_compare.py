"""The tables of three papers: fair shares, the same numbers from a seed, and exports with PyTorch scores."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import fastaudio as fa
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="recipes are PyTorch: pip install '.[recipes]'")
pytest.importorskip("onnx", reason="recipes are exported by onnx: pip install '.[recipes]'")

import compare  # noqa: E402
import transfer  # noqa: E402
from alignment import Alignment, cosines, embed, tag_bank  # noqa: E402
from compose import export  # noqa: E402
from contrastive import NtXent  # noqa: E402
from instruments import Notes  # noqa: E402
from mel_notes import TaggedBatch, front, mel_spectrum  # noqa: E402
from ship_mel import Contrastive, Tagged, over_seeds  # noqa: E402
from tag_words import Vocabulary  # noqa: E402
from trainer import Settings, predict  # noqa: E402

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:torch")

FAMILIES = ["high", "low"]


SHORT = Settings(steps=3, batch=8)  # training only has to run here


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """Use one thread: the last digits depend on it."""
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def clips(guitar_16k: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return two seconds of the guitar from 24 places, every other one differentiated, which raises it."""
    places = [guitar_16k[start : start + 32_000] for start in range(0, 96_000, 4_000)]
    return np.stack([np.diff(x, prepend=x[:1]) if i % 2 == 0 else x for i, x in enumerate(places)])


@pytest.fixture(scope="module")
def notes(clips: NDArray[np.float32]) -> Notes:
    mel = mel_spectrum()
    power = torch.from_numpy(np.stack([mel(clip)[:64] for clip in clips]))
    target = torch.arange(24) % 2
    words = torch.stack([1 + target, 3 + torch.arange(24) % 2], dim=1)
    batch = TaggedBatch(power, torch.randn(24, 6), target, words)
    return Notes(batch, FAMILIES, torch.arange(24) // 2 % 6 * 2 + target, torch.arange(24) >= 18)


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    note = {"gm_name": "soft thing", "pitch": "40", "velocity": "10"}
    return Vocabulary([note | {"family": family} for family in FAMILIES])


def test_every_method_of_a_table_is_scored_on_the_same_notes(notes: Notes, vocabulary: Vocabulary) -> None:
    for name in ("contrastive", "alignment"):
        share = compare.Share.draw(notes, vocabulary, 0.5, 0, None, settings=SHORT)
        assert not set(share.labelled.tolist()) & set(share.unlabelled.tolist())
        assert not {*share.labelled.tolist(), *share.unlabelled.tolist()} & set(share.score.tolist())
        records = list(compare.TABLES[name](share))
        assert len({r["method"] for r in records}) == len(records) == {"contrastive": 2, "alignment": 6}[name]
        assert all(0 <= r["accuracy"] <= 1 for r in records)


def test_a_seed_gives_the_same_weights(notes: Notes, vocabulary: Vocabulary) -> None:
    def weights(seed: int) -> list[torch.Tensor]:
        share = compare.Share.draw(notes, vocabulary, 0.5, seed, None, settings=SHORT)
        nets = compare.train_classifier(NtXent, share), compare.train_alignment(Alignment, share)
        return [p for net in nets for p in net.parameters()]

    first, again, other = weights(1), weights(1), weights(2)
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(first, other, strict=True))


def test_an_exported_classifier_gives_pytorchs_scores(
    notes: Notes, vocabulary: Vocabulary, clips: NDArray[np.float32], tmp_path: Path
) -> None:
    share = compare.Share.draw(notes, vocabulary, 1.0, 0, None, settings=SHORT)
    method = compare.train_classifier(NtXent, share)
    path = export(Contrastive(method), tmp_path / "model.onnx", (64, 64), list(Contrastive.OUTPUTS))
    node = front() >> fa.OnnxModel(str(path), outputs=list(Contrastive.OUTPUTS))
    rows = [node(clip) for clip in clips[:4]]
    want = predict(method, notes.batch[torch.arange(4)]).softmax(1)
    np.testing.assert_allclose(np.concatenate([r["scores"] for r in rows]), want, atol=1e-5)
    with torch.no_grad():
        projection = method.projection(method.embedding(notes.batch[torch.arange(4)]))
    np.testing.assert_allclose(np.concatenate([r["projection"] for r in rows]), projection, atol=1e-5)


def test_an_exported_encoder_gives_pytorchs_cosines(
    notes: Notes, vocabulary: Vocabulary, clips: NDArray[np.float32], tmp_path: Path
) -> None:
    share = compare.Share.draw(notes, vocabulary, 1.0, 0, None, settings=SHORT)
    method = compare.train_alignment(Alignment, share)
    _, projection = embed(method, notes.batch[torch.arange(4)])
    bank = tag_bank(method, vocabulary, FAMILIES)
    module = Tagged(method, torch.nn.Linear(256, 2))
    path = export(module, tmp_path / "model.onnx", (64, 64), list(Tagged.OUTPUTS))
    net = fa.OnnxModel(str(path), outputs=["projection"])
    node = front() >> net >> fa.Similarity(bank.ravel().tolist(), FAMILIES)
    got = np.concatenate([node(clip) for clip in clips[:4]])
    np.testing.assert_allclose(got, cosines(projection, bank), atol=1e-5)


def test_a_table_is_printed_from_its_results_without_the_notes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    records = [
        {"table": "contrastive", "on": "test", "fraction": 1.0, "seed": seed, "method": method}
        | {"accuracy": accuracy, "parameters": 7, "processor_s": 60.0}
        for seed in (0, 1)
        for method, accuracy in (("cross-entropy", 0.5), ("nt-xent", 0.6 + seed / 5))
    ]
    pytest.importorskip("scipy", reason="pip install '.[train]'")
    path = tmp_path / "results.json"
    path.write_text(json.dumps(records), encoding="utf-8")
    arguments = ["contrastive", "--data", "nowhere", "--output", str(path), "--fractions", "1"]
    assert compare.main([*arguments, "--seeds", "0", "1"]) == 0
    said = capsys.readouterr().out
    assert "| nt-xent | 0.700 ± 0.141 | 7 |" in said
    # ahead by 0.1 and 0.3: mean 0.2, deviation 0.2 / 2 ** 0.5, t = 2 with one degree of freedom
    assert "| nt-xent | +0.200 ± 0.100 (p 0.30) |" in said
    spread = over_seeds(records)["accuracy_over_seeds"]
    assert spread["nt-xent"] == {"mean": 0.7, "deviation": 0.1414}


def test_the_mfcc_baseline_is_the_papers_everywhere(clips: NDArray[np.float32]) -> None:
    at_22_khz = fa.Resample(input_rate=16_000, output_rate=22_000)(clips[1])
    want = fa.presets.mfcc_statistics()(at_22_khz)
    np.testing.assert_allclose(transfer.mfcc_statistics()(clips[1]), want, rtol=1e-5, atol=1e-4)
    assert want.shape == (1, 2, 60)


def test_transferred_layers_are_those_of_the_card(clips: NDArray[np.float32]) -> None:
    """Return the shipped pipeline with windows of 126 frames, as many as two seconds have."""
    rows = transfer.musicnn_layers()(clips[1])
    assert list(rows) == list(transfer.LAYERS)
    assert rows["timbral"].shape == (1, 126, 408)
    parts = fa.Pipeline.load("musicnn-mtt").layer("penultimate").node
    same = parts[0] >> parts[1] >> fa.Patches(length=126) >> parts[3]
    np.testing.assert_allclose(rows["penultimate"], same(clips[1]), atol=1e-5)
