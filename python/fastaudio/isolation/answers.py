"""Checks of what an isolated process answers: whatever isn't as it must be is an IsolationError."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from fastaudio import _core
from fastaudio._system.text import printable
from fastaudio.decoding.sources import DecodeError
from fastaudio.isolation.wire import LARGEST_HEADER, IsolationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from fastaudio.isolation.wire import Message

_KINDS = ("samples", "spectrum", "scores", "events", "rows")
_LONGEST_MESSAGE, _LONGEST_NAME = 4000, 1000  # of an error
_LONGEST_DRAWING = 1 << 20
_MOST_OUTPUTS = 4000
_MOST_VALUES = 1 << 28
_EVENT_COLUMNS = 6
_MOST_RATE_HZ = 1e9
_OTHERS = (
    ValueError,
    TypeError,
    OverflowError,
    IndexError,
    KeyError,
    RuntimeError,
    NotImplementedError,
    OSError,
)
_CORES = {
    name: kind
    for name, kind in vars(_core).items()
    if isinstance(kind, type) and issubclass(kind, _core.FastaudioError)
}
_ERRORS: dict[str, type[Exception]] = {
    **{kind.__name__: kind for kind in (DecodeError, ZeroDivisionError, *_OTHERS)},
    **{name: kind for name, kind in _CORES.items() if name not in ("Cancelled", "TimedOut")},
}
"""Errors that come back as what they are."""


class WrongAnswer(IsolationError):  # noqa: N818  # named for what is wrong
    """An answer that can't be right, or is more than may be told.

    Attributes:
        expected: what there should be.
    """

    def __init__(self, expected: str) -> None:
        """Say what there should be."""
        super().__init__(
            f"isolation: expected {expected} from the process, got something else; "
            "the file or the model may be an attack"
        )
        self.expected = expected


def wrong(expected: str) -> NoReturn:
    """Raise the error for an answer that can't be right."""
    raise WrongAnswer(expected)


def whole(value: Any, name: str, least: int = 0, most: int = 1 << 53) -> int:
    """Return a whole number within bounds."""
    if type(value) is not int or not least <= value <= most:
        wrong(f"{name} as a whole number from {least} to {most}")
    return value


def number(value: Any, name: str, *, most: float = math.inf) -> float:
    """Return a number from 0 to `most`."""
    if type(value) not in (int, float) or not 0 <= value <= most:
        wrong(f"{name} as a number from 0 to {most:g}")
    return float(value)


def truth(value: Any, name: str) -> bool:
    """Return True or False."""
    if type(value) is not bool:
        wrong(f"{name} as true or false")
    return value


def text(value: Any, name: str, longest: int = LARGEST_HEADER) -> str:
    """Return a text as it is, such as a label: who shows it makes it printable."""
    if type(value) is not str or len(value) > longest:
        wrong(f"{name} as a text of at most {longest} characters")
    return value


def shown(value: Any, name: str, longest: int) -> str:
    """Return a text that is shown as it is, so that no escape sequence of a terminal is left in it."""
    return printable(text(value, name, longest), lines=True)


def drawing(value: Any, name: str) -> str:
    """Return a text to show that may be as long as a diagram."""
    return shown(value, name, _LONGEST_DRAWING)


def texts(value: Any, name: str) -> tuple[str, ...]:
    """Return several texts."""
    if type(value) is not list:
        wrong(f"{name} as a list")
    return tuple(text(one, name) for one in value)


@dataclass(frozen=True, repr=False)
class RowSpec:
    """What comes out, as the process stated it; the attributes are those of `StreamSpec`."""

    rate_hz: float
    shape: tuple[int, ...]
    unit: str
    kind: str
    labels: list[str]
    latency_s: float
    span_s: float
    bin_hz: float
    shown: str

    @property
    def once(self) -> bool:
        """Whether one row comes at the end."""
        return self.rate_hz == 0

    def __repr__(self) -> str:
        return self.shown


def specs(value: Any) -> dict[str, RowSpec]:
    """Return the specs of all outputs."""
    if type(value) is not list or not 0 < len(value) <= _MOST_OUTPUTS:
        wrong(f"from 1 to {_MOST_OUTPUTS} outputs")
    found = dict(_spec(one) for one in value)
    if len(found) != len(value):
        wrong("outputs of different names")
    return found


def _spec(data: Any) -> tuple[str, RowSpec]:
    if type(data) is not dict:
        wrong("an output as an object")
    shape = data.get("shape")
    if (
        type(shape) is not list
        or math.prod(whole(size, "shape", 1, _MOST_VALUES) for size in shape) > _MOST_VALUES
    ):
        wrong(f"outputs of at most {_MOST_VALUES} values in a row")
    kind = data.get("kind")
    if kind not in _KINDS:
        wrong("an output's kind")
    labels = list(texts(data.get("labels"), "labels"))
    # Rows of scores may have a mark at their end, whether their window is silent.
    fit = {"scores": [[len(labels)], [len(labels) + 1]], "events": [[_EVENT_COLUMNS]] if labels else []}
    if shape not in fit.get(kind, [shape]):
        wrong("labels that fit their rows")
    spec = RowSpec(
        rate_hz=number(data.get("rate_hz"), "rate_hz", most=_MOST_RATE_HZ),
        shape=tuple(shape),
        unit=text(data.get("unit"), "unit"),
        kind=kind,
        labels=labels,
        latency_s=number(data.get("latency_s"), "latency_s"),
        span_s=number(data.get("span_s"), "span_s"),
        bin_hz=number(data.get("bin_hz"), "bin_hz"),
        shown=drawing(data.get("repr"), "repr"),
    )
    return text(data.get("name"), "name"), spec


@dataclass(frozen=True)
class Told:
    """What a process states of the pipeline that it has built."""

    outputs: dict[str, RowSpec]
    rate_hz: float
    layers: tuple[str, ...]
    receptive_field_s: float
    repr: str
    str: str


def told(fields: Mapping[str, Any]) -> Told:
    """Return what a process states of its pipeline."""
    given = fields.get("input")
    return Told(
        outputs=specs(fields.get("outputs")),
        rate_hz=number(given.get("rate_hz") if type(given) is dict else None, "rate_hz", most=_MOST_RATE_HZ),
        layers=texts(fields.get("layers"), "layers"),
        receptive_field_s=number(fields.get("receptive_field_s"), "receptive_field_s"),
        repr=drawing(fields.get("repr"), "repr"),
        str=drawing(fields.get("str"), "str"),
    )


def check_rows(message: Message, outputs: Mapping[str, RowSpec], most_bytes: int) -> None:
    """Check the layout of a message's rows, before any of them is allocated."""
    if len(message.layout) != len(outputs):
        wrong("rows of each output")
    for (kind, shape), spec in zip(message.layout, outputs.values(), strict=True):
        if kind != "float32" or not shape or shape[1:] != spec.shape:
            wrong("rows of the shape that was stated")
    if message.n_bytes > most_bytes:
        raise IsolationError(
            f"isolation: expected at most {most_bytes / 1e6:.0f} MB more of results, got "
            f"{message.n_bytes / 1e6:.0f} MB; raise result_mb of Limits if the sound is that long"
        )


def check_values(rows: Mapping[str, NDArray[np.float32]], outputs: Mapping[str, RowSpec]) -> None:
    """Check the numbers that are taken for more than numbers: an event's label and windows."""
    for name, spec in outputs.items():
        if spec.kind != "events" or not len(rows[name]):
            continue
        label, first_high, first_low, n_windows = rows[name][:, :4].T
        if not np.isfinite(rows[name][:, :4]).all() or not ((label >= 0) & (label < len(spec.labels))).all():
            wrong("events with labels and times")
        last = rows[name][n_windows < 0]
        if not np.isfinite(last[:, 5]).all() or ((first_high < 0) | (first_low < 0)).any():
            wrong("events with times and a summary")


def error_of(fields: Mapping[str, Any], path: str) -> Exception:
    """Return the error that a process met; it may name no other file than `path`."""
    name, said = fields.get("type"), shown(fields.get("message"), "an error's message", _LONGEST_MESSAGE)
    if name == "MemoryError":
        return IsolationError(
            f"isolation: expected enough memory, got none left; raise memory_mb of Limits ({said})"
        )
    kind = _ERRORS.get(name) if type(name) is str else None
    if kind is DecodeError:
        return DecodeError(path, said)
    if kind is None:
        called = shown(name, "an error's name", _LONGEST_NAME)
        return IsolationError(f"isolation: expected a result, got {called}: {said}")
    return kind(said)
