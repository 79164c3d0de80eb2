"""Puts the recipes' folders on the path: their modules import each other like scripts in a folder."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile
from helpers import RECIPES

if TYPE_CHECKING:
    from pathlib import Path

sys.path[:0] = [str(RECIPES / folder) for folder in ("papers", "shipped", "train", "instruments")]


@pytest.fixture(scope="session")
def clips_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of clips of 4 and 6 s: tones and noises, and both."""
    folder = tmp_path_factory.mktemp("clips")
    rng = np.random.default_rng(0)
    lines = ["file,split,labels"]
    for i in range(6):
        t = np.arange(16_000 * (6 if i % 2 else 4)) / 16_000
        kind = i % 3
        samples = np.zeros(len(t))
        if kind != 1:
            samples += 0.3 * np.sin(2 * np.pi * (440 + 20 * i) * t)
        if kind != 0:
            samples += 0.1 * rng.standard_normal(len(t))
        soundfile.write(folder / f"{i}.wav", samples, 16_000)
        split = ["train", "train", "train", "validation", "test", "test"][i]
        lines.append(f"{i}.wav,{split},{['car', 'siren', 'car; siren'][kind]}")
    (folder / "manifest.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder
