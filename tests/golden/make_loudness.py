"""Make loudness.npz: momentary, short-term and integrated loudness by libebur128 1.2.6.

    python tests/golden/make_loudness.py [libebur128.so.1]

This needs libebur128 (Debian's libebur128-1 has it) and soundfile. The sound is examples/guitar.flac, taken
as if it had the rate that a key names. If ../shared is there, its uncompressed clips are measured, too.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import sys
from pathlib import Path

import numpy as np
import soundfile

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
CLIPS = ROOT.parent / "shared" / "audio" / "clips"
RATES = (8000, 11_025, 16_000, 22_050, 44_100, 48_000, 96_000)
MODE = 1 | 2 | 4  # momentary, short-term, integrated


class Meter:
    """One run of libebur128."""

    def __init__(self, library: ctypes.CDLL, channels: int, rate: int) -> None:
        library.ebur128_init.restype = ctypes.c_void_p
        self.library = library
        self.state = ctypes.c_void_p(library.ebur128_init(channels, ctypes.c_ulong(rate), MODE))

    def add(self, samples: np.ndarray) -> None:
        pointer = samples.ctypes.data_as(ctypes.c_void_p)
        assert self.library.ebur128_add_frames_float(self.state, pointer, ctypes.c_size_t(len(samples))) == 0

    def read(self, what: str) -> float:
        value = ctypes.c_double()
        assert getattr(self.library, f"ebur128_loudness_{what}")(self.state, ctypes.byref(value)) == 0
        return value.value


def measure(library: ctypes.CDLL, samples: np.ndarray, rate: int) -> dict[str, np.ndarray]:
    """Return the loudness of whole windows every 100 ms, momentary and short-term, and the integrated one."""
    meter = Meter(library, samples.shape[1], rate)
    step = (rate + 5) // 10
    momentary, short = [], []
    for start in range(0, len(samples), step):
        block = np.ascontiguousarray(samples[start : start + step], dtype=np.float32)
        meter.add(block)
        if len(block) == step:
            momentary.append(meter.read("momentary"))
            short.append(meter.read("shortterm"))
    values = {"momentary": momentary[3:], "short_term": short[29:], "integrated": [meter.read("global")]}
    return {kind: np.array(v, dtype=np.float64).astype(np.float32) for kind, v in values.items()}


def surround(samples: np.ndarray) -> np.ndarray:
    """Return six channels made of two."""
    left, right = samples[:, 0], samples[:, 1]
    return np.stack([left, right, left / 2, right * 2, right / 4, left / 3], axis=1)


def main() -> None:
    """Write loudness.npz beside this file."""
    path = sys.argv[1] if len(sys.argv) > 1 else ctypes.util.find_library("ebur128")
    library = ctypes.CDLL(path)
    samples = soundfile.read(ROOT / "examples" / "guitar.flac", dtype="float32", always_2d=True)[0]
    cases = {f"guitar_{rate}_{n}": (samples[:, :n], rate) for rate in RATES for n in (1, 2)}
    cases["guitar_48000_6"] = surround(samples), 48_000
    for clip in sorted([*CLIPS.glob("*.wav"), *CLIPS.glob("*.flac")]):
        cases[clip.name] = soundfile.read(clip, dtype="float32", always_2d=True)
    arrays = {}
    for name, (sound, rate) in cases.items():
        for kind, values in measure(library, sound, rate).items():
            arrays[f"{name}/{kind}"] = values
    np.savez_compressed(HERE / "loudness.npz", version=np.array("libebur128 1.2.6"), **arrays)


if __name__ == "__main__":
    main()
