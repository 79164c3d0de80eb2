"""Runs `python -m fastaudio` in a process of its own that has imported the package already, by a fork.

What a test sees is a program: its own file descriptors, signals and exit status. It costs a thirtieth of
starting Python, so a test starts Python itself only where starting is what it looks at.
"""

from __future__ import annotations

import atexit
import functools
import io
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

LIMIT_S = 120.0


def run(*arguments: object, stdin: bytes = b"", cwd: Path | None = None) -> tuple[int, str, str]:
    """Return exit status, stdout and stderr of the command line; what is written there is UTF-8."""
    asked = {"argv": list(map(str, arguments)), "env": dict(os.environ), "cwd": str(cwd or Path.cwd())}
    if not hasattr(os, "fork"):
        command = [sys.executable, "-m", "fastaudio", *asked["argv"]]
        env = os.environ | {"PYTHONIOENCODING": "utf-8"}
        done = subprocess.run(
            command, input=stdin, capture_output=True, timeout=LIMIT_S, check=False, env=env, cwd=cwd
        )
        return done.returncode, done.stdout.decode(), done.stderr.decode()
    server, _ = _server()
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        reading, writing = os.pipe()
        message = json.dumps(asked, ensure_ascii=True).encode()
        feeding = threading.Thread(target=_feed, args=(writing, stdin), daemon=True)
        try:
            socket.send_fds(server, [len(message).to_bytes(4, "big")], [reading, out.fileno(), err.fileno()])
            server.sendall(message)
            os.close(reading)
            feeding.start()
            status = int.from_bytes(_exactly(server, 4), "big", signed=True)
        except BaseException:  # a late answer would be taken for the next one's
            _end()
            raise
        feeding.join()
        texts = []
        for file in (out, err):
            file.seek(0)
            texts.append(file.read().decode())
    return status, texts[0], texts[1]


def _feed(pipe: int, data: bytes) -> None:
    """Write into a pipe and close it; its reader may have left."""
    with os.fdopen(pipe, "wb", buffering=0) as file:
        view = memoryview(data)
        with suppress(BrokenPipeError):
            while view:
                view = view[file.write(view) :]


@functools.cache
def _server() -> tuple[socket.socket, subprocess.Popen[bytes]]:
    """Return a connection to the process that forks, which ends with this one, and that process."""
    ours, theirs = socket.socketpair()
    with theirs:
        process = subprocess.Popen(
            [sys.executable, __file__, str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            env=os.environ | {"PYTHONUTF8": "1"},
            start_new_session=True,
        )
    ours.settimeout(LIMIT_S)
    return ours, process


@atexit.register
def _end() -> None:
    """End the process that forks, with what it has forked."""
    if _server.cache_info().currsize:
        connection, process = _server()
        _server.cache_clear()
        connection.close()
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _exactly(connection: socket.socket, n: int) -> bytes:
    data = b""
    while len(data) < n:
        if not (piece := connection.recv(n - len(data))):
            raise EOFError
        data += piece
    return data


def _text(fd: int, mode: str, name: str, **how: str) -> io.TextIOWrapper:
    """Return a standard stream as Python makes it at its start."""
    raw = io.FileIO(fd, mode, closefd=False)
    raw.name = name
    buffer: Any = io.BufferedReader(raw) if mode == "r" else io.BufferedWriter(raw)
    return io.TextIOWrapper(buffer, encoding="utf-8", **how)  # type: ignore[arg-type]


def _serve(connection: socket.socket) -> None:
    """Fork for each request, and tell its exit status; returns only in a child, with what it has to run."""
    import runpy

    import fastaudio.cli.running  # noqa: F401

    while True:
        head, fds, _, _ = socket.recv_fds(connection, 4, 3)
        if not head:
            sys.exit()
        asked: dict[str, Any] = json.loads(_exactly(connection, int.from_bytes(head, "big")))
        child = os.fork()
        if child == 0:
            break
        for fd in fds:
            os.close(fd)
        _, status = os.waitpid(child, 0)
        connection.sendall(os.waitstatus_to_exitcode(status).to_bytes(4, "big", signed=True))
    connection.close()
    for i, fd in enumerate(fds):
        os.dup2(fd, i)
        os.close(fd)
    os.environ.clear()
    os.environ.update(asked["env"])
    os.chdir(asked["cwd"])
    sys.stdin = _text(0, "r", "<stdin>")
    sys.stdout = _text(1, "w", "<stdout>")
    sys.stderr = _text(2, "w", "<stderr>", errors="backslashreplace")
    sys.argv = ["fastaudio", *asked["argv"]]
    runpy.run_module("fastaudio", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
