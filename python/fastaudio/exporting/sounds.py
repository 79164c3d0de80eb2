"""Sounds that a graph is compared on: made up for it, and recordings of the user's."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from fastaudio._core import Resample
from fastaudio.decoding.audio_file import AudioFile

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from fastaudio._core import Node, StreamSpec

Kind: TypeAlias = Literal["made-up", "recorded"]

_LEAST_S, _MOST_S = 2.0, 30.0
_RECORDED_S = 60  # of each recording: a graph holds all frames of its sound at once
_LOWEST_HZ, _HIGHEST_HZ = 100, 768_000


@dataclass(frozen=True)
class Sound:
    """Rows that a graph takes, and what they are."""

    kind: Kind
    name: str
    rows: NDArray[np.float32]


def made_up(node: Node, spec: StreamSpec, block: int | None) -> Iterator[Sound]:
    """Give tones that glide, noise, clicks and silence, of several lengths."""
    spans = [1 / one.rate_hz + one.span_s for one in node.output_specs(spec).values() if one.rate_hz]
    wanted_s = min(max([_LEAST_S, *(2 * span for span in spans)]), _MOST_S)
    n = math.ceil(wanted_s * spec.rate_hz)
    if block is not None:
        n = max(n, 3 * block)
    random = np.random.default_rng(2)
    shape = (n, *spec.shape)
    t = np.linspace(0, 1, n).reshape(-1, *[1] * len(spec.shape))
    sound = 0.1 * random.standard_normal(shape) * (np.sin(40 * t) > 0) + 0.3 * np.sin(n / 20 * t**2)
    sound[n // 3 : n // 2] = 0
    sound[:: max(n // 7, 1)] += 0.5
    rows = sound.astype(np.float32)
    for length in (n, n // 2 + 1, 100, 1, 0) if block is None else (n,):
        yield Sound("made-up", f"a sound of {length / spec.rate_hz:.3g} s", rows[:length])


def checked(sounds: Iterable[Any], spec: StreamSpec) -> list[tuple[str, Any]]:
    """Return the user's recordings with their names, before anything is built.

    Raises:
        TypeError: one is neither a path nor a pair of samples and their rate.
        ValueError: samples have no shape or rate that fits, or values that aren't finite; or the graph takes
            rows that are no samples.
    """
    if isinstance(sounds, str | bytes | os.PathLike | np.ndarray):
        raise TypeError(f"export_onnx: expected sounds as a list, got {type(sounds).__name__}; use [sound]")
    found: list[tuple[str, Any]] = []
    for i, sound in enumerate(sounds):
        if isinstance(sound, str | os.PathLike):
            found.append((os.fspath(sound), sound))
        elif isinstance(sound, tuple) and len(sound) == 2 and isinstance(sound[0], np.ndarray):  # noqa: PLR2004
            _require_samples(*sound, f"sounds[{i}]")
            found.append((f"sounds[{i}]", sound))
        else:
            raise TypeError(
                "export_onnx: expected each of sounds as a path, or (samples, sample_rate), got "
                f"{type(sound).__name__}"
            )
    if found and (spec.kind != "samples" or len(spec.shape) > 1):
        raise ValueError(
            "export_onnx: expected no sounds for a node that takes rows, got some; leave sounds out, or "
            "export a pipeline that takes samples"
        )
    return found


def _require_samples(samples: NDArray[Any], rate: Any, name: str) -> None:
    if isinstance(rate, bool) or not isinstance(rate, int) or not _LOWEST_HZ <= rate <= _HIGHEST_HZ:
        expected = f"{name} with a rate from {_LOWEST_HZ} to {_HIGHEST_HZ} Hz"
        raise ValueError(f"export_onnx: expected {expected}, got {rate!r:.80}")
    kinds = samples.dtype == np.int16 or np.issubdtype(samples.dtype, np.floating)
    if not kinds or samples.ndim not in (1, 2) or (samples.ndim > 1 and not samples.shape[1]):
        raise ValueError(
            f"export_onnx: expected {name} as samples [n] or [n, channels], float or int16, got "
            f"{samples.dtype} {list(samples.shape)}"
        )
    if not np.isfinite(samples).all():
        raise ValueError(f"export_onnx: expected {name} of finite samples, got NaN or infinity")


def recorded(sounds: Iterable[tuple[str, Any]], spec: StreamSpec, block: int | None) -> Iterator[Sound]:
    """Give the first minute of each recording, at the rate and with the channels that a graph takes.

    Raises:
        DecodeError: a file can't be read.
    """
    for name, sound in sounds:
        samples, rate = sound if isinstance(sound, tuple) else _read(sound, spec)
        samples = samples[: _RECORDED_S * rate]
        if samples.dtype == np.int16:
            samples = samples / np.float32(32768)
        channels = _with_channels(np.atleast_2d(samples.T).T.astype(np.float32), spec)
        wanted = round(spec.rate_hz)
        if rate != wanted:
            resample = Resample(input_rate=rate, output_rate=wanted)
            parts = [np.asarray(resample(np.ascontiguousarray(one))) for one in channels.T]
            channels = np.stack(parts, axis=1)
        if block is not None:
            channels = np.pad(channels, ((0, max(3 * block - len(channels), 0)), (0, 0)))
        yield Sound("recorded", name, np.ascontiguousarray(channels.reshape(len(channels), *spec.shape)))


def _read(path: Any, spec: StreamSpec) -> tuple[NDArray[np.float32], int]:
    """Return the first minute of a file, with as many channels as a graph takes: a file may have hundreds."""
    blocks, n = [], 0
    with AudioFile(path) as file:
        for block in file.blocks():
            blocks.append(_with_channels(np.array(block, ndmin=2), spec))
            n += len(block)
            if n >= _RECORDED_S * file.sample_rate:
                break
        empty = _with_channels(np.zeros((0, file.channels), dtype=np.float32), spec)
        return np.concatenate([empty, *blocks]), file.sample_rate


def _with_channels(samples: NDArray[np.float32], spec: StreamSpec) -> NDArray[np.float32]:
    """Return [n, channels] with as many as a graph takes: their mean in each, if there are others."""
    n = spec.shape[0] if spec.shape else 1
    if samples.shape[1] == n:
        return samples
    return np.repeat(samples.mean(axis=1, keepdims=True, dtype=np.float32), n, axis=1)
