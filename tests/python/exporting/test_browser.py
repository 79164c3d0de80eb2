"""The same tags in a browser: onnxruntime-web in headless Chromium, with a static server and nothing else."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest
from browser import chromium_or_skip, ort_web_or_skip, result_of
from helpers import GUITAR, ROOT, decode

if TYPE_CHECKING:
    from pathlib import Path

pytest.importorskip("onnx")

PAGE = """<!doctype html><meta charset="utf-8"><script type="module">
const tell = (found) => fetch("/result?" + encodeURIComponent(JSON.stringify(found)));
try {
  const ort = await import("./dist/ort.wasm.min.mjs");
  const { tagger } = await import("./tagger.js");
  ort.env.wasm.numThreads = 1;
  const samples = new Float32Array(await (await fetch("samples.f32")).arrayBuffer());
  const found = {};
  for (const name of NAMES) {
    const model = await tagger(ort, name + ".onnx");
    const start = performance.now();
    const input = new ort.Tensor("float32", samples, [samples.length]);
    const { scores } = await model.session.run({ samples: input });
    found[name] = { seconds: (performance.now() - start) / 1000, shape: scores.dims, rate: model.sampleRate,
                    scores: [...scores.data], tags: await model.tags(samples) };
  }
  await tell(found);
} catch (error) { await tell({ error: String(error) }); }
</script>"""


def composed() -> fa.Pipeline:
    """Nodes that no shipped model has: a loop over rows, a pyramid of pools, a bank of vectors."""
    front = fa.MelSpectrogram(sample_rate=16_000, n_fft=400, hop_length=160, n_mels=20) >> fa.PCEN()
    pooled = front >> fa.Statistics(kinds=["p90"], window=50) >> fa.Patches(length=1) >> fa.L2Normalize()
    vectors = np.random.default_rng(1).uniform(-1, 1, 60).tolist()
    flat = fa.Concat(pooled)
    return fa.Pipeline(flat >> fa.Similarity(bank=vectors, labels=["a", "b", "naïve ♪"]))


def unrolled(overlap: Any) -> fa.Pipeline:
    """Rows of patches that overlap, as rows in time."""
    mel = fa.MelSpectrogram(sample_rate=16_000, n_fft=512, hop_length=1600, n_mels=3)
    cut = fa.Patches(length=7, hop=5, last="pad")
    return fa.Pipeline(
        mel >> fa.Log() >> cut >> fa.Unroll(overlap=overlap) >> fa.Sigmoid() >> fa.Tags(["a", "b", "c"])
    )


def loudness(kind: Any) -> fa.Pipeline:
    """A loop in float64."""
    level = fa.Loudness(sample_rate=16_000, kind=kind)
    return fa.Pipeline(level >> fa.MinMaxScale([-70.0], [0.0]) >> fa.Tags(["loud"]))


PIPELINES: dict[str, Any] = {
    "musicnn-mtt": lambda: fa.Pipeline.load("musicnn-mtt"),
    "silero-vad": lambda: fa.Pipeline.load("silero-vad"),
    "instruments-harmonic": lambda: fa.Pipeline.load("instruments-harmonic"),
    "composed": composed,
    "trimmed": lambda: unrolled("trim"),
    "averaged": lambda: unrolled("hamming"),
    "momentary": lambda: loudness("momentary"),
    "integrated": lambda: loudness("integrated"),
}


def test_a_browser_gives_the_same_tags(tmp_path: Path) -> None:
    chromium_or_skip()
    shutil.copytree(
        ort_web_or_skip(),
        tmp_path / "dist",
        ignore=shutil.ignore_patterns("*.map", "*jsep*", "*jspi*", "*async*"),
    )
    shutil.copy(ROOT / "python" / "fastaudio" / "serving" / "alone" / "tagger.js", tmp_path)
    sound, rate = decode(GUITAR, 4)
    samples = np.ascontiguousarray(sound[:, 0])
    samples.tofile(tmp_path / "samples.f32")
    pipelines = {name: make() for name, make in PIPELINES.items()}
    for name, pipeline in pipelines.items():
        pipeline.export_onnx(tmp_path / f"{name}.onnx", sample_rate=rate, check=False)
    (tmp_path / "page.html").write_text(PAGE.replace("NAMES", repr(list(pipelines))), encoding="utf-8")
    found = result_of(tmp_path, "page.html")
    assert "error" not in found, found
    for name, pipeline in pipelines.items():
        tags: Any = pipeline(samples, sample_rate=rate)
        got = found[name]
        assert got["rate"] == rate
        assert got["shape"] == list(tags.scores.shape)
        np.testing.assert_allclose(got["scores"], tags.scores.ravel(), rtol=0, atol=1e-4, err_msg=name)
        assert [label for label, _ in got["tags"][:3]] == [label for label, _ in tags.top(3)], name
        print(f"{name}: {got['seconds']:.2f} s in the browser")  # noqa: T201
