"""Measures what others do as well, each in its own way, on one thread: log-mel, tags, speech.

The table's head has the versions. Not compared: opensmile, whose feature sets have no log-mel of these
settings, and openWakeWord, whose networks aren't in its package.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
from bench_end_to_end import BareRuntime, with_librosa
from bench_log_mel import CONFIGS, with_audioflux, with_fastaudio, with_kaldi
from bench_log_mel import with_librosa as librosa_mel
from fastaudio.cards import MODELS
from fastaudio.librosa import filters
from harness import Case, Context, Group, Timed, optional
from peers_log_mel import with_essentia, with_torch
from sources import musicnn_patches, read_mono, repeat_to

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench_log_mel import Compute, Config, Samples

_FLOOR = 1e-10
_EXCERPT_S = 30
_RATE = 16_000
_AT_LEAST_S = 0.02


def with_torchaudio(config: Config) -> Compute | None:
    """Return torchaudio's transforms."""
    torch, torchaudio = optional("torch"), optional("torchaudio")
    if torch is None or torchaudio is None:
        return None
    torch.set_num_threads(1)
    mel = torchaudio.transforms.MelSpectrogram(
        config.sample_rate, config.n_fft, hop_length=config.hop_length, n_mels=config.n_mels,
        norm="slaney", mel_scale="slaney", pad_mode="constant",
    )  # fmt: skip
    decibels = torchaudio.transforms.AmplitudeToDB()
    return lambda samples: decibels(mel(torch.from_numpy(samples)))


def with_scipy(config: Config) -> Compute | None:
    """Return SciPy's ShortTimeFFT and a product with the filters."""
    signal = optional("scipy.signal")
    if signal is None:
        return None
    window = signal.get_window("hann", config.n_fft).astype(np.float32)
    transform = signal.ShortTimeFFT(window, config.hop_length, config.sample_rate)
    weights = filters.mel(sr=config.sample_rate, n_fft=config.n_fft, n_mels=config.n_mels)

    def compute(samples: Samples) -> Any:
        spectrum = transform.stft(samples)
        power = spectrum.real**2 + spectrum.imag**2
        return 10 * np.log10(np.maximum(weights @ power, _FLOOR))

    return compute


def audioflux_name() -> str:
    """Return audioFlux's name, with what its transform is made for if this processor is another."""
    found = optional("audioflux")
    made_of_mkl = found is not None and any(Path(str(found.__file__)).parent.rglob("libmkl_*"))
    cpu = Path("/proc/cpuinfo")
    other = cpu.exists() and "GenuineIntel" not in cpu.read_text()
    return "audioFlux (Intel's MKL, slow on this processor)" if made_of_mkl and other else "audioFlux"


def with_openvino(patches: Samples) -> Callable[[], object] | None:
    """Return a run of OpenVINO over patches, one at a time, as bare ONNX Runtime does it."""
    openvino = optional("openvino")
    if openvino is None:
        return None
    core = openvino.Core()
    how = {"INFERENCE_NUM_THREADS": 1, "INFERENCE_PRECISION_HINT": "f32"}
    request = core.compile_model(MODELS / "musicnn-mtt" / "model.onnx", "CPU", how).create_infer_request()
    return lambda: [request.infer([patch[None]])["taggram"] for patch in patches]


def with_silero(samples: Samples) -> Callable[[], object] | None:
    """Return silero-vad's own function over a clip, with its ONNX network."""
    silero, torch = optional("silero_vad"), optional("torch")
    if silero is None or torch is None:
        return None
    model = silero.load_silero_vad(onnx=True)
    tensor = torch.from_numpy(samples)
    return lambda: silero.get_speech_timestamps(tensor, model, sampling_rate=_RATE)


def _timed(call: Callable[[], object] | None, scale: float) -> Timed | None:
    return None if call is None else Timed(call, scale=scale, at_least_s=_AT_LEAST_S)


def _log_mel(config: Config, samples: Samples) -> Group:
    peers: dict[str, Compute | None] = {
        "fastaudio": with_fastaudio(config),
        "librosa": librosa_mel(config),
        audioflux_name(): with_audioflux(config),
        "kaldi-native-fbank (Python)": with_kaldi(config),
        "torchaudio": with_torchaudio(config),
        "torch, composed": with_torch(config, _FLOOR),
        "SciPy": with_scipy(config),
        "Essentia (Python)": with_essentia(config, _FLOOR),
    }
    scale = 1e6 / (1 + len(samples) // config.hop_length)

    def call_of(compute: Compute | None) -> Callable[[], object] | None:
        return None if compute is None else lambda: compute(samples)

    cases = [
        Case(name, _timed(call_of(compute), scale), "fastaudio" if name != "fastaudio" else None)
        for name, compute in peers.items()
    ]
    return Group(f"log-mel {config.title}", "us/frame", cases, rounds=15)


def groups(context: Context) -> list[Group]:
    """Compare each with fastaudio, on half a minute of the file."""
    path = context.temp / "excerpt.wav"
    repeat_to(context.audio, path, _EXCERPT_S)
    whole, rate = read_mono(path)
    found = []
    for config in (CONFIGS[0], CONFIGS[2]):
        resample = fa.Resample(input_rate=rate, output_rate=config.sample_rate)
        found.append(_log_mel(config, resample(whole) if rate != config.sample_rate else whole))
    samples = fa.Resample(input_rate=rate, output_rate=_RATE)(whole) if rate != _RATE else whole
    patches, bare = musicnn_patches(path), BareRuntime(1)
    tagger, speech = (fa.Pipeline.load(name, threads=1) for name in ("musicnn-mtt", "silero-vad"))
    openvino = with_openvino(patches)
    tags = {
        "fastaudio, the file": lambda: tagger(path),
        "librosa, then ONNX Runtime, the file": with_librosa(path, bare),
        "ONNX Runtime, the network alone": lambda: bare(patches),
        "OpenVINO, the network alone": openvino,
    }
    vad = {
        "fastaudio, silero-vad": lambda: speech(samples, sample_rate=_RATE),
        "silero-vad's own Python": with_silero(samples),
    }
    for title, calls in (("tags of half a minute, musicnn-mtt", tags), ("speech in half a minute", vad)):
        ours = next(iter(calls))
        cases = [
            Case(name, _timed(call, 1e3), None if name == ours else ours) for name, call in calls.items()
        ]
        found.append(Group(title, "ms", cases, rounds=7))
    return found
