"""Front ends that others trained with: samples at a model's rate in, patches as the model takes them out.

>>> import numpy as np
>>> from fastaudio import presets
>>> presets.vggish()(np.zeros(32_000, dtype=np.float32)).shape
(2, 96, 64)

Each is nodes in a row, to be taken apart and changed like any other; other rates need `Resample` before.
`vggish_postprocess` is the other end: what comes after that network.
`Error` is the largest difference to the original's formula in float64 over real sound, in the output's unit,
with room for other processors. "a to -60 dB, b" is a for values down to 60 dB below their frame's largest,
and b for all: what lies deeper is the rounding of float32, in the original as here.

Patches begin every `hop` frames of one run over the signal. Where the original cuts the samples first and
pads each window by itself, so does the preset, through `Each`, and `hop` counts samples. What is left at the
end is dropped unless it says otherwise.
"""

from __future__ import annotations

from fastaudio.presets.music import effnet_discogs, harmonic_cnn, musicnn, musicnn_essentia, tempocnn
from fastaudio.presets.sounds import (
    ae_w2v,
    aisfx,
    fsd_sinet,
    mfcc_statistics,
    openl3,
    resnet_contrastive,
    talnet,
    vggish,
    vggish_postprocess,
    weanet,
    yamnet,
)
from fastaudio.presets.speech import kaldi_fbank, whisper

__all__ = [
    "ae_w2v",
    "aisfx",
    "effnet_discogs",
    "fsd_sinet",
    "harmonic_cnn",
    "kaldi_fbank",
    "mfcc_statistics",
    "musicnn",
    "musicnn_essentia",
    "openl3",
    "resnet_contrastive",
    "talnet",
    "tempocnn",
    "vggish",
    "vggish_postprocess",
    "weanet",
    "whisper",
    "yamnet",
]
