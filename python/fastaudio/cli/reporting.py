"""Telling an MQTT broker, and Home Assistant, what a live run hears."""

from __future__ import annotations

import json
import math
import secrets
import socket
import time
from typing import TYPE_CHECKING, Any

from fastaudio.cli.terminal import complain
from fastaudio.events import Event
from fastaudio.mqtt.broker import PASSWORD, Broker, broker_of
from fastaudio.mqtt.discovery import OFF, ON, Device, name_text
from fastaudio.mqtt.publisher import Publisher
from fastaudio.mqtt.topics import checked_topic, slug, slugs

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from fastaudio.cli.ears import Ear
    from fastaudio.cli.kinds import Kind
    from fastaudio.live import LiveStream
    from fastaudio.tags import Window

_STATE_S = 1.0  # between two states of a model's sensor
_LEVEL_S = 10.0
_EXPIRE_S = 60
_MOST_SENSORS = 64  # of labels; a model may have thousands
_FLOOR_DB = -120.0


def add_mqtt_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that name a broker."""
    group = parser.add_argument_group("MQTT")
    group.add_argument(
        "--mqtt",
        metavar="ADDRESS",
        help="publish what is heard: mqtt://[USER@]HOST[:PORT], or mqtts:// with TLS; "
        f"a password is read from {PASSWORD}",
    )
    group.add_argument("--mqtt-name", metavar="NAME", help="what this place is called (the computer's name)")
    group.add_argument("--mqtt-password-file", metavar="FILE", help="read the password from a file")
    group.add_argument("--mqtt-ca", metavar="FILE", help="trust these certificates, in place of the system's")
    group.add_argument(
        "--mqtt-discovery",
        metavar="PREFIX",
        default="homeassistant",
        help="where Home Assistant looks for sensors (%(default)s), or off",
    )


def broker_for(args: argparse.Namespace) -> Broker | None:
    """Return the broker that the options name, if they do.

    Raises:
        ValueError: options that don't go together, or an address that is none.
        OSError: the file of a password or of certificates can't be read.
    """
    if args.mqtt is None:
        for option in ("mqtt_name", "mqtt_password_file", "mqtt_ca"):
            if getattr(args, option) is not None:
                name = option.replace("_", "-")
                raise ValueError(f"listen: expected --mqtt with --{name}, got none; name the broker")
        return None
    return broker_of(args.mqtt, password_file=args.mqtt_password_file, ca=args.mqtt_ca)


class Reporter:
    """Publishes what models say: the state of each, of each label, and each event once."""

    def __init__(self, args: argparse.Namespace, broker: Broker, ears: Sequence[Ear], source: str) -> None:
        """Prepare to publish.

        Args:
            args: the options.
            broker: where.
            ears: the models.
            source: what is heard.

        Raises:
            MissingExtra: paho-mqtt isn't installed.
            ValueError: the prefix of discovery is no topic.
        """
        name = args.mqtt_name or socket.gethostname()
        node = slug(name)
        found = args.mqtt_discovery != "off"
        prefix = checked_topic(args.mqtt_discovery, subject="--mqtt-discovery").strip("/") if found else ""
        self._device = Device(node, name, prefix)
        self._found = found
        self._source = source
        self.publisher = Publisher(
            broker,
            client=f"fastaudio-{node}-{secrets.token_hex(4)}",
            status=self._device.status,
            say=complain,
            birth=f"{prefix}/status" if found else None,
        )
        self._keys = slugs((ear.name or "model" for ear in ears), taken=("status", "level", "event"))
        self._labels = {ear: slugs(ear.labels) for ear in ears}
        self._described: set[tuple[Ear, str]] = set()
        self._full = False
        self._going: dict[tuple[Ear, str], set[str]] = {}
        self._due: dict[Ear, str] = {}
        self._state_s: dict[Ear, float] = {}
        self._level_s = -math.inf
        self._peak = 0.0

    def begin(self, stream: LiveStream) -> None:
        """Describe the sensors, and begin to connect."""
        self._stream = stream
        device = self._device
        self._describe(
            device.sensor(
                "level",
                "Level",
                f"{device.base}/level",
                value_template="{{ value_json.level_db }}",
                unit_of_measurement="dB",
                state_class="measurement",
                entity_category="diagnostic",
                expire_after=_EXPIRE_S,
            )
        )
        for ear, labels in self._labels.items():
            key = self._keys[ear.name or "model"]
            if ear.events:
                for label in labels:  # an ON of before a power cut may stand there
                    self.publisher.state(self._topic(ear, label), OFF)
                for label in labels if len(labels) <= _MOST_SENSORS else ():
                    self._describe_label(ear, label)
                continue
            hop_s = ear.pipeline.hop_s
            self._describe(
                device.sensor(
                    f"{key}_sound",
                    f"{ear.name or 'Sound'}",
                    self._topic(ear),
                    value_template="{{ value_json.label }}",
                    icon="mdi:ear-hearing",
                    **({"expire_after": max(_EXPIRE_S, math.ceil(3 * hop_s))} if hop_s < math.inf else {}),
                )
            )
        self.publisher.start()

    def show(self, ear: Ear, item: Any, kind: Kind | None = None) -> None:
        """Publish a window's tags as the state of its model, and an event as that of its label."""
        fits = kind is None or kind.fits
        if isinstance(item, Event):
            self._event(ear, item, fits=fits)
        elif not item.provisional:
            self._due[ear] = self._state(item, kind)
            self._publish_states()

    def tick(self, stream: LiveStream, peak: float) -> None:
        """Publish what waited for its turn, and the level now and then."""
        self._publish_states()
        self._peak = max(self._peak, peak)
        if time.monotonic() - self._level_s < _LEVEL_S:
            return
        stats = stream.stats()
        rate = stream.sample_rate
        data = {
            "level_db": round(max(20 * math.log10(max(self._peak, 1e-9)), _FLOOR_DB), 1),
            "source": name_text(self._source),
            "heard_s": round(stats.captured / rate, 1),
            "lost_s": round(stats.dropped / rate, 1),
            "latency_s": round(stats.latency_p50_s, 3),
            "load": round(stats.real_time_factor, 4),
            "interruptions": stats.interruptions,
        }
        self.publisher.state(f"{self._device.base}/level", json.dumps(data))
        self._level_s, self._peak = time.monotonic(), 0.0

    def end(self) -> None:
        """Publish that no event goes on any more."""
        for (ear, label), going in self._going.items():
            if going:
                self.publisher.state(self._topic(ear, label), OFF)

    def close(self) -> None:
        """Say that this place is offline."""
        self.publisher.close()

    def _topic(self, ear: Ear, label: str | None = None) -> str:
        topic = f"{self._device.base}/{self._keys[ear.name or 'model']}"
        return topic if label is None else f"{topic}/{self._labels[ear][label]}"

    def _describe(self, described: tuple[str, str]) -> None:
        if self._found:
            self.publisher.state(*described)

    def _describe_label(self, ear: Ear, label: str) -> None:
        if (ear, label) in self._described:
            return
        if len(self._described) >= _MOST_SENSORS * len(self._labels):
            if not self._full:
                self._full = True
                complain(
                    f"mqtt: {len(self._described)} labels have sensors, and others get none; "
                    f"their events are at {self._device.base}/event"
                )
            return
        self._described.add((ear, label))
        topic = self._topic(ear, label)
        key = f"{self._keys[ear.name or 'model']}__{self._labels[ear][label]}"  # no name has two _ in a row
        more = {"json_attributes_topic": f"{topic}/last"}
        self._describe(self._device.binary_sensor(key, label, topic, **more))

    def _state(self, window: Window, kind: Kind | None) -> str:
        best = window.top(5)
        told = "silence" if window.silent else best[0][0] if best else "unknown"
        if kind is not None and not kind.fits:
            told = f"not {kind.wanted}"
        data = {
            "label": name_text(told),
            "score": round(best[0][1], 4) if best else None,
            "tags": [{"label": label, "score": round(score, 4)} for label, score in best],
            "silent": window.silent,
            "fits": None if kind is None else kind.fits,
            "time": self._time(window.start_s),
        }
        return json.dumps(data)

    def _publish_states(self) -> None:
        """Publish the last state of each model, but not more often than people look."""
        now_s = time.monotonic()
        for ear in list(self._due):
            if now_s - self._state_s.get(ear, -math.inf) >= _STATE_S:
                self.publisher.state(self._topic(ear), self._due.pop(ear))
                self._state_s[ear] = now_s

    def _event(self, ear: Ear, event: Event, *, fits: bool) -> None:
        if event.label not in self._labels[ear]:
            return
        self._describe_label(ear, event.label)
        going = self._going.setdefault((ear, event.label), set())
        was_on = bool(going)
        if event.state == "begin" and fits:
            going.add(event.id)
        elif event.state == "end":
            known = event.id in going
            going.discard(event.id)
            if fits and not known and not was_on:  # of a model that says only when they have ended
                self._switch(ear, event.label, ON)
                was_on = True
        data = event.to_dict() | {
            "model": ear.name,
            "fits": fits,
            "time": self._time(event.start_s),
        }
        text = json.dumps(data)
        if event.state == "end" and fits:
            self.publisher.state(f"{self._topic(ear, event.label)}/last", text)
        self.publisher.message(f"{self._device.base}/event", text)
        if bool(going) != was_on:
            self._switch(ear, event.label, ON if going else OFF)

    def _switch(self, ear: Ear, label: str, state: str) -> None:
        if (ear, label) in self._described:
            self.publisher.state(self._topic(ear, label), state)

    def _time(self, seconds: float) -> str:
        return self._stream.time_of(seconds).isoformat(timespec="milliseconds")
