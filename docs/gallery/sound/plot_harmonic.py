"""
Harmonics side by side
======================

``HarmonicSpectrogram`` measures each note's first harmonics in channels of their own. A tone with the
harmonics 1, 2 and 3 lights up the same row in three channels.
"""

import warnings

import fastaudio as fa
import matplotlib.pyplot as plt
import numpy as np

rate = 16_000
t = np.arange(2 * rate) / rate
tone = sum(0.2 / k * np.sin(2 * np.pi * 440 * k * t) for k in (1, 2, 3)).astype(np.float32)
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the lowest filters are narrower than a bin, and stay zero
    node = fa.HarmonicSpectrogram(sample_rate=rate, n_fft=2_048) >> fa.Log(kind="dB", floor=1e-6)
rows = node(tone)
print(rows.shape)

figure, axes = plt.subplots(1, 6, sharey=True, figsize=(10, 4), layout="constrained")
for k, ax in enumerate(axes):
    ax.imshow(rows[:, k].T, aspect="auto", origin="lower", vmin=-40, vmax=rows.max(), extent=(0, 2, 0, 128))
    ax.set(title=f"harmonic {k + 1}", xlabel="seconds")
axes[0].set_ylabel("band, two per semitone")
