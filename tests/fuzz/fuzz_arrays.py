"""Arrays of every kind that numpy makes: each gives the numbers of a plain copy, or is refused for its type.

Element types, byte orders, strides, alignment, masks, subclasses, and shapes of nothing or of far too much.
"""

from __future__ import annotations

import json
import warnings
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
from harness import Fuzzer

if TYPE_CHECKING:
    import random
    from collections.abc import Callable
    from pathlib import Path

KINDS = [
    "<f4",
    "<f4",
    "<i2",
    "<i2",
    ">f4",
    ">i2",
    "<f8",
    "<f2",
    "<i4",
    "<u2",
    "|u1",
    "|i1",
    "|b1",
    "<c8",
    "|O",
    "S4",
]
KINDS += ["<U3", "<M8[s]", "V8", "<i8"]
SHAPES = [
    [2000],
    [2000],
    [0],
    [1],
    [700, 2],
    [2, 700],
    [0, 2],
    [700, 0],
    [700, 1],
    [],
    [3, 4, 5],
    [1, 700, 2],
]
HUGE = ["huge", "huge rows", "zero strides"]
SPECIAL = ["noise", "noise", "noise", "nan", "inf", "loud", "limits"]
CALLS = ["node", "node", "push", "pipeline", "open", "live", "rows", "threads"]


class Own(np.ndarray):
    """A subclass, whose methods nobody should call."""

    def __array_finalize__(self, _: Any) -> None:
        """Do nothing."""


def made(data: dict[str, Any]) -> np.ndarray:
    """Return the array that a recipe describes."""
    if data["layout"] == "huge":
        return np.broadcast_to(np.float32(0.5), (1 << 45,))
    if data["layout"] == "huge rows":
        return np.broadcast_to(np.zeros((1, 1 << 20), np.float32), (1 << 30, 1 << 20))
    if data["layout"] == "zero strides":
        return np.lib.stride_tricks.as_strided(np.ones(1, np.float32), (3000,), (0,))
    rng = np.random.default_rng(data["seed"])
    values = rng.uniform(-1, 1, data["shape"])
    if values.size and data["values"] in ("nan", "inf", "loud"):
        values.flat[rng.integers(values.size)] = {"nan": np.nan, "inf": -np.inf, "loud": 3e38}[data["values"]]
    kind = np.dtype(data["dtype"])
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        if kind.kind in "iu":
            array = np.asarray(values * 32_000).astype(kind)
        elif kind.kind in "MV":
            array = np.zeros(data["shape"], kind)
        else:
            array = np.asarray(values).astype(kind)
    return array if array.ndim == 0 or array.dtype.hasobject else LAYOUTS[data["layout"]](array)


def _unaligned(array: np.ndarray) -> np.ndarray:
    raw = np.zeros(array.nbytes + 1, np.uint8)
    raw[1:] = np.frombuffer(array.tobytes(), np.uint8)
    return raw[1:].view(array.dtype).reshape(array.shape)


def _readonly(array: np.ndarray) -> np.ndarray:
    array.flags.writeable = False
    return array


LAYOUTS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "plain": lambda array: array,
    "step": lambda array: np.repeat(array, 3, axis=0)[::3],
    "reversed": lambda array: array[::-1].copy()[::-1],
    "unaligned": _unaligned,
    "broadcast": lambda array: np.broadcast_to(array[:1], array.shape),
    "fortran": np.asfortranarray,
    "masked": lambda array: np.ma.masked_array(array, mask=False),
    "subclass": lambda array: array.view(Own),
    "readonly": _readonly,
    "column": lambda array: np.repeat(array[..., None], 2, axis=-1)[..., 1],
}


class Arrays(Fuzzer):
    """Samples come from other programs' arrays."""

    name = "arrays"
    gate_runs = 14_000

    def draw(self, rng: random.Random) -> bytes:
        data = {"call": rng.choice(CALLS), "dtype": rng.choice(KINDS), "layout": rng.choice(list(LAYOUTS))}
        if rng.random() < 0.05:
            data["layout"] = rng.choice(HUGE)
        drawn = {"shape": rng.choice(SHAPES), "values": rng.choice(SPECIAL), "seed": rng.randrange(1 << 30)}
        return json.dumps(data | drawn).encode()

    def prepare(self, outside: Path) -> None:
        mel = fa.MelSpectrogram(sample_rate=16_000, n_fft=256, hop_length=100, n_mels=4)
        self.node = mel >> fa.Log()
        self.rows = fa.L2Normalize() >> fa.StackChannels(channels=2)
        self.pipeline = fa.Pipeline(self.node)

    def check(self, content: bytes, folder: Path) -> None:
        data = json.loads(content)
        call = self._calls()[data["call"]]
        array = made(data)
        if data["layout"] in HUGE[:2] and data["call"] in ("pipeline", "live"):
            return None  # these take so much piece by piece, as they were asked to
        if data["layout"] in HUGE[:2]:
            return self._refuses_soon(call, array)
        try:
            got = call(array)
        except (ValueError, TypeError, fa.FastaudioError) as error:
            assert "expected" in str(error), f"expected an error that says what was expected, got {error!r}"
            if array.dtype in (np.float32, np.int16) and np.isfinite(array).all():
                plain = np.array(array, dtype=array.dtype.newbyteorder("="))
                self._refused(call, plain)
            return None
        assert array.dtype.newbyteorder("=") in (np.float32, np.int16), (
            f"expected a TypeError for {array.dtype}"
        )
        plain = np.array(array, dtype=array.dtype.newbyteorder("="), order="C", subok=False)
        assert got.tobytes() == call(plain).tobytes(), "expected the numbers of a plain copy, got others"
        assert np.isfinite(got).all(), "expected finite rows, got others"
        return None

    def _refused(self, call: Callable[[Any], Any], plain: np.ndarray) -> None:
        """A plain copy of what was refused is refused as well, unless its type was the reason."""
        try:
            call(plain)
        except (ValueError, TypeError, fa.FastaudioError):
            return
        raise AssertionError("expected an array like its plain copy, got it refused")

    def _refuses_soon(self, call: Callable[[Any], Any], array: np.ndarray) -> None:
        try:
            call(array)
        except (ValueError, TypeError, MemoryError, fa.FastaudioError):
            return
        raise AssertionError("expected 2^50 values to be refused, got rows")

    def _calls(self) -> dict[str, Callable[[Any], np.ndarray]]:
        def push(array: Any) -> np.ndarray:
            stream = self.node.open()
            return np.concatenate([stream.push(array), stream.flush()])

        def opened(array: Any) -> np.ndarray:
            channels = array.shape[1] if array.ndim == 2 and 0 < array.shape[1] <= 64 else 1
            stream = self.pipeline.open(sample_rate=16_000, channels=channels)
            return np.concatenate([stream.push(array), stream.flush()])

        def live(array: Any) -> np.ndarray:
            channels = array.shape[1] if array.ndim == 2 and 0 < array.shape[1] <= 64 else 1
            with self.pipeline.live(16_000, channels) as stream:
                stream.push(array)
                stream.finish()
                parts = [item.rows for item in stream]
            return np.concatenate(parts) if parts else np.zeros((0, 4), np.float32)

        def pipeline(array: Any) -> np.ndarray:
            layout = "samples_channels" if array.ndim == 2 else None
            rows = self.pipeline(array, sample_rate=16_000, layout=layout)
            assert isinstance(rows, np.ndarray)
            return rows

        return {
            "node": self.node,
            "rows": self.rows,
            "threads": lambda array: self.node(array, threads=3),
            "push": push,
            "open": opened,
            "live": live,
            "pipeline": pipeline,
        }
