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


def tone(path: Path, hz: float, level: float = 0.3) -> None:
    samples = level * np.sin(2 * np.pi * hz * np.arange(16_000) / 16_000)
    soundfile.write(path, samples.astype(np.float32), 16_000)


def test_a_folder_of_silence_is_refused(tmp_path: Path) -> None:
    for number, level in enumerate((0, 0, 1e-4, 0)):
        tone(tmp_path / f"{number}.wav", 200 + number, level)
    with pytest.raises(
        QuantizeError, match=r"two different sounds or more, .* got 0 and 4 left out"
    ) as caught:
        quantize(pipeline(tmp_path), tmp_path, tmp_path / "quick", bound=0.05, compare=QUICK)
    assert all("got silence" in reason for reason in caught.value.failed.values())


def test_a_sound_and_its_copies_are_one(tmp_path: Path, sounds: Path) -> None:
    folder = tmp_path / "copies"
    folder.mkdir()
    tone(folder / "0.wav", 300)
    (folder / "1.wav").write_bytes((folder / "0.wav").read_bytes())
    soundfile.write(folder / "2.flac", soundfile.read(folder / "0.wav", dtype="int16")[0], 16_000)
    with pytest.raises(QuantizeError, match="got 1 and 2 left out"):
        quantize(pipeline(tmp_path), folder, tmp_path / "quick", bound=1e-9, compare=QUICK)
    (sounds / "zz.wav").write_bytes((sounds / "0.wav").read_bytes())
    made = quantize(pipeline(tmp_path), sounds, tmp_path / "quick", bound=0.05, compare=QUICK)
    assert list(made.failed) == [str(sounds / "zz.wav")]
    assert f"got that of {sounds / '0.wav'}" in made.failed[str(sounds / "zz.wav")]
    assert made.about["sounds"] == {"calibrating": 3, "held_out": 3}


@pytest.mark.parametrize("compare", [QUICK, SLOW])
def test_bad_sounds_are_named_where_nothing_wins(
    compare: Any, tmp_path: Path, sounds: Path, capsys: pytest.CaptureFixture[str], monkeypatch: Any
) -> None:
    (sounds / "bad.wav").write_bytes(b"RIFF, or not")
    tone(sounds / "silent.wav", 200, 0)
    pipeline(tmp_path).save(tmp_path / "own.onnx")
    from fastaudio.cli import quantize as command

    monkeypatch.setattr(command, "quantize", partial(quantize, compare=compare))
    status, _, err = run(
        capsys,
        "quantize",
        tmp_path / "own.onnx",
        "--calibrate",
        sounds,
        "--bound",
        "1e-9",
        "-o",
        tmp_path / "q",
    )
    assert status == 1
    assert "bad.wav" in err
    assert "silent.wav: expected sound, got silence" in err
    assert not (tmp_path / "q").exists()


@pytest.mark.parametrize("bound", ["2", "0", "-1", "nan"])
def test_a_bound_outside_its_range_is_refused_as_one(bound: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, _, err = run(capsys, "quantize", "instruments", "--calibrate", "x", f"--bound={bound}", "-o", "q")
    assert status == 2
    assert "above 0, at most 1" in err or "expected a number" in err


def test_a_network_with_weights_beside_it_is_quantized(tmp_path: Path, sounds: Path) -> None:
    ours = pipeline(tmp_path)
    (tmp_path / "two").mkdir()
    model = onnx.load(tmp_path / "net.onnx")
    path = tmp_path / "two" / "net.onnx"
    onnx.save(model, path, save_as_external_data=True, location="net.onnx.data", size_threshold=0)
    front, tags = ours.node.children()[:-2], ours.node.children()[-1]
    outside = fa.Pipeline(fa.Sequential([*front, fa.OnnxModel(path, layout="n1tf"), tags]))
    outside.save(tmp_path / "packed.onnx")
    want = quantize(ours, sounds, tmp_path / "want", bound=0.05, compare=QUICK)
    for number, one in enumerate((outside, fa.Pipeline.load(tmp_path / "packed.onnx"))):
        made = quantize(one, sounds, tmp_path / f"quick{number}", bound=0.05, compare=QUICK)
        assert made.about["largest_difference"] == want.about["largest_difference"]
        assert all(not net.external for net in fa.Pipeline.load(made.path).node.children()[-2:-1])  # type: ignore[attr-defined]


def test_a_network_with_a_state_keeps_its_first_output(tmp_path: Path, sounds: Path) -> None:
    helper = onnx.helper
    value, random = helper.make_tensor_value_info, np.random.default_rng(1)
    weights = {"v": random.standard_normal((8, 3)), "u": random.standard_normal((3, 3)) / 9}
    nodes = [
        helper.make_node("MatMul", ["x", "v"], ["m"]),
        helper.make_node("MatMul", ["h", "u"], ["g"]),
        helper.make_node("Add", ["m", "g"], ["s"]),
        helper.make_node("Tanh", ["s"], ["h_out"]),
        helper.make_node("Sigmoid", ["h_out"], ["y"]),
    ]
    rows = [value("x", 1, [1, 8]), value("h", 1, [1, 3])]
    for first in ("h_out", "y"):
        outputs = [value(name, 1, [1, 3]) for name in sorted(("h_out", "y"), key=lambda name: name != first)]
        kept = [
            onnx.numpy_helper.from_array(array.astype(np.float32), name) for name, array in weights.items()
        ]
        graph = helper.make_graph(nodes, "net", rows, outputs, kept)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        onnx.save(model, tmp_path / "state.onnx")
        mel = fa.MelSpectrogram(sample_rate=16_000, n_fft=512, hop_length=1600, n_mels=8)
        net = fa.OnnxModel(tmp_path / "state.onnx", state={"h": "h_out"})
        ours = fa.Pipeline(mel >> fa.Log() >> net >> fa.Tags(["a", "b", "c"]))
        made = quantize(ours, sounds, tmp_path / "quick", bound=0.5, compare=QUICK)
        assert fa.Pipeline.load(made.path)(sounds / "1.wav").mean().shape == (3,)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("timing", "message"),
    [
        (Timing(0.97, 0.99), r"0\.97 of its time at best, where it has to be 0\.95 or less"),
        (
            Timing(0.90, 1.05),
            r"0\.90 of its time in the middle of the rounds, but 1\.05 or more in a quarter",
        ),
    ],
)
def test_what_is_not_faster_says_which_condition_it_missed(
    timing: Timing, message: str, tmp_path: Path, sounds: Path
) -> None:
    with pytest.raises(NothingWon, match=message):
        quantize(pipeline(tmp_path), sounds, tmp_path / "quick", bound=0.5, compare=lambda *_, **__: timing)
    late: Any = lambda *_, seconds: timing if seconds > 1 else Timing(0.6, 0.7)  # noqa: E731
    with pytest.raises(NothingWon, match=f"got {message}.*when the fastest choice was timed for longer"):
        quantize(pipeline(tmp_path), sounds, tmp_path / "quick", bound=0.5, compare=late)


def test_what_cannot_be_quantized_is_refused_in_words(tmp_path: Path, sounds: Path) -> None:
    ours = pipeline(tmp_path)
    empty = tmp_path / "empty"
    empty.mkdir()
    for folder, message in (
        (empty, "two different sounds or more"),
        (tmp_path / "none", "a folder of sounds"),
    ):
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
