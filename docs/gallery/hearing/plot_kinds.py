"""
Music, speech, or neither
=========================

``sound-activity`` says every 10 ms whether there is speech, singing or music. The sound here is the guitar,
then noise.
"""

import fastaudio as fa
import matplotlib.pyplot as plt
import numpy as np
import soundfile

samples, rate = soundfile.read("../../../examples/guitar.flac", dtype="float32")
guitar = samples.mean(axis=1)
noise = np.random.default_rng(0).normal(0, 0.05, 5 * rate).astype(np.float32)
activity = fa.Pipeline.load("sound-activity")
tags = activity(np.concatenate([guitar[: 5 * rate], noise]), sample_rate=rate)

figure, ax = plt.subplots(layout="constrained")
for label in tags.labels:
    ax.plot(tags.times[:, 0], tags[label], label=label)
ax.axvline(5, color="grey", linestyle=":")
ax.set(xlabel="seconds", ylabel="probability", ylim=(0, 1.02))
ax.legend()
