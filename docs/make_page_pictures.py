"""Draws the pictures of the web page in the documentation: a browser listens to the example, and opens it.

Needs Chromium, Pillow and the extras [serve] and [test]: python docs/make_page_pictures.py [--output FOLDER]
"""

# ruff: noqa: INP001  # a script

from __future__ import annotations

import argparse
import io
import sys
import tempfile
from pathlib import Path

import fastaudio as fa
import soundfile
from PIL import Image

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests" / "python" / "support"))

from devtools import Page, page_of  # noqa: E402
from serving_helpers import serving  # noqa: E402

CLIP = ROOT / "examples" / "guitar.flac"
SIZE, COLOURS = (1280, 900), 128
ONSET = "0.3"


def draw(page: Page, path: Path, *, dark: bool) -> None:
    """Write what the page looks like, with few colours."""
    page.size(*SIZE, dark=dark)
    page.value("new Promise((done) => setTimeout(done, 500))")
    page.picture(path)
    with Image.open(io.BytesIO(path.read_bytes())) as picture:
        picture.convert("RGB").quantize(COLOURS).save(path, optimize=True)


def main() -> None:
    """Draw them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "pictures")
    output = parser.parse_args().output
    folder = Path(tempfile.mkdtemp())
    samples, rate = soundfile.read(CLIP, dtype="int16")
    soundfile.write(folder / "heard.wav", samples, rate)
    flags = (
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-audio-capture={folder / 'heard.wav'}",
    )
    with serving(fa.Pipeline.load("musicnn-mtt")) as server:
        url = f"http://localhost:{server.port}/"
        with page_of(url, folder, *flags, origins=[url]) as page:
            page.until("!document.getElementById('listen').disabled")
            page.value(f"document.getElementById('onset').value = '{ONSET}'")
            page.call("DOM.enable")
            root = page.call("DOM.getDocument")["root"]["nodeId"]
            node = page.call("DOM.querySelector", nodeId=root, selector="#file")["nodeId"]
            page.call("DOM.setFileInputFiles", nodeId=node, files=[str(CLIP)])
            page.until("document.getElementById('state').innerText.includes('of sound')")
            draw(page, output / "page-dark.png", dark=True)
            page.value("document.getElementById('listen').click()")
            page.until("parseFloat(document.getElementById('heard').innerText.split(':')[1]) > 20")
            draw(page, output / "page.png", dark=False)


if __name__ == "__main__":
    main()
