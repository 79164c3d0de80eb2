"""`fastaudio serve` binds its address, says so, ends in order, and refuses what would be unsafe."""

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import fastaudio as fa
import pytest
import serving_helpers
from fastaudio import serving
from fastaudio.cli import main
from fastaudio.serving import Settings, running
from helpers import GUITAR

HANDSHAKE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
}
TOKEN = "a-token-of-some-length"  # noqa: S105


@pytest.mark.skipif(sys.platform == "win32", reason="signals end processes there at once")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_and_ends_by_a_signal(number: int, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text(TOKEN + "\n")
    command = [sys.executable, "-m", "fastaudio", "serve", "--port", "0", "--token-file", str(token)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            line = process.stderr.readline()
            match = re.fullmatch(r"serving musicnn-mtt at http://127\.0\.0\.1:([0-9]+); Ctrl-C ends\n", line)
            assert match is not None, line
            connection = http.client.HTTPConnection("127.0.0.1", int(match[1]), timeout=60)
            headers = {"Authorization": f"Bearer {TOKEN}"}
            with closing(connection):
                connection.request("POST", "/v1/tag?top=1", GUITAR.read_bytes(), headers)
                answer = connection.getresponse()
                assert (answer.status, b'"slow"' in answer.read()) == (200, True)
                connection.request("GET", "/v1/live", headers=HANDSHAKE | {"Origin": "http://elsewhere"})
                assert connection.getresponse().status == 403
            process.send_signal(number)
            assert process.wait(60) == 0
            assert process.stderr.read() == ""
        finally:
            process.kill()


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["serve", *arguments]) == 2
    error = capsys.readouterr().err
    assert len(error.splitlines()) < 5
    return error


def test_an_address_that_others_reach_needs_a_token(capsys: pytest.CaptureFixture[str]) -> None:
    error = refused(capsys, "--host", "0.0.0.0", "--port", "0")  # noqa: S104
    assert "serve: expected a token for an address that others reach, got none for '0.0.0.0'; " in error
    assert "--token-file token" in error


@pytest.mark.parametrize("text", ["", "short", "e" * 5000, "caf\xe9" * 10, "two\nlines of a token"])
def test_a_token_that_isn_t_one_is_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, text: str
) -> None:
    token = tmp_path / "token"
    token.write_text(text, encoding="utf-8")
    assert "expected a token" in refused(capsys, "--token-file", str(token))


def test_the_remedy_for_a_missing_token_works() -> None:
    code = "import secrets; print(secrets.token_urlsafe())"
    token = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    Settings(token=token.strip())


def test_a_token_s_file_that_isn_t_there_is_told(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert "no-such" in refused(capsys, "--token-file", str(tmp_path / "no-such"))


def test_an_address_that_is_taken_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        error = refused(capsys, "--port", str(port))
    assert f"serve: expected an address that is free, got '127.0.0.1:{port}'" in error


def test_an_address_of_nowhere_is_told(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text(TOKEN)
    assert "expected an address" in refused(capsys, "--host", "203.0.113.1", "--token-file", str(token))


def test_a_certificate_that_isn_t_one_is_told(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "cert.pem"
    path.write_text("nothing")
    names = ["--tls-cert", str(path), "--tls-key", str(path)]
    assert "serve: expected a certificate and its key, got " in refused(capsys, "--port", "0", *names)
    assert "tls_cert and tls_key together" in refused(capsys, "--tls-cert", str(path))


def test_a_model_without_tags_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert "serve: expected a model that gives tags over time, got 'swift-f0'" in refused(
        capsys, "--port", "0", "--model", "swift-f0"
    )


def test_a_port_that_is_none_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert "expected port from 0 to 65535, got 65536" in refused(capsys, "--port", "65536")


@pytest.mark.parametrize("module", ["starlette", "uvicorn", "websockets"])
def test_a_missing_package_is_named_with_what_installs_it(
    monkeypatch: pytest.MonkeyPatch, module: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(
        fa.FastaudioError, match=rf"serve: expected {module}, got none; pip install '[^']+\[serve\]'"
    ):
        serving.serve([])


@pytest.mark.parametrize(
    ("bounds", "error"),
    [
        ({"port": -1}, ValueError),
        ({"jobs": 0}, ValueError),
        ({"jobs": 1.5}, TypeError),
        ({"max_mb": float("nan")}, ValueError),
        ({"max_s": 0}, ValueError),
        ({"idle_s": True}, TypeError),
        ({"token": "short"}, ValueError),
        ({"tls_cert": GUITAR}, ValueError),
    ],
)
def test_a_bound_outside_its_range_is_refused(bounds: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error, match="Settings: expected "):
        Settings(**bounds)


def test_a_token_isn_t_shown() -> None:
    assert TOKEN not in repr(Settings(token=TOKEN))


def test_models_of_the_same_name_are_refused() -> None:
    with pytest.raises(ValueError, match="expected models of different names, got 'levels' twice"):
        serving.serve([serving_helpers.levels(), serving_helpers.levels()])
    with pytest.raises(ValueError, match="expected a model, got none"):
        serving.serve([])


@pytest.mark.skipif(not hasattr(socket, "AF_INET6") or not socket.has_ipv6, reason="there is no IPv6 here")
def test_an_address_of_ipv6_is_bound() -> None:
    try:
        at = running.bound(Settings(host="::1", port=0))
    except running.AddressError:
        pytest.skip("there is no IPv6 here")
    with at:
        assert running._url(Settings(), at).startswith("http://[::1]:")


def test_it_says_when_it_is_ready_and_runs_in_any_thread() -> None:
    said: list[str] = []
    thread = threading.Thread(
        target=serving.serve,
        args=([serving_helpers.levels()], Settings(port=0)),
        kwargs={"ready": said.append},
        daemon=True,
    )
    thread.start()
    serving_helpers.until(lambda: said)
    assert said[0].startswith("http://127.0.0.1:")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_it_serves_also_if_it_cannot_say_where(unbuffered: str) -> None:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "fastaudio", "serve", "--port", str(port)]
    environment = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    with (
        Path("/dev/full").open("w") as full,
        subprocess.Popen(command, stderr=full, env=environment) as process,
    ):
        try:
            serving_helpers.until(lambda: process.poll() is not None or answers(port))
            assert process.poll() is None
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0
        finally:
            process.kill()


def answers(port: int) -> bool:
    with suppress(OSError), closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    return False
