"""Measures twenty cepstral coefficients per frame, against librosa and audioFlux."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
from harness import Case, Context, Group, Target, Timed, optional
from sources import read_mono

if TYPE_CHECKING:
    from collections.abc import Callable

RATE, N_FFT, HOP, N_MELS, N_MFCC = 22_050, 2048, 512, 128, 20
_EXCERPT_S = 60
_AT_LEAST_S = 0.02
_CLOSE = 0.01


def with_audioflux_mel(audioflux: Any) -> Callable[[Any], Any]:
    """Return audioFlux's mel-spectrogram; its tables are made once."""
    kinds = audioflux.type
    transform = audioflux.BFT(
        num=N_MELS,
        radix2_exp=N_FFT.bit_length() - 1,
        samplate=RATE,
        slide_length=HOP,
        low_fre=0,
        high_fre=RATE / 2,
        scale_type=kinds.SpectralFilterBankScaleType.MEL,
        style_type=kinds.SpectralFilterBankStyleType.SLANEY,
        normal_type=kinds.SpectralFilterBankNormalType.AREA,
        data_type=kinds.SpectralDataType.POWER,
    )
    return lambda samples: transform.bft(samples, result_type=1)


def groups(context: Context) -> list[Group]:
    """Compare microseconds per frame, over a minute of the file, on one thread."""
    whole, rate = read_mono(context.audio)
    samples = whole[: _EXCERPT_S * rate]
    if rate != RATE:
        samples = fa.Resample(input_rate=rate, output_rate=RATE)(samples)
    scale = 1e6 / (1 + len(samples) // HOP)

    def timed(call: Callable[[], Any] | None) -> Timed | None:
        return Timed(call, scale=scale, at_least_s=_AT_LEAST_S) if call else None

    mel = fa.MelSpectrogram(sample_rate=RATE, n_fft=N_FFT, hop_length=HOP, n_mels=N_MELS)
    in_db = mel >> fa.Log(kind="dB")
    node = in_db >> fa.TopDb(over="clip") >> fa.MFCC(n_mfcc=N_MFCC)
    librosa = optional("librosa")
    theirs = None
    if librosa is not None:

        def theirs() -> Any:
            return librosa.feature.mfcc(
                y=samples, sr=RATE, n_mfcc=N_MFCC, n_fft=N_FFT, hop_length=HOP, n_mels=N_MELS
            )

        if not np.allclose(node(samples).T, theirs(), rtol=0, atol=_CLOSE):
            raise RuntimeError("mfcc: fastaudio and librosa disagree")
    audioflux = optional("audioflux")
    flux = None
    if audioflux is not None:
        mel_of = with_audioflux_mel(audioflux)
        cepstra = audioflux.XXCC(N_MELS)
        cepstra.set_time_length(mel_of(samples).shape[-1])

        def flux() -> Any:
            return cepstra.xxcc(mel_of(samples), cc_num=N_MFCC)

    cases = [
        Case("librosa", timed(theirs)),
        Case("audioFlux", timed(flux), "librosa"),
        Case("fastaudio", timed(lambda: node(samples)), "librosa"),
        Case("fastaudio, its log-mel alone", timed(lambda: in_db(samples))),
        Case("fastaudio again", timed(lambda: node(samples)), "fastaudio, its log-mel alone", Target(1.08)),
    ]
    return [Group("MFCC: 22.05 kHz 2048/512/128/20", "us/frame", cases, rounds=31)]
