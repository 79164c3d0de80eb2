"""Each preset with what it has to give, and the sounds on which it is tried."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import preset_references as reference
from fastaudio import presets
from helpers import GUITAR, SHARED, SOUNDS, by_name, decode

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

LN10 = float(np.log(10))
CLIPS = SHARED / "audio" / "clips"
NOTES = SHARED / "instruments_real"
# From "speech" on they lie outside the repository and are heard where they are present. From "dog" on they
# are the hardest of 41 recordings for some preset: they leave bands empty, or are loud outside the bands.
HEARD = {
    "guitar": GUITAR,
    "drums": SOUNDS / "drums_44k_mono.flac",
    "choir": SOUNDS / "choir_44k_stereo.flac",
    "sauna": SOUNDS / "sauna_44k_mono.ogg",
    "birds": SOUNDS / "birds_96k_mono.flac",
    "speech": CLIPS / "speech_en_female_16k_mono.flac",
    "rock": CLIPS / "music_rock_44k_stereo.ogg",
    "rain": CLIPS / "rain_44k_stereo.ogg",
    "dog": CLIPS / "dog_44k_mono.ogg",
    "speech at 8 kHz": CLIPS / "speech_en_female_8k_mono_s16.wav",
    "train": CLIPS / "train_11k_mono_s16.wav",
    "shaker": NOTES / "percussion" / "strawberry-shaker__phrase_mezzo-forte_rhythm.mp3",
}
HARDEST = ("dog", "speech at 8 kHz", "train", "shaker")


@dataclass(frozen=True)
class Case:
    """A preset with options, and what it has to give."""

    preset: str
    rate: int
    seconds: float
    frames: Callable[[Any], Any]
    cut: tuple[int, int] | None = None  # rows per patch, and its step
    window: tuple[int, int] | None = None  # samples per window, for presets that cut these first
    finish: Callable[[Any], Any] | None = None
    decade: float = 1.0  # what a power ten times as large adds to the output
    options: dict[str, Any] = field(default_factory=dict)

    def node(self) -> fa.Sequential:
        node: fa.Sequential = getattr(presets, self.preset)(**self.options)
        return node

    def want(self, x: NDArray[np.float32]) -> NDArray[np.float64]:
        if self.window:
            rows = np.stack([self.frames(clip) for clip in reference.patches(x, *self.window)])
            return self.finish(rows) if self.finish else rows
        rows = self.frames(x)
        rows = reference.patches(rows, *self.cut) if self.cut else rows
        return self.finish(rows) if self.finish else rows


SECOND = (48_000, 4800)
HALF_A_MINUTE = (480_000, 480_000)
RANGE = {"min": np.linspace(-16, -14, 96).tolist(), "max": np.linspace(4, 6, 96).tolist()}
FIRERED = {"mean": np.linspace(10, 15, 80).tolist(), "std": np.linspace(3, 4, 80).tolist()}
STATISTICS = {"mean": np.linspace(-3, -9, 64).tolist(), "std": np.linspace(0.9, 1, 64).tolist()}
ref = reference
CASES = {
    "musicnn": Case("musicnn", 16_000, 10, ref.musicnn, (187, 187)),
    "musicnn-dense": Case("musicnn", 16_000, 5, ref.musicnn, (187, 50), options={"hop": 50}),
    "musicnn_essentia": Case("musicnn_essentia", 16_000, 10, ref.musicnn_essentia, (187, 93)),
    "effnet_discogs": Case("effnet_discogs", 16_000, 10, ref.musicnn_essentia, (128, 62)),
    "vggish": Case("vggish", 16_000, 10, ref.vggish, (96, 96), decade=LN10 / 2),
    "vggish_essentia": Case("vggish_essentia", 16_000, 10, ref.vggish_essentia, (96, 93), decade=LN10 / 2),
    "efficientat": Case("efficientat", 32_000, 20, ref.preemphasised, (1000, 1000), decade=LN10 / 5),
    "passt": Case("passt", 32_000, 20, ref.preemphasised, (998, 1000), decade=LN10 / 5),
    "ced": Case("ced", 16_000, 21, ref.ced, (1012, 1012), finish=ref.limited, decade=10),
    "ast": Case("ast", 16_000, 20.5, ref.ast, (1024, 1024), decade=LN10 / 2 / 4.5689974),
    "beats": Case("beats", 16_000, 10, ref.beats, decade=LN10 / 2 / 6.55582),
    "clap": Case("clap", 48_000, 20.1, ref.clap, None, HALF_A_MINUTE, decade=10),
    "firered": Case(
        "firered",
        16_000,
        10,
        lambda x: (ref.kaldi_fbank(x) - FIRERED["mean"]) / FIRERED["std"],
        decade=LN10 / 3,
        options=FIRERED,
    ),
    "maest": Case("maest", 16_000, 61, ref.maest, (1876, 1875), decade=1 / 2 / 1.268292820667291),
    "crepe": Case("crepe", 16_000, 3, ref.crepe),
    "yamnet": Case("yamnet", 16_000, 10, ref.yamnet, (96, 48), decade=LN10 / 2),
    "openl3": Case("openl3", 48_000, 4, ref.openl3, None, SECOND, ref.below_loudest, decade=5),
    "openl3-128": Case(
        "openl3",
        48_000,
        4,
        lambda x: ref.openl3(x, 128),
        None,
        SECOND,
        ref.below_loudest,
        decade=5,
        options={"n_mels": 128},
    ),
    "tempocnn": Case("tempocnn", 11_025, 20, ref.tempocnn, (256, 128), finish=ref.standardised),
    "fsd_sinet": Case("fsd_sinet", 22_050, 10, ref.fsd_sinet, (101, 50)),
    "whisper": Case(
        "whisper",
        16_000,
        70,
        ref.whisper,
        None,
        HALF_A_MINUTE,
        ref.whisper_scaled,
        decade=0.25,
        options={"last": "drop"},
    ),
    "whisper-128": Case(
        "whisper",
        16_000,
        70,
        lambda x: ref.whisper(x, 128),
        None,
        HALF_A_MINUTE,
        ref.whisper_scaled,
        decade=0.25,
        options={"n_mels": 128, "last": "drop"},
    ),
    "kaldi_fbank": Case("kaldi_fbank", 16_000, 10, ref.kaldi_fbank, decade=LN10),
    "kaldi_fbank-centred": Case(
        "kaldi_fbank",
        16_000,
        10,
        lambda x: ref.kaldi_fbank(x, snip_edges=False),
        decade=LN10,
        options={"snip_edges": False},
    ),
    "talnet": Case("talnet", 16_000, 11, lambda x: ref.ln_mel(x, 400, 1024), (400, 400), decade=LN10),
    "talnet-standardised": Case(
        "talnet",
        16_000,
        11,
        lambda x: (ref.ln_mel(x, 400, 1024) - STATISTICS["mean"]) / STATISTICS["std"],
        (400, 400),
        decade=LN10,
        options=STATISTICS,
    ),
    "weanet": Case("weanet", 16_000, 10, lambda x: ref.ln_mel(x, 160, 512), decade=LN10),
    "panns": Case("panns", 32_000, 10, ref.panns, decade=10),
    "panns-16k": Case("panns", 16_000, 10, ref.panns_16k, decade=10, options={"sample_rate": 16_000}),
    "aisfx": Case("aisfx", 44_100, 8, ref.aisfx, (100, 50)),
    "ae_w2v": Case(
        "ae_w2v",
        22_000,
        10,
        lambda x: ref.ae_w2v(x, RANGE["min"], RANGE["max"]),
        (96, 96),
        decade=LN10 / 2 / 20,
        options=RANGE,
    ),
    "ae_w2v-loudest": Case(
        "ae_w2v",
        22_000,
        10,
        lambda x: ref.ae_w2v_loudest(x, RANGE["min"], RANGE["max"]),
        (96, 96),
        decade=LN10 / 2 / 20,
        options=RANGE | {"loudest": True},
    ),
    "resnet_contrastive": Case(
        "resnet_contrastive",
        22_500,
        9.8,
        ref.resnet_contrastive,
        None,
        (110_250, 110_250),
        ref.three_channels,
        decade=10,
    ),
    "mfcc_statistics": Case("mfcc_statistics", 22_000, 10, ref.mfcc_statistics),
    "harmonic_cnn": Case("harmonic_cnn", 16_000, 12, ref.harmonic_cnn, None, (80_000, 80_000), decade=10),
}


@cache
def sound(name: str, rate: int, n: int) -> NDArray[np.float32]:
    """Return real sound, mono at a rate, repeated to a length."""
    samples, from_rate = decode(HEARD[name], n / rate + 1)  # more than the resampler looks ahead
    mono = np.ascontiguousarray(samples.mean(axis=1, dtype=np.float32))
    if from_rate != rate:
        mono = by_name(fa.Resample(input_rate=from_rate, output_rate=rate)(mono))[""]
    return np.resize(mono, n)


def run(node: fa.Node, x: NDArray[np.float32]) -> NDArray[np.float32]:
    return by_name(node(x))[""]
