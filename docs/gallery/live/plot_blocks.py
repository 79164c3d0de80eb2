"""
The same rows, however the sound is cut
=======================================

Blocks of 10 ms, of one sample, or all at once: the rows are the same, bit for bit. The dots are where rows
come out.
"""

import fastaudio as fa
import matplotlib.pyplot as plt
import numpy as np

mel = fa.MelSpectrogram(sample_rate=16_000, n_fft=512, hop_length=256, n_mels=64)
sound = np.random.default_rng(0).normal(0, 0.1, 16_000).astype(np.float32)
whole = mel(sound)

figure, ax = plt.subplots(figsize=(8, 3), layout="constrained")
for y, size in enumerate((1, 160, 1_000, 16_000)):
    stream, rows, when = mel.open(), [], []
    for start in range(0, len(sound), size):
        new = stream.push(sound[start : start + size])
        rows.append(new)
        when += [min(start + size, len(sound)) / 16_000] * len(new)
    rows.append(stream.flush())
    assert np.array_equal(np.concatenate(rows), whole)
    ax.plot(when, [y] * len(when), "|", markersize=14)
ax.set(
    yticks=range(4),
    yticklabels=["1 sample", "10 ms", "62.5 ms", "all at once"],
    xlabel="seconds of sound pushed",
)
