"""Makes sounds of no instrument: noises, clicks, engines, cries, whistles, and speech by espeak-ng."""

import argparse
import csv
import subprocess
import sys
from collections.abc import Callable, Sequence

import numpy as np
import soundfile
from arguments import output_folder
from numpy.typing import NDArray
from programs import NOTHING
from render import COLUMNS, NOTE_S, RATE_HZ

Sound = NDArray[np.float32]
SIZE = int(NOTE_S * RATE_HZ)
TIME_S = np.arange(SIZE) / RATE_HZ
VOICES = ("en-us", "en-gb", "de", "fr-fr", "es", "it", "pl", "sv", "pt-br", "nl", "cs", "fi")
WORDS = (
    "the house by the river was quiet until nine a train came with seven men who asked where they could eat"
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write a folder of sounds and its manifest."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog="example: python models/recipes/instruments/others.py --output notes/others",
    )
    parser.add_argument("--each", type=int, default=60, help="sounds of each kind (default: 60)")
    parser.add_argument("--seed", type=int, default=0, help="default: 0")
    parser.add_argument(
        "--output", type=output_folder, required=True, help="folder of sounds and manifest.csv"
    )
    options = parser.parse_args(arguments)
    draw = np.random.default_rng(options.seed)
    rows = []
    for kind, make in KINDS.items():
        for i in range(options.each):
            sound = make(draw)
            sound = sound / (np.abs(sound).max() + 1e-9) * draw.uniform(0.05, 0.9)
            path = f"{kind}-{i:03d}.flac"
            soundfile.write(options.output / path, sound, RATE_HZ, subtype="PCM_16")
            rows.append([path, "others", kind, NOTHING, NOTHING, "", "", "train"])
    with (options.output / "manifest.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([COLUMNS, *rows])
    print(f"{options.output}: {len(rows)} sounds of {len(KINDS)} kinds")
    return 0


def shaped(x: NDArray[np.float64], draw: np.random.Generator) -> NDArray[np.float64]:
    """Return a sound behind a filter of a random slope with a few broad peaks."""
    spectrum = np.fft.rfft(x)
    octave = np.log2(np.fft.rfftfreq(len(x), 1 / RATE_HZ) / 1000 + 1e-3)
    level_db = draw.uniform(-9, 2) * octave
    for _ in range(draw.integers(0, 4)):
        level_db += draw.uniform(5, 25) * np.exp(
            -(((octave - draw.uniform(-4, 3)) / draw.uniform(0.1, 1)) ** 2)
        )
    level_db -= level_db.max()
    return np.fft.irfft(spectrum * 10 ** (np.maximum(level_db, -80) / 20), len(x))


def wander(draw: np.random.Generator, rate_hz: float) -> NDArray[np.float64]:
    """Return a curve from 0 to 1 that takes a new random value so many times per second."""
    points = draw.random(max(2, int(NOTE_S * rate_hz) + 2))
    return np.interp(np.linspace(0, len(points) - 1, SIZE), np.arange(len(points)), points)


def noise(draw: np.random.Generator) -> Sound:
    """Return rain, wind, waterfall, applause: noise that may swell."""
    swell = 1 if draw.random() < 0.4 else wander(draw, draw.uniform(0.5, 20)) ** draw.uniform(0.5, 3)
    return (shaped(draw.standard_normal(SIZE), draw) * swell).astype(np.float32)


def clicks(draw: np.random.Generator) -> Sound:
    """Return clocks, steps, crackle: short bursts, regular or not."""
    out = 0.003 * draw.random() * draw.standard_normal(SIZE)
    rate_hz = 10 ** draw.uniform(0, 1.5)
    burst = shaped(draw.standard_normal(SIZE), draw)[: int(0.3 * RATE_HZ)]
    burst *= np.exp(-np.arange(len(burst)) / RATE_HZ / 10 ** draw.uniform(-3, -1.3))
    regular, at_s = draw.random() < 0.5, draw.uniform(0, 0.5)
    while (start := int(at_s * RATE_HZ)) < SIZE - len(burst):
        out[start : start + len(burst)] += burst * draw.uniform(0.5, 1)
        at_s += 1 / rate_hz if regular else draw.exponential(1 / rate_hz)
    return out.astype(np.float32)


def glide(
    draw: np.random.Generator, lowest_hz: float, highest_hz: float, rate_hz: float
) -> NDArray[np.float64]:
    """Return the phase of a pitch that moves between two frequencies."""
    pitch_hz = lowest_hz * (highest_hz / lowest_hz) ** wander(draw, rate_hz)
    return 2 * np.pi * np.cumsum(pitch_hz) / RATE_HZ


def gate(draw: np.random.Generator, rate_hz: float) -> NDArray[np.float64]:
    """Return an envelope that lets pieces of a sound through."""
    return np.clip(6 * (wander(draw, rate_hz) - draw.uniform(0.2, 0.7)), 0, 1)


def whistles(draw: np.random.Generator) -> Sound:
    """Return birds and sirens: pure tones that glide, in pieces."""
    lowest_hz = 10 ** draw.uniform(2.5, 3.6)
    phase = glide(draw, lowest_hz, lowest_hz * draw.uniform(1.3, 4), 10 ** draw.uniform(0, 1.5))
    tone = np.sin(phase) + draw.uniform(0, 0.6) * np.sin(2 * phase) + draw.uniform(0, 0.4) * np.sin(3 * phase)
    envelope = 1 if draw.random() < 0.3 else gate(draw, draw.uniform(2, 15))
    return (tone * envelope + 0.02 * draw.random() * draw.standard_normal(SIZE)).astype(np.float32)


def cries(draw: np.random.Generator) -> Sound:
    """Return animals: rough harmonics with resonances whose pitch glides, in pieces."""
    lowest_hz = 10 ** draw.uniform(1.8, 2.9)
    phase = glide(draw, lowest_hz, lowest_hz * draw.uniform(1.2, 2.5), draw.uniform(1, 8))
    rough = 1 + draw.uniform(0, 1) * wander(draw, draw.uniform(20, 120))
    voice = ((phase / (2 * np.pi)) % 1 - 0.5) * rough + draw.uniform(0, 0.5) * draw.standard_normal(SIZE)
    return (shaped(voice, draw) * gate(draw, draw.uniform(1, 5))).astype(np.float32)


def engines(draw: np.random.Generator) -> Sound:
    """Return motors, trains, aircraft: a low buzz that hardly moves in noise that beats."""
    lowest_hz = 10 ** draw.uniform(1.3, 2.3)
    phase = glide(draw, lowest_hz, lowest_hz * draw.uniform(1.0, 1.15), draw.uniform(0.5, 3))
    buzz = (phase / (2 * np.pi)) % 1 - 0.5
    beat = 1 + draw.uniform(0, 0.9) * np.sin(phase / draw.integers(1, 8))
    return shaped((buzz + draw.uniform(0.2, 2) * draw.standard_normal(SIZE)) * beat, draw).astype(np.float32)


def speech(draw: np.random.Generator) -> Sound:
    """Return a few words by espeak-ng."""
    words = " ".join(draw.permutation(WORDS.split())[:12])
    voice = f"{draw.choice(VOICES)}+{draw.choice(['m1', 'm3', 'm5', 'm7', 'f1', 'f2', 'f3', 'f4'])}"
    command = ["espeak-ng", "-v", voice, "-s", str(draw.integers(120, 220)), "-p", str(draw.integers(20, 80))]
    found = subprocess.run([*command, "--stdout", words], check=True, capture_output=True).stdout
    samples = np.frombuffer(found[44:], np.int16).astype(np.float64)  # espeak-ng writes 22,050 Hz, mono
    start = int(draw.uniform(0, 0.5) * 22_050)
    at = start + np.arange(SIZE) * 22_050 / RATE_HZ
    return np.interp(at, np.arange(len(samples)), samples, right=0).astype(np.float32)


KINDS: dict[str, Callable[[np.random.Generator], Sound]] = {
    "noise": noise,
    "clicks": clicks,
    "whistles": whistles,
    "cries": cries,
    "engines": engines,
    "speech": speech,
}


if __name__ == "__main__":
    sys.exit(main())
