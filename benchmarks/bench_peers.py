"""Measures what others do as well, each in its own way, on one thread: log-mel, tags, speech, a wake word.

All times are the processor time of all threads, so that a peer that starts some is charged for them. The
table's head has the versions; a peer that isn't there has a line that says so. Not compared: mel_spec, whose
Rust is in none of PyPI's packages.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import fastaudio as fa
import numpy as np
from bench_end_to_end import BareRuntime, with_librosa
from bench_log_mel import CONFIGS, agree, with_audioflux, with_fastaudio, with_kaldi
from bench_log_mel import with_librosa as librosa_mel
from harness import Case, Context, Group, Timed
from peers_apart import LibrosaElsewhere
from peers_log_mel import (
    audioflux_name,
    with_essentia,
    with_opensmile,
    with_scipy,
    with_torch,
    with_torchaudio,
)
from peers_nets import (
    RATE,
    blocks_of,
    tags_with_essentia,
    wake_word_folder,
    wake_word_networks,
    wake_word_with_fastaudio,
    with_openvino,
    with_openwakeword,
    with_silero,
)
from sources import musicnn_patches, read_mono, repeat_to

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bench_log_mel import Compute, Config, Samples

_FLOOR = 1e-10
_EXCERPT_S = 30
_AT_LEAST_S = 0.02
_CLOSE = 1e-4


def _cases(
    calls: dict[str, Callable[[], object] | None], scale: float, absent: str = "not installed"
) -> list[Case]:
    """Return a case for each, compared with the first."""
    ours = next(iter(calls))
    return [
        Case(
            name,
            None if call is None else Timed(call, scale=scale, at_least_s=_AT_LEAST_S, clock="cpu"),
            None if name == ours else ours,
            absent=absent,
        )
        for name, call in calls.items()
    ]


def _check(peers: dict[str, Compute | None], samples: Samples) -> None:
    """See that those with the same frames and bands have the same numbers.

    Raises:
        RuntimeError: one has others.
    """
    ours: Samples | None = None
    for name in ("fastaudio", "librosa", "torchaudio", "torch, composed", "SciPy"):
        if (compute := peers[name]) is None:
            continue
        theirs = np.asarray(compute(samples))
        ours = theirs if ours is None else ours
        if not agree(ours, theirs if theirs.shape == ours.shape else theirs.T):
            raise RuntimeError(f"fastaudio and {name} disagree")


def _librosa_elsewhere(config: Config, samples: Samples, context: Context) -> Case:
    """Return a case for the librosa of another Python, or for why it can't be measured."""
    if context.librosa is None:
        return Case("librosa 1.0", None, absent="not measured: --librosa names a Python 3.12 that has it")
    try:
        elsewhere = LibrosaElsewhere(context.librosa, config, samples, context.temp, _FLOOR)
    except (OSError, RuntimeError) as error:
        return Case("librosa elsewhere", None, absent=f"failed: {error}")
    return Case(elsewhere.name, elsewhere, "fastaudio")


def _log_mel(config: Config, samples: Samples, context: Context) -> Group:
    peers: dict[str, Compute | None] = {
        "fastaudio": with_fastaudio(config),
        "librosa": librosa_mel(config),
        audioflux_name(): with_audioflux(config),
        "kaldi-native-fbank (Python)": with_kaldi(config),
        "torchaudio": with_torchaudio(config, _FLOOR),
        "torch, composed": with_torch(config, _FLOOR),
        "SciPy": with_scipy(config, _FLOOR),
        "Essentia (Python)": with_essentia(config, _FLOOR),
        "openSMILE": with_opensmile(config, _FLOOR, context.temp),
    }
    _check(peers, samples)
    scale = 1e6 / (1 + len(samples) // config.hop_length)
    cases = _cases(
        {name: None if compute is None else partial(compute, samples) for name, compute in peers.items()},
        scale,
    )
    cases.insert(2, _librosa_elsewhere(config, samples, context))
    return Group(f"log-mel {config.title}", "us/frame", cases, rounds=15)


def _tags(path: Path) -> Group:
    patches, bare = musicnn_patches(path), BareRuntime(1)
    tagger, openvino = fa.Pipeline.load("musicnn-mtt", threads=1), with_openvino(patches)
    scores = bare(patches)
    tagged = tagger(path)
    if not isinstance(tagged, fa.tags.Tags) or not np.allclose(tagged.scores, scores, atol=_CLOSE):
        raise RuntimeError("tags: fastaudio and ONNX Runtime disagree")
    if openvino is not None and not np.allclose(openvino(), scores, atol=_CLOSE):
        raise RuntimeError("tags: OpenVINO and ONNX Runtime disagree")
    calls: dict[str, Callable[[], object] | None] = {
        "fastaudio, the file": lambda: tagger(path),
        "librosa, then ONNX Runtime, the file": with_librosa(path, bare),
        "Essentia, then ONNX Runtime, the file": tags_with_essentia(path, bare),
        "ONNX Runtime, the network alone": lambda: bare(patches),
        "OpenVINO, the network alone": openvino,
    }
    return Group("tags of half a minute, musicnn-mtt", "ms", _cases(calls, 1e3), rounds=7)


def _speech(samples: Samples) -> Group:
    speech = fa.Pipeline.load("silero-vad", threads=1)
    calls: dict[str, Callable[[], object] | None] = {
        "fastaudio, silero-vad": lambda: speech(samples, sample_rate=RATE),
        "silero-vad's own Python, its ONNX": with_silero(samples, onnx=True),
        "silero-vad's own Python, its TorchScript": with_silero(samples, onnx=False),
    }
    return Group("speech in half a minute", "ms", _cases(calls, 1e3), rounds=7)


def _wake_word(samples: Samples, context: Context) -> Group:
    blocks, folder = blocks_of(samples), wake_word_folder(context.wake_word)
    calls: dict[str, Callable[[], object] | None] = {"fastaudio, the same networks": None}
    absent = "not measured: --wake-word names the folder of openWakeWord's networks"
    if folder is not None:
        calls = {"fastaudio, the same networks": wake_word_with_fastaudio(folder, blocks)}
    theirs = None if folder is None else with_openwakeword(folder, blocks)
    calls["openWakeWord's loop"] = theirs
    calls["ONNX Runtime, the networks alone"] = (
        None if folder is None else wake_word_networks(folder, len(blocks))
    )
    seconds = sum(map(len, blocks)) / RATE
    why = absent if folder is None else "not installed"
    cases = _cases(calls, 1e3 / seconds, why)
    return Group("a wake word live, in blocks of 80 ms", "ms/s", cases, rounds=7)


def groups(context: Context) -> list[Group]:
    """Compare each with fastaudio, on half a minute of the file."""
    path = context.temp / "excerpt.wav"
    repeat_to(context.audio, path, _EXCERPT_S)
    whole, rate = read_mono(path)

    def at(target: int) -> Samples:
        return (
            np.asarray(fa.Resample(input_rate=rate, output_rate=target)(whole)) if rate != target else whole
        )

    found = [_log_mel(config, at(config.sample_rate), context) for config in (CONFIGS[0], CONFIGS[2])]
    samples = at(RATE)
    return [*found, _tags(path), _speech(samples), _wake_word(samples, context)]
