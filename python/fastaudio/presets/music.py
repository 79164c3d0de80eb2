"""Front ends of networks for music."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastaudio._core import (
    Each,
    HarmonicSpectrogram,
    Log,
    MelSpectrogram,
    Normalize,
    Patches,
    Resample,
    Standardize,
    build_node,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fastaudio._core import Sequential


def musicnn(*, hop: int = 187) -> Sequential:
    """MusiCNN and VGG-I as trained: log10 mel patches [n, 187, 96], 3 s at 16,000 Hz each.

    Source: Pons & Serra, LBD-ISMIR 2019; musicnn 0.1.0 with librosa 0.7, which mirrors the signal's ends.
    The original's float16, which overflows in loud music, isn't imitated
    Error: 1e-5
    """
    mel = MelSpectrogram(sample_rate=16_000, n_fft=512, hop_length=256, n_mels=96, pad_mode="reflect")
    return mel >> Log(kind="log10", scale=10_000, offset=1) >> Patches(length=187, hop=hop)


def musicnn_essentia(*, length: int = 187, hop: int = 93) -> Sequential:
    """MusiCNN and VGG-I as Essentia runs them: log10 mel patches [n, length, 96] at 16,000 Hz.

    Unlike in `musicnn`, the window is symmetric, and zeros surround the signal.

    Essentia brings sound to 16,000 Hz by libsamplerate's medium converter, which cuts off lower than
    `Resample` and SoX do. From 44,100 and 48,000 Hz, the top two of the 96 bands hold 2 to 80 times as much
    here, the two below them up to 3 times. For a model trained on Essentia's sound, use libsamplerate first.

    Source: TensorflowInputMusiCNN of Essentia 2.1-beta6, whose float32 errs by 1e-3 in faint bands and whose
    framing adds one frame at the end of most clips
    Error: 1e-5
    """
    mel = MelSpectrogram(sample_rate=16_000, n_fft=512, hop_length=256, n_mels=96, window="hann_symmetric")
    return mel >> Log(kind="log10", scale=10_000, offset=1) >> Patches(length=length, hop=hop)


def effnet_discogs(*, hop: int = 62) -> Sequential:
    """EffnetDiscogs: log10 mel patches [n, 128, 96], 2 s at 16,000 Hz each, like `musicnn_essentia`.

    Source: TensorflowPredictEffnetDiscogs of Essentia 2.1-beta6
    Error: 1e-5
    """
    return musicnn_essentia(length=128, hop=hop)


def maest(*, length: int = 1876, hop: int = 1875) -> Sequential:
    """MAEST: scaled log10 mel patches [n, length, 96], 30 s at 16,000 Hz each, made as in `musicnn_essentia`.

    length is 1876 for the models of 30 s; those of 5, 10 and 20 s take 316, 626 and 1251.

    Source: Alonso-Jimenez, Serra & Bogdanov, ISMIR 2023; TensorflowPredictMAEST of Essentia 2.1-beta6:
    (x - 2.06755686098554) / (2 * 1.268292820667291)
    Error: 1e-5
    """
    scaled = Standardize(mean=[2.06755686098554], std=[2 * 1.268292820667291])
    front = musicnn_essentia(length=length, hop=hop)
    return front[0] >> front[1] >> scaled >> front[2]


def crepe(*, hop: int = 160) -> Sequential:
    """CREPE: standardised frames of samples [n, 1024], 64 ms at 16,000 Hz, one every `hop` samples.

    Frames are centred, with zeros before the signal. Frames that would reach more than one step beyond its
    end are left out; the original pads the end with 512 zeros, which gives up to 3 more.

    Source: Kim, Salamon, Li & Bello, ICASSP 2018; crepe 0.0.16: (x - mean) / max(deviation, 1e-8)
    Error: 2e-5
    """
    sound = Resample(input_rate=16_000, output_rate=16_000)  # it only states the rate
    frames = Patches(length=512, hop=hop, context=512, last="pad")
    return sound >> frames >> Normalize(kind="standard", over="row")


def tempocnn(*, hop: int = 128) -> Sequential:
    """TempoCNN: standardised mel patches [n, 256, 40], 11.9 s at 11,025 Hz each.

    Source: Schreiber & Mueller, ISMIR 2018; TensorflowInputTempoCNN of Essentia 2.1-beta6: magnitudes without
    a logarithm; each patch has its mean subtracted and is divided by its deviation
    Error: 5e-6
    """
    mel = MelSpectrogram(
        sample_rate=11_025,
        n_fft=1024,
        hop_length=512,
        window="hann_symmetric",
        n_mels=40,
        f_min=20,
        f_max=5000,
        power=1,
    )
    return mel >> Patches(length=256, hop=hop) >> Normalize(kind="standard", over="row")


def harmonic_cnn(*, q: Sequence[float] = (1.0,), n_fft: int = 512, hop: int = 80_000) -> Each:
    """Harmonic CNN: patches [n, 313, 6, 128] in dB, 5 s at 16,000 Hz each; the network takes bands first.

    q is the learned width: one number, 6, or 768. n_fft was 513 in the first code. hop counts samples; each
    window of 5 s has its ends mirrored, as in the original.

    Source: Won, Chun, Nieto & Serra, ICASSP 2020, and its authors' code
    Error: 1e-3 to -60 dB, 2
    """
    harmonic = build_node(
        HarmonicSpectrogram, {"n_fft": n_fft, "q": list(q)}
    )  # q was learned with the weights
    return Each(harmonic >> Log(kind="dB"), clip_length=80_000, hop=hop)
