"""Measures a file to MusiCNN's log-mel, against decoding alone and against librosa."""

from __future__ import annotations

import fastaudio as fa
import numpy as np
from harness import Case, Context, Group, Target, Timed, optional
from sources import decode, musicnn_front


def groups(context: Context) -> list[Group]:
    """Compare milliseconds for the whole file; fastaudio decodes in a second thread."""
    path = context.audio
    front = fa.Pipeline(musicnn_front())
    librosa = optional("librosa")

    def with_librosa() -> np.ndarray:
        samples, _ = librosa.load(path, sr=16_000, mono=True)
        mel = librosa.feature.melspectrogram(y=samples, sr=16_000, n_fft=512, hop_length=256, n_mels=96)
        return np.log10(1 + 10_000 * mel.T)

    decoding = Timed(lambda: decode(path), scale=1e3)
    ours = Timed(lambda: front(path), scale=1e3)
    by_hand = Timed(with_librosa, scale=1e3) if librosa else None
    cases = [
        Case("decoding by soundfile", decoding),
        Case("fastaudio", ours, "decoding by soundfile", Target(1.08)),
        Case("librosa", by_hand, "decoding by soundfile"),
        Case("decoding, CPU time", lambda _: decoding.cpu_s * 1e3),
        Case(
            "fastaudio, CPU time",
            lambda _: ours.cpu_s * 1e3,
            "decoding, CPU time",
        ),
    ]
    return [Group("file to MusiCNN's log-mel", "ms", cases, rounds=21)]
