"""Ordinary modules of many kinds become models with their numbers, by one of PyTorch's two exporters."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest
from helpers import GUITAR

torch = pytest.importorskip("torch", reason="pip install '.[torch]'")

import fastaudio.torch as ft  # noqa: E402
import torch_networks as networks  # noqa: E402
from torch_networks import LABELS, reference  # noqa: E402

if TYPE_CHECKING:
    from pathlib import Path

KINDS = {
    "images": (networks.Images, networks.front, "n1tf", lambda rows: rows[:, None]),
    "turned images": (
        lambda: networks.Images(transposed=True),
        networks.front,
        "n1ft",
        lambda rows: rows.transpose(0, 2, 1)[:, None],
    ),
    "bands": (networks.Bands, networks.front, "nft", lambda rows: rows.transpose(0, 2, 1)),
    "recurrent": (networks.Recurrent, networks.front, "", lambda rows: rows),
    "attention": (networks.Attention, networks.front, "ntf", lambda rows: rows),
    "in place": (networks.InPlace, networks.front, "", lambda rows: rows),
    "loop": (networks.Loop, networks.front, "", lambda rows: rows),
    "normed": (networks.Normed, networks.front, "", lambda rows: rows),
    "resized": (networks.Resized, networks.front, "n1tf", lambda rows: rows[:, None]),
    "wave": (networks.Wave, networks.wave, "", lambda rows: rows),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_gives_the_modules_scores_for_a_recording(kind: str, tmp_path: Path) -> None:
    make, front, layout, turned = KINDS[kind]
    net = networks.settled(make())
    made = ft.export(net, front(), path=tmp_path / "m", labels=LABELS, layout=layout, sounds=[GUITAR])
    rows = fa.Pipeline(front())(GUITAR)
    want = reference(net, turned(rows))
    found = fa.Pipeline.load(tmp_path / "m")(GUITAR)
    assert tuple(found.labels) == tuple(LABELS)
    np.testing.assert_allclose(found.scores, want, atol=2e-6)
    assert np.abs(want[0] - want[-1]).max() > 1e-3  # agreement would say nothing otherwise
    assert made.largest_difference <= 2e-5
    assert made.largest_difference == max(made.differences.values())
    assert (made.exporter, made.batches, made.sounds[-1]) == ("script", True, str(GUITAR))


def test_a_module_of_single_rows_is_exported_for_single_rows(tmp_path: Path) -> None:
    net = networks.OneRow()
    made = ft.export(net, networks.front(), path=tmp_path / "m", labels=LABELS)
    assert not made.batches
    rows = fa.Pipeline(networks.front())(GUITAR)
    want = np.concatenate([reference(net, row[None]) for row in rows])
    np.testing.assert_allclose(made.pipeline(GUITAR).scores, want, atol=2e-6)


def test_a_module_whose_rows_depend_on_each_other_is_exported_for_single_rows(tmp_path: Path) -> None:
    net = networks.OfTheBatch()
    made = ft.export(net, networks.front(), path=tmp_path / "m", labels=LABELS)
    assert not made.batches
    rows = fa.Pipeline(networks.front())(GUITAR)
    want = np.concatenate([reference(net, row[None]) for row in rows])
    np.testing.assert_allclose(made.pipeline(GUITAR).scores, want, atol=5e-6)


@pytest.mark.filterwarnings("ignore")  # PyTorch warns of its own parts
@pytest.mark.parametrize("wrap", [partial(torch.compile, backend="eager"), torch.nn.DataParallel])
def test_what_wraps_a_module_is_left_out(wrap: Any, tmp_path: Path) -> None:
    net = networks.Rows(lambda logits, _: logits.sigmoid())
    made = ft.export(wrap(net), networks.front(), path=tmp_path / "m", labels=LABELS)
    want = reference(net, fa.Pipeline(networks.front())(GUITAR))
    np.testing.assert_allclose(made.pipeline(GUITAR).scores, want, atol=2e-6)


def test_rows_without_patches_are_taken_one_by_one(tmp_path: Path) -> None:
    front = fa.MelSpectrogram(sample_rate=16_000, n_fft=512, hop_length=320, n_mels=40) >> fa.Log()
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(40, 3), torch.nn.Sigmoid())
    made = ft.export(net, front, path=tmp_path / "m", labels=LABELS)
    want = reference(net, fa.Pipeline(front)(GUITAR))
    np.testing.assert_allclose(made.pipeline(GUITAR).scores, want, atol=2e-6)


def test_one_patch_of_a_clip_is_taken(tmp_path: Path) -> None:
    mel = fa.MelSpectrogram(sample_rate=16_000, n_fft=512, hop_length=320, n_mels=40)
    net = networks.Rows(lambda logits, _: logits.sigmoid())
    made = ft.export(
        net, mel >> fa.EnergyPatch(length=25), path=tmp_path / "m", labels=LABELS, sounds=[GUITAR]
    )
    assert made.pipeline(GUITAR).scores.shape == (1, 3)
    assert made.largest_difference < 1e-5


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
def test_a_module_on_a_gpu_stays_there(tmp_path: Path) -> None:
    net = networks.settled(networks.Images()).cuda()
    made = ft.export(net, networks.front(), path=tmp_path / "m", labels=LABELS, layout="n1tf")
    assert all(weights.is_cuda for weights in net.parameters())
    rows = fa.Pipeline(networks.front())(GUITAR)
    want = reference(net.cpu(), rows[:, None])
    np.testing.assert_allclose(made.pipeline(GUITAR).scores, want, atol=2e-6)


def test_recordings_may_be_samples_with_their_rate(tmp_path: Path) -> None:
    net = networks.Rows(lambda logits, _: logits.sigmoid())
    sounds = [(networks.clip(0, 44_100), 44_100), (np.zeros(100, dtype=np.int16), 8_000)]
    made = ft.export(net, networks.front(), path=tmp_path / "m", labels=LABELS, sounds=sounds)
    assert made.sounds[-2:] == ("sound 0", "sound 1")


@pytest.mark.parametrize("net", [networks.Spectrum, networks.Deciding])
def test_what_the_trace_refuses_or_changes_goes_to_the_other_exporter(
    net: Any, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("onnxscript", reason="pip install '.[torch]'")
    module = net()
    if net is networks.Spectrum:
        made = ft.export(module, networks.wave(), path=tmp_path / "m", labels=LABELS, sounds=[GUITAR])
        assert (made.exporter, made.opset) == ("dynamo", 18)
        want = reference(module, fa.Pipeline(networks.wave())(GUITAR))
        np.testing.assert_allclose(made.pipeline(GUITAR).scores, want, atol=1e-5)
        printed = capfd.readouterr()
        assert (printed.out, printed.err) == ("", "")
        return
    with pytest.raises(
        fa.ModelError, match=r"script: expected scores within .* got a difference of .*dynamo: "
    ):
        ft.export(module, networks.front(), path=tmp_path / "m", labels=LABELS)
    assert not list(tmp_path.iterdir())
