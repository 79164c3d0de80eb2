"""What describes a sensor has the keys and values that Home Assistant's documentation lists for it."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from fastaudio.mqtt.discovery import Device

# This is the type of each option that is used here, by the pages "MQTT sensor", "MQTT binary sensor" and
# "MQTT discovery" of Home Assistant's documentation; an option that isn't listed isn't known to be right.
COMMON: dict[str, type | tuple[type, ...]] = {
    "name": str,
    "unique_id": str,
    "state_topic": str,
    "availability_topic": str,
    "payload_available": str,
    "payload_not_available": str,
    "device": dict,
    "origin": dict,
    "json_attributes_topic": str,
    "value_template": str,
    "entity_category": str,
    "expire_after": int,
    "icon": str,
    "device_class": str,
}
KEYS = {
    "sensor": COMMON | {"unit_of_measurement": str, "state_class": str},
    "binary_sensor": COMMON | {"payload_on": str, "payload_off": str},
}
REQUIRED = {"unique_id", "state_topic", "availability_topic", "device", "origin"}
DEVICE = {"identifiers": list, "name": str, "manufacturer": str, "model": str, "sw_version": str}
ORIGIN = {"name": str, "sw_version": str, "support_url": str}
TOPIC = re.compile(r"\w+(?:/\w+)*/(sensor|binary_sensor)/([a-zA-Z0-9_-]+)/([a-zA-Z0-9_-]+)/config")


def require_valid(topic: str, payload: str) -> dict[str, Any]:
    """Check a description, and return it."""
    match = TOPIC.fullmatch(topic)
    assert match, topic
    data: dict[str, Any] = json.loads(payload)
    keys = KEYS[match[1]]
    assert set(data) <= set(keys), set(data) - set(keys)
    assert set(data) >= REQUIRED
    for key, value in data.items():
        assert isinstance(value, keys[key]), key
        assert value, key
    assert set(data["device"]) <= set(DEVICE)
    assert data["device"]["identifiers"], "a device needs one to be known by"
    assert set(data["origin"]) <= set(ORIGIN)
    for topic_ in (data["state_topic"], data["availability_topic"], data.get("json_attributes_topic", "a")):
        assert not set(topic_) & set("#+\0")
    assert data.get("entity_category", "diagnostic") in {"config", "diagnostic"}
    assert data.get("state_class", "measurement") in {"measurement", "total", "total_increasing"}
    if match[1] == "binary_sensor":
        assert data.get("device_class") in {"sound", None}
    return data


@pytest.mark.parametrize("name", ["dog", "{{ states('x') }}", "\x1b[2J", "x" * 500, 'a"b', "吉他"])
def test_a_description_is_valid_whatever_a_label_is_like(name: str) -> None:
    device = Device("garden", name, "homeassistant")
    topic, payload = device.binary_sensor("m_dog", name, "fastaudio/garden/m/dog")
    data = require_valid(topic, payload)
    assert topic == "homeassistant/binary_sensor/garden/m_dog/config"
    assert data["unique_id"] == "fastaudio_garden_m_dog"
    assert len(data["name"]) <= 80
    assert data["name"].isprintable()
    assert "value_template" not in data  # names and states are text there, and no template
    require_valid(*device.sensor("level", name, "fastaudio/garden/level", expire_after=60))


def test_a_device_has_one_status_for_all_its_sensors() -> None:
    device = Device("garden", "Garden")
    one = require_valid(*device.sensor("a", "A", "t/a"))
    other = require_valid(*device.binary_sensor("b", "B", "t/b"))
    assert one["availability_topic"] == other["availability_topic"] == "fastaudio/garden/status"
    assert one["device"] == other["device"]
    assert (one["payload_available"], one["payload_not_available"]) == ("online", "offline")
