"""Measures a file to tags, against the least it can cost: decoding plus bare ONNX Runtime.

fastaudio decodes in a second thread, as it always does; CPU time shows the work that this hides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import onnxruntime
from fastaudio.cards import MODELS
from harness import Case, Context, Group, Target, Timed, Values, optional
from sources import decode, musicnn_patches

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from harness import Measure
    from numpy.typing import NDArray

MODEL = "musicnn-mtt"
AT_MOST = Target(1.10)


class BareRuntime:
    """Runs ONNX Runtime's own Python interface with default options, one patch per run."""

    def __init__(self, threads: int) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self._session = onnxruntime.InferenceSession(
            MODELS / MODEL / "model.onnx", options, providers=["CPUExecutionProvider"]
        )
        self._input = self._session.get_inputs()[0].name

    def __call__(self, patches: Iterable[NDArray[np.float32]]) -> NDArray[np.float32]:
        """Return the scores of patches [187, 96]."""
        rows = [self._session.run(["taggram"], {self._input: patch[None]})[0] for patch in patches]
        return np.concatenate(rows)


def with_librosa(path: Path, runtime: BareRuntime) -> Callable[[], Any] | None:
    """Return the pipeline that people write by hand, or None without librosa."""
    librosa = optional("librosa")
    if librosa is None:
        return None

    def tag() -> NDArray[np.float32]:
        samples, _ = librosa.load(path, sr=16_000, mono=True)
        mel = librosa.feature.melspectrogram(y=samples, sr=16_000, n_fft=512, hop_length=256, n_mels=96)
        rows = np.log10(1 + 10_000 * mel.T).astype(np.float32)
        return runtime(rows[: len(rows) // 187 * 187].reshape(-1, 187, 96))

    return tag


def sum_of(*names: str) -> Measure:
    """Return a measurement that adds up what others measured in the same round."""

    def total(values: Values) -> float:
        return sum(values[name] for name in names)

    return total


def groups(context: Context) -> list[Group]:
    """Compare wall time on one thread and on two, and processor time on one."""
    path = context.audio
    patches = musicnn_patches(path)
    bare = {threads: BareRuntime(threads) for threads in (1, 2)}
    ours = {n: fa.Pipeline.load(MODEL, threads=n) for n in (1, 2)}
    peers = {n: with_librosa(path, bare[n]) for n in (1, 2)}
    close = np.allclose(ours[1](path).scores, bare[1](patches), atol=1e-4)
    if not close:
        raise RuntimeError("end_to_end: the pipeline and bare ONNX Runtime disagree")

    decoding = Timed(lambda: decode(path))
    runtime = {n: Timed(lambda n=n: bare[n](patches)) for n in (1, 2)}
    tagging = {n: Timed(lambda n=n: ours[n](path)) for n in (1, 2)}
    by_hand = {n: Timed(call) if (call := peers[n]) else None for n in (1, 2)}
    one = [
        Case("decoding by soundfile", decoding),
        Case("ONNX Runtime", runtime[1]),
        Case("both, one after the other", sum_of("decoding by soundfile", "ONNX Runtime")),
        Case("fastaudio", tagging[1], "both, one after the other", AT_MOST),
        Case("librosa + ONNX Runtime", by_hand[1], "both, one after the other"),
        Case(
            "both, CPU time",
            lambda _: decoding.cpu_s + runtime[1].cpu_s,
        ),
        Case(
            "fastaudio, CPU time",
            lambda _: tagging[1].cpu_s,
            "both, CPU time",
        ),
    ]
    two = [
        Case("ONNX Runtime", runtime[2]),
        Case("fastaudio", tagging[2], "ONNX Runtime", AT_MOST),
        Case("librosa + ONNX Runtime", by_hand[2], "ONNX Runtime"),
    ]
    what = f"{MODEL}, {len(patches)} patches"
    return [
        Group(f"file to tags, {what}, 1 thread", "s", one),
        Group(f"file to tags, {what}, 2 threads", "s", two),
    ]
