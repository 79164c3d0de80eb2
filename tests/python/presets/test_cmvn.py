"""Kaldi's sums of features give each band's mean and deviation, and no other file does."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest
from fastaudio import presets
from fastaudio.presets.cmvn import read_cmvn
from helpers import SHARED

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

ROWS = np.random.default_rng(0).normal(np.linspace(5, 15, 80), np.linspace(1, 4, 80), (1000, 80))


def sums(rows: NDArray[Any]) -> NDArray[Any]:
    squares = np.append((rows**2).sum(axis=0), 0)
    return np.stack([np.append(rows.sum(axis=0), len(rows)), squares])


def ark(values: NDArray[Any], kind: str = "D", key: bytes = b"") -> bytes:
    """Return Kaldi's binary matrix."""
    head = key + b"\0B" + kind.encode() + b"M " + struct.pack("<BiBi", 4, values.shape[0], 4, values.shape[1])
    return head + values.astype("<f8" if kind == "D" else "<f4").tobytes()


@pytest.mark.parametrize(("kind", "error"), [("D", 1e-9), ("F", 1e-3)])
@pytest.mark.parametrize("key", [b"", b"train "])
def test_mean_and_deviation_are_those_of_the_frames(
    tmp_path: Path, kind: str, key: bytes, error: float
) -> None:
    (tmp_path / "cmvn.ark").write_bytes(ark(sums(ROWS), kind, key))
    mean, std = read_cmvn(tmp_path / "cmvn.ark", 80)
    assert np.abs(np.array(mean) - ROWS.mean(axis=0)).max() < error
    assert np.abs(np.array(std) - ROWS.std(axis=0)).max() < error
    assert presets.firered(cmvn=tmp_path / "cmvn.ark") == presets.firered(mean=mean, std=std)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "expected Kaldi's sums in binary form"),
        (b"[ 1 2 3\n 4 5 6 ]", "expected Kaldi's sums in binary form"),
        (b"\0BCM " + bytes(100), "expected Kaldi's sums in binary form"),
        (bytes(2 << 20), "expected Kaldi's sums in binary form"),
        (b"\0BDM ", r"expected 2 x 81 sums, of 80 bands, got 0 x 0 in 0 bytes"),
        (ark(sums(ROWS))[:-1], r"expected 2 x 81 sums, of 80 bands, got 2 x 81 in 1295 bytes"),
        (ark(sums(ROWS[:, :64])), r"expected 2 x 81 sums, of 80 bands, got 2 x 65"),
        (ark(np.full((2, 81), -1.0)), "expected sums of one frame or more whose bands vary"),
        (ark(np.full((2, 81), np.nan)), "expected sums of one frame or more whose bands vary"),
        (ark(np.full((2, 81), np.inf)), "expected sums of one frame or more whose bands vary"),
        (ark(np.zeros((2, 81))), "expected sums of one frame or more whose bands vary"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "cmvn.ark").write_bytes(content)
    with pytest.raises(fa.ModelError, match=message) as told:
        presets.firered(cmvn=tmp_path / "cmvn.ark")
    assert len(str(told.value)) < 400


def test_a_missing_file_and_missing_numbers_are_told(tmp_path: Path) -> None:
    with pytest.raises(fa.ModelError, match="expected a file that can be read"):
        presets.firered(cmvn=tmp_path / "none.ark")
    with pytest.raises(ValueError, match=r"firered: expected cmvn, .*, got neither; give cmvn='cmvn\.ark'"):
        presets.firered()
    with pytest.raises(ValueError, match="got only one of these"):
        presets.firered(mean=[0.0] * 80)
    with pytest.raises(ValueError, match="expected cmvn, or mean and std, got both"):
        presets.firered(mean=[0.0] * 80, std=[1.0] * 80, cmvn="cmvn.ark")


def test_the_releases_file_is_read() -> None:
    path = SHARED / "models" / "firered" / "cmvn.ark"
    if not path.is_file():
        pytest.skip("the folder of models from elsewhere, ../shared/models, isn't there")
    mean, std = read_cmvn(path, 80)
    assert mean[:2] == pytest.approx([10.42295175, 10.86209741])  # as its sums over 1,694,418,954 frames say
    assert std[:2] == pytest.approx([4.00804675, 4.2438994])
