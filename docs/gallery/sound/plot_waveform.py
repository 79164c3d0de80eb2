"""
A waveform
==========

"""

import fastaudio as fa
import soundfile
from fastaudio import plot

samples, rate = soundfile.read("../../../examples/guitar.flac", dtype="float32")
plot.waveform(samples, rate)
