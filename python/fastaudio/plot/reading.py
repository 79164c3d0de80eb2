"""A file of any length read once: what is drawn of it, in bounded memory."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fastaudio._core import MelSpectrogram
from fastaudio.drawing.thinning import Highest
from fastaudio.drawing.waves import envelope_rows
from fastaudio.kinds import split
from fastaudio.pipeline import Pipeline
from fastaudio.plot.bands import centres_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from fastaudio import kinds
    from fastaudio.decoding.audio_file import FileLike
    from fastaudio.running.stream import Result
    from fastaudio.running.whole import Progress

_FRAME_S = 0.046
_LEAST_FRAME, _MOST_FRAME = 32, 65_536
_MOST_BANDS = 128


@dataclass(frozen=True, eq=False)
class Heard:
    """A file, heard once.

    Attributes:
        envelope: -lowest and highest sample of each stretch [n, 2].
        envelope_step_s: length of a stretch.
        mel: power of mel bands [n, n_mels], the highest of each stretch.
        mel_step_s: length of such a stretch.
        centres_hz: the bands' frequencies [n_mels].
        result: what the pipeline gave for the whole file.
        name: the file's name.
        duration_s: seconds of sound.
        truncated: whether the file was cut short.
        kinds: what kind of sound it is, if the model hears one kind only and that was asked for.
    """

    envelope: NDArray[np.float32]
    envelope_step_s: float
    mel: NDArray[np.float32]
    mel_step_s: float
    centres_hz: NDArray[np.float64]
    result: Result
    name: str
    duration_s: float
    truncated: bool
    kinds: kinds.Heard | None = None


def mel_for(sample_rate: int) -> MelSpectrogram:
    """Return a mel-spectrogram for sound of any rate: frames of about 46 ms, half as far apart."""
    n_fft = 2 ** round(math.log2(_FRAME_S * sample_rate))
    n_fft = min(max(n_fft, _LEAST_FRAME), _MOST_FRAME)
    n_mels = min(_MOST_BANDS, n_fft // 8)
    return MelSpectrogram(sample_rate=sample_rate, n_fft=n_fft, hop_length=n_fft // 2, n_mels=n_mels)


def read(
    source: FileLike, pipeline: Pipeline, progress: Progress | None, judge: kinds.Judge | None = None
) -> Heard:
    """Run over a file once; see `Heard`, and `Pipeline.__call__` for what it raises.

    With a judge of the pipeline's kinds, that says what kind of sound it is.
    """
    with (judge.pipeline if judge else pipeline).opened(source) as (file, stream):
        mel = mel_for(file.sample_rate)
        spectra: Any = Pipeline(mel, channel=pipeline.channel).open(
            sample_rate=file.sample_rate, channels=file.channels
        )
        stream.name = spectra.name = file.name
        waves, bands = Highest(2), Highest(mel.n_mels)
        for block in file.blocks():
            heard = block if pipeline.channel is None else block[:, pipeline.channel]
            waves.push(envelope_rows(heard))
            with file.decode_errors():
                bands.push(spectra.push(block))
                stream.feed(block)
            if progress is not None:
                progress(stream.duration_s, file.duration_s)
        bands.push(spectra.flush())
        result: Any = stream.finish(path=file.path, truncated=file.truncated)
        kinds_heard = None
        if judge is not None:
            (result,), kinds_heard = split(judge, result)
        return Heard(
            waves.columns(),
            waves.step / file.sample_rate,
            bands.columns(),
            bands.step * mel.hop_length / file.sample_rate,
            centres_of(mel),
            result,
            file.name,
            stream.duration_s,
            file.truncated,
            kinds_heard,
        )
