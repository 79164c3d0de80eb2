"""
Harmonics side by side
======================

``HarmonicSpectrogram`` measures, for each note of a scale, its first harmonics in channels of their own. A
tone of 440 Hz with the harmonics 1, 2 and 3 has peaks at its note, the dotted line, in three channels.
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
rows = node(tone).mean(axis=0)  # [n_harmonic, n_levels]
notes_hz = 32.703 * 2 ** (np.arange(rows.shape[1]) / 24)

figure, axes = plt.subplots(6, 1, sharex=True, sharey=True, figsize=(7, 7), layout="constrained")
for k, ax in enumerate(axes):
    ax.semilogx(notes_hz, rows[k])
    ax.axvline(440, color="grey", linestyle=":")
    ax.set_ylabel(f"harmonic {k + 1}")
axes[-1].set_xlabel("note in Hz; values in dB")
