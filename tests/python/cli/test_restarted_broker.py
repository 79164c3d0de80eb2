"""A broker that is ended and started anew while `fastaudio listen` runs gets back all that was retained."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest
from helpers import GUITAR, decode
from mosquitto import Listener, Mosquitto, eventually, require_mosquitto

if TYPE_CHECKING:
    from pathlib import Path

RATE = 44_100


@pytest.mark.skipif(sys.platform == "win32", reason="SIGTERM ends a process at once there")
def test_nothing_that_was_retained_is_lost(tmp_path: Path) -> None:
    require_mosquitto()
    samples, _ = decode(GUITAR)
    pcm = np.round(samples.mean(axis=1) * 32767).astype("<i2").tobytes()
    server = Mosquitto(tmp_path).start()
    listen = [sys.executable, "-m", "fastaudio", "listen", "-", "--rate", str(RATE), "--onset", "0.2"]
    command = [*listen, "--mqtt", f"127.0.0.1:{server.port}", "--mqtt-name", "g", "--jsonl"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe) as process:
        assert process.stdin is not None
        process.stdin.write(pcm)
        process.stdin.flush()  # and it stays open: the sound goes on
        first = Listener(server.port, "#")
        topics = (
            "homeassistant/binary_sensor/g/musicnn_mtt__guitar/config",
            "fastaudio/g/musicnn_mtt/guitar/last",
        )
        eventually(lambda: set(topics) <= set(first.last))
        eventually(lambda: "fastaudio/g/level" in first.last)
        first.close()
        server.end()  # it forgets all
        server.start()
        after = Listener(server.port, "#")
        eventually(lambda: after.last.get("fastaudio/g/status") == "online")
        kept = {topic: text for topic, text in first.last.items() if topic != "fastaudio/g/event"}
        eventually(lambda: set(kept) <= set(after.last))
        for topic, text in kept.items():
            if topic.startswith("homeassistant/"):
                assert after.last[topic] == text
            elif topic.endswith("/last"):  # this event, or one that ended while the broker was away
                assert json.loads(after.last[topic])["start_s"] >= json.loads(text)["start_s"]
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0
        eventually(lambda: after.last["fastaudio/g/status"] == "offline")
        states = {
            t: text for t, text in after.last.items() if t.count("/") == 3 and t.startswith("fastaudio/")
        }
        assert set(states.values()) == {"OFF"}
        after.close()
    server.end()
    assert all(json.loads(line)["state"] == "end" for line in out.decode().splitlines())
    text = err.decode()
    assert "the connection is lost" in text
    assert f"mqtt: 127.0.0.1:{server.port}: connected{os.linesep}" in text
