"""Comparing a model with the module that it was made of, on made-up and on recorded sound."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fastaudio._core import ModelError, OnnxModel
from fastaudio.tags import Tags
from fastaudio.torch.module import distance, near, scale

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from fastaudio.pipeline import Pipeline

_WINDOWS = 3  # of made-up sound
_WITHOUT_RATE_S = 4.0  # a window that is chosen from a clip has no rate; this is enough to choose from
_MOST_ROWS = 4  # of one run, to see whether a network takes several


class OtherNumbersError(ModelError):
    """The exported network doesn't give the module's numbers."""


@dataclass(frozen=True)
class Sound:
    """Something to run over: a file, or samples with their rate.

    An `optional` one is left out if the module gives no finite numbers for it.
    """

    name: str
    source: Any
    sample_rate: int | None = None
    optional: bool = False

    def rows(self, pipeline: Pipeline) -> NDArray[np.float32]:
        """Return a pipeline's rows, or its scores."""
        rate: dict[str, Any] = {} if self.sample_rate is None else {"sample_rate": self.sample_rate}
        found: Any = pipeline(self.source, **rate)
        return np.asarray(found.scores if isinstance(found, Tags) else found)


def made_up(front: Pipeline) -> list[Sound]:
    """Return notes, noise, faint and beyond full scale, and silence, of a few windows, the same each time."""
    (spec,) = front.output_specs.values()
    rate = front.sample_rate
    duration_s = spec.span_s + (_WINDOWS - 1) / spec.rate_hz if spec.rate_hz else _WITHOUT_RATE_S
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 0.2, max(1, math.ceil(rate * duration_s))).clip(-1, 1)
    sounds = {"notes": _notes(len(noise), rate, rng), "noise": noise, "faint noise": noise * 1e-4}
    extreme = {"noise beyond full scale": noise * 8, "silence": noise * 0}
    return [
        Sound(f"made-up {name}", samples.astype(np.float32), rate, optional=name in extreme)
        for name, samples in (sounds | extreme).items()
    ]


def _notes(n_samples: int, rate: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return decaying notes with overtones."""
    samples = np.zeros(n_samples)
    t = np.arange(rate // 2) / rate
    for onset in range(0, n_samples, max(1, rate // 4)):
        pitch_hz = 55 * 2 ** rng.uniform(0, 5)
        overtones = [k for k in range(1, 9) if k * pitch_hz < rate / 2]
        tone = np.sum([np.sin(2 * np.pi * k * pitch_hz * t) / k for k in overtones], axis=0)
        note = rng.uniform(0.05, 0.3) * np.exp(-t / rng.uniform(0.05, 0.5)) * tone
        samples[onset : onset + len(t)] += note[: n_samples - onset]
    return samples.clip(-1, 1)


def recorded(sounds: Iterable[Any]) -> list[Sound]:
    """Return the caller's sounds: paths, or pairs of samples and their rate.

    Raises:
        TypeError: something else.
    """
    if isinstance(sounds, str | bytes | os.PathLike | np.ndarray):
        raise TypeError(f"export: expected sounds as a list, got {type(sounds).__name__}; use [sound]")
    found = []
    for i, sound in enumerate(sounds):
        if isinstance(sound, str | os.PathLike):
            found.append(Sound(os.fspath(sound), sound))
        elif isinstance(sound, tuple) and len(sound) == 2 and isinstance(sound[0], np.ndarray):  # noqa: PLR2004
            found.append(Sound(f"sound {i}", *sound))
        else:
            got = type(sound).__name__
            raise TypeError(
                f"export: expected each of sounds as a path, or (samples, sample_rate), got {got}"
            )
    return found


def compare(
    loaded: Pipeline,
    sounds: Sequence[Sound],
    wanted: Sequence[Mapping[str, NDArray[np.float32]]],
    tolerance: float,
) -> dict[str, float]:
    """Run a model over sounds; return the largest difference of each output from the module's.

    Raises:
        OtherNumbersError: one is above `tolerance`, times the output's largest magnitude if that is above 1.
    """
    found: dict[str, float] = {}
    for sound, outputs in zip(sounds, wanted, strict=True):
        for name, theirs in outputs.items():
            ours = sound.rows(loaded.layer(name))
            _require_near(name, sound.name, ours, theirs, tolerance)
            found[name] = max(found.get(name, 0.0), distance(ours, theirs))
    return found


def compare_results(
    loaded: Pipeline,
    sounds: Sequence[Sound],
    wanted: Sequence[NDArray[np.float32]],
    tolerance: float,
) -> None:
    """Run a whole pipeline, as its user does; raise OtherNumbersError if its results aren't the module's."""
    for sound, theirs in zip(sounds, wanted, strict=True):
        _require_near("the pipeline", sound.name, sound.rows(loaded), theirs, tolerance)


def runs_in_batches(
    network: OnnxModel,
    rows: Sequence[NDArray[np.float32]],
    wanted: Sequence[Mapping[str, NDArray[np.float32]]],
) -> bool:
    """Tell whether a network gives several rows of one run the numbers that they have alone."""
    alone = {name: np.concatenate([one[name] for one in wanted])[:_MOST_ROWS] for name in wanted[0]}
    options: dict[str, Any] = {"layout": network.layout, "batch": _MOST_ROWS}
    together = OnnxModel(network.path, outputs=list(alone), **options)
    try:
        found = together(np.concatenate(rows)[:_MOST_ROWS])
    except ModelError:
        return False
    outputs = found if isinstance(found, dict) else dict.fromkeys(alone, found)
    return all(near(outputs[name], alone[name]) for name in alone)


def _require_near(
    what: str, sound: str, ours: NDArray[np.float32], theirs: NDArray[np.float32], tolerance: float
) -> None:
    if ours.shape != theirs.shape:
        raise OtherNumbersError(
            f"expected {what} of {list(theirs.shape)} on {sound}, got {list(ours.shape)} after exporting"
        )
    if not near(ours, theirs, tolerance):
        limit = tolerance * scale(theirs)
        raise OtherNumbersError(
            f"expected {what} within {limit:.2g} of the module's on {sound}, got a difference of "
            f"{distance(ours, theirs):.3g}"
        )
