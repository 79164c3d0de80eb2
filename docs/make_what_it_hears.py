"""Writes docs/what-it-hears.md: what each shipped model says of the same sounds, and whether that is right.

    python docs/make_what_it_hears.py --sounds SOUNDS --own tests/sounds    the page as it is
    python docs/make_what_it_hears.py --own FOLDER -o mine.md               the same of sounds of yours

Every model with labels runs as `fastaudio tag FILE` runs it. A sound of yours is judged if its file's name begins
with what it is, such as dog_2.wav or bass-clarinet.flac; see truth_of_sounds.py.
"""

# ruff: noqa: E501, INP001  # a script, with a page in it

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
import tempfile
import textwrap
from collections import Counter
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import fastaudio as fa
import numpy as np
import soundfile
from fastaudio import cards
from fastaudio.decoding.folders import SUFFIXES
from truth_of_sounds import (
    E_MINOR_9,
    HELD,
    HELD_WRONGLY,
    LEAST,
    RIGHT,
    TRUTHS,
    UNJUDGED,
    WRONG,
    Said,
    Truth,
    counts,
    instrument,
    judged,
    of_kind,
    truth_of,
)

PAGE = Path(__file__).parent / "what-it-hears.md"
PITCH, BEATS = "swift-f0", "beats"
SURE = 0.5  # of a pitch, from which it counts
N_BEST = 3
CLIPS = {
    "speech": "audio/clips/speech_en_female_16k_mono.flac",
    "singing, in music": "models/firered/event.wav",
    "music, orchestra": "audio/clips/music_orchestral_full_44k_stereo.mp3",
    "music, rock": "audio/clips/music_rock_44k_stereo.ogg",
    "guitar": "audio/clips/guitar_44k_stereo_s16.flac",
    "piano": "audio/clips/piano_48k_stereo_s24.flac",
    "drums": "audio/clips/drums_44k_stereo_f32.wav",
    "dog": "audio/clips/dog_44k_mono.ogg",
    "birds": "audio/clips/birds_96k_mono_s24.wav",
    "cow": "audio/clips/cow_11k_mono_u8.wav",
    "rain": "audio/clips/rain_44k_stereo.ogg",
    "thunder": "audio/clips/thunder_48k_stereo.opus",
    "siren": "audio/clips/siren_44k_stereo.ogg",
    "clock": "audio/clips/clock_44k_mono.mp3",
    "train": "audio/clips/train_11k_mono_s16.wav",
    "aircraft": "audio/clips/aircraft_44k_mono.m4a",
}
HEAD = f"""\
# What it hears

Each shipped model heard the same sounds, and yours if you like: see [how this page is made](#how-this-page-is-made). The tables show
a model's three best labels with their scores, which are the mean over the whole sound, as `fastaudio tag` gives them. `{PITCH}` gives
no labels, so its table shows the notes that it is sure of, and in how much of the sound, and that of `{BEATS}` how many beats begin,
with the highest score. `aisfx` is missing, because its numbers have no names. Labels in brackets have scores so low that they don't
count. A dash means that the model says nothing.

The last column says whether that is right, by the best label that counts and what the sound is known to be:

- **right**: this label is true, or no label counts and there is none that would be true.
- **held back**: `fastaudio tag` puts a `?` before the labels, because `sound-activity` hears no music in the sound, and it isn't music.
- **held back wrongly**: it does the same, but the sound is music. The `?` is a mistake there, so look at whether the label is right.
- **wrong**: the model takes the sound for something else, for what stands beside it, and nothing in what `fastaudio tag` shows
  says so. *Nothing* means that no label counts, although one would be true.
- **not judged**: nobody can tell, or nobody has written down what would be right.

| model | right | held back | held back wrongly | wrong | not judged |
|---|---|---|---|---|---|
{{counts}}

Some things aren't judged. We don't know which instruments play in the pieces of music, nor their notes. Genres and moods are a
matter of taste, and a single note has none; a genre of a sound that isn't music is wrong. Words that are sung may count as
speech or not. A chord has several pitches and `{PITCH}` gives one, and nobody wrote down the pitch of the voices, the animals
and the siren, nor the beats of the music. `basic-pitch` writes down music, so its notes of these are wrong, even where they have that pitch.

Labels count from a score of {LEAST["tags"]} on for the four models of music, {LEAST["notes"]} for `basic-pitch`, `{PITCH}` and `sound-activity`, and {LEAST["speech"]} for
`silero-vad` and `{BEATS}`. The best label of `instruments` and of `instruments-harmonic` always counts, and the second has none for a sound that
no instrument makes. The name of an instrument's family is as right as its own: *guitar* is right for a banjo.

"""
TAIL = f"""\
## How this page is made

`python docs/make_what_it_hears.py --sounds SOUNDS --own tests/sounds` writes this page. The sounds in the folder SOUNDS don't come
with the package; those named *own* do, in `tests/sounds`.

`python docs/make_what_it_hears.py --own FOLDER -o mine.md` writes the same of a folder of yours. A sound is judged if its file's
name begins with what it is, such as `dog_2.wav` or `bass-clarinet.flac`. These names are known:
{textwrap.fill(", ".join(TRUTHS), 128)}.
"""


@dataclass(frozen=True)
class Sound:
    """A file, and what it is known to be."""

    path: Path
    truth: Truth | None


@dataclass(frozen=True)
class Row:
    """What a model says of a sound, and whether that is right."""

    model: str
    name: str
    said: Said
    judgement: str

    def __str__(self) -> str:
        told = [(f"{label} {score:.2f}", counts(self.model, score)) for label, score in self.said]
        counted = ", ".join(one for one, it_counts in told if it_counts)
        others = ", ".join(one for one, it_counts in told if not it_counts)
        said = " ".join(filter(None, [counted, f"({others})" if others else ""]))
        return f"| {self.name} | {said or '-'} | {self.judgement} |"


def shared_sounds(shared: Path, folder: Path) -> dict[str, Sound]:
    """Return the sounds that the page shows, by what they are."""
    found = {name: Sound(shared / file, truth_of(name)) for name, file in CLIPS.items()}
    found["guitar"] = Sound(found["guitar"].path, E_MINOR_9)
    soundfile.write(folder / "silence.wav", np.zeros(80_000), 16_000)
    found["silence"] = Sound(folder / "silence.wav", truth_of("silence"))
    notes = shared / "instruments_real"
    with (notes / "manifest.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            truth = instrument(row["instrument"], frozenset([row["pitch"].replace("s", "#")]))
            found.setdefault(f"a note: {row['instrument']}", Sound(notes / row["file"], truth))
    return found


def own_sounds(folder: Path) -> dict[str, Sound]:
    """Return the sounds of a folder, by the labels of its manifest.csv if it has one, else by their files' names."""
    labels: dict[str, str] = {}
    if (folder / "manifest.csv").is_file():
        with (folder / "manifest.csv").open(encoding="utf-8", newline="") as file:
            labels = {row.get("file", ""): row.get("label", "") for row in csv.DictReader(file)}
    found: dict[str, Sound] = {}
    for path in sorted(folder.iterdir()):
        if path.is_file() and path.suffix[1:].lower() in SUFFIXES:
            name = f"own: {labels.get(path.name) or path.stem}".replace("|", "/")
            found[f"own: {path.name}" if name in found else name] = Sound(path, truth_of(path.stem))
    return found


def gives_tags(model: str) -> bool:
    """Tell whether a model gives scores of labels."""
    return any(spec.kind == "scores" for spec in fa.Pipeline.load(model).output_specs.values())


def tags_of(paths: list[Path], model: str) -> dict[str, tuple[Said, bool]]:
    """Return the labels of files, and whether they are marked as no music, by path."""
    command = [sys.executable, "-P", "-m", "fastaudio", "tag", *map(str, paths)]
    command += ["--model", model, "--top", str(N_BEST), "--json", "--quiet"]
    told = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)  # noqa: S603
    return {
        one["path"]: ([(tag["label"], tag["score"]) for tag in one["tags"]], one.get("fits") is False)
        for one in json.loads(told.stdout)
    }


def notes_of(paths: list[Path]) -> dict[str, tuple[Said, bool]]:
    """Return the notes whose pitch is heard in most of each file, with their shares, by path."""
    pipeline = fa.Pipeline.load(PITCH)
    names = fa.Pipeline.load("basic-pitch").output_specs[""].labels
    found: dict[str, tuple[Said, bool]] = {}
    for path in paths:
        pitch_hz, sure = np.asarray(pipeline(path)).T
        keys = np.round(12 * np.log2(pitch_hz[sure > SURE] / 440)).astype(int) + names.index("A4")
        best = Counter(names[key] for key in keys).most_common(N_BEST)
        found[str(path)] = [(name, count / len(sure)) for name, count in best], False
    return found


def beats_of(paths: list[Path]) -> dict[str, tuple[Said, bool]]:
    """Return how many beats begin in files, with the highest score, and whether they are marked, by path."""
    find = fa.Pipeline.load(BEATS) >> fa.Events(cool_down_s=0.2)
    found: dict[str, tuple[Said, bool]] = {}
    for path, (_, held) in tags_of(paths, BEATS).items():
        peaks = [event.peak for event in find(path) if event.label == "beat"]
        name = "1 beat" if len(peaks) == 1 else f"{len(peaks)} beats"
        found[path] = [(name, max(peaks))] if peaks else [], held
    return found


def rows_of(model: str, sounds: dict[str, Sound]) -> list[Row]:
    """Return what a model says of sounds."""
    paths = [sound.path for sound in sounds.values()]
    said = {PITCH: notes_of, BEATS: beats_of}.get(model, partial(tags_of, model=model))(paths)
    rows = []
    for name, sound in sounds.items():
        labels, held = said[str(sound.path)]
        rows.append(Row(model, name, labels, judged(model, sound.truth, labels, held=held)))
    return rows


def page_of(tables: dict[str, list[Row]]) -> str:
    """Return the page, of rows by model."""
    lines = []
    for model, rows in tables.items():
        of = Counter(of_kind(row.judgement) for row in rows)
        kinds = (RIGHT, HELD, HELD_WRONGLY, WRONG, UNJUDGED)
        lines.append(f"| [`{model}`](#{model}) | " + " | ".join(str(of[kind]) for kind in kinds) + " |")
    parts = [HEAD.replace("{counts}", "\n".join(lines))]
    for model, rows in tables.items():
        parts.append(f"## `{model}`\n\n{cards.read_card(model).data['description']}\n\n")
        parts.append("| sound | what it says | is that right? |\n|---|---|---|\n")
        parts += [f"{row}\n" for row in rows] + ["\n"]
    return "".join([*parts, TAIL])


def main(arguments: list[str] | None = None) -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--sounds", type=Path, metavar="FOLDER", help="where the sounds lie that the program names"
    )
    parser.add_argument("--own", type=Path, metavar="FOLDER", help="sounds of yours")
    parser.add_argument(
        "--model",
        action="append",
        metavar="NAME",
        help="a model, again for more (all that name what they hear)",
    )
    parser.add_argument("-o", "--output", type=Path, default=PAGE, metavar="FILE")
    args = parser.parse_args(arguments)
    if args.output == PAGE and (args.model or not args.sounds):
        parser.error("expected --output with --model or without --sounds, or they would replace the page")
    with tempfile.TemporaryDirectory() as folder:
        sounds = shared_sounds(args.sounds, Path(folder)) if args.sounds else {}
        sounds |= own_sounds(args.own) if args.own else {}
        missing = [str(sound.path) for sound in sounds.values() if not sound.path.is_file()]
        if missing:
            parser.error(f"--sounds: expected {missing[0]}, got no such file")
        if not sounds:
            parser.error("expected --sounds, or --own with sounds in it, got none")
        models = args.model or [name for name in fa.models() if name == PITCH or gives_tags(name)]
        tables = {}
        for model in models:
            tables[model] = rows_of(model, sounds)
            print(model, "done", flush=True)  # noqa: T201
    args.output.write_text(page_of(tables), encoding="utf-8")


if __name__ == "__main__":
    main()
