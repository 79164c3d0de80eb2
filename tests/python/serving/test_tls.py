"""With a certificate and its key, all is https, and a page of http is another origin."""

from __future__ import annotations

import http.client
import json
import shutil
import ssl
import subprocess
from contextlib import closing
from typing import TYPE_CHECKING

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
        with pytest.raises(http.client.HTTPException):
            server.ask("/healthz")  # without TLS
