"""The page on coming from librosa states by how much results differ: no less than they do."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest
from helpers import GUITAR, ROOT, decode

if TYPE_CHECKING:
    from collections.abc import Callable

PAGE = (ROOT / "docs" / "coming-from.md").read_text(encoding="utf-8")
TABLE = PAGE.partition("\n## librosa")[2].partition("\n## ")[0]
ROWS = re.findall(r"^\| (`.*?) \| (.*?) \| (.*?\d.*?|none) \|$", TABLE, re.MULTILINE)
CODE = re.compile(r"`([^`]+)`")
SPECTRUM = "fa.Spectrogram(sample_rate=sr, power=1)"
MEL = "fa.MelSpectrogram(sample_rate=sr)"
DB = f"{MEL} >> fa.Log(kind='dB') >> fa.TopDb(over='clip')"
BEFORE = {"Spectral": SPECTRUM, "Log": MEL, "Delta": DB, "SpectralFlux": DB}
"""What stands before a node that takes rows, by the start of the node's name, the longest first."""


def theirs(librosa: Any, y: np.ndarray, sr: int) -> dict[str, Callable[[], np.ndarray]]:
    """Return what computes librosa's result, by the function's name as the page spells it."""
    feature = librosa.feature

    def mel() -> np.ndarray:
        return feature.melspectrogram(y=y, sr=sr)

    return {
        "librosa.stft": lambda: np.abs(librosa.stft(y)),
        "librosa.feature.melspectrogram": mel,
        "librosa.power_to_db": lambda: librosa.power_to_db(mel()),
        "librosa.feature.mfcc": lambda: feature.mfcc(y=y, sr=sr, n_mfcc=13),
        "librosa.feature.delta": lambda: feature.delta(librosa.power_to_db(mel())),
        "librosa.feature.rms": lambda: feature.rms(y=y),
        "librosa.feature.zero_crossing_rate": lambda: feature.zero_crossing_rate(y),
        "librosa.feature.chroma_stft": lambda: feature.chroma_stft(y=y, sr=sr, tuning=0),
        "librosa.feature.spectral_centroid": lambda: feature.spectral_centroid(y=y, sr=sr),
        "librosa.feature.spectral_bandwidth": lambda: feature.spectral_bandwidth(y=y, sr=sr),
        "librosa.feature.spectral_rolloff": lambda: feature.spectral_rolloff(y=y, sr=sr),
        "librosa.feature.spectral_flatness": lambda: feature.spectral_flatness(y=y),
        "librosa.feature.spectral_contrast": lambda: feature.spectral_contrast(y=y, sr=sr),
        "librosa.onset.onset_strength": lambda: librosa.onset.onset_strength(y=y, sr=sr)[None, 2:],
    }


def ours(code: str, y: np.ndarray, sr: int) -> np.ndarray:
    """Run the page's code."""
    name = re.match(r"fa\.(\w+)", code)
    assert name
    before = [node for start, node in sorted(BEFORE.items()) if name[1].startswith(start)][-1:]
    node = eval(" >> ".join([*before, code]), {"fa": fa, "sr": sr})  # noqa: S307
    rows = np.asarray(node(y)).T
    return rows[:, :-2] if name[1] == "SpectralFlux" else rows  # librosa's lies two rows later


def cases() -> list[tuple[str, str, str]]:
    return [
        (name.partition("(")[0], code, difference)
        for first, second, difference in ROWS
        for name, code in zip(
            (c for c in CODE.findall(first) if c.startswith("librosa.")), CODE.findall(second), strict=False
        )
    ]


def largest_difference(one: np.ndarray, other: np.ndarray, stated: str) -> float:
    assert one.shape == other.shape
    largest = float(np.abs(one - other).max())
    return largest if "dB" in stated else largest / float(np.abs(other).max())


def bound(stated: str) -> float:
    """Return the number that the page states, last in its sentence."""
    if stated == "none":
        return 0.0
    number, percent = re.findall(r"(\d[\d.e-]*)( %)?", stated)[-1]
    return float(number) / (100 if percent else 1)


@pytest.fixture(scope="module")
def librosa() -> Any:
    return pytest.importorskip("librosa", reason="pip install '.[test]'")


@pytest.fixture(scope="module")
def sound() -> tuple[np.ndarray, int]:
    samples, sr = decode(GUITAR)
    return np.ascontiguousarray(
        samples[: 5 * sr].mean(axis=1) if samples.ndim == 2 else samples[: 5 * sr]
    ), sr


def test_the_page_states_differences() -> None:
    assert len(cases()) >= 14


@pytest.mark.parametrize(("name", "code", "stated"), cases(), ids=[name for name, *_ in cases()])
def test_a_result_differs_by_no_more_than_the_page_states(
    librosa: Any, sound: tuple[np.ndarray, int], name: str, code: str, stated: str
) -> None:
    # Twice, since kernels and FFTs of other processors round otherwise.
    reference = theirs(librosa, *sound)[name]()
    assert largest_difference(ours(code, *sound), reference, stated) <= 2 * bound(stated)


def test_after_librosas_resampling_two_differ_by_what_the_page_says(
    librosa: Any, sound: tuple[np.ndarray, int]
) -> None:
    said = TABLE.partition("**These differences are")[2].partition("\n\n")[0]
    flat = re.search(r"spectral_flatness` differs by (\S+) of", said)
    contrast = re.search(r"by (\d+) %", said)
    assert flat
    assert contrast
    y = librosa.resample(sound[0], orig_sr=sound[1], target_sr=22_050)
    functions = theirs(librosa, y, 22_050)
    for name, node, stated in (
        ("spectral_flatness", "fa.SpectralFlatness()", float(flat[1])),
        ("spectral_contrast", "fa.SpectralContrast()", int(contrast[1]) / 100),
    ):
        reference = functions[f"librosa.feature.{name}"]()
        assert stated / 10 < largest_difference(ours(node, y, 22_050), reference, "") < 2 * stated
