"""
A stream in the background
==========================

One thread pushes sound, another takes the results. ``provisional_s`` gives an early result after a second,
marked as such. On a microphone it is ``tagger.listen()``.
"""

import threading

import fastaudio as fa
import matplotlib.pyplot as plt
import soundfile

samples, rate = soundfile.read("../../../examples/guitar.flac", dtype="float32")
tagger = fa.Pipeline.load("musicnn-mtt").with_hop(0.5)


def feed(stream):
    """Push blocks of 10 ms, as a microphone does."""
    for start in range(0, len(samples), rate // 100):
        stream.push(samples[start : start + rate // 100])
    stream.finish()


with tagger.live(sample_rate=rate, channels=2, provisional_s=1.0) as stream:
    threading.Thread(target=feed, args=(stream,)).start()
    windows = list(stream)
print([window.provisional for window in windows[:4]])

figure, ax = plt.subplots(layout="constrained")
label = list(tagger.output_specs[""].labels).index("guitar")
for window in windows:
    style = {"color": "tab:orange", "linestyle": ":"} if window.provisional else {"color": "tab:blue"}
    ax.plot((window.start_s, window.end_s), [window.scores[label]] * 2, **style)
ax.set(xlabel="seconds that a window heard (dotted: provisional)", ylabel="score of guitar")
