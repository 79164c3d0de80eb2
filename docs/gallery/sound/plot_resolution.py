"""
Time or frequency
=================

A long transform tells tones apart and blurs their beginnings; a short one does the opposite. Here are two
tones of 500 and 520 Hz, and a click.
"""

import fastaudio as fa
import matplotlib.pyplot as plt
import numpy as np
from fastaudio import plot

rate = 8_000
t = np.arange(rate) / rate
sound = (0.2 * np.sin(2 * np.pi * 500 * t) + 0.2 * np.sin(2 * np.pi * 520 * t)).astype(np.float32)
sound[rate // 2] = 1.0

figure, axes = plt.subplots(1, 2, sharey=True, figsize=(9, 4), layout="constrained")
for ax, n_fft in zip(axes, (128, 2048), strict=True):
    spectrum = fa.Pipeline(fa.Spectrogram(sample_rate=rate, n_fft=n_fft, hop_length=32, pad_mode="reflect"))
    plot.spectrogram(spectrum(sound, sample_rate=rate), spectrum, ax, range_db=60, colorbar=False)
    ax.set(title=f"n_fft={n_fft}: {1000 * n_fft / rate:.0f} ms", ylim=(300, 800))
