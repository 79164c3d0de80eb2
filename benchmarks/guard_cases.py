"""The quick suite of guard.py; as a program, it runs cases of the fastaudio that it finds, as stdin asks.

The first line of stdout gives the file of that fastaudio, or why there is none. Then each line of stdin names
a case, and a line of stdout gives how many nanoseconds it took, or why it couldn't run. Only names that the
oldest version has are used, so that other versions can be compared.
"""

from __future__ import annotations

import gc
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

RATE = 16_000
ALONE = ("-S",)
"""Words for Python, with which it imports from PYTHONPATH what lies there: an editable install comes by the
`.pth` files of its packages folder, which these leave out, and would win."""
_AT_LEAST_S = 0.03


def _noise(n: int) -> Any:
    import numpy as np

    return np.random.default_rng(1).standard_normal(n).astype(np.float32) / 10


def _mel(rate: int, n_fft: int, hop: int, n_mels: int) -> Any:
    import fastaudio as fa

    return fa.MelSpectrogram(sample_rate=rate, n_fft=n_fft, hop_length=hop, n_mels=n_mels) >> fa.Log(
        kind="dB"
    )


def _process(*words: str) -> Callable[[], object]:
    command = [sys.executable, *ALONE, *words]
    return partial(subprocess.run, command, check=True, stdout=subprocess.DEVNULL)


def _blocks(stream_of: Callable[[], Any]) -> Callable[[], object]:
    sound = _noise(2 * RATE)
    blocks = [sound[at : at + 160] for at in range(0, len(sound), 160)]

    def push() -> None:
        stream = stream_of()
        for block in blocks:
            stream.push(block)
        stream.flush()

    return push


def _mfcc(_: Path) -> Callable[[], object]:
    import fastaudio as fa

    return partial(_mel(22_050, 2048, 512, 128) >> fa.MFCC(n_mfcc=20), _noise(30 * 22_050))


def _resample(source: int, target: int, _: Path) -> Callable[[], object]:
    import fastaudio as fa

    return partial(fa.Resample(input_rate=source, output_rate=target), _noise(30 * source))


def _pipeline_blocks(_: Path) -> Callable[[], object]:
    import fastaudio as fa

    pipeline = fa.Pipeline(_mel(RATE, 512, 160, 64))
    return _blocks(lambda: pipeline.open(sample_rate=RATE))


def _file(folder: Path) -> Callable[[], object]:
    import fastaudio as fa
    import soundfile

    path = folder / "noise.wav"
    soundfile.write(path, _noise(60 * 44_100), 44_100)
    return partial(fa.Pipeline(_mel(RATE, 512, 256, 96)), path)


def _tags(_: Path) -> Callable[[], object]:
    import fastaudio as fa

    return partial(fa.Pipeline.load("musicnn-mtt", threads=1), _noise(9 * RATE), sample_rate=RATE)


CASES: dict[str, Callable[[Path], Callable[[], object]]] = {
    "log-mel 512": lambda _: partial(_mel(RATE, 512, 256, 96), _noise(60 * RATE)),
    "log-mel 2048": lambda _: partial(_mel(22_050, 2048, 512, 128), _noise(30 * 22_050)),
    "MFCC": _mfcc,
    "44.1 to 16 kHz": partial(_resample, 44_100, RATE),
    "48 to 16 kHz": partial(_resample, 48_000, RATE),
    "44.1 to 22.05 kHz": partial(_resample, 44_100, 22_050),
    "8 to 16 kHz": partial(_resample, 8_000, RATE),
    "11,127 to 16,000 Hz": partial(_resample, 11_127, RATE),
    "log-mel in blocks": lambda _: _blocks(_mel(RATE, 512, 160, 64).open),
    "Pipeline in blocks": _pipeline_blocks,
    "file to log-mel": _file,
    "musicnn-mtt, 9 s": _tags,
    "import": lambda _: _process("-c", "import fastaudio"),
    "command line": lambda _: _process("-m", "fastaudio", "models"),
}
"""What makes each case; it gets a folder for files."""


class _Timer:
    """Times a case: as many calls as `_AT_LEAST_S` takes, of which it gives the mean."""

    def __init__(self, call: Callable[[], object]) -> None:
        self._call = call
        start = time.perf_counter()
        call()  # a warm-up
        self._n = max(1, round(_AT_LEAST_S / max(time.perf_counter() - start, 1e-9)))

    def ns(self) -> int:
        gc.collect()
        start = time.perf_counter_ns()
        for _ in range(self._n):
            self._call()
        return (time.perf_counter_ns() - start) // self._n


def _found() -> str:
    try:
        import fastaudio
    except Exception as error:  # noqa: BLE001  # each case will say so
        return _said(error)
    return str(fastaudio.__file__)


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".replace("\n", " ")[:200]


def main() -> None:
    """Say what fastaudio it is, then answer each line of stdin."""
    print(_found(), flush=True)
    timers: dict[str, _Timer] = {}
    with tempfile.TemporaryDirectory(prefix="fastaudio-guard-") as folder:
        for line in sys.stdin:
            name = line.strip()
            try:
                if name not in timers:
                    timers[name] = _Timer(CASES[name](Path(folder)))
                print(timers[name].ns(), flush=True)
            except Exception as error:  # noqa: BLE001  # told in the table; other cases go on
                print(_said(error), flush=True)


if __name__ == "__main__":
    main()
