"""Whatever becomes of the disk, the folder or the run, a model is here whole or not at all."""

from __future__ import annotations

import errno
import os
import re
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from fastaudio import ModelError, OutputError
from fastaudio.registry import Entry, FetchError, Remote, getting
from fastaudio.registry.answer import Answer
from fastaudio.registry.getting import fetch
from helpers import ROOT
from hostile_server import drip, whole
from registry_helpers import CONTENT, got, held, parts, refused, toy

if TYPE_CHECKING:
    from pathlib import Path

    from hostile_server import Server


def test_a_full_disk_is_named_and_the_next_run_goes_on(
    server: Server, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.acts = [whole(CONTENT)]
    full = monkeypatch.context()
    with full as patch:
        patch.setattr(Answer, "pieces", lambda _: _until_full())
        with pytest.raises(OutputError, match=r"net\.onnx: expected room to write, got: ") as caught:
            fetch(toy(server.url))
    assert caught.value.errno == errno.ENOSPC
    assert all(name.endswith(".part") for name in held(home))
    fetch(toy(server.url))
    assert got(home)


def _until_full() -> Any:
    yield CONTENT[:10_000]
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_disk_that_is_too_small_is_refused_before_anything_is_fetched(
    server: Server, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = getting.shutil.disk_usage(".")
    monkeypatch.setattr(getting.shutil, "disk_usage", lambda _: usage._replace(free=1000))
    refused(server, home, match="expected room for 300,000 bytes, got 1,000; free some", error=OutputError)
    assert server.seen == []


def test_a_folder_that_cannot_be_written_is_refused(
    server: Server, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.parent.mkdir(mode=0o500)
    monkeypatch.setattr(os, "access", lambda *_, **__: False)  # root writes everywhere
    refused(server, home, match="expected a folder that can be written into", error=OutputError)
    assert server.seen == []


@pytest.mark.parametrize("there", ["home", "models", "toy", "net.onnx"])
def test_something_else_in_the_way_is_refused(server: Server, home: Path, there: str) -> None:
    server.acts = [whole(CONTENT)]
    place = {"home": home.parent, "models": home, "toy": home / "toy", "net.onnx": home / "toy" / "net.onnx"}[
        there
    ]
    if there == "net.onnx":
        place.mkdir(parents=True)
    else:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text("mine")
    with pytest.raises(OutputError, match="expected"):
        fetch(toy(server.url))
    assert place.is_dir() if there == "net.onnx" else place.read_text() == "mine"


@pytest.mark.skipif(os.name == "nt", reason="links of POSIX")
def test_nothing_is_written_through_a_link(server: Server, home: Path, tmp_path: Path) -> None:
    server.acts = [whole(CONTENT)]
    (home / "toy").mkdir(parents=True)
    (tmp_path / "mine").write_text("mine")
    entry = toy(server.url)
    part = home / "toy" / f".net.onnx-{entry.files[0].sha256[:12]}.part"
    part.symlink_to(tmp_path / "mine")
    with pytest.raises(OutputError):
        fetch(entry)
    part.unlink()
    (home / "toy" / "net.onnx").symlink_to(tmp_path / "mine")
    fetch(entry)
    assert (tmp_path / "mine").read_text() == "mine"


RUN = """
import sys
sys.path.insert(0, {support!r})
import registry_helpers as t
from fastaudio.registry.getting import fetch
print("begun", flush=True)
fetch(t.toy(sys.argv[1]))
"""


def started(url: str) -> subprocess.Popen[str]:
    code = RUN.format(support=str(ROOT / "tests" / "python" / "support"))
    return subprocess.Popen([sys.executable, "-c", code, url], stdout=-1, stderr=-1, text=True)


@pytest.mark.skipif(os.name == "nt", reason="no locks there")
def test_of_two_runs_at_once_one_waits_for_nothing_and_neither_breaks_the_other(
    server: Server, home: Path
) -> None:
    go = threading.Event()

    def slow(handler: Any) -> None:
        go.wait(120)
        whole(CONTENT)(handler)

    server.acts = [slow]
    first = started(server.url)
    try:
        until(lambda: len(server.seen) == 1)
        with pytest.raises(OutputError, match="expected no other run with this output, got one; wait for it"):
            fetch(toy(server.url))
        go.set()
        assert first.wait(60) == 0, first.stderr and first.stderr.read()
    finally:
        go.set()
        first.kill()
        first.communicate()
    assert got(home)
    assert len(server.seen) == 1


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize("number", [signal.SIGINT, getattr(signal, "SIGKILL", 9)], ids=["Ctrl-C", "killed"])
def test_a_run_that_ends_in_the_middle_leaves_only_a_part(server: Server, home: Path, number: int) -> None:
    stop = threading.Event()
    server.acts = [drip(CONTENT, step_s=0.005, stop=stop), whole(CONTENT)]
    run = started(server.url)
    try:
        until(lambda: bool(parts(home)) and len(server.seen) == 1)
        time.sleep(0.2)
        run.send_signal(number)
        run.communicate(timeout=60)
    finally:
        stop.set()
        run.kill()
        run.communicate()
    assert not (home / "toy" / "net.onnx").exists()
    assert not (home / "toy" / "card.json").exists()
    fetch(toy(server.url))
    assert (home / "toy" / "net.onnx").read_bytes() == CONTENT


def until(true: Any) -> None:
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_without_the_extra_the_line_that_installs_it_is_named(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pooch", None)
    with pytest.raises(FetchError, match=re.escape("pip install 'fastaudio-toolkit[get]'")):
        fetch(toy("https://a.example/net.onnx"))
    assert held(home) == {}


def test_a_model_without_a_hash_is_refused(home: Path) -> None:
    entry = toy("https://a.example/net.onnx")
    bare = Entry(entry.card, (Remote("net.onnx", "https://a.example/x", None, "", None, ""),))
    with pytest.raises(ModelError, match="then run: fastaudio get toy --sha256 HASH"):
        fetch(bare)
    assert held(home) == {}
