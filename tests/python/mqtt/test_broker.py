"""Where a broker is: an address without a password, which comes from a file or the environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from fastaudio.mqtt.broker import PASSWORD, Broker, broker_of

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("address", "want"),
    [
        ("home", Broker("home", 1883)),
        ("home:1884", Broker("home", 1884)),
        ("mqtt://home", Broker("home", 1883)),
        ("mqtts://home", Broker("home", 8883, tls=True)),
        ("mqtts://ann@home:1/", Broker("home", 1, tls=True, user="ann")),
        ("mqtt://a%40b@[::1]:7", Broker("::1", 7, user="a@b")),
    ],
)
def test_an_address_says_where_it_is(address: str, want: Broker) -> None:
    assert broker_of(address, environ={}) == want


@pytest.mark.parametrize(
    "address", ["", "http://home", "mqtt://", "home:0", "home:70000", "home:x", "mqtt://home/a", "home?x=1"]
)
def test_anything_else_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match=r"--mqtt: expected an address such as mqtt://HOST:1883"):
        broker_of(address, environ={})


def test_a_password_in_the_address_is_refused_and_not_repeated() -> None:
    with pytest.raises(ValueError, match="expected no password in the address") as error:
        broker_of("mqtt://ann:hunter2@home", environ={})
    assert "hunter2" not in str(error.value)


def test_a_password_comes_from_a_file_or_the_environment_and_is_not_shown(tmp_path: Path) -> None:
    path = tmp_path / "password"
    path.write_bytes(b" s\xc3\xa4cret \r\n")
    from_file = broker_of("mqtt://ann@home", password_file=str(path), environ={PASSWORD: "other"})
    assert (from_file.user, from_file.password) == ("ann", " s\xe4cret ")
    from_variable = broker_of("mqtt://ann@home", environ={PASSWORD: "other"})
    assert (from_variable.user, from_variable.password) == ("ann", "other")
    assert broker_of("mqtt://home", environ={PASSWORD: "other"}).password is None
    assert "cret" not in repr(from_file) + str(from_file)
    with pytest.raises(ValueError, match="expected the user in the address"):
        broker_of("mqtt://home", password_file=str(path), environ={})
    path.write_text("x" * 5000)
    with pytest.raises(ValueError, match="at most 4096 characters"):
        broker_of("mqtt://ann@home", password_file=str(path), environ={})


def test_certificates_need_tls_and_have_to_be_there(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="expected an address that begins with mqtts://"):
        broker_of("mqtt://home", ca=str(tmp_path / "ca.pem"), environ={})
    with pytest.raises(FileNotFoundError):
        broker_of("mqtts://home", ca=str(tmp_path / "ca.pem"), environ={})
