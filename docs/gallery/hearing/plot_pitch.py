"""
The pitch of a voice or an instrument
=====================================

``swift-f0`` gives a pitch in Hz every 16 ms, and how sure it is that there is one. Here it follows a tone
that glides and pauses.
"""

import fastaudio as fa
import matplotlib.pyplot as plt
import numpy as np

rate = 16_000
t = np.arange(4 * rate) / rate
true_hz = 220 * 2 ** (t / 4 + 0.05 * np.sin(2 * np.pi * 5 * t))
phase = 2 * np.pi * np.cumsum(true_hz) / rate
voice = sum(np.sin(k * phase) / k for k in range(1, 6)) * 0.2 * (t % 1 < 0.8)

pitch = fa.Pipeline.load("swift-f0")
rows = pitch(voice.astype(np.float32), sample_rate=rate)
found_hz, sure = rows.T
times = 0.016 * np.arange(len(rows))

figure, ax = plt.subplots(layout="constrained")
ax.plot(t, true_hz, color="lightgrey", linewidth=6, label="what was made")
ax.plot(times, np.where(sure > 0.5, found_hz, np.nan), label="what was found")
ax.set(xlabel="seconds", ylabel="Hz")
ax.legend()
