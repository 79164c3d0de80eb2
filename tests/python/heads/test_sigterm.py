"""A program that turns SIGTERM into an exception, as docs/isolation.md says, leaves no folder of a head."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("onnx")
if sys.platform == "win32":
    pytest.skip("Windows has no SIGTERM", allow_module_level=True)

PAGE = Path(__file__).parents[3] / "docs" / "isolation.md"
PROGRAM = """
import numpy as np
import fastaudio as fa
from fastaudio.heads.classifier import Classifier
from fastaudio.heads.embedders import tagger_of

layer = np.zeros((8, 2)), np.zeros(2)
classifier = Classifier(np.zeros(8), np.ones(8), False, (layer,), True, abs, True)
embedder = fa.Pipeline(fa.MelSpectrogram(sample_rate=16_000, n_mels=8) >> fa.Mean())
tagger = tagger_of(embedder, classifier, ["a", "b"], {})
print("ready", flush=True)
sound = np.zeros(16_000 * 600, np.float32)
while True:
    tagger(sound, sample_rate=16_000)
"""


def test_nothing_is_left(tmp_path: Path) -> None:
    recipe = re.search(
        r"## Ending on SIGTERM.*?```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL
    )
    assert recipe is not None
    with subprocess.Popen(
        [sys.executable, "-c", recipe[1] + PROGRAM],
        env=os.environ | {"TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        text=True,
    ) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == "ready\n"
        assert list(tmp_path.glob("fastaudio-head-*"))
        program.send_signal(signal.SIGTERM)
        assert program.wait(60) == 143
    assert not list(tmp_path.iterdir())
