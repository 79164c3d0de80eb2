"""A first run of an imported model, over sounds that differ so much that its scores have to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fastaudio._system.text import quoted
from fastaudio.tags import Tags

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from fastaudio.pipeline import Pipeline

RATE_HZ = 44_100
"""Rate of the sounds that are made up."""

_SHORTEST_S, _LONGEST_S = 3.0, 60.0
_ALIKE = 1e-3
_MOST_NUMBERS = 4


@dataclass(frozen=True)
class Heard:
    """What a model gives for one sound.

    Attributes:
        sound: the sound's name.
        said: its first tags with their scores, or the shape and range of its rows.
        scores: one number for each label, or the mean row; empty if there was none.
    """

    sound: str
    said: str
    scores: NDArray[np.float32]


def made_sounds(duration_s: float) -> dict[str, NDArray[np.float32]]:
    """Return a chord, clicks, noise and silence of a duration, mono at `RATE_HZ`; the same at each call."""
    n = round(duration_s * RATE_HZ)
    t = np.arange(n) / RATE_HZ
    decay = np.exp(-3 * (t % 1.0))
    chord = sum(np.sin(2 * np.pi * f * k * t) / k for f in (220.0, 277.2, 329.6) for k in range(1, 6))
    clicks = np.where((np.arange(n) % (RATE_HZ // 4)) < 40, 0.8, 0.0)  # noqa: PLR2004  # 1 ms, four per second
    noise = 0.2 * np.random.default_rng(0).standard_normal(n)
    sounds = {"a chord": 0.1 * chord * decay, "clicks": clicks, "noise": noise, "silence": np.zeros(n)}
    return {name: np.asarray(x, dtype=np.float32) for name, x in sounds.items()}


def listen_to(
    pipeline: Pipeline, sounds: Iterable[str | os.PathLike[str]] = (), *, top: int = 3
) -> tuple[list[Heard], list[str]]:
    """Run a model over files, or over made-up sounds, and return what it gives and what looks wrong.

    Args:
        pipeline: the model.
        sounds: files; none for a chord, clicks, noise and silence.
        top: how many tags to name.

    Raises:
        DecodeError: a file can't be read.
    """
    files = list(sounds)
    heard: list[Heard]
    if files:
        heard = [_heard(str(path), pipeline(path), top) for path in files]
    else:
        duration_s = min(max(_SHORTEST_S, 1.1 * min(pipeline.latency_s, _LONGEST_S)), _LONGEST_S)
        made = made_sounds(duration_s).items()
        heard = [_heard(name, pipeline(x, sample_rate=RATE_HZ), top) for name, x in made]
    return heard, _doubts(heard, labelled=any(spec.labels for spec in pipeline.output_specs.values()))


def _heard(name: str, result: Any, top: int) -> Heard:
    if isinstance(result, Tags):
        scores = np.asarray(result.scores, dtype=np.float32).reshape(-1, len(result.labels))
        mean = scores.mean(axis=0) if len(scores) else np.empty(0, np.float32)
        order = np.argsort(-mean, kind="stable")[:top]
        said = ", ".join(f"{quoted(result.labels[i])} {mean[i]:.3f}" for i in order)
        return Heard(name, said or "too short for a window", mean)
    rows = next(iter(result.values())) if isinstance(result, dict) else result
    if not isinstance(rows, np.ndarray) or not rows.size:
        return Heard(name, "nothing: it is shorter than a window", np.empty(0, np.float32))
    shape = " x ".join(map(str, rows.shape))
    said = f"rows {shape}, from {rows.min():.4g} to {rows.max():.4g}, mean {rows.mean():.4g}"
    return Heard(name, said, rows.mean(axis=0).ravel())


def _doubts(heard: list[Heard], *, labelled: bool) -> list[str]:
    """Return sentences on what no right model would give."""
    known = [each.scores for each in heard if each.scores.size]
    if not known:
        return ["no sound was long enough for a window; try a longer one"]
    doubts = []
    values = np.concatenate(known)
    if not np.isfinite(values).all():
        doubts.append("it gives numbers that aren't finite; the front end or its options may be wrong")
        return doubts
    if labelled and (values.min() < -_ALIKE or values.max() > 1 + _ALIKE):
        doubts.append(
            "its scores aren't within 0 and 1; if the network gives logits, add --activation sigmoid (labels "
            "that may hold together) or softmax (one of them)"
        )
    spread = float(np.ptp(np.stack(known), axis=0).max()) if len(known) > 1 else np.inf
    if spread <= _ALIKE * max(1.0, float(np.abs(values).max())):
        doubts.append("it gives nearly the same for all sounds; the front end or the output may be wrong")
    return doubts
