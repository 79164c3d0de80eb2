"""Reads the beginnings of files and of stretches of them, as trainers learn from them."""

from collections.abc import Iterator, Sequence

import fastaudio as fa
import numpy as np
from fastaudio.decoding.audio_file import AudioFile
from fastaudio.labelled import cutting
from fastaudio.labelled.segment import File, Segment
from instruments import RATE_HZ
from numpy.typing import NDArray


def beginnings(files: Sequence[File], longest_s: int) -> Iterator[cutting.Samples | Exception]:
    """Yield the sound of each file or stretch, at most so many seconds of it, or the error that it met."""

    def sink(_: Segment, sample_rate: int, channels: int) -> cutting.Samples:
        return cutting.Samples(sample_rate, channels, most=longest_s * sample_rate)

    def stretches(segments: Sequence[Segment]) -> Sequence[object]:
        return cutting.run_stretches(sink, segments)

    def whole(path: str) -> cutting.Samples:
        with AudioFile(path) as file:
            held = sink(Segment(path, 0, 1), file.sample_rate, file.channels)
            for block in file.blocks():
                held.feed(block)
                if file.samples_read >= held.most:
                    break
        return held

    return cutting.run_each(whole, stretches, files, 1)


def mono(sound: cutting.Samples) -> NDArray[np.float32]:
    """Return the mean of the channels at 16 kHz."""
    samples = sound.values.mean(axis=1, dtype=np.float32)
    if sound.sample_rate == RATE_HZ or not len(samples):
        return samples
    return np.asarray(fa.Resample(input_rate=sound.sample_rate, output_rate=RATE_HZ)(samples))
