"""Fixtures for real sound, the shipped model, and the folder of shared clips, which may be absent."""

from __future__ import annotations

import csv
import os
import signal
from typing import TYPE_CHECKING

import fastaudio as fa
import numpy as np
import pytest
from helpers import GUITAR, SHARED, WEIGHTS, clips, decode, listed
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

# Examples are the same every time, without a deadline: a slow machine is no failure.
settings.register_profile(
    "fastaudio",
    derandomize=True,
    deadline=None,
    database=None,
    max_examples=20,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("fastaudio")

NO_SHARED = "the folder of shared clips, ../shared, isn't there"


def pytest_configure() -> None:
    """Let Ctrl-C through, which a process that a shell started in the background ignores."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # Models that were fetched on this machine are none of the tests'.
    os.environ["FASTAUDIO_HOME"] = str(SHARED / "no models were fetched here")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run arguments `clip`, `edge_file` and `malformed_file` over their files, or skip."""
    audio = SHARED / "audio"
    for argument, files in (
        ("clip", clips()),
        ("edge_file", listed(audio, "edge/")),
        ("malformed_file", listed(audio, "malformed/")),
    ):
        if argument in metafunc.fixturenames:
            params = [pytest.param(file, id=f"{file[0].parent.name}/{file[0].name}") for file in files]
            absent = pytest.param(None, marks=pytest.mark.skip(reason=NO_SHARED))
            metafunc.parametrize(argument, params or [absent])


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder of shared clips and references."""
    if not SHARED.is_dir():
        pytest.skip(NO_SHARED)
    return SHARED


@pytest.fixture(scope="session")
def unseen_notes(shared: Path) -> list[tuple[Path, str]]:
    """Return file and family of each shared note by a program that no training note comes from."""
    folder = shared / "instruments"
    with (folder / "manifest.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["split"] == "test"]
    return [(folder / row["file"], row["family"]) for row in rows]


@pytest.fixture(scope="session")
def guitar() -> tuple[NDArray[np.float32], int]:
    """Return the guitar clip as decoded: [n_samples, 2] at 44,100 Hz."""
    return decode(GUITAR)


@pytest.fixture(scope="session")
def guitar_16k(guitar: tuple[NDArray[np.float32], int]) -> NDArray[np.float32]:
    """Return the guitar clip, mono at 16 kHz."""
    samples, rate = guitar
    mono = np.ascontiguousarray(samples.mean(axis=1, dtype=np.float32))
    return fa.Resample(input_rate=rate, output_rate=16_000)(mono)


@pytest.fixture(scope="session")
def tagger() -> fa.Pipeline:
    """Return the default model, one session for all tests, which is how it is meant to be used."""
    return fa.Pipeline.load("musicnn-mtt")


@pytest.fixture(scope="session")
def net() -> fa.OnnxModel:
    """Return the default model's network alone."""
    return fa.OnnxModel(str(WEIGHTS), outputs=["taggram"])
