"""What an isolated process may do: nothing but decode, compute and answer."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import fastaudio as fa
import pytest
from fastaudio.isolation import process
from helpers import musicnn_front
from isolation_helpers import pids

if sys.platform == "win32":
    pytest.skip("isolation needs Linux or macOS", allow_module_level=True)

# What code within the process may still do, once it is restricted: attempts that succeed are told by name.
_ATTEMPTS = """
import json, os, socket, sys
how = json.loads(sys.argv[1])
import fastaudio.isolation.child as child
from fastaudio.isolation import limits, wire
channel = wire.Channel(socket.socket(fileno=how["descriptor"]), lambda: None)
limits.restrict_resources(int(4e9))
child._load_libraries()
guards = limits.restrict_rights()
attempts = {
    "read": lambda: open("/etc/passwd").read(),
    "list": lambda: os.listdir("/"),
    "write": lambda: open(os.path.join(FOLDER, "new"), "w"),
    "remove": lambda: os.unlink("/etc/passwd"),
    "socket": lambda: socket.socket(),
    "fork": os.fork,
    "exec": lambda: os.execv("/bin/true", ["true"]),
    "kill": lambda: os.kill(how["owner"], 0),
    "trace": lambda: os.setpgid(0, 0),
    "chmod": lambda: os.chmod(FOLDER, 0o777),
}
done = []
for name, attempt in attempts.items():
    try:
        attempt()
        done.append(name)
    except OSError:
        pass
channel.send("ready", {"guards": [*guards, *("did " + name for name in done)]})
import time; time.sleep(60)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="what holds it is Linux's")
def test_code_within_a_process_can_open_nothing_and_start_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(process, "_PROGRAM", f"FOLDER = {str(tmp_path)!r}\n{_ATTEMPTS}")
    held = process.Process(fa.Limits())
    held.begin()
    held.end()
    if "seccomp" not in held.guards:
        pytest.skip("this kernel has no seccomp")
    assert [one for one in held.guards if one.startswith("did")] == []


def test_the_environment_is_not_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_SECRET_OF_MINE", "secret")
    with fa.isolated(fa.Pipeline(musicnn_front())) as apart:
        (pid,) = pids(apart)
        path = Path(f"/proc/{pid}/environ")
        if not path.exists():
            pytest.skip("needs /proc")
        assert b"secret" not in path.read_bytes()
        own = {os.readlink(link) for link in Path(f"/proc/{pid}/fd").iterdir()}  # noqa: PTH115
        assert all(one == "/dev/null" or one.startswith("socket:") for one in own), own
