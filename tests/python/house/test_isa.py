"""Every instruction set that this processor has gives the golden numbers and keeps the laws."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import fastaudio as fa
import numpy as np
import pytest
from fastaudio import _core
from helpers import ROOT, musicnn_front
from mel_reference import mel_spectrogram

if TYPE_CHECKING:
    from pathlib import Path

SCRIPT = """
import sys
import numpy as np
from helpers import ROOT, GUITAR, assert_same_bits, decode, in_chunks, musicnn_front
import fastaudio as fa
from fastaudio import _core
x = np.ascontiguousarray(decode(GUITAR)[0][:60_000, 0])
pipe = fa.Resample(input_rate=44_100, output_rate=16_000) >> musicnn_front()
rows = pipe(x)
assert_same_bits({"": rows}, in_chunks(pipe, x, [0, 1, 2, 700, 701, 30_000, 30_003, 59_999]))
assert_same_bits({"": rows}, in_chunks(pipe, x, range(0, 60_000, 997)))
assert_same_bits({"": rows}, in_chunks(pipe, x, range(0, 60_000, 31)))
np.save(sys.argv[1], rows)
print(_core.isa())
"""


def run(isa: str, output: Path) -> subprocess.CompletedProcess[str]:
    """Run the script with one instruction set."""
    here = str(ROOT / "tests" / "python" / "support")
    path = os.pathsep.join(filter(None, [here, os.environ.get("PYTHONPATH")]))
    return subprocess.run(
        [sys.executable, "-c", SCRIPT, str(output)],
        env=os.environ | {"FASTAUDIO_ISA": isa, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("isa", ["baseline", "avx2", "avx512"])
def test_numbers_and_laws_hold(isa: str, tmp_path: Path, guitar: tuple[np.ndarray, int]) -> None:
    result = run(isa, tmp_path / "rows.npy")
    if "FASTAUDIO_ISA: expected one of" in result.stderr:
        pytest.skip(f"this processor has no {isa}")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.strip() == isa
    rows = np.load(tmp_path / "rows.npy")
    left = np.ascontiguousarray(guitar[0][:60_000, 0])
    resampled = fa.Resample(input_rate=44_100, output_rate=16_000)(left)
    mel = musicnn_front()[0]
    want = np.log10(
        1
        + 10_000
        * mel_spectrogram(
            resampled,
            sample_rate=mel.sample_rate,
            n_fft=mel.n_fft,
            hop_length=mel.hop_length,
            n_mels=mel.n_mels,
            pad_mode=mel.pad_mode,
        )
    )
    assert np.abs(rows - want).max() < 1e-4


def test_the_one_in_use_is_told() -> None:
    assert _core.isa() in ("baseline", "avx2", "avx512", "neon")


def test_an_instruction_set_that_is_not_there_is_told(tmp_path: Path) -> None:
    result = run("mmx", tmp_path / "rows.npy")
    assert result.returncode != 0
    assert "ValueError: FASTAUDIO_ISA: expected one of " in result.stderr
    assert "got 'mmx'; unset it to take the fastest" in result.stderr
