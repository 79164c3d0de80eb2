"""
Resampling without aliases
==========================

A sweep up to 20 kHz, brought to 16 kHz. What lies above 8 kHz has to vanish; taking every third sample would
fold it back.
"""

import fastaudio as fa
import matplotlib.pyplot as plt
import numpy as np
from fastaudio import plot

rate = 48_000
t = np.arange(4 * rate) / rate
sweep = (0.5 * np.sin(np.pi * 20_000 / 4 * t**2)).astype(np.float32)  # 5 kHz more each second
resampled = np.ravel(fa.Resample(input_rate=rate, output_rate=16_000)(sweep))

spectrum = fa.Pipeline(fa.Spectrogram(sample_rate=16_000, n_fft=512, hop_length=160))
figure, axes = plt.subplots(1, 2, sharey=True, figsize=(9, 4), layout="constrained")
for ax, (name, sound) in zip(
    axes, (("Resample", resampled), ("every third sample", sweep[::3])), strict=True
):
    plot.spectrogram(spectrum(sound, sample_rate=16_000), spectrum, ax, colorbar=False)
    ax.set_title(name)
