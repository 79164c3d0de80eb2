"""Measures the harmonic filterbank of 6 x 128, beside the plain spectrogram that it reads."""

from __future__ import annotations

import warnings

import fastaudio as fa
import numpy as np
from harness import Case, Context, Group, Target, Timed, optional
from sources import read_mono

RATE = 16_000
_EXCERPT_S = 60
_AT_LEAST_S = 0.02


def groups(context: Context) -> list[Group]:
    """Compare microseconds per frame, over a minute of the file, on one thread."""
    whole, rate = read_mono(context.audio)
    samples = whole[: _EXCERPT_S * rate]
    if rate != RATE:
        samples = fa.Resample(input_rate=rate, output_rate=RATE)(samples)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # one of the paper's filters is empty
        harmonic = fa.HarmonicSpectrogram()
    plain = fa.Spectrogram(
        sample_rate=RATE, n_fft=512, hop_length=harmonic.hop_length, pad_mode=harmonic.pad_mode
    )
    in_db = harmonic >> fa.Log(kind="dB")
    scale = 1e6 / (1 + len(samples) // harmonic.hop_length)

    def timed(node: fa.Node) -> Timed:
        return Timed(lambda: node(samples), scale=scale, at_least_s=_AT_LEAST_S)

    dense = None
    librosa = optional("librosa")
    if librosa is not None:
        shape = (harmonic.n_harmonic * 128, 257)
        filters = np.random.default_rng(0).uniform(size=shape).astype(np.float32)

        def product() -> object:
            spectrum = np.abs(librosa.stft(samples, n_fft=512, hop_length=256, pad_mode="reflect")) ** 2
            return filters @ spectrum

        dense = Timed(product, scale=scale)
    cases = [
        Case("librosa's stft and a dense product", dense),
        Case("fastaudio Spectrogram", timed(plain)),
        Case("fastaudio HarmonicSpectrogram", timed(harmonic), "fastaudio Spectrogram", Target(1.5)),
        Case("fastaudio, the same in dB", timed(in_db), "fastaudio Spectrogram"),
    ]
    return [Group("harmonic 6 x 128, 16 kHz 512/256", "us/frame", cases, rounds=31)]
