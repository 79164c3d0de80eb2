# S is librosa's name
"""Calls drawn from librosa's documented arguments: without librosa's help, each gives its numbers or says no.

What isn't covered raises NotImplementedError with the argument's name; other errors are librosa's as well.
"""

from __future__ import annotations

import inspect
import os
import re
import warnings
from typing import TYPE_CHECKING, Any

import fastaudio.librosa as fl
import numpy as np
import pytest
from fastaudio.librosa import _handover
from helpers import sine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Callable

librosa = pytest.importorskip("librosa")
pytestmark = pytest.mark.filterwarnings("ignore")

DRAWS = int(os.environ.get("FASTAUDIO_DRAWS", "15"))
ODD_SHARE = 5
ALWAYS = ("y", "S", "data", "orig_sr", "target_sr", "sr", "n_fft")
TOLERANCE = 1e-4
HALF = 5e-2  # librosa computes float16 in float16
LEAST = 1e-5
NOISE = np.random.default_rng(7).normal(0, 0.1, 9000).astype(np.float32)
TONE = (sine(440, 22_050, 9000) + 0.05 * NOISE).astype(np.float32)
MAGNITUDE = np.abs(np.fft.rfft(np.lib.stride_tricks.sliding_window_view(TONE, 512)[::256])).T.astype(
    np.float32
)
MEL = np.abs(np.random.default_rng(3).normal(0, 1, (40, 30))).astype(np.float32) ** 3

# What is drawn for an argument: common values first, then odd ones, which are drawn less often.
SAMPLES = (
    [TONE, NOISE, TONE[:3000], np.stack([TONE, NOISE]), np.zeros(4000, np.float32)],
    [
        TONE.astype(np.float64),
        TONE.astype(np.float16),
        TONE * np.float32(32_768),
        TONE * np.float32(1e13),
        TONE[:100],
        TONE[:1],
        TONE[:0],
        (TONE * 32_767).astype(np.int16),
        TONE * np.nan,
        TONE * 1j,
        TONE.tolist()[:50],
        TONE[0],
        None,
    ],
)
SPECTRA = (
    [MAGNITUDE, MAGNITUDE**2, np.stack([MAGNITUDE, MAGNITUDE[::-1]])],
    [
        MAGNITUDE * np.float32(32_768) ** 2,
        MAGNITUDE * np.float32(2.0**50),
        MAGNITUDE.astype(np.float64),
        (MAGNITUDE * 100).astype(np.int32),
        (MAGNITUDE * 3).astype(np.uint8),
        MAGNITUDE.astype(np.float16),
        MAGNITUDE * 1j,
        -MAGNITUDE,
        MAGNITUDE * np.nan,
        np.where(MAGNITUDE > 1, np.inf, MAGNITUDE),
        MAGNITUDE[:, :1],
        MAGNITUDE[:, 0],
        MAGNITUDE.tolist(),
        MAGNITUDE[:, :0],
        np.zeros_like(MAGNITUDE),
    ],
)
MELS = (
    [MEL, MEL.T, np.stack([MEL] * 2), MEL * np.float32(2.0**31)],
    [*(MEL * odd for odd in (1e20, -1, 1j, np.nan))],
)
WINDOWS = (
    ["hann", "hamming", "blackman", ("kaiser", 9.0), "boxcar"],
    ["bohman", np.hanning(512), 8.0, ("tukey", 0.3), "nonsense", np.hanning, ("kaiser", 200), None],
)
FRAMES: dict[str, tuple[list[Any], list[Any]]] = {
    "n_fft": ([2048, 1024, 512, 600], [131_072, 100, 2, 1, 0, -4, 64.0, None, np.int64(512), 8192]),
    "hop_length": ([512, 160, 441], [1000, 100_000, 0, -1, 2.5, None, np.int32(256)]),
    "win_length": ([None, 400, 512], [1, 0, -3, 5000, 3.5]),
    "window": WINDOWS,
    "center": ([True, False], [0, 1, None]),
    "pad_mode": (["constant", "reflect"], ["edge", "symmetric", "wrap", "mean", "nonsense", None, 3]),
}
RATES = ([22_050, 16_000, 8000, 44_100.0], [22_050.5, 50, 1_000_000, 0, -1, None, "high"])
BANDS: dict[str, tuple[list[Any], list[Any]]] = {
    "n_mels": ([128, 40, 64], [1, 300, 1500, 0, 2.0, "many"]),
    "fmin": ([0.0, 50.0, 300], [-1.0, 9000.0, 1e9]),
    "fmax": ([None, 4000.0, 3500], [0.0, 11_025.0, 20_000.0, -5.0]),
    "htk": ([False, True], [1]),
    "norm": (["slaney", None, 1], [2, np.inf, 0, "ortho", -1]),
    "dtype": ([np.float32], [np.float64, "float16", int]),
}
SHAPE = FRAMES | {"y": SAMPLES, "sr": RATES, "S": SPECTRA, "freq": ([None], [np.linspace(0, 8000, 257)])}
POSITIVE = ([1e-10, 1e-5, 1.0], [1e-20, 1e-50, 0, -1, np.nan, "small"])
DECIBELS: dict[str, tuple[list[Any], list[Any]]] = {
    "S": (
        [*SPECTRA[0], *MELS[0]],
        [*SPECTRA[1], 4.0, 3, np.float32(0.5), [1.0, 2.0], True, np.zeros(0, np.float32), "S", None],
    ),
    "ref": (
        [1.0, np.max, np.median],
        [
            0,
            -3.0,
            1e-30,
            1e30,
            np.nan,
            np.inf,
            np.array([2.0]),
            np.arange(1.0, 31.0, dtype=np.float32),
            "max",
            None,
        ],
    ),
    "amin": POSITIVE,
    "top_db": ([80.0, None, 60], [0, -1, 1e6, np.nan, np.inf, "high"]),
}
ARGUMENTS: dict[str, dict[str, tuple[list[Any], list[Any]]]] = {
    "stft": FRAMES
    | {
        "y": SAMPLES,
        "dtype": ([None, np.complex64], [np.complex128, np.float32, "c8"]),
        "out": ([None], [MEL]),
    },
    "power_to_db": DECIBELS,
    "amplitude_to_db": DECIBELS,
    "pcen": {
        "S": MELS,
        "sr": RATES,
        "hop_length": ([512, 160], [0, -1, 2.5, None]),
        "gain": ([0.98, 0.8, 0, 1], [3, 2.5, -1, np.nan, None]),
        "bias": ([2, 10, 0.5], [0, -1, 1e7, 1e-9]),
        "power": ([0.5, 0.25, 0], [1, 3, -1, 1e-9]),
        "time_constant": ([0.4, 0.06], [1e-6, 1e5, 0, -1]),
        "eps": ([1e-6, 1e-3], [1e-20, 1e10, 0, -1]),
        "b": ([None, 0.025, 0.5], [0, 1, 1.0, 2, -1, 1e-9]),
        "max_size": ([1], [3, 0, 1.0]),
        "ref": ([None], [MEL]),
        "axis": ([-1, 0, 1], [2, None, 1.0]),
        "max_axis": ([None], [0]),
        "zi": ([None], [np.ones((1, 1))]),
        "return_zf": ([False], [True]),
    },
    "resample": {
        "y": SAMPLES,
        "orig_sr": RATES,
        "target_sr": ([16_000, 22_050, 48_000], [8000.5, 0, -1, 10, 3_000_000]),
        "res_type": (
            ["soxr_hq", "soxr_vhq", "soxr_mq", "soxr_lq"],
            ["fft", "polyphase", "no", None, "linear"],
        ),
        "fix": ([True, False], [None]),
        "scale": ([False, True], [None]),
        "axis": ([-1], [0, 5, None]),
    },
    "filters.mel": BANDS | {"sr": RATES, "n_fft": FRAMES["n_fft"]},
    "feature.melspectrogram": FRAMES
    | BANDS
    | {"y": SAMPLES, "sr": RATES, "S": SPECTRA, "power": ([2.0, 1.0], [0, 0.5, 3, -1, 20, None])},
    "feature.mfcc": FRAMES
    | {name: values for name, values in BANDS.items() if name != "norm"}
    | {
        "y": SAMPLES,
        "sr": RATES,
        "S": (MELS[0], [*MELS[1], *SPECTRA[1]]),
        "n_mfcc": ([20, 13, 40], [1, 200, 0, -1, 2.5, None]),
        "dct_type": ([2], [1, 3, 4, 7]),
        "norm": (["ortho", None], ["forward", "backward", "nonsense", 1]),
        "lifter": ([0, 22], [-1, 0.5, 1e6, None]),
        "mel_norm": BANDS["norm"],
        "power": ([2.0, 1.0], [0, 0.5, 3]),
    },
    "feature.delta": {
        "data": (MELS[0], [*MELS[1], *SPECTRA[1], [1.0] * 20, TONE]),
        "width": ([9, 5, 3], [4, 1, 101, 5001, 2.0, None]),
        "order": ([1, 2], [3, 0, -1, 1.0, 9]),
        "axis": ([-1, 0], [1, 2, None]),
        "mode": (["interp", "nearest"], ["mirror", "constant", "wrap", "nonsense", None]),
        "polyorder": ([...], [2, 3]),
        "cval": ([...], [1.0]),
    },
    "feature.rms": {
        "y": SAMPLES,
        "S": SPECTRA,
        "frame_length": ([2048, 512, 511], [100, 1, 0, -1, 3_000_000, 2.5]),
        "hop_length": FRAMES["hop_length"],
        "center": FRAMES["center"],
        "pad_mode": FRAMES["pad_mode"],
        "dtype": BANDS["dtype"],
    },
    "feature.zero_crossing_rate": {
        "y": SAMPLES,
        "frame_length": ([2048, 512, 511], [100, 1, 0, -1, 2.5]),
        "hop_length": FRAMES["hop_length"],
        "center": FRAMES["center"],
        "threshold": ([1e-10, 0.01, 0], [1.0, -1, 1e20, None]),
        "ref_magnitude": ([None], [0.5, np.max]),
        "pad": ([False, True], [1]),
        "zero_pos": ([True], [False]),
    },
    "feature.spectral_centroid": SHAPE,
    "feature.spectral_bandwidth": SHAPE
    | {
        "centroid": ([None], [np.full((1, 3), 1000.0)]),
        "norm": ([True, False], [None]),
        "p": ([2, 1, 3], [0.5, 0, -1, 20, None]),
    },
    "feature.spectral_rolloff": SHAPE | {"roll_percent": ([0.85, 0.1], [0, 1, 1.5, -1, 1e-9, None])},
    "feature.spectral_flatness": {
        name: values for name, values in SHAPE.items() if name not in ("sr", "freq")
    }
    | {"amin": POSITIVE, "power": ([2.0, 1.0], [0.5, 0, -1, 20, None])},
    "feature.spectral_contrast": SHAPE
    | {
        "fmin": ([200.0, 100], [0, -1, 1e-9, 20_000.0, None]),
        "n_bands": ([6, 4, 3], [1, 0, 40, 2.0]),
        "quantile": ([0.02, 0.1], [0, 1, 0.9, 1e-9]),
        "linear": ([False, True], [1, None]),
    },
    "feature.chroma_stft": {name: values for name, values in SHAPE.items() if name != "freq"}
    | {
        "norm": ([np.inf, 1, 2, None], [0, -np.inf, 3, -1, "slaney"]),
        "tuning": ([0.0, 0.1, None], [200.0, "A"]),
        "n_chroma": ([12, 24], [1, 0, 5000, 2.0]),
        "ctroct": ([5.0], [100.0, -3]),
        "octwidth": ([2, None], [0, -1, 1e-5, 1e9]),
        "base_c": ([True, False], [1]),
        "dtype": BANDS["dtype"],
    },
}
# How far numbers may lie apart, relative to the largest, where float32's rounding or another filter counts.
ABOUT = {"resample": 1.0, "feature.spectral_rolloff": 0.05}


@st.composite
def calls(draw: st.DrawFn, name: str) -> dict[str, Any]:
    """Return keywords for a function: some of its arguments, of which few are odd."""
    found = {}
    for argument, (usual, odd) in ARGUMENTS[name].items():
        given_at_all = argument in ("y", "S", "data", "orig_sr", "target_sr", "sr", "n_fft") or draw(
            st.booleans()
        )
        if argument == "S" and "y" in found and draw(st.booleans()):
            continue
        if given_at_all:
            values = odd if draw(st.integers(0, ODD_SHARE)) == 0 else usual
            value = draw(st.sampled_from(values))
            if value is not ...:
                found[argument] = value
    if "y" in found and "S" in found and draw(st.booleans()):
        del found["y"]
    return found


def outcome(function: Callable[..., Any], call: dict[str, Any]) -> Any:
    """Return what a function gives, or its error."""
    copies = {name: value.copy() if isinstance(value, np.ndarray) else value for name, value in call.items()}
    positional = [
        copies.pop(name) for name in ("y", "S", "data") if by_position(function, name) and name in copies
    ]
    try:
        with np.errstate(all="ignore"):
            return function(*positional, **copies)
    except Exception as error:  # noqa: BLE001  # any error is an outcome
        return error


def by_position(function: Callable[..., Any], name: str) -> bool:
    parameter = inspect.signature(function).parameters.get(name)
    return parameter is not None and parameter.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD


def found_in(package: Any, name: str) -> Any:
    for part in name.split("."):
        package = getattr(package, part)
    return package


def check(name: str, call: dict[str, Any]) -> str:
    """Compare the outcomes of one call, and return which kind it was."""
    ours, theirs = outcome(found_in(fl, name), call), outcome(found_in(librosa, name), call)
    if isinstance(ours, NotImplementedError):
        assert re.match(rf"librosa\.{re.escape(name)}: ", str(ours)), ours
        names = set(inspect.signature(found_in(fl, name)).parameters) | set(call)
        assert any(re.search(rf"\b{argument}\b", str(ours)) for argument in names), ours
        return "not covered"
    if isinstance(ours, Exception):
        assert isinstance(theirs, Exception), f"{type(ours).__name__}: {ours}"
        assert isinstance(ours, fl.ParameterError | TypeError), f"{type(ours).__name__}: {ours}"
        return "refused"
    assert not isinstance(theirs, librosa.ParameterError), f"answers where librosa refuses: {theirs}"
    if isinstance(theirs, Exception):  # librosa stumbles, say over float16, and doesn't mean to refuse
        return "answered alone"
    halves = any(getattr(value, "dtype", None) == np.float16 for value in call.values())
    tolerance = HALF if halves else ABOUT.get(name, TOLERANCE)
    parts = (value if isinstance(value, tuple) else (value,) for value in (ours, theirs))
    for one, other in zip(*parts, strict=True):
        compare(np.asarray(one), np.asarray(other), tolerance)
    return "answered"


def compare(ours: Any, theirs: Any, tolerance: float) -> None:
    """Numbers are within a share of the largest; librosa overflows in float32 where this doesn't."""
    assert ours.shape == theirs.shape
    finite = np.isfinite(theirs)
    assert np.isfinite(ours[finite]).all()
    if finite.any():
        apart = np.abs(ours[finite].astype(np.complex128) - theirs[finite]).max()
        assert apart <= tolerance * np.abs(theirs[finite]).max() + LEAST, apart


@pytest.fixture
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is handed over to librosa, as if it were missing."""
    monkeypatch.setattr(_handover, "installed", lambda: None)


def run_calls(name: str, n: int) -> None:
    @settings(max_examples=n, suppress_health_check=list(HealthCheck))
    @given(calls(name))
    def run(call: dict[str, Any]) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            check(name, call)

    run()


@pytest.mark.usefixtures("_alone")
@pytest.mark.parametrize("name", ARGUMENTS)
def test_a_call_gives_librosas_numbers_or_names_the_argument(name: str) -> None:
    run_calls(name, DRAWS)


@pytest.mark.parametrize("name", ARGUMENTS)
def test_with_librosas_help_a_call_gives_its_numbers_too(name: str) -> None:
    run_calls(name, DRAWS // 2)


@pytest.mark.usefixtures("_alone")
@pytest.mark.parametrize("name", ARGUMENTS)
def test_a_refusal_names_the_one_argument_that_is_odd(name: str) -> None:
    arguments = ARGUMENTS[name]
    usual = {argument: values[0][0] for argument, values in arguments.items() if values[0][0] is not ...}
    for source in {"y", "S"} & set(arguments) or {"data"}:
        call = {argument: value for argument, value in usual.items() if argument not in {"y", "S"} - {source}}
        for argument in set(arguments) - ({"y", "S"} - {source}):
            for value in arguments[argument][1]:
                ours = outcome(found_in(fl, name), call | {argument: value})
                if isinstance(ours, Exception):
                    assert isinstance(ours, fl.ParameterError | NotImplementedError), ours
                if isinstance(ours, NotImplementedError):
                    assert re.search(rf"\b{argument}\b", str(ours)), (argument, value)
