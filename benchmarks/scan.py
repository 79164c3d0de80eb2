"""Scans many short files and says how fast that is, how much memory it takes, and how fast it goes on.

The files are pieces of 1 to 30 s, cut from the sounds of a folder, each under many names (hard links). What
the work costs at the least is measured over them: decoding, and running the network on as many patches by
ONNX Runtime alone, in one thread.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import fastaudio as fa
import numpy as np
import onnxruntime
import soundfile
from fastaudio import cards
from fastaudio.decoding.audio_file import AudioFile
from fastaudio.decoding.folders import find_audio
from fastaudio.scanning.networks import Chosen
from fastaudio.scanning.scan import Scanned, scan

N_PIECES = 300
FRAMES = {"musicnn-mtt": (187, 96), "musicnn-msd": (187, 96)}


def make_files(sounds: str, folder: Path, n_files: int) -> list[Path]:
    """Write the pieces, give them their names, and return one file of each piece."""
    rng = np.random.default_rng(0)
    pieces = []
    known = (".flac", ".mp3", ".ogg", ".wav")
    sources = [path for path in find_audio(sounds).files if Path(path).suffix in known]
    (folder / "pieces").mkdir(parents=True)
    for i in range(N_PIECES):
        samples, rate = soundfile.read(sources[i % len(sources)], always_2d=True, dtype="float32")
        length = int(rate * min(rng.uniform(1, 30), len(samples) / rate))
        start = int(rng.integers(0, len(samples) - length + 1))
        suffix = ("flac", "ogg", "wav", "mp3")[i % 4]
        piece = folder / "pieces" / f"{i:03}.{suffix}"
        soundfile.write(piece, samples[start : start + length], rate)
        pieces.append(piece)
    for i in range(n_files):
        home = folder / "in" / f"{i // 1000:03}"
        home.mkdir(parents=True, exist_ok=True)
        os.link(pieces[i % N_PIECES], home / f"{i:06}{pieces[i % N_PIECES].suffix}")
    return pieces


def least_s(pieces: list[Path], model: str) -> float:
    """Return the processor seconds of decoding and of the bare network for the mean piece."""
    pipeline = fa.Pipeline.load(model)
    n_windows = [len(pipeline(str(piece))) for piece in pieces]
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        str(cards.read_card(model).path.parent / "model.onnx"), options, providers=["CPUExecutionProvider"]
    )
    (given, *_) = session.get_inputs()
    patch = np.random.default_rng(0).random((1, *FRAMES[model]), np.float32)
    session.run(None, {given.name: patch})
    start = time.process_time()
    for _ in range(60):
        session.run(None, {given.name: patch})
    network_s = (time.process_time() - start) / 60
    start = time.process_time()
    for piece in pieces:
        with AudioFile(str(piece)) as file:
            for _ in file.blocks():
                pass
    decode_s = (time.process_time() - start) / len(pieces)
    print(f"decoding {decode_s * 1e3:.2f} ms a file, network {network_s * 1e3:.2f} ms a patch")
    return decode_s + network_s * float(np.mean(n_windows))


def main() -> None:
    """Run, and print the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sounds", help="a folder with sounds")
    parser.add_argument("--files", type=int, default=2000, help="how many (%(default)s)")
    parser.add_argument("--model", default="musicnn-mtt", choices=FRAMES)
    parser.add_argument("--kills", type=int, default=0, help="kill a scan so often, and compare its rows")
    args = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="fastaudio-scan-"))
    try:
        pieces = make_files(args.sounds, folder, args.files)
        if args.kills:
            kill(folder, args.model, args.kills)
        else:
            measure(folder, pieces, args)
    finally:
        shutil.rmtree(folder)


def measure(folder: Path, pieces: list[Path], args: argparse.Namespace) -> None:
    """Scan, and scan again when all is done."""
    floor_s = least_s(pieces, args.model)
    resident: list[int] = []

    def report(scanned: Scanned) -> None:
        if scanned.n_done % 200 == 0:
            resident.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)

    cpu, start = time.process_time(), time.monotonic()
    done = scan([folder / "in"], folder / "out", chosen=Chosen(args.model), report=report)
    took_s, cpu_s = time.monotonic() - start, time.process_time() - cpu
    print(
        f"{done.n_done} files, {done.n_failed} failed, {done.sound_s / 3600:.2f} h of sound in {took_s:.1f} s"
    )
    print(f"{done.n_done / took_s:.1f} files per second, {done.sound_s / took_s:.0f} h of sound per hour")
    print(f"efficiency {floor_s * done.n_done / cpu_s:.3f} of decoding and the bare network ({cpu_s:.1f} s)")
    fifths = resident[:: max(1, len(resident) // 5)]
    print(f"cores in use {cpu_s / took_s:.2f}; most memory after each fifth, MB: {fifths}")
    start = time.monotonic()
    again = scan([folder / "in"], folder / "out", chosen=Chosen(args.model))
    print(f"{again.n_before} done: {time.monotonic() - start:.2f} s to find nothing left")


def kill(folder: Path, model: str, n_kills: int) -> None:
    """Kill a scan at random moments so often, then compare what it gave with one that wasn't killed."""
    from pyarrow import parquet

    program = (
        "import sys; from fastaudio.scanning import scan; from fastaudio.scanning.networks import Chosen; "
        "scan.TABLE_S = 0.2; scan.scan([sys.argv[1]], sys.argv[2], chosen=Chosen(sys.argv[3]))"
    )
    rng, killed = np.random.default_rng(0), 0
    while killed < n_kills:
        paths = str(folder / "in"), str(folder / "out")
        run = subprocess.Popen([sys.executable, "-c", program, *paths, model])
        try:
            run.wait(timeout=rng.uniform(0.3, 2.5))
            if len(list((folder / "out").glob("part-*"))) > 1:  # whole: begin anew
                shutil.rmtree(folder / "out")
        except subprocess.TimeoutExpired:
            run.kill()
            run.wait()
            killed += 1
    scan([folder / "in"], folder / "out", chosen=Chosen(model))
    scan([folder / "in"], folder / "whole", chosen=Chosen(model))
    columns = ["path", "size", "version", "duration_s", "start_s", "end_s", "scores", "error", "truncated"]
    got, want = (
        parquet.read_table(folder / name, columns=columns).sort_by("path") for name in ("out", "whole")
    )
    n_tables = len(list((folder / "out").glob("part-*")))
    print(
        f"{killed} kills, {n_tables} tables, {got.num_rows} rows, the same as undisturbed: {got.equals(want)}"
    )
    if not got.equals(want):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
