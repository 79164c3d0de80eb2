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


def with_buffer(buffer: Any) -> Any:
    net = nn.Sequential(nn.Linear(2, 2), nn.Module())
    net[1].register_buffer("own", buffer)
    return net


def weights_for(buffer: Any) -> dict[str, Any]:
    return {"w": torch.full((2, 2), 3.0), "b": torch.full((2,), 4.0), "x": buffer}


def tied() -> Any:
    net = with_buffer(torch.zeros(2))
    net[1].own = net[0].bias.detach()
    return net


def overlapping() -> Any:
    return with_buffer(torch.zeros(1).expand(2))


@pytest.mark.parametrize(
    ("build", "given", "message"),
    [
        (
            tied,
            [1.0, 2.0],
            r"expected a tensor of its own for '\w.*', to write '\w' into, got: another tensor",
        ),
        (overlapping, [1.0, 2.0], r"a tensor of its own for '1.own', to write 'x' into, got: .*clone\(\)"),
        (
            lambda: with_buffer(torch.zeros(2)).half(),
            [1.0, 1e6],
            "that torch.float16 holds, got others in 'x'",
        ),
        (lambda: with_buffer(torch.zeros(2)).half(), [-1e6, 0.0], r"use module.float\(\) before"),
        (
            lambda: with_buffer(torch.zeros(2, dtype=torch.int64)),
            [0.5, 1.0],
            "values for '1.own' that torch.int64 holds, got others in 'x' of torch.float32; skip=",
        ),
        (lambda: with_buffer(torch.zeros(2, dtype=torch.int8)), [300.0, 1.0], "that torch.int8 holds"),
        (lambda: with_buffer(torch.zeros(2, dtype=torch.bool)), [1.0, 0.5], "that torch.bool holds"),
        (
            lambda: with_buffer(torch.zeros(2, device="meta")),
            [1.0, 2.0],
            r"got '1.own' on the device 'meta'; use module.to_empty\(device='cpu'\) before",
        ),
        (
            lambda: nn.Sequential(nn.LazyLinear(2), nn.BatchNorm1d(2)),
            [1.0, 2.0],
            "got '0.weight' of a lazy layer; run the module once before",
        ),
    ],
)
def test_all_are_copied_exactly_or_none(build: Any, given: list[float], message: str) -> None:
    net = build()
    known = {name: value for name, value in net.state_dict().items() if not nn.parameter.is_lazy(value)}
    before = {name: value.clone() for name, value in known.items()}
    with pytest.raises(ValueError, match=message):
        ft.load_in_order(net, weights_for(torch.tensor(given)))
    for name, value in known.items():
        assert value.is_meta or torch.equal(value, before[name]), name


@pytest.mark.parametrize(
    ("own", "given"),
    [
        (torch.zeros(2, dtype=torch.int64), torch.tensor([3.0, -1.0])),
        (torch.zeros(2, dtype=torch.int64), torch.tensor([2**60 + 1, -1])),
        (torch.zeros(2, dtype=torch.bool), torch.tensor([1, 0])),
        (torch.zeros(2).half(), torch.tensor([float("inf"), 0.1])),
        (torch.zeros(2), torch.tensor([float("nan"), 2.0])),
        (torch.zeros(2), torch.tensor([1.0, 2.0]).expand(2)),
    ],
)
def test_values_that_the_modules_tensor_holds_are_taken(own: Any, given: Any) -> None:
    net = with_buffer(own)
    ft.load_in_order(net, weights_for(given))
    want = given.to(own.dtype)
    assert torch.equal(net[1].own.nan_to_num(), want.nan_to_num())
    assert torch.equal(net[1].own.double().isnan(), want.double().isnan())


def test_tied_weights_take_the_same_values() -> None:
    net = tied()
    ft.load_in_order(net, weights_for(torch.full((2,), 4.0)))
    assert net[1].own.tolist() == net[0].bias.tolist() == [4.0, 4.0]


def test_a_module_of_meta_is_loaded_as_the_error_says() -> None:
    net = with_buffer(torch.zeros(2, device="meta")).to_empty(device="cpu")
    ft.load_in_order(net, weights_for(torch.ones(2)))
    assert net[1].own.tolist() == [1.0, 1.0]
