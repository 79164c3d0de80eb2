"""Holds the log-mel of torch, torchaudio, SciPy, Essentia and openSMILE, which are rarely installed.

Each is given the window, the bands and the type float32, on one thread.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from fastaudio.librosa import filters
from harness import optional

if TYPE_CHECKING:
    from bench_log_mel import Compute, Config, Samples

_SMILE = r"""
[componentInstances:cComponentManager]
instance[dataMemory].type = cDataMemory
instance[frame].type = cFramer
instance[window].type = cWindower
instance[fft].type = cTransformFFT
instance[magnitude].type = cFFTmagphase
instance[mel].type = cMelspec
nThreads = 1
printLevelStats = 0
\{\cm[source{?}:source include config]}
[frame:cFramer]
reader.dmLevel = wave
writer.dmLevel = frame
frameSize = SIZE
frameStep = STEP
frameCenterSpecial = left
[window:cWindower]
reader.dmLevel = frame
writer.dmLevel = window
winFunc = Han
[fft:cTransformFFT]
reader.dmLevel = window
writer.dmLevel = fft
[magnitude:cFFTmagphase]
reader.dmLevel = fft
writer.dmLevel = magnitude
[mel:cMelspec]
reader.dmLevel = magnitude
writer.dmLevel = lld
nBands = BANDS
lofreq = 0
hifreq = HIGH
usePower = 1
htkcompatible = 0
specScale = mel
\{\cm[sink{?}:sink include config]}
"""


def with_torch(config: Config, floor: float) -> Compute | None:
    """Return torch's transform and a product with the filters, as torchaudio composes them, on one thread."""
    torch = optional("torch")
    if torch is None:
        return None
    torch.set_num_threads(1)
    window = torch.hann_window(config.win_length or config.n_fft)
    weights = torch.from_numpy(filters.mel(sr=config.sample_rate, n_fft=config.n_fft, n_mels=config.n_mels))

    def compute(samples: Samples) -> Any:
        with torch.inference_mode():
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


def with_torchaudio(config: Config, floor: float) -> Compute | None:
    """Return torchaudio's transforms, on one thread."""
    torch, torchaudio = optional("torch"), optional("torchaudio")
    if torch is None or torchaudio is None:
        return None
    torch.set_num_threads(1)
    transforms = torchaudio.transforms
    mel = transforms.MelSpectrogram(
        config.sample_rate, config.n_fft, config.win_length, config.hop_length, n_mels=config.n_mels,
        norm="slaney", mel_scale="slaney", pad_mode="constant",
    )  # fmt: skip
    decibels = transforms.AmplitudeToDB()
    decibels.amin = floor

    def compute(samples: Samples) -> Any:
        with torch.inference_mode():
            return decibels(mel(torch.from_numpy(samples)))

    return compute


def with_scipy(config: Config, floor: float) -> Compute | None:
    """Return SciPy's transform of all frames at once and a product with the filters.

    Its ShortTimeFFT goes from frame to frame in Python, and takes several times as long.
    """
    fft, signal = optional("scipy.fft"), optional("scipy.signal")
    if fft is None or signal is None:
        return None
    window = signal.get_window("hann", config.win_length or config.n_fft).astype(np.float32)
    around, before = config.n_fft - len(window), config.n_fft // 2
    window = np.pad(window, (around // 2, around - around // 2))
    weights = filters.mel(sr=config.sample_rate, n_fft=config.n_fft, n_mels=config.n_mels).T

    def compute(samples: Samples) -> Any:
        padded = np.pad(samples, (before, before))
        frames = np.lib.stride_tricks.sliding_window_view(padded, config.n_fft)[:: config.hop_length]
        spectrum = fft.rfft(frames * window, workers=1)
        power = spectrum.real**2 + spectrum.imag**2
        return 10 * np.log10(np.maximum(power @ weights, floor))

    return compute


def with_essentia(config: Config, floor: float) -> Compute | None:
    """Return Essentia's standard mode, frame by frame from Python, as its tutorials have it.

    Its streaming mode isn't faster: what brings samples from an array into it takes most of its time.
    """
    standard = optional("essentia.standard")
    if standard is None or config.n_fft % 2:
        return None
    length = config.win_length or config.n_fft
    window = standard.Windowing(
        type="hann", normalized=False, symmetric=False, zeroPadding=config.n_fft - length
    )
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


def with_opensmile(config: Config, floor: float, folder: Path) -> Compute | None:
    """Return openSMILE with a configuration in the folder: none of its feature sets has these bands.

    Its bands are spaced by HTK's formula, which takes as long; it rounds samples to int16 first.
    """
    opensmile = optional("opensmile")
    if opensmile is None or config.win_length is not None:
        return None
    text = _SMILE.replace("SIZE", f"{config.n_fft / config.sample_rate:.9f}")
    text = text.replace("STEP", f"{config.hop_length / config.sample_rate:.9f}")
    text = text.replace("BANDS", str(config.n_mels)).replace("HIGH", str(config.sample_rate // 2))
    path = folder / f"{config.n_fft}-{config.hop_length}-{config.n_mels}.conf"
    path.write_text(text)
    smile = opensmile.Smile(feature_set=str(path), feature_level="lld")

    def compute(samples: Samples) -> Any:
        return 10 * np.log10(np.maximum(smile(samples, config.sample_rate)[0], floor))

    return compute


def audioflux_name() -> str:
    """Return audioFlux's name, with what its transform is made for if this processor is another."""
    found = optional("audioflux")
    made_of_mkl = found is not None and any(Path(str(found.__file__)).parent.rglob("libmkl_*"))
    cpu = Path("/proc/cpuinfo")
    other = cpu.exists() and "GenuineIntel" not in cpu.read_text()
    return "audioFlux (Intel's MKL, slow on this processor)" if made_of_mkl and other else "audioFlux"
