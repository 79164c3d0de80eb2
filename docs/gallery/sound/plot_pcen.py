"""
Decibels or PCEN
================

Chirps in a wind that grows: ``PCEN`` divides each band by its own recent level, so that the noise stays flat
and the chirps stand out of it.
"""

import fastaudio as fa
import matplotlib.pyplot as plt
import numpy as np

rate = 16_000
t = np.arange(6 * rate) / rate
noise = np.random.default_rng(0).normal(0, 1, len(t)) * 0.003 * 10 ** (t / 4)
chirps = 0.05 * np.sin(2 * np.pi * (2_000 * t + 500 * np.sin(2 * np.pi * 4 * t))) * (t % 1 < 0.2)
sound = (noise + chirps).astype(np.float32)

# PCEN's eps is meant for louder samples than those within +-1.
mel = fa.MelSpectrogram(sample_rate=rate, n_fft=512, hop_length=160, n_mels=64, sample_scale=1_000)
both = fa.Pipeline(mel >> {"decibels": fa.Log(kind="dB"), "PCEN": fa.PCEN(initial="first")})
rows = both(sound, sample_rate=rate)

figure, axes = plt.subplots(2, 1, sharex=True, layout="constrained")
for ax, (name, values) in zip(axes, rows.items(), strict=True):
    low, high = np.percentile(values, (5, 99.5))
    ax.imshow(values.T, aspect="auto", origin="lower", extent=(0, 6, 0, 64), vmin=low, vmax=high)
    ax.set(title=name, ylabel="mel band")
axes[-1].set_xlabel("seconds")
