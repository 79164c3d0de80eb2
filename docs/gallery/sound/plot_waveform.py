"""
A waveform and its level
========================

The samples of a guitar chord, and above them how loud each tenth of a second is.
"""

import fastaudio as fa
import matplotlib.pyplot as plt
import soundfile
from fastaudio import plot

samples, rate = soundfile.read("../../../examples/guitar.flac", dtype="float32")
level = fa.RMS(sample_rate=rate, frame_length=rate // 10, hop_length=rate // 10, center=False) >> fa.Log(
    kind="dB", scale=1, floor=1e-6
)
rows = level(samples.mean(axis=1))
print(rows.shape)

figure, (top, bottom) = plt.subplots(2, 1, sharex=True, layout="constrained")
top.step([i / 10 for i in range(len(rows))], 2 * rows[:, 0], where="post")  # 20 log10 of an amplitude
top.set_ylabel("RMS in dB")
plot.waveform(samples, rate, bottom)
