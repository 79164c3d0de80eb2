"""Spectrogram against NumPy in float64, and its windows against SciPy's."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest
from helpers import sine
from mel_reference import DEFAULTS, spectra

if TYPE_CHECKING:
    from numpy.typing import NDArray


def complex_rows(x: NDArray[np.float32], **options: Any) -> NDArray[np.complex128]:
    """Return rows of complex bins, in double precision."""
    pairs = fa.Spectrogram(power=None, **options)(x).astype(np.float64)
    return pairs[..., 0] + 1j * pairs[..., 1]


def worst(got: NDArray[Any], want: NDArray[Any]) -> float:
    """Return the largest error as a share of its frame's largest magnitude."""
    assert got.shape == want.shape
    top = np.abs(want).max(axis=1, keepdims=True, initial=1e-12)
    return float((np.abs(got - want) / top).max(initial=0))


@pytest.mark.parametrize("n_fft", [2, 3, 64, 400, 441, 512, 882, 1000, 1024, 1103, 2048, 7919, 8192])
@pytest.mark.parametrize("pad_mode", ["constant", "reflect", "kaldi", None])
def test_every_value_matches_the_reference(
    guitar_16k: NDArray[np.float32], n_fft: int, pad_mode: str | None
) -> None:
    x = guitar_16k[30_000:50_000] if n_fft > 3 else guitar_16k[30_000:30_500]
    framing = {"center": pad_mode is not None, "pad_mode": pad_mode or "constant"}
    options = {"sample_rate": 16_000, "n_fft": n_fft, "hop_length": max(1, n_fft // 3), **framing}
    want = spectra(x, **options)
    assert worst(complex_rows(x, **options), want) < 1e-6
    # The root of a small magnitude magnifies the rounding of float32.
    for power, tolerance in ((2.0, 2e-6), (1.0, 1e-6), (3.0, 3e-6), (0.5, 2e-3)):
        rows = fa.Spectrogram(power=power, **options)(x)
        assert worst(rows, np.abs(want) ** power) < tolerance


def test_defaults_are_librosas_and_the_mel_spectrograms() -> None:
    spectrum = fa.Spectrogram()
    shared = [name for name in DEFAULTS if hasattr(spectrum, name)]
    assert {"sample_rate", "window", "pad_mode", "power"} <= set(shared)
    assert {name: getattr(spectrum, name) for name in shared} == {name: DEFAULTS[name] for name in shared}


@pytest.mark.parametrize("center", [True, False])
@pytest.mark.parametrize(
    ("n_fft", "win_length", "hop_length"), [(512, None, 160), (1024, 400, 10), (441, 300, 441)]
)
def test_spectra_are_librosas_stft(
    guitar_16k: NDArray[np.float32], *, n_fft: int, win_length: int | None, hop_length: int, center: bool
) -> None:
    librosa = pytest.importorskip("librosa")
    x = guitar_16k[20_000:24_000]
    options = {"n_fft": n_fft, "win_length": win_length, "hop_length": hop_length, "center": center}
    want = librosa.stft(x.astype(np.float64), **options).T
    assert worst(complex_rows(x, sample_rate=16_000, **options), want) < 1e-6


def test_what_a_row_is_is_told() -> None:
    options = {"sample_rate": 16_000, "n_fft": 400, "hop_length": 160}
    for power, shape, unit in [
        (2.0, (201,), "power"),
        (1.0, (201,), "magnitude"),
        (0.5, (201,), "magnitude ** 0.5"),
        (None, (201, 2), "complex"),
    ]:
        node = fa.Spectrogram(power=power, **options)
        spec = node.output_specs(node.input_spec)[""]
        assert (spec.rate_hz, spec.shape, spec.unit, spec.bin_hz) == (100, shape, unit, 40)


def test_a_tone_stands_in_its_bin() -> None:
    # Half of 0.5 sin is at the positive frequency, times the window's sum: n_fft / 2 for a Hann window.
    x = sine(1000, 16_000, 16_000)
    rows = fa.Spectrogram(sample_rate=16_000, n_fft=512, hop_length=256, center=False, power=1)(x)
    assert (rows.argmax(axis=1) == 32).all()
    np.testing.assert_allclose(rows[:, 32], 0.5 / 2 * 512 / 2, rtol=1e-5)


def taper(n_fft: int, **options: Any) -> NDArray[np.float64]:
    """Return the window as it acts: frame i holds a single 1, at i, and its mean bin tells the weight."""
    x = np.eye(n_fft, dtype=np.float32).ravel()
    rows = complex_rows(x, sample_rate=16_000, n_fft=n_fft, hop_length=n_fft, center=False, **options)
    assert rows.shape == (n_fft, n_fft // 2 + 1)
    return rows[:, 0].real


SHAPES: list[tuple[str, float]] = [
    *[(name, 12.0) for name in ("hann", "hamming", "blackman", "povey")],
    *[("kaiser", beta) for beta in (0.0, 5.0, 12.0, 40.0)],
    ("rectangular", 12.0),  # this comes last because it has no symmetric form
]


@pytest.mark.parametrize(
    ("name", "beta", "symmetric"),
    [(*shape, symmetric) for shape in SHAPES for symmetric in (False, True)][:-1],
)
@pytest.mark.parametrize("n", [1, 2, 3, 25, 256, 400, 441])
def test_windows_are_scipys(name: str, beta: float, n: int, *, symmetric: bool) -> None:
    signal = pytest.importorskip("scipy.signal")
    scipys: Any = {"povey": "hann", "rectangular": "boxcar", "kaiser": ("kaiser", beta)}.get(name, name)
    want = signal.get_window(scipys, n, fftbins=not symmetric)
    if name == "povey":  # Kaldi's own
        want = np.maximum(want, 0) ** 0.85
    name += "_symmetric" if symmetric else ""
    got = taper(max(n, 2), window=name, window_beta=beta, win_length=n, window_at="start")
    np.testing.assert_allclose(got[:n], want, rtol=0, atol=1e-6)
    assert not got[n:].any()


@pytest.mark.parametrize(("win_length", "n_fft"), [(50, 64), (51, 64), (50, 75), (51, 75), (1, 9)])
def test_a_short_window_stands_in_the_middle_or_at_the_start(win_length: int, n_fft: int) -> None:
    alone = taper(win_length, window="hamming") if win_length > 1 else np.ones(1)
    middle = taper(n_fft, window="hamming", win_length=win_length)
    first = (n_fft - win_length) // 2
    np.testing.assert_allclose(middle[first : first + win_length], alone, rtol=0, atol=1e-6)
    assert np.count_nonzero(middle) == win_length
    start = spectra(np.ones(n_fft), n_fft=n_fft, win_length=win_length, center=False, window_at="start")
    x = np.ones(n_fft, dtype=np.float32)
    got = complex_rows(x, n_fft=n_fft, win_length=win_length, center=False, window_at="start")
    assert len(got) == 1 + (n_fft - win_length) // 512
    assert worst(got, start) < 1e-6


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_fft": 1}, "n_fft in [2, 65536] samples, got 1"),
        ({"n_fft": 512, "win_length": 513}, "win_length in [1, 512] samples (n_fft), got 513"),
        ({"power": 0.0}, "power in [0.01, 10], got 0.0"),
        ({"window_beta": -1.0}, "window_beta in [0, 100], got -1.0"),
        ({"preemphasis": 1.5}, "preemphasis in [0, 1], got 1.5"),
        ({"sample_scale": 0.0}, "sample_scale in [1e-06, 1e+06], got 0.0"),
    ],
)
def test_options_out_of_reach_are_told(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match="^" + re.escape("Spectrogram: expected " + message)):
        fa.Spectrogram(**options)
