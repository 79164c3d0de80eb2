"""
What a pipeline is made of
==========================

A box for each node, with branches side by side, and what flows between them. The text form says the same.
"""

import fastaudio as fa
from fastaudio import plot

log_mel = fa.MelSpectrogram(sample_rate=16_000, n_fft=512, hop_length=160, n_mels=64) >> fa.Log()
second = log_mel >> fa.Statistics(window=100)
tenth = log_mel >> fa.Statistics(kinds=["max"], window=10)
joined = fa.Pipeline(fa.Concat(second, tenth))
print(joined)
ax = plot.diagram(joined)

# %%
# A model is no different:
ax = plot.diagram(fa.Pipeline.load("musicnn-mtt"))
