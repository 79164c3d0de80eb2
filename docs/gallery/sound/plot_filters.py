"""
Slaney's or HTK's mel bands
===========================

The filters themselves, read off a node: an impulse has the same power in every bin, so each band's row is the
sum of its filter. Sines show one filter as it is.
"""

import fastaudio as fa
import matplotlib.pyplot as plt
import numpy as np

rate, n_mels = 16_000, 24
tones = np.arange(50, 8_000, 25)
t = np.arange(2_048) / rate

figure, axes = plt.subplots(2, 1, sharex=True, layout="constrained")
for ax, (scale, norm) in zip(axes, (("slaney", "slaney"), ("htk", "none")), strict=True):
    mel = fa.MelSpectrogram(
        sample_rate=rate,
        n_fft=2_048,
        hop_length=2_048,
        n_mels=n_mels,
        center=False,
        mel_scale=scale,
        norm=norm,
    )
    answers = [mel(np.sin(2 * np.pi * tone * t).astype(np.float32))[0] for tone in tones]
    ax.plot(tones, np.array(answers), linewidth=1)
    ax.set(title=f"mel_scale={scale!r}, norm={norm!r}", ylabel="power")
axes[-1].set_xlabel("Hz")
