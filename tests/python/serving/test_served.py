"""What requests ask of a model is made once, and of the networks that are there already."""

from __future__ import annotations

from typing import Any

import fastaudio as fa
import pytest
from fastaudio import kinds
from fastaudio.serving import served
from fastaudio.serving.served import Asked, Served
from serving_helpers import levels


def test_steps_of_many_clients_load_no_network_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[str] = []
    load = kinds._teller

    def counted(wanted: str) -> fa.Pipeline | None:
        loaded.append(wanted)
        return load(wanted)

    monkeypatch.setattr(kinds, "_teller", counted)
    model = Served(fa.Pipeline.load("musicnn-mtt"), "a")
    for hop_s in (0.5, 0.6, 0.7):
        assert model.for_request(Asked(hop_s=hop_s, kind=True))[1] is not None
        assert model.for_request(Asked(hop_s=hop_s))[1] is None
    assert loaded == ["music"]


@pytest.mark.parametrize(
    ("thresholds", "onset", "want"), [(None, None, 0.5), (0.25, None, 0.25), (0.25, 0.7, 0.7)]
)
def test_events_begin_where_the_caller_says_or_else_the_card(
    monkeypatch: pytest.MonkeyPatch, thresholds: float | None, onset: float | None, want: float
) -> None:
    pipeline = levels()
    if thresholds is not None:
        label = pipeline.output_specs[""].labels[0]
        pipeline.card["thresholds"] = {label: thresholds}
    given: list[Any] = []

    def events(**how: Any) -> fa.Node:
        given.append(how["onset"])
        return fa.Events(**how)

    monkeypatch.setattr(served, "Events", events)
    Served(pipeline, "a").for_request(Asked(events=True, onset=onset))
    assert given == [[want]]
