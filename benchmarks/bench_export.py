"""Measures exported graphs, in ONNX Runtime's own Python package, against the pipelines they hold."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import onnxruntime
from harness import Case, Context, Group, Timed
from sources import read_mono

if TYPE_CHECKING:
    from harness import Measure

_MODELS = ("musicnn-mtt", "silero-vad", "instruments", "instruments-harmonic", "composed")
_SECONDS = 30


def groups(context: Context) -> list[Group]:
    """Compare milliseconds for half a minute of sound at the pipeline's rate, on one thread; and numbers."""
    found = [_timed(name, context) for name in _MODELS]
    cases = [Case(name, _difference(name, context)) for name in _MODELS]
    sizes = [Case(name, _size(name, context)) for name in _MODELS]
    differences = Group("largest difference over the recordings", "1e-6", cases, rounds=1, warm_up=False)
    return [*found, differences, Group("size of the graph", "MB", sizes, rounds=1, warm_up=False)]


def pipeline_of(name: str) -> fa.Pipeline:
    """Return a shipped model, or one composed by hand: MFCCs and their slopes, pooled."""
    if name != "composed":
        return fa.Pipeline.load(name)
    mel = fa.MelSpectrogram(sample_rate=16_000, n_fft=400, hop_length=160, n_mels=40)
    mfcc = mel >> fa.Log(kind="dB") >> fa.MFCC(n_mfcc=13)
    return fa.Pipeline(fa.Concat(mfcc, mfcc >> fa.Delta()) >> fa.Statistics(window=100))


def _exported(name: str, folder: Path) -> Path:
    path = folder / f"{name}.onnx"
    if not path.exists():
        pipeline_of(name).export_onnx(path)
    return path


def _size(name: str, context: Context) -> Measure:
    return lambda _: _exported(name, context.temp).stat().st_size / 1e6


def _session(name: str, folder: Path) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(_exported(name, folder), options, providers=["CPUExecutionProvider"])


def _mono(path: Path, rate: int) -> np.ndarray:
    samples, own = read_mono(path)
    mono = np.ascontiguousarray(samples[: _SECONDS * own], dtype=np.float32)
    return mono if own == rate else fa.Resample(input_rate=own, output_rate=rate)(mono)


def recordings(context: Context) -> list[Path]:
    """Return real sounds of many kinds where they are at hand, else the file to measure with."""
    shared = Path(__file__).parents[2] / "shared" / "audio" / "clips"
    heard = [path for path in shared.glob("*") if path.suffix != ".m4a"]  # which soundfile doesn't read
    return sorted(heard) or [context.audio]


def _timed(name: str, context: Context) -> Group:
    pipeline, session = pipeline_of(name), _session(name, context.temp)
    rate = pipeline.sample_rate
    samples = np.resize(_mono(context.audio, rate), _SECONDS * rate)
    ours = Timed(partial(pipeline, samples, sample_rate=rate), scale=1e3)
    graph = Timed(partial(session.run, None, {"samples": samples}), scale=1e3)
    cases = [Case("pipeline", ours), Case("graph", graph, "pipeline")]
    return Group(f"{name}: {_SECONDS} s of sound", "ms", cases)


def _difference(name: str, context: Context) -> Measure:
    def measure(_: object) -> float:
        pipeline, session = pipeline_of(name), _session(name, context.temp)
        worst = 0.0
        for path in recordings(context):
            samples = _mono(path, pipeline.sample_rate)
            got = session.run(None, {"samples": samples})[0]
            result: Any = pipeline(samples, sample_rate=pipeline.sample_rate)
            rows = result.scores if isinstance(result, fa.tags.Tags) else result
            scale = max(1.0, float(np.abs(rows).max(initial=0)))
            worst = max(worst, float(np.abs(got - rows).max(initial=0)) / scale)
        return worst * 1e6

    return measure
