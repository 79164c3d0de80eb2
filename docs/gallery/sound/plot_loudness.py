"""
Loudness in LUFS
================

Momentary and short-term loudness over time, and the integrated loudness of all of it, by ITU-R BS.1770. A
``Pipeline`` would mix the channels first; the node takes both.
"""

import fastaudio as fa
import matplotlib.pyplot as plt
import numpy as np
import soundfile

samples, rate = soundfile.read("../../../examples/guitar.flac", dtype="float32")
figure, ax = plt.subplots(layout="constrained")
for kind, window_s in (("momentary", 0.4), ("short_term", 3.0)):
    values = fa.Loudness(sample_rate=rate, channels=2, kind=kind)(samples)
    ax.plot(window_s / 2 + 0.1 * np.arange(len(values)), values, label=kind)
whole = fa.Loudness(sample_rate=rate, channels=2, kind="integrated")(samples).item()
ax.axhline(whole, color="grey", linestyle="--", label=f"integrated: {whole:.1f} LUFS")
ax.set(xlabel="seconds", ylabel="LUFS", ylim=(-60, 0))
ax.legend()
