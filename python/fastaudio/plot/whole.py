"""A whole recording over one axis of time: its waveform, its spectrogram, and what a model hears in it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastaudio.drawing.clock import length_text, time_axis
from fastaudio.drawing.figures import figure, shown, theme
from fastaudio.drawing.image import image
from fastaudio.drawing.waves import waveform
from fastaudio.events import Events
from fastaudio.kinds import judge_of
from fastaudio.pipeline import Pipeline
from fastaudio.plot.hatching import hatch
from fastaudio.plot.reading import Heard, read
from fastaudio.running.limits import limits
from fastaudio.tags import Tags

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from fastaudio._core import Cancel
    from fastaudio.decoding.audio_file import FileLike
    from fastaudio.running.whole import Progress

SIZE_PX = (1200, 800)
_DPI = 100
LEAST_PX, MOST_PX = 300, 10_000
_WAVES, _MEL, _HEARD = 1.0, 2.0, 2.4  # heights of the waveform, the spectrogram, and what the model hears
_LABEL_PX, _MOST_HEARD = 13, 7.0  # height of a label, so that it can be read; and of what the model hears


def recording(
    source: FileLike,
    pipeline: Pipeline,
    *,
    top: int = 10,
    kind: bool = True,
    dark: bool = False,
    size_px: tuple[int, int] = SIZE_PX,
    progress: Progress | None = None,
    timeout_s: float | None = None,
    cancel: Cancel | None = None,
) -> Figure:
    """Draw a file's waveform, its mel-spectrogram and its tags or events over one axis of time.

    The file is read once. A long one is drawn by the highest values of each stretch, and only these are kept,
    so hours of sound take no more memory than minutes, besides the tags themselves. All channels are in the
    waveform; the spectrogram shows their mean, as the model hears it, or the pipeline's `channel`.

    Args:
        source: a path, a binary file object or the bytes of a file.
        pipeline: gives tags or events; each of its outputs gets a panel.
        top: how many labels to draw.
        kind: whether stretches of sound that the model doesn't hear are hatched, if its card says that it
            hears one kind, such as music.
        dark: whether to draw on a dark page.
        size_px: width and height in pixels, from 300 to 10,000 each.
        progress: called with the seconds done and the total, which is None if unknown.
        timeout_s: seconds after which to give up; None for any time.
        cancel: ends the call when another thread cancels it.

    Returns:
        A figure of matplotlib; `figure.savefig("song.png")` writes it, `figure.axes` has its parts.

    Raises:
        MissingExtra: matplotlib isn't installed.
        DecodeError: the file can't be read.
        TypeError: it is no pipeline.
        ValueError: the pipeline gives neither tags nor events, or a size outside its range.
        TimedOut, Cancelled: it was ended early.
    """
    if not isinstance(pipeline, Pipeline):
        raise TypeError(
            f"plot.recording: expected a Pipeline, got {type(pipeline).__name__}; "
            "fastaudio.Pipeline.load(NAME) loads one"
        )
    if not all(spec.labels for spec in pipeline.output_specs.values()):
        raise ValueError(
            f"plot.recording: expected a pipeline that gives tags or events, got {pipeline!r:.160}; "
            "plot.spectrogram draws rows"
        )
    if len(size_px) != 2 or not all(LEAST_PX <= side <= MOST_PX for side in size_px):  # noqa: PLR2004
        raise ValueError(
            f"plot.recording: expected size_px as two numbers from {LEAST_PX} to {MOST_PX}, got {size_px}"
        )
    figure(1, 1, what="plot.recording")  # whether there is matplotlib is known before the work
    with limits("plot.recording", timeout_s, cancel):
        heard = read(source, pipeline, progress, judge_of(pipeline) if kind else None)
    return picture(heard, pipeline.name, top=top, dark=dark, size_px=size_px)


def picture(heard: Heard, model: str | None, *, top: int, dark: bool, size_px: tuple[int, int]) -> Figure:
    """Return the figure of a file that was read; see `recording`."""
    with theme(dark=dark):
        drawn: Figure = figure(size_px[0] / _DPI, size_px[1] / _DPI, dpi=_DPI, what="plot.recording")
        _draw(drawn, heard, model, top)
    return drawn


def _draw(drawn: Any, heard: Heard, model: str | None, top: int) -> None:
    results = heard.result if isinstance(heard.result, dict) else {"": heard.result}
    n_lines = sum(_n_lines(result, top // len(results)) for result in results.values())
    share = n_lines * _LABEL_PX / (drawn.get_size_inches()[1] * _DPI)
    heard_in = min(max(_HEARD, share * (_WAVES + _MEL) / max(1 - share, 0.1)), _MOST_HEARD)
    heights = [_WAVES, _MEL, *[heard_in / len(results)] * len(results)]
    panels = drawn.subplots(len(heights), 1, sharex=True, height_ratios=heights)
    panels[0].set_title(_title(heard, model), loc="left")
    waveform(panels[0], heard.envelope, heard.envelope_step_s, heard.duration_s)
    image(
        panels[1],
        heard.mel,
        "power",
        (0.0, heard.duration_s),
        span_s=len(heard.mel) * heard.mel_step_s,
        centres_hz=heard.centres_hz,
    )
    for panel, (name, result) in zip(panels[2:], results.items(), strict=True):
        if isinstance(result, Tags | Events):
            result.plot(panel, top=max(1, top // len(results)))
        if heard.kinds is not None:
            hatch(panel, heard.kinds, _end_s(result, heard.duration_s))
        panel.set_ylabel(shown(name))
    for panel in panels:
        time_axis(panel, 0.0, heard.duration_s, label=panel is panels[-1])
    for panel in panels[:-1]:
        panel.set_xlabel("")
    drawn.align_ylabels(panels[:2])


def _end_s(result: object, duration_s: float) -> float:
    """Return where the last window ends, after which no tags are drawn, or the file."""
    return float(result.times[-1, 1]) if isinstance(result, Tags) and len(result) else duration_s


def _n_lines(result: object, top: int) -> int:
    """Return how many labels are drawn."""
    if isinstance(result, Events):
        return min(top, len({event.label for event in result}))
    return min(top, len(result.labels)) if isinstance(result, Tags) else 0


def _title(heard: Heard, model: str | None) -> str:
    cut = ", cut short" if heard.truncated else ""
    by = f"  |  {shown(model)}" if model else ""
    return f"{shown(Path(heard.name).name, most=70)}  ({length_text(heard.duration_s)}{cut}){by}"
