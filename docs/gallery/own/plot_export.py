"""
All of a pipeline as one graph
==============================

``export_onnx`` writes mixing, resampling, front end and network as one ONNX graph, which runs without
fastaudio: here by ONNX Runtime alone, on samples. Its scores differ from the pipeline's by rounding.
"""

import tempfile
from pathlib import Path

import fastaudio as fa
import matplotlib.pyplot as plt
import numpy as np
import onnxruntime
import soundfile

samples, rate = soundfile.read("../../../examples/guitar.flac", dtype="float32")
mono = np.ascontiguousarray(samples.mean(axis=1))
tagger = fa.Pipeline.load("musicnn-mtt")
graph = Path(tempfile.mkdtemp()) / "everything.onnx"
tagger.export_onnx(graph, sample_rate=rate)
print(f"{graph.stat().st_size / 1e6:.1f} MB")

scores, clip = onnxruntime.InferenceSession(graph).run(["scores", "clip"], {"samples": mono})
ours = tagger(mono, sample_rate=rate).scores
figure, ax = plt.subplots(layout="constrained")
ax.semilogy(np.abs(scores - ours).max(axis=0) + 1e-9, ".")
ax.set(xlabel="label", ylabel="largest difference of a score", ylim=(1e-9, 1e-3))
