"""Sound of a camera: a real RTSP server's samples are those that it was given."""

from __future__ import annotations

import shutil
import socket
import subprocess
from typing import TYPE_CHECKING

import fastaudio as fa
import numpy as np
import pytest
import soundfile
from live_helpers import LIMIT_S, RATE_HZ, features, noise, rows_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytest.importorskip("av", reason="pip install '.[av]'")

# GStreamer's bindings come with the system's Python, not with pip.
SERVER = """
import sys
import gi
gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer
Gst.init(None)
server, factory = GstRtspServer.RTSPServer(), GstRtspServer.RTSPMediaFactory()
server.set_address("127.0.0.1")
server.set_service(sys.argv[1])
source = f"filesrc location={sys.argv[2]} ! wavparse ! audioconvert"
factory.set_launch(f"( {source} ! rtpL16pay name=pay0 pt=96 )")
server.get_mount_points().add_factory("/mic", factory)
server.attach(None)
print("ready", flush=True)
GLib.MainLoop().run()
"""
SOUND = (noise(4 * RATE_HZ) * 32767).astype(np.int16)


@pytest.fixture
def camera(tmp_path: Path) -> Iterator[str]:
    python = shutil.which("python3", path="/usr/bin:/usr/local/bin")
    wanted = "import gi; gi.require_version('GstRtspServer', '1.0')"
    if python is None or subprocess.run([python, "-c", wanted], capture_output=True, check=False).returncode:
        pytest.skip(
            "no RTSP server: apt install gir1.2-gst-rtsp-server-1.0 gstreamer1.0-plugins-good python3-gi"
        )
    soundfile.write(tmp_path / "mic.wav", SOUND, RATE_HZ, subtype="PCM_16")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [python, "-c", SERVER, str(port), str(tmp_path / "mic.wav")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        assert server.stdout.readline() == "ready\n"
        yield f"rtsp://127.0.0.1:{port}/mic"
        server.kill()


def test_what_a_camera_sends_has_the_numbers_of_a_file(camera: str) -> None:
    with features().listen(fa.UrlSource(camera, timeout_s=LIMIT_S, duration_s=3.0)) as stream:
        got = rows_of(stream)
        stats = stream.stats()
    want = features()(SOUND[: 3 * RATE_HZ], sample_rate=RATE_HZ)
    assert (stats.dropped, stats.interruptions) == (0, 0)
    assert got.tobytes() == want.tobytes()
