"""The recipe of `instruments`: fair parts, notes that can be rendered, and a network that is PyTorch's."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="recipes are PyTorch: pip install '.[recipes]'")
pytest.importorskip("onnx", reason="pip install '.[recipes]'")

import fastaudio as fa  # noqa: E402
import fit  # noqa: E402
import judge  # noqa: E402
import others  # noqa: E402
import programs  # noqa: E402
import publish  # noqa: E402
import render  # noqa: E402
import vary  # noqa: E402
from note_network import NoteNetwork  # noqa: E402
from spectra import BANDS, FRAMES, Spectra  # noqa: E402

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:torch")


def collection(rows: list[dict[str, str]]) -> Spectra:
    draw = np.random.default_rng(0)
    return Spectra(draw.uniform(0, 3, (len(rows), 2, FRAMES + 10, BANDS)).astype(np.float16), rows)


def real() -> Spectra:
    rows = [
        {"file": f"{name}{key}{take}", "instrument": name, "family": family, "pitch": key, "dynamic": "forte"}
        for name, family in (("flute", "flute"), ("oboe", "reed"))
        for key in "ABCDEFGHIJ"
        for take in "12"
    ]
    return collection(rows)


def rendered() -> Spectra:
    rows = [
        {"file": f"{one.number}-{i}", "collection": "made", "program": str(one.number)}
        | {"family": one.family, "instrument": one.instrument}
        for one in programs.PROGRAMS
        for i in range(2)
    ]
    return collection(rows)


def test_every_family_has_programs_to_learn_from_and_no_name_is_taken_twice() -> None:
    assert not programs.UNHEARD & programs.SPARED
    learnt = [p for p in programs.PROGRAMS if p.number not in programs.UNHEARD | programs.SPARED]
    assert {p.family for p in learnt} == set(programs.FAMILIES) == set(programs.TITLES)
    names = {p.instrument for p in programs.PROGRAMS} - {programs.NOTHING}
    assert not (names | {"saxophone"}) & set(programs.TITLES.values())
    spared = {p.instrument for p in programs.PROGRAMS if p.number in programs.SPARED}
    assert spared <= {p.instrument for p in learnt}, "an instrument that is only chosen by"


def test_notes_lie_in_the_programs_range_and_come_again() -> None:
    program = programs.PROGRAMS[10]
    first, again = (render.draw_notes(program, 12, random.Random(3)) for _ in range(2))  # noqa: S311
    assert first == again
    assert all(program.lowest <= key <= program.highest for _, key, _, _ in first)
    data = render.midi(first)
    assert data.startswith(b"MThd")
    assert data.count(bytes([0x90])) >= len(first)


def test_parts_of_a_collection_share_nothing() -> None:
    for found, key in ((real(), "pitch"), (rendered(), "program")):
        parts = [fit.mask(found, part) for part in ("train", "spared", "test")]
        assert (np.sum(parts, axis=0) == 1).all()
        sets = [
            {(r["instrument"], r[key]) for r, use in zip(found.rows, part, strict=True) if use}
            for part in parts
        ]
        assert not sets[0] & sets[1]
        assert not (sets[0] | sets[1]) & sets[2]


def test_each_family_is_drawn_as_often() -> None:
    pairs = [(found, fit.mask(found, "train")) for found in (real(), rendered())]
    notes = fit.gather(pairs, fit.instruments(pairs))
    shares = [notes.weight[notes.family == i].sum() for i in range(len(programs.FAMILIES))]
    np.testing.assert_allclose(shares, 1 / len(programs.FAMILIES))


def test_a_network_runs_here_as_in_torch(tmp_path: Path) -> None:
    torch.manual_seed(0)
    module = publish.Published(NoteNetwork(len(programs.FAMILIES), 4).eval(), [1.5, 0.7])
    publish.export(module, tmp_path / "model.onnx")
    labels = [*programs.TITLES.values(), "oboe", "flute", "cello"]
    pipeline = fa.Pipeline(publish.compose(tmp_path / "model.onnx", labels))
    publish.agree(pipeline, module)
    module.family_t = 3.0
    with pytest.raises(ValueError, match="expected PyTorch's within 1e-05"):
        publish.agree(pipeline, module)


def test_training_learns_two_sounds_apart() -> None:
    found = collection([{"file": str(i), "program": "73" if i % 2 else "68"} for i in range(16)])
    for i, row in enumerate(found.rows):
        row |= {"family": "flute" if i % 2 else "reed", "instrument": "flute" if i % 2 else "oboe"}
        found.mel[i, :, :, 40:60] += np.float16(2 * (i % 2))
    pairs = [(found, fit.mask(found, "all"))]
    names = fit.instruments(pairs)
    network = fit.train(fit.gather(pairs, names), len(names), 12, 0)
    family, _ = fit.logits(network, found.mel[:, 0])
    want = [programs.FAMILIES.index(row["family"]) for row in found.rows]
    assert family.argmax(1).tolist() == want


def test_a_temperature_undoes_what_makes_logits_too_sure() -> None:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(4000, 5, generator=generator)
    target = torch.multinomial(logits.softmax(1), 1, generator=generator)[:, 0]
    assert fit.temperature(2 * logits, target) == pytest.approx(2, rel=0.1)
    target[::2] = fit.UNKNOWN
    assert fit.temperature(2 * logits, target) == pytest.approx(2, rel=0.15)


def test_balanced_accuracy_is_that_by_hand_and_its_interval_holds_it() -> None:
    family, group = np.array(["reed"] * 4 + ["flute"] * 2), np.array(["a", "a", "b", "b", "c", "d"])
    trial = judge.Trial("t", family, group, ["flute", "reed"])
    scores = np.array([[0, 1], [0, 1], [1, 0], [0, 1], [1, 0], [0, 1]], float)
    found = judge.balanced(trial, scores, ["flute", "reed"])
    assert found["balanced"] == pytest.approx((3 / 4 + 1 / 2) / 2)
    assert found["confusion"] == {"flute": {"flute": 1, "reed": 1}, "reed": {"flute": 1, "reed": 3}}
    low, high = found["interval"]
    assert low <= found["balanced"] <= high


def test_varied_notes_keep_their_length_and_come_again() -> None:
    x = np.sin(np.arange(110_250) * 0.05).astype(np.float32)
    first, again, other = (vary.vary(x, np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert len(first) == len(other) == len(x)
    assert not np.array_equal(first, other)
    spectrum = np.abs(np.fft.rfft(vary.tuned(x, 1.5)[:60_000]))
    assert spectrum.argmax() == pytest.approx(1.5 * 0.05 / (2 * np.pi) * 60_000, abs=1)


@pytest.mark.parametrize("kind", [kind for kind in others.KINDS if kind != "speech"])
def test_made_up_sounds_are_finite_and_not_silent(kind: str) -> None:
    for seed in range(3):
        sound = others.KINDS[kind](np.random.default_rng(seed))
        assert sound.shape == (others.SIZE,)
        assert np.isfinite(sound).all()
        assert np.abs(sound).max() > 1e-4
