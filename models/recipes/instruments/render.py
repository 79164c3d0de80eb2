"""Renders notes of all programs of a SoundFont: 2.5 s each, 44.1 kHz, mono, with a manifest."""

import argparse
import csv
import random
import struct
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile
from arguments import output_folder
from programs import DRUMS, PROGRAMS, UNHEARD, Program

RATE_HZ = 44_100
NOTE_S, SLOT_S, LEAD_S = 2.5, 3.0, 0.5
COLUMNS = ["file", "collection", "program", "family", "instrument", "pitch", "velocity", "split"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Render one SoundFont into a folder."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog="example: python models/recipes/instruments/render.py "
        "--font /usr/share/sounds/sf2/FluidR3_GM.sf2 --name fluid --output notes/fluid",
    )
    parser.add_argument("--font", type=Path, required=True, help="SoundFont, .sf2 or .sf3")
    parser.add_argument("--name", required=True, help="what the manifest calls this collection")
    parser.add_argument("--notes", type=int, default=16, help="per program (default: 16)")
    parser.add_argument("--seed", type=int, default=0, help="draws keys, strengths and lengths (default: 0)")
    parser.add_argument(
        "--output", type=output_folder, required=True, help="folder of notes and manifest.csv"
    )
    options = parser.parse_args(arguments)
    draw = random.Random(f"{options.seed} {options.name}")  # noqa: S311  # keys of notes, not of locks
    notes = [note for program in PROGRAMS for note in draw_notes(program, options.notes, draw)]
    with tempfile.TemporaryDirectory() as temporary:
        score, sound = Path(temporary) / "notes.mid", Path(temporary) / "notes.wav"
        score.write_bytes(midi(notes))
        command = ["fluidsynth", "-ni", "-q", "-R", "0", "-C", "0", "-g", "0.6", "-r", str(RATE_HZ)]
        command += ["-O", "s16", "-T", "wav", "-F", str(sound), str(options.font), str(score)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        rows = cut(sound, notes, options.name, options.output)
    with (options.output / "manifest.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerows([COLUMNS, *rows])
    print(f"{options.output}: {len(rows)} notes of {len({row[2] for row in rows})} programs")
    return 0


Note = tuple[Program, int, int, float]  # program, key, velocity, seconds that the key is held


def draw_notes(program: Program, count: int, draw: random.Random) -> list[Note]:
    """Return notes spread over the program's range, each with its strength and length."""
    step = (program.highest - program.lowest) / count
    keys = [round(program.lowest + step * (i + draw.random())) for i in range(count)]
    return [(program, key, draw.randint(40, 127), draw.uniform(0.25, 2.2)) for key in keys]


def midi(notes: Sequence[Note]) -> bytes:
    """Return a MIDI file, 1000 ticks per second, with one note in each slot."""
    events: list[tuple[int, bytes]] = []
    for channel in (0, 9):
        events += [(0, bytes([0xB0 | channel, effect, 0])) for effect in (91, 93)]
    for i, (program, key, velocity, held_s) in enumerate(notes):
        start = int(1000 * (LEAD_S + i * SLOT_S))
        channel = 9 if program.number == DRUMS else 0
        if channel == 0:
            events.append((start - 20, bytes([0xC0, program.number])))
        events.append((start, bytes([0x90 | channel, key, velocity])))
        events.append((start + int(1000 * held_s), bytes([0x80 | channel, key, 0])))
        events.append((start + int(1000 * (SLOT_S - 0.3)), bytes([0xB0 | channel, 120, 0])))
    events.append((int(1000 * (LEAD_S + len(notes) * SLOT_S)), b"\xff\x2f\x00"))
    body, last = b"\x00\xff\x51\x03" + (500_000).to_bytes(3, "big"), 0
    for at, event in events:
        body += length(at - last) + event
        last = at
    return b"MThd" + struct.pack(">IHHH", 6, 0, 1, 500) + b"MTrk" + struct.pack(">I", len(body)) + body


def length(n: int) -> bytes:
    """Return a number as MIDI writes lengths."""
    out = [n & 127]
    while n := n >> 7:
        out.append(n & 127 | 128)
    return bytes(reversed(out))


def cut(sound: Path, notes: Sequence[Note], name: str, output: Path) -> list[list[str]]:
    """Write each note that sounds as a file, and return the manifest's rows."""
    output.mkdir(parents=True, exist_ok=True)
    rows = []
    with soundfile.SoundFile(sound) as file:
        for i, (program, key, velocity, _) in enumerate(notes):
            file.seek(int(RATE_HZ * (LEAD_S + i * SLOT_S)))
            clip = file.read(int(RATE_HZ * NOTE_S), dtype="float32").mean(axis=1)
            if np.sqrt(np.mean(clip**2)) < 1e-3:
                continue  # the SoundFont has no sound at this key
            path = f"{program.number:03d}-{key:03d}-{velocity:03d}-{i % 1000:03d}.flac"
            soundfile.write(output / path, clip, RATE_HZ, subtype="PCM_16")
            split = "unheard" if program.number in UNHEARD else "train"
            label = [program.family, program.instrument]
            rows.append([path, name, str(program.number), *label, str(key), str(velocity), split])
    return rows


if __name__ == "__main__":
    sys.exit(main())
