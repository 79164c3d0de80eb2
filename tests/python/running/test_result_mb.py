"""`result_mb` bounds what a call keeps, which is what grows with the sound; nothing else changes."""

from __future__ import annotations

import io
from typing import Any

import fastaudio as fa
import numpy as np
import pytest
import soundfile

RATE = 16_000
WIDE = fa.Pipeline(fa.Spectrogram(sample_rate=RATE, n_fft=2048, hop_length=160))
SOUND = np.random.default_rng(3).uniform(-0.3, 0.3, 20 * RATE).astype(np.float32)
RESULT_MB = 2001 * 1025 * 4 / 1e6


def file_of(sound: np.ndarray[Any, Any], rate: int) -> io.BytesIO:
    file = io.BytesIO()
    soundfile.write(file, sound, rate, format="FLAC")
    file.seek(0)
    return file


def test_a_small_file_that_would_give_much_is_refused_early() -> None:
    silence = file_of(np.zeros(3600 * RATE, np.int16), RATE)
    assert len(silence.getvalue()) < 200_000
    done = []
    with pytest.raises(fa.ResultTooLarge, match=r"at most 20 MB of results, got more .*; raise result_mb="):
        WIDE(silence, result_mb=20, progress=lambda done_s, _: done.append(done_s))
    assert done[-1] < 120, "the rest of the hour isn't run"


@pytest.mark.parametrize("source", ["samples", "file"])
def test_what_fits_is_as_without(source: str) -> None:
    here = file_of(SOUND, RATE) if source == "file" else SOUND
    rate = None if source == "file" else RATE
    whole = WIDE(here, sample_rate=rate)
    if source == "file":
        here.seek(0)  # type: ignore[attr-defined]
    assert np.array_equal(WIDE(here, sample_rate=rate, result_mb=1.01 * RESULT_MB), whole)
    with pytest.raises(fa.ResultTooLarge):
        WIDE(SOUND, sample_rate=RATE, result_mb=0.99 * RESULT_MB)


def test_a_block_at_a_low_rate_is_cut_before_it_is_run() -> None:
    day = np.zeros(86_400, np.float32)  # at 100 Hz, a quarter of an hour of rows in one block
    whole = WIDE(day[:3000], sample_rate=100)
    assert np.array_equal(WIDE(day[:3000], sample_rate=100, result_mb=2 * whole.nbytes / 1e6), whole)
    with pytest.raises(fa.ResultTooLarge) as raised:
        WIDE(day, sample_rate=100, result_mb=8)
    assert "from the first" in str(raised.value)
    seconds = float(str(raised.value).split("the first ")[1].split(" s")[0])
    assert seconds < 60


def test_in_a_batch_the_rest_is_done() -> None:
    short = SOUND[: 2 * RATE]
    files = [file_of(one, RATE) for one in (short, SOUND, short)]
    results = list(WIDE.map(files, jobs=1, result_mb=2))
    assert [type(one) for one in results] == [np.ndarray, fa.ResultTooLarge, np.ndarray]


def test_outputs_of_a_dict_count_together() -> None:
    node = fa.Spectrogram(sample_rate=RATE, n_fft=2048, hop_length=160)
    both = fa.Pipeline(node >> {"a": fa.Log(kind="dB"), "b": fa.Log(kind="dB")})
    assert set(both(SOUND, sample_rate=RATE, result_mb=2.01 * RESULT_MB)) == {"a", "b"}  # type: ignore[arg-type]
    with pytest.raises(fa.ResultTooLarge):
        both(SOUND, sample_rate=RATE, result_mb=1.5 * RESULT_MB)


@pytest.mark.parametrize("wrong", [0, -1, float("nan"), -(10**400)])
def test_a_bound_is_above_0(wrong: float) -> None:
    with pytest.raises(ValueError, match=r"^Pipeline: expected result_mb above 0 MB, got "):
        WIDE(SOUND, sample_rate=RATE, result_mb=wrong)
    with pytest.raises(ValueError, match=r"^Pipeline\.map: expected result_mb above 0 MB, got "):
        WIDE.map([], result_mb=wrong)


@pytest.mark.parametrize("wrong", ["1", True, [], 1j])
def test_a_bound_is_a_number(wrong: Any) -> None:
    with pytest.raises(TypeError, match=r"^Pipeline: expected result_mb as a number of MB or None, got "):
        WIDE(SOUND, sample_rate=RATE, result_mb=wrong)
