"""The fuzzers' kept inputs hold every law, and the harness itself notices what breaks one."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from helpers import ROOT

if TYPE_CHECKING:
    from pathlib import Path

FUZZ = ROOT / "tests" / "fuzz"
NAMES = sorted(path.name for path in (FUZZ / "corpus").iterdir())
LIMIT_S = 600

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the fuzzers need Linux")


def run(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the fuzzers as a command."""
    command = [sys.executable, str(FUZZ / "run.py"), *arguments, "--findings", str(folder)]
    return subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, check=False, cwd=folder)


def test_kept_inputs_hold_every_law(tmp_path: Path) -> None:
    done = run("--runs", "0", "--slack", "3", folder=tmp_path)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    assert {line.partition(":")[0] for line in done.stdout.splitlines()} >= set(NAMES)


BROKEN = """
import ctypes, os, signal, sys, time
from pathlib import Path
sys.path[:0] = [{fuzz!r}]
import harness

class Broken(harness.Fuzzer):
    name = "broken"
    limit_s = 5
    limit_mb = 100
    faults = ["fine", "crash", "hang", "memory", "print", "read", "write", "raise", "fine"]
    def draw(self, rng): return b""
    def prepare(self, outside): (outside / "canary").write_bytes(b"secret")
    def check(self, content, folder):
        fault = content.decode()
        if fault == "crash": ctypes.string_at(0)
        if fault == "hang": time.sleep(60)
        if fault == "memory": bytearray(b"x" * 150_000_000)
        if fault == "print": os.write(1, b"native")
        if fault == "read": (folder / "../outside/canary").read_bytes()
        if fault == "write": (folder / "../made").write_bytes(b"")
        if fault == "raise": raise KeyError(fault)

fuzzer = Broken()
fuzzer.kept = {{f"{{i}}": fault.encode() for i, fault in enumerate(fuzzer.faults)}}
report = harness.fuzz(fuzzer, seed=1, runs=0, seconds=0)
for kind, (times, case, content, text) in report.findings.items():
    print(content.decode(), times, kind)
print("runs", report.runs)
"""


def test_the_harness_finds_every_kind_of_fault(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", BROKEN.format(fuzz=str(FUZZ))],
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    found = dict(line.split(" ", 1) for line in done.stdout.splitlines())
    kinds = {
        "crash": "1 crash in",
        "hang": "1 hang in",
        "memory": "1 too much memory",
        "print": "1 printed",
        "read": "1 reached canary",
        "write": "1 made files outside",
        "raise": "1 KeyError in",
    }
    for fault, kind in kinds.items():
        assert found.pop(fault).startswith(kind)
    assert found == {"runs": "7"}  # all but the crash and the hang came to an end
