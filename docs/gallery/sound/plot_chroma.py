"""
Pitch classes of a chord
========================

``Chroma`` sums the power of each pitch class over all octaves. The chord in the example file is an E minor
ninth: E, G, B, D and F sharp. The rows come with their names, as tags do.
"""

import fastaudio as fa
import matplotlib.pyplot as plt

chroma = fa.Pipeline(fa.Spectrogram(sample_rate=22_050, n_fft=8_192, hop_length=1_024) >> fa.Chroma())
tags = chroma("../../../examples/guitar.flac")
print(tags.top(5))

figure, ax = plt.subplots(layout="constrained")
ax.imshow(tags.scores.T, aspect="auto", origin="lower", extent=(0, len(tags) * 1_024 / 22_050, -0.5, 11.5))
ax.set(xlabel="seconds", yticks=range(12), yticklabels=tags.labels)
