"""Where a broker is, and how to be let in; a password never stands on a command line."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

PASSWORD = "FASTAUDIO_MQTT_PASSWORD"  # noqa: S105  # the variable's name
"""The environment variable that holds the password, unless a file does."""

_PORTS = {"mqtt": 1883, "mqtts": 8883}
_LONGEST_PASSWORD = 1 << 12


@dataclass(frozen=True)
class Broker:
    """An MQTT broker.

    Attributes:
        host, port: where it listens.
        tls: whether the connection is encrypted, and its certificate checked.
        user, password: how to be let in; None for nobody.
        ca: a file of certificates to trust in place of the system's.
    """

    host: str
    port: int
    tls: bool = False
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    ca: str | None = None

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def broker_of(
    address: str,
    *,
    password_file: str | None = None,
    ca: str | None = None,
    environ: Mapping[str, str] = os.environ,
) -> Broker:
    """Return the broker at `mqtt://[USER@]HOST[:PORT]`, or `mqtts://` with TLS.

    The password is read from a file, of which the last line end is left out, or from FASTAUDIO_MQTT_PASSWORD.

    Raises:
        ValueError: another form, a password in it, one without a user, or a CA without TLS.
        OSError: a file can't be read.
    """
    try:
        parts = urlsplit(address if "://" in address else f"mqtt://{address}")
    except ValueError as error:
        raise ValueError(f"--mqtt: expected an address such as mqtt://broker, got {address!r:.80}") from error
    if parts.password is not None:
        raise ValueError(
            f"--mqtt: expected no password in the address, which others on this machine can read, got one; "
            f"put it into a file for --mqtt-password-file, or into {PASSWORD}"
        )
    try:
        port = parts.port
    except ValueError:
        port = -1
    more = parts.path.strip("/") or parts.query or parts.fragment
    if parts.scheme not in _PORTS or not parts.hostname or more or port in {0, -1}:
        raise ValueError(
            "--mqtt: expected an address such as mqtt://HOST:1883 or mqtts://USER@HOST:8883, "
            f"got {address:.200}"
        )
    tls = parts.scheme == "mqtts"
    if ca is not None and not tls:
        raise ValueError(f"--mqtt-ca: expected an address that begins with mqtts://, got {address:.200}")
    if ca is not None:
        Path(ca).read_bytes()  # raises what keeps it from being read
    user = None if parts.username is None else unquote(parts.username)
    password = environ.get(PASSWORD) if password_file is None else _read_password(password_file)
    if user is None and password_file is not None:
        raise ValueError(
            f"--mqtt-password-file: expected the user in the address, got {address:.200}; "
            f"write {parts.scheme}://USER@{parts.netloc}"
        )
    return Broker(
        parts.hostname,
        port or _PORTS[parts.scheme],
        tls=tls,
        user=user,
        password=None if user is None else password,
        ca=ca,
    )


def _read_password(path: str) -> str:
    with Path(path).open(encoding="utf-8") as file:
        text = file.read(_LONGEST_PASSWORD + 1)
    if len(text) > _LONGEST_PASSWORD:
        raise ValueError(f"{path}: expected a password of at most {_LONGEST_PASSWORD} characters, got more")
    return text.removesuffix("\n").removesuffix("\r")
