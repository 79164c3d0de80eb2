"""
Onsets by spectral flux
=======================

How much louder the bands became since the row before: it rises where a note begins.
"""

import fastaudio as fa
import matplotlib.pyplot as plt
import numpy as np
import soundfile
from fastaudio import plot

samples, rate = soundfile.read("../../../examples/guitar.flac", dtype="float32")
guitar = samples.mean(axis=1)
mel = fa.MelSpectrogram(sample_rate=22_050, n_fft=1_024, hop_length=256, n_mels=96, f_max=8_000)
flux = fa.Pipeline(mel >> fa.Log(kind="dB") >> fa.TopDb(over="clip") >> fa.SpectralFlux(max_size=3))
rise = flux(guitar[: 3 * rate], sample_rate=rate)[:, 0]
times = np.arange(len(rise)) * 256 / 22_050
peaks = [i for i in range(3, len(rise) - 3) if rise[i] > 2 and rise[i] == rise[i - 3 : i + 4].max()]
print(times[peaks].round(2))

figure, (top, bottom) = plt.subplots(2, 1, sharex=True, layout="constrained")
plot.waveform(samples[: 3 * rate], rate, top)
bottom.plot(times, rise)
bottom.plot(times[peaks], rise[peaks], "o")
bottom.set(xlabel="seconds", ylabel="rise in dB per band")
