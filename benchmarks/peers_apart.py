"""Measures librosa in a Python of its own, as librosa 1.0 wants Python 3.12; as a program, it is that side.

The first line of stdout gives both versions. Each line of stdin is answered with the microseconds of a frame.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from harness import Timed

if TYPE_CHECKING:
    from pathlib import Path

    from bench_log_mel import Config, Samples
    from harness import Values


class LibrosaElsewhere:
    """Librosa's log-mel in another Python, which takes its time itself."""

    def __init__(self, python: Path, config: Config, samples: Samples, folder: Path, floor: float) -> None:
        """Start it.

        Raises:
            RuntimeError: it has no librosa.
        """
        import numpy as np

        path = folder / f"{config.n_fft}-{config.hop_length}.npy"
        np.save(path, samples)
        options = {
            "sr": config.sample_rate, "n_fft": config.n_fft, "win_length": config.win_length,
            "hop_length": config.hop_length, "n_mels": config.n_mels,
        }  # fmt: skip
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        self._python = python
        self._process = subprocess.Popen(
            [python, __file__, path, json.dumps(options), str(floor)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment,
        )  # fmt: skip
        self.name = self._answer()

    def __call__(self, _values: Values) -> float:
        """Return the microseconds of a frame."""
        assert self._process.stdin is not None
        self._process.stdin.write("once\n")
        self._process.stdin.flush()
        return float(self._answer())

    def _answer(self) -> str:
        assert self._process.stdout is not None
        answer = self._process.stdout.readline().strip()
        if not answer:
            raise RuntimeError(f"--librosa: expected a Python with librosa, got {self._python}")
        return answer


def _main(path: str, words: str, floor: str) -> None:
    import librosa
    import numpy as np

    samples, options = np.load(path), json.loads(words)

    def compute() -> Any:
        mel = librosa.feature.melspectrogram(y=samples, **options)
        return librosa.power_to_db(mel, amin=float(floor), top_db=None)

    scale = 1e6 / (1 + len(samples) // options["hop_length"])
    timed = Timed(compute, scale=scale, at_least_s=0.02, clock="cpu")
    print(f"librosa {version('librosa')}, Python {sys.version_info[0]}.{sys.version_info[1]}", flush=True)
    for _ in sys.stdin:
        print(timed({}), flush=True)


if __name__ == "__main__":
    _main(*sys.argv[1:])
