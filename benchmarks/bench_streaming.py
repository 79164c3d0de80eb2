"""Measures log-mel of a stream in chunks of 10 ms, from Python, on one thread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import fastaudio as fa
from bench_log_mel import CONFIGS, kaldi_options, with_fastaudio
from harness import Case, Context, Group, Target, Timed, optional
from sources import read_mono

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    Samples = NDArray[np.float32]

CONFIG = CONFIGS[1]  # one hop per chunk
_EXCERPT_S = 20
_CHUNK_S = 0.01
_CARD_RATE = 48_000


def in_chunks(samples: Samples, rate: int) -> list[Samples]:
    """Return samples cut into chunks of 10 ms."""
    size = round(_CHUNK_S * rate)
    return [samples[start : start + size] for start in range(0, len(samples), size)]


def push_all(open_stream: Callable[[], Any], chunks: list[Samples]) -> Callable[[], None]:
    """Return a call that opens a stream and pushes the chunks one by one."""

    def call() -> None:
        stream = open_stream()
        for chunk in chunks:
            stream.push(chunk)
        stream.flush()

    return call


def kaldi_stream(chunks: list[Samples]) -> Callable[[], None] | None:
    """Return a call that does the same with kaldi-native-fbank, or None without it."""
    knf = optional("kaldi_native_fbank")
    if knf is None:
        return None
    options = kaldi_options(knf, CONFIG)

    def call() -> None:
        fbank = knf.OnlineFbank(options)
        taken = 0
        for chunk in chunks:
            fbank.accept_waveform(CONFIG.sample_rate, chunk)
            while taken < fbank.num_frames_ready:
                fbank.get_frame(taken)
                taken += 1

    return call


def groups(context: Context) -> list[Group]:
    """Compare microseconds per chunk; opening and flushing the stream are included."""
    whole, rate = read_mono(context.audio)
    mono = whole[: _EXCERPT_S * rate]
    sound = {
        target: fa.Resample(input_rate=rate, output_rate=target)(mono) if rate != target else mono
        for target in (CONFIG.sample_rate, _CARD_RATE)
    }
    samples = sound[CONFIG.sample_rate]
    chunks = in_chunks(samples, CONFIG.sample_rate)
    from_card = in_chunks(sound[_CARD_RATE], _CARD_RATE)
    node = with_fastaudio(CONFIG)
    pipe = fa.Pipeline(node)

    def timed(call: Callable[[], Any] | None) -> Timed | None:
        return Timed(call, scale=1e6 / len(chunks)) if call else None

    kaldi = "kaldi-native-fbank"
    ours = push_all(node.open, chunks)
    through_pipeline = push_all(lambda: pipe.open(sample_rate=CONFIG.sample_rate), chunks)
    resampled = push_all(lambda: pipe.open(sample_rate=_CARD_RATE), from_card)
    cases = [
        Case(kaldi, timed(kaldi_stream(chunks))),
        Case("fastaudio, node", timed(ours), kaldi, Target(1.2, of="value")),
        Case("fastaudio, node, all at once", timed(lambda: node(samples)), "fastaudio, node"),
        Case("fastaudio, Pipeline", timed(through_pipeline), "fastaudio, node", Target(1.2)),
        Case("fastaudio, Pipeline from 48 kHz", timed(resampled), "fastaudio, node"),
    ]
    return [Group("log-mel B in chunks of 10 ms", "us/chunk", cases, rounds=31)]
