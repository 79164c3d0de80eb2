"""What fastaudio.librosa doesn't cover: librosa's where it is installed, an error that names it where not."""

from __future__ import annotations

import importlib
import io
import logging
import os
import subprocess
import sys
import warnings
from typing import TYPE_CHECKING, Any

import fastaudio.librosa as fl
import numpy as np
import pytest
import soundfile
from fastaudio.librosa import ParameterError, _handover
from helpers import GUITAR, sine

if TYPE_CHECKING:
    from collections.abc import Callable

# librosa looks for old decoders, and Python warns of these.
pytestmark = pytest.mark.filterwarnings("ignore:.*slated for removal in Python:DeprecationWarning")

Y = sine(440, 22_050, 9000)
S = np.abs(np.random.default_rng(1).normal(0, 1, (257, 20))).astype(np.float32)
B = 0.025

# Names that an ordinary script asks for.
NAMES = [
    "beat.beat_track",
    "onset.onset_strength",
    "effects.trim",
    "display.specshow",
    "util.frame",
    "yin",
    "pyin",
    "cqt",
    "istft",
    "get_duration",
    "frames_to_time",
    "times_like",
    "to_mono",
    "db_to_power",
    "ex",
    "feature.tempo",
    "feature.inverse.mel_to_audio",
    "filters.chroma",
]
MODULES = ("beat", "display", "effects", "feature.inverse", "onset", "util", "util.exceptions")


@pytest.fixture
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """librosa is missing."""
    for name in [name for name in sys.modules if name.startswith("fastaudio.librosa.")]:
        if sys.modules[name].__name__ != name:  # one of librosa's
            monkeypatch.delitem(sys.modules, name)
    for module in (fl, fl.feature):
        for name in [name for name in vars(module) if name in MODULES or name == "inverse"]:
            monkeypatch.delattr(module, name)
    monkeypatch.setitem(sys.modules, "librosa", None)


def found(package: Any, name: str) -> Any:
    for part in name.split("."):
        package = getattr(package, part)
    return package


@pytest.mark.parametrize("name", NAMES)
def test_other_names_are_librosas(name: str) -> None:
    librosa = pytest.importorskip("librosa")
    assert found(fl, name) is found(librosa, name)


@pytest.mark.parametrize("name", MODULES)
def test_librosas_modules_are_imported_once_under_either_name(name: str) -> None:
    theirs = importlib.import_module(f"{pytest.importorskip('librosa').__name__}.{name}")
    assert importlib.import_module(f"fastaudio.librosa.{name}") is theirs
    assert theirs.__spec__ is not None
    assert theirs.__spec__.name == f"librosa.{name}"


def test_a_script_changes_one_word() -> None:
    pytest.importorskip("librosa")
    code = (
        "import fastaudio.librosa as librosa, fastaudio.librosa.util\n"
        "from fastaudio.librosa import util\n"
        "from fastaudio.librosa.feature import mfcc, stack_memory\n"
        "import numpy as np\n"
        "y = np.sin(np.arange(66_150) / 9, dtype=np.float32)\n"
        "assert util is librosa.util and util.frame(y, frame_length=50, hop_length=100).shape == (50, 662)\n"
        "assert librosa.frames_to_samples(3) == 1536 and mfcc(y=y).shape == (20, 130)\n"
        "assert stack_memory(y[:100], n_steps=2).shape == (2, 100)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.usefixtures("_alone")
@pytest.mark.parametrize("name", [name for name in NAMES if name.count(".") == 0] + ["beat", "effects"])
def test_without_librosa_a_name_says_what_to_install(name: str) -> None:
    assert not hasattr(fl, name)
    expected = f"^fastaudio.librosa: expected a name that .*, got '{name}'; pip install librosa"
    with pytest.raises(AttributeError, match=expected):
        getattr(fl, name)
    with pytest.raises(ImportError, match=expected):
        importlib.import_module(f"fastaudio.librosa.{name}")
    with pytest.raises(ImportError, match=expected):
        __import__("fastaudio.librosa", fromlist=[name])  # from fastaudio.librosa import name


@pytest.mark.usefixtures("_alone")
def test_without_librosa_a_module_lists_what_it_has() -> None:
    assert set(fl.__all__) <= set(dir(fl))
    assert "beat" not in dir(fl)
    assert "tempo" not in dir(fl.feature)


def test_with_librosa_a_module_lists_librosas_names_too() -> None:
    librosa = pytest.importorskip("librosa")
    assert {*fl.__all__, *dir(librosa)} <= set(dir(fl))
    assert {*fl.feature.__all__, *dir(librosa.feature)} <= set(dir(fl.feature))


@pytest.mark.parametrize("module", ["fastaudio.librosa", "fastaudio.librosa.feature"])
def test_a_name_that_neither_has_is_an_attribute_error(module: str) -> None:
    pytest.importorskip("librosa")
    with pytest.raises(
        AttributeError, match=rf"^{module}: expected a name of librosa .*, got 'nonsense'; see dir"
    ):
        _ = importlib.import_module(module).nonsense
    with pytest.raises(ModuleNotFoundError, match=rf"^No module named '{module}.nonsense'"):
        importlib.import_module(f"{module}.nonsense")


# Calls that aren't covered, with the argument that is why.
CALLS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "stft n_fft": ("n_fft", lambda lib: lib.stft(Y, n_fft=131_072)),
    "stft window": ("window", lambda lib: lib.stft(Y, n_fft=512, window=np.hanning(512))),
    "stft dtype": ("dtype", lambda lib: lib.stft(Y, dtype=np.complex128)),
    "stft out": ("out", lambda lib: lib.stft(Y, n_fft=512, out=np.zeros((257, 71), np.complex64))),
    "stft pad_mode": ("pad_mode", lambda lib: lib.stft(Y, pad_mode="edge")),
    "melspectrogram power": ("power", lambda lib: lib.feature.melspectrogram(y=Y, power=0)),
    "melspectrogram dtype": ("dtype", lambda lib: lib.feature.melspectrogram(y=Y, dtype=np.float64)),
    "mfcc dct_type": ("dct_type", lambda lib: lib.feature.mfcc(y=Y, dct_type=3)),
    "centroid freq": ("freq", lambda lib: lib.feature.spectral_centroid(S=S, freq=np.arange(257.0))),
    "centroid S": ("S", lambda lib: lib.feature.spectral_centroid(S=(S * 9).astype(np.int32))),
    "bandwidth centroid": (
        "centroid",
        lambda lib: lib.feature.spectral_bandwidth(S=S, centroid=np.full((1, 20), 100.0)),
    ),
    "pcen max_size": ("max_size", lambda lib: lib.pcen(S, max_size=3)),
    "pcen return_zf": ("return_zf", lambda lib: lib.pcen(S, return_zf=True)[1]),
    "resample res_type": ("res_type", lambda lib: lib.resample(Y, orig_sr=3, target_sr=2, res_type="fft")),
    "resample orig_sr": ("orig_sr", lambda lib: lib.resample(Y, orig_sr=8000.5, target_sr=16_000)),
    "delta polyorder": ("polyorder", lambda lib: lib.feature.delta(S, polyorder=2)),
    "zero_pos": ("zero_pos", lambda lib: lib.feature.zero_crossing_rate(Y, zero_pos=False)),
    "load dtype": ("dtype", lambda lib: lib.load(GUITAR, dtype=np.float64)[0]),
    "load SoundFile": ("path", lambda lib: lib.load(soundfile.SoundFile(GUITAR))[0]),
    "load descriptor": ("path", lambda lib: lib.load(os.open(GUITAR, os.O_RDONLY))[0]),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_call_that_is_not_covered_is_librosas(name: str) -> None:
    librosa = pytest.importorskip("librosa")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        np.testing.assert_array_equal(CALLS[name][1](fl), CALLS[name][1](librosa))


@pytest.mark.usefixtures("_alone")
@pytest.mark.parametrize("name", CALLS)
def test_without_librosa_it_names_the_argument_and_what_to_install(name: str) -> None:
    argument, call = CALLS[name]
    with pytest.raises(
        NotImplementedError,
        match=rf"\b{argument}\b.*; for what only librosa takes, pip install librosa$",
    ):
        call(fl)


def test_a_file_object_is_handed_over_from_its_start() -> None:
    pytest.importorskip("librosa")
    stereo = np.full((9000, 2), 1e13, np.float32)  # which is refused after the first block
    file = io.BytesIO()
    soundfile.write(file, stereo, 22_050, format="WAV", subtype="FLOAT")
    file.seek(0)
    samples, _ = fl.load(file, sr=None)
    assert samples.shape == (9000,)
    np.testing.assert_array_equal(samples, stereo[:, 0])


def test_the_log_says_why_a_call_is_handed_over(caplog: pytest.LogCaptureFixture) -> None:
    pytest.importorskip("librosa")
    with caplog.at_level(logging.DEBUG, "fastaudio.librosa"):
        fl.feature.rms(y=Y, frame_length=512)
        fl.feature.rms(y=Y, frame_length=512, dtype=np.float64)
    (record,) = caplog.records
    assert record.message.startswith("librosa.feature.rms: expected dtype float32, got float64; ")
    assert record.message.endswith("; librosa computes it")


def test_what_librosa_refuses_in_a_call_handed_over_is_the_same_error() -> None:
    pytest.importorskip("librosa")
    with pytest.raises(ParameterError, match=r"^librosa.stft: Window size mismatch"):
        fl.stft(Y, window=np.hanning(5))


def test_where_librosa_stumbles_too_the_message_is_clear() -> None:
    pytest.importorskip("librosa")
    with pytest.raises(ParameterError, match=r"^librosa.feature.rms: expected y as a numpy array, got str; "):
        fl.feature.rms(y="a.wav")
    with pytest.raises(ParameterError, match=r"^librosa.resample: expected orig_sr in .*, got 0$"):
        fl.resample(Y, orig_sr=0, target_sr=5)


def test_a_package_that_librosa_lacks_is_no_import_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def lacking(*_: Any, **__: Any) -> None:
        raise ModuleNotFoundError("No module named 'resampy'\n\nmore")

    monkeypatch.setattr(_handover, "theirs", lambda _: lacking)
    with pytest.raises(
        NotImplementedError, match=r"res_type .*kaiser_best.*not here \(No module named 'resampy'\)$"
    ):
        fl.resample(Y, orig_sr=3, target_sr=2, res_type="kaiser_best")


def test_a_parameter_error_is_a_value_error_and_librosas_own() -> None:
    with pytest.raises(ParameterError) as caught:
        fl.stft(Y[:100], center=False)
    assert isinstance(caught.value, ValueError)
    assert fl.ParameterError is ParameterError
    librosa = pytest.importorskip("librosa")
    assert isinstance(caught.value, librosa.ParameterError)


def test_nothing_covered_loads_librosa() -> None:
    code = (
        "import sys, numpy as np, fastaudio.librosa as fl\n"
        "y = np.sin(np.arange(9000) / 9, dtype=np.float32)\n"
        "fl.power_to_db(fl.feature.melspectrogram(y=y)); fl.pcen(np.abs(fl.stft(y)) * 2**40)\n"
        "assert not {'librosa', 'scipy', 'numba'} & {name.partition('.')[0] for name in sys.modules}"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
