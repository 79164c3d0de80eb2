"""A front end in PyTorch gives the very bits that a pipeline with it computes."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import fastaudio as fa
import numpy as np
import pytest
from fastaudio import presets

torch = pytest.importorskip("torch", reason="pip install '.[torch]'")

import fastaudio.torch as ft  # noqa: E402
import fastaudio.torch.front as front_module  # noqa: E402
import torch_networks as networks  # noqa: E402
from torch_networks import Clips, clip  # noqa: E402


@pytest.mark.parametrize("rate", [16_000, 44_100, 8_000])
@pytest.mark.parametrize(
    "node", [networks.front(), presets.musicnn(), networks.wave()], ids=lambda n: repr(n)[:12]
)
def test_rows_are_those_of_a_pipeline_bit_for_bit(node: fa.Node, rate: int) -> None:
    front = ft.Front(node, sample_rate=rate)
    samples = clip(0, 4 * rate)
    want = fa.Pipeline(node)(samples, sample_rate=rate)
    got = front(torch.from_numpy(samples))
    assert got.dtype == torch.float32
    assert np.array_equal(got.numpy(), want)
    assert np.array_equal(front(samples).numpy(), want), "a NumPy array is taken as well"
    assert front.sample_rate == rate


def test_a_batch_is_its_clips_one_by_one_whatever_its_axes() -> None:
    front = ft.Front(networks.front())
    clips = torch.from_numpy(np.stack([clip(k) for k in range(6)]))
    together = front(clips.reshape(2, 3, -1))
    assert together.shape == (2, 3, 2, networks.FRAMES, networks.BANDS)
    for k, one in enumerate(together.reshape(6, *together.shape[2:])):
        assert torch.equal(one, front(clips[k]))


def test_clips_without_samples_have_no_rows_or_padded_ones() -> None:
    front = ft.Front(networks.front())
    assert front(torch.zeros(3, 0)).shape == (3, *front(torch.zeros(0)).shape)


def test_16_bit_samples_and_those_that_lie_apart_are_taken() -> None:
    front = ft.Front(networks.front())
    whole = (torch.from_numpy(clip(0)) * 32768).round().clamp(-32768, 32767).to(torch.int16)
    assert torch.equal(front(whole), front(whole.float() / 32768))
    stereo = torch.from_numpy(np.stack([clip(0), clip(1)], axis=1))
    assert torch.equal(front(stereo[:, 1]), front(torch.from_numpy(clip(1))))


def test_several_outputs_come_by_name() -> None:
    mel = fa.MelSpectrogram(sample_rate=16_000, n_fft=512, hop_length=256, n_mels=20)
    front = ft.Front(mel >> {"mel": fa.Log(), "mean": fa.Mean()})
    rows = front(torch.from_numpy(np.stack([clip(0), clip(1)])))
    assert {name: tuple(value.shape) for name, value in rows.items()} == {
        "mel": (2, 79, 20),
        "mean": (2, 1, 20),
    }
    assert torch.equal(rows["mean"][1], front(torch.from_numpy(clip(1)))["mean"])


@pytest.mark.parametrize("node", [networks.wave(), fa.Resample(input_rate=16_000, output_rate=16_000)])
def test_rows_are_memory_of_their_own_and_samples_stay(node: fa.Node) -> None:
    front = ft.Front(node)
    samples = torch.from_numpy(clip(0))
    kept = samples.clone()
    rows = front(samples)
    first = rows.clone()
    rows.add_(1)
    assert torch.equal(samples, kept)
    assert torch.equal(front(samples), first)
    samples.zero_()
    assert torch.equal(rows - 1, (first + 1) - 1)


def test_samples_and_rows_are_handed_over_without_a_copy() -> None:
    samples = torch.from_numpy(clip(0))
    taken, _ = front_module._clips(samples)
    assert taken.ctypes.data == samples.data_ptr()
    rows = np.zeros((2, 3), dtype=np.float32)
    assert front_module._tensors(rows, (), samples.device).data_ptr() == rows.ctypes.data


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
def test_rows_of_samples_on_a_gpu_come_back_to_it() -> None:
    front = ft.Front(networks.front())
    samples = torch.from_numpy(clip(0))
    rows = front(samples.cuda())
    assert rows.is_cuda
    assert torch.equal(rows.cpu(), front(samples))


@pytest.mark.parametrize("again", [copy.deepcopy, lambda front: pickle.loads(pickle.dumps(front))])  # noqa: S301
def test_a_front_is_copied_and_pickled(again: Any) -> None:
    front = ft.Front(networks.front(), sample_rate=44_100)
    other = again(front)
    samples = torch.from_numpy(clip(0))
    assert torch.equal(other(samples), front(samples))
    assert (other.node, other.sample_rate) == (front.node, 44_100)
    assert repr(other) == repr(front)


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # of forking beside threads
@pytest.mark.parametrize("start", ["none", "fork", "spawn"])
def test_workers_of_a_dataloader_give_the_same_bits(start: str) -> None:
    front = ft.Front(networks.front())
    workers = {} if start == "none" else {"num_workers": 2, "multiprocessing_context": start}
    loader = torch.utils.data.DataLoader(Clips(front), batch_size=3, **workers)
    got = torch.cat(list(loader)).numpy()
    want = np.stack([fa.Pipeline(networks.front())(clip(k), sample_rate=16_000) for k in range(6)])
    assert np.array_equal(got, want)


def test_a_front_is_a_module_without_weights_that_begins_a_network() -> None:
    net = torch.nn.Sequential(ft.Front(networks.front()), torch.nn.Flatten(1), torch.nn.LazyLinear(2))
    net(torch.from_numpy(clip(0))[None]).sum().backward()
    assert set(net.state_dict()) == {"2.weight", "2.bias"}
    assert net[2].weight.grad is not None
    assert "MelSpectrogram" in str(net)


@pytest.mark.parametrize(
    ("samples", "error", "message"),
    [
        (torch.zeros(9_000, requires_grad=True), ValueError, r"use samples.detach\(\)"),
        (torch.zeros(9_000, dtype=torch.float64), TypeError, r"got torch.float64; use .float\(\)"),
        (torch.zeros(9_000, dtype=torch.float16), TypeError, r"got torch.float16; use .float\(\)"),
        (torch.zeros(()), ValueError, "got a single number"),
        (torch.zeros(0, 9_000), ValueError, r"at least one clip, got samples \[0, 9000\]"),
        (torch.full((9_000,), torch.nan), ValueError, "NaN|finite"),
        (
            torch.zeros(9, dtype=torch.int32),
            TypeError,
            r"got torch.int32; use \(numpy.asarray\(samples\) / 2\*\*31",
        ),
        (
            torch.zeros(9, dtype=torch.uint8),
            TypeError,
            r"got torch.uint8; use \(numpy.asarray\(samples\) / 128 - 1",
        ),
        ([0.0, 0.1], TypeError, "got list; use torch.as_tensor"),
        ("song.wav", TypeError, r"got str; fastaudio.Pipeline\(node\) reads files"),
        (np.zeros(9_000), TypeError, "float64"),
    ],
)
def test_other_samples_are_refused_with_a_remedy(samples: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        ft.Front(networks.front())(samples)


@pytest.mark.parametrize(
    ("node", "rate", "error", "message"),
    [
        ("mel", None, TypeError, "expected a node, got str"),
        (fa.Pipeline(networks.front()), None, TypeError, "got Pipeline; take its .node"),
        (fa.Log(), None, ValueError, "states its sample rate"),
        (networks.front(), 0, ValueError, r"\b0\b"),
        (networks.front(), "16k", TypeError, "16k"),
    ],
)
def test_other_nodes_and_rates_are_refused(
    node: Any, rate: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        ft.Front(node, sample_rate=rate)
