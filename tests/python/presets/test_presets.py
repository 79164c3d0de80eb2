"""Presets against the originals' formulas in float64, and against the originals where they are installed."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import preset_references as reference
import pytest
from fastaudio import presets
from helpers import GUITAR, MODEL_NAMES, SHARED, SOUNDS, assert_same_bits, by_name, decode

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

LN10 = float(np.log(10))
CLIPS = SHARED / "audio" / "clips"
# The last three lie outside the repository and are heard where they are present.
HEARD = {
    "guitar": GUITAR,
    "drums": SOUNDS / "drums_44k_mono.flac",
    "choir": SOUNDS / "choir_44k_stereo.flac",
    "sauna": SOUNDS / "sauna_44k_mono.ogg",
    "birds": SOUNDS / "birds_96k_mono.flac",
    "speech": CLIPS / "speech_en_female_16k_mono.flac",
    "rock": CLIPS / "music_rock_44k_stereo.ogg",
    "rain": CLIPS / "rain_44k_stereo.ogg",
}


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
    "vggish_essentia": Case("vggish_essentia", 16_000, 10, ref.vggish_essentia, (96, 96), decade=LN10 / 2),
    "efficientat": Case("efficientat", 32_000, 20, ref.preemphasised, (1000, 1000), decade=LN10 / 5),
    "passt": Case("passt", 32_000, 20, ref.preemphasised, (998, 1000), decade=LN10 / 5),
    "ced": Case("ced", 16_000, 21, ref.ced, (1012, 1012), finish=ref.limited, decade=10),
    "ast": Case("ast", 16_000, 20.5, ref.ast, (1024, 1024), decade=LN10 / 2 / 4.5689974),
    "beats": Case("beats", 16_000, 10, ref.beats, decade=LN10 / 2 / 6.55582),
    "clap": Case("clap", 48_000, 20.1, ref.clap, (1001, 1000), decade=10),
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
IN_DB = {"ced", "clap", "openl3", "panns", "resnet_contrastive", "harmonic_cnn", "mfcc_statistics"}
every_case = pytest.mark.parametrize("name", CASES)
FRONT_ENDS = [name for name in presets.__all__ if name != "vggish_postprocess"]  # this one follows a network
every_preset = pytest.mark.parametrize("preset", FRONT_ENDS)


@cache
def sound(name: str, rate: int, n: int) -> NDArray[np.float32]:
    """Return real sound, mono at a rate, repeated to a length."""
    samples, from_rate = decode(HEARD[name])
    mono = np.ascontiguousarray(samples.mean(axis=1, dtype=np.float32))
    if from_rate != rate:
        mono = by_name(fa.Resample(input_rate=from_rate, output_rate=rate)(mono))[""]
    return np.resize(mono, n)


def stated(preset: str) -> tuple[float, float, float]:
    """Return the error above a depth, the depth in dB, and the error anywhere, as the docstring says."""
    found = re.search(r"^    Error: (\S+?)(?: to -(\d+) dB, ([\d.e-]+))?(?:,|$)", doc(preset), re.MULTILINE)
    assert found, "the docstring says how far it is from the original"
    return float(found[1]), float(found[2] or np.inf), float(found[3] or found[1])


def doc(preset: str) -> str:
    return getattr(presets, preset).__doc__ or ""


def run(node: fa.Node, x: NDArray[np.float32]) -> NDArray[np.float32]:
    return by_name(node(x))[""]


def test_every_preset_has_a_case_and_none_is_forgotten() -> None:
    assert {case.preset for case in CASES.values()} == set(FRONT_ENDS)


@every_case
@pytest.mark.parametrize("name_of_sound", [name for name, path in HEARD.items() if path.is_file()])
def test_the_error_is_at_most_what_the_docstring_says(name: str, name_of_sound: str) -> None:
    case = CASES[name]
    x = sound(name_of_sound, case.rate, round(case.seconds * case.rate))
    got, want = run(case.node(), x), case.want(x)
    assert got.shape == want.shape
    assert len(got) > 0
    heard_error, depth_db, error = stated(case.preset)
    frame = tuple(range(2 if case.cut or case.window else 1, want.ndim))
    heard = want > want.max(axis=frame, keepdims=True) - depth_db / 10 * case.decade
    assert heard.mean() > 0.3
    difference = np.abs(got - want)
    assert difference[heard].max() <= heard_error
    assert difference.max() <= error


@every_preset
def test_stated_errors_are_small_where_float32_can_tell(preset: str) -> None:
    heard_error, depth_db, _ = stated(preset)
    assert heard_error <= (1e-3 if preset in IN_DB else 1e-4)
    assert depth_db >= 40


@every_preset
def test_a_docstring_names_shape_rate_and_source(preset: str) -> None:
    first, text = doc(preset).partition("\n")[0], doc(preset)
    assert re.search(r"\[n, ", first)
    assert "Hz" in text
    assert "    Source: " in text


@pytest.mark.parametrize("name", MODEL_NAMES)
def test_the_shipped_models_take_the_musicnn_preset(name: str) -> None:
    node = fa.Pipeline.load(name).node
    assert isinstance(node, fa.Sequential)
    assert fa.Sequential([node[i] for i in range(3)]) == presets.musicnn()


def test_musicnn_is_the_original_recipes_log_mel(shared: Path) -> None:
    with np.load(shared / "reference" / "musicnn.npz") as file:
        want = file["logmel|clips/speech_en_female_16k_mono.flac"]
    got = run(presets.musicnn(), decode(HEARD["speech"])[0][:, 0].copy())
    n = len(want) // 187
    assert n > 0
    assert np.abs(got[:n].reshape(-1, 96) - want[: n * 187]).max() < 1e-4


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("musicnn", {"n_fft": 512, "hop_length": 256, "n_mels": 96, "pad_mode": "reflect"}),
        ("whisper", {"n_fft": 400, "hop_length": 160, "n_mels": 80, "pad_mode": "reflect"}),
        ("whisper-128", {"n_fft": 400, "hop_length": 160, "n_mels": 128, "pad_mode": "reflect"}),
        ("openl3", {"n_fft": 2048, "hop_length": 242, "n_mels": 256, "power": 1}),
        (
            "fsd_sinet",
            {
                "n_fft": 2048,
                "win_length": 660,
                "hop_length": 220,
                "window": "hamming",
                "n_mels": 96,
                "fmin": 50,
                "fmax": 10_500,
                "norm": None,
            },
        ),
        (
            "ae_w2v",
            {"n_fft": 1024, "hop_length": 512, "n_mels": 96, "power": 1, "pad_mode": "reflect"},
        ),
        (
            "resnet_contrastive",
            {"n_fft": 1024, "hop_length": 230, "n_mels": 128, "fmin": 50, "fmax": 10_000},
        ),
        (
            "panns",
            {
                "n_fft": 1024,
                "hop_length": 320,
                "n_mels": 64,
                "fmin": 50,
                "fmax": 14_000,
                "pad_mode": "reflect",
            },
        ),
        (
            "panns-16k",
            {"n_fft": 512, "hop_length": 160, "n_mels": 64, "fmin": 50, "fmax": 8000, "pad_mode": "reflect"},
        ),
    ],
)
def test_bands_are_librosas(name: str, options: dict[str, Any]) -> None:
    librosa = pytest.importorskip("librosa")
    case = CASES[name]
    x = sound("guitar", case.rate, 2 * case.rate)
    first = case.node()[0]
    front = first.inner if isinstance(first, fa.Each) else first
    mel = front[0] if isinstance(front, fa.Sequential) else front
    got = run(mel, x)
    want = librosa.feature.melspectrogram(y=x.astype(np.float64), sr=case.rate, **options).T
    assert got.shape == want.shape
    assert (np.abs(got - want) / want.max(axis=1, keepdims=True)).max() < 1e-5


def test_mfcc_statistics_are_those_of_librosas_functions() -> None:
    librosa = pytest.importorskip("librosa")
    x = sound("guitar", 22_000, 66_000)
    mfcc = librosa.feature.mfcc(y=x.astype(np.float64), sr=22_000)
    slopes = [librosa.feature.delta(mfcc, width=5, order=order, mode="nearest") for order in (1, 2)]
    rows = np.concatenate([mfcc, *slopes])
    want = np.stack([rows.mean(axis=1), rows.std(axis=1)])
    got = run(presets.mfcc_statistics(), x)
    assert got.shape == (1, 2, 60)
    assert np.abs(got[0] - want).max() < 2e-4


@pytest.mark.parametrize("snip_edges", [True, False])
def test_kaldi_fbank_is_kaldi_native_fbanks(snip_edges: bool) -> None:
    knf = pytest.importorskip("kaldi_native_fbank")
    x = sound("guitar", 16_000, 48_000)
    options = knf.FbankOptions()
    options.frame_opts.dither = 0
    options.frame_opts.snip_edges = snip_edges
    options.mel_opts.num_bins = 80
    fbank = knf.OnlineFbank(options)
    fbank.accept_waveform(16_000, (x * 32_768).tolist())
    fbank.input_finished()
    want = np.stack([fbank.get_frame(i) for i in range(fbank.num_frames_ready)])
    got = run(presets.kaldi_fbank(snip_edges=snip_edges), x)
    assert got.shape == want.shape
    heard = want > want.max(axis=1, keepdims=True) - 4 * LN10
    assert np.abs(got - want)[heard].max() < 2e-4


def test_whisper_fills_a_short_clip_up_with_zeros() -> None:
    x = sound("guitar", 16_000, 80_000)
    got = run(presets.whisper(), x)
    want = ref.whisper_scaled(ref.whisper(np.pad(x, (0, 400_000)))[None])
    assert got.shape == want.shape == (1, 3000, 80)
    assert np.abs(got - want).max() <= stated("whisper")[2]


@pytest.mark.parametrize("name", ["whisper", "harmonic_cnn", "openl3", "resnet_contrastive"])
def test_windows_cut_first_are_the_same_bits_alone(name: str) -> None:
    case = CASES[name]
    assert case.window is not None
    length, step = case.window
    x = sound("guitar", case.rate, 2 * step + length)
    assert_same_bits({"": run(case.node(), x[2 * step :])}, {"": run(case.node(), x)[2:]})


def test_panns_refuses_other_rates() -> None:
    with pytest.raises(ValueError, match=r"panns: expected sample_rate 32000 or 16000, got 44100"):
        presets.panns(sample_rate=44_100)


def essentia_frames(x: NDArray[np.float32], algorithm: str, size: int, hop: int) -> NDArray[np.float32]:
    """Return rows by Essentia's own input algorithms."""
    standard = pytest.importorskip("essentia.standard")
    compute = getattr(standard, algorithm)()
    return np.stack([compute(f) for f in standard.FrameGenerator(x, frameSize=size, hopSize=hop)])


@pytest.mark.parametrize(
    ("name", "algorithm", "size", "hop", "tolerance"),
    [
        ("musicnn_essentia", "TensorflowInputMusiCNN", 512, 256, 2e-3),
        ("tempocnn", "TensorflowInputTempoCNN", 1024, 512, 1e-5),
        ("vggish_essentia", "TensorflowInputVGGish", 400, 160, 1e-3),
        ("fsd_sinet", "TensorflowInputFSDSINet", 660, 220, 2e-3),
    ],
)
def test_frames_are_essentias(name: str, algorithm: str, size: int, hop: int, tolerance: float) -> None:
    case = CASES[name]
    x = sound("guitar", case.rate, 3 * case.rate)
    want = essentia_frames(x, algorithm, size, hop)
    front = case.node()
    patches = next(i for i in range(len(front)) if isinstance(front[i], fa.Patches))
    got = run(fa.Sequential([front[i] for i in range(patches)]), x)
    assert 0 <= len(want) - len(got) <= 1
    difference = np.abs(got - want[: len(got)])
    assert difference.max() < tolerance
    assert np.quantile(difference, 0.99) < 1e-4


def test_silence_is_each_models_own() -> None:
    x = np.zeros(32_000, dtype=np.float32)
    np.testing.assert_allclose(run(presets.vggish(), x), np.log(0.01), rtol=1e-6)
    np.testing.assert_allclose(run(presets.yamnet(), x), np.log(0.001), rtol=1e-6)
    np.testing.assert_allclose(run(presets.whisper(), x), -1.5, rtol=1e-6)
    assert not run(presets.musicnn(), x).any()
    assert not run(presets.openl3(), np.zeros(96_000, dtype=np.float32)).any()
