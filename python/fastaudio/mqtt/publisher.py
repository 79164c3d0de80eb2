"""Sending to a broker without ever waiting for it: it may be slow, away, or started anew."""

from __future__ import annotations

import sys
import threading
import time
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from fastaudio._system.extras import require
from fastaudio.mqtt.discovery import OFFLINE, ONLINE

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastaudio.mqtt.broker import Broker

_KEEPALIVE_S = 30
_RETRY_S = (1, 60)  # the first wait before it connects again, and the longest
_WAITING = 1000  # messages that aren't retained
_CLOSE_S = 2.0
_LAST_S = 0.5
_POLL_S = 0.02


class Publisher:
    """Publishes states, which a broker retains, and messages that are delivered once.

    Nothing here waits for the broker, except `close` for at most some seconds. The last state of each topic
    is kept, and published anew at each connection: none is lost, even if the broker was started without its
    memory. Up to 1,000 messages wait for a broker that is away; beyond that they are dropped, and counted. A
    broker that loses the connection says itself that this client is offline. Any thread may call.

    Attributes:
        n_dropped: how many messages were dropped.
    """

    def __init__(
        self,
        broker: Broker,
        *,
        client: str,
        status: str,
        say: Callable[[str], None],
        birth: str | None = None,
    ) -> None:
        """Prepare to connect.

        Args:
            broker: where, and as whom.
            client: a name that no other client of the broker has; it stays at each connection, so that
                the broker takes a new one for the end of the old one.
            status: topic that says "online" or "offline".
            say: takes a line when the connection is lost, found, or refused.
            birth: topic at which another program says "online" when it has to be told all states anew.

        Raises:
            MissingExtra: paho-mqtt isn't installed.
            ValueError: the file of certificates holds none.
        """
        mqtt = require("paho.mqtt.client", extra="mqtt", what="--mqtt")
        self._full = mqtt.MQTT_ERR_QUEUE_SIZE
        self._broker, self._status, self._say, self._birth = broker, status, say, birth
        self._lock = threading.RLock()
        self._states: dict[str, str] = {}
        self._connected = self._closing = False
        self._told = ""
        self._counting = threading.Lock()  # paho holds locks of its own where it says what was delivered
        self._open: set[int] = set()
        self._early: deque[int] = deque(maxlen=_WAITING)
        self.n_dropped = 0
        theirs = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=client, protocol=mqtt.MQTTv311)
        theirs.max_queued_messages_set(_WAITING)
        theirs.reconnect_delay_set(*_RETRY_S)
        theirs.will_set(status, OFFLINE, qos=1, retain=True)
        if broker.user is not None:
            theirs.username_pw_set(broker.user, broker.password)
        if broker.tls:
            import ssl  # noqa: PLC0415  # few need it

            try:
                theirs.tls_set_context(ssl.create_default_context(cafile=broker.ca))
            except ssl.SSLError as error:
                raise ValueError(
                    f"--mqtt-ca: expected certificates in PEM, got {broker.ca} ({error.reason})"
                ) from error
        theirs.on_connect, theirs.on_disconnect = self._on_connect, self._on_disconnect
        theirs.on_connect_fail, theirs.on_message = self._on_connect_fail, self._on_message
        theirs.on_publish = self._on_publish
        self._client = theirs

    def start(self) -> None:
        """Begin to connect, in a thread of its own, and return at once."""
        self._client.connect_async(self._broker.host, self._broker.port, keepalive=_KEEPALIVE_S)
        self._client.loop_start()

    def state(self, topic: str, payload: str) -> None:
        """Publish the state of a topic, which is retained."""
        with self._lock:
            self._states[topic] = payload
            if self._connected:
                self._client.publish(topic, payload, qos=0, retain=True)

    def message(self, topic: str, payload: str) -> None:
        """Publish a message, now or once the broker is there."""
        sent = self._client.publish(topic, payload, qos=1)
        if sent.rc == self._full:
            self.n_dropped += 1
            if self.n_dropped == 1:
                self._say(f"mqtt: {self._broker} takes no messages, and {_WAITING} wait: others are dropped")
            return
        with self._counting:
            if sent.mid in self._early:
                self._early.remove(sent.mid)
            else:
                self._open.add(sent.mid)

    def close(self) -> None:
        """Say "offline" once all messages are delivered, and disconnect; after some seconds without that."""
        until = time.monotonic() + _CLOSE_S
        while self._connected and self._open and time.monotonic() < until:
            time.sleep(_POLL_S)
        with self._lock:
            self._closing = True
            connected = self._connected
            self._states.clear()
        if connected:
            # Nothing that waits holds this up: it goes before the goodbye, which takes the last will away.
            last = self._client.publish(self._status, OFFLINE, qos=0, retain=True)
            with suppress(RuntimeError, ValueError):  # the connection was lost just now
                last.wait_for_publish(_LAST_S)
        self._client.disconnect()
        # Its thread may be in the middle of connecting, which takes as long as the system lets it.
        stopper = threading.Thread(target=self._client.loop_stop, name="fastaudio-mqtt-stop", daemon=True)
        stopper.start()
        stopper.join(max(until - time.monotonic(), _LAST_S))
        if n_lost := self.n_dropped + len(self._open):
            self._say(f"mqtt: {n_lost} messages didn't reach {self._broker}")

    def _on_connect(self, client: Any, _data: Any, _flags: Any, code: Any, _properties: Any) -> None:
        if code.is_failure:
            self._tell(f"expected to be let in, got: {code}; check the user and the password")
            return
        with self._lock:
            self._connected = not self._closing
            if self._closing:
                return
            client.publish(self._status, ONLINE, qos=0, retain=True)
            self._publish_states()
        if self._birth is not None:
            client.subscribe(self._birth)
        if self._told:
            self._say(f"mqtt: {self._broker}: connected")
        self._told = ""

    def _publish_states(self) -> None:
        for topic, payload in self._states.items():
            self._client.publish(topic, payload, qos=0, retain=True)

    def _on_message(self, _client: Any, _data: Any, message: Any) -> None:
        if message.topic == self._birth and message.payload == ONLINE.encode():
            with self._lock:
                self._publish_states()

    def _on_publish(self, _client: Any, _data: Any, mid: int, *_: Any) -> None:
        with self._counting:
            if mid in self._open:
                self._open.remove(mid)
            else:  # a state, or a message before `message` knows its number
                self._early.append(mid)

    def _on_disconnect(self, _client: Any, _data: Any, _flags: Any, code: Any, _properties: Any) -> None:
        with self._lock:
            was, self._connected = self._connected, False
            closing = self._closing
        if was and not closing:
            self._tell(f"the connection is lost ({code}); trying again")

    def _on_connect_fail(self, _client: Any, _data: Any) -> None:
        error = sys.exc_info()[1]  # paho calls this where it handles it
        reason = getattr(error, "verify_message", None) or getattr(error, "strerror", None) or error
        self._tell(f"expected a broker, got: {reason}; trying again")

    def _tell(self, text: str) -> None:
        """Say something once, until it changes."""
        if text != self._told:
            self._told = text
            self._say(f"mqtt: {self._broker}: {text}")
