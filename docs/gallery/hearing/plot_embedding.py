"""
A map of moments
================

Embeddings of overlapping windows, drawn so that similar moments lie close to each other. The guitar's chord
is struck, and then it fades.
"""

import fastaudio as fa
import numpy as np
from fastaudio import plot

embedder = fa.Pipeline.load("musicnn-mtt").layer("penultimate").with_hop(0.1)
rows = embedder("../../../examples/guitar.flac")
print(rows.shape)
when = np.where(np.arange(len(rows)) < len(rows) // 3, "first third", "later")
ax = plot.embedding(rows, when, method="pca")
