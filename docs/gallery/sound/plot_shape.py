"""
The shape of a spectrum
=======================

Where a spectrum's weight lies, how wide it is, and where most of it ends. One spectrum serves all three
branches. The sound is noise that is more and more muffled.
"""

import fastaudio as fa
import matplotlib.pyplot as plt
import numpy as np

rate = 22_050
noise = np.random.default_rng(0).normal(0, 0.1, 4 * rate)
sound = np.zeros_like(noise)
for i in range(1, len(noise)):  # a low-pass of one pole that closes over time
    sound[i] = sound[i - 1] + (1 - i / len(noise)) ** 2 * (noise[i] - sound[i - 1])

shape = fa.Pipeline(
    fa.Spectrogram(sample_rate=rate, power=1)
    >> {
        "centroid": fa.SpectralCentroid(),
        "bandwidth": fa.SpectralBandwidth(),
        "rolloff": fa.SpectralRolloff(),
    }
)
rows = shape(sound.astype(np.float32), sample_rate=rate)

figure, ax = plt.subplots(layout="constrained")
for name, values in rows.items():
    ax.plot(np.arange(len(values)) * 512 / rate, values, label=name)
ax.set(xlabel="seconds", ylabel="Hz")
ax.legend()
