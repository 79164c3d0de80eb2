"""Pictures of samples, and of rows over time."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from fastaudio._core import StreamSpec
from fastaudio.drawing.figures import axes
from fastaudio.drawing.image import image
from fastaudio.drawing.thinning import thinned
from fastaudio.drawing.waves import envelope_rows
from fastaudio.drawing.waves import waveform as draw_waveform
from fastaudio.pipeline import Pipeline
from fastaudio.plot.bands import centres_behind

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike, NDArray

_MOST_CHANNELS = 1024
_MOST_VALUES = 1024  # in a row: more than the pixels of its height
_FULL_SCALE = {"int16": 32_768.0, "int32": 2_147_483_648.0}


def waveform(samples: ArrayLike, sample_rate: float, ax: Axes | None = None) -> Axes:
    """Draw samples over time, and return the axes.

    Of many samples, and of several channels, the lowest and the highest value are drawn, so that no peak and
    no click is lost.

    Args:
        samples: [n_samples] or [n_samples, channels]; floats as they are, int16 and int32 with full scale 1.
        sample_rate: their rate in Hz.
        ax: where to draw; None for a new figure of pyplot.

    Raises:
        MissingExtra: matplotlib isn't installed.
        TypeError, ValueError: samples of a wrong type or shape, not finite, or a rate that isn't above 0.
    """
    values = np.asarray(samples)
    if values.dtype.kind != "f" and values.dtype.name not in _FULL_SCALE:
        raise TypeError(f"plot.waveform: expected samples as floats, int16 or int32, got {values.dtype}")
    if values.ndim not in (1, 2) or values.shape[-1:] == (0,) != values.shape:
        raise ValueError(f"plot.waveform: expected samples [n] or [n, channels], got {values.shape}")
    if values.ndim == 2 and values.shape[1] > max(_MOST_CHANNELS, len(values)):  # noqa: PLR2004
        raise ValueError(f"plot.waveform: expected [n_samples, channels], got {values.shape}; pass samples.T")
    if not 0 < sample_rate < np.inf:
        raise ValueError(f"plot.waveform: expected a sample_rate above 0 Hz, got {sample_rate}")
    values = values.astype(np.float32) / np.float32(_FULL_SCALE.get(values.dtype.name, 1.0))
    if not np.isfinite(values).all():
        raise ValueError("plot.waveform: expected finite samples, got NaN or infinity; use numpy.nan_to_num")
    ax = axes(ax, "plot.waveform", size=(9, 2))
    envelope, step = thinned(envelope_rows(values))
    draw_waveform(ax, envelope, step / sample_rate, len(values) / sample_rate)
    return ax


def spectrogram(
    rows: NDArray[np.floating],
    spec: StreamSpec | Pipeline,
    ax: Axes | None = None,
    *,
    range_db: float = 80.0,
    colorbar: bool = True,
) -> Axes:
    """Draw rows over time as an image, the first value at the bottom, and return the axes.

    Power and magnitude are drawn in dB relative to the highest value, other rows as they are. The y axis is
    in Hz for spectra, and for mel bands if `spec` is their pipeline. Of more than 2,048 rows, each column
    shows the highest of several.

    >>> import fastaudio as fa
    >>> from fastaudio import plot
    >>> mel = fa.Pipeline(fa.MelSpectrogram(sample_rate=16_000, n_fft=512, hop_length=256, n_mels=96))
    >>> draw = lambda file: plot.spectrogram(mel(file), mel)

    Args:
        rows: [n_rows, n_values].
        spec: the pipeline that gave them, or what it says of its rows, such as `pipeline.output_specs[""]`.
        ax: where to draw; None for a new figure of pyplot.
        range_db: how far below the highest value the colours of dB end.
        colorbar: whether to add the bar that says what the colours mean.

    Raises:
        MissingExtra: matplotlib isn't installed.
        TypeError, ValueError: rows that `spec` doesn't describe, one row for the whole signal, or another
            `range_db`.
    """
    if not isinstance(spec, StreamSpec | Pipeline):
        got = type(spec).__name__
        raise TypeError(f"plot.spectrogram: expected spec as a StreamSpec or a Pipeline, got {got}")
    if not 0 < range_db < math.inf:
        raise ValueError(f"plot.spectrogram: expected range_db above 0 dB and finite, got {range_db!r:.80}")
    what = _spec_of(spec)
    values = _checked(rows, what)
    ax = axes(ax, "plot.spectrogram", size=(9, 3.4))
    centres = centres_behind(spec.node) if isinstance(spec, Pipeline) else None
    n = len(values)
    values, step = thinned(values)
    bands, n_together = thinned(values.T, _MOST_VALUES)
    image(
        ax,
        bands.T,
        what.unit,
        (0.0, n / what.rate_hz),
        span_s=len(values) * step / what.rate_hz,
        bin_hz=what.bin_hz * n_together,
        centres_hz=centres if n_together == 1 else None,
        range_db=range_db,
        colorbar=colorbar,
    )
    return ax


def _spec_of(spec: StreamSpec | Pipeline) -> StreamSpec:
    if isinstance(spec, StreamSpec):
        return spec
    outputs = list(spec.output_specs.items())
    if len(outputs) > 1:
        names = ", ".join(repr(name) for name, _ in outputs)
        raise ValueError(
            f"plot.spectrogram: expected a pipeline with one output, got {names:.80}; "
            f"pass pipeline.output_specs[{outputs[0][0]!r}] with its rows"
        )
    return outputs[0][1]


def _checked(rows: Any, spec: StreamSpec) -> NDArray[np.float32]:
    """Return rows [n_rows, n_values] that `spec` describes."""
    if not isinstance(rows, np.ndarray) or rows.dtype.kind != "f":
        got = rows.dtype if isinstance(rows, np.ndarray) else type(rows).__name__
        raise TypeError(f"plot.spectrogram: expected rows as an array of floats, got {got}")
    if len(spec.shape) != 1 or spec.rate_hz == 0:
        raise ValueError(f"plot.spectrogram: expected rows of one axis over time, got {spec!r}")
    if rows.ndim != 2 or rows.shape[1:] != spec.shape:  # noqa: PLR2004
        remedy = "; pass rows.T" if rows.shape[:1] == spec.shape and rows.ndim == 2 else ""  # noqa: PLR2004
        raise ValueError(
            f"plot.spectrogram: expected rows [n_rows, {spec.shape[0]}], got {rows.shape}{remedy}"
        )
    return rows.astype(np.float32, copy=False)
