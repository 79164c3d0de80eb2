"""What a trace of one run can't hold isn't taken for a module's numbers, and a run leaves nothing behind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="pip install '.[torch]'")

import fastaudio.torch as ft  # noqa: E402
import torch_networks as networks  # noqa: E402
from fastaudio.torch import graph  # noqa: E402
from torch_networks import LABELS  # noqa: E402

if TYPE_CHECKING:
    from pathlib import Path

nn = torch.nn


@pytest.fixture(autouse=True)
def trace_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the other exporter, which takes half a minute to refuse these modules too."""
    monkeypatch.setattr(graph, "EXPORTERS", ("script",))


SIZE = 4_000  # of a window of `networks.wave`


class Wave(nn.Module):
    """Scores of a window of samples, of which `first` makes others."""

    def __init__(self, first: Any) -> None:
        torch.manual_seed(0)
        super().__init__()
        self.dense = nn.Linear(SIZE, len(LABELS))
        self.first = first

    def forward(self, x: Any) -> Any:
        return torch.sigmoid(self.dense(self.first(x)))


def by_peak(least: float) -> Any:
    def first(x: Any) -> Any:
        peak = x.abs().max()
        return x / peak if peak > least else x

    return first


def by_item(x: Any) -> Any:
    return x * 2 if float(x.abs().mean()) < 1e-6 else x


def by_half(x: Any) -> Any:
    """Decide at a level that no made-up sound is near."""
    return x * 2 if x.abs().max() > 1e3 else x


@pytest.mark.parametrize("first", [by_peak(0), by_peak(1), by_item, by_half])
def test_a_branch_that_a_trace_froze_is_not_taken(tmp_path: Path, first: Any) -> None:
    with pytest.raises(fa.ModelError, match=r"got: script: expected ") as told:
        ft.export(Wave(first), networks.wave(), path=tmp_path / "m", labels=LABELS)
    assert len(str(told.value)) < 600
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("first", [by_peak(0), by_peak(1)])
def test_silence_and_sound_beyond_full_scale_are_compared(tmp_path: Path, first: Any) -> None:
    with pytest.raises(fa.ModelError, match=r"on made-up (silence|noise beyond full scale)"):
        ft.export(Wave(first), networks.wave(), path=tmp_path / "m", labels=LABELS, exporter="script")


def test_the_trace_that_is_asked_for_is_taken_if_its_numbers_are_right(tmp_path: Path) -> None:
    with pytest.raises(fa.ModelError, match="exporter='script' if it goes that way for all sounds"):
        ft.export(Wave(by_half), networks.wave(), path=tmp_path / "m", labels=LABELS)
    made = ft.export(Wave(by_half), networks.wave(), path=tmp_path / "m", labels=LABELS, exporter="script")
    assert made.largest_difference < 1e-5


def by_where(x: Any) -> Any:
    peak = x.abs().amax(1, keepdim=True)
    return torch.where(peak > 0, x / peak.clamp(min=1e-30), x)


def by_size(x: Any) -> Any:
    return x * 2 if x.shape[1] > 100 and x.shape[0] >= 1 else x


def by_constant(x: Any) -> Any:
    return x * torch.tensor(2.0) if x.dim() == 2 else x


@pytest.mark.parametrize("first", [by_where, by_size, by_constant])
def test_what_does_not_depend_on_the_numbers_is_traced(tmp_path: Path, first: Any) -> None:
    made = ft.export(Wave(first), networks.wave(), path=tmp_path / "m", labels=LABELS)
    assert made.exporter == "script"
    assert {f"made-up {name}" for name in ("silence", "noise beyond full scale")} < set(made.sounds)


def test_a_sound_for_which_the_module_gives_no_number_is_left_out(tmp_path: Path) -> None:
    made = ft.export(
        Wave(lambda x: x / x.abs().amax(1, keepdim=True)), networks.wave(), path=tmp_path / "m", labels=LABELS
    )
    assert "made-up silence" not in made.sounds
    assert "made-up faint noise" in made.sounds


class Counting(nn.Module):
    """Keeps what it was run on, in place and anew."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        super().__init__()
        self.dense = nn.Linear(SIZE, 2)
        self.register_buffer("runs", torch.zeros((), dtype=torch.int64))
        self.register_buffer("mean", torch.zeros(SIZE))
        self.calls, self.last = 0, None

    def forward(self, x: Any) -> Any:
        self.runs += 1
        self.mean = 0.9 * self.mean + 0.1 * x.mean(0)
        self.calls, self.last = self.calls + 1, x
        return self.dense(x)


def test_a_modules_own_counts_are_as_they_were(tmp_path: Path) -> None:
    net = Counting()
    mean = net.mean
    ft.export(net, networks.wave(), path=tmp_path / "m")
    assert (int(net.runs), net.calls, net.last) == (0, 0, None)
    assert net.mean is mean
    assert not mean.any()
    assert list(dict(net.named_buffers())) == ["runs", "mean"]
    with pytest.raises(ValueError, match="expected output"):
        ft.export(net, networks.wave(), path=tmp_path / "n", labels=LABELS)
    assert (int(net.runs), net.calls) == (0, 0)


class Frames(nn.Module):
    """Logits of each of 10 frames of a window."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        super().__init__()
        self.dense = nn.Linear(SIZE // 10, len(LABELS))

    def forward(self, x: Any) -> Any:
        return self.dense(x.reshape(x.shape[0], 10, -1))


def test_scores_of_frames_are_made_as_the_error_says(tmp_path: Path) -> None:
    how: Any = {"path": tmp_path / "m", "activation": "sigmoid"}
    with pytest.raises(ValueError, match=r"leave out labels, .*node >> Unroll\(\) >> Tags\(labels\)"):
        ft.export(Frames(), networks.wave(), labels=LABELS, **how)
    made = ft.export(Frames(), networks.wave(), **how)
    fa.Pipeline(made.pipeline.node >> fa.Unroll() >> fa.Tags(LABELS)).save(tmp_path / "frames")
    x = networks.clip(0, 12_000)
    tags = fa.Pipeline.load(tmp_path / "frames")(x, sample_rate=16_000)
    with torch.no_grad():
        want = Frames()(torch.from_numpy(x.reshape(3, SIZE))).sigmoid().reshape(30, 3)
    np.testing.assert_allclose(tags.scores, want.numpy(), atol=1e-6)
    np.testing.assert_allclose(tags.times[:, 0], np.arange(30) / 40, atol=1e-9)
