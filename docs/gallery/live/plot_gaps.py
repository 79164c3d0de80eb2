"""
When sound is lost
==================

A stream that can't wait drops the oldest sound. No window spans the gap, ``gap_s`` says how long it was, and
times stay right to the sample. Here a second is pushed at once into a buffer of half of one.
"""

import fastaudio as fa
import matplotlib.pyplot as plt
import numpy as np

rate = 16_000
level = fa.Pipeline(fa.RMS(sample_rate=rate, frame_length=1_600, hop_length=1_600, center=False))
sound = np.linspace(0, 0.5, 4 * rate).astype(np.float32)
with level.live(sample_rate=rate, overflow="drop_oldest", buffer_s=0.5) as stream:
    for start in range(0, len(sound), rate):
        stream.push(sound[start : start + rate])
    stream.finish()
    results = list(stream)
    print(stream.stats().dropped > 0, f"{sum(result.gap_s for result in results):.1f} s lost")

figure, ax = plt.subplots(layout="constrained")
for result in results:
    times = np.linspace(result.start_s, result.end_s, len(result.rows), endpoint=False)
    ax.plot(times, result.rows[:, 0], ".", color="tab:blue")
ax.plot([0, 4], [0, 0.5], color="lightgrey", zorder=0)
ax.set(xlabel="seconds", ylabel="RMS of a rising level")
