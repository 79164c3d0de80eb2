"""A publisher never waits for its broker, and loses nothing that was retained, whatever the broker does."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from typing import TYPE_CHECKING, Any

import pytest
from fastaudio.mqtt.broker import Broker
from fastaudio.mqtt.publisher import Publisher
from mosquitto import WAIT_S, Listener, Mosquitto, eventually, require_mosquitto

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

STATUS = "fastaudio/test/status"
SECRET = {"password": "secret"}
RIGHT: dict[str, Any] = {"user": "ann"} | SECRET
WRONG = RIGHT | {"password": "wrong"}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Mosquitto]:
    require_mosquitto()
    server = Mosquitto(tmp_path)
    yield server
    server.end()


class Said(list[str]):
    """Lines that a publisher said."""

    def __contains__(self, part: object) -> bool:
        return any(str(part) in line for line in self)


def publisher(port: int, said: Said, **more: Any) -> Publisher:
    """Return one that connects."""
    broker = Broker("127.0.0.1", port, **more)
    made = Publisher(broker, client="test", status=STATUS, say=said.append, birth="homeassistant/status")
    made.start()
    return made


def test_states_are_retained_and_messages_are_not(server: Mosquitto) -> None:
    server.start()
    said = Said()
    ours = publisher(server.port, said)
    early = Listener(server.port)
    ours.state("t/a", "1")
    ours.state("t/a", "2")
    ours.message("t/event", "dog")
    eventually(lambda: early.last.get("t/event") == "dog" and early.last.get("t/a") == "2")
    late = Listener(server.port)
    eventually(lambda: {STATUS, "t/a"} <= set(late.last))
    assert (late.last[STATUS], late.last["t/a"]) == ("online", "2")
    assert "t/event" not in late.last
    ours.close()
    eventually(lambda: late.last[STATUS] == "offline")
    assert said == []
    for listener in (early, late):
        listener.close()


def test_a_broker_that_is_started_anew_in_the_middle_gets_all_that_was_retained(server: Mosquitto) -> None:
    server.start()
    said = Said()
    ours = publisher(server.port, said)
    states = {f"t/{i}": str(i) for i in range(50)}
    for topic, text in states.items():
        ours.state(topic, text)
    before = Listener(server.port)
    eventually(lambda: states.items() <= before.last.items())
    before.close()
    server.end()  # and with it all it had retained
    eventually(lambda: "the connection is lost" in said)
    ours.state("t/7", "changed meanwhile")
    ours.state("t/new", "new")
    ours.message("t/event", "meanwhile")
    server.start()
    after = Listener(server.port)
    want = states | {"t/7": "changed meanwhile", "t/new": "new", STATUS: "online"}
    eventually(lambda: want.items() <= after.last.items())
    eventually(lambda: "connected" in said)
    ours.close()
    after.close()


def test_a_message_waits_for_a_broker_that_comes_late(server: Mosquitto) -> None:
    said = Said()
    ours = publisher(server.port, said)
    ours.message("t/event", "early")  # which returns, though there is none
    ours.state("t/state", "early")
    eventually(lambda: "expected a broker, got: " in said)
    server.start()
    listener = Listener(server.port, "t/#")
    # It may have been delivered before the listener came; what is retained can't have been missed.
    eventually(lambda: listener.last.get("t/state") == "early")
    eventually(lambda: not ours._open)
    ours.close()
    listener.close()


def test_of_too_many_that_wait_some_are_dropped_counted_and_said(server: Mosquitto) -> None:
    said = Said()
    ours = publisher(server.port, said)
    for i in range(1010):
        ours.message("t/event", str(i))
    assert ours.n_dropped == 10
    assert "takes no messages, and 1000 wait: others are dropped" in said
    started_s = time.monotonic()
    ours.close()
    assert time.monotonic() - started_s < WAIT_S
    assert "1010 messages didn't reach 127.0.0.1" in said


def test_whoever_loses_the_connection_is_said_to_be_offline(server: Mosquitto) -> None:
    server.start()
    ours = publisher(server.port, Said())
    listener = Listener(server.port, STATUS)
    eventually(lambda: listener.last.get(STATUS) == "online")
    sock = ours._client.socket()
    assert sock is not None
    sock.shutdown(socket.SHUT_RDWR)  # as when a cable is pulled
    eventually(lambda: [text for _, text, _ in listener.got][-2:] == ["offline", "online"])
    ours.close()
    listener.close()


def test_home_assistant_that_is_started_anew_is_told_all_states(server: Mosquitto) -> None:
    server.start()
    ours = publisher(server.port, Said())
    listener = Listener(server.port, "t/#")
    ours.state("t/a", "1")
    eventually(lambda: len(listener.got) == 1)

    def told_again() -> bool:
        listener.client.publish("homeassistant/status", "online")  # which it may have yet to subscribe to
        return len(listener.got) > 1

    eventually(told_again)
    assert {text for _, text, _ in listener.got} == {"1"}
    ours.close()
    listener.close()


def test_a_wrong_password_is_said_and_a_right_one_lets_in(tmp_path: Path) -> None:
    require_mosquitto()
    if shutil.which("mosquitto_passwd") is None:
        pytest.skip("mosquitto_passwd isn't installed")
    passwords = tmp_path / "passwords"
    subprocess.run(["mosquitto_passwd", "-b", "-c", passwords, "ann", "secret"], check=True)
    passwords.chmod(0o644)
    server = Mosquitto(tmp_path, "allow_anonymous false", f"password_file {passwords}").start()
    said = Said()
    wrong = publisher(server.port, said, **WRONG)
    eventually(lambda: "expected to be let in, got: " in said)
    wrong.close()
    assert "secret" not in said
    assert "wrong" not in said
    right = publisher(server.port, said, **RIGHT)
    listener = Listener(server.port, STATUS, username="ann", **SECRET)
    eventually(lambda: listener.last.get(STATUS) == "online")
    right.close()
    listener.close()
    server.end()


def certificates(folder: Path) -> None:
    """Make a certificate for 127.0.0.1 that signs itself."""
    subprocess.run(
        [
            *(
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:prime256v1",
                "-nodes",
            ),
            *("-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2"),
            *("-keyout", folder / "key.pem", "-out", folder / "cert.pem"),
        ],
        check=True,
        capture_output=True,
    )
    (folder / "key.pem").chmod(0o644)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # a socket of paho's
def test_tls_checks_the_certificate(tmp_path: Path) -> None:
    require_mosquitto()
    if shutil.which("openssl") is None:
        pytest.skip("openssl isn't installed")
    certificates(tmp_path)
    files = (f"certfile {tmp_path / 'cert.pem'}", f"keyfile {tmp_path / 'key.pem'}")
    server = Mosquitto(tmp_path, "allow_anonymous true", *files).start()
    said = Said()
    strange = publisher(server.port, said, tls=True)
    eventually(lambda: "expected a broker, got: self-signed certificate" in said)
    strange.close()
    said.clear()
    known = publisher(server.port, said, tls=True, ca=str(tmp_path / "cert.pem"))
    eventually(lambda: known._connected)
    known.close()
    assert said == []
    server.end()
    with pytest.raises(ValueError, match="--mqtt-ca: expected certificates in PEM"):
        publisher(server.port, said, tls=True, ca=str(tmp_path / "mosquitto.conf"))


def test_without_paho_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "paho.mqtt.client", None)
    with pytest.raises(ImportError, match=r"--mqtt: expected paho, got none; pip install .*\[mqtt\]"):
        publisher(1, Said())
