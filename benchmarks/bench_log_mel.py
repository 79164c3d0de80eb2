"""Measures log-mel frames on one thread, in five common configurations, against what people use."""

from __future__ import annotations

from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
from fastaudio._system.versions import versions
from harness import Case, Context, Group, Target, Timed, optional
from peers_log_mel import with_essentia, with_torch
from sources import read_mono

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Samples = NDArray[np.float32]
    Compute = Callable[[Samples], Any]

_EXCERPT_S = 60
_FLOOR = 1e-10
_CLOSE_DB, _RANGE_DB = 0.01, 80
_AT_LEAST_S = 0.02


@dataclass(frozen=True)
class Config:
    """A log-mel configuration, and how many times a peer's speed is required with AVX-512."""

    title: str
    sample_rate: int
    n_fft: int
    hop_length: int
    n_mels: int
    times_librosa: float | None = None
    times_audioflux: float | None = None
    win_length: int | None = None


CONFIGS = (
    Config("A: 16 kHz 512/256/96", 16_000, 512, 256, 96, 10, 6),
    Config("B: 16 kHz 400 in 512/160/64", 16_000, 512, 160, 64, 10, 6, win_length=400),
    Config("C: 22.05 kHz 2048/512/128", 22_050, 2048, 512, 128, None, 7),
    Config("D: 44.1 kHz 2048/441/128", 44_100, 2048, 441, 128, None, 7),
    Config("E: Whisper's 16 kHz 400/160/80", 16_000, 400, 160, 80, 6),
)


def with_fastaudio(config: Config) -> Compute:
    """Return fastaudio's log-mel."""
    mel = fa.MelSpectrogram(
        sample_rate=config.sample_rate,
        n_fft=config.n_fft,
        win_length=config.win_length,
        hop_length=config.hop_length,
        n_mels=config.n_mels,
    )
    return mel >> fa.Log(kind="dB", floor=_FLOOR)


def with_librosa(config: Config) -> Compute | None:
    """Return librosa's log-mel."""
    librosa = optional("librosa")
    if librosa is None:
        return None

    def compute(samples: Samples) -> Any:
        mel = librosa.feature.melspectrogram(
            y=samples,
            sr=config.sample_rate,
            n_fft=config.n_fft,
            win_length=config.win_length,
            hop_length=config.hop_length,
            n_mels=config.n_mels,
        )
        return librosa.power_to_db(mel, amin=_FLOOR, top_db=None)

    return compute


def with_audioflux(config: Config) -> Compute | None:
    """Return audioFlux's log-mel; it takes only powers of two, and no window shorter than the transform."""
    audioflux = optional("audioflux")
    if audioflux is None or config.n_fft & (config.n_fft - 1):
        return None
    kinds = audioflux.type
    transform = audioflux.BFT(
        num=config.n_mels,
        radix2_exp=config.n_fft.bit_length() - 1,
        samplate=config.sample_rate,
        slide_length=config.hop_length,
        low_fre=0,
        high_fre=config.sample_rate / 2,
        scale_type=kinds.SpectralFilterBankScaleType.MEL,
        style_type=kinds.SpectralFilterBankStyleType.SLANEY,
        normal_type=kinds.SpectralFilterBankNormalType.AREA,
        data_type=kinds.SpectralDataType.POWER,
    )

    def compute(samples: Samples) -> Any:
        return 10 * np.log10(np.maximum(transform.bft(samples, result_type=1), _FLOOR))

    return compute


def kaldi_options(knf: Any, config: Config) -> Any:
    """Return options of kaldi-native-fbank with librosa's window and bands, and nothing before them."""
    options = knf.FbankOptions()
    frame, mel = options.frame_opts, options.mel_opts
    frame.samp_freq = config.sample_rate
    frame.frame_length_ms = 1e3 * (config.win_length or config.n_fft) / config.sample_rate
    frame.frame_shift_ms = 1e3 * config.hop_length / config.sample_rate
    frame.dither = 0
    frame.preemph_coeff = 0
    frame.remove_dc_offset = False
    frame.snip_edges = False
    frame.window_type = "hann"
    frame.round_to_power_of_two = config.win_length is not None
    mel.num_bins = config.n_mels
    mel.low_freq = 0
    mel.is_librosa = True
    return options


def with_kaldi(config: Config) -> Compute | None:
    """Return kaldi-native-fbank's log-mel; Python hands in samples and takes out frames one by one."""
    knf = optional("kaldi_native_fbank")
    if knf is None:
        return None
    options = kaldi_options(knf, config)

    def compute(samples: Samples) -> list[Any]:
        fbank = knf.OnlineFbank(options)
        fbank.accept_waveform(config.sample_rate, samples)
        fbank.input_finished()
        return [fbank.get_frame(i) for i in range(fbank.num_frames_ready)]

    return compute


def at_least(times: float | None) -> Target | None:
    """Return the target for `times` a peer's speed; narrower vectors have to reach half of it."""
    if times is None:
        return None
    isa = versions()["instruction set"]
    return Target(1 / times if isa == "avx512" else 2 / times)


def agree(ours: Samples, theirs: Samples) -> bool:
    """Return whether two log-mels are the same; far below the loudest, float32's rounding shows."""
    floor = theirs.max() - _RANGE_DB
    return np.allclose(np.maximum(ours, floor), np.maximum(theirs, floor), rtol=0, atol=_CLOSE_DB)


def groups(context: Context) -> list[Group]:
    """Compare microseconds per frame, over a minute of the file."""
    whole, rate = read_mono(context.audio)
    found = []
    for config in CONFIGS:
        resample = fa.Resample(input_rate=rate, output_rate=config.sample_rate)
        mono = whole[: _EXCERPT_S * rate]
        samples = resample(mono) if rate != config.sample_rate else mono
        scale = 1e6 / (1 + len(samples) // config.hop_length)

        def timed(compute: Compute | None, samples: Samples = samples, scale: float = scale) -> Timed | None:
            if compute is None:
                return None
            return Timed(lambda: compute(samples), scale=scale, at_least_s=_AT_LEAST_S)

        ours, theirs = with_fastaudio(config), with_librosa(config)
        if theirs is not None and not agree(ours(samples).T, theirs(samples)):
            raise RuntimeError(f"log_mel {config.title}: fastaudio and librosa disagree")
        cases = [
            Case("librosa", timed(theirs)),
            Case("kaldi-native-fbank (Python)", timed(with_kaldi(config)), "librosa"),
            Case("torch", timed(with_torch(config, _FLOOR)), "librosa"),
            Case("Essentia (Python)", timed(with_essentia(config, _FLOOR)), "librosa"),
            Case("fastaudio", timed(ours), "librosa", at_least(config.times_librosa)),
        ]
        if not config.n_fft & (config.n_fft - 1):
            cases.insert(1, Case("audioFlux", timed(with_audioflux(config)), "librosa"))
            again = itemgetter("fastaudio")
            cases.append(Case("fastaudio, the same", again, "audioFlux", at_least(config.times_audioflux)))
        found.append(Group(f"log-mel {config.title}", "us/frame", cases, rounds=31))
    return found
