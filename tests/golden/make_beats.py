"""Make beats.npz: what the package BeatNet 1.1.3 says of the guitar and of two clips, with its third weights.

    python tests/golden/make_beats.py CLIPS

CLIPS is the folder with the clips. This needs BeatNet, madmom 0.16.1 compiled for this Python, and librosa;
models/recipes/README.md says how. PyAudio may be absent, as no microphone is opened. The guitar's left
channel is taken as if it were 22.05 kHz, so that no resampler is needed.
"""

from __future__ import annotations

import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
CLIPS = {"celtic": "music_celtic_32k_stereo_s16.wav", "rock": "music_rock_44k_stereo.ogg"}


def opened() -> Any:
    """Return the package's tracker, with a memory of zeros."""
    sys.modules.setdefault("pyaudio", types.ModuleType("pyaudio"))
    from BeatNet.BeatNet import BeatNet

    return BeatNet(3, mode="offline", inference_model="DBN")


def main() -> None:
    """Write the file."""
    samples = soundfile.read(ROOT / "examples" / "guitar.flac", dtype="float32", always_2d=True)[0][:, 0]
    scores = opened().activation_extractor_online(samples.copy()).astype(np.float32)
    beats = {
        f"{name}_s": opened().process(str(Path(sys.argv[1]) / file))[:, 0] for name, file in CLIPS.items()
    }
    np.savez_compressed(HERE / "beats.npz", guitar=scores, **beats)


if __name__ == "__main__":
    main()
