"""Provides the sound to measure with, and plain ways to read and write it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import soundfile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

BLOCK = 65_536
_ROOT = Path(__file__).resolve().parents[1]
_FULL = _ROOT.parent / "shared/audio/clips/music_orchestral_full_44k_stereo.mp3"
_GUITAR = _ROOT / "examples/guitar.flac"
_FULL_S = 207.0
_QUICK_S = 30.0


def prepare(audio: Path | None, temp: Path, *, quick: bool) -> tuple[Path, str]:
    """Return the file to measure with, and what to call it in the table.

    Args:
        audio: the file asked for; None for the full-length track, or, where that isn't at hand,
            one as long made of copies of the example.
        temp: where to make files.
        quick: whether half a minute is enough.
    """
    source = audio or (_FULL if _FULL.exists() else _GUITAR)
    made = source == _GUITAR and audio is None
    if not made and not quick:
        return source, describe(source)
    suffix = "mp3" if "MP3" in soundfile.available_formats() else "flac"
    target = temp / f"{source.stem}.{suffix}"
    repeat_to(source, target, _QUICK_S if quick else _FULL_S)
    how = "made of copies of" if made else "the start of"
    return target, f"{describe(target)}, {how} {source.name}"


def describe(path: Path) -> str:
    """Return name, length, rate and channels of a file."""
    info = soundfile.info(path)
    minutes, seconds = divmod(round(info.duration), 60)
    channels = {1: "mono", 2: "stereo"}.get(info.channels, f"{info.channels} channels")
    return f"{path.name}, {minutes}:{seconds:02d}, {info.samplerate / 1000:g} kHz {channels}"


def blocks(path: Path) -> Iterator[NDArray[np.float32]]:
    """Decode a file with soundfile, one buffer of 65,536 samples per channel at a time."""
    with soundfile.SoundFile(path) as file:
        buffer = np.empty((BLOCK, file.channels), dtype=np.float32)
        while len(block := file.read(out=buffer)):
            yield block


def decode(path: Path) -> None:
    """Decode a file and drop the samples: the least that any pipeline has to do."""
    for _ in blocks(path):
        pass


def read_mono(path: Path) -> tuple[NDArray[np.float32], int]:
    """Return a whole file as the mean of its channels, and its rate."""
    parts = [block.mean(axis=1) for block in blocks(path)]
    return np.concatenate(parts), soundfile.info(path).samplerate


def repeat_to(source: Path, target: Path, duration_s: float) -> None:
    """Write copies of a file, one after another, until the target is that long."""
    info = soundfile.info(source)
    left = round(duration_s * info.samplerate)
    with soundfile.SoundFile(target, "w", info.samplerate, info.channels) as file:
        while left > 0:
            before = left
            for block in blocks(source):
                file.write(block[:left])
                left -= min(left, len(block))
                if left == 0:
                    return
            if left == before:
                raise ValueError(f"{source}: expected sound, got none")


def musicnn_front() -> Any:
    """Return MusiCNN's front end as a chain: 16 kHz samples to log-mel rows [n_frames, 96]."""
    import fastaudio as fa

    mel = fa.MelSpectrogram(sample_rate=16_000, n_fft=512, hop_length=256, n_mels=96, pad_mode="reflect")
    return mel >> fa.Log(kind="log10", scale=10_000, offset=1)


def musicnn_patches(path: Path) -> NDArray[np.float32]:
    """Return a file's patches [n_patches, 187, 96], as the model takes them."""
    import fastaudio as fa

    patches = fa.Pipeline(musicnn_front() >> fa.Patches(length=187))(path)
    return np.ascontiguousarray(patches, dtype=np.float32)
