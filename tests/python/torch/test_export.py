"""A module of PyTorch becomes a model with its numbers, or is refused and nothing is written."""

from __future__ import annotations

import json
from collections import namedtuple
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest
from helpers import GUITAR

torch = pytest.importorskip("torch", reason="pip install '.[torch]'")

import fastaudio.torch as ft  # noqa: E402
import torch_networks as networks  # noqa: E402
from torch_networks import BANDS, LABELS, reference  # noqa: E402

if TYPE_CHECKING:
    from pathlib import Path

nn = torch.nn
Pair = namedtuple("Pair", ["scores", "features"])  # noqa: PYI024


def test_the_module_stays_as_it_was(tmp_path: Path) -> None:
    net = networks.settled(networks.Images())
    net.dropout.eval()  # one part in another mode
    before = {name: value.clone() for name, value in net.state_dict().items()}
    modes = [part.training for part in net.modules()]
    net.dense.weight.grad = torch.ones_like(net.dense.weight)
    fast = torch.backends.mha.get_fastpath_enabled()
    ft.export(net, networks.front(), path=tmp_path / "m", labels=LABELS, layout="n1tf")
    assert [part.training for part in net.modules()] == modes
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert net.dense.weight.grad is not None
    assert torch.backends.mha.get_fastpath_enabled() == fast


@pytest.mark.parametrize(
    ("returns", "names"),
    [
        (lambda logits, embedding: (logits.sigmoid(), embedding), ["scores", "output_2"]),
        (lambda logits, embedding: [logits.sigmoid(), None, embedding], ["scores", "output_2"]),
        (lambda logits, embedding: {"p": logits.sigmoid(), "e": embedding, "loss": None}, ["p", "e"]),
        (lambda logits, embedding: Pair(logits.sigmoid(), embedding), ["scores", "features"]),
        (lambda logits, embedding: (logits.sigmoid().double(), embedding.half()), ["scores", "output_2"]),
    ],
)
def test_every_output_of_a_module_is_a_layer(returns: Any, names: list[str], tmp_path: Path) -> None:
    net = networks.Rows(returns)
    made = ft.export(net, networks.front(), path=tmp_path / "m", labels=LABELS)
    assert list(made.pipeline.layers) == names == list(made.differences)
    embedding = made.pipeline.layer(names[1])(GUITAR)
    rows = fa.Pipeline(networks.front())(GUITAR)
    want = networks.Rows(lambda _, embedding: embedding)
    np.testing.assert_allclose(embedding, reference(want, rows), atol=5e-3)  # of float16, for one of them
    assert embedding.shape == (len(rows), 8)


@pytest.mark.parametrize("activation", ["sigmoid", "softmax"])
def test_logits_with_labels_are_refused_until_an_activation_makes_scores(
    activation: Any, tmp_path: Path
) -> None:
    net = networks.Rows()
    with pytest.raises(fa.ModelError, match=r"got -?\d.* in output 'scores', as of logits; add activation="):
        ft.export(net, networks.front(), path=tmp_path / "m", labels=LABELS)
    assert not list(tmp_path.iterdir())
    made = ft.export(net, networks.front(), path=tmp_path / "m", labels=LABELS, activation=activation)
    logits = torch.from_numpy(reference(net, fa.Pipeline(networks.front())(GUITAR)))
    want = logits.sigmoid() if activation == "sigmoid" else logits.softmax(-1)
    np.testing.assert_allclose(made.pipeline(GUITAR).scores, want.numpy(), atol=2e-6)
    assert made.pipeline(GUITAR).in_range


def test_names_and_the_output_that_ends_the_pipeline_are_chosen(tmp_path: Path) -> None:
    net = networks.Rows(lambda logits, embedding: (embedding, logits.sigmoid()))
    made = ft.export(
        net, networks.front(), path=tmp_path / "m", labels=LABELS, outputs=["e", "tags"], output="tags"
    )
    assert made.pipeline.layers == ("e", "tags")
    assert tuple(made.pipeline(GUITAR).labels) == tuple(LABELS)
    assert made.pipeline.layer("e")(GUITAR).shape[1] == 8


def test_a_card_says_what_it_is_and_a_single_file_holds_all(tmp_path: Path) -> None:
    net = networks.Rows(lambda logits, _: logits.sigmoid())
    card = {"licence": "MIT", "description": "Three sounds."}
    made = ft.export(net, networks.front(), path=tmp_path / "three", labels=LABELS, card=card, opset=16)
    text = json.loads((tmp_path / "three" / "card.json").read_text(encoding="utf-8"))
    assert {key: text[key] for key in ("name", *card)} == {"name": "three"} | card
    assert text["parameters"] == BANDS * 8 + 8 + 8 * 3 + 3
    assert text["exported"]["opset"] == made.opset == 16
    assert text["exported"]["largest_difference"] == made.largest_difference
    packed = ft.export(net, networks.front(), path=tmp_path / "three.onnx", labels=LABELS)
    assert np.array_equal(packed.pipeline(GUITAR).scores, made.pipeline(GUITAR).scores)
    assert sorted(path.name for path in tmp_path.rglob("*")) == [
        "card.json",
        "model.onnx",
        "three",
        "three.onnx",
    ]


def test_another_export_takes_the_place_of_the_last(tmp_path: Path) -> None:
    net = networks.Rows(lambda logits, _: logits.sigmoid())
    ft.export(net, networks.front(), path=tmp_path / "m", labels=LABELS)
    (tmp_path / "m" / "LICENSE").write_text("mine", encoding="utf-8")
    with torch.no_grad():
        net.head.bias += 1
    made = ft.export(net, networks.front(), path=tmp_path / "m", labels=LABELS)
    want = reference(net, fa.Pipeline(networks.front())(GUITAR))
    np.testing.assert_allclose(made.pipeline(GUITAR).scores, want, atol=2e-6)
    assert len(list((tmp_path / "m").glob("*.onnx"))) == 1
    assert (tmp_path / "m" / "LICENSE").read_text(encoding="utf-8") == "mine"


def test_an_embedding_of_one_number_per_row_keeps_its_rows(tmp_path: Path) -> None:
    net = networks.Rows(lambda logits, _: logits[:, 0])
    made = ft.export(net, networks.front(), path=tmp_path / "m")
    rows = made.pipeline(GUITAR)
    assert rows.shape[1:] == (1,)
    assert made.pipeline.layers == ("embedding",)


class Noisy(networks.Rows):
    def forward(self, x: Any) -> Any:
        return nn.functional.dropout(super().forward(x).sigmoid())


class Stubborn(networks.Images):
    def train(self, mode: bool = True) -> Any:
        super().train(mode)
        self.norm.training = True
        return self


REFUSED = {
    "its own front end": (
        nn.Sequential(ft.Front(networks.front()), networks.Rows()),
        {},
        "without its front end, got one that holds a Front; export the network alone",
    ),
    "no weights": (networks.Rows().to("meta"), {}, "got one on the device 'meta'; load them first"),
    "dropout left on": (Noisy(), {}, "expected the same numbers from one row each time"),
    "BatchNorm in training mode": (
        Stubborn(),
        {"layout": "n1tf"},
        "got 'norm' still in training mode",
    ),
    "half": (networks.Rows().half(), {}, "got one with torch.float16; use module.float()"),
    "NaN": (networks.Rows(lambda logits, _: logits * np.nan), {}, "expected finite numbers"),
    "no tensor": (networks.Rows(lambda *_: "scores"), {}, "returns tensors, got str"),
    "nested": (networks.Rows(lambda a, b: (a, (b, b))), {}, "got tuple for output '1'"),
    "complex": (networks.Rows(lambda a, _: torch.complex(a, a)), {}, "got torch.complex64"),
    "nothing": (networks.Rows(lambda *_: None), {}, "returns tensors, got NoneType"),
    "no batch": (networks.Rows(lambda a, _: a.squeeze()), {}, "with the batch as its first axis"),
    "one number": (networks.Rows(lambda a, _: a.mean()), {}, "with the batch as its first axis"),
    "wrong layout": (networks.Images(), {}, "it takes layout='n1tf' or 'n1ft': choose"),
}


@pytest.mark.parametrize("why", REFUSED)
def test_a_module_that_cant_be_run_so_is_refused_and_nothing_is_written(why: str, tmp_path: Path) -> None:
    net, options, message = REFUSED[why]
    training = net.training
    with pytest.raises(fa.ModelError, match=message) as refused:
        ft.export(net, networks.front(), path=tmp_path / "m", labels=LABELS, **options)
    assert len(str(refused.value)) < 600
    assert not list(tmp_path.iterdir())
    assert net.training == training


def test_a_difference_above_the_tolerance_is_refused_with_its_size(tmp_path: Path) -> None:
    net = networks.Rows(lambda logits, _: logits.sigmoid())
    with pytest.raises(fa.ModelError, match=r"within 0 of the module's on .*, got a difference of \d"):
        ft.export(
            net,
            networks.front(),
            path=tmp_path / "m",
            labels=LABELS,
            tolerance=0,
            exporter="script",
            sounds=[GUITAR],
        )
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"front": fa.Patches(length=9)}, ValueError, "states its sample rate"),
        ({"front": None}, TypeError, "expected front as a node, got NoneType; Resample"),
        ({"front": fa.Pipeline(networks.front())}, TypeError, "got Pipeline; front.node"),
        ({"labels": "dog"}, TypeError, "expected labels as a list"),
        ({"labels": ["dog"]}, ValueError, r"of \[n, 1\] for 1 labels, got \[n, 3\]; give one label for each"),
        ({"layout": "tfn"}, ValueError, "expected layout as the letters of 'ntf'"),
        (
            {"layout": "n1tf", "front": networks.front().parts()[0]},
            ValueError,
            "end the front end with Patches",
        ),
        (
            {"front": fa.Resample(input_rate=16_000, output_rate=16_000)},
            fa.ModelError,
            r"alone, got .*; give it windows of samples: front >> Patches\(length=",
        ),
        ({"outputs": ["a", "b"]}, ValueError, "expected outputs as 1 different names"),
        ({"outputs": "a"}, TypeError, "expected outputs as a list"),
        ({"output": "other"}, ValueError, "expected output as one of scores"),
        ({"activation": "relu"}, ValueError, "expected activation as 'sigmoid', 'softmax' or None"),
        ({"exporter": "jit"}, ValueError, "expected exporter as 'script', 'dynamo' or None"),
        ({"tolerance": -1}, ValueError, "expected tolerance of 0 or above"),
        ({"opset": 3}, ValueError, r"expected opset in \[9, 25\]"),
        ({"sounds": str(GUITAR)}, TypeError, r"use \[sound\]"),
        ({"sounds": [3]}, TypeError, "each of sounds as a path"),
        ({"sounds": ["no-such.wav"]}, fa.DecodeError, "no-such.wav"),
        ({"card": "MIT"}, TypeError, "expected card as a dict of what JSON holds, got 'MIT'"),
        ({"card": {"weights": "no"}}, fa.ModelError, "'weights' as 'trained' or 'untrained', got 'no'"),
        ({"module": "net"}, TypeError, "expected a torch.nn.Module, got str"),
    ],
)
def test_a_wrong_argument_is_told(
    arguments: dict[str, Any], error: type[Exception], message: str, tmp_path: Path
) -> None:
    net = networks.Rows(lambda logits, _: logits.sigmoid())
    good = {"module": net, "front": networks.front(), "labels": LABELS, "path": tmp_path / "m"}
    with pytest.raises(error, match=message):
        ft.export(**good | arguments)
    assert not list(tmp_path.iterdir())


def test_no_other_file_is_replaced(tmp_path: Path) -> None:
    net = networks.Rows(lambda logits, _: logits.sigmoid())
    (tmp_path / "card.json").write_text("[]", encoding="utf-8")
    (tmp_path / "net.onnx").write_bytes(b"others'")
    for path in (tmp_path, tmp_path / "net.onnx"):
        with pytest.raises(fa.ModelError, match="expected a"):
            ft.export(net, networks.front(), path=path, labels=LABELS)
    assert (tmp_path / "net.onnx").read_bytes() == b"others'"


@pytest.mark.parametrize("name", ["mine", "mine.json", "mine.onnx"])
def test_a_model_that_is_there_is_replaced_once_the_new_one_is_whole(name: str, tmp_path: Path) -> None:
    ft.export(networks.Rows(lambda logits, _: logits.sigmoid()), networks.front(), path=tmp_path / name)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(fa.ModelError, match="expected the same numbers from one row each time"):
        ft.export(
            networks.Rows(lambda logits, _: logits + torch.rand(1)), networks.front(), path=tmp_path / name
        )
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    ft.export(
        networks.Rows(lambda logits, _: logits.sigmoid()),
        networks.front(),
        path=tmp_path / name,
        labels=LABELS,
    )
    assert fa.Pipeline.load(tmp_path / name)(GUITAR).labels == LABELS


def test_a_model_streams(tmp_path: Path) -> None:
    net = networks.settled(networks.Images())
    made = ft.export(net, networks.front(hop=5), path=tmp_path / "m", labels=LABELS, layout="n1tf")
    samples = np.random.default_rng(0).normal(0, 0.1, 40_000).astype(np.float32)
    whole = made.pipeline(samples, sample_rate=16_000)
    with made.pipeline.open(sample_rate=16_000) as stream:
        windows = [window for k in range(0, 40_000, 777) for window in stream.push(samples[k : k + 777])]
        windows += stream.flush()
    assert np.array_equal(np.stack([window.scores for window in windows]), whole.scores)
    assert whole.scores.shape == (len(windows), len(LABELS))
