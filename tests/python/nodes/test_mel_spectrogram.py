"""MelSpectrogram against an independent reference in float64, and against librosa's own numbers."""

from __future__ import annotations

import re
import warnings
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest
from helpers import GOLDEN, assert_same_bits, in_chunks
from hypothesis import given
from hypothesis import strategies as st
from mel_reference import DEFAULTS, mel_spectrogram

if TYPE_CHECKING:
    from numpy.typing import NDArray

Guitar = "tuple[NDArray[np.float32], int]"


def node(**options: Any) -> fa.MelSpectrogram:
    """Return a node, whether or not some of its bands are empty."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return fa.MelSpectrogram(**options)


def assert_close(x: NDArray[np.float32], **options: Any) -> None:
    """Assert the same number of frames, each within 1e-5 of its maximum.

    The root of a small magnitude magnifies the rounding of float32, whoever computes it.
    """
    tolerance = 1e-5 if options.get("power", 2.0) >= 1 else 1e-4
    got, want = node(**options)(x), mel_spectrogram(x, **options)
    assert got.shape == want.shape
    top = np.abs(want).max(axis=1, keepdims=True, initial=1e-12)
    assert (np.abs(got - want) / top).max(initial=0) < tolerance


def test_defaults_are_librosas() -> None:
    mel = fa.MelSpectrogram()
    assert {name: getattr(mel, name) for name in DEFAULTS} == DEFAULTS


@pytest.mark.parametrize(
    ("sample_rate", "n_fft", "hop_length", "n_mels"),
    [
        (16_000, 512, 256, 96),
        (22_050, 2048, 512, 128),
        (44_100, 2048, 441, 128),
        (16_000, 400, 160, 80),
        (44_100, 441, 441, 40),
        (44_100, 882, 441, 64),
        (16_000, 1000, 1, 32),
        (16_000, 513, 256, 48),
        (22_050, 1103, 512, 64),
        (16_000, 2, 2, 1),
        (16_000, 3, 1, 1),
        (48_000, 7919, 1000, 80),
        (48_000, 32_768, 10_000, 128),
        (16_000, 256, 1000, 20),
    ],
)
@pytest.mark.parametrize("pad_mode", ["constant", "reflect", "kaldi"])
def test_any_length_of_transform_matches_the_reference(
    guitar: Guitar, *, sample_rate: int, n_fft: int, hop_length: int, n_mels: int, pad_mode: str
) -> None:
    x = guitar[0][30_000:50_000, 0] if hop_length > 1 else guitar[0][30_000:32_000, 0]
    assert_close(
        np.ascontiguousarray(x),
        sample_rate=sample_rate,
        n_fft=n_fft,
        hop_length=hop_length,
        n_mels=n_mels,
        pad_mode=pad_mode,
    )


@pytest.mark.parametrize("mel_scale", ["slaney", "htk"])
@pytest.mark.parametrize("norm", ["slaney", "none"])
@pytest.mark.parametrize("power", [1.0, 2.0, 0.5, 3.0])
@pytest.mark.parametrize(("f_min", "f_max"), [(0.0, None), (125.0, 7500.0), (20.0, 5000.0)])
def test_scales_norms_powers_and_edges_match_the_reference(
    guitar_16k: NDArray[np.float32],
    *,
    mel_scale: str,
    norm: str,
    power: float,
    f_min: float,
    f_max: float | None,
) -> None:
    assert_close(
        guitar_16k[:8000],
        sample_rate=16_000,
        n_fft=512,
        win_length=400,
        hop_length=160,
        n_mels=64,
        f_min=f_min,
        f_max=f_max,
        power=power,
        norm=norm,
        mel_scale=mel_scale,
    )


@pytest.mark.parametrize(
    "window",
    ["rectangular"] + [w + s for w in ("hann", "hamming", "blackman") for s in ("", "_symmetric")],
)
@pytest.mark.parametrize("win_length", [None, 511, 400, 399, 3, 1])
def test_windows_match_the_reference(
    guitar_16k: NDArray[np.float32], window: str, win_length: int | None
) -> None:
    assert_close(
        guitar_16k[:4000],
        sample_rate=16_000,
        n_fft=512,
        hop_length=128,
        n_mels=40,
        window=window,
        win_length=win_length,
    )


@given(
    n=st.integers(0, 3000),
    n_fft=st.integers(2, 700),
    hop_length=st.integers(1, 900),
    win_share=st.floats(0.01, 1),
    center=st.booleans(),
    pad_mode=st.sampled_from(["constant", "reflect", "kaldi"]),
    window_at=st.sampled_from(["middle", "start"]),
    remove_dc=st.booleans(),
    preemphasis=st.sampled_from([0.0, 0.97]),
)
def test_any_length_of_signal_matches_the_reference(
    guitar_16k: NDArray[np.float32],
    *,
    n: int,
    n_fft: int,
    hop_length: int,
    win_share: float,
    center: bool,
    pad_mode: str,
    window_at: str,
    remove_dc: bool,
    preemphasis: float,
) -> None:
    assert_close(
        guitar_16k[5000 : 5000 + n],
        sample_rate=16_000,
        n_fft=n_fft,
        hop_length=hop_length,
        win_length=max(1, round(win_share * n_fft)),
        n_mels=min(8, n_fft // 2 + 1),
        center=center,
        pad_mode=pad_mode,
        window_at=window_at,
        remove_dc=remove_dc,
        preemphasis=preemphasis,
    )


@pytest.mark.parametrize("n", [1, 2, 3, 200, 255, 256, 257, 511, 512, 513])
@pytest.mark.parametrize("center", [True, False])
@pytest.mark.parametrize("pad_mode", ["constant", "reflect", "kaldi"])
def test_signals_shorter_than_a_frame_give_one_and_match(
    guitar_16k: NDArray[np.float32], n: int, center: bool, pad_mode: str
) -> None:
    x = guitar_16k[5000 : 5000 + n]
    assert len(node(sample_rate=16_000, n_fft=512, center=center, pad_mode=pad_mode)(x)) >= 1
    assert_close(
        x, sample_rate=16_000, n_fft=512, hop_length=160, n_mels=20, center=center, pad_mode=pad_mode
    )


@given(n=st.integers(1, 5000), half=st.integers(1, 300), hop_length=st.integers(1, 600))
def test_number_of_frames_is_as_documented(n: int, half: int, hop_length: int) -> None:
    n_fft = 2 * half
    x = np.zeros(n, dtype=np.float32)
    centred = node(sample_rate=16_000, n_fft=n_fft, hop_length=hop_length, n_mels=2)
    assert len(centred(x)) == 1 + n // hop_length
    plain = node(sample_rate=16_000, n_fft=n_fft, hop_length=hop_length, n_mels=2, center=False)
    assert len(plain(x)) == max(1, 1 + (n - n_fft) // hop_length)


@given(
    cuts=st.lists(st.integers(0, 6000), max_size=20),
    n=st.one_of(st.integers(0, 1500), st.just(6000)),
    n_fft=st.sampled_from([64, 400, 441, 513, 1024]),
    hop_length=st.integers(1, 1300),
    center=st.booleans(),
    pad_mode=st.sampled_from(["constant", "reflect", "kaldi"]),
    window_at=st.sampled_from(["middle", "start"]),
    remove_dc=st.booleans(),
    preemphasis=st.sampled_from([0.0, 0.97]),
)
def test_any_chunking_gives_the_same_bits(
    guitar_16k: NDArray[np.float32],
    *,
    cuts: list[int],
    n: int,
    n_fft: int,
    hop_length: int,
    center: bool,
    pad_mode: str,
    window_at: str,
    remove_dc: bool,
    preemphasis: float,
) -> None:
    mel = node(
        sample_rate=16_000,
        n_fft=n_fft,
        hop_length=hop_length,
        win_length=n_fft - n_fft // 5,
        n_mels=16,
        center=center,
        pad_mode=pad_mode,
        window_at=window_at,
        remove_dc=remove_dc,
        preemphasis=preemphasis,
    )
    x = guitar_16k[5000 : 5000 + n]
    assert_same_bits({"": mel(x)}, in_chunks(mel, x, [cut % (n + 1) for cut in cuts]))


def test_frames_do_not_depend_on_what_stands_around_them(guitar_16k: NDArray[np.float32]) -> None:
    mel = node(sample_rate=16_000, n_fft=512, hop_length=256, n_mels=96, center=False)
    whole = mel(guitar_16k)
    for first in (1, 2, 3, 5, 8, 100):
        assert np.array_equal(mel(guitar_16k[256 * first :]), whole[first:])


def test_bands_too_narrow_for_a_bin_are_named_once_and_stay_zero() -> None:
    with pytest.warns(UserWarning, match=r"^MelSpectrogram: bands \[\d+(, \d+)*\] ") as caught:
        mel = fa.MelSpectrogram(sample_rate=16_000, n_fft=256, n_mels=128)
    assert len(caught) == 1
    named = str(caught[0].message).partition("[")[2].partition("]")[0]
    empty = [int(band) for band in named.split(", ")]
    rows = mel(np.random.default_rng(0).uniform(-1, 1, 8000).astype(np.float32))
    assert np.flatnonzero((rows == 0).all(axis=0)).tolist() == empty


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"hop_length": 0}, "hop_length in [1, 65536] samples, got 0"),
        ({"n_fft": 512, "win_length": 513}, "win_length in [1, 512] samples (n_fft), got 513"),
        (
            {"sample_rate": 16_000, "f_max": 8000.5},
            "f_max in [0, 8000] Hz (sample_rate / 2), got 8000.5",
        ),
        ({"f_min": 4000.0, "f_max": 4000.0}, "f_min below f_max = 4000.0 Hz, got 4000.0"),
        ({"sample_rate": 16_000, "f_min": 9000.0}, "f_min below f_max = 8000.0 Hz, got 9000.0"),
        ({"n_fft": 128, "n_mels": 66}, "n_mels in [1, 65] bands (n_fft / 2 + 1), got 66"),
        ({"n_fft": 77, "n_mels": 40}, "n_mels in [1, 39] bands (n_fft / 2 + 1), got 40"),
        ({"window": "bartlett"}, "window as one of 'hann', 'hamming', "),
        ({"window_at": "end"}, "window_at as one of 'middle', 'start', got 'end'"),
        ({"pad_mode": "edge"}, "pad_mode as one of 'constant', 'reflect', 'kaldi', got 'edge'"),
        ({"norm": "area"}, "norm as one of 'slaney', 'unit_sum', 'none', got 'area'"),
        ({"triangles": "bark"}, "triangles as one of 'hz', 'mel', got 'bark'"),
    ],
)
def test_options_out_of_reach_are_told(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match="^" + re.escape("MelSpectrogram: expected " + message)):
        fa.MelSpectrogram(**options)


def test_rows_are_librosas_own_numbers(guitar: Guitar) -> None:
    golden = np.load(GOLDEN / "librosa_mel.npz")
    left = guitar[0][: int(golden["n_samples"]), 0]
    names = [name for name in golden.files if name.startswith("rows ")]
    assert len(names) >= 5
    for name in names:
        options = eval(name.removeprefix("rows "))  # noqa: S307  # our own file's option dicts
        rows = node(sample_rate=44_100, **options)(np.ascontiguousarray(left))
        want = golden[name]
        assert len(rows) == int(golden[name.replace("rows ", "n_frames ")])
        got = rows[:: int(golden["every"])]
        assert got.shape == want.shape
        assert (np.abs(got - want) / want.max(axis=1, keepdims=True)).max() < 1e-5
