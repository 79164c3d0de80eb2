"""Diagrams of pipelines: a box for each node, an arrow for all that flows."""

from __future__ import annotations

import fastaudio as fa
import pytest
from fastaudio import plot
from node_cases import CLASSES, MEL, node_of

pyplot = pytest.importorskip("matplotlib.pyplot", reason="pip install '.[plot]'")

FRONT = MEL >> {"log": fa.Log(), "mean": fa.Log() >> fa.Mean()}


def test_every_node_of_a_pipeline_has_a_box_and_what_flows_is_beside_the_arrows(tagger: fa.Pipeline) -> None:
    ax = plot.diagram(tagger)
    texts = [text.get_text() for text in ax.texts if text.get_text()]
    lines = str(tagger).splitlines()
    assert texts[-len(lines) :] == [line.split("  -> ")[0].strip() for line in lines]
    assert [text for text in texts if text.startswith("[62.5 Hz, 96]")] == [
        "[62.5 Hz, 96] power",
        "[62.5 Hz, 96] log10",
    ]
    assert "[0.334 Hz, 50] probability" in texts


def test_branches_stand_side_by_side_below_what_feeds_them() -> None:
    plan = fa.Pipeline(FRONT).plan()
    boxes = {text: (x, y) for x, y, text in plan.boxes}
    (mean, mel) = boxes["Mean()"], next(at for text, at in boxes.items() if text.startswith("Mel"))
    logs = [(x, y) for x, y, text in plan.boxes if text == "Log()"]
    assert len(logs) == 2
    assert logs[0][1] == logs[1][1] > mel[1]
    assert logs[0][0] < mel[0] < logs[1][0] == mean[0]
    assert mean[1] > logs[1][1]
    assert {text for text in plan.flows.values() if ":" in text} == {
        "log: [62.5 Hz, 32] ln",
        "mean: [once, 32] ln",
    }


def test_every_node_of_sound_can_be_drawn_and_no_box_covers_another() -> None:
    nodes = [node for name in CLASSES if (node := node_of(name)).input_spec is not None]
    assert len(nodes) > 5
    for node in nodes:
        pipeline = fa.Pipeline(node)
        plan = pipeline.plan()
        places = [(round(x, 3), round(y, 3)) for x, y, _ in plan.boxes]
        assert len(set(places)) == len(places)
        assert all(0 <= x <= plan.width and 0 <= y <= plan.height for x, y in places)
        assert plot.diagram(pipeline).texts
        pyplot.close("all")


def test_a_node_alone_is_refused_with_the_way_to_draw_it() -> None:
    with pytest.raises(TypeError, match=r"^plot\.diagram: expected a Pipeline, got MelSpec.*; wrap a node"):
        plot.diagram(MEL)  # type: ignore[arg-type]
