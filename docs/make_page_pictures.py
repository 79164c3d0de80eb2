"""Draws the pictures of the web page in the documentation: it listens, opens a file, searches and labels.

Needs Chromium, Pillow and the extras [serve] and [test]: python docs/make_page_pictures.py [--output FOLDER]
"""

# ruff: noqa: INP001  # a script

from __future__ import annotations

import argparse
import io
import os
import sys
import tempfile
from pathlib import Path

import fastaudio as fa
import soundfile
from PIL import Image

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests" / "python" / "support"))

from devtools import Page, page_of  # noqa: E402
from fastaudio.scanning.networks import Chosen  # noqa: E402
from fastaudio.scanning.scan import scan  # noqa: E402
from serving_helpers import serving  # noqa: E402

CLIP = ROOT / "examples" / "guitar.flac"
SIZE, PHONE, COLOURS = (1280, 900), (390, 844), 128
ONSET = "0.3"
HEARD = "parseFloat(document.getElementById('heard').innerText.split(':')[1]) > 20"


def draw(page: Page, path: Path, *, dark: bool = False, phone: bool = False) -> None:
    """Write what the page looks like, with few colours."""
    page.size(*(PHONE if phone else SIZE), dark=dark, phone=phone)
    page.value("scrollTo(0, 0); new Promise((done) => setTimeout(done, 500))")
    page.picture(path)
    with Image.open(io.BytesIO(path.read_bytes())) as picture:
        picture.convert("RGB").quantize(COLOURS).save(path, optimize=True)


def archive(folder: Path) -> None:
    """Make a small archive in a folder: stretches of the example at several speeds, and scans of them."""
    samples, rate = soundfile.read(CLIP, dtype="float32", always_2d=True)
    (folder / "nights").mkdir()
    for i, (start_s, speed) in enumerate([(0, 1.0), (4, 1.0), (8, 0.8), (12, 1.25), (2, 1.5), (10, 0.6)]):
        part = samples[start_s * rate :][: 8 * rate]
        soundfile.write(folder / "nights" / f"2026-05-{i + 11}T0{i}3000.flac", part, round(rate * speed))
    here = Path.cwd()
    os.chdir(folder)
    try:
        for name, layer in (("embeddings", "penultimate"), ("scores", None)):
            scan([Path("nights")], Path(name), chosen=Chosen("musicnn-mtt", layer=layer, windows=True))
    finally:
        os.chdir(here)


def main() -> None:
    """Draw them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "pictures")
    output = parser.parse_args().output
    folder = Path(tempfile.mkdtemp())
    samples, rate = soundfile.read(CLIP, dtype="int16")
    soundfile.write(folder / "heard.wav", samples, rate)
    archive(folder)
    flags = (
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-audio-capture={folder / 'heard.wav'}",
    )
    labels = folder / "labels.csv"
    rows = [
        f"nights/{n}.flac,{n},{n + 1},{name},,\n"
        for n, name in enumerate(["guitar", "fast picking", "noise"])
    ]
    labels.write_text("path,start_s,end_s,label,when,by\n" + "".join(rows), encoding="utf-8")
    scans = (folder / "embeddings", folder / "scores")
    with serving(
        fa.Pipeline.load("musicnn-mtt"), archive=scans, archive_root=folder, labels=labels
    ) as server:
        url = f"http://localhost:{server.port}/"
        with page_of(url, folder, *flags, origins=[url]) as page:
            page.until("!document.getElementById('listen').disabled")
            page.value(f"document.getElementById('onset').value = '{ONSET}'")
            page.choose("#file", CLIP)
            page.until("document.getElementById('state').innerText.includes('of sound')")
            draw(page, output / "page-dark.png", dark=True)
            page.value("document.getElementById('listen').click()")
            page.until(HEARD)
            draw(page, output / "page.png")
            draw(page, output / "page-phone.png", phone=True)
            page.value("document.getElementById('listen').click()")
            page.value("document.querySelector('[data-view=archive]').click()")
            page.choose("#query", CLIP)
            page.until("document.getElementById('archive-state').innerText.includes('found')")
            draw(page, output / "page-search.png")
            page.value("document.querySelector('[data-view=review]').click()")
            page.until("!document.getElementById('candidate').hidden")
            page.until("document.getElementById('excerpt').src !== ''")
            draw(page, output / "page-review.png", dark=True)


if __name__ == "__main__":
    main()
