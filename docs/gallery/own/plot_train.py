"""
Labels of your own
==================

A head on a model's embedding learns labels in seconds. The sounds here are made on the spot: tones, chirps
and noise, twelve files of each. Cross-validation judges each file by a head that hasn't heard it.
"""

import tempfile
from pathlib import Path

import numpy as np
import soundfile
from fastaudio import heads

rate, rng = 16_000, np.random.default_rng(0)
t = np.arange(3 * rate) / rate
folder = Path(tempfile.mkdtemp())
files, labels = [], []
for i in range(12):
    hz = rng.uniform(200, 800)
    sounds = {
        "tone": np.sin(2 * np.pi * hz * t),
        "chirp": np.sin(2 * np.pi * (hz * t + 300 * np.sin(2 * np.pi * t))),
        "noise": rng.normal(0, 0.5, len(t)),
    }
    for label, sound in sounds.items():
        files.append(folder / f"{label}{i}.wav")
        labels.append(label)
        soundfile.write(files[-1], 0.3 * sound + rng.normal(0, 0.05, len(t)), rate)

head = heads.fit("musicnn-mtt", files, labels)
print(head.report)

# %%
# Which labels were taken for which:
from fastaudio import plot  # noqa: E402

plot.confusion(head.confusion, sorted(set(labels)))
