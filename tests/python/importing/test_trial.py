"""A first run tells what a model gives, and what no right one would."""

from __future__ import annotations

from typing import TYPE_CHECKING

import fastaudio as fa
import numpy as np
import pytest
from fastaudio import importing
from fastaudio.importing.trial import made_sounds
from helpers import GUITAR

pytest.importorskip("onnx")
from importing_helpers import numbers, write
from onnx import helper

if TYPE_CHECKING:
    from pathlib import Path


def pipeline(folder: Path, weight: float, bias: float, *, labels: bool = True) -> fa.Pipeline:
    """Return a pipeline whose two numbers are `weight` times the sum of squares of a second, plus `bias`."""
    nodes = [
        helper.make_node("ReduceSumSquare", ["x"], ["m"], axes=[1], keepdims=1),
        helper.make_node("Gemm", ["m", "w", "b"], ["y"]),
    ]
    weights = {"w": np.full((1, 2), weight, np.float32), "b": np.full(2, bias, np.float32) + numbers(2) * 0.1}
    network = write(folder / "net.onnx", nodes, ("x", ["n", 16_000]), {"y": ["n", 2]}, weights)
    names = ["a", "b"] if labels else None
    return importing.from_onnx(network, "samples", labels=names, options={"sample_rate": 16_000})


def test_scores_are_told_for_sounds_that_differ(tmp_path: Path) -> None:
    heard, doubts = importing.listen_to(pipeline(tmp_path, 1e-4, 0.1))
    assert [each.sound for each in heard] == ["a chord", "clicks", "noise", "silence"]
    assert all(each.said.startswith(("a 0.", "b 0.")) for each in heard)
    assert not doubts


def test_logits_look_wrong(tmp_path: Path) -> None:
    _, (doubt,) = importing.listen_to(pipeline(tmp_path, 1e-2, -3))
    assert "aren't within 0 and 1" in doubt
    assert "--activation sigmoid" in doubt
    _, doubts = importing.listen_to(pipeline(tmp_path, 1e-2, -3, labels=False))
    assert not doubts


def test_the_same_for_all_sounds_looks_wrong(tmp_path: Path) -> None:
    _, (doubt,) = importing.listen_to(pipeline(tmp_path, 0, 0.5))
    assert doubt.startswith("it gives nearly the same for all sounds")


def test_numbers_that_are_not_finite_look_wrong(tmp_path: Path) -> None:
    _, (doubt,) = importing.listen_to(pipeline(tmp_path, float("inf"), 0.5))
    assert "aren't finite" in doubt


def test_files_are_heard_in_place_of_made_sounds(tmp_path: Path) -> None:
    (one,), doubts = importing.listen_to(pipeline(tmp_path, 1e-4, 0.1, labels=False), [GUITAR])
    assert one.sound == str(GUITAR)
    assert one.said.startswith("rows 9 x 2, from 0.")
    assert not doubts


def test_made_sounds_are_the_same_each_time() -> None:
    one, other = made_sounds(1.5), made_sounds(1.5)
    for name, x in one.items():
        assert x.tobytes() == other[name].tobytes()
        assert np.abs(x).max() <= 1.0
        assert len(x) == 66_150
