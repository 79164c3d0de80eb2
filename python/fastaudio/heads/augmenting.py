"""Light changes of labelled sound: copies that a head learns from too, but is never judged by."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fastaudio._core import Mean, Resample
from fastaudio.decoding.audio_file import AudioFile
from fastaudio.heads.rows import keep
from fastaudio.labelled.cutting import Samples, run_each, run_stretches

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from fastaudio.heads.cache import EmbeddingCache
    from fastaudio.heads.data import Examples, Progress
    from fastaudio.labelled.segment import File, Segment
    from fastaudio.pipeline import Pipeline

_VERSION = 1  # of what a seed gives
_LONGEST_S = 30.0  # of a clip's beginning; what comes after it isn't copied
_PARTNER_S, _PARTNERS = 2.0, 16  # sound to mix in: how much of a clip, and how many clips of each fold
_CHANCE = 0.5  # of noise, and of a mix
_MOST_COPIES = 100


@dataclass(frozen=True)
class Augment:
    """How copies of a clip are altered, at random; a seed gives the same copies.

    Attributes:
        copies: how many of each clip.
        gain_db: louder or softer by at most this much.
        shift_s: earlier or later by at most this much; what leaves at one end comes in at the other.
        noise_db: how far noise, white or pink, lies below the clip, at least and at most. Half of the copies
            have it.
        mix_db: the same for a clip of another label, from the same fold, that is mixed in.
    """

    copies: int = 2
    gain_db: float = 6.0
    shift_s: float = 0.5
    noise_db: tuple[float, float] = (10.0, 30.0)
    mix_db: tuple[float, float] = (10.0, 20.0)

    def __post_init__(self) -> None:
        copies = self.copies
        if isinstance(copies, bool) or not isinstance(copies, int) or not 0 <= copies <= _MOST_COPIES:
            raise ValueError(
                f"Augment: expected copies as an int from 0 to {_MOST_COPIES}, got {copies!r:.80}"
            )
        values = (self.gain_db, self.shift_s, *self.noise_db, *self.mix_db)
        if not all(0 <= value < 200 for value in values):  # noqa: PLR2004  # dB that any sound has
            raise ValueError(f"Augment: expected numbers from 0 to 200, got {values!r:.80}")


def vary(
    samples: NDArray[np.float32],
    sample_rate: int,
    how: Augment,
    rng: np.random.Generator,
    partner: NDArray[np.float32] | None = None,
) -> NDArray[np.float32]:
    """Return an altered copy of samples [n_samples, channels]; `partner` [n] has the same sample rate."""
    shift = round(rng.uniform(-how.shift_s, how.shift_s) * sample_rate)
    gain = 10 ** (rng.uniform(-how.gain_db, how.gain_db) / 20)
    mixed = np.roll(samples, shift, axis=0).astype(np.float64)
    level = float(np.sqrt(np.mean(mixed**2))) if mixed.size else 0.0
    # All is drawn in any case, so that one change doesn't alter the others.
    for added, (least, most) in ((_noise(len(mixed), rng), how.noise_db), (partner, how.mix_db)):
        below_db, chosen = rng.uniform(least, most), rng.random() < _CHANCE
        if added is None or not chosen or not len(added):
            continue
        own = float(np.sqrt(np.mean(np.square(added, dtype=np.float64))))
        if own > 0:
            factor = np.float64(level / own * 10 ** (-below_db / 20))
            mixed += np.resize(added, len(mixed)).astype(np.float64)[:, None] * factor
    mixed *= gain
    peak = float(np.abs(mixed).max(initial=0.0))
    return (mixed / max(peak, 1.0)).astype(np.float32)


def _noise(n: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return white or pink noise."""
    white = rng.standard_normal(n)
    if rng.random() < _CHANCE or n < 2:  # noqa: PLR2004
        return white
    spectrum = np.fft.rfft(white)
    spectrum[1:] /= np.sqrt(np.arange(1, len(spectrum)))
    spectrum[0] = 0
    return np.fft.irfft(spectrum, n)


@dataclass(frozen=True)
class Altered:
    """Rows of altered copies [n_rows, n_values], and the number of each row's clip [n_rows]."""

    values: NDArray[np.float32]
    clip: NDArray[np.int64]


@dataclass(frozen=True)
class _Partner:
    samples: NDArray[np.float32]
    sample_rate: int
    name: str
    labels: NDArray[np.bool_]


def altered(
    pipeline: Pipeline,
    clips: Examples,
    folds: NDArray[np.int64],
    how: Augment,
    *,
    seed: int,
    average: bool,
    jobs: int | None,
    progress: Progress | None,
    cache: EmbeddingCache | None,
) -> Altered:
    """Embed altered copies of clips; rows that the cache has aren't computed again.

    What is mixed into a clip is of its own fold, so that nothing of a clip is learnt that is judged later.
    """
    copies = _Copies(pipeline, clips, folds, _Way(how, seed, cache), _partners(clips, folds, seed, jobs))
    parts, of_clip = [], []
    for i, result in enumerate(run_each(copies.of_file, copies.of_stretches, clips.files, jobs)):
        for rows in [] if isinstance(result, Exception) else result:
            if len(rows) and np.isfinite(rows).all():
                parts.append(np.asarray(Mean()(rows)) if average else rows)
                of_clip += [i] * len(parts[-1])
        if progress is not None:
            progress("altered copies", i + 1, len(clips.files))
    (spec,) = pipeline.output_specs.values()
    empty = np.zeros((0, *spec.shape), np.float32)
    return Altered(np.concatenate([empty, *parts]), np.array(of_clip, dtype=np.int64))


def _partners(
    clips: Examples, folds: NDArray[np.int64], seed: int, jobs: int | None
) -> dict[int, list[_Partner]]:
    """Return the beginning of some clips of each fold, mono."""
    rng = np.random.default_rng(seed)
    chosen: list[int] = []
    for fold in np.unique(folds):
        chosen += sorted(rng.permutation(np.flatnonzero(folds == fold))[:_PARTNERS].tolist())
    read = run_each(_samples_of, _samples_of_stretches, [clips.files[i] for i in chosen], jobs)
    found: dict[int, list[_Partner]] = {}
    for i, result in zip(chosen, read, strict=True):
        if not isinstance(result, Samples):
            continue
        mono = result.values[: round(_PARTNER_S * result.sample_rate)].mean(axis=1, dtype=np.float32)
        one = _Partner(mono, result.sample_rate, str(clips.files[i]), clips.truth[i])
        found.setdefault(int(folds[i]), []).append(one)
    return found


def _sink(_: Segment, sample_rate: int, channels: int) -> Samples:
    return Samples(sample_rate, channels, most=round(_LONGEST_S * sample_rate))


def _samples_of(path: str) -> Samples:
    with AudioFile(path) as file:
        sink = Samples(file.sample_rate, file.channels, most=round(_LONGEST_S * file.sample_rate))
        for block in file.blocks():
            sink.feed(block)
            if file.samples_read >= sink.most:
                break
    return sink


def _samples_of_stretches(segments: Sequence[Segment]) -> list[Any]:
    return run_stretches(_sink, segments)


@dataclass(frozen=True)
class _Way:
    how: Augment
    seed: int
    cache: EmbeddingCache | None


class _Copies:
    """Makes altered copies of clips and embeds them, one clip's sound at a time."""

    def __init__(
        self,
        pipeline: Pipeline,
        clips: Examples,
        folds: NDArray[np.int64],
        way: _Way,
        partners: dict[int, list[_Partner]],
    ) -> None:
        self._pipeline, self._clips, self._folds = pipeline, clips, folds
        self._how, self._seed, self._cache = way.how, way.seed, way.cache
        self._partners = partners
        self._number = {file: i for i, file in reversed(list(enumerate(clips.files)))}

    def of_file(self, path: str) -> list[NDArray[np.float32]]:
        """Return the rows of a file's copies."""
        return self._kept(path) or self.made(path, _samples_of(path))

    def of_stretches(self, segments: Sequence[Segment]) -> list[Any]:
        """Return the rows of the copies of each stretch of a recording."""
        results: list[Any] = [self._kept(one) for one in segments]
        missing = [i for i, rows in enumerate(results) if rows is None]

        def open_(segment: Segment, sample_rate: int, channels: int) -> _Sink:
            return _Sink(self, segment, _sink(segment, sample_rate, channels))

        if missing:
            made = run_stretches(open_, [segments[i] for i in missing])
            for i, rows in zip(missing, made, strict=True):
                results[i] = rows
        return results

    def _kept(self, file: File) -> list[NDArray[np.float32]] | None:
        if self._cache is None:
            return None
        rows = [
            self._cache.load(self._cache.place(file, self._change(file, copy)))
            for copy in range(self._how.copies)
        ]
        held = [one for one in rows if one is not None]
        return held if len(held) == len(rows) else None

    def _rng(self, file: File, copy: int) -> np.random.Generator:
        name = hashlib.sha256(str(file).encode("utf-8", "surrogateescape")).digest()
        return np.random.default_rng([self._seed, copy, *name[:8]])

    def _partner(self, file: File, copy: int) -> _Partner | None:
        """Return a clip to mix in, of the same fold and of no common label."""
        i = self._number[file]
        own = self._clips.truth[i]
        fitting = [one for one in self._partners.get(int(self._folds[i]), []) if not (one.labels & own).any()]
        return fitting[int(self._rng(file, copy).integers(len(fitting)))] if fitting else None

    def _change(self, file: File, copy: int) -> tuple[Any, ...]:
        partner = self._partner(file, copy)
        how = {name: value for name, value in asdict(self._how).items() if name != "copies"}
        return ("augment", _VERSION, self._seed, copy, how, None if partner is None else partner.name)

    def made(self, file: File, samples: Samples) -> list[NDArray[np.float32]]:
        """Make the copies of a clip's sound, and return the rows of each."""
        made = []
        sound, rate = samples.values, samples.sample_rate
        for copy in range(self._how.copies):
            partner = self._partner(file, copy)
            mono = None
            if partner is not None:
                same = partner.sample_rate == rate
                resample = None if same else Resample(input_rate=partner.sample_rate, output_rate=rate)
                mono = partner.samples if resample is None else np.asarray(resample(partner.samples))
            changed = vary(sound, rate, self._how, self._rng(file, copy), mono)
            stream = self._pipeline.open(sample_rate=rate, channels=samples.channels)
            stream.feed(changed)
            rows = np.asarray(stream.finish())
            if self._cache is not None:
                keep(self._cache, self._cache.place(file, self._change(file, copy)), rows)
            made.append(rows)
        return made


class _Sink:
    """Takes a stretch's sound, and gives the rows of its copies at once, so that few sounds are held."""

    def __init__(self, copies: _Copies, segment: Segment, samples: Samples) -> None:
        self._copies, self._segment, self._samples = copies, segment, samples

    def feed(self, samples: NDArray[np.float32], /) -> None:
        """Take a block."""
        self._samples.feed(samples)

    def finish(self) -> list[NDArray[np.float32]]:
        """Return the rows of its copies."""
        return self._copies.made(self._segment, self._samples)
