"""Measures three heads on one run of MusiCNN, beside one head and beside three whole pipelines."""

from __future__ import annotations

from pathlib import Path

import fastaudio as fa
from harness import Case, Context, Group, Target, Timed
from sources import read_mono

MODEL = "musicnn-mtt"
HEADS = ("tags", "genres", "instruments")
_FOLDER = Path(__file__).resolve().parents[1] / "tests/golden/onnx"
_EXCERPT_S = 30


def groups(context: Context) -> list[Group]:
    """Compare times for half a minute of the file, on one thread."""
    whole, rate = read_mono(context.audio)
    samples = whole[: _EXCERPT_S * rate]
    embedder = fa.Pipeline.load(MODEL, threads=1).layer("penultimate")
    heads = {name: fa.OnnxModel(str(_FOLDER / f"head_{name}.onnx")) for name in HEADS}
    alone = {name: embedder >> head for name, head in heads.items()}
    together = embedder >> dict(heads)
    results = together(samples, sample_rate=rate)
    for name, pipeline in alone.items():
        if results[name].tobytes() != pipeline(samples, sample_rate=rate).tobytes():
            raise RuntimeError(f"heads: {name} gives other numbers beside others")

    def one_by_one() -> None:
        for pipeline in alone.values():
            pipeline(samples, sample_rate=rate)

    def timed(pipeline: fa.Pipeline) -> Timed:
        return Timed(lambda: pipeline(samples, sample_rate=rate), scale=1e3)

    one = "fastaudio, one head"
    cases = [
        Case(one, timed(alone["instruments"])),
        Case("fastaudio, three heads", timed(together), one, Target(1.05)),
        Case("three pipelines, one after the other", Timed(one_by_one, scale=1e3), one),
    ]
    return [Group(f"heads on {MODEL}, {_EXCERPT_S} s of sound", "ms", cases, rounds=21)]
