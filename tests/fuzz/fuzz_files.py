"""Fuzz what is read from untrusted files: cards, packed models and the headers of sound files.

    python tests/fuzz/fuzz_files.py --runs 500 --seed 1     random changes to good files; the same each time
    python tests/fuzz/fuzz_files.py --guided -runs=20000    guided by atheris, whose options follow

Whatever a file holds, loading it succeeds or raises the error that its docstring names.
"""

from __future__ import annotations

import argparse
import atexit
import contextlib
import io
import json
import random
import shutil
import sys
import tempfile
import warnings
import wave
from pathlib import Path
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import soundfile
from fastaudio.decoding.audio_file import AudioFile

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]
ODD_VALUES = [
    None,
    True,
    -1,
    0,
    1 << 70,
    1e308,
    float("nan"),
    "",
    "../x",
    "\0",
    [],
    {},
    [[]],
    "Log",
    "OnnxModel",
]
LONGEST = 4096
FOLDER = Path(tempfile.mkdtemp(prefix="fuzz_files"))
atexit.register(shutil.rmtree, FOLDER)


def load_card(content: bytes) -> None:
    """A card loads, or is a ModelError."""
    (FOLDER / "card.json").write_bytes(content)
    with contextlib.suppress(fa.ModelError):
        fa.Pipeline.load(FOLDER / "card.json")


def load_packed(content: bytes) -> None:
    """A packed model loads only if it is the one that was packed; anything else is a ModelError."""
    (FOLDER / "packed.onnx").write_bytes(content)
    try:
        fa.Pipeline.load(FOLDER / "packed.onnx")
    except fa.ModelError:
        return
    assert content == PACKED, "expected a changed file to be refused, got a pipeline"


def decode(content: bytes) -> None:
    """A sound file decodes to blocks of whole frames, or is a DecodeError."""
    with contextlib.suppress(fa.DecodeError), AudioFile(io.BytesIO(content)) as file:
        for block in file.blocks():
            assert block.shape[1] == file.channels
            if file.samples_read > 1 << 20:  # a header may promise hours of nothing
                break


def front_end() -> fa.Node:
    """A small network behind a small front end."""
    network = fa.OnnxModel(str(ROOT / "tests" / "golden" / "onnx" / "nft.onnx"), layout="nft")
    return fa.MelSpectrogram(sample_rate=16_000, n_fft=512, n_mels=3) >> fa.Patches(length=4) >> network


def saved(name: str) -> bytes:
    """The small pipeline as a file."""
    fa.Pipeline(front_end()).save(FOLDER / name)
    return (FOLDER / name).read_bytes()


def wav(channels: int, width: int) -> bytes:
    """A short sound file."""
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(channels)
        out.setsampwidth(width)
        out.setframerate(16_000)
        out.writeframes(bytes(range(240)) * channels)
    return file.getvalue()


def sound(kind: str, subtype: str, channels: int = 1) -> bytes:
    """A short sound file of another format."""
    file = io.BytesIO()
    noise = np.random.default_rng(0).normal(0, 0.1, (6000, channels))
    soundfile.write(file, noise, 16_000, format=kind, subtype=subtype)
    return file.getvalue()


def sounds() -> list[bytes]:
    """Sound files of the formats whose headers are read here."""
    alone = [
        sound("MP3", "MPEG_LAYER_III"),
        sound("OGG", "VORBIS"),
        sound("OGG", "OPUS", 2),
        sound("AIFF", "PCM_16"),
        sound("SDS", "PCM_16"),
        sound("RF64", "PCM_16"),
    ]
    flac = (ROOT / "examples" / "guitar.flac").read_bytes()[:LONGEST]
    return [wav(1, 2), wav(2, 3), flac, *alone, alone[0] * 2, alone[1] + alone[2], flac * 2]


PACKED = saved("packed.onnx")
GOOD: list[tuple[Callable[[bytes], None], list[bytes]]] = [
    (load_card, [saved("card.json")]),
    (load_packed, [PACKED]),
    (decode, sounds()),
]


def change_bytes(content: bytes, rng: random.Random) -> bytes:
    """Flip, cut out, repeat or insert a few bytes, near the start more often than elsewhere."""
    changed = bytearray(content)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(1 + min(len(changed), rng.choice([64, LONGEST])))
        n = rng.randint(1, 8)
        kind = rng.randrange(4)
        if kind == 0 and at < len(changed):
            changed[at] ^= 1 << rng.randrange(8)
        elif kind == 1:
            del changed[at : at + n]
        elif kind == 2:
            changed[at:at] = changed[at : at + n]
        else:
            changed[at : at + n] = rng.choice([b"\0", b"\xff", b"\x7f"]) * n
    return bytes(changed)


def change_json(content: bytes, rng: random.Random) -> bytes:
    """Replace, remove or nest one value, wherever it lies."""
    card = json.loads(content)
    places: list[tuple[Any, Any]] = []

    def walk(data: Any) -> None:
        keys = data if isinstance(data, dict) else range(len(data)) if isinstance(data, list) else ()
        for key in keys:
            places.append((data, key))
            walk(data[key])

    walk(card)
    parent, key = rng.choice(places)
    kind = rng.randrange(4)
    if kind == 0:
        del parent[key]
    elif kind == 1:
        parent[key] = json.loads(json.dumps(rng.choice(places)[0]))
    else:
        parent[key] = rng.choice(ODD_VALUES)
    return json.dumps(card).encode()


def run_random(runs: int, seed: int) -> None:
    """Feed each target its good files, then changed ones."""
    rng = random.Random(seed)  # noqa: S311
    for target, files in GOOD:
        for content in files:
            target(content)
    for run in range(runs):
        target, files = rng.choice(GOOD)
        change = change_json if target is load_card and rng.random() < 0.7 else change_bytes
        content = change(rng.choice(files), rng)
        try:
            target(content)
        except BaseException:
            failing = Path("fuzz_files.failing").resolve()
            failing.write_bytes(content)
            print(f"run {run} of seed {seed}: {target.__name__} failed on {failing}", file=sys.stderr)
            raise
    print(f"{runs} files of seed {seed}: all loaded or refused as they should")


def run_guided(arguments: list[str]) -> None:
    """Let atheris look for inputs that reach new code."""
    import atheris

    def one(data: bytes) -> None:
        if data:
            GOOD[data[0] % len(GOOD)][0](data[1:])

    corpus = FOLDER / "corpus"
    corpus.mkdir()
    for i, (_, files) in enumerate(GOOD):
        for j, content in enumerate(files):
            (corpus / f"{i}-{j}").write_bytes(bytes([i]) + content)
    for name, module in list(sys.modules.items()):
        if name.startswith(("fastaudio.cards.", "fastaudio.running.")):
            for function in vars(module).values():
                if (
                    callable(function)
                    and getattr(function, "__module__", "") == name
                    and hasattr(function, "__code__")
                ):
                    atheris.instrument_func(function)
    atheris.Setup([sys.argv[0], *arguments, str(corpus)], one)
    atheris.Fuzz()


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--guided", action="store_true", help="by atheris, from PyPI; further options are its own"
    )
    args, rest = parser.parse_known_args()
    warnings.simplefilter("ignore")
    if args.guided:
        run_guided(rest)
    else:
        run_random(args.runs, args.seed)


if __name__ == "__main__":
    main()
