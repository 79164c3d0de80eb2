"""Runs pages in headless Chromium: a static server gives them, and a last request tells what they found."""

from __future__ import annotations

import functools
import http.server
import json
import os
import queue
import shutil
import subprocess
import threading
import urllib.parse
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from helpers import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

_FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage",
]  # fmt: skip
_PLACES = ("FASTAUDIO_ORT_WEB", "node_modules/onnxruntime-web/dist")


def chromium_or_skip() -> str:
    """Return the browser's path, or skip and say what is absent."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    pytest.skip("the browser test needs Chromium; apt-get install chromium")


def ort_web_or_skip() -> Path:
    """Return the folder of onnxruntime-web's files, or skip and say what is absent."""
    folder = Path(os.environ.get(_PLACES[0]) or ROOT / _PLACES[1])
    if not (folder / "ort.wasm.min.mjs").is_file():
        pytest.skip(f"the browser test needs onnxruntime-web in {_PLACES[0]}; npm install onnxruntime-web")
    return folder


class _Files(http.server.SimpleHTTPRequestHandler):
    """Serves a folder; a request for /result?... is what the page found."""

    extensions_map: ClassVar = {
        **http.server.SimpleHTTPRequestHandler.extensions_map,
        ".mjs": "text/javascript",
        ".wasm": "application/wasm",
    }

    def __init__(self, *args: Any, found: queue.Queue[Any], **options: Any) -> None:
        self._found = found
        super().__init__(*args, **options)

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        if path == "/result":
            self._found.put(json.loads(urllib.parse.unquote(query)))
            self.send_response(204)
            self.end_headers()
            return
        super().do_GET()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def served(folder: Path, found: queue.Queue[Any]) -> Iterator[int]:
    """Serve a folder's files, and give the port; what pages tell goes to `found`."""
    handler = functools.partial(_Files, directory=str(folder), found=found)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def result_of(folder: Path, page: str, *, timeout_s: float = 240) -> Any:
    """Open a page of a folder in the browser and return what it found."""
    browser, found = chromium_or_skip(), queue.Queue[Any]()
    with served(folder, found) as port:
        command = [
            browser,
            *_FLAGS,
            f"--user-data-dir={folder / 'profile'}",
            f"http://127.0.0.1:{port}/{page}",
        ]
        log = (folder / "chromium.log").open("wb")
        with log, subprocess.Popen(command, stdout=log, stderr=log) as process:
            try:
                return found.get(timeout=timeout_s)
            except queue.Empty:
                text = (folder / "chromium.log").read_text(errors="replace")[-2000:]
                raise AssertionError(
                    f"the page told nothing in {timeout_s} s; Chromium said: {text}"
                ) from None
            finally:
                process.terminate()
