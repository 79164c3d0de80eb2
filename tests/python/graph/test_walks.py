"""Every composite shows its children, takes others, and is known to all that walk over nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import fastaudio as fa
import pytest
from fastaudio import cards
from fastaudio.heads.embedders import licence_of
from helpers import ONNX
from node_cases import CLASSES, COMPOSITES, MEL, node_of

if TYPE_CHECKING:
    from pathlib import Path

every_node = pytest.mark.parametrize("name", CLASSES)
every_composite = pytest.mark.parametrize("name", sorted(COMPOSITES))

CUT = fa.MelSpectrogram(sample_rate=16_000, n_fft=512, hop_length=256, n_mels=3) >> fa.Patches(length=4)
OTHERS: dict[str, fa.Node] = {  # by role, beside a child that ends with a network
    "step": fa.L2Normalize(),
    "output": CUT,
    "joined": CUT,
    "condition": CUT >> {"gamma": fa.Log(), "beta": fa.L2Normalize()},
}


def network(path: Path = ONNX / "outputs.onnx", output: str = "double", sha256: str = "") -> fa.OnnxModel:
    """A tiny network with three outputs: double, triple and peak."""
    return fa.OnnxModel(str(path), outputs=[output], sha256=sha256)


def with_network(name: str, net: fa.OnnxModel) -> fa.Node:
    """A composite whose first child ends with a network."""
    node = node_of(name)
    return node.with_children([CUT >> net, *(OTHERS[role] for role in node.child_roles()[1:])])


def networks(node: fa.Node) -> list[fa.OnnxModel]:
    own = [node] if isinstance(node, fa.OnnxModel) else []
    return own + [net for child in node.children() for net in networks(child)]


def arguments(node: fa.Node) -> dict[str, Any]:
    """What the constructor takes, by name."""
    options = {key: value for key, value in node.to_dict().items() if key != "node"}
    return options | {key: getattr(node, key) for key in type(node).child_arguments()}


def test_composites_are_found() -> None:
    assert {"Concat", "Each", "Film", "Parallel", "Sequential"} <= COMPOSITES


@every_node
def test_composites_alone_have_children_and_each_child_a_role(name: str) -> None:
    node = node_of(name)
    assert bool(node.children()) == (name in COMPOSITES)
    assert len(node.child_roles()) == len(node.children())
    assert set(node.child_roles()) <= OTHERS.keys() | {"clip"}


@every_node
def test_a_node_with_its_own_children_is_equal(name: str) -> None:
    node = node_of(name)
    again = node.with_children(node.children())
    assert again == node
    assert type(again) is type(node)
    assert again.to_dict() == node.to_dict()


@every_node
def test_more_children_than_a_node_can_have_are_refused(name: str) -> None:
    node = node_of(name)
    if "list" not in CLASSES[name].child_arguments().values():
        n = len(node.children())
        with pytest.raises(ValueError, match=rf": expected ({n or 'no'}) children.*, got {n + 1}"):
            node.with_children([*node.children(), MEL])


@every_composite
def test_no_children_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"^{name}: expected .*, got (0|none)$"):
        node_of(name).with_children([])


@every_composite
def test_arguments_with_children_have_the_children_in_order(name: str) -> None:
    node = node_of(name)
    held: list[fa.Node] = []
    for argument, form in CLASSES[name].child_arguments().items():
        value = getattr(node, argument)
        held += [value] if form == "node" else list(value.values()) if form == "dict" else value
    assert held == node.children()
    assert CLASSES[name](**arguments(node)) == node


@every_composite
def test_a_card_is_saved_with_the_networks_within_and_loaded(name: str, tmp_path: Path) -> None:
    cards.save(tmp_path / "card.json", with_network(name, network()), {})
    again = cards.build(cards.read_card(tmp_path / "card.json"))
    copied = tmp_path / "outputs.onnx"
    want = with_network(name, network(copied, sha256=cards.hash_file(copied)))
    assert again.parts() == want.parts()


@every_composite
def test_layers_are_found_within(name: str) -> None:
    pipeline = fa.Pipeline(with_network(name, network()))
    assert pipeline.layers == ("double", "triple", "peak")
    layer = pipeline.layer("triple").node
    assert networks(layer) == [network(output="triple")]
    (spec,) = layer.output_specs(fa.StreamSpec(rate_hz=16_000)).values()
    assert spec.shape[-2:] == (4, 3)


@every_composite
def test_the_hop_is_changed_where_windows_are_cut(name: str) -> None:
    pipeline = fa.Pipeline(with_network(name, network()))
    rates = [spec.rate_hz for spec in pipeline.with_hop(0.032).output_specs.values()]
    assert rates == pytest.approx([31.25] * len(rates))
    assert all(spec.rate_hz < 20 for spec in pipeline.output_specs.values())


@every_composite
def test_a_licence_is_found_beside_the_network_within(name: str, tmp_path: Path) -> None:
    cards.save(tmp_path / "card.json", with_network(name, network()), {})
    pipeline = fa.Pipeline.load(tmp_path / "card.json")
    assert licence_of(pipeline) is None
    (tmp_path / "LICENSE").write_text("free", encoding="utf-8")
    assert licence_of(pipeline) == tmp_path / "LICENSE"


@every_composite
def test_a_diagram_draws_or_names_the_nodes_within(name: str) -> None:
    diagram = with_network(name, network()).diagram()
    assert "MelSpectrogram" in diagram
    assert "OnnxModel" in diagram
    assert diagram.splitlines()[-1].count("latency") == 1


@pytest.mark.parametrize("bad", [None, 3])
def test_only_nodes_are_children(bad: object) -> None:
    node = fa.MelSpectrogram() >> fa.Log()
    with pytest.raises(TypeError, match="expected nodes, got"):
        node.with_children([bad, bad])


def test_a_hop_of_a_wrong_type_is_refused_by_name() -> None:
    with pytest.raises(TypeError, match="expected n_rows as int, got 'a'"):
        fa.Patches().with_hop("a")
