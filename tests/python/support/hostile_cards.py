"""Cards that ask for too much, and a program that loads them and tells what each cost.

Run as a program it loads cards under the default budget in a process of its own, and prints a line of JSON
for each: the error, seconds, the longest time in which no other thread ran, and the process' peak of memory.
"""

from __future__ import annotations

import itertools
import json
import re
import sys
import threading
import time
from pathlib import Path
from typing import Any

MEL = {"node": "MelSpectrogram", "sample_rate": 16_000, "n_fft": 512, "hop_length": 256, "n_mels": 96}
LARGE = {"sample_rate": 768_000, "n_fft": 65_536, "hop_length": 1}
NORMALIZE = {"node": "L2Normalize"}
LIMIT_S = 60.0
"""What takes longer to end hangs."""


def node(name: str, **options: Any) -> dict[str, Any]:
    """Return a node as a card holds it."""
    return {"node": name, **options}


def nested(depth: int, *, wide: int = 1) -> list[dict[str, Any]]:
    """Return branches within branches."""
    branch: Any = node("Sequential", nodes=[MEL, node("Patches", length=10)])
    for _ in range(depth):
        branch = node("Concat", branches=[branch] * wide)
    return [branch]


def clips_in_clips(depth: int) -> list[dict[str, Any]]:
    """Return clips of clips, whose number multiplies."""
    inner: Any = MEL
    for i in range(depth):
        inner = node("Each", inner=inner, clip_length=2_000 * (i + 1), hop=1)
    return [inner]


def resamplers(n: int) -> list[dict[str, Any]]:
    """Return a row of resamplers, every second of which has a large table: no two are alike."""
    coprime_to_640 = (k for k in range(1599, 640, -2) if k % 5)
    rates = (rate for k in coprime_to_640 for rate in (100 * k, 64_000))
    pairs = itertools.pairwise(itertools.islice(rates, n + 1))
    return [node("Resample", input_rate=a, output_rate=b, quality="best") for a, b in pairs]


FULL = node("MelSpectrogram", **LARGE, n_mels=4096)
SCORES = [
    MEL,
    node("Statistics", window=1, kinds=["mean"]),
    node("Concat", branches=[node("Log")]),
    node("Tags", labels=[str(i) for i in range(96)]),
]


def branches(nodes: list[dict[str, Any]]) -> dict[str, Any]:
    """Return nodes side by side."""
    return node("Parallel", branches={str(i): branch for i, branch in enumerate(nodes)})


REFUSED: dict[str, list[dict[str, Any]]] = {
    "patches": [MEL, node("Patches", length=1_000_000, hop=1)],
    "each": [node("Each", inner=node("MelSpectrogram", n_fft=65_536, hop_length=1), clip_length=1_000_000)],
    "each of few": [
        node("Each", inner=node("MelSpectrogram", n_fft=65_536, hop_length=1, n_mels=1), clip_length=20_000)
    ],
    "each in each": clips_in_clips(5),
    "harmonic": [node("HarmonicSpectrogram", **LARGE, n_harmonic=16, semitone_scale=64, q=[0.001])],
    "nodes": [MEL, *[NORMALIZE] * 40_000],
    "branches": [MEL, branches([NORMALIZE] * 40_000)],
    "resamplers": resamplers(200),
    "statistics": [MEL, node("Statistics", window=1_000_000, hop=1, kinds=["mean", "p50"])],
    "energy": [MEL, node("EnergyPatch", length=1_000_000)],
    "mfcc": [FULL, node("Log"), branches([node("MFCC", n_mfcc=4096 - i) for i in range(9)])],
    "chroma": [node("Spectrogram", **LARGE, power=2), node("Chroma", n_chroma=1200)],
    "flux": [FULL, branches([node("SpectralFlux", lag=4095)] * 9)],
    "joins": [
        FULL,
        node("Concat", branches=[node("Delta", width=4095, mode="nearest"), *[NORMALIZE] * 40]),
    ],
    "transforms": [branches([node("Spectrogram", **LARGE | {"n_fft": 65_521 - 2 * i}) for i in range(60)])],
    "events": [
        *SCORES,
        branches([node("Events", smoothing_s=2_000, smoothing="median", onset=[i / 99]) for i in range(99)]),
    ],
    "levels": nested(90),
    "wide and deep": nested(12, wide=2),
    "steps": [MEL, *[node("Patches", length=1, hop=65_536)] * 4],
    "items": [MEL, node("Statistics", kinds=[str(i) for i in range(1_500_000)])],
}
"""Each is refused by the default budget, or because it can't be composed."""


def ranges(cls: type) -> dict[str, tuple[float, float, bool]]:
    """Return the least and the largest value of each number that a node takes, and whether it is whole."""
    pattern = re.compile(r"^    (\w+): (int|float|list\[float\])[^\n]* in \[(\S+), (\S+)\]", re.MULTILINE)
    found = pattern.findall(cls.__doc__ or "")
    return {name: (float(low), float(high), kind == "int") for name, kind, low, high in found}


def extremes() -> dict[str, list[dict[str, Any]]]:
    """Return cards with each node's options at their largest or least, one at a time and all together."""
    from node_cases import CLASSES, COMPOSITES

    fronts: list[list[dict[str, Any]]] = [
        [],
        [MEL],
        [node("Spectrogram", sample_rate=16_000, n_fft=512, hop_length=256, power=1)],
        [node("Spectrogram", **LARGE, power=2)],
        [FULL],
        SCORES,
    ]
    made: dict[str, list[dict[str, Any]]] = {}
    for name, cls in sorted(CLASSES.items()):
        if name in COMPOSITES or name == "OnnxModel":
            continue
        limits = ranges(cls)
        values = {
            key: (int(high) if whole else high, int(low) if whole else low)
            for key, (low, high, whole) in limits.items()
        }
        ends = [{key: both[i] for key, both in values.items()} for i in (0, 1)]
        for f, front in enumerate(fronts):
            for i, options in enumerate(ends):
                made[f"{name} at end {i} after {f}"] = [*front, node(name, **options)]
        for front in fronts[:2]:
            for key, both in values.items():
                for value in both:
                    made[f"{name} {key}={value} after {len(front)}"] = [*front, node(name, **{key: value})]
    return made


def write(folder: Path, pipeline: Any) -> Path:
    """Write a card of this pipeline."""
    path = folder / "card.json"
    path.write_text(json.dumps({"schema": "fastaudio.card/1", "name": "x", "pipeline": pipeline}))
    return path


class Ticker(threading.Thread):
    """Counts how long it was kept from running."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.longest_s, self.last = 0.0, time.monotonic()
        self.start()

    def run(self) -> None:
        while True:
            time.sleep(0.002)
            now = time.monotonic()
            self.longest_s, self.last = max(self.longest_s, now - self.last), now


def peak_mb() -> float:
    """Return the most memory that this process has held so far, in MiB."""
    status = Path("/proc/self/status")
    if status.is_file():  # Linux keeps the peak of the process that started this one in ru_maxrss
        return int(status.read_text(encoding="ascii").partition("VmHWM:")[2].split()[0]) / 1024
    import resource  # which Windows lacks

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 / 1024  # macOS counts bytes


def main(which: str, folder: str) -> None:
    """Load the cards, and print what each cost."""
    import fastaudio as fa

    ticker = Ticker()
    for name, pipeline in (REFUSED if which == "refused" else extremes()).items():
        path = write(Path(folder), pipeline)
        kind, text = "", ""
        ticker.longest_s, start = 0.0, time.monotonic()
        begun_s = time.thread_time()
        try:
            fa.Pipeline.load(path)
        except fa.ModelError as error:
            kind, text = type(error).__name__, str(error)
        told = {"name": name, "error": kind, "text": text[-400:], "seconds": time.monotonic() - start}
        told |= {"processor_s": time.thread_time() - begun_s, "still_s": ticker.longest_s}
        told |= {"peak_mb": peak_mb()}
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
