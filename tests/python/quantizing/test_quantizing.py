"""Quantized models: within the bound, written whole with what was measured, or refused in words."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest
import soundfile
from cli_helpers import run
from fastaudio.cards import read_card
from fastaudio.quantizing import NothingWon, QuantizeError, quantize
from fastaudio.quantizing.rows import in_layout
from fastaudio.quantizing.timing import Timing

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

QUICK: Callable[..., Timing] = lambda *_, **__: Timing(0.6, 0.7)  # noqa: E731
SLOW: Callable[..., Timing] = lambda *_, **__: Timing(1.4, 1.5)  # noqa: E731


@pytest.fixture
def sounds(tmp_path: Path) -> Path:
    folder = tmp_path / "sounds"
    folder.mkdir()
    random = np.random.default_rng(0)
    t = np.arange(16_000) / 16_000
    for number in range(6):
        tone = 0.3 * np.sin(2 * np.pi * 200 * (number + 1) * t * (1 + t)) + 0.02 * random.standard_normal(
            16_000
        )
        soundfile.write(folder / f"{number}.wav", tone.astype(np.float32), 16_000)
    return folder


def network(path: Path, opset: int = 17) -> Path:
    """A convolution over [n, 1, 20, 8], a ReLU, a mean and a layer of weights."""
    helper, random = onnx.helper, np.random.default_rng(1)
    weights = {
        "w": random.standard_normal((4, 1, 3, 3)) / 9,
        "b": np.zeros(4),
        "v": random.standard_normal((4, 3)),
    }
    nodes = [
        helper.make_node("Conv", ["x", "w", "b"], ["c"]),
        helper.make_node("Relu", ["c"], ["r"]),
        helper.make_node("GlobalAveragePool", ["r"], ["p"]),
        helper.make_node("Flatten", ["p"], ["f"]),
        helper.make_node("MatMul", ["f", "v"], ["m"]),
        helper.make_node("Sigmoid", ["m"], ["y"]),
    ]
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        "net",
        [value("x", 1, ["n", 1, 20, 8])],
        [value("y", 1, ["n", 3])],
        [onnx.numpy_helper.from_array(array.astype(np.float32), name) for name, array in weights.items()],
    )
    opsets = [helper.make_opsetid("", opset)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), path)
    return path


def pipeline(tmp_path: Path, opset: int = 17) -> fa.Pipeline:
    mel = fa.MelSpectrogram(sample_rate=16_000, n_fft=512, hop_length=160, n_mels=8)
    front = mel >> fa.Log(kind="log10", scale=10_000.0, offset=1.0) >> fa.Patches(length=20, hop=20)
    net = fa.OnnxModel(network(tmp_path / "net.onnx", opset), layout="n1tf")
    return fa.Pipeline(front >> net >> fa.Tags(["a", "b", "c"]))


@pytest.mark.parametrize("target", ["quick", "quick.onnx"])
def test_what_is_written_holds_the_bound_and_says_what_was_measured(
    target: str, tmp_path: Path, sounds: Path
) -> None:
    ours = pipeline(tmp_path)
    made = quantize(ours, sounds, tmp_path / target, bound=0.05, compare=QUICK)
    loaded: Any = fa.Pipeline.load(made.path)
    held_out = [sounds / f"{number}.wav" for number in (1, 3, 5)]
    worst = max(np.abs(loaded(path).mean() - ours(path).mean()).max() for path in held_out)  # type: ignore[union-attr]
    assert 0 < worst <= 0.05
    about = loaded.card["quantized"]
    assert about == made.about
    assert about["largest_difference"] == pytest.approx(worst, abs=1e-6)
    assert about["time_ratio"] == 0.6
    assert about["sounds"] == {"calibrating": 3, "held_out": 3}
    assert {"method", "bound", "layers", "processor", "onnxruntime", "of"} <= set(about)


def test_the_written_network_has_8_bit_weights(tmp_path: Path, sounds: Path) -> None:
    made = quantize(pipeline(tmp_path), sounds, tmp_path / "quick", bound=0.05, compare=QUICK)
    types = {one.data_type for one in onnx.load(next((tmp_path / "quick").glob("*.onnx"))).graph.initializer}
    assert types & {onnx.TensorProto.INT8, onnx.TensorProto.UINT8}
    assert made.path.name == "card.json"


def test_the_licence_of_the_weights_goes_with_the_smaller_ones(tmp_path: Path, sounds: Path) -> None:
    pipeline(tmp_path).save(tmp_path / "mine" / "card.json")
    (tmp_path / "mine" / "LICENSE").write_text("name me", encoding="utf-8")
    ours = fa.Pipeline.load(tmp_path / "mine")
    for target in ("quick", "packed.onnx"):
        made = quantize(ours, sounds, tmp_path / target, bound=0.05, compare=QUICK)
        fa.Pipeline.load(made.path).save(tmp_path / target / "again.json" if target == "quick" else made.path)
    assert (tmp_path / "quick" / "LICENSE").read_text(encoding="utf-8") == "name me"
    packed = read_card(tmp_path / "packed.onnx").packed
    assert packed is not None
    assert packed.licence == b"name me"


@pytest.mark.parametrize("name", ["mine/card.json", "mine.json", "mine.onnx"])
def test_another_file_is_refused_before_the_work(name: str, tmp_path: Path) -> None:
    ours, place = pipeline(tmp_path), tmp_path / name
    place.parent.mkdir(exist_ok=True)
    place.write_text("mine", encoding="utf-8")
    target = place.parent if name.startswith("mine/") else place
    with pytest.raises(fa.ModelError, match=r"to replace, got another file; choose another name"):
        quantize(ours, tmp_path / "no folder", target)
    assert place.read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize(
    ("compare", "bound", "message"),
    [(SLOW, 0.5, "1.40 of its time at best"), (QUICK, 1e-9, "at best from those that are faster")],
)
def test_where_nothing_wins_nothing_is_written(
    compare: Any, bound: float, message: str, tmp_path: Path, sounds: Path
) -> None:
    with pytest.raises(NothingWon, match=message):
        quantize(pipeline(tmp_path), sounds, tmp_path / "quick", bound=bound, compare=compare)
    assert not (tmp_path / "quick").exists()


@pytest.mark.parametrize("target", ["own", "own/card.json", "packed.onnx"])
def test_a_model_is_replaced_but_not_the_one_that_is_quantized(
    target: str, tmp_path: Path, sounds: Path
) -> None:
    plain = pipeline(tmp_path)
    (tmp_path / "own").mkdir()
    plain.save(tmp_path / "own" / "card.json")
    plain.save(tmp_path / "packed.onnx")
    own = fa.Pipeline.load(tmp_path / target)
    file = tmp_path / ("own/card.json" if target == "own" else target)
    before = file.read_bytes()
    with pytest.raises(fa.OutputError, match="expected another file than the inputs"):
        quantize(own, sounds, tmp_path / target, bound=0.05, compare=QUICK)
    assert file.read_bytes() == before
    with pytest.raises(fa.OutputError, match="expected no "):
        quantize(plain, sounds, tmp_path / target, bound=0.05, compare=QUICK, force=False)
    assert quantize(plain, sounds, tmp_path / target, bound=0.05, compare=QUICK).path == file
    assert file.read_bytes() != before


def test_bad_sounds_are_left_out_and_named(tmp_path: Path, sounds: Path) -> None:
    (sounds / "bad.wav").write_bytes(b"RIFF, or not")
    made = quantize(pipeline(tmp_path), sounds, tmp_path / "quick", bound=0.05, compare=QUICK)
    assert list(made.failed) == [str(sounds / "bad.wav")]


def test_what_cannot_be_quantized_is_refused_in_words(tmp_path: Path, sounds: Path) -> None:
    ours = pipeline(tmp_path)
    empty = tmp_path / "empty"
    empty.mkdir()
    for folder, message in ((empty, "two sounds or more"), (tmp_path / "none", "a folder of sounds")):
        with pytest.raises(QuantizeError, match=message):
            quantize(ours, folder, tmp_path / "quick")
    mel = fa.MelSpectrogram(sample_rate=16_000, n_fft=512, hop_length=160, n_mels=8)
    with pytest.raises(QuantizeError, match="one network in its row"):
        quantize(fa.Pipeline(mel), sounds, tmp_path / "quick")
    with pytest.raises(QuantizeError, match="ends in Tags"):
        quantize(ours.layer(), sounds, tmp_path / "quick")
    with pytest.raises(QuantizeError, match="opset 13 or later, got 11"):
        quantize(pipeline(tmp_path, 11), sounds, tmp_path / "quick")
    with pytest.raises(ValueError, match=r"bound in \(0, 1\]"):
        quantize(ours, sounds, tmp_path / "quick", bound=0)
    assert not (tmp_path / "quick").exists()


@pytest.mark.parametrize(("layout", "rank"), [("n1tf", 4), ("nft", 3), ("", 3), ("tf", 2), ("ntf1", 4)])
def test_a_row_is_laid_out_as_the_core_does(layout: str, rank: int) -> None:
    row = np.arange(6, dtype=np.float32).reshape(2, 3)
    wanted = {
        "n1tf": row[None, None],
        "nft": row.T[None],
        "": row[None],
        "tf": row,
        "ntf1": row[None, :, :, None],
    }
    np.testing.assert_array_equal(in_layout(row, layout, rank), wanted[layout])


@pytest.mark.parametrize("name", ["instruments", "silero-vad"])
def test_a_shipped_model_is_searched(name: str, tmp_path: Path, sounds: Path) -> None:
    try:
        made = quantize(fa.Pipeline.load(name), sounds, tmp_path / "quick", bound=0.1, compare=QUICK)
    except NothingWon:
        assert not (tmp_path / "quick").exists()
    else:
        assert json.loads(made.path.read_text(encoding="utf-8"))["quantized"]["largest_difference"] <= 0.1
        assert fa.Pipeline.load(made.path).name == "quick"


def test_the_command_refuses_what_is_there_and_what_it_cannot_read(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "card.json").write_text("mine", encoding="utf-8")
    status, _, err = run(capsys, "quantize", "instruments", "--calibrate", tmp_path, "-o", tmp_path)
    assert status == 2
    assert "--force" in err
    status, _, err = run(capsys, "quantize", "instruments", "--calibrate", "none", "-o", tmp_path / "q")
    assert status == 2
    assert "expected a folder of sounds" in err


def test_the_command_writes_a_model_and_says_what_it_gains(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, sounds: Path
) -> None:
    monkeypatch.setattr("fastaudio.cli.quantize.quantize", partial(quantize, compare=QUICK))
    pipeline(tmp_path).save(tmp_path / "ours.json")
    asked = ("quantize", tmp_path / "ours.json", "--calibrate", sounds, "-o", tmp_path / "quick.onnx")
    status, out, err = run(capsys, *asked, "--bound", "0.05")
    assert status == 0, err
    assert "takes 0.60 of the time" in out
    assert "3 sounds held out" in out
    monkeypatch.setattr("fastaudio.cli.quantize.quantize", partial(quantize, compare=SLOW))
    status, out, err = run(capsys, *asked, "--bound", "0.05", "--force")
    assert (status, out) == (1, "")
    assert "nothing was written" in err
    assert fa.Pipeline.load(tmp_path / "quick.onnx").card["quantized"]["bound"] == 0.05
