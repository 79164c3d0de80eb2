"""
From scores to events
=====================

One threshold begins an event, a lower one ends it. The lower the second, the longer the events and the fewer
the pieces.
"""

import fastaudio as fa
import matplotlib.pyplot as plt

tagger = fa.Pipeline.load("musicnn-mtt").with_hop(0.25)
figure, axes = plt.subplots(2, 1, sharex=True, figsize=(8, 6), layout="constrained")
for ax, offset in zip(axes, (0.2, 0.1), strict=True):
    events = (tagger >> fa.Events(onset=0.2, offset=offset))("../../../examples/guitar.flac")
    events.plot(ax)
    ax.set_title(f"onset 0.2, offset {offset}: {len(events)} events")
print(events.to_audacity())
