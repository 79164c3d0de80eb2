"""fastaudio.librosa: librosa's names, arguments and defaults, and what a refusal says."""

from __future__ import annotations

import inspect
from typing import Any

import fastaudio.librosa as fl
import numpy as np
import pytest
from fastaudio.librosa import ParameterError, _handover

# A function, and those to which librosa hands its **kwargs; here their arguments are spelled out.
FORWARDS: dict[str, tuple[str, ...]] = {
    "stft": (),
    "power_to_db": (),
    "amplitude_to_db": (),
    "pcen": (),
    "load": (),
    "resample": (),
    "filters.mel": (),
    "feature.melspectrogram": ("filters.mel",),
    "feature.mfcc": ("feature.melspectrogram", "filters.mel"),
    "feature.delta": (),
    "feature.rms": (),
    "feature.zero_crossing_rate": ("zero_crossings",),
    "feature.spectral_centroid": (),
    "feature.spectral_bandwidth": (),
    "feature.spectral_rolloff": (),
    "feature.spectral_flatness": (),
    "feature.spectral_contrast": (),
    "feature.chroma_stft": ("filters.chroma",),
}
# What only librosa 1.0 has, or only this package.
ADDED = {("power_to_db", "axes"): None, ("amplitude_to_db", "axes"): None}
# librosa sets these defaults for a function that it forwards to.
SET_BY_LIBROSA = {("feature.zero_crossing_rate", "pad"): False}


def found(package: Any, name: str) -> Any:
    for part in name.split("."):
        package = getattr(package, part)
    return package


def parameters(function: Any) -> dict[str, inspect.Parameter]:
    named = inspect.signature(function).parameters
    return {name: one for name, one in named.items() if one.kind is not inspect.Parameter.VAR_KEYWORD}


@pytest.mark.parametrize("name", FORWARDS)
def test_arguments_and_defaults_are_librosas(name: str) -> None:
    librosa = pytest.importorskip("librosa")
    ours, theirs = parameters(found(fl, name)), parameters(found(librosa, name))
    assert list(ours)[: len(theirs)] == list(theirs)
    forwarded: dict[str, inspect.Parameter] = {}
    for other in FORWARDS[name]:
        forwarded = parameters(found(librosa, other)) | forwarded  # the nearer function has this default
    for argument, parameter in ours.items():
        if (name, argument) in ADDED:
            assert parameter.default is ADDED[name, argument]
            continue
        reference = theirs.get(argument) or forwarded[argument]
        expected = SET_BY_LIBROSA.get((name, argument), reference.default)
        assert parameter.default is expected or parameter.default == expected, argument
        if argument in theirs:
            assert parameter.kind == reference.kind, argument


def test_every_function_is_in_this_table() -> None:
    public = [name for name in fl.__all__ if name not in ("ParameterError", "feature", "filters")]
    public += [f"feature.{name}" for name in fl.feature.__all__] + [
        f"filters.{name}" for name in fl.filters.__all__
    ]
    assert sorted(public) == sorted(FORWARDS)


Y = np.linspace(-0.5, 0.5, 4096, dtype=np.float32)
S = np.ones((1025, 3), dtype=np.float32)

# Each has name, positional arguments, keywords, exception and message.
REFUSED: list[tuple[str, tuple[Any, ...], dict[str, Any], type[Exception], str]] = [
    (
        "stft",
        (Y,),
        {"dtype": np.complex128},
        NotImplementedError,
        "expected dtype complex64, got complex128; ",
    ),
    ("stft", (Y,), {"out": S}, NotImplementedError, r"expected out=None, got float32 array \(1025, 3\); "),
    ("stft", (Y,), {"pad_mode": "edge"}, NotImplementedError, "expected pad_mode .*, got 'edge'; "),
    (
        "stft",
        (Y,),
        {"window": np.ones(2048)},
        NotImplementedError,
        r"expected window .*, got float64 array \(2048,\)",
    ),
    ("stft", (Y,), {"window": "bohman"}, NotImplementedError, "expected window .*, got 'bohman'; "),
    (
        "stft",
        (Y,),
        {"window": ("kaiser", 200)},
        NotImplementedError,
        r"expected window in \[0, 100\], ",
    ),
    (
        "stft",
        (Y,),
        {"hop_length": 0},
        ParameterError,
        "expected hop_length as an integer of at",
    ),
    ("stft", (Y,), {"n_fft": 64.0}, NotImplementedError, "expected n_fft as int"),
    ("stft", (Y,), {"n_fft": 8192, "center": False}, ParameterError, "expected y of at least 8192 samples"),
    ("stft", ([0.0],), {}, ParameterError, "expected y as a numpy array, got list"),
    ("stft", (Y[:0],), {}, NotImplementedError, "expected y with at least one sample"),
    (
        "stft",
        (Y.astype(np.int16),),
        {},
        ParameterError,
        "expected y of floating-point .*; use .y / 32768",
    ),
    ("stft", (Y * np.nan,), {}, ParameterError, "expected y of finite samples, got nan at index 0"),
    ("power_to_db", (S,), {"amin": 0}, ParameterError, "expected amin above 0, got 0"),
    ("power_to_db", (S,), {"top_db": -1}, ParameterError, "expected top_db of at least 0 dB, got -1"),
    ("pcen", (S,), {"max_size": 3}, NotImplementedError, "expected max_size=1, got 3; "),
    ("pcen", (S,), {"return_zf": True}, NotImplementedError, "expected return_zf=False, got True; "),
    ("pcen", (S,), {"zi": S}, NotImplementedError, "expected zi=None"),
    ("pcen", (S,), {"time_constant": 0.0}, ParameterError, "expected time_constant"),
    (
        "filters.mel",
        (),
        {"sr": 8000, "n_fft": 256, "norm": 2},
        NotImplementedError,
        "expected norm as one of .*got 2",
    ),
    (
        "filters.mel",
        (),
        {"sr": 8000, "n_fft": 256, "dtype": float},
        NotImplementedError,
        "expected dtype float32",
    ),
    (
        "load",
        ("a.wav",),
        {"res_type": "kaiser_best"},
        NotImplementedError,
        "expected res_type .*'kaiser_best'",
    ),
    ("load", ("a.wav",), {"dtype": np.int16}, NotImplementedError, "expected dtype float32, got int16"),
    ("load", ("a.wav",), {"offset": -1.0}, NotImplementedError, "expected offset"),
    (
        "resample",
        (Y,),
        {"orig_sr": 8000.5, "target_sr": 8000},
        NotImplementedError,
        "expected orig_sr as a whole",
    ),
    ("resample", (Y,), {"orig_sr": 8000, "target_sr": 0}, NotImplementedError, "expected target_sr in "),
    ("feature.melspectrogram", (), {}, ParameterError, "expected y or S, got neither"),
    (
        "feature.melspectrogram",
        (),
        {"y": Y, "sr": 22050.5},
        NotImplementedError,
        "expected sr as a whole number",
    ),
    (
        "feature.melspectrogram",
        (),
        {"y": Y, "sr": "high"},
        NotImplementedError,
        "expected sr as a number in Hz, got 'high'",
    ),
    (
        "feature.melspectrogram",
        (),
        {"y": Y, "norm": np.inf},
        NotImplementedError,
        "expected norm .*, got inf",
    ),
    ("feature.melspectrogram", (), {"S": S[0]}, NotImplementedError, r"expected S \[..., bands, frames\]"),
    ("feature.mfcc", (), {"y": Y, "dct_type": 3}, NotImplementedError, "expected dct_type=2, got 3; "),
    ("feature.mfcc", (), {"y": Y, "norm": "forward"}, NotImplementedError, "expected norm as one of"),
    ("feature.mfcc", (), {"y": Y, "lifter": -1}, ParameterError, "expected lifter of at least 0"),
    ("feature.delta", (S,), {"width": 9}, ParameterError, "expected data of width=9 values"),
    ("feature.delta", (S,), {"width": 4}, ParameterError, "expected width"),
    ("feature.delta", (S,), {"mode": "wrap"}, NotImplementedError, "expected mode as one of"),
    ("feature.delta", (S,), {"polyorder": 2}, NotImplementedError, "expected no polyorder, got 2"),
    ("feature.rms", (), {"S": S, "frame_length": 1024}, ParameterError, "expected frame_length 2048 or 2049"),
    (
        "feature.zero_crossing_rate",
        (Y,),
        {"ref_magnitude": 1.0},
        NotImplementedError,
        "expected ref_magnitude=None",
    ),
    ("feature.zero_crossing_rate", (Y,), {"zero_pos": False}, NotImplementedError, "expected zero_pos=True"),
    ("feature.spectral_centroid", (), {"y": Y, "freq": S[:, 0]}, NotImplementedError, "expected freq=None"),
    (
        "feature.spectral_centroid",
        (),
        {"S": -S},
        ParameterError,
        "expected S without values below 0, got -1",
    ),
    (
        "feature.spectral_centroid",
        (),
        {"S": S * 1j},
        ParameterError,
        r"expected S of real numbers, got complex64; take np.abs\(S\)",
    ),
    (
        "feature.spectral_rolloff",
        (),
        {"S": S, "roll_percent": 1.5},
        ParameterError,
        "expected roll_percent ",
    ),
    (
        "feature.spectral_contrast",
        (),
        {"S": S, "n_bands": 40},
        ParameterError,
        "expected the top band .*n_bands=40",
    ),
    (
        "feature.chroma_stft",
        (),
        {"S": S, "norm": 3},
        NotImplementedError,
        "expected norm as one of .*, got 3",
    ),
]


@pytest.fixture
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is handed over to librosa, as if it were missing."""
    monkeypatch.setattr(_handover, "installed", lambda: None)


@pytest.mark.usefixtures("_alone")
@pytest.mark.parametrize(("name", "args", "kwargs", "kind", "message"), REFUSED)
def test_a_refusal_names_the_function_and_the_argument(
    name: str, args: tuple[Any, ...], kwargs: dict[str, Any], kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind, match=f"^librosa.{name}: {message}") as caught:
        found(fl, name)(*args, **kwargs)
    assert type(caught.value) is kind


@pytest.mark.usefixtures("_alone")
@pytest.mark.parametrize("name", FORWARDS)
def test_an_unknown_keyword_is_a_type_error(name: str) -> None:
    args = (Y,) if name == "feature.delta" else ()
    with pytest.raises(TypeError, match="unexpected keyword argument 'nonsense'"):
        found(fl, name)(*args, nonsense=1)


def test_padding_is_free_where_there_is_none() -> None:
    """librosa ignores pad_mode without centring."""
    np.testing.assert_array_equal(fl.stft(Y, center=False, pad_mode="edge"), fl.stft(Y, center=False))
