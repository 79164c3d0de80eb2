"""
A log-mel spectrogram
=====================

What most networks see. ``plot.spectrogram`` knows from the pipeline what its rows are: times in seconds,
frequencies in Hz, power in dB.
"""

import fastaudio as fa
from fastaudio import plot

mel = fa.Pipeline(fa.MelSpectrogram(sample_rate=16_000, n_fft=512, hop_length=160, n_mels=96))
rows = mel("../../../examples/guitar.flac")
print(rows.shape)
ax = plot.spectrogram(rows, mel)

# %%
# Each row has a start and an end in seconds:
print(mel.times(rows)[:3])
