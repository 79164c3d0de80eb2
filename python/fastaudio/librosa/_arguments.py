"""Reading and checking arguments, for all functions here.

* NotImplementedError: librosa accepts the argument, fastaudio doesn't. The message says what to do instead.
* ValueError, TypeError: librosa refuses it too.
"""

from __future__ import annotations

import re
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TypeAlias, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

P = ParamSpec("P")
R = TypeVar("R")
Rows: TypeAlias = "NDArray[np.float32]"

# Names of scipy.signal.get_window.
_WINDOWS = {
    "hann": ("hann", "han"),
    "hamming": ("hamming", "hamm", "ham"),
    "blackman": ("blackman", "black", "blk"),
    "rectangular": ("boxcar", "box", "ones", "rect", "rectangular"),
}
_KAISER = ("kaiser", "ksr")
_PAD_MODES = ("constant", "reflect")
# What nodes' messages call librosa's arrays and arguments.
_ARRAYS = {"samples": "y", "rows": "S"}
_RENAMED = {
    "f_min": "fmin",
    "f_max": "fmax",
    "floor": "amin",
    "input_rate": "orig_sr",
    "output_rate": "target_sr",
    "reference": "ref",
    "sample_rate": "sr",
    "time_constants_s": "time_constant",
    "window_beta": "window",
}
_REFUSAL = re.compile(r"(?:(\w+): )?(expected .+)", re.DOTALL)
_OPTION = re.compile(r"\w+")


def public(name: str, **renamed: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Make error messages name the called function, and its arguments by librosa's names."""
    arrays, options = _ARRAYS | renamed, _RENAMED | renamed

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            try:
                return function(*args, **kwargs)
            except (NotImplementedError, TypeError, ValueError) as error:
                found = _REFUSAL.fullmatch(str(error))
                if found is None or type(error) not in (NotImplementedError, TypeError, ValueError):
                    raise
                subject, text = found.groups()
                if subject in _ARRAYS:
                    text = text.replace("expected ", f"expected {arrays[subject]} of ", 1)
                elif subject is not None:
                    text = _OPTION.sub(lambda word: options.get(word[0], word[0]), text)
                raise type(error)(f"librosa.{name}: {text}") from None

        return call

    return decorate


def tell(value: object) -> str:
    """Return a short text for a value, for messages."""
    if isinstance(value, np.ndarray):
        return f"{value.dtype} array {value.shape}"
    return repr(value) if isinstance(value, str | int | float | tuple | type(None)) else type(value).__name__


def only(name: str, value: object, expected: object, remedy: str) -> None:
    """Refuse every value of an argument but the expected one."""
    if value is not expected and (isinstance(value, np.ndarray) or value != expected):
        raise NotImplementedError(f"expected {name}={expected!r}, got {tell(value)}; {remedy}")


def one_of(name: str, value: Any, choices: dict[Any, str]) -> str:
    """Return the choice that a value stands for; refuse other values."""
    try:
        return choices[value]
    except (KeyError, TypeError):
        known = ", ".join(repr(choice) for choice in choices)
        raise NotImplementedError(f"expected {name} as one of {known}, got {tell(value)}") from None


def dtype_only(expected: type[np.generic], dtype: Any) -> None:
    """Refuse every dtype but the expected one, which is what the nodes compute."""
    if np.dtype(dtype) != expected:
        raise NotImplementedError(
            f"expected dtype {expected.__name__}, got {np.dtype(dtype)}; convert what comes out with .astype"
        )


def real(name: str, values: Any) -> Rows:
    """Check an array of real numbers and return it in float32."""
    if not isinstance(values, np.ndarray):
        got = type(values).__name__
        raise TypeError(f"expected {name} as a numpy array, got {got}; use np.asarray({name})")
    if values.dtype not in (np.float32, np.float64):
        remedy = (
            f"take np.abs({name})" if np.iscomplexobj(values) else f'use {name}.astype("float32"), within +-1'
        )
        raise TypeError(f"expected {name} as float32 or float64, got {values.dtype}; {remedy}")
    return values.astype(np.float32, copy=False)


def audio(y: Any) -> Rows:
    """Check samples [..., n_samples] and return them in float32."""
    if y is None:
        raise ValueError("expected y or S, got neither")
    samples = real("y", y)
    if samples.ndim == 0 or samples.shape[-1] == 0:
        raise ValueError(f"expected y [..., n_samples] with at least one sample, got shape {samples.shape}")
    return samples


def spectrum(name: str, values: Any) -> Rows:
    """Check a spectrogram S [..., n_bands, n_frames] and return it as rows [..., n_frames, n_bands]."""
    values = real(name, values)
    if values.ndim < 2:  # noqa: PLR2004
        raise ValueError(f"expected {name} [..., bands, frames], got shape {values.shape}")
    return np.swapaxes(values, -1, -2)


def not_negative(rows: Rows) -> Rows:
    """Refuse magnitudes below 0."""
    if np.any(rows < 0):
        raise ValueError(f"expected S without values below 0, got {rows.min()}; take np.abs(S)")
    return rows


def integral(name: str, value: Any) -> int:
    """Return a rate in Hz as an int; refuse fractions."""
    if isinstance(value, complex | str | bytes) or value is None:
        raise TypeError(f"expected {name} as a number in Hz, got {tell(value)}")
    if value != int(value):
        raise NotImplementedError(f"expected {name} as a whole number of Hz, got {value}; round it")
    return int(value)


def framing(
    n_fft: int, hop_length: int, win_length: int | None, window: Any, *, center: bool, pad_mode: Any
) -> dict[str, Any]:
    """Return the options of nodes that cut frames."""
    name, beta = _window(window)
    options: dict[str, Any] = {
        "n_fft": n_fft,
        "hop_length": hop_length,
        "win_length": win_length,
        "window": name,
    }
    if beta is not None:
        options["window_beta"] = beta
    return options | padding(center, pad_mode)


def padding(center: bool, pad_mode: Any) -> dict[str, Any]:
    """Return a node's options for what surrounds the signal."""
    if not center:
        return {"center": False}
    if not (isinstance(pad_mode, str) and pad_mode in _PAD_MODES):
        raise NotImplementedError(
            f"expected pad_mode 'constant' or 'reflect', got {tell(pad_mode)}; "
            "pad y with np.pad and pass center=False"
        )
    return {"center": True, "pad_mode": pad_mode}


def fills_a_frame(y: Rows, length: int, center: bool) -> None:
    """Refuse an uncentred signal that is shorter than one frame."""
    if not center and y.shape[-1] < length:
        raise ValueError(
            f"expected y of at least {length} samples, as center is False, got {y.shape[-1]}; pad it"
        )


def _window(window: Any) -> tuple[str, float | None]:
    """Return the nodes' name for a window, and the beta of a Kaiser window."""
    if isinstance(window, int | float):  # SciPy takes a number for a Kaiser window's beta
        return "kaiser", float(window)
    name, *shape = window if isinstance(window, tuple) and window else (window,)
    if isinstance(name, str):
        if name in _KAISER and len(shape) == 1:
            return "kaiser", float(shape[0])
        for ours, aliases in _WINDOWS.items():
            if name in aliases and not shape:
                return ours, None
    raise NotImplementedError(
        "expected window as 'hann', 'hamming', 'blackman', 'boxcar' or ('kaiser', beta), "
        f"got {tell(window)}; choose one of these"
    )
