"""Front ends of networks for sounds of any kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fastaudio._core import (
    MFCC,
    Concat,
    Delta,
    Each,
    EnergyPatch,
    Log,
    MelSpectrogram,
    MinMaxScale,
    Normalize,
    Patches,
    PCAWhiten,
    Quantize,
    Resample,
    StackChannels,
    Standardize,
    Statistics,
    TopDb,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from fastaudio._core import Node, Sequential


def _audioset_mel(*, window: str = "hann", center: bool = False) -> MelSpectrogram:
    return MelSpectrogram(
        sample_rate=16_000,
        n_fft=512,
        win_length=400,
        hop_length=160,
        window=window,
        window_at="start",
        center=center,
        n_mels=64,
        f_min=125,
        f_max=7500,
        power=1,
        norm="none",
        mel_scale="htk",
        triangles="mel",
    )


def vggish(*, hop: int = 96) -> Sequential:
    """VGGish: ln mel patches [n, 96, 64], 0.96 s at 16,000 Hz each.

    Source: Hershey et al., ICASSP 2017; tensorflow/models, research/audioset/vggish: ln(magnitude + 0.01)
    Error: 1e-4 to -40 dB, 1e-3
    """
    return _audioset_mel() >> Log(kind="ln", offset=0.01) >> Patches(length=96, hop=hop)


def vggish_essentia(*, hop: int = 93) -> Sequential:
    """VGGish as Essentia runs it: ln mel patches [n, 96, 64], 0.96 s at 16,000 Hz every 0.93 s.

    Unlike in `vggish`, frames are centred, zeros surround the signal, the window is symmetric, and patches
    overlap by 3 frames.

    Source: TensorflowInputVGGish of Essentia 2.1-beta6: ln(magnitude + 0.01); the patchHopSize of
    TensorflowPredictVGGish
    Error: 1e-4 to -40 dB, 1e-3
    """
    mel = _audioset_mel(window="hann_symmetric", center=True)
    return mel >> Log(kind="ln", offset=0.01) >> Patches(length=96, hop=hop)


def vggish_postprocess(matrix: ArrayLike, means: ArrayLike, *, rounding: str = "down") -> Sequential:
    """VGGish's embeddings as published with AudioSet: PCA-whitened rows [n, 128] in 8 bits, 0 to 255.

    It comes after the network and gives one row per 0.96 s at 16,000 Hz. matrix [128, 128] and means [128]
    are the published pca_eigen_vectors and pca_means, which come with the weights. The ports to PyTorch have
    rounding="nearest".

    Source: tensorflow/models, research/audioset/vggish, vggish_postprocess.py
    Error: 1 step in at most one of 10,000 values, next to the edge of a step; 0 in all others
    """
    whiten = PCAWhiten(np.ravel(matrix).tolist(), np.ravel(means).tolist())
    return whiten >> Quantize(min=-2, max=2, bits=8, rounding=rounding)


def yamnet(*, hop: int = 48) -> Sequential:
    """YAMNet: ln mel patches [n, 96, 64], 0.96 s at 16,000 Hz every 0.48 s.

    Source: tensorflow/models, research/audioset/yamnet: ln(magnitude + 0.001). The original pads its
    last patch with silence; zeros after the samples do the same
    Error: 5e-4 to -40 dB, 1e-2
    """
    return _audioset_mel() >> Log(kind="ln", offset=0.001) >> Patches(length=96, hop=hop)


def openl3(*, n_mels: int = 256, mel_scale: str = "slaney", hop: int = 4800) -> Sequential:
    """OpenL3: patches [n, 199, n_mels] in dB relative to their loudest, down to -80, 1 s at 48,000 Hz each.

    hop counts samples; the default is 0.1 s. Zeros surround each window, as in the original, which by default
    also puts half a second of zeros before the signal and pads its last window with zeros.
    n_mels is 128 or 256. The layer of openl3 0.3 needs mel_scale="htk".

    Source: Cramer et al., ICASSP 2019; openl3 0.4.2, librosa front end: 10 log10(max(magnitude, 1e-10))
    Error: 1e-3 to -60 dB, 5
    """
    mel = MelSpectrogram(
        sample_rate=48_000, n_fft=2048, hop_length=242, n_mels=n_mels, power=1, mel_scale=mel_scale
    )
    windows = Each(mel >> Log(kind="dB"), clip_length=48_000, hop=hop)
    return windows >> TopDb(top_db=80, relative=True)


def fsd_sinet(*, hop: int = 50) -> Sequential:
    """FSD-SINet: log10 mel patches [n, 101, 96], 1 s at 22,050 Hz each.

    It was trained on clips without an offset and with a peak of 1. The window of 660 samples is in the middle
    of frame t, which is centred on sample 220 t; zeros come before the signal.

    Source: Fonseca, Ferraro & Serra, arXiv 2107.00623; TensorflowInputFSDSINet of Essentia 2.1-beta6, whose
    float32 errs by 3e-4
    Error: 5e-5 to -60 dB, 1e-3
    """
    mel = MelSpectrogram(
        sample_rate=22_050,
        n_fft=2048,
        win_length=660,
        hop_length=220,
        window="hamming",
        n_mels=96,
        f_min=50,
        f_max=10_500,
        norm="none",
    )
    return mel >> Log(kind="log10", floor=1e-30) >> Patches(length=101, hop=hop)


def _ln_mel(
    hop_length: int, n_fft: int, mean: Sequence[float] | None, std: Sequence[float] | None
) -> Sequential:
    mel = MelSpectrogram(sample_rate=16_000, n_fft=n_fft, hop_length=hop_length, n_mels=64)
    front = mel >> Log(kind="ln")
    if mean is None and std is None:
        return front
    return front >> Standardize(
        mean=[0.0] if mean is None else list(mean), std=[1.0] if std is None else list(std)
    )


def talnet(
    *,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
    n_fft: int = 1024,
    hop: int = 400,
) -> Sequential:
    """TALNet: ln mel patches [n, 400, 64], 10 s at 16,000 Hz each, with 40 frames per second.

    mean and std are the training data's, for each band; they come with the weights, and None applies none.
    `LinearSoftmaxPooling` turns the network's frames into a clip's probabilities, and `Unroll` lays them out
    in time. A last patch that isn't full repeats its frames.
    Bands and frame rate are published; n_fft, the mel scale and the floor of 1e-10 are chosen here.

    Source: Wang, Li & Metze, ICASSP 2019; Kumar et al., Interspeech 2021
    Error: 5e-5 to -40 dB, 5e-2
    """
    return _ln_mel(400, n_fft, mean, std) >> Patches(length=400, hop=hop)


def weanet(
    *, mean: Sequence[float] | None = None, std: Sequence[float] | None = None, n_fft: int = 512
) -> Sequential:
    """WEANet-SUSTAIN: ln mel frames [n, 64], 100 per second at 16,000 Hz; the network takes any number.

    mean and std are as in `talnet`. Bands and frame rate are published; the rest is chosen here.

    Source: Kumar & Ithapu, ICML 2020; Kumar et al., Interspeech 2021
    Error: 5e-5 to -40 dB, 5e-2
    """
    return _ln_mel(160, n_fft, mean, std)


def panns(*, sample_rate: int = 32_000) -> Sequential:
    """PANNs, such as Cnn14: mel frames [n, 64] in dB, 100 per second at 32,000 Hz.

    sample_rate=16_000 is for Cnn14_16k, whose frames are as long; its bands end at 8000 Hz, not 14,000.
    The signal's ends are mirrored. The network takes any number of frames and standardises each band itself.

    Source: Kong, Cao, Iqbal, Wang, Wang & Plumbley, IEEE/ACM TASLP 28, 2020; qiuqiangkong's
    audioset_tagging_cnn with torchlibrosa: 10 log10(max(power, 1e-10))
    Error: 1e-3 to -50 dB, 1e-1, also from torchlibrosa 0.1.0, which computes in float32 as well

    Raises:
        ValueError: sample_rate is neither 32,000 nor 16,000
    """
    if sample_rate not in (32_000, 16_000):
        raise ValueError(f"panns: expected sample_rate 32000 or 16000, got {sample_rate}; resample first")
    mel = MelSpectrogram(
        sample_rate=sample_rate,
        n_fft=sample_rate * 32 // 1000,
        hop_length=sample_rate // 100,
        pad_mode="reflect",
        n_mels=64,
        f_min=50,
        f_max=min(14_000, sample_rate / 2),
    )
    return mel >> Log(kind="dB")


def aisfx(*, hop: int = 50, last: str = "drop") -> Sequential:
    """aiSFX: mel patches [n, 100, 96] from 0 to about 1, 2.3 s at 44,100 Hz each.

    The original pads clips shorter than a patch with zeros; last="pad" does the same.

    Source: Ma et al., ISMIR 2022; aisfx 0.1.2 with Essentia: log10(1 + 10000 power) / 9.457798957824707
    Error: 1e-5
    """
    mel = MelSpectrogram(
        sample_rate=44_100,
        n_fft=2048,
        hop_length=1024,
        window="hann_symmetric",
        n_mels=96,
        norm="unit_sum",
        mel_scale="htk",
        triangles="mel",
    )
    log = Log(kind="log10", scale=10_000, offset=1)
    return (
        mel >> log >> MinMaxScale(min=[0], max=[9.457798957824707]) >> Patches(length=100, hop=hop, last=last)
    )


def ae_w2v(
    *,
    min: float | Sequence[float],  # noqa: A002  # the name that MinMaxScale has
    max: float | Sequence[float],  # noqa: A002
    sample_rate: int = 22_000,
    window: str = "hann",
    hop: int | None = None,
    loudest: bool = False,
) -> Sequential:
    """Contextual tag embeddings' audio encoder: mel patches [n, 96, 96] scaled to [0, 1], 2.2 s each.

    min and max are the training data's, one number or 96 each; they aren't published. The code has 22,000 Hz
    and Hann, the paper 22,050 Hz and Hamming. hop is 96 frames by default. With loudest it is 12, and each
    clip gives one patch [1, 96, 96], with the greatest sum of ln(magnitude + 2^-23), as in the original's
    training. The original also adds faint noise, and zeros up to 10 s.

    Source: Favory, Drossos, Virtanen & Serra, ICASSP 2021; xavierfav/ae-w2v-attention with the librosa of
    its time, which mirrors the signal's ends: ln(magnitude + 2^-23)
    Error: 1e-5 to -60 dB, 5e-2, for a range of 20
    """
    mel = MelSpectrogram(
        sample_rate=sample_rate,
        n_fft=1024,
        hop_length=512,
        window=window,
        pad_mode="reflect",
        n_mels=96,
        power=1,
    )
    log = Log(kind="ln", offset=2**-23)
    patches: Node
    if loudest:
        patches = EnergyPatch(length=96, hop=12 if hop is None else hop)
    else:
        patches = Patches(length=96, hop=hop)
    return mel >> log >> patches >> MinMaxScale(min=np.ravel(min).tolist(), max=np.ravel(max).tolist())


def mfcc_statistics(*, sample_rate: int = 22_000, n_mfcc: int = 20) -> Sequential:
    """MFCCs, their slopes and the slopes' slopes: mean and deviation of each over a clip, [n, 2, 60], n = 1.

    It is the baseline of contextual tag embeddings; flattened and standardised, it goes into a classifier.
    The rate of 22,000 Hz is the code's. The code takes the variance, but the paper and this the deviation.

    Source: Favory, Drossos, Virtanen & Serra, ICASSP 2021; xavierfav/coala, extract_mfcc.py: librosa's
    defaults, decibels limited to 80 below the clip's largest, slopes over 5 frames with the end ones repeated
    Error: 2e-4
    """
    mel = MelSpectrogram(sample_rate=sample_rate, n_fft=2048, hop_length=512, n_mels=128)
    mfcc = MFCC(n_mfcc=n_mfcc)
    slopes = [mfcc >> Delta(width=5, order=order, mode="nearest") for order in (1, 2)]
    return mel >> Log(kind="dB") >> TopDb(over="clip") >> Concat(mfcc, *slopes) >> Statistics()


def resnet_contrastive(
    *, sample_rate: int = 22_500, hop: int = 110_250, unit_rms: bool = False
) -> Sequential:
    """Contrastive ResNet50V2: mel patches [n, 480, 128, 3] in dB, 110,250 samples at 22,500 Hz each.

    The three channels are the same; layout="nftc" gives the paper's 128 x 480 x 3. Zeros surround each window
    and pad the last one of a clip. The paper's 480 frames are 5 s at 22,050 Hz, which gives this window's
    length; at the paper's 22,500 Hz, 5 s would be 490 frames. hop counts samples.

    The paper scales sounds by their energy and doesn't say to which. With unit_rms a clip's root mean square
    becomes 1 before windows are cut and padded, and all patches come at the clip's end.

    Source: Lee & Lee, Cross-domain semi-supervised audio event classification using contrastive
    regularization; the window, mel scale and norm, which it doesn't state, are librosa's
    Error: 1e-3 to -50 dB, 2e-1
    """
    mel = MelSpectrogram(
        sample_rate=sample_rate, n_fft=1024, hop_length=230, n_mels=128, f_min=50, f_max=10_000
    )
    windows = Each(mel >> Log(kind="dB"), clip_length=110_250, hop=hop, last="pad")
    patches = windows >> StackChannels(channels=3)
    if not unit_rms:
        return patches
    at_rate = Resample(input_rate=sample_rate, output_rate=sample_rate)  # Normalize takes any rate
    return at_rate >> Normalize(kind="rms", over="clip") >> patches
