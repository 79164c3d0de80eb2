"""Writes docs/what-it-hears.md: what each shipped model says of speech, music, animals, weather and notes.

    python docs/make_what_it_hears.py --sounds SOUNDS               the sounds that the page shows
    python docs/make_what_it_hears.py --sounds SOUNDS --own sounds  and yours, by their files' names

Every model runs as `fastaudio tag FILE` runs it, marks included.
"""

# ruff: noqa: E501, INP001  # a script, with a page in it

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import fastaudio as fa
import numpy as np
import soundfile
from fastaudio import cards

PAGE = Path(__file__).parent / "what-it-hears.md"
CLIPS = {
    "speech": "speech_en_female_16k_mono.flac",
    "music, orchestra": "music_orchestral_full_44k_stereo.mp3",
    "music, rock": "music_rock_44k_stereo.ogg",
    "guitar": "guitar_44k_stereo_s16.flac",
    "piano": "piano_48k_stereo_s24.flac",
    "drums": "drums_44k_stereo_f32.wav",
    "dog": "dog_44k_mono.ogg",
    "birds": "birds_96k_mono_s24.wav",
    "cow": "cow_11k_mono_u8.wav",
    "rain": "rain_44k_stereo.ogg",
    "thunder": "thunder_48k_stereo.opus",
    "siren": "siren_44k_stereo.ogg",
    "clock": "clock_44k_mono.mp3",
    "train": "train_11k_mono_s16.wav",
    "aircraft": "aircraft_44k_mono.m4a",
}
HEAD = """\
# What it hears

What each shipped model with labels says of the same sounds: its three best labels over the whole of each, with
their mean scores, as `fastaudio tag` gives them. **?** stands where `tag` marks the labels, because the sound
isn't of the kind that the model hears. A dash: the model says nothing, as of silence. Singing is missing: there
is no clip of it alone.

No mark catches everything: a siren and an aircraft count as music here, and `basic-pitch`, `instruments` and
`instruments-harmonic` name notes and instruments whatever the sound is, the second of them with *no instrument*
among its labels.

`python docs/make_what_it_hears.py --sounds SOUNDS --own FOLDER` writes this page, with sounds of yours.

"""


def sounds_of(shared: Path, own: Path | None, folder: Path) -> dict[str, Path]:
    """Return the sounds by what they are; singing has no clip of its own."""
    found = {name: shared / "audio" / "clips" / file for name, file in CLIPS.items()}
    soundfile.write(folder / "silence.wav", np.zeros(80_000), 16_000)
    found["silence"] = folder / "silence.wav"
    with (shared / "instruments_real" / "manifest.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            found.setdefault(f"a note: {row['instrument']}", shared / "instruments_real" / row["file"])
    if own is not None:
        found |= {path.stem: path for path in sorted(own.iterdir()) if path.is_file()}
    missing = [str(path) for path in found.values() if not path.is_file()]
    if missing:
        raise SystemExit(f"--sounds: expected {missing[0]}, got no such file")
    return found


def gives_tags(model: str) -> bool:
    """Tell whether a model gives scores of labels."""
    return any(spec.kind == "scores" for spec in fa.Pipeline.load(model).output_specs.values())


def said_of(paths: list[Path], model: str) -> dict[str, str]:
    """Return what a model says of files, by path."""
    command = [sys.executable, "-P", "-m", "fastaudio", "tag", *map(str, paths)]
    command += ["--model", model, "--top", "3", "--json", "--quiet"]
    told = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
    found = {}
    for one in json.loads(told.stdout):
        tags = ", ".join(f"{tag['label']} {tag['score']:.2f}" for tag in one["tags"])
        mark = " **?**" if one.get("fits") is False else ""
        found[one["path"]] = (tags or "-") + (mark if tags else "")
    return found


def main() -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--sounds", type=Path, required=True, metavar="FOLDER", help="where the sounds that it names lie"
    )
    parser.add_argument("--own", type=Path, metavar="FOLDER", help="sounds of yours")
    parser.add_argument("-o", "--output", type=Path, default=PAGE, metavar="FILE")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        sounds = sounds_of(args.sounds, args.own, Path(folder))
        parts = [HEAD]
        for model in filter(gives_tags, fa.models()):
            said = said_of(list(sounds.values()), model)
            parts.append(
                f"## `{model}`\n\n{cards.read_card(model).data['description']}\n\n| sound | what it says |\n|---|---|\n"
            )
            parts += [f"| {name} | {said[str(path)]} |\n" for name, path in sounds.items()]
            parts.append("\n")
            print(model, "done", flush=True)  # noqa: T201
    args.output.write_text("".join(parts).rstrip("\n") + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
