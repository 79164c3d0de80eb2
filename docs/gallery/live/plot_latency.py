"""
How late results come
=====================

Nodes know it before any sound comes: how much sound a window depends on, and how long after its end it is
there. Here are the shipped models.
"""

import fastaudio as fa
import matplotlib.pyplot as plt

names = [name for name in fa.models() if name != "instruments-harmonic"]
models = [fa.Pipeline.load(name) for name in names]
figure, ax = plt.subplots(layout="constrained")
for y, model in enumerate(models):
    ax.plot(
        [model.receptive_field_s],
        [y],
        "s",
        color="tab:blue",
        label="sound that a result depends on" if not y else "",
    )
    ax.plot([model.latency_s], [y], "o", color="tab:orange", label="latency" if not y else "")
ax.set(xscale="log", xlabel="seconds", yticks=range(len(names)), yticklabels=names)
ax.legend()
