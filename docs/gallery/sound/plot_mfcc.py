"""
MFCCs and how they change
=========================

Cepstral coefficients of the guitar, and their slopes over time by ``Delta``.
"""

import fastaudio as fa
import matplotlib.pyplot as plt

mfcc = (
    fa.MelSpectrogram(sample_rate=22_050) >> fa.Log(kind="dB") >> fa.TopDb(over="clip") >> fa.MFCC(n_mfcc=13)
)
both = fa.Pipeline(mfcc >> {"mfcc": fa.Standardize(mean=[0.0], std=[1.0]), "delta": fa.Delta()})
rows = both("../../../examples/guitar.flac")

figure, axes = plt.subplots(2, 1, sharex=True, layout="constrained")
for ax, name in zip(axes, ("mfcc", "delta"), strict=True):
    values = rows[name][:, 1:]  # the first is the level
    ax.imshow(values.T, aspect="auto", origin="lower", extent=(0, len(values) * 512 / 22_050, 1, 13))
    ax.set(title=name, ylabel="coefficient")
axes[-1].set_xlabel("seconds")
