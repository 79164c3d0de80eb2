"""Tags: the scores of labels over time, for one window or a whole signal."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from fastaudio._system.commas import csv_text
from fastaudio._system.frames import pandas_for, told_about
from fastaudio._system.indexing import count, item_index, label_index
from fastaudio._system.text import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import SupportsIndex

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

SCHEMA = "fastaudio.tags/1"
"""Name and version of the JSON and CSV forms; a change of meaning raises the number."""

CSV_COLUMNS = ("schema", "path", "truncated", "start_s", "end_s", "label", "score", "model")


_SHOWN = 3  # labels in a repr
_IN_NOTEBOOK = 10  # labels there
_WIDE = 100.0  # a score that large is no score; it gets few digits

IN_RANGE = (-1e-3, 1 + 1e-3)
"""Where scores may lie; the margin is for rounding."""

OUT_OF_RANGE = (
    "expected scores in [0, 1], got others, as of logits or cosines; "
    "Sigmoid, Softmax or MinMaxScale after the network makes them scores"
)
"""What a command says once of results whose `in_range` is false."""


@dataclass(frozen=True, eq=False)
class Window:
    """Scores of one stretch of the signal.

    Attributes:
        start_s, end_s: the stretch, in seconds from the start of the signal.
        scores: float32 [n_labels], as the network gives them.
        labels: names of the scores.
        gap_s: seconds of live sound lost just before it; 0 if provisional.
        provisional: whether it is an early result, from a shortened first clip of live sound.
        output: name of the output, if a live pipeline has several.
        model: name of the card, if a live pipeline has one.
        silent: whether its sound is below the pipeline's `silence_db`.
    """

    start_s: float
    end_s: float
    scores: NDArray[np.float32]
    labels: Sequence[str]
    gap_s: float = 0.0
    provisional: bool = False
    output: str = ""
    model: str | None = None
    silent: bool = False

    @property
    def finite(self) -> bool:
        """Whether all its scores are numbers; true of a silent window, whose scores don't count."""
        return self.silent or bool(np.isfinite(self.scores).all())

    @property
    def in_range(self) -> bool:
        """Whether all its finite scores are from 0 to 1; true of a silent window."""
        return self.silent or _in_range(self.scores)

    def top(self, k: int = 5) -> list[tuple[str, float]]:
        """Return the `k` highest scores with their labels, highest first; none of a silent window.

        Scores that aren't finite are left out.
        """
        k = count("Window.top", k)
        return [] if self.silent else _top(self.labels, self.scores, k)

    def text(self, k: int = 5, *, least: float | Mapping[str, float] | None = None) -> str:
        """Return its `k` highest scores from `least` up as text: "guitar 0.63, piano 0.10".

        `least` is for all labels, or gives each its own; with the latter, none is "(none)".
        A label with a comma or quotes stands in quotes. A silent window's text is "(silence)". Scores that
        aren't finite are left out, and it says so.
        """
        if self.silent:
            return "(silence)"
        best = [
            f"{quoted(label)} {score_text(score)}"
            for label, score in self.top(k)
            if least is None or score >= (least.get(label, 0.0) if isinstance(least, Mapping) else least)
        ]
        if not best and isinstance(least, Mapping):
            best = ["(none)"]
        return ", ".join(best if self.finite else [*best, "(not all scores are finite)"])

    def _repr_html_(self) -> str:
        from fastaudio.drawing import notebook  # noqa: PLC0415  # only a notebook asks for it

        title = f"Window {self.start_s:.2f}-{self.end_s:.2f} s" + (": silence" if self.silent else "")
        return notebook.page(title, notebook.scores(self.top(_IN_NOTEBOOK), score_text))

    def _repr_png_(self) -> bytes | None:
        from fastaudio.drawing import notebook, score_bars  # noqa: PLC0415  # only a notebook asks for it

        best = self.top(_IN_NOTEBOOK)
        return notebook.picture(lambda ax: score_bars.score_bars(ax, best, self.silent), 6, 2.6)

    def __repr__(self) -> str:
        more = ", ..." if not self.silent and len(self.labels) > _SHOWN else ""
        return f"<Window {self.start_s:.2f}-{self.end_s:.2f} s: {self.text(_SHOWN)}{more}>"


@dataclass(frozen=True, eq=False)
class Tags:
    """Scores of a whole signal, one row per window.

    `tags[0]` is a `Window`, `tags[2:4]` are the tags of these windows, and `tags["guitar"]` are one label's
    scores over time, float32 [n_windows].

    Attributes:
        labels: names of the scores.
        scores: float32 [n_windows, n_labels], as the network gives them; an empty signal has no windows.
        times: float64 [n_windows, 2], start and end of each window in seconds.
        duration_s: length of the signal.
        truncated: whether the file was cut short: its header states more, or it broke off.
        path: the file's path, or the name that a file object states; None without one.
        model: name of the card, if there is one.
        silent: bool [n_windows], which windows' sound is below the pipeline's `silence_db`.
    """

    labels: Sequence[str]
    scores: NDArray[np.float32]
    times: NDArray[np.float64]
    duration_s: float
    truncated: bool = False
    path: str | None = None
    model: str | None = None
    silent: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, dtype=np.bool_))

    def __post_init__(self) -> None:
        if len(self.silent) == 0:  # not told: none is
            object.__setattr__(self, "silent", np.zeros(len(self.scores), dtype=np.bool_))

    @property
    def finite(self) -> bool:
        """Whether all scores of windows that aren't silent are numbers."""
        return bool(np.isfinite(self.scores[~self.silent]).all())

    @property
    def in_range(self) -> bool:
        """Whether all finite scores of windows that aren't silent are from 0 to 1; logits aren't."""
        return _in_range(self.scores[~self.silent])

    def __len__(self) -> int:
        return len(self.scores)

    @overload
    def __getitem__(self, index: SupportsIndex) -> Window: ...
    @overload
    def __getitem__(self, index: slice) -> Tags: ...
    @overload
    def __getitem__(self, index: str) -> NDArray[np.float32]: ...
    def __getitem__(self, index: SupportsIndex | slice | str) -> Window | Tags | NDArray[np.float32]:
        """Return a window by its number, the tags of a slice of windows, or a label's scores over time.

        Raises:
            IndexError: there is no such window.
            KeyError: there is no such label.
            TypeError: the index is none of these.
        """
        if isinstance(index, str):
            return self.scores[:, label_index("Tags", self.labels, index)]
        if isinstance(index, slice):
            part = {name: getattr(self, name)[index] for name in ("scores", "times", "silent")}
            return replace(self, **part)
        i = item_index("Tags", index, len(self))
        start_s, end_s = self.times[i].tolist()
        return Window(start_s, end_s, self.scores[i], self.labels, silent=bool(self.silent[i]))

    def __iter__(self) -> Iterator[Window]:
        return (self[i] for i in range(len(self)))

    def __repr__(self) -> str:
        best = ", ".join(f"{quoted(label)} {score:.2f}" for label, score in self.top(_SHOWN))
        best = "silence" if self._all_silent else best
        cut = ", truncated" if self.truncated else ""
        return f"<Tags: {len(self)} windows, {self.duration_s:.2f} s{cut}: {best}>"

    @property
    def _all_silent(self) -> bool:
        return len(self.silent) > 0 and bool(self.silent.all())

    def mean(self) -> NDArray[np.float32]:
        """Return the mean score of each label over all windows, float32 [n_labels].

        Silent windows count like all others. Scores that aren't finite are left out; a label that has no
        others gets NaN. Without a window, the mean is 0.
        """
        if len(self.scores) == 0:
            return np.zeros(len(self.labels), dtype=np.float32)
        known = np.isfinite(self.scores)
        if known.all():
            mean: NDArray[np.float32] = self.scores.mean(axis=0, dtype=np.float64).astype(np.float32)
            return mean
        count = known.sum(axis=0)
        total = np.where(known, self.scores, 0).sum(axis=0, dtype=np.float64)
        return np.where(count > 0, total / np.maximum(count, 1), np.nan).astype(np.float32)

    def top(self, k: int = 5) -> list[tuple[str, float]]:
        """Return the `k` highest mean scores with their labels, highest first.

        It is empty if there is no window, or if all are silent. A mean that isn't finite is left out.
        """
        k = count("Tags.top", k)
        return [] if self._all_silent or not len(self) else _top(self.labels, self.mean(), k)

    def to_dict(self, *, top: int | None = None, windows: bool = False) -> dict[str, Any]:
        """Return plain data for JSON; a score that isn't finite is None.

        Args:
            top: how many labels to keep, highest first; None keeps all.
            windows: whether to add the scores of each window.
        """
        k = len(self.labels) if top is None else top
        none = self._all_silent or not len(self)
        data: dict[str, Any] = {
            "schema": SCHEMA,
            "path": self.path,
            "model": self.model,
            "duration_s": round(self.duration_s, 6),
            "truncated": self.truncated,
            "silent": self._all_silent,
            "finite": self.finite,
            "tags": [] if none else _plain(self.labels, self.mean(), k),
        }
        if windows:
            data["windows"] = [
                {
                    "start_s": round(one.start_s, 6),
                    "end_s": round(one.end_s, 6),
                    "silent": one.silent,
                    "tags": [] if one.silent else _plain(self.labels, one.scores, k),
                }
                for one in self
            ]
        return data

    def to_json(self, *, top: int | None = None, windows: bool = False) -> str:
        """Return one line of JSON."""
        return json.dumps(self.to_dict(top=top, windows=windows), ensure_ascii=False)

    def to_jsonl(self, *, top: int | None = None) -> str:
        """Return one line of JSON per window: path, model, truncated, start_s, end_s and its tags."""
        data = self.to_dict(top=top, windows=True)
        common = {key: data[key] for key in ("schema", "path", "model", "truncated")}
        lines = [json.dumps(common | window, ensure_ascii=False) for window in data["windows"]]
        return "".join(line + "\n" for line in lines)

    def to_csv(self, *, top: int | None = None, windows: bool = False, header: bool = True) -> str:
        """Return CSV with one row per label, for the whole signal or for each window."""
        data = self.to_dict(top=top, windows=windows)
        whole = {"start_s": 0.0, "end_s": data["duration_s"], "tags": data["tags"]}
        rows: list[Sequence[object]] = [CSV_COLUMNS] if header else []
        for part in data["windows"] if windows else [whole]:
            for tag in part["tags"]:
                row = (part["start_s"], part["end_s"], tag["label"], tag["score"])
                rows.append((SCHEMA, self.path, str(self.truncated).lower(), *row, self.model))
        return csv_text(rows)

    def to_pandas(self) -> Any:
        """Return a DataFrame of pandas with a row per window and a column per label.

        Its index has the levels start_s and end_s, in seconds. Silent windows have NaN, since their scores
        don't count. `attrs` has path, model, duration_s and truncated.

        Raises:
            MissingExtra: pandas isn't installed.
        """
        pandas = pandas_for("Tags.to_pandas")
        index = pandas.MultiIndex.from_arrays(self.times.T, names=["start_s", "end_s"])
        scores = np.where(self.silent[:, None], np.float32("nan"), self.scores)
        return told_about(pandas.DataFrame(scores, index=index, columns=list(self.labels)), self)

    def plot(
        self, ax: Axes | None = None, *, top: int = 10, vmax: float | None = None, colorbar: bool = True
    ) -> Axes:
        """Draw the scores over time as a heat map, and return the axes; needs the extra [plot].

        A window's column stands around the middle of what it heard; the first and the last reach to the ends
        of what they heard. Windows that are silent, and scores that
        aren't finite, are grey. With more than 2,048 windows, each column has the highest score of several.

        Args:
            ax: where to draw; None for a new figure of pyplot.
            top: how many labels to draw, those whose highest score is highest.
            vmax: the score at which the colours end; None for the highest one.
            colorbar: whether to add the bar that says what the colours mean.

        Raises:
            MissingExtra: matplotlib isn't installed.
        """
        from fastaudio.drawing import clock, figures, heat_map  # noqa: PLC0415  # most programs never draw

        top = count("Tags.plot", top)
        ax = figures.axes(ax, "Tags.plot", size=(9, 1.2 + 0.26 * min(top, len(self.labels))))
        scores = np.where(self.silent[:, None], np.float32("nan"), self.scores)
        limits = clock.limits_of(self.times, self.duration_s)
        empty = "no windows" if not len(self) else "silence" if self._all_silent else "no score is finite"
        if len(self) and not self.labels:
            empty = "no label to draw"
        how: dict[str, Any] = {"top": top, "vmax": vmax, "colorbar": colorbar, "empty": empty}
        heat_map.heat_map(ax, scores, self.times, self.labels, limits, **how)
        return ax

    def _repr_html_(self) -> str:
        from fastaudio.drawing import notebook  # noqa: PLC0415  # only a notebook asks for it

        title = notebook.title("Tags", self, "windows", "silence" if self._all_silent else "")
        best = notebook.scores(self.top(_IN_NOTEBOOK), score_text)
        return notebook.page(title, best, image=self._repr_png_(), alt="the scores over time")

    def _repr_png_(self) -> bytes | None:
        from fastaudio.drawing import notebook  # noqa: PLC0415  # only a notebook asks for it

        return notebook.picture(self.plot, 9, 1.2 + 0.26 * min(_IN_NOTEBOOK, len(self.labels)))


def _in_range(scores: NDArray[np.float32]) -> bool:
    known = scores[np.isfinite(scores)]
    return bool(((known >= IN_RANGE[0]) & (known <= IN_RANGE[1])).all())


def score_text(score: float) -> str:
    """Return a score with two decimals, or short if it is far from what scores are: 2e+06."""
    return f"{score:.2f}" if abs(score) < _WIDE else f"{score:.3g}"


def _ranked(scores: NDArray[np.float32]) -> list[int]:
    """Return indices of scores, highest first; those that aren't finite come last."""
    known = np.where(np.isfinite(scores), scores, -np.inf)
    order: list[int] = np.argsort(-known, kind="stable").tolist()
    return order


def _top(labels: Sequence[str], scores: NDArray[np.float32], k: int) -> list[tuple[str, float]]:
    pairs = ((labels[i], float(scores[i])) for i in _ranked(scores)[:k])
    return [(label, score) for label, score in pairs if math.isfinite(score)]


def _plain(labels: Sequence[str], scores: NDArray[np.float32], k: int) -> list[dict[str, Any]]:
    pairs = ((labels[i], float(scores[i])) for i in _ranked(scores)[: max(k, 0)])
    return [
        {"label": label, "score": round(score, 6) if math.isfinite(score) else None} for label, score in pairs
    ]
