"""Bad input to the API gets "Subject: expected X, got Y; remedy", in the caller's words."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fastaudio as fa
import numpy as np
import pytest
from fastaudio import _core
from helpers import GUITAR, ONNX, WEIGHTS, musicnn_front

FORM = re.compile(r"^[^:]+(\([^)]*\))?: (.*: )?expected .+, got:? .+", re.DOTALL)

PIPELINE = fa.Pipeline(musicnn_front())
MEL = fa.MelSpectrogram(sample_rate=16_000, n_fft=512, n_mels=32)
SOUND = np.zeros(1000, dtype=np.float32)
STEREO = np.zeros((1000, 2), dtype=np.float32)

Call = Callable[[], Any]
VALUE: dict[str, Call] = {
    "no sample rate": lambda: PIPELINE(SOUND),
    "negative rate": lambda: PIPELINE(SOUND, sample_rate=-1),
    "zero rate": lambda: PIPELINE(SOUND, sample_rate=0),
    "huge rate": lambda: PIPELINE(SOUND, sample_rate=10**7),
    "a rate for a file": lambda: PIPELINE(GUITAR, sample_rate=16_000),
    "a layout for a file": lambda: PIPELINE(GUITAR, layout="samples_channels"),
    "two axes without a layout": lambda: PIPELINE(STEREO, sample_rate=16_000),
    "one axis with a layout": lambda: PIPELINE(SOUND, sample_rate=16_000, layout="samples_channels"),
    "unknown layout": lambda: PIPELINE(STEREO, sample_rate=16_000, layout="mono"),
    "three axes": lambda: PIPELINE(np.zeros((2, 3, 4), dtype=np.float32), sample_rate=16_000),
    "no axis": lambda: PIPELINE(np.zeros((), dtype=np.float32), sample_rate=16_000),
    "no channels": lambda: PIPELINE(STEREO[:, :0], sample_rate=16_000, layout="samples_channels"),
    "too many channels": lambda: PIPELINE.open(sample_rate=16_000, channels=2000),
    "zero channels": lambda: PIPELINE.open(sample_rate=16_000, channels=0),
    "NaN": lambda: PIPELINE(np.float32([0, np.nan]), sample_rate=16_000),
    "infinite": lambda: PIPELINE(np.float32([0, np.inf]), sample_rate=16_000),
    "absurd": lambda: PIPELINE(np.float32([0, 1e30]), sample_rate=16_000),
    "NaN to a node": lambda: MEL(np.float32([np.nan])),
    "two axes to a node": lambda: MEL(STEREO),
    "wrong width": lambda: fa.Mono(channels=2)(np.zeros((10, 3), dtype=np.float32)),
    "spec without a rate": lambda: fa.StreamSpec(rate_hz=0),
    "spec with NaN": lambda: fa.StreamSpec(rate_hz=float("nan")),
    "spec with a negative shape": lambda: fa.StreamSpec(rate_hz=1, shape=[-1]),
    "node for another rate": lambda: MEL.open(fa.StreamSpec(rate_hz=8000)),
    "no labels": lambda: fa.Tags([]),
    "empty label": lambda: fa.Tags(["a", ""]),
    "label twice": lambda: fa.Tags(["a", "a"]),
    "no nodes": lambda: fa.Sequential([]),
    "no branches": lambda: fa.Parallel({}),
    "branch without a name": lambda: fa.Parallel({"": MEL}),
    "jobs": lambda: list(PIPELINE.map([GUITAR], jobs=-1)),
    "quality": lambda: fa.Pipeline(musicnn_front(), quality="perfect")(SOUND, sample_rate=8000),
}
TYPE: dict[str, Call] = {
    "float64": lambda: PIPELINE(np.zeros(10), sample_rate=16_000),
    "int32": lambda: PIPELINE(np.zeros(10, dtype=np.int32), sample_rate=16_000),
    "uint8": lambda: PIPELINE(np.zeros(10, dtype=np.uint8), sample_rate=16_000),
    "bool": lambda: PIPELINE(np.zeros(10, dtype=bool), sample_rate=16_000),
    "complex": lambda: PIPELINE(np.zeros(10, dtype=np.complex64), sample_rate=16_000),
    "objects": lambda: PIPELINE(np.array([1, "a"], dtype=object), sample_rate=16_000),
    "text": lambda: PIPELINE(np.array(["a"]), sample_rate=16_000),
    "byte order": lambda: PIPELINE(np.zeros(10, dtype=">f4"), sample_rate=16_000),
    "float64 to a node": lambda: MEL(np.zeros(10)),
    "int16 to rows": lambda: fa.Tags(["a"])(np.zeros((3, 1), dtype=np.int16)),
    "list": lambda: MEL([0.0, 0.0]),
    "list to a pipeline": lambda: PIPELINE([0.0, 0.0], sample_rate=16_000),
    "None to a pipeline": lambda: PIPELINE(None),
    "float rate": lambda: PIPELINE(SOUND, sample_rate=16_000.0),
    "rate as text": lambda: PIPELINE(SOUND, sample_rate="16000"),
    "boolean rate": lambda: PIPELINE(SOUND, sample_rate=True),
    "channels as text": lambda: PIPELINE.open(sample_rate=16_000, channels="2"),
    "channels as float": lambda: PIPELINE.open(sample_rate=16_000, channels=1.5),
    "positional option": lambda: fa.MelSpectrogram(16_000),
    "unknown option": lambda: fa.MelSpectrogram(sample_rat=16_000),
    "missing labels": fa.Tags,
    "nodes that are none": lambda: fa.Sequential([MEL, 3]),
    "node that is no list": lambda: fa.Sequential(MEL),
    "branches that are none": lambda: fa.Parallel({"a": 3}),
    "branches that are no dict": lambda: fa.Parallel([MEL]),
    "branch name that is no text": lambda: fa.Parallel({1: MEL}),
    "next that is no node": lambda: MEL >> {"a": 3},
    "pipeline of no node": lambda: fa.Pipeline("musicnn-mtt"),
    "channel as text": lambda: fa.Pipeline(musicnn_front(), channel="left")(
        STEREO, sample_rate=16_000, layout="samples_channels"
    ),
}
MODEL: dict[str, Call] = {
    "no such model": lambda: fa.Pipeline.load("nope"),
    "no such file": lambda: fa.OnnxModel("nope.onnx"),
    "no such output": lambda: fa.OnnxModel(str(WEIGHTS))["nope"],
    "no such provider": lambda: fa.OnnxModel(str(WEIGHTS), providers=["Nope"]),
    "no such provider for a model": lambda: fa.Pipeline.load(providers=["Nope"]),
    "front end that does not fit": lambda: MEL >> fa.Patches(length=187) >> fa.OnnxModel(str(WEIGHTS)),
    "two inputs": lambda: fa.OnnxModel(str(ONNX / "two_inputs.onnx")),
}
STATE: dict[str, Call] = {
    "flush before push": lambda: fa.Log().open().flush(),
}


def check(call: Call, error: type[Exception]) -> None:
    """Return the error and its words."""
    with pytest.raises(error) as caught:
        call()
    text = str(caught.value)
    assert FORM.match(text), text
    assert not re.search(r"std::|0x[0-9a-f]+|\.cpp|pybind|__init__", text), text


@pytest.mark.parametrize("case", VALUE)
def test_a_wrong_value_is_a_value_error(case: str) -> None:
    check(VALUE[case], ValueError)


@pytest.mark.parametrize("case", TYPE)
def test_a_wrong_type_is_a_type_error(case: str) -> None:
    check(TYPE[case], TypeError)


@pytest.mark.parametrize("case", MODEL)
def test_a_model_that_cannot_be_used_is_a_model_error(case: str) -> None:
    check(MODEL[case], fa.ModelError)


@pytest.mark.parametrize("case", STATE)
def test_a_call_at_the_wrong_time_is_a_state_error(case: str) -> None:
    check(STATE[case], fa.StateError)


def test_the_remedy_is_named_where_there_is_one() -> None:
    for call, remedy in (
        (TYPE["float64"], 'use samples.astype("float32")'),
        (VALUE["no sample rate"], "state it in Hz"),
        (VALUE["two axes without a layout"], "state layout='samples_channels'"),
        (VALUE["two axes to a node"], "choose one channel, or average them"),
        (TYPE["unknown option"], "did you mean 'sample_rate'?"),
    ):
        with pytest.raises((ValueError, TypeError)) as caught:
            call()
        assert remedy in str(caught.value)


MUCH = "x" * 1_000_000
GUESSES: dict[str, tuple[Call, str]] = {
    "a model's beginning": (lambda: fa.Pipeline.load("musicnn"), "musicnn-m"),
    "a model in other letters": (lambda: fa.Pipeline.load("Silero_VAD"), "silero-vad"),
    "a node of a card": (lambda: _load_card('{"node": "MelSpectogram"}'), "MelSpectrogram"),
    "librosa's sr": (lambda: fa.MelSpectrogram(sr=16_000), "sample_rate"),
    "hop": (lambda: fa.MelSpectrogram(hop=256), "hop_length"),
    "librosa's fmin": (lambda: fa.MelSpectrogram(fmin=20), "f_min"),
    "librosa's orig_sr": (lambda: fa.Resample(orig_sr=16_000), "input_rate"),
    "torchaudio's new_freq": (lambda: fa.Resample(new_freq=16_000), "output_rate"),
    "hop_length of patches": (lambda: fa.Patches(hop_length=9), "hop"),
    "num_threads": (lambda: fa.OnnxModel("x.onnx", num_threads=2), "threads"),
    "a slip": (lambda: fa.Log(kin="dB"), "kind"),
    "sr of a call": (lambda: PIPELINE(SOUND, sr=16_000), "sample_rate"),
    "sr of open": (lambda: PIPELINE.open(sr=16_000), "sample_rate"),
    "sr of live": (lambda: PIPELINE.live(sr=16_000), "sample_rate"),
    "a slip in live": (lambda: PIPELINE.live(16_000, overflo="block"), "overflow"),
    "hop of listen": (lambda: PIPELINE.listen(hop=0.1), "hop_s"),
    "n_channels of listen": (lambda: PIPELINE.listen(n_channels=2), "channels"),
    "thread of load": (lambda: fa.Pipeline.load(thread=2), "threads"),
    "provider of load": (lambda: fa.Pipeline.load(provider="x"), "providers"),
    "workers of map": (lambda: PIPELINE.map([], workers=2), "jobs"),
    "a network's output": (lambda: fa.OnnxModel(str(WEIGHTS))["taggramm"], "taggram"),
    "a network's outputs": (lambda: fa.OnnxModel(str(WEIGHTS), outputs=["penultimat"]), "penultimate"),
    "a provider": (lambda: fa.OnnxModel(str(WEIGHTS), providers=["cpu"]), "CPUExecutionProvider"),
    "a layer": (lambda: fa.Pipeline.load().layer("penultimat"), "penultimate"),
}
LONG: dict[str, Call] = {
    "bytes for a path": lambda: fa.OnnxModel(MUCH.encode()),
    "a long path": lambda: fa.OnnxModel(MUCH),
    "a long name of a model": lambda: fa.Pipeline.load(MUCH),
    "a long choice": lambda: fa.MelSpectrogram(norm=MUCH),
    "text for a number": lambda: fa.MelSpectrogram(n_mels=MUCH),
    "a list for a number": lambda: fa.MelSpectrogram(n_mels=[MUCH] * 100),
    "many numbers for labels": lambda: fa.Tags(list(range(100_000))),
    "a label twice": lambda: fa.Tags([MUCH, MUCH]),
    "a long keyword": lambda: fa.MelSpectrogram(**{MUCH: 1}),
    "a long keyword of live": lambda: PIPELINE.live(16_000, **{MUCH: 1}),
    "a long output": lambda: fa.OnnxModel(str(WEIGHTS))[MUCH],
    "many outputs": lambda: fa.OnnxModel(str(WEIGHTS), outputs=[f"{i}" for i in range(100_000)]),
    "a long provider": lambda: fa.OnnxModel(str(WEIGHTS), providers=[MUCH]),
    "a long layer": lambda: fa.Pipeline.load().layer(MUCH),
    "a long quality": lambda: fa.Pipeline(MEL, quality=MUCH),
    "a long channel": lambda: fa.Pipeline(MEL, channel=MUCH),
    "a long unit": lambda: fa.StreamSpec(rate_hz=MUCH),
    "a long spec": lambda: MEL.output_specs(MUCH),
    "a long argument too many": lambda: MEL.children(MUCH),
    "a long spec to open": lambda: MEL.open(input=[MUCH] * 100),
    "a long pool": lambda: PIPELINE.live(16_000, pool=MUCH),
    "a long number of workers": lambda: fa.Pool(MUCH),
    "a long time limit": lambda: _core.Interruptible(timeout_s=MUCH),
    "a long start": lambda: PIPELINE.live(16_000, started=MUCH),
    "a long retry_s": lambda: PIPELINE.listen(fa.FileSource(GUITAR), retry_s=MUCH),
    "a long block_s": lambda: fa.FileSource(GUITAR, block_s=MUCH),
    "a long encoding": lambda: fa.PcmSource(io.BytesIO(), sample_rate=1, encoding=MUCH),
    "a long hop_s": lambda: PIPELINE.with_hop(MUCH),
    "a long node": lambda: fa.Sequential([MEL, MUCH]),
    "a long card": lambda: _load_card(f'{{"node": "{MUCH}"}}'),
    "a long option of a card": lambda: _load_card(f'{{"node": "Log", "kind": "{MUCH}"}}'),
    "a long path in a card": lambda: _load_card(
        f'{{"node": "OnnxModel", "path": "{MUCH}", "sha256": "{MUCH}"}}'
    ),
    "a long schema": lambda: _load_card("", schema=MUCH),
    "a long layout": lambda: PIPELINE(STEREO, sample_rate=16_000, layout=MUCH),
    "a long rate": lambda: PIPELINE(SOUND, sample_rate=MUCH),
}


def _load_card(node: str, schema: str = "fastaudio.card/1") -> None:
    with tempfile.TemporaryDirectory() as folder:
        card = Path(folder, "card.json")
        card.write_text(f'{{"schema": "{schema}", "name": "x", "pipeline": [{node}]}}', encoding="utf-8")
        fa.Pipeline.load(card)


@pytest.mark.parametrize("case", GUESSES)
def test_a_name_that_is_nearly_right_gets_the_right_one(case: str) -> None:
    call, guess = GUESSES[case]
    with pytest.raises(
        (TypeError, ValueError, fa.ModelError),
        match=rf"; did you mean '{guess}[^']*'\?( This lists all: .*)?$",
    ):
        call()


@pytest.mark.parametrize("node", [fa.MelSpectrogram, fa.MFCC, fa.Chroma])
def test_no_norm_is_none_as_in_other_libraries(node: Any) -> None:
    assert node(norm=None) == node(norm="none")
    assert node(norm=None).norm == "none"
    with pytest.raises(TypeError, match=r"expected norm as str \| None, one of .*'none', got 1 \(int\)"):
        node(norm=1)
    with pytest.raises(TypeError, match="expected pad_mode as str, one of"):
        fa.MelSpectrogram(pad_mode=None)


def test_a_name_like_no_other_gets_no_guess() -> None:
    for call in (
        lambda: fa.Pipeline.load("zzz"),
        lambda: fa.Log(zzz=1),
        lambda: PIPELINE.live(16_000, zzz=1),
    ):
        with pytest.raises((TypeError, fa.ModelError), match=r"expected .*, got 'zzz'$"):
            call()


@pytest.mark.parametrize("case", LONG)
def test_no_message_fills_more_than_a_screen(case: str) -> None:
    with pytest.raises((TypeError, ValueError, fa.ModelError)) as caught:
        LONG[case]()
    assert len(str(caught.value)) < 24 * 80
    assert "expected " in str(caught.value)


def test_a_file_that_is_missing_is_no_name_of_a_model() -> None:
    for path in (Path("nope.json"), Path("nope"), "some/where", "mine.onnx", "mine.json"):
        with pytest.raises(fa.ModelError, match=r"got no file '[^']*'$"):
            fa.Pipeline.load(path)


@pytest.mark.parametrize("wrong", [3, None, b"musicnn-mtt", ["musicnn-mtt"]])
def test_a_model_is_a_name_or_a_path(wrong: Any) -> None:
    with pytest.raises(TypeError, match="expected a model's name or a path, got"):
        fa.Pipeline.load(wrong)


def test_what_the_caller_chose_is_not_called_the_fault_of_a_card() -> None:
    for call in (
        lambda: fa.Pipeline.load(channel=-1),
        lambda: fa.Pipeline.load(channel="left"),  # type: ignore[arg-type]
        lambda: fa.Pipeline.load(threads=0),
        lambda: fa.Pipeline.load(threads=True),
        lambda: fa.Pipeline.load(providers="CPUExecutionProvider"),  # type: ignore[arg-type]
    ):
        with pytest.raises(
            (TypeError, ValueError), match=r"^Pipeline(\.load)?: expected (channel|threads|providers) "
        ):
            call()


@pytest.mark.parametrize("sources", ["song.wav", Path("song.wav"), b"RIFF", io.BytesIO(b"RIFF")])
def test_map_does_not_walk_through_a_single_source(sources: Any) -> None:
    with pytest.raises(
        TypeError, match=r"expected a list of files, got one \w+; use pipeline\.map\(\[source\]\)$"
    ):
        PIPELINE.map(sources)
    (result,) = PIPELINE.map([GUITAR])  # as it says
    assert isinstance(result, np.ndarray)


def test_map_names_what_takes_arrays() -> None:
    with pytest.raises(
        TypeError, match=r"got an array; call pipeline\(samples, sample_rate=\.\.\.\) for each"
    ):
        PIPELINE.map(SOUND)  # type: ignore[arg-type]
    (result,) = PIPELINE.map([SOUND])  # type: ignore[list-item]
    assert isinstance(result, fa.DecodeError)
    assert "call pipeline(samples, sample_rate=...) for each" in str(result)


NO_WIDTH = """
import sys
import numpy as np
import fastaudio as fa
node = eval(sys.argv[1], vars(fa))
for shape in ([0], [3, 0], [2**40, 2**40], [2**62, 8], [2**63 - 1]):
    try:
        stream = node.open(fa.StreamSpec(rate_hz=1, shape=shape))
        stream.push(np.zeros((5, *shape), dtype=np.float32))
    except (ValueError, MemoryError, fa.ModelError):
        pass
try:
    node(np.zeros((5, 0), dtype=np.float32))
except (ValueError, fa.ModelError):
    pass
"""


@pytest.mark.parametrize("node", ["Log()", "Patches(length=2)", "Mean()", "Max()", "Log() >> Mean()"])
def test_rows_of_no_width_or_beyond_memory_never_end_the_process(node: str) -> None:
    command = [sys.executable, "-c", NO_WIDTH, node]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")


def test_own_errors_have_one_base() -> None:
    for error in (fa.ModelError, fa.StateError, fa.DecodeError):
        assert issubclass(error, fa.FastaudioError)
        assert error.__module__.startswith("fastaudio")


def test_threads_and_providers_are_checked_too() -> None:
    with pytest.raises((ValueError, fa.ModelError), match=r"expected threads in \[1, 1024\], got 0"):
        fa.Pipeline.load(threads=0)
    with pytest.raises((TypeError, fa.ModelError), match=r"expected providers as list\[str\], .*got"):
        fa.Pipeline.load(providers="CPUExecutionProvider")
