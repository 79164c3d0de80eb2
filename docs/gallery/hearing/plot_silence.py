"""
Silence has no tags
===================

Networks score silence too. Windows below ``silence_db`` are marked: grey in the picture, without tags,
without events.
"""

import fastaudio as fa
import numpy as np
import soundfile

samples, rate = soundfile.read("../../../examples/guitar.flac", dtype="float32")
guitar = samples.mean(axis=1)
quiet = np.zeros(6 * rate, np.float32)
tagger = fa.Pipeline.load("musicnn-mtt").with_hop(0.5)
tags = tagger(np.concatenate([guitar[: 5 * rate], quiet]), sample_rate=rate)
print(tags.silent.astype(int))
print(tags[-1], tags[-1].top(1))
ax = tags.plot(top=6)
