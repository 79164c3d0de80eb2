"""
A recording at a glance
=======================

Waveform, spectrogram and tags over one axis of time, as ``fastaudio plot`` draws them. The file is read once,
however long it is.
"""

import fastaudio as fa
from fastaudio import plot

tagger = fa.Pipeline.load("musicnn-mtt").with_hop(0.5)
figure = plot.recording("../../../examples/guitar.flac", tagger, top=6)
