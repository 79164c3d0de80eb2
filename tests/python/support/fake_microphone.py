"""Runs a microphone without hardware: a private PulseAudio whose `mic` hears what its `speaker` plays."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

RATE = 48_000
DEVICE = "pulse"
"""ALSA calls it this; the default device may belong to another server."""


def sounddevice_or_skip() -> Any:
    """Return the sounddevice module, or skip the test and say what is absent."""
    if sys.platform != "linux":
        pytest.skip("the fake microphone is PulseAudio's, by way of ALSA: on Linux only")
    for program in ("pulseaudio", "pactl", "paplay"):
        if shutil.which(program) is None:
            pytest.skip(f"the fake microphone needs {program}; apt-get install pulseaudio pulseaudio-utils")
    try:
        import sounddevice
    except (ImportError, OSError) as error:
        pytest.skip(f"the microphone needs sounddevice and PortAudio: {error}")
    return sounddevice


class FakeMicrophone:
    """A running PulseAudio; its microphone hears what `play` plays."""

    def __init__(self, folder: Path) -> None:
        socket = folder / "pulse.sock"
        # Programs must find this server and must not read a user's settings.
        self.environment = {
            "PULSE_SERVER": f"unix:{socket}",
            "XDG_RUNTIME_DIR": str(folder),
            "XDG_CONFIG_HOME": str(folder),
            "HOME": str(folder),
        }
        self._folder = folder
        self.launch()

    def launch(self) -> None:
        """Start the server, again after `signal` has killed it."""
        folder, socket = self._folder, self._folder / "pulse.sock"
        socket.unlink(missing_ok=True)
        command = ["pulseaudio", "-n", "--daemonize=no", "--use-pid-file=no", "--exit-idle-time=-1"]
        command += ["--disable-shm=yes", f"--log-target=file:{folder / 'pulse.log'}"]
        for module in (
            f"module-native-protocol-unix auth-anonymous=1 socket={socket}",
            f"module-null-sink sink_name=speaker rate={RATE} channels=2",
            "module-remap-source master=speaker.monitor source_name=mic",
        ):
            command += ["-L", module]
        self.process = subprocess.Popen(command, env=os.environ | self.environment)
        for _ in range(600):
            if self._pactl("info") == 0:
                break
            time.sleep(0.1)
        else:
            self.close()
            pytest.skip(f"pulseaudio didn't start: {(folder / 'pulse.log').read_text()[-300:]}")
        self._pactl("set-default-sink", "speaker")
        self._pactl("set-default-source", "mic")

    def _pactl(self, *arguments: str) -> int:
        return subprocess.run(
            ["pactl", *arguments], env=os.environ | self.environment, capture_output=True, check=False
        ).returncode

    def play(self, path: Path) -> subprocess.Popen[bytes]:
        """Begin to play a file, and return the player."""
        return subprocess.Popen(
            ["paplay", "--latency-msec=1000", str(path)], env=os.environ | self.environment
        )

    def signal(self, number: int) -> None:
        """Send the server a signal, which may kill or freeze it."""
        self.process.send_signal(number)

    def close(self) -> None:
        """End the server."""
        self.process.send_signal(signal.SIGCONT)
        self.process.kill()
        self.process.wait(60)


@contextmanager
def running() -> Iterator[FakeMicrophone]:
    """Run a fake microphone that PortAudio sees as its default input, in this process and those it starts."""
    sounddevice = sounddevice_or_skip()
    folder = Path(tempfile.mkdtemp(prefix="mic"))  # the path of a socket has to be short
    folder.chmod(0o700)
    fake = FakeMicrophone(folder)
    kept = {name: os.environ.get(name) for name in fake.environment}
    os.environ.update({name: value for name, value in fake.environment.items() if name != "HOME"})
    sounddevice._terminate()  # PortAudio looks for devices when it starts
    sounddevice._initialize()
    try:
        if DEVICE not in [found["name"] for found in sounddevice.query_devices()]:
            pytest.skip("PortAudio sees no PulseAudio; apt-get install libasound2-plugins")
        yield fake
    finally:
        fake.close()
        for name, value in kept.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        shutil.rmtree(folder, ignore_errors=True)
