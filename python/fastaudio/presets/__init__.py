"""Front ends of published models: they take samples at the model's rate and give the patches that it takes.

>>> import numpy as np
>>> from fastaudio import presets
>>> presets.vggish()(np.zeros(32_000, dtype=np.float32)).shape
(2, 96, 64)

Each is a chain of nodes, which you can take apart and change; sound at other rates needs `Resample` first.
`music`, `speech`, `audioset` and `sounds` hold them; `cmvn` reads the statistics of one; `vggish_postprocess`
comes after VGGish's network.

`Error` is the largest difference to the original's formula, computed in float64 over 41 recordings of music,
speech, animals, weather and single notes, in the output's unit, with room for other processors. Sound of
8,000 and 11,025 Hz is among them, which leaves bands empty once it is resampled. "a to -60 dB, b" means a for
values down to 60 dB below their frame's largest, and b for all values: below that, float32 rounds, in the
original as well.

Patches begin every `hop` frames of one run over the signal. If the original cuts the samples first and pads
each window separately, the preset does too, by `Each`, and `hop` counts samples. Samples left at the end are
dropped unless the docstring says otherwise; a clip shorter than a patch is repeated, see `Patches`.
"""

from __future__ import annotations

from fastaudio.presets.audioset import ast, beats, ced, clap, efficientat, passt
from fastaudio.presets.music import (
    crepe,
    effnet_discogs,
    harmonic_cnn,
    maest,
    musicnn,
    musicnn_essentia,
    tempocnn,
)
from fastaudio.presets.sounds import (
    ae_w2v,
    aisfx,
    fsd_sinet,
    mfcc_statistics,
    openl3,
    panns,
    resnet_contrastive,
    talnet,
    vggish,
    vggish_essentia,
    vggish_postprocess,
    weanet,
    yamnet,
)
from fastaudio.presets.speech import firered, kaldi_fbank, whisper

__all__ = [
    "ae_w2v",
    "aisfx",
    "ast",
    "beats",
    "ced",
    "clap",
    "crepe",
    "efficientat",
    "effnet_discogs",
    "firered",
    "fsd_sinet",
    "harmonic_cnn",
    "kaldi_fbank",
    "maest",
    "mfcc_statistics",
    "musicnn",
    "musicnn_essentia",
    "openl3",
    "panns",
    "passt",
    "resnet_contrastive",
    "talnet",
    "tempocnn",
    "vggish",
    "vggish_essentia",
    "vggish_postprocess",
    "weanet",
    "whisper",
    "yamnet",
]
