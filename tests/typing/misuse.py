"""Misuse that `mypy --strict` must catch: an ignore that isn't needed is an error itself."""

from __future__ import annotations

import fastaudio as fa
import numpy as np

sound = np.zeros(16_000, dtype=np.float32)

fa.MelSpectrogram(n_mels="96")  # type: ignore[arg-type]
fa.MelSpectrogram(hop_length=2.5)  # type: ignore[arg-type]
fa.MelSpectrogram(nmels=96)  # type: ignore[call-arg]
fa.MelSpectrogram(16_000)  # type: ignore[call-arg]
fa.MelSpectrogram(center="yes")  # type: ignore[arg-type]
fa.Log(kind=3)  # type: ignore[arg-type]
fa.Tags()  # type: ignore[call-arg]
fa.Tags([1, 2])  # type: ignore[list-item]
fa.OnnxModel()  # type: ignore[call-arg]

mel = fa.MelSpectrogram()
mel.n_mels = 3  # type: ignore[misc]
bands = mel.bands  # type: ignore[attr-defined]
mel >> 3  # type: ignore[operator]
mel([0.0, 1.0])  # type: ignore[arg-type]
mel(np.zeros(3))  # type: ignore[arg-type]

pipeline = fa.Pipeline(mel)
fa.Pipeline("musicnn-mtt")  # type: ignore[arg-type]
fa.Pipeline(mel, quality="perfect")  # type: ignore[arg-type]
pipeline(sound, 16_000)  # type: ignore[call-arg]
pipeline(sound, sample_rate="16000")  # type: ignore[arg-type]
pipeline(sound, sample_rate=16_000, layout="mono")  # type: ignore[arg-type]
pipeline(sound, sample_rate=16_000).top(5)  # type: ignore[union-attr]
start_s = pipeline.open(sample_rate=16_000).push(sound)[0].start_s  # type: ignore[union-attr, index]
pipeline(3)  # type: ignore[arg-type]
pipeline.open()  # type: ignore[call-arg]
fa.Pipeline.load("musicnn-mtt", providers="CPUExecutionProvider")  # type: ignore[arg-type]
