"""
A noise gate
============

``Gate`` opens at a level and closes below another; with ``mark`` it says when. No row is dropped, so times
stay right.
"""

import fastaudio as fa
import matplotlib.pyplot as plt
import numpy as np

rate = 16_000
t = np.arange(4 * rate) / rate
beeps = 0.3 * np.sin(2 * np.pi * 600 * t) * (t % 1 < 0.25)
sound = (beeps + np.random.default_rng(0).normal(0, 0.003, len(t))).astype(np.float32)

gate = fa.Resample(input_rate=rate, output_rate=rate) >> fa.Gate(
    threshold_db=-30, hysteresis_db=6, hold_s=0.1
)
gated = np.ravel(fa.Pipeline(gate)(sound, sample_rate=rate))

figure, axes = plt.subplots(2, 1, sharex=True, sharey=True, layout="constrained")
for ax, (name, values) in zip(axes, (("before", sound), ("after", gated)), strict=True):
    ax.plot(t, 20 * np.log10(np.abs(values) + 1e-5), linewidth=0.5)
    ax.set(title=name, ylabel="dBFS")
axes[-1].set_xlabel("seconds")
