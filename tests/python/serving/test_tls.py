"""With a certificate and its key, all is https, and a page of http is another origin."""

from __future__ import annotations

import http.client
import json
import shutil
import ssl
import subprocess
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any

import pytest
from serving_helpers import LIMIT_S, connect, heard, levels, serving, sound, wav

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("a certificate for the test needs openssl")
    folder = tmp_path_factory.mktemp("tls")
    cert, key = folder / "cert.pem", folder / "key.pem"
    made = [
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "2",
    ]
    named = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-out", str(cert)]
    subprocess.run([openssl, *made, *named, "-keyout", str(key)], check=True, capture_output=True)
    return cert, key


def test_all_is_served_by_https(certificate: tuple[Path, Path]) -> None:
    cert, key = certificate
    context = ssl.create_default_context(cafile=str(cert))
    with serving(levels(), tls_cert=cert, tls_key=key) as server:
        own = f"https://localhost:{server.port}"
        for origin, status in ((own, 200), (own.replace("https", "http"), 403)):
            connection = http.client.HTTPSConnection(
                "localhost", server.port, timeout=LIMIT_S, context=context
            )
            with closing(connection):
                connection.request("POST", "/v1/tag", wav(sound(1)), {"Origin": origin})
                answer = connection.getresponse()
                answer.read()
                assert answer.status == status
        with connect(f"wss://localhost:{server.port}/v1/live?rate=8000", ssl=context, origin=own) as live:
            assert json.loads(live.recv(LIMIT_S))["type"] == "ready"
            live.send("end")
            assert heard(live)[-1]["type"] == "end"
        with pytest.raises((http.client.HTTPException, OSError)):
            server.ask("/healthz")  # without TLS


def test_connections_that_agree_on_nothing_count_and_are_cut_off(certificate: tuple[Path, Path]) -> None:
    cert, key = certificate
    context = ssl.create_default_context(cafile=str(cert))
    for header_s in (1, 10, 25):  # a slow machine tells a third one from those cut off in a longer time
        bounds = {"max_connections": 2, "header_s": header_s}
        with serving(levels(), tls_cert=cert, tls_key=key, **bounds) as server:
            with server.raw() as one, server.raw() as two:
                with server.raw() as third:
                    assert closes(third)
                told = not closes(one, wait_s=0.0) and not closes(two, wait_s=0.0)
                assert closes(one)  # after that time
                assert closes(two)
            connection = http.client.HTTPSConnection(
                "localhost", server.port, timeout=LIMIT_S, context=context
            )
            with closing(connection):
                connection.request("GET", "/healthz")
                assert connection.getresponse().status == 200
        if told:
            break
    assert told


def test_a_request_in_the_moment_of_the_handshake_s_end_is_answered(certificate: tuple[Path, Path]) -> None:
    """The last message of the handshake and the request come in one piece."""
    cert, key = certificate
    context = ssl.create_default_context(cafile=str(cert))
    inward, outward = ssl.MemoryBIO(), ssl.MemoryBIO()
    side = context.wrap_bio(inward, outward, server_hostname="localhost")
    with serving(levels(), tls_cert=cert, tls_key=key) as server, server.raw() as raw:
        while True:
            try:
                side.do_handshake()
                break
            except ssl.SSLWantReadError:
                raw.sendall(outward.read())
                inward.write(raw.recv(1 << 16))
        side.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        raw.sendall(outward.read())
        got = b""
        while b'"ok"' not in got:
            inward.write(raw.recv(1 << 16))
            with suppress(ssl.SSLWantReadError):
                while True:
                    got += side.read(1 << 16)
        assert b" 200 " in got


def closes(connection: Any, wait_s: float = 50.0) -> bool:
    """Tell whether the server closes it; asyncio's own bound is a minute."""
    connection.settimeout(wait_s)
    try:
        return connection.recv(100) == b""
    except ConnectionResetError:
        return True
    except (BlockingIOError, TimeoutError):
        return False
