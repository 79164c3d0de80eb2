"""fastaudio.librosa's load and resample against librosa's: lengths, samples at the file's rate, levels.

Two resamplers cut off at different frequencies. What both let pass is the same, so levels agree to 1e-3, and
samples to 1e-2 of the largest; they differ by what lies at the edge of the pass band.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import fastaudio as fa
import fastaudio.librosa as fl
import numpy as np
import pytest
import soundfile
from helpers import GUITAR, clips, decode, sine

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

# librosa looks for old decoders, and Python warns of these.
pytestmark = pytest.mark.filterwarnings("ignore:.*slated for removal in Python:DeprecationWarning")

CLIPS = [GUITAR, *[path for path, _ in clips() if path.suffix in (".wav", ".flac", ".ogg", ".mp3")][::2]]
WHOLE = [path for path in CLIPS if soundfile.info(path).duration < 60]
EDGE = 500


def level(samples: NDArray[np.float32]) -> float:
    """Return the level below 0.85 of the Nyquist frequency, which both resamplers let pass."""
    inner = samples[..., EDGE:-EDGE].astype(np.float64)
    magnitude = np.abs(np.fft.rfft(inner * np.hanning(inner.shape[-1])))
    return float(np.sqrt(np.mean(magnitude[..., : int(0.85 * magnitude.shape[-1])] ** 2)))


@pytest.mark.parametrize("path", CLIPS, ids=lambda path: path.stem)
@pytest.mark.parametrize(
    "options", [{}, {"sr": 16_000, "offset": 0.3, "duration": 1.5}, {"res_type": "soxr_vhq"}]
)
def test_load_agrees_with_librosa(path: Path, options: dict[str, object]) -> None:
    librosa = pytest.importorskip("librosa")
    theirs, their_rate = librosa.load(path, **{"duration": 4, **options})
    ours, rate = fl.load(path, **{"duration": 4, **options})
    assert (ours.shape, ours.dtype, rate) == (theirs.shape, theirs.dtype, their_rate)
    assert level(ours) == pytest.approx(level(theirs), rel=1e-3)
    if "res_type" in options:  # its pass band reaches further than "best" does
        return
    inner = slice(EDGE, -EDGE)
    assert np.abs(ours[inner] - theirs[inner]).max() < 1e-2 * np.abs(theirs).max()


@pytest.mark.parametrize("path", WHOLE, ids=lambda path: path.stem)
def test_at_its_own_rate_a_file_is_what_libsndfile_decodes(path: Path) -> None:
    samples, native = decode(path)
    mixed, rate = fl.load(path, sr=None)
    assert rate == native
    np.testing.assert_allclose(mixed, samples.mean(axis=1), atol=2e-7)
    apart, _ = fl.load(path, sr=None, mono=False)
    np.testing.assert_array_equal(apart, samples[:, 0] if samples.shape[1] == 1 else samples.T)


def test_a_part_is_that_part_of_the_whole() -> None:
    whole, rate = fl.load(GUITAR, sr=None, mono=False)
    part, _ = fl.load(GUITAR, sr=None, mono=False, offset=0.5, duration=0.25)
    start = int(0.5 * rate)
    np.testing.assert_array_equal(part, whole[..., start : start + int(0.25 * rate)])
    nothing, _ = fl.load(GUITAR, sr=None, offset=1e6)
    assert nothing.shape == (0,)


def test_channels_are_resampled_one_by_one() -> None:
    apart, _ = fl.load(GUITAR, sr=16_000, mono=False, duration=2)
    mixed, _ = fl.load(GUITAR, sr=16_000, duration=2)
    np.testing.assert_allclose(apart.mean(axis=0), mixed, atol=1e-6)


def test_a_file_object_loads_as_its_path() -> None:
    ours, _ = fl.load(io.BytesIO(GUITAR.read_bytes()))
    np.testing.assert_array_equal(ours, fl.load(GUITAR)[0])


def test_no_such_file() -> None:
    with pytest.raises(fa.DecodeError, match="no such file"):
        fl.load("nowhere.wav")


@pytest.mark.parametrize("n", [1, 441, 882, 4410, 9999, 44_100])
@pytest.mark.parametrize(("orig_sr", "target_sr"), [(44_100, 16_000), (22_050, 48_000), (2, 3)])
def test_lengths_are_librosas(n: int, orig_sr: int, target_sr: int) -> None:
    """The length is librosa's even where its product of floats rounds up past the exact one."""
    librosa = pytest.importorskip("librosa")
    rates = {"orig_sr": orig_sr, "target_sr": target_sr}
    y = sine(300, 44_100, n)
    assert fl.resample(y, **rates).shape == librosa.resample(y, **rates).shape


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_resample_runs_along_an_axis(axis: int) -> None:
    librosa = pytest.importorskip("librosa")
    y = np.stack([sine(440, 22_050, 9000), sine(700, 22_050, 9000)], axis=1 - axis if axis >= 0 else 0)
    kwargs = {"orig_sr": 22_050, "target_sr": 16_000, "axis": axis, "scale": True}
    ours, theirs = fl.resample(y, **kwargs), librosa.resample(y, **kwargs)
    assert ours.shape == theirs.shape
    inner = np.moveaxis(ours - theirs, axis, -1)[:, EDGE:-EDGE]
    assert np.abs(inner).max() < 1e-3 * np.abs(theirs).max()


def test_one_rate_is_no_change() -> None:
    y = sine(440, 22_050, 100)
    np.testing.assert_array_equal(fl.resample(y, orig_sr=22_050, target_sr=22_050.0), y)
