"""Measures how far an exported model is from its original graph, and how long a patch takes."""

import os
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tf_checkpoint import OriginalGraph

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

import onnxruntime  # type: ignore[import-not-found,import-untyped,unused-ignore]

Rows = NDArray[np.float32]

INPUT = "melspectrogram"
FRAMES, BANDS = 187, 96
TAGGRAM_TOLERANCE = 1e-5
LAYER_TOLERANCE = 1e-4  # as a share of the layer's largest magnitude


def open_session(model: Path) -> onnxruntime.InferenceSession:
    """Open a single-threaded session."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])


def example_patches(recordings: Iterable[Path], frames: int = FRAMES) -> Rows:
    """Return patches [n, frames, 96]: noise, silence, notes, and those of the recordings."""
    rng = np.random.default_rng(0)
    noise = rng.uniform(0, 4, (2, frames, BANDS)).astype(np.float32)
    silence = np.zeros((1, frames, BANDS), np.float32)
    patches = [noise, silence, _notes(rng, 3, frames)]
    patches += [_recorded(path, frames) for path in recordings]
    return np.concatenate(patches)


def differences(
    model: Path, original: OriginalGraph, outputs: Sequence[str], patches: Rows
) -> dict[str, tuple[float, float]]:
    """Return the largest absolute difference and the largest magnitude of each output."""
    found = dict(zip(outputs, open_session(model).run(list(outputs), {INPUT: patches}), strict=True))
    wanted = original(patches)
    result = {}
    for name in outputs:
        # The original keeps axes of length one that the export drops.
        want = wanted[name].reshape(found[name].shape)
        result[name] = (float(np.abs(found[name] - want).max()), float(np.abs(want).max()))
    return result


def require_close(name: str, worst: dict[str, tuple[float, float]]) -> None:
    """Raise ValueError if an output is further from the original than rounding explains."""
    for output, (difference, magnitude) in worst.items():
        tagged = output == "taggram"
        limit = TAGGRAM_TOLERANCE if tagged else LAYER_TOLERANCE * max(1.0, magnitude)
        if not difference <= limit:
            raise ValueError(
                f"{name}: expected {output} within {limit:.1e} of the original graph, "
                f"got {difference:.1e}; nothing was written for it."
            )


def milliseconds_per_patch(model: Path, outputs: Sequence[str], repeats: int = 40) -> float:
    """Return the median time of one patch on one thread."""
    session = open_session(model)
    patch = _notes(np.random.default_rng(1), 1, FRAMES)
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        session.run(list(outputs), {INPUT: patch})
        times.append(time.perf_counter() - start)
    return 1e3 * float(np.median(times))


def _notes(rng: np.random.Generator, count: int, frames: int) -> Rows:
    """Return log-mel [count, frames, 96] of decaying notes with overtones over a faint floor."""
    t, band = np.arange(frames)[:, None], np.arange(BANDS)[None, :]
    patches = rng.uniform(1e-6, 1e-5, (count, frames, BANDS))
    for index in range(count):
        for onset in range(0, frames, int(rng.integers(12, 40))):
            envelope = np.where(t >= onset, np.exp((onset - t) / 25.0), 0.0)
            first = rng.uniform(4, 40)
            for overtone in range(1, 6):
                shape = np.exp(-(((band - first * overtone**0.6) / 1.5) ** 2))
                patches[index] += rng.uniform(0.5, 20.0) / overtone**2 * envelope * shape
    return np.log10(1 + 1e4 * patches).astype(np.float32)


def _recorded(path: Path, frames: int) -> Rows:
    """Return at most eight log-mel patches [n, frames, 96], by the package's own recipe."""
    import librosa

    samples, _ = librosa.load(path, sr=16_000)
    mel = librosa.feature.melspectrogram(
        y=samples, sr=16_000, n_fft=512, hop_length=256, n_mels=BANDS, pad_mode="reflect"
    )
    rows = np.log10(1 + 1e4 * mel.T).astype(np.float32)
    count = min(len(rows) // frames, 8)
    patches: Rows = rows[: count * frames].reshape(count, frames, BANDS)
    return patches
