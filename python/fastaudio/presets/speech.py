"""Front ends of networks for speech."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fastaudio._core import Each, Log, MelSpectrogram, Standardize, TopDb
from fastaudio.presets.cmvn import read_cmvn

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from fastaudio._core import Sequential


_FIRERED_BANDS = 80


def whisper(*, n_mels: int = 80, last: str = "pad") -> Sequential:
    """Whisper: log mel windows [n, 3000, n_mels], 30 s at 16,000 Hz each, between -1 and 1 for usual sound.

    Each window is limited to 80 dB below its loudest value. n_mels is 80, or 128 for large-v3.
    Windows are made like the original's pad_or_trim and log_mel_spectrogram do: the last one is padded with
    zeros, each is mirrored at its ends, and the last of 3001 frames is dropped. The original's transcribe
    differs: it frames and limits the whole file at once.

    Source: Radford et al., ICML 2023; openai-whisper 20240930
    Error: 5e-5 to -60 dB, 1e-4
    """
    mel = MelSpectrogram(sample_rate=16_000, n_fft=400, hop_length=160, n_mels=n_mels, pad_mode="reflect")
    windows = Each(mel >> Log(kind="dB"), clip_length=480_000, last=last, length=3000)
    return windows >> TopDb(top_db=80) >> Standardize(mean=[-40], std=[40])


def kaldi_fbank(
    *,
    sample_rate: int = 16_000,
    n_mels: int = 80,
    f_min: float = 20,
    f_max: float | None = None,
    window: str = "povey_symmetric",
    snip_edges: bool = True,
    sample_scale: float = 32_768,
) -> Sequential:
    """Kaldi's filter bank: ln mel frames [n, n_mels], 25 ms at 16,000 Hz every 10 ms, without dither.

    Samples within +-1 are scaled to 16-bit integers; sample_scale=1 is for models trained on +-1.

    Source: Kaldi compute-fbank-feats, with its default window, offset and pre-emphasis;
    kaldi-native-fbank 1.22
    Error: 1e-4 to -40 dB, 1, and 2e-2 in sound that fills its band. Where next to nothing sounds, such as
    above 4,000 Hz in sound that was resampled from 8,000 Hz, values are float32's rounding, and so are
    kaldi-native-fbank's
    """
    options = kaldi_options(sample_rate) | {"center": not snip_edges, "sample_scale": sample_scale}
    bands = {"window": window, "n_mels": n_mels, "f_min": f_min, "f_max": f_max}
    return MelSpectrogram(**options | bands) >> Log(kind="ln", floor=2**-23)


def kaldi_options(sample_rate: int = 16_000) -> dict[str, Any]:
    """Return the options of MelSpectrogram that make Kaldi's bands, by Kaldi's defaults."""
    length = sample_rate * 25 // 1000
    return {
        "sample_rate": sample_rate,
        "n_fft": 1 << (length - 1).bit_length(),
        "win_length": length,
        "hop_length": sample_rate // 100,
        "window": "povey_symmetric",
        "window_at": "start",
        "center": False,
        "pad_mode": "kaldi",
        "remove_dc": True,
        "preemphasis": 0.97,
        "sample_scale": 32_768,
        "n_mels": 80,
        "f_min": 20,
        "norm": "none",
        "mel_scale": "htk",
        "triangles": "mel",
    }


def firered(
    *,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
    cmvn: str | os.PathLike[str] | None = None,
) -> Sequential:
    """FireRedVAD: standardised ln mel frames [n, 80], every 10 ms at 16,000 Hz.

    The mean and the deviation of each band are the training data's. They belong to the weights and lie beside
    them in each release, in the file cmvn.ark: firered(cmvn="cmvn.ark") computes them from the sums that it
    holds, as Kaldi does. mean and std say other ones, 80 numbers each; where weights come with 1 / std, give
    its inverse.

    Source: FireRedTeam/FireRedVAD: Kaldi's filter bank of 16-bit integers, (x - mean) / std
    Error: 1e-4 to -40 dB, 2e-1, for deviations of 1 or more
    """
    if cmvn is not None and (mean is not None or std is not None):
        raise ValueError("firered: expected cmvn, or mean and std, got both; leave one out")
    if cmvn is not None:
        mean, std = read_cmvn(cmvn, _FIRERED_BANDS)
    if mean is None or std is None:
        raise ValueError(
            "firered: expected cmvn, the file cmvn.ark that comes with the weights, or mean and std, got "
            f"{'neither' if mean is None and std is None else 'only one of these'}; give cmvn='cmvn.ark' "
            "(fastaudio import: --option cmvn=cmvn.ark)"
        )
    sizes = np.shape(mean), np.shape(std)
    if sizes != ((_FIRERED_BANDS,),) * 2:
        raise ValueError(f"firered: expected 80 numbers each as mean and std, got {sizes[0]} and {sizes[1]}")
    return kaldi_fbank() >> Standardize(mean=list(mean), std=list(std))
