"""Loads `fastaudio serve` with many live streams and many uploads at once, and says whether it holds.

Exit status: 0 if every bound holds, 1 if one doesn't.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

_EXAMPLES = """
examples:
  python benchmarks/serve.py                             64 streams for 60 s, then 200 uploads at once
  python benchmarks/serve.py --streams 16 --seconds 10   a shorter load

It needs the extra [serve], and Linux for the memory. The clients run on the same cores as the server.
"""
GUITAR = Path(__file__).parents[1] / "examples" / "guitar.flac"
RATE_HZ = 16_000
BLOCK_S = 0.1
MOST_MB, MOST_P99_S = 300.0, 0.5


def peak_mb(pid: int) -> float:
    """Return the most memory that a process has had."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return float(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024  # type: ignore[index]


def cpu_s(pid: int) -> float:
    """Return the processor time of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def request(port: int, head: str, body: bytes = b"") -> tuple[int, float]:
    """Return the status of one request, or 0 if the connection broke, and the seconds that it took."""
    begun = time.perf_counter()
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        text = (
            f"{head} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        writer.write(text.encode() + body)
        await writer.drain()
        answer = await reader.read()
        writer.close()
    except OSError:
        return 0, time.perf_counter() - begun
    return int(answer.split(b" ", 2)[1]), time.perf_counter() - begun


async def watch(port: int, took_s: list[float]) -> None:
    """Ask /healthz ten times per second, until this is cancelled."""
    while True:
        status, seconds = await request(port, "GET /healthz")
        took_s.append(seconds if status == 200 else float("inf"))  # noqa: PLR2004
        await asyncio.sleep(0.1)


async def stream(port: int, number: int, seconds: float, blocks: list[bytes]) -> tuple[dict[str, Any], float]:
    """Send one stream in real time; return its last message and how late its last block was sent."""
    import websockets

    uri = f"ws://127.0.0.1:{port}/v1/live?rate={RATE_HZ}&overflow=drop_oldest&events=1"
    await asyncio.sleep(number * BLOCK_S / 8)  # microphones don't begin together
    async with websockets.connect(uri, open_timeout=60, compression=None) as socket:
        last: dict[str, Any] = {}

        async def take() -> None:
            async for text in socket:
                last.update(json.loads(text))

        taking = asyncio.create_task(take())
        begun, late_s = time.perf_counter(), 0.0
        for i in range(round(seconds / BLOCK_S)):
            left_s = begun + i * BLOCK_S - time.perf_counter()
            late_s = max(late_s, -left_s)
            await asyncio.sleep(max(left_s, 0))
            await socket.send(blocks[(number + i) % len(blocks)])
        await socket.send("end")
        await taking
    return last, late_s


async def load(port: int, pid: int, n_streams: int, seconds: float, n_uploads: int) -> bool:
    """Put both loads on a server, print what came of them, and return whether all bounds held."""
    rng = np.random.default_rng(1)
    noise = [rng.uniform(-0.3, 0.3, int(RATE_HZ * BLOCK_S)).astype("<f4").tobytes() for _ in range(50)]
    await request(port, "POST /v1/tag", GUITAR.read_bytes())
    print(f"at rest: {peak_mb(pid):.0f} MB")
    health: list[float] = []
    watching = asyncio.create_task(watch(port, health))
    before = cpu_s(pid)
    ends = await asyncio.gather(*(stream(port, i, seconds, noise) for i in range(n_streams)))
    dropped_s = sum(end["dropped_s"] for end, _ in ends)
    whole = sum(end["type"] == "end" and abs(end["captured_s"] - seconds) < BLOCK_S for end, _ in ends)
    worst_s = max((end["latency_p99_s"] or 0.0 for end, _ in ends), default=0.0)
    ok = [check(f"{n_streams} streams of {seconds:g} s, whole", whole, whole == n_streams, "all")]
    ok.append(check("sound that was dropped, s", round(dropped_s, 3), dropped_s == 0, "0"))
    print(f"  latency p99 of the slowest, beyond the model's own: {worst_s:.2f} s")
    print(f"  processor time of the server: {(cpu_s(pid) - before) / seconds:.2f} cores")
    print(f"  the latest block was sent {max(late for _, late in ends):.2f} s late by the client")
    ok.append(check_health(health))
    print(f"  memory so far: {peak_mb(pid):.0f} MB")
    body = GUITAR.read_bytes()
    begun = time.perf_counter()
    answers = await asyncio.gather(*(request(port, "POST /v1/tag?top=3", body) for _ in range(n_uploads)))
    took_s = time.perf_counter() - begun
    statuses = Counter(status for status, _ in answers)
    said = ", ".join(f"{n} x {status}" for status, n in sorted(statuses.items()))
    ok.append(
        check(
            f"{n_uploads} uploads at once in {took_s:.1f} s", said, set(statuses) <= {200, 429}, "200 or 429"
        )
    )
    ok.append(check_health(health))
    watching.cancel()
    ok.append(check("memory at most, MB", round(peak_mb(pid)), peak_mb(pid) < MOST_MB, f"under {MOST_MB:g}"))
    return all(ok)


def check_health(took_s: list[float]) -> bool:
    """Print the times of /healthz so far, forget them, and return whether their bound held."""
    p99_s = float(np.quantile(took_s, 0.99))
    took_s.clear()
    return check("/healthz meanwhile, p99 in s", round(p99_s, 3), p99_s < MOST_P99_S, f"under {MOST_P99_S:g}")


def check(what: str, got: Any, ok: bool, bound: str) -> bool:
    """Print a figure with its bound, and return whether it holds."""
    print(f"{'ok  ' if ok else 'FAIL'} {what}: {got} (bound: {bound})")
    return ok


def main() -> int:
    """Run the command line and return its exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=_EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="musicnn-mtt")
    parser.add_argument("--streams", type=int, default=64, metavar="N")
    parser.add_argument("--seconds", type=float, default=60.0, metavar="S")
    parser.add_argument("--uploads", type=int, default=200, metavar="N")
    args = parser.parse_args()
    command = [sys.executable, "-P", "-m", "fastaudio", "serve", "--port", "0", "--model", args.model]
    command += ["--max-streams", str(max(args.streams, 1))]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        line = server.stderr.readline()
        port = int(re.search(r":(\d+);", line)[1])  # type: ignore[index]
        try:
            ok = asyncio.run(load(port, server.pid, args.streams, args.seconds, args.uploads))
        finally:
            begun = time.perf_counter()
            server.terminate()
            server.wait(30)
        print(f"it ended {time.perf_counter() - begun:.1f} s after SIGTERM")
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
