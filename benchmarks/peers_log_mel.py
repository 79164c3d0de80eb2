"""Holds the log-mel benchmark's peers that are rarely installed: torch and Essentia."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from fastaudio.librosa import filters
from harness import optional

if TYPE_CHECKING:
    from bench_log_mel import Compute, Config, Samples


def with_torch(config: Config, floor: float) -> Compute | None:
    """Return torch's transform and a product with the filters, as torchaudio composes them, on one thread."""
    torch = optional("torch")
    if torch is None:
        return None
    torch.set_num_threads(1)
    window = torch.hann_window(config.win_length or config.n_fft)
    weights = torch.from_numpy(filters.mel(sr=config.sample_rate, n_fft=config.n_fft, n_mels=config.n_mels))

    def compute(samples: Samples) -> Any:
        spectrum = torch.stft(
            torch.from_numpy(samples),
            config.n_fft,
            config.hop_length,
            config.win_length,
            window,
            pad_mode="constant",
            return_complex=True,
        )
        power = spectrum.real.square() + spectrum.imag.square()
        return 10 * torch.log10(torch.clamp(weights @ power, min=floor))

    return compute


def with_essentia(config: Config, floor: float) -> Compute | None:
    """Return Essentia's standard mode, frame by frame from Python, as its tutorials have it."""
    standard = optional("essentia.standard")
    if standard is None or config.n_fft % 2:
        return None
    length = config.win_length or config.n_fft
    window = standard.Windowing(type="hann", normalized=False, zeroPadding=config.n_fft - length)
    spectrum = standard.Spectrum(size=config.n_fft)
    bands = standard.MelBands(
        inputSize=config.n_fft // 2 + 1,
        numberBands=config.n_mels,
        sampleRate=config.sample_rate,
        highFrequencyBound=config.sample_rate / 2,
        warpingFormula="slaneyMel",
        normalize="unit_tri",
        weighting="linear",
        type="power",
    )

    def compute(samples: Samples) -> Any:
        frames = standard.FrameGenerator(samples, frameSize=length, hopSize=config.hop_length)
        mel = np.array([bands(spectrum(window(frame))) for frame in frames])
        return 10 * np.log10(np.maximum(mel, floor))

    return compute
