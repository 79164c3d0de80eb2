"""Weights under other names are loaded by order, all or none."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from helpers import RECIPES

torch = pytest.importorskip("torch", reason="pip install '.[torch]'")

import fastaudio.torch as ft  # noqa: E402

nn = torch.nn


@pytest.fixture
def recipe(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Import a recipe of the papers by its name."""
    pytest.importorskip("onnx", reason="recipes are exported by onnx: pip install '.[recipes]'")
    monkeypatch.syspath_prepend(str(RECIPES / "papers"))
    return __import__


def theirs(net: Any, *, counters: bool = True) -> dict[str, Any]:
    """Weights as authors save them: other names for the layers, PyTorch's own for their tensors."""
    layers: dict[str, str] = {}
    found = {}
    for name, value in net.state_dict().items():
        layer, _, kind = name.rpartition(".")
        if counters or kind != "num_batches_tracked":
            found[f"{layers.setdefault(layer, f'module.layer{len(layers)}.x')}.{kind}"] = value.clone()
    return found


def settled(net: Any) -> Any:
    """Weights and statistics that no two tensors share."""
    torch.manual_seed(7)
    with torch.no_grad():
        for value in net.state_dict().values():
            if value.is_floating_point():
                value.copy_(torch.rand_like(value) * 0.2 + 0.05)
    return net.eval()


@pytest.mark.parametrize("counters", [True, False])
@pytest.mark.parametrize(
    ("network", "n_tensors", "shape"),
    [("harmonic_cnn.HarmonicCnn", 98, (2, 6, 128, 313)), ("talnet.Talnet", 80, (2, 40, 64))],
)
def test_a_recipe_takes_weights_under_others_names_and_gives_their_scores(
    recipe: Any, network: str, n_tensors: int, shape: Any, counters: bool
) -> None:
    module, _, kind = network.partition(".")
    build = getattr(recipe(module), kind)
    original, ours = settled(build(width=8)), build(width=8).eval()
    pairs = ft.load_in_order(ours, theirs(original, counters=counters))
    assert len(pairs) == n_tensors - sum("num_batches" in name for name in ours.state_dict())
    assert all(own.rpartition(".")[2] == other.rpartition(".")[2] for own, other in pairs.items())
    torch.manual_seed(0)
    x = torch.randn(shape)
    with torch.no_grad():
        for got, want in zip(ours(x), original(x), strict=True):
            assert torch.equal(got, want)


def small() -> Any:
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Conv2d(4, 4, 3), nn.Linear(4, 2))


def changed(change: Any) -> dict[str, Any]:
    weights = theirs(settled(small()))
    change(weights)
    return weights


def swapped(weights: dict[str, Any]) -> None:
    items = list(weights.items())
    weights.clear()
    weights.update([items[1], items[0], *items[2:]])


def put_first(weights: dict[str, Any]) -> None:
    items = list(weights.items())
    weights.clear()
    weights.update([("stft.window", torch.zeros(400)), ("stft.mel.fb", torch.zeros(9, 4)), *items])


def exchange_bias(weights: dict[str, Any]) -> None:
    """BatchNorm's bias before its weight: the shapes are the same."""
    items = list(weights.items())
    at = next(i for i, (name, _) in enumerate(items) if name.startswith("module.layer1."))
    items[at], items[at + 1] = items[at + 1], items[at]
    weights.clear()
    weights.update(items)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (swapped, r"expected \[4, 1, 3, 3\] for '0.weight', got \[4\] of 'module.layer0.x.bias'; skip="),
        (put_first, r"expected \[4, 1, 3, 3\] for '0.weight', got \[400\] of 'stft.window'"),
        (exchange_bias, "expected a weight for '1.weight', got 'module.layer1.x.bias'"),
        (lambda w: w.popitem(), "expected 10 tensors, got 9; .* '3.bias' of the module"),
        (lambda w: w.update(more=torch.zeros(3)), "expected 10 tensors, got 11; .* 'more' of the state_dict"),
    ],
)
def test_what_doesnt_fit_is_named_and_nothing_is_loaded(change: Any, message: str) -> None:
    net = small()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    with pytest.raises(ValueError, match=message):
        ft.load_in_order(net, changed(change))
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())


@pytest.mark.parametrize("skip", ["stft", ["stft.window", "stft.mel.fb"]])
def test_what_the_module_doesnt_have_is_skipped_by_name(skip: Any) -> None:
    net = small()
    weights = changed(put_first)
    pairs = ft.load_in_order(net, weights, skip=skip)
    assert all(torch.equal(net.state_dict()[own], weights[other]) for own, other in pairs.items())
    with pytest.raises(ValueError, match="expected skip as names in the state_dict, got 'sttf'"):
        ft.load_in_order(net, weights, skip="sttf")


def test_weights_take_the_modules_dtype() -> None:
    net = small()
    weights = {name: value.double() for name, value in theirs(settled(small())).items()}
    ft.load_in_order(net, weights)
    assert {value.dtype for value in net.state_dict().values()} == {torch.float32, torch.int64}


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ("weights.pt", r"got str; use torch.load\(file, weights_only=True\)"),
        ({"state_dict": {}, "epoch": 3}, r"a dict at 'state_dict'; pass checkpoint\['state_dict'\]"),
        ({"epoch": 3}, "got int at 'epoch'"),
        ({"a": torch.zeros(2, dtype=torch.complex64)}, "dense tensors of real numbers"),
    ],
)
def test_what_is_no_dict_of_tensors_is_refused(weights: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        ft.load_in_order(small(), weights)


def test_only_a_module_is_loaded() -> None:
    with pytest.raises(TypeError, match=r"expected a torch\.nn\.Module, got dict"):
        ft.load_in_order({}, {})
    assert "fastaudio.torch" in sys.modules
