"""Presets against the originals' formulas in float64, and against the originals where they are installed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import preset_references as ref
import pytest
from fastaudio import presets, registry
from helpers import MODEL_NAMES, assert_same_bits, decode, rotated
from preset_cases import CASES, HARDEST, HEARD, LN10, run, sound

if TYPE_CHECKING:
    from pathlib import Path


IN_DB = {"ced", "clap", "openl3", "panns", "resnet_contrastive", "harmonic_cnn", "mfcc_statistics"}
PRESENT = [name for name, path in HEARD.items() if path.is_file()]
# Each of the hardest sounds, and two of the others in turn.
PAIRS = [
    *rotated(CASES, [name for name in PRESENT if name not in HARDEST], 2),
    *((case, name) for case in CASES for name in PRESENT if name in HARDEST),
]
FRONT_ENDS = [name for name in presets.__all__ if name != "vggish_postprocess"]  # this one follows a network
every_preset = pytest.mark.parametrize("preset", FRONT_ENDS)


def stated(preset: str) -> tuple[float, float, float]:
    """Return the error above a depth, the depth in dB, and the error anywhere, as the docstring says."""
    found = re.search(r"^    Error: (\S+?)(?: to -(\d+) dB, ([\d.e-]+))?(?:,|$)", doc(preset), re.MULTILINE)
    assert found, "the docstring says how far it is from the original"
    return float(found[1]), float(found[2] or np.inf), float(found[3] or found[1])


def doc(preset: str) -> str:
    return getattr(presets, preset).__doc__ or ""


def test_every_preset_has_a_case_and_none_is_forgotten() -> None:
    assert {case.preset for case in CASES.values()} == set(FRONT_ENDS)


@pytest.mark.parametrize(("name", "name_of_sound"), PAIRS)
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
    # A dog's rumble lies below YAMNet's bands, and its offset is so small that faint values count.
    assert heard_error <= (1e-3 if preset in IN_DB else 5e-4 if preset == "yamnet" else 1e-4)
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


@pytest.mark.parametrize("name", ["whisper", "harmonic_cnn", "openl3", "resnet_contrastive", "clap"])
def test_windows_cut_first_are_the_same_bits_alone(name: str) -> None:
    case = CASES[name]
    assert case.window is not None
    length, step = case.window
    x = sound("guitar", case.rate, 2 * step + length)
    assert_same_bits({"": run(case.node(), x[2 * step :])}, {"": run(case.node(), x)[2:]})


@pytest.mark.parametrize("n_samples", [480_000 - 1, 144_000, 100_001, 1])
def test_clap_fills_a_short_clip_up_with_itself(n_samples: int) -> None:
    x = sound("guitar", 48_000, n_samples)
    got = run(presets.clap(), x)
    want = ref.clap(np.resize(x, 480_000))[None]
    assert got.shape == want.shape == (1, 1001, 64)
    assert np.abs(got - want).max() <= stated("clap")[2]
    card = registry.entries()["clap-audio"].card
    assert card["pipeline"][0] == presets.clap().to_dict()


@pytest.mark.parametrize("how", [{"min": -10, "max": 3}, {"min": np.float32(-10), "max": np.full(96, 3)}])
def test_a_range_may_be_one_number(how: dict[str, Any]) -> None:
    x = sound("guitar", 22_000, 66_000)
    want = run(presets.ae_w2v(min=[-10] * 96, max=[3] * 96), x)
    assert_same_bits({"": run(presets.ae_w2v(**how), x)}, {"": want})


def test_panns_refuses_other_rates() -> None:
    with pytest.raises(ValueError, match=r"panns: expected sample_rate 32000 or 16000, got 44100"):
        presets.panns(sample_rate=44_100)


def test_silence_is_each_models_own() -> None:
    x = np.zeros(32_000, dtype=np.float32)
    np.testing.assert_allclose(run(presets.vggish(), x), np.log(0.01), rtol=1e-6)
    np.testing.assert_allclose(run(presets.yamnet(), x), np.log(0.001), rtol=1e-6)
    np.testing.assert_allclose(run(presets.whisper(), x), -1.5, rtol=1e-6)
    assert not run(presets.musicnn(), x).any()
    assert not run(presets.openl3(), np.zeros(96_000, dtype=np.float32)).any()
