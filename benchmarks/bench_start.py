"""Measures the first tags of a 10 s file by the command line, from the start of the process to its end."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import TYPE_CHECKING

import soundfile
from fastaudio.cards import MODELS
from harness import Case, Context, Group, Target

if TYPE_CHECKING:
    from harness import Measure

_SECONDS = 10
# The least that tagging it could be: a decoder, ONNX Runtime's own package, the network's windows of 3 s.
_BARE = """
import sys, numpy, onnxruntime, soundfile
soundfile.read(sys.argv[1], dtype='float32')
session = onnxruntime.InferenceSession(sys.argv[2], providers=['CPUExecutionProvider'])
for _ in range(3):
    session.run(['taggram'], {session.get_inputs()[0].name: numpy.zeros((1, 187, 96), numpy.float32)})
"""


def process_s(*words: str) -> Measure:
    """Return a measurement: seconds from the start of a Python process with these arguments to its end."""

    def measure(_: object) -> float:
        start = time.perf_counter()
        subprocess.run([sys.executable, *words], check=True, stdout=subprocess.DEVNULL)
        return time.perf_counter() - start

    return measure


def groups(context: Context) -> list[Group]:
    """Compare seconds; what tells music from speech is a second network, which --no-kind leaves out."""
    path = context.temp / "ten_s.wav"
    rate = soundfile.info(context.audio).samplerate
    sound, _ = soundfile.read(context.audio, frames=_SECONDS * rate)
    soundfile.write(path, sound, rate)
    tag = ("-m", "fastaudio", "tag", str(path))
    network = str(MODELS / "musicnn-mtt" / "model.onnx")
    cases = [
        Case("python -c pass", process_s("-c", "pass")),
        Case("python -c 'import numpy'", process_s("-c", "import numpy")),
        Case("soundfile, then bare ONNX Runtime", process_s("-c", _BARE, str(path), network)),
        Case("fastaudio --version", process_s("-m", "fastaudio", "--version")),
        Case("fastaudio tag --no-kind", process_s(*tag, "--no-kind"), "soundfile, then bare ONNX Runtime"),
        Case(
            "fastaudio tag",
            process_s(*tag),
            "soundfile, then bare ONNX Runtime",
            Target(0.35, of="value"),
        ),
    ]
    return [Group("process start to exit, a 10 s file", "s", cases, rounds=11)]
