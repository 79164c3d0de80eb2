"""
Which moments are alike
=======================

The cosine between the embeddings of any two moments: blocks along the diagonal are parts of the sound. Here
are a chord, the same chord an octave higher, and the chord again.
"""

import fastaudio as fa
import matplotlib.pyplot as plt
import numpy as np
import soundfile

samples, rate = soundfile.read("../../../examples/guitar.flac", dtype="float32")
chord = samples[: 5 * rate].mean(axis=1)
higher = np.tile(chord[::2], 2)  # twice as fast, so an octave higher
sound = np.concatenate([chord, higher, chord])

embed = fa.Pipeline.load("musicnn-mtt").layer("penultimate").with_hop(0.25) >> fa.L2Normalize()
rows = embed(sound, sample_rate=rate)
figure, ax = plt.subplots(layout="constrained")
image = ax.imshow(rows @ rows.T, origin="lower", extent=(0, 15, 0, 15))
ax.set(xlabel="seconds", ylabel="seconds")
figure.colorbar(image, label="cosine")
