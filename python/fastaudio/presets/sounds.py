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
    Patches,
    PCAWhiten,
    Quantize,
    StackChannels,
    Standardize,
    Statistics,
    TopDb,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from fastaudio._core import Node, Sequential


def _audioset_mel() -> MelSpectrogram:
    return MelSpectrogram(
        sample_rate=16_000,
        n_fft=512,
        win_length=400,
        hop_length=160,
        window_at="start",
        center=False,
        n_mels=64,
        f_min=125,
        f_max=7500,
        power=1,
        norm="none",
        mel_scale="htk",
        triangles="mel",
    )


def vggish(*, hop: int = 96) -> Sequential:
    """VGGish: ln mel patches [n, 96, 64], 0.96 s of 16,000 Hz each.

    Source: Hershey et al., ICASSP 2017; tensorflow/models, research/audioset/vggish: ln(magnitude + 0.01)
    Error: 1e-4 to -40 dB, 2e-4
    """
    return _audioset_mel() >> Log(kind="ln", offset=0.01) >> Patches(length=96, hop=hop)


def vggish_postprocess(matrix: ArrayLike, means: ArrayLike, *, rounding: str = "down") -> Sequential:
    """VGGish's embeddings as AudioSet has them: PCA-whitened rows [n, 128] in 8 bits, 0 to 255.

    It comes after the network, one row for each 0.96 s of 16,000 Hz. matrix [128, 128], means [128]: the
    published pca_eigen_vectors and pca_means, which come with the weights. rounding: "nearest" as in the
    ports to PyTorch.

    Source: tensorflow/models, research/audioset/vggish, vggish_postprocess.py
    Error: 1 step in at most one value of 10,000, those next to a step's edge; 0 else
    """
    whiten = PCAWhiten(np.ravel(matrix).tolist(), np.ravel(means).tolist())
    return whiten >> Quantize(min=-2, max=2, bits=8, rounding=rounding)


def yamnet(*, hop: int = 48) -> Sequential:
    """YAMNet: ln mel patches [n, 96, 64], 0.96 s of 16,000 Hz every 0.48 s.

    Source: tensorflow/models, research/audioset/yamnet: ln(magnitude + 0.001). The original fills its last
    patch up with silence: samples with zeros after them give it
    Error: 5e-5 to -40 dB, 1e-3
    """
    return _audioset_mel() >> Log(kind="ln", offset=0.001) >> Patches(length=96, hop=hop)


def openl3(*, n_mels: int = 256, mel_scale: str = "slaney", hop: int = 4800) -> Sequential:
    """OpenL3: patches [n, 199, n_mels] in dB below their loudest, down to -80, 1 s of 48,000 Hz each.

    hop: in samples, 0.1 s; each window has zeros before and after it, as in the original, which by default
    also puts half a second of zeros before the signal and fills its last window up with zeros.
    n_mels: 128 or 256. mel_scale: the layer of openl3 0.3 asks for "htk".

    Source: Cramer et al., ICASSP 2019; openl3 0.4.2, librosa front end: 10 log10(max(magnitude, 1e-10))
    Error: 5e-4 to -60 dB, 4
    """
    mel = MelSpectrogram(
        sample_rate=48_000, n_fft=2048, hop_length=242, n_mels=n_mels, power=1, mel_scale=mel_scale
    )
    windows = Each(mel >> Log(kind="dB"), clip_length=48_000, hop=hop)
    return windows >> TopDb(top_db=80, relative=True)


def fsd_sinet(*, hop: int = 50) -> Sequential:
    """FSD-SINet: log10 mel patches [n, 101, 96], 1 s of 22,050 Hz each.

    It was trained on clips without an offset and with a peak of 1. The window of 660 stands in the middle of
    a frame centred on t * 220, zeros before the signal.

    Source: Fonseca, Ferraro & Serra, arXiv 2107.00623; TensorflowInputFSDSINet of Essentia 2.1-beta6, whose
    own float32 strays by 3e-4
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
    """TALNet: ln mel patches [n, 400, 64], 10 s of 16,000 Hz each at 40 frames/s.

    mean, std: those of the training data by band, which come with the weights; none is applied without.
    A clip's probabilities come from the network's frames by `LinearSoftmaxPooling`.
    Published are bands and frame rate; n_fft, the mel scale and the floor of 1e-10 are a choice made here.

    Source: Wang, Li & Metze, ICASSP 2019; Kumar et al., Interspeech 2021
    Error: 5e-5 to -40 dB, 1e-2
    """
    return _ln_mel(400, n_fft, mean, std) >> Patches(length=400, hop=hop)


def weanet(
    *, mean: Sequence[float] | None = None, std: Sequence[float] | None = None, n_fft: int = 512
) -> Sequential:
    """WEANet-SUSTAIN: ln mel frames [n, 64], 100 a second of 16,000 Hz; the network takes any number.

    mean, std: as in `talnet`. Published are bands and frame rate; the rest is a choice made here.

    Source: Kumar & Ithapu, ICML 2020; Kumar et al., Interspeech 2021
    Error: 5e-5 to -40 dB, 1e-2
    """
    return _ln_mel(160, n_fft, mean, std)


def aisfx(*, hop: int = 50, last: str = "drop") -> Sequential:
    """aiSFX: mel patches [n, 100, 96] from 0 to about 1, 2.3 s of 44,100 Hz each.

    The original pads a clip shorter than a patch with zeros, as last="pad" does.

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
    min: Sequence[float],  # noqa: A002  # the field's and MinMaxScale's word
    max: Sequence[float],  # noqa: A002
    sample_rate: int = 22_000,
    window: str = "hann",
    hop: int | None = None,
    loudest: bool = False,
) -> Sequential:
    """Contextual tag embeddings' audio encoder: mel patches [n, 96, 96] scaled to [0, 1], 2.2 s each.

    min, max: the training data's, one number or 96, which aren't published. The code has 22,000 Hz and Hann,
    the paper 22,050 and Hamming. hop: 96 frames, or 12 with loudest: then comes one patch a
    clip, [1, 96, 96], with the greatest sum of ln(magnitude + 2^-23), as the original was trained. It also
    adds faint noise, and zeros up to 10 s.

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
    return mel >> log >> patches >> MinMaxScale(min=list(min), max=list(max))


def mfcc_statistics(*, sample_rate: int = 22_000, n_mfcc: int = 20) -> Sequential:
    """MFCCs, their slopes and the slopes' slopes: mean and deviation of each over a clip, [n, 2, 60], n = 1.

    The baseline of contextual tag embeddings; flattened and standardised it goes into a classifier.
    22,000 Hz as in the code; which takes the variance, the paper the standard deviation, as here.

    Source: Favory, Drossos, Virtanen & Serra, ICASSP 2021; xavierfav/coala, extract_mfcc.py: librosa's
    defaults, decibels limited to 80 below the clip's largest, slopes over 5 frames with the end ones repeated
    Error: 2e-4
    """
    mel = MelSpectrogram(sample_rate=sample_rate, n_fft=2048, hop_length=512, n_mels=128)
    mfcc = MFCC(n_mfcc=n_mfcc)
    slopes = [mfcc >> Delta(width=5, order=order, mode="nearest") for order in (1, 2)]
    return mel >> Log(kind="dB") >> TopDb(over="clip") >> Concat(mfcc, *slopes) >> Statistics()


def resnet_contrastive(*, sample_rate: int = 22_500, hop: int = 110_250) -> Sequential:
    """Contrastive ResNet50V2: mel patches [n, 480, 128, 3] in dB, 110,250 samples at 22,500 Hz each.

    The three channels are the same; layout="nftc" brings them into the paper's 128 x 480 x 3. Each window is
    padded by itself with zeros, and the last one of a clip filled up with them. The printed 480 frames are
    5 s at 22,050 Hz, hence the window; at the printed 22,500 Hz, 5 s would be 490. hop: in samples.

    Source: Lee & Lee, Cross-domain semi-supervised audio event classification using contrastive
    regularization; window, mel scale and norm, which it leaves open, are librosa's
    Error: 1e-3 to -60 dB, 5e-2
    """
    mel = MelSpectrogram(
        sample_rate=sample_rate, n_fft=1024, hop_length=230, n_mels=128, f_min=50, f_max=10_000
    )
    windows = Each(mel >> Log(kind="dB"), clip_length=110_250, hop=hop, last="pad")
    return windows >> StackChannels(channels=3)
