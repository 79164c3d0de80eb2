"""Pipeline.layer takes any tensor of the network's graph, not only its outputs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest
from cli_helpers import run
from helpers import GUITAR

if TYPE_CHECKING:
    from pathlib import Path

pytest.importorskip("onnx")
from network_forms import node, save, tensor

RATE = 16_000


def relu_inside(path: Path, **options: Any) -> Path:
    """A network whose inner tensor "inner" is no output."""
    return save(
        path,
        [node("Mul", ["x", "w"], ["inner"]), node("Relu", ["inner"], ["y"])],
        [tensor("x", "float32", ("n", 3))],
        [tensor("y", "float32", ("n", 3))],
        w=np.float32([2, -1, 0.5]),
        **options,
    )


@pytest.mark.parametrize("place", ["folder", "card.json", "packed.onnx"])
@pytest.mark.parametrize("external", ["", "net.onnx.data"])
def test_an_inner_tensor_is_a_layer(place: str, external: str, tmp_path: Path) -> None:
    mel = fa.MelSpectrogram(sample_rate=RATE, n_mels=3)
    path = relu_inside(tmp_path / "net.onnx", external=external)
    ours = fa.Pipeline(mel >> fa.OnnxModel(path) >> fa.Tags(["a", "b", "c"]))
    if place != "folder":
        (tmp_path / "saved").mkdir()
        ours.save(tmp_path / "saved" / place)
        ours = fa.Pipeline.load(tmp_path / "saved" / place)
    assert ours.layers == ("y",)
    inner = ours.layer("inner")
    rows = fa.Pipeline(mel)(GUITAR)
    np.testing.assert_allclose(inner(GUITAR), rows * np.float32([2, -1, 0.5]), rtol=1e-6)
    assert inner.layers == ("y",)
    inner.save(tmp_path / "inner.json")
    assert fa.Pipeline.load(tmp_path / "inner.json")(GUITAR).tobytes() == inner(GUITAR).tobytes()


def test_a_name_that_is_nearly_an_inner_tensors_is_guessed_after_the_short_list(tmp_path: Path) -> None:
    net = fa.OnnxModel(relu_inside(tmp_path / "net.onnx"))
    ours = fa.Pipeline(fa.MelSpectrogram(sample_rate=RATE, n_mels=3) >> net)
    message = (
        r"^Pipeline\.layer: expected one of y, or an inner tensor, got 'iner'; did you mean 'inner'\? "
        r"This lists all: fastaudio models .*net\.onnx --tensors$"
    )
    with pytest.raises(ValueError, match=message):
        ours.layer("iner")


def test_the_command_embeds_an_inner_tensor(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    net = fa.OnnxModel(relu_inside(tmp_path / "net.onnx"))
    ours = fa.Pipeline(fa.MelSpectrogram(sample_rate=RATE, n_mels=3) >> net)
    ours.save(tmp_path / "packed.onnx")
    arguments = ("--model", tmp_path / "packed.onnx", "--layer", "inner", "-o", tmp_path / "rows.npz")
    assert run(capsys, "embed", GUITAR, *arguments)[0] == 0
    with np.load(tmp_path / "rows.npz") as held:
        np.testing.assert_array_equal(held["embeddings"], ours.layer("inner")(GUITAR))
        assert str(held["layer"]) == "inner"
