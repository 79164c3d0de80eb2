"""Loading and resampling: `load`, `resample`."""

from __future__ import annotations

import math
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from fastaudio._core import Mono, Node, Resample, StreamSpec
from fastaudio.decoding.audio_file import AudioFile
from fastaudio.librosa._arguments import (
    audio,
    dtype_only,
    integral,
    one_of,
    public,
    refuse_if_not_finite,
    tell,
)
from fastaudio.librosa._nodes import chain, frames_of, node

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import DTypeLike, NDArray

    from fastaudio.decoding.audio_file import FileLike
    from fastaudio.librosa._arguments import Rows

_LOWEST_RATE = 100  # Resample takes none below, in Hz
# They reject aliases by 121 dB (high), 134 dB (best) and 69 dB (fast); SoX's hq by 137, mq by 117, lq by 109.
_QUALITIES = {"soxr_hq": "high", "soxr_vhq": "best", "soxr_mq": "high", "soxr_lq": "high", "soxr_qq": "fast"}


@public("load", output_rate="sr")
def load(
    path: FileLike,
    *,
    sr: float | None = 22050,
    mono: bool = True,
    offset: float = 0.0,
    duration: float | None = None,
    dtype: DTypeLike = np.float32,
    res_type: str = "soxr_hq",
) -> tuple[NDArray[np.float32], float]:
    """Return a file's samples and their rate: [n_samples], or [channels, n_samples] if not mono.

    The file is decoded, mixed and resampled in blocks; it is never held whole at its own rate.

    Raises:
        DecodeError: the file can't be read; it is an OSError with `path` and `reason`.
    """
    dtype_only(np.float32, dtype)
    quality = one_of("res_type", res_type, _QUALITIES)
    if offset < 0 or (duration is not None and duration < 0):
        raise ValueError(f"expected offset and duration of at least 0 s, got {offset} and {duration}")
    if hasattr(path, "samplerate"):  # one of soundfile's or audioread's, which is open and at some place
        raise NotImplementedError(
            f"expected path to a file, or a file object, got {tell(path)}; give its name"
        )
    with _left_in_place(path), AudioFile(path) as file:
        rate = file.sample_rate
        target = rate if sr is None else integral("sr", sr)
        start = int(offset * rate)
        stop = None if duration is None else start + int(duration * rate)
        step: Node | None = None
        if target != rate:
            step = node(Resample, input_rate=rate, output_rate=target, quality=quality)
        mixed = mono and file.channels > 1
        if mixed:
            mix = node(Mono, channels=file.channels)
            step = mix if step is None else chain(mix, step)
        taken = 0

        def counted() -> Iterator[Rows]:
            nonlocal taken
            for block in _between(file.blocks(), start, stop):
                taken += len(block)
                yield block

        lanes = [...] if mixed else [(slice(None), channel) for channel in range(file.channels)]
        spec = StreamSpec(rate_hz=rate, shape=[file.channels] if mixed else [])
        channels = _run(step, spec, lanes, counted())
    samples = channels[0] if len(channels) == 1 else np.stack(channels)
    return _of_length(samples, math.ceil(taken * (target / rate))), rate if sr is None else sr


@public("resample")
def resample(
    y: NDArray[Any],
    *,
    orig_sr: float,
    target_sr: float,
    res_type: str = "soxr_hq",
    fix: bool = True,
    scale: bool = False,
    axis: int = -1,
) -> NDArray[np.float32]:
    """Change the rate along `axis`, which then has ceil(n_samples * target_sr / orig_sr) samples.

    `res_type` soxr_vhq is `fastaudio.Resample`'s quality "best"; soxr_hq, soxr_mq and soxr_lq are "high",
    which rejects aliases by 120 dB; soxr_qq is "fast".
    """
    quality = one_of("res_type", res_type, _QUALITIES)
    rates = [integral("orig_sr", orig_sr), integral("target_sr", target_sr)]
    if 0 < min(rates) < _LOWEST_RATE:  # only their ratio matters
        rates = [rate * math.ceil(_LOWEST_RATE / min(rates)) for rate in rates]
    y = audio(np.moveaxis(y, axis, -1) if isinstance(y, np.ndarray) and y.ndim else y)
    out = y
    if rates[0] == rates[1]:
        refuse_if_not_finite(y)
    else:
        out = frames_of(node(Resample, input_rate=rates[0], output_rate=rates[1], quality=quality), y, 1)
        ratio = float(target_sr) / orig_sr
        n = math.ceil(y.shape[-1] * ratio) if fix else int(y.shape[-1] * ratio + 0.5)  # SoX's own number
        out = _of_length(out, n)
        if scale:
            out = out / np.float32(math.sqrt(float(target_sr) / orig_sr))
    return np.moveaxis(out, -1, axis) if out.ndim > 1 else out


@contextmanager
def _left_in_place(source: Any) -> Iterator[None]:
    """Move a file object back if reading it fails, so that librosa can read it too."""
    seekable = getattr(source, "seekable", None)
    place = source.tell() if seekable and seekable() else None
    try:
        yield
    except Exception:
        if place is not None:
            source.seek(place)
        raise


def _of_length(samples: Rows, n: int) -> Rows:
    """Cut or pad to librosa's number of samples, which rounding of floats may make one too large."""
    missing = max(0, n - samples.shape[-1])
    if missing == 0:
        return samples[..., :n]
    return np.pad(samples, [(0, 0)] * (samples.ndim - 1) + [(0, missing)])


def _between(blocks: Iterator[Rows], start: int, stop: int | None) -> Iterator[Rows]:
    """Yield the samples from start to stop in blocks; nothing after them is decoded."""
    at = 0
    for block in blocks:
        if stop is not None and at >= stop:
            return
        part = block[max(0, start - at) : None if stop is None else stop - at]
        at += len(block)
        if len(part):
            yield part


def _run(step: Node | None, spec: StreamSpec, lanes: list[Any], blocks: Iterator[Rows]) -> list[Rows]:
    """Return the samples of each lane, an index into blocks, after running them through the node, if any."""
    streams: list[Any] = [step.open(spec) if step else None for _ in lanes]
    parts: list[list[Rows]] = [[np.empty(0, dtype=np.float32)] for _ in lanes]
    for block in blocks:
        for lane, stream, done in zip(lanes, streams, parts, strict=True):
            piece = block[lane].copy()  # the decoder will reuse the block
            done.append(stream.push(piece) if stream else piece)
    for stream, done in zip(streams, parts, strict=True):
        if stream:
            done.append(stream.flush())
    return [np.concatenate(done) for done in parts]
