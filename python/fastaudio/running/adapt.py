"""Adapting sound of any rate and number of channels to what a network takes."""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from typing import Literal, TypeAlias

import numpy as np

from fastaudio._core import Mono, Node, Resample, Sequential, StreamSpec
from fastaudio.running.limits import as_float, shown_number

Quality: TypeAlias = Literal["fast", "high", "best"]

_MOST_CHANNELS = 1024
_MOST_KEPT = 8  # adapted nodes: what a file's header says must not decide how much memory is kept


def check_channel(channel: int | None) -> None:
    """Raise TypeError or ValueError unless it is an index, or None."""
    if channel is not None and type(channel) is not int:
        raise TypeError(f"Pipeline: expected channel as an int or None, got {channel!r:.80}")
    if channel is not None and not 0 <= channel < _MOST_CHANNELS:
        raise ValueError(
            f"Pipeline: expected channel as an index from 0 to 1023, got {shown_number(channel)}"
        )


SILENCE_DB = -70.0
"""Level below which a window is silent, unless a card or the caller says another, in dBFS."""


def checked_silence(silence_db: float | None) -> float | None:
    """Return a level in dB, or None for none; refuse what is neither."""
    if silence_db is None:
        return None
    if isinstance(silence_db, bool) or not isinstance(silence_db, int | float | np.number):
        got = f"{silence_db!r:.80} ({type(silence_db).__name__})"
        raise TypeError(f"Pipeline: expected silence_db as a float or None, got {got}")
    if not silence_db <= 0:
        raise ValueError(
            f"Pipeline: expected silence_db of at most 0 dB (full scale), got {shown_number(silence_db)}"
        )
    level_db = as_float(silence_db)
    return None if level_db == -math.inf else level_db


def checked_signal(sample_rate: int, channels: int) -> tuple[int, int]:
    """Return a rate and a number of channels that C++ can take; their ranges it checks itself."""
    for name, value in (("sample_rate", sample_rate), ("channels", channels)):
        if isinstance(value, bool) or not isinstance(value, int | np.integer):
            got = f"{value!r:.80} ({type(value).__name__})"
            raise TypeError(f"Pipeline: expected {name} as an int, got {got}")
        if not -(2**31) <= value < 2**31:
            raise ValueError(f"Pipeline: expected {name} below 2**31, got {shown_number(value)}")
    return int(sample_rate), int(channels)


class Adapter:
    """Precedes a node with what makes its input mono and resamples it to `spec`; thread-safe."""

    def __init__(self, node: Node, *, channel: int | None, quality: Quality) -> None:
        """Check and keep the arguments, which are those of `Pipeline`."""
        if not isinstance(node, Node):
            raise TypeError(
                f"Pipeline: expected a node, got {type(node).__name__}; "
                "Pipeline.load takes a model's name or a card's path"
            )
        spec = node.input_spec
        if spec is None:
            raise ValueError(
                f"Pipeline: expected a first node that states its sample rate, got {node!r:.60}; "
                "start with MelSpectrogram or Resample"
            )
        check_channel(channel)
        if quality not in ("fast", "high", "best"):
            raise ValueError(f"Pipeline: expected quality 'fast', 'high' or 'best', got {quality!r:.80}")
        self.spec = spec
        self._node = node
        self._channel = channel
        self._quality = quality
        self._adapted: OrderedDict[tuple[int, int], tuple[Node, StreamSpec]] = OrderedDict()
        self._lock = threading.Lock()

    def adapt(self, sample_rate: int, channels: int) -> tuple[Node, StreamSpec]:
        """Return the adapted node and the spec of its input; equal calls share the node, if it is recent."""
        key = checked_signal(sample_rate, channels)
        with self._lock:
            adapted = self._adapted.pop(key) if key in self._adapted else self._adapt(*key)
            self._adapted[key] = adapted  # the last one used comes last
            if len(self._adapted) > _MOST_KEPT:
                self._adapted.popitem(last=False)
            return adapted

    def try_open(self) -> None:
        """Open a stream for the node's own input, and let it go."""
        self._node.open(self.spec)

    def _adapt(self, sample_rate: int, channels: int) -> tuple[Node, StreamSpec]:
        own_rate = round(self.spec.rate_hz)
        if self.spec.shape == (channels,) and sample_rate == own_rate and self._channel is None:
            return self._node, StreamSpec(rate_hz=float(sample_rate), shape=[channels])
        resample = Resample(input_rate=sample_rate, output_rate=own_rate, quality=self._quality)
        mixes = channels != 1 or bool(self._channel)
        parts: list[Node] = [Mono(channels=channels, channel=self._channel)] if mixes else []
        if sample_rate != own_rate:
            parts.append(resample)
        spec = StreamSpec(rate_hz=float(sample_rate), shape=[channels] if mixes else [])
        return Sequential([*parts, self._node]), spec

    def __str__(self) -> str:
        if self.spec.shape:
            return f"{round(self.spec.rate_hz)} Hz, {self.spec.shape[0]} channels"
        how = "mean of all channels" if self._channel is None else f"channel {self._channel}"
        return f"{round(self.spec.rate_hz)} Hz mono ({how})"
