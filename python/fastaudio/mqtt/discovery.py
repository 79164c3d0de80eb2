"""Describing sensors to Home Assistant, by what its MQTT integration takes as discovery.

Each description is a retained message at PREFIX/COMPONENT/NODE/OBJECT/config.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from fastaudio._core import __version__
from fastaudio._system.text import printable

ONLINE, OFFLINE = "online", "offline"
"""What stands at the status topic."""

ON, OFF = "ON", "OFF"
"""States of a binary sensor."""

_NAME = 80  # characters of a name that is shown
_URL = "https://github.com/fastaudio-toolkit/fastaudio"


def name_text(name: str) -> str:
    """Return a name that may be shown, of bounded length."""
    return printable(name)[:_NAME]


@dataclass(frozen=True)
class Device:
    """What hears, as Home Assistant shows it.

    Attributes:
        node: its name in topics, of safe characters.
        name: its name for people.
        prefix: where Home Assistant looks for descriptions.
    """

    node: str
    name: str
    prefix: str = "homeassistant"

    @property
    def base(self) -> str:
        """What its topics begin with."""
        return f"fastaudio/{self.node}"

    @property
    def status(self) -> str:
        """The topic that says whether it is there."""
        return f"{self.base}/status"

    def sensor(self, key: str, name: str, topic: str, **more: Any) -> tuple[str, str]:
        """Return topic and message that describe a sensor with a JSON state; `more` of its options."""
        return self._entity("sensor", key, name, topic, {"json_attributes_topic": topic} | more)

    def binary_sensor(self, key: str, name: str, topic: str, **more: Any) -> tuple[str, str]:
        """Return topic and message that describe a sensor of sound, which is ON or OFF."""
        own = {"device_class": "sound", "payload_on": ON, "payload_off": OFF}
        return self._entity("binary_sensor", key, name, topic, own | more)

    def _entity(
        self, component: str, key: str, name: str, topic: str, more: dict[str, Any]
    ) -> tuple[str, str]:
        about = {
            "name": name_text(name),
            "unique_id": f"fastaudio_{self.node}_{key}",
            "state_topic": topic,
            "availability_topic": self.status,
            "payload_available": ONLINE,
            "payload_not_available": OFFLINE,
            "device": {
                "identifiers": [f"fastaudio_{self.node}"],
                "name": name_text(self.name),
                "manufacturer": "fastaudio",
                "model": "listen",
                "sw_version": __version__,
            },
            "origin": {"name": "fastaudio", "sw_version": __version__, "support_url": _URL},
        }
        where = f"{self.prefix}/{component}/{self.node}/{key}/config"
        return where, json.dumps(about | more)
