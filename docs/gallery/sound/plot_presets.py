"""
One sound, six front ends
=========================

Each published network was trained with a front end of its own. A wrong one gives wrong scores and no error,
which is why presets carry them.
"""

import fastaudio as fa
import matplotlib.pyplot as plt
import soundfile
from fastaudio import presets

samples, rate = soundfile.read("../../../examples/guitar.flac", dtype="float32")
guitar = samples.mean(axis=1)
figure, axes = plt.subplots(2, 3, figsize=(10, 6), layout="constrained")
for ax, name in zip(axes.flat, ("musicnn", "vggish", "yamnet", "panns", "ced", "whisper"), strict=True):
    front = fa.Pipeline(getattr(presets, name)())
    rows = front(guitar, sample_rate=rate)
    first = rows[0] if rows.ndim > 2 else rows  # a patch, or all rows of a preset without patches
    ax.imshow(first.squeeze().T, aspect="auto", origin="lower")
    ax.set_title(f"{name}: {' x '.join(map(str, rows.shape))}, {front.sample_rate} Hz", fontsize=9)
