"""Makes two recordings of 10 minutes with ten labels, trains on one and measures on the other.

Each label has five short examples in a recording, and a Raven table has them; other sounds, and faint pink
noise all along, have no label. The second recording has other parts of the same sounds, and for music and
speech other files.

    python benchmarks/own_labels.py CLIPS --output own-labels    (recordings of these kinds)
"""

from __future__ import annotations

import argparse
import json
import resource
from pathlib import Path
from typing import TYPE_CHECKING

import fastaudio as fa
import numpy as np
import soundfile
from fastaudio import heads, labelled
from fastaudio.cli import main as fastaudio
from fastaudio.decoding.audio_file import AudioFile

if TYPE_CHECKING:
    from fastaudio.labelled.segment import File
    from numpy.typing import NDArray

RATE_HZ, DURATION_S, EXAMPLES = 44_100, 600, 5
LONGEST_S, LEVEL, NOISE = 3, 0.1, 0.002
# What is learnt from, and what it is tried on; None for the other half of the same.
LABELS = {
    "aircraft": ("aircraft_44k_mono.m4a", None),
    "birds": ("birds_96k_mono_s24.wav", None),
    "clock": ("clock_44k_mono.mp3", None),
    "guitar": ("guitar_44k_stereo_s16.flac", None),
    "music": ("music_celtic_32k_stereo_s16.wav", "music_game_22k_stereo.mp3"),
    "piano": ("piano_48k_stereo_s24.flac", None),
    "rain": ("rain_44k_stereo.ogg", None),
    "siren": ("siren_44k_stereo.ogg", None),
    "speech": ("speech_en_female_8k_mono_s16.wav", "speech_en_female_16k_mono.flac"),
    "thunder": ("thunder_48k_stereo.opus", None),
}
UNLABELLED = {
    "learn": ("cow_11k_mono_u8.wav", "train_11k_mono_s16.wav", "dog_44k_mono.ogg"),
    "try": ("drums_44k_stereo_f32.wav", "dog_44k_mono.ogg", "cow_11k_mono_u8.wav"),
}
COLUMNS = (
    "Selection\tView\tChannel\tBegin Time (s)\tEnd Time (s)\tLow Freq (Hz)\tHigh Freq (Hz)\tAnnotation\n"
)
WAYS = (
    [],
    ["--augment", "3"],
    ["--model", "auto"],
    ["--model", "aisfx", "--augment", "3"],
    ["--model", "aisfx", "--other", "rest"],
)


def load(path: Path) -> NDArray[np.float32]:
    """Return a clip, mono at 44.1 kHz."""
    with AudioFile(str(path)) as file:
        rate_hz = file.sample_rate
        mono = np.concatenate([block.mean(axis=1, dtype=np.float32) for block in file.blocks()])
    return mono if rate_hz == RATE_HZ else fa.Resample(input_rate=rate_hz, output_rate=RATE_HZ)(mono)


def examples(sound: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """Return five stretches that don't overlap, without the silence at the ends."""
    loud = np.flatnonzero(np.abs(sound) > 0.02 * np.abs(sound).max())
    sound = sound[loud[0] : loud[-1] + 1]
    step = len(sound) // EXAMPLES
    return [sound[k * step :][: min(LONGEST_S * RATE_HZ, step)] for k in range(EXAMPLES)]


def make(clips: Path, folder: Path, which: str, seed: int) -> Path:
    """Write a recording and its table; return the table's path."""
    rng = np.random.default_rng(seed)
    n = DURATION_S * RATE_HZ
    spectrum = np.fft.rfft(rng.standard_normal(n))
    spectrum[1:] /= np.sqrt(np.arange(1, len(spectrum)))
    whole = np.fft.irfft(spectrum, n)
    whole = (whole * (NOISE / np.sqrt(np.mean(whole**2)))).astype(np.float32)
    sounds: list[tuple[str, NDArray[np.float32]]] = []
    for label, (learnt, tried) in LABELS.items():
        sound = load(clips / (tried if which == "try" and tried else learnt))
        if tried is None:
            half = len(sound) // 2
            sound = sound[:half] if which == "learn" else sound[half:]
        sounds += [(label, example) for example in examples(sound)]
    sounds += [("", load(clips / name)) for name in 3 * UNLABELLED[which]]
    slot = n // len(sounds)
    rows = []
    for k, i in enumerate(rng.permutation(len(sounds))):
        label, sound = sounds[i]
        at = k * slot + int(rng.integers(0, slot - len(sound)))
        gain = LEVEL / np.sqrt(np.mean(sound**2)) * 10 ** (rng.uniform(-10, 2) / 20)
        whole[at : at + len(sound)] += gain * sound
        if label:
            rows.append(f"{at / RATE_HZ:.6f}\t{(at + len(sound)) / RATE_HZ:.6f}\t0.0\t22050.0\t{label}\n")
    folder.mkdir(parents=True, exist_ok=True)
    soundfile.write(folder / f"{which}.flac", np.clip(whole, -1, 1), RATE_HZ)
    table = folder / f"{which}.Table.1.selections.txt"
    lines = [f"{i}\tSpectrogram 1\t1\t{row}" for i, row in enumerate(rows, start=1)]
    table.write_text(COLUMNS + "".join(lines), encoding="utf-8")
    return table


def run(folder: Path, learnt: Path, tried: Path, way: list[str]) -> str:
    """Train in a way; return a row of the table."""
    before_s = resource.getrusage(resource.RUSAGE_SELF).ru_utime
    fastaudio(["train", str(learnt), "-o", str(folder / "model"), "--force", "--no-cache", "--quiet", *way])
    took_s = resource.getrusage(resource.RUSAGE_SELF).ru_utime - before_s
    model = fa.Pipeline.load(folder / "model")
    measured = heads.evaluate(model, *stretches(tried)).metrics["balanced_accuracy"]
    own = model.card["metrics"]["balanced_accuracy"]
    name = " ".join([f"`{model.card['embedder']['name']}`", *way])
    row = {"way": name, "cross-validation": own, "other": round(measured, 3), "user_s": round(took_s, 1)}
    return json.dumps(row)


def stretches(table: Path) -> tuple[list[File], list[str]]:
    """Return the stretches of a table, and their labels."""
    found = labelled.read(table)
    return found.files, [labels[0] for labels in found.labels]


def main() -> None:
    """Make the recordings, and print a line of JSON for each way to train."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("clips", type=Path, help="folder of the shared clips")
    parser.add_argument("--output", type=Path, required=True, help="folder for the recordings and the model")
    options = parser.parse_args()
    to = options.clips, options.output
    learnt, tried = make(*to, "learn", seed=1), make(*to, "try", seed=2)
    for way in WAYS:
        print(run(options.output, learnt, tried, way), flush=True)


if __name__ == "__main__":
    main()
