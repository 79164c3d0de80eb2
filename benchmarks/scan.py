"""Scans many short files and says how fast that is, how much memory it takes, and how fast it goes on.

The files are pieces of 1 to 30 s, cut from the sounds of a folder; these go round where they are shorter.
Each is there under many names (hard links). With `--skew P` the part of a piece above 1 s is 29 s times a
random number to the power P, so most are short. With `--long S` there is a long file too: how many
processors are in use tells whether the others wait for it. What the work costs at the least is measured
over them, before and after: decoding, and running the network on as many patches by ONNX Runtime alone, in
one thread. With `--kills N`, scans are killed instead.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import signal
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
from fastaudio.scanning import scan as scanning
from fastaudio.scanning.networks import Chosen
from fastaudio.scanning.scan import Scanned, scan

N_PIECES = 300
FRAMES = {"musicnn-mtt": (187, 96), "musicnn-msd": (187, 96), "instruments": (126, 96)}


def make_files(sounds: str, folder: Path, n_files: int, skew: float = 1.0, long_s: float = 0.0) -> list[Path]:
    """Write the pieces, give them their names, and return one file of each piece.

    With `long_s`, one more file has that many seconds of noise.
    """
    rng = np.random.default_rng(0)
    pieces = []
    known = (".flac", ".mp3", ".ogg", ".wav")
    sources = [path for path in find_audio(sounds).files if Path(path).suffix in known]
    (folder / "pieces").mkdir(parents=True)
    for i in range(N_PIECES):
        samples, rate = soundfile.read(sources[i % len(sources)], always_2d=True, dtype="float32")
        length = int(rate * (1 + 29 * rng.random() ** skew))
        start = int(rng.integers(0, max(1, len(samples) - length + 1)))
        suffix = ("flac", "ogg", "wav", "mp3")[i % 4]
        piece = folder / "pieces" / f"{i:03}.{suffix}"
        soundfile.write(piece, np.resize(samples[start : start + length], (length, samples.shape[1])), rate)
        pieces.append(piece)
    for i in range(n_files):
        home = folder / "in" / f"{i // 1000:03}"
        home.mkdir(parents=True, exist_ok=True)
        os.link(pieces[i % N_PIECES], home / f"{i:06}{pieces[i % N_PIECES].suffix}")
    if long_s:
        noise = rng.normal(0, 0.1, round(16_000 * long_s)).astype(np.float32)
        soundfile.write(folder / "in" / "long.flac", noise, 16_000)
    return pieces


class Floor:
    """What the work costs at the least: decoding, and the bare network on as many patches, in one thread.

    It is measured before the scan and after it, because machines change their pace.
    """

    def __init__(self, model: str, pieces: list[Path], n_files: int, long_file: Path | None) -> None:
        """Take the pieces of which there are `n_files` files in turn, and one more file, if there is one."""
        self._pipeline = fa.Pipeline.load(model)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        network = cards.read_card(model).path.parent / "model.onnx"
        self._session = onnxruntime.InferenceSession(
            str(network), options, providers=["CPUExecutionProvider"]
        )
        self._patch = np.random.default_rng(0).random((1, *FRAMES[model]), np.float32)
        self._files = [(piece, len(range(k, n_files, N_PIECES))) for k, piece in enumerate(pieces[:n_files])]
        self._files += [(long_file, 1)] if long_file is not None else []
        self._runs: list[float] = []

    def measure(self) -> None:
        """Run over each piece by the pipeline, by the decoder, and by the network alone, in turns."""
        alone_s = decode_s = network_s = 0.0
        n_patches = n_runs = 0
        for path, n_times in self._files:
            start = time.process_time()
            n_windows = len(self._pipeline(str(path)))
            alone_s += n_times * (time.process_time() - start)
            start = time.process_time()
            with AudioFile(str(path)) as file:
                for _ in file.blocks():
                    pass
            decode_s += n_times * (time.process_time() - start)
            n_here = min(n_windows, 10)
            start = time.process_time()
            for _ in range(n_here):
                self._session.run(None, {self._session.get_inputs()[0].name: self._patch})
            if n_here:
                network_s += n_times * n_windows * (time.process_time() - start) / n_here
            n_patches += n_times * n_windows
            n_runs += n_times
        print(
            f"per file: decoding {decode_s / n_runs * 1e3:.2f} ms, {n_patches / n_runs:.2f} patches of "
            f"{network_s / n_patches * 1e3:.2f} ms; the pipeline alone, in one thread, "
            f"{alone_s / n_runs * 1e3:.2f} ms, {alone_s / (decode_s + network_s):.3f} of both",
            flush=True,
        )
        self._runs.append(decode_s + network_s)

    @property
    def seconds(self) -> float:
        """The processor seconds of all files, the mean of what was measured."""
        return float(np.mean(self._runs))


def main() -> None:
    """Run, and print the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sounds", help="a folder with sounds")
    parser.add_argument("--files", type=int, default=2000, help="how many (%(default)s)")
    parser.add_argument("--model", default="musicnn-mtt", choices=FRAMES)
    parser.add_argument(
        "--skew", type=float, default=1.0, help="how many are short (%(default)s: all lengths)"
    )
    parser.add_argument(
        "--long", type=float, default=0.0, metavar="S", help="one more file, of so many seconds"
    )
    parser.add_argument("--folder", type=Path, help="where to make the files, and leave them and the tables")
    parser.add_argument("--kills", type=int, default=0, help="kill a scan so often, and compare its rows")
    args = parser.parse_args()
    folder = args.folder or Path(tempfile.mkdtemp(prefix="fastaudio-scan-"))
    try:
        pieces = make_files(args.sounds, folder, args.files, args.skew, args.long)
        if args.kills:
            kill(folder, args.model, args.kills)
        else:
            measure(folder, pieces, args)
    finally:
        if args.folder is None:
            shutil.rmtree(folder)


def measure(folder: Path, pieces: list[Path], args: argparse.Namespace) -> None:
    """Scan, and scan again when all is done."""
    floor = Floor(args.model, pieces, args.files, folder / "in" / "long.flac" if args.long else None)
    floor.measure()
    resident: list[float] = []

    def report(scanned: Scanned) -> None:
        if scanned.n_done % 200 == 0:
            resident.append(resident_mb())
        if scanned.n_done % 10_000 == 0:
            print(f"{scanned.n_done} files after {scanned.took_s:.0f} s, {resident_mb():.0f} MB", flush=True)

    cpu, start = time.process_time(), time.monotonic()
    done = scan([folder / "in"], folder / "out", chosen=Chosen(args.model), report=report)
    took_s, cpu_s = time.monotonic() - start, time.process_time() - cpu
    print(
        f"{done.n_done} files, {done.n_failed} failed, {done.sound_s / 3600:.2f} h of sound in {took_s:.1f} s"
    )
    print(f"{done.n_done / took_s:.1f} files per second, {done.sound_s / took_s:.0f} h of sound per hour")
    print(
        f"per processor {done.n_done / cpu_s:.1f} files per second, {done.sound_s / cpu_s:.0f} h of sound "
        "per hour"
    )
    floor.measure()
    print(f"efficiency {floor.seconds / cpu_s:.3f} of decoding and the bare network ({cpu_s:.1f} s)")
    fifths = [round(value) for value in resident[:: max(1, len(resident) // 5)]]
    print(
        f"processors in use {cpu_s / took_s:.2f}; memory at each fifth, MB: {fifths}, most "
        f"{max(resident):.0f}"
    )
    start = time.monotonic()
    again = scan([folder / "in"], folder / "out", chosen=Chosen(args.model))
    print(f"{again.n_before} done: {time.monotonic() - start:.2f} s to find nothing left")
    n_tables = len(list((folder / "out").glob("part-*")))
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    print(f"{n_tables} tables; most memory of all, {most:.0f} MB")


def resident_mb() -> float:
    """Return this process's memory now."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 1e6


def kill(folder: Path, model: str, n_kills: int) -> None:
    """Kill a scan at random moments so often, then compare what it gave with one that wasn't killed.

    Each scan is a fork of this process, which has imported all and run nothing. Where one ends before it is
    killed, the next begins anew.
    """
    scanning.TABLE_S = 0.1
    rng, killed, n_whole = np.random.default_rng(0), 0, 0

    def begin(output: str) -> int:
        child = os.fork()
        if child == 0:
            scan([folder / "in"], folder / output, chosen=Chosen(model))
            os._exit(0)
        return child

    os.waitpid(begin("whole"), 0)
    while killed < n_kills:
        child = begin("out")
        until_s = time.monotonic() + rng.uniform(0.2, 6)
        while not (ended := os.waitpid(child, os.WNOHANG)[0]) and time.monotonic() < until_s:
            time.sleep(0.01)
        if ended:
            n_whole += 1
            compare(folder)
            shutil.rmtree(folder / "out")
            continue
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        killed += 1
    os.waitpid(begin("out"), 0)
    n_rows = compare(folder)
    print(f"{killed} kills, {n_whole + 1} times to the end: each time {n_rows} rows, as undisturbed")


def compare(folder: Path) -> int:
    """Return how many rows both scans gave, which have to be the same."""
    from pyarrow import parquet

    columns = ["path", "size", "version", "duration_s", "start_s", "end_s", "scores", "error", "truncated"]
    got, want = (
        parquet.read_table(folder / name, columns=columns).sort_by("path") for name in ("out", "whole")
    )
    if not got.equals(want):
        raise SystemExit(f"{got.num_rows} rows, expected {want.num_rows}, or others")
    return int(want.num_rows)


if __name__ == "__main__":
    main()
