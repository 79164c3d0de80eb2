"""Front ends of networks that were trained on AudioSet, or on sound and text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastaudio._core import Each, Log, MelSpectrogram, Patches, Preemphasis, Standardize, TopDb, build_node
from fastaudio.presets.speech import kaldi_options

if TYPE_CHECKING:
    from fastaudio._core import Sequential


def _preemphasised(length: int, hop: int) -> Sequential:
    mel = MelSpectrogram(
        sample_rate=32_000,
        n_fft=1024,
        win_length=800,
        hop_length=320,
        window="hann_symmetric",
        pad_mode="reflect",
        n_mels=128,
        f_max=15_000,
        norm="none",
        mel_scale="htk",
        triangles="mel",
    )
    log = Log(kind="ln", offset=1e-5)
    scaled = Standardize(mean=[-4.5], std=[5.0])
    signal = Preemphasis(sample_rate=32_000, advanced=True)
    return signal >> mel >> log >> scaled >> Patches(length=length, hop=hop)


def _kaldi_128(**options: Any) -> Sequential:
    # One of its bands is narrower than a bin; the weights were trained with that.
    mel = build_node(MelSpectrogram, kaldi_options() | {"n_mels": 128} | options)
    return mel >> Log(kind="ln", floor=2**-23)


def efficientat(*, length: int = 1000, hop: int = 1000) -> Sequential:
    """EfficientAT (mn04 to mn40, dymn): ln mel patches [n, length, 128], 10 s at 32,000 Hz each.

    The signal is pre-emphasised before it is framed. The network takes bands first: layout="n1ft".

    Source: Schmid, Koutini & Widmer, ICASSP 2023; fschmid56/EfficientAT, models/preprocess.py: the ends are
    mirrored, (ln(power + 1e-5) + 4.5) / 5
    Error: 2e-5 to -60 dB, 5e-5
    """
    return _preemphasised(length, hop)


def passt(*, length: int = 998, hop: int = 1000) -> Sequential:
    """PaSST: ln mel patches [n, length, 128], 998 frames of 10 s at 32,000 Hz each.

    It is the front end of `efficientat`. The network takes bands first: layout="n1ft".

    Source: Koutini, Schlueter, Eghbal-zadeh & Widmer, Interspeech 2022; kkoutini/PaSST, models/preprocess.py
    Error: 2e-5 to -60 dB, 5e-5
    """
    return _preemphasised(length, hop)


def ced(*, length: int = 1012, hop: int = 1012) -> Sequential:
    """CED (tiny to base): mel patches [n, length, 64] in dB, 10.1 s at 16,000 Hz each; bands first: "nft".

    Each patch is limited to 120 dB below its loudest value. The original limits a whole clip at once, which
    is the same for clips of up to one patch.

    Source: Dinkel, Wang, Yan, Zhang & Wang, ICASSP 2024, and its models' description: torchaudio's
    mel-spectrogram with HTK bands and no norm, 10 log10(max(power, 1e-10))
    Error: 1e-3 to -60 dB, 5e-1
    """
    mel = MelSpectrogram(
        sample_rate=16_000,
        n_fft=512,
        hop_length=160,
        pad_mode="reflect",
        n_mels=64,
        norm="none",
        mel_scale="htk",
    )
    return mel >> Log(kind="dB") >> Patches(length=length, hop=hop) >> TopDb(top_db=120)


def ast(*, mean: float = -4.2677393, std: float = 4.5689974, hop: int = 1024) -> Sequential:
    """AST: scaled ln mel patches [n, 1024, 128], 10.2 s at 16,000 Hz each.

    The last patch of a clip is padded with zeros before it is scaled, as in the original. mean and std are
    AudioSet's; other sets of training data have their own.

    Source: Gong, Chung & Glass, Interspeech 2021; YuanGongND/ast: Kaldi's filter bank of samples within +-1
    with a Hann window, (x - mean) / (2 std)
    Error: 2e-5 to -40 dB, 5e-3
    """
    fbank = _kaldi_128(window="hann_symmetric", sample_scale=1)
    padded = Patches(length=1024, hop=hop, last="pad", pad_value=0)
    return fbank >> padded >> Standardize(mean=[mean], std=[2 * std])


def beats(*, mean: float = 15.41663, std: float = 6.55582) -> Sequential:
    """BEATs: scaled ln mel frames [n, 128], every 10 ms at 16,000 Hz.

    Source: Chen et al., ICML 2023; microsoft/unilm, beats: Kaldi's filter bank of 16-bit integers,
    (x - mean) / (2 std)
    Error: 2e-5 to -40 dB, 5e-2
    """
    return _kaldi_128() >> Standardize(mean=[mean], std=[2 * std])


def clap(*, hop: int = 480_000) -> Each:
    """CLAP (LAION's HTSAT): mel patches [n, 1001, 64] in dB, 10 s at 48,000 Hz each.

    The samples are cut first: each window's ends are mirrored, and those of a clip below 10 s are repeated up
    to 10 s, as in the original ("repeatpad"). The original repeats them whole times only, and puts zeros
    where another time has no room. hop counts samples.

    Source: Wu et al., ICASSP 2023; LAION-AI/CLAP with torchlibrosa: 10 log10(max(power, 1e-10)), no limit
    below the loudest
    Error: 1e-3 to -40 dB, 1e-1
    """
    mel = MelSpectrogram(
        sample_rate=48_000,
        n_fft=1024,
        hop_length=480,
        pad_mode="reflect",
        n_mels=64,
        f_min=50,
        f_max=14_000,
    )
    return Each(mel >> Log(kind="dB"), clip_length=480_000, hop=hop)
