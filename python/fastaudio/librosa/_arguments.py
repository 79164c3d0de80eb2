"""Reading and checking arguments, for all functions here.

* `Refused`, raised as `ParameterError`: librosa refuses the value too.
* Any other error of a call means that it isn't covered: librosa computes it where it is installed, else
  NotImplementedError names the argument and says what to do instead.
"""

from __future__ import annotations

import inspect
import re
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TypeAlias, TypeVar

import numpy as np

from fastaudio.librosa._handover import UNMEANT, handed_over, parameter_error

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
_MISCALLED = re.compile(r"\w+\(\) (got|missing|takes) ")
# np.pad's modes that look at the whole signal; librosa's stft takes none of them.
_WHOLE_SIGNAL = ("wrap", "maximum", "mean", "median", "minimum")


class Refused(ValueError):  # noqa: N818  # it says what happened
    """librosa refuses this value too."""


def public(name: str, **renamed: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Hand calls that aren't covered to librosa; messages name the function, arguments as librosa does."""
    arrays, options = _ARRAYS | renamed, _RENAMED | renamed

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        names = list(inspect.signature(function).parameters)

        @wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            try:
                return function(*args, **kwargs)
            except Refused as error:
                raise parameter_error()(f"librosa.{name}: {error}") from None
            except (NotImplementedError, *UNMEANT) as error:
                reason = error
            if isinstance(reason, TypeError) and _MISCALLED.match(str(reason)):
                raise reason
            text = _told(str(reason), arrays, options)
            given = [*names[: len(args)], *map(str, kwargs)]
            if given and not any(re.search(rf"\b{argument}\b", text) for argument in given):
                text = f"expected other values of {', '.join(given)} ({text})"
            return handed_over(name, f"librosa.{name}: {text}", args, kwargs)  # type: ignore[no-any-return]

        return call

    return decorate


def _told(text: str, arrays: dict[str, str], options: dict[str, str]) -> str:
    """Return an error's text by librosa's names."""
    found = _REFUSAL.fullmatch(text)
    if found is None:
        return text
    subject, text = found.groups()
    if subject in _ARRAYS:
        return text.replace("expected ", f"expected {arrays[subject]} of ", 1)
    return text if subject is None else _OPTION.sub(lambda word: options.get(word[0], word[0]), text)


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
    if values.dtype.kind not in "fiub":
        raise TypeError(f"expected {name} of real numbers, got {values.dtype}; take np.abs({name})")
    with np.errstate(over="ignore"):  # nodes refuse what isn't finite
        return values.astype(np.float32, copy=False)


def audio(y: Any) -> Rows:
    """Check samples [..., n_samples] and return them in float32."""
    if y is None:
        raise Refused("expected y or S, got neither")
    if not isinstance(y, np.ndarray):
        raise Refused(f"expected y as a numpy array, got {type(y).__name__}; use np.asarray(y)")
    if y.dtype.kind != "f":
        raise Refused(f"expected y of floating-point numbers, got {y.dtype}; {_to_float(y)}")
    if y.ndim == 0:
        raise Refused("expected y [..., n_samples], got a single number")
    if y.shape[-1] == 0:
        raise ValueError(f"expected y with at least one sample, got shape {y.shape}")
    return real("y", y)


def refuse_if_not_finite(y: Any) -> None:
    """Refuse samples of which one is NaN or infinite."""
    if not np.isfinite(y).all():
        at = np.unravel_index(int(np.argmin(np.isfinite(y))), y.shape)
        where = ", ".join(map(str, at))
        raise Refused(f"expected y of finite samples, got {y[at]} at index {where}; clean it first")


def _to_float(y: Any) -> str:
    """Return what makes samples of another type fit."""
    if y.dtype.kind == "c":
        return "take y.real or np.abs(y)"
    half = 2 ** (8 * y.dtype.itemsize - 1)
    if y.dtype.kind in "iu":
        return f"use (y / {half}{' - 1' if y.dtype.kind == 'u' else ''}).astype('float32')"
    return 'use y.astype("float32")'


def spectrum(name: str, values: Any) -> Rows:
    """Check a spectrogram S [..., n_bands, n_frames] and return it as rows [..., n_frames, n_bands]."""
    values = real(name, values)
    if values.ndim < 2 or values.size == 0:  # noqa: PLR2004
        raise ValueError(f"expected {name} [..., bands, frames] with values, got shape {values.shape}")
    return np.swapaxes(values, -1, -2)


def floating(S: Any) -> Any:  # noqa: N803
    """Take no integers, whose shares of a sum librosa rounds to integers."""
    if isinstance(S, np.ndarray) and S.dtype.kind in "iub":
        raise NotImplementedError(
            f"expected S of floating-point numbers, got {S.dtype}; use S.astype('float32')"
        )
    return S


def energies(S: Any) -> None:  # noqa: N803  # S is librosa's name
    """Refuse complex spectra and values below 0, as librosa does for a spectrum's shape."""
    if np.iscomplexobj(S):
        raise Refused(f"expected S of real numbers, got {S.dtype}; take np.abs(S)")
    if np.any(S < 0):
        raise Refused(f"expected S without values below 0, got {S.min()}; take np.abs(S)")


def positive_integer(name: str, value: Any) -> None:
    """Refuse what isn't an integer of at least 1."""
    if not (isinstance(value, int | np.integer) and value > 0):
        raise Refused(f"expected {name} as an integer of at least 1, got {tell(value)}")


def integral(name: str, value: Any) -> int:
    """Return a rate in Hz as an int; refuse fractions."""
    if isinstance(value, complex | str | bytes) or value is None:
        raise TypeError(f"expected {name} as a number in Hz, got {tell(value)}")
    if value != int(value):
        raise NotImplementedError(f"expected {name} as a whole number of Hz, got {value}; round it")
    return int(value)


def framing(
    n_fft: int, hop_length: int | None, win_length: int | None, window: Any, *, center: bool, pad_mode: Any
) -> dict[str, Any]:
    """Return the options of nodes that cut frames; the hop is a quarter of a frame if it is None."""
    if hop_length is None:
        hop_length = int((n_fft if win_length is None else win_length) // 4)
    positive_integer("hop_length", hop_length)
    if win_length is not None and win_length > n_fft:
        raise Refused(f"expected win_length of at most n_fft={n_fft}, got {win_length}")
    if center and isinstance(pad_mode, str) and pad_mode in _WHOLE_SIGNAL:
        raise Refused(f"expected pad_mode 'constant' or 'reflect', got {pad_mode!r}; pad y with np.pad")
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
        raise Refused(
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
