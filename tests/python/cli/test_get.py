"""`fastaudio get` asks before it uses the network, and says what it fetches from where."""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import pytest
from cli_helpers import run
from fastaudio import registry
from fastaudio.cli import get as command
from helpers import GUITAR

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hostile_server import Server

NAME = "efficientat-mn10"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FASTAUDIO_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("COLUMNS", raising=False)  # a line for each model, as where there is no terminal
    return tmp_path / "home" / "models"


@pytest.fixture
def network() -> bytes:
    pytest.importorskip("onnx", reason="pip install '.[train]'")
    from fake_networks import fake_network

    return fake_network("samples", ["w", "n"], "probabilities", [527])


@pytest.fixture
def server(network: bytes, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    pytest.importorskip("pooch", reason="pip install '.[get]'")
    from hostile_server import serving, whole

    monkeypatch.delenv("http_proxy", raising=False)
    monkeypatch.delenv("HTTP_PROXY", raising=False)
    with serving() as state:
        state.acts = [whole(network)]
        yield state


def own(server: Server, network: bytes) -> list[str]:
    return ["--url", server.url, "--sha256", hashlib.sha256(network).hexdigest()]


def test_it_fetches_and_the_name_works(
    server: Server, network: bytes, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = run(capsys, "models")[1]
    assert f"\n  {NAME} " in before.partition("to fetch")[2]
    status, out, err = run(capsys, "get", NAME, "--yes", *own(server, network))
    assert (status, out) == (0, f"{NAME} is in {home / NAME}\n")
    for said in ("licence      MIT", server.url, hashlib.sha256(network).hexdigest(), str(home / NAME)):
        assert said in err
    status, out, _ = run(capsys, "tag", GUITAR, "--model", NAME)
    assert status == 0
    assert "Field recording" in out
    after = run(capsys, "models")[1]
    assert f"\n  {NAME} " in after.partition("to fetch")[0]
    assert f"\n  {NAME} " not in after.partition("to fetch")[2]
    assert server.url in run(capsys, "models", NAME)[1]
    assert fa.models()[-1] == NAME
    assert run(capsys, "get", NAME, *own(server, network))[0] == 0  # it is here: there is nothing to ask
    assert len(server.seen) == 1


def test_what_it_shows_is_all_that_is_known(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    entry = registry.entry(NAME)
    for arguments in (["models", NAME], ["get", NAME]):
        status, out, err = run(capsys, *arguments)
        assert status == (0 if arguments[0] == "models" else 2)
        if status:
            assert "expected --yes, or a terminal to ask on, got neither; run: fastaudio get " + NAME in err
            continue
        assert f"fastaudio get {NAME}\n" in out
        for said in (
            "MIT",
            "20.2 MB (20,200,590 bytes)",
            entry.files[0].url,
            entry.files[0].sha256,
            entry.page,
        ):
            assert str(said) in out
    assert not home.exists()


class Terminal:
    """A stdin that answers."""

    def __init__(self, answer: str) -> None:
        self._answer = answer

    def isatty(self) -> bool:
        return True

    def readline(self) -> str:
        return self._answer


@pytest.mark.parametrize(
    ("answer", "agrees"), [("y\n", True), ("YES \n", True), ("\n", False), ("no\n", False), ("", False)]
)
def test_it_asks_on_a_terminal(
    answer: str, agrees: bool, server: Server, home: Path, request: pytest.FixtureRequest
) -> None:
    capsys, patch = request.getfixturevalue("capsys"), request.getfixturevalue("monkeypatch")
    patch.setattr(sys, "stdin", Terminal(answer))
    patch.setattr(sys.stderr, "isatty", lambda: True)
    network = request.getfixturevalue("network")
    status, out, err = run(capsys, "get", NAME, "--quiet", *own(server, network))
    assert "Fetch it? [y/N] " in err
    assert (status, bool(out), len(server.seen)) == ((0, True, 1) if agrees else (1, False, 0))
    assert agrees or "fastaudio: nothing was fetched" in err
    assert (home / NAME / "card.json").is_file() == agrees


def test_what_is_not_installed_is_told_before_it_asks(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pooch", None)
    monkeypatch.setattr(sys, "stdin", Terminal("y\n"))
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    status, _, err = run(capsys, "get", NAME)
    assert status == 1
    assert "Fetch it?" not in err
    assert "pip install 'fastaudio-toolkit[get]'" in err
    assert not home.exists()


def test_a_bar_counts_bytes(
    server: Server,
    network: bytes,
    home: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    status, _, err = run(capsys, "get", NAME, "--yes", *own(server, network))
    assert status == 0
    assert "B/s" in err
    assert home.is_dir()


@pytest.mark.parametrize(
    ("arguments", "status", "match"),
    [
        (["nope"], 2, "get: expected one of ast, .*, got 'nope'"),
        (["../" + NAME, "--yes"], 2, "get: expected one of"),
        (["ast", "--yes"], 2, "then run: fastaudio get ast --sha256 HASH"),
        ([NAME, "--yes", "--sha256", "12"], 2, "expected sha256 as 64 hex digits"),
        ([NAME, "--yes", "--url", "http://a.example/x"], 2, "begins with https://"),
        ([NAME, "--yes", "--url", "http://127.0.0.1:9/x"], 1, "expected the whole file, got no connection"),
        ([], 2, "NAME"),
    ],
)
def test_a_refusal_says_why_and_has_its_status(
    arguments: list[str], status: int, match: str, home: Path, request: pytest.FixtureRequest
) -> None:
    pytest.importorskip("pooch", reason="pip install '.[get]'")
    from fastaudio.registry import transfer

    patch = request.getfixturevalue("monkeypatch")
    patch.setattr(transfer, "_WAIT_S", 0.0)
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        patch.delenv(name, raising=False)
    got, out, err = run(request.getfixturevalue("capsys"), "get", *arguments)
    assert (got, out) == (status, "")
    assert re.search(match, err), err
    assert not (home / NAME / "card.json").exists()


def test_a_shipped_model_needs_no_fetching(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "get", "musicnn-mtt")[:2] == (0, "musicnn-mtt comes with the package\n")
    assert not home.exists()


@pytest.mark.parametrize("how", ["command", "get"])
def test_a_second_network_that_does_not_fit_leaves_the_first(
    server: Server, network: bytes, home: Path, capsys: pytest.CaptureFixture[str], how: str
) -> None:
    from hostile_server import whole

    assert run(capsys, "get", NAME, "--yes", *own(server, network))[0] == 0
    before = {path.name: path.read_bytes() for path in (home / NAME).iterdir()}
    wrong = bytes(3000)
    server.acts = [whole(wrong)]
    if how == "command":
        status, _, err = run(capsys, "get", NAME, "--yes", *own(server, wrong))
        assert status == 2
    else:
        with pytest.raises(fa.ModelError) as caught:
            registry.get(NAME, url=server.url, sha256=hashlib.sha256(wrong).hexdigest())
        err = str(caught.value)
    assert "expected a network that fits the model's card, got: " in err
    assert ".new-" not in err
    assert {path.name: path.read_bytes() for path in (home / NAME).iterdir()} == before
    fa.Pipeline.load(NAME)


def test_the_function_loads_a_model_before_it_keeps_it(server: Server, home: Path) -> None:
    from hostile_server import whole

    wrong = bytes(3000)
    server.acts = [whole(wrong)]
    with pytest.raises(fa.ModelError, match="fits the model's card"):
        registry.get(NAME, url=server.url, sha256=hashlib.sha256(wrong).hexdigest())
    assert not (home / NAME).exists()


def test_the_line_to_run_has_what_was_given(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sha256, url = "ab" * 32, "https://a.example/it's.onnx"
    _, _, err = run(capsys, "get", NAME, "--sha256", sha256, "--url", url)
    line = f"run: fastaudio get {NAME} --sha256 {sha256} --url {shlex.quote(url)} --yes"
    assert line in err
    _, _, err = run(capsys, "get", "ast", "--url", "https://a.example/net.onnx")
    assert "then run: fastaudio get ast --sha256 HASH --url https://a.example/net.onnx" in err
    _, _, err = run(capsys, "get", NAME, "--url", "https://a.example/net.onnx?key=secret")
    assert f"run: fastaudio get {NAME} --url URL --yes" in err
    assert not home.exists()


@pytest.mark.parametrize("name", ["zzz", NAME])
@pytest.mark.parametrize("card", [b"{", b"\xff", b"{}", b'{"schema": "fastaudio.card/1", "name": 3}'])
def test_a_broken_card_is_listed_as_damaged(
    name: str, card: bytes, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / name).mkdir(parents=True)
    (home / name / "card.json").write_bytes(card)
    status, out, _ = run(capsys, "models")
    assert status == 0
    assert "\n  musicnn-mtt " in out
    remedy = f"remove {home / name}" if name == "zzz" else f"run: fastaudio get {name}"
    assert re.search(rf"\n  {name} +\(damaged; {re.escape(remedy)}\)\n", out)
    if name == "zzz":
        status, out, err = run(capsys, "get", name)
        assert (status, out) == (2, "")
        assert "got 'zzz'" in err


def test_a_network_that_the_card_does_not_fit_gets_no_name(
    server: Server, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from fake_networks import fake_network
    from hostile_server import whole

    wrong = fake_network("samples", ["w", "n"], "other", [527])
    server.acts = [whole(wrong)]
    status, _, err = run(capsys, "get", NAME, "--yes", *own(server, wrong))
    assert status == 2
    assert "probabilities" in err
    assert not (home / NAME / "card.json").exists()
    assert NAME not in fa.models()


def test_a_fetched_network_that_was_changed_is_not_run(
    server: Server, network: bytes, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(capsys, "get", NAME, "--yes", *own(server, network))[0] == 0
    path = home / NAME / registry.entry(NAME).files[0].path
    path.write_bytes(network[:-1] + bytes([network[-1] ^ 1]))
    status, _, err = run(capsys, "tag", GUITAR, "--model", NAME)
    assert status == 2
    assert "sha256" in err
    assert run(capsys, "get", NAME, "--yes", *own(server, network))[0] == 0  # and get mends it
    assert path.read_bytes() == network


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_ctrl_c_ends_it_at_once_and_the_next_run_goes_on(server: Server, network: bytes, home: Path) -> None:
    from hostile_server import whole

    stop = threading.Event()

    def stuck(handler: Any) -> None:
        whole(network, n_sent=1000)(handler)
        handler.wfile.flush()
        stop.wait(120)

    arguments = [sys.executable, "-m", "fastaudio", "get", NAME, "--yes", *own(server, network)]
    for n, wait_s in enumerate((0.3, 3, 30), start=1):  # a slow machine has the first bytes later
        server.acts = [stuck, whole(network)]
        with subprocess.Popen(arguments, stdout=-1, stderr=-1, text=True) as program:
            end = time.monotonic() + 60
            while len(server.seen) < n and time.monotonic() < end:
                time.sleep(0.02)
            time.sleep(wait_s)
            program.send_signal(2)
            _, err = program.communicate(timeout=60)
        assert program.returncode == 130
        assert err.endswith("fastaudio: interrupted\n")
        (left,) = (home / NAME).iterdir()
        assert left.suffix == ".part"
        if left.stat().st_size:
            break
    assert subprocess.run(arguments, check=False, capture_output=True).returncode == 0
    assert server.ranges == [*[None] * n, "bytes=1000-"]
    stop.set()


def test_the_help_shows_examples(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)  # a line for each model, as where there is no terminal
    assert "examples:\n  fastaudio models" in run(capsys, "get", "--help")[1]
    assert len(command.to_fetch()) == len(registry.entries())


USES_NO_NETWORK = """
import socket, sys
def refuse(*_, **__):
    raise AssertionError("the network was used")
socket.socket.connect = socket.getaddrinfo = refuse
import numpy as np
import fastaudio as fa
from fastaudio import cli
assert fa.models() and fa.registry.entries()
fa.Pipeline.load()(np.zeros(16_000, dtype=np.float32), sample_rate=16_000)
name = "efficientat-mn10"
for arguments in (["models"], ["models", name], ["tag", sys.argv[1]], ["get", name]):
    cli.main(arguments)
try:
    fa.Pipeline.load(name)
except fa.ModelError:
    print("refused")
"""


def test_nothing_but_get_with_a_yes_uses_the_network(home: Path) -> None:
    start = [sys.executable, "-c", USES_NO_NETWORK, str(GUITAR)]
    result = subprocess.run(start, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    assert result.returncode == 0, result.stderr
    assert result.stdout.endswith("refused\n")
    assert "AssertionError" not in result.stderr
    assert not home.exists()
