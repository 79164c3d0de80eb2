"""Draw the diagrams of the design page as SVG: python docs/make_diagrams.py."""
# ruff: noqa: INP001  # a script

from __future__ import annotations

import argparse
from html import escape
from pathlib import Path

DOCS = Path(__file__).resolve().parent
INK, PALE, LINE = "#24292f", "#f6f8fa", "#8c959f"
BLUE, GREEN, AMBER, PINK = "#ddf4ff", "#dafbe1", "#fff8c5", "#ffeff7"
ROW = 17


class Drawing:
    """An SVG picture, on a white ground that is legible on light and dark pages alike."""

    def __init__(self, width: int, height: int, title: str) -> None:
        """Begin a picture with a title for those who don't see it."""
        self._size, self._title = (width, height), title
        self._parts: list[str] = []

    def box(self, at: tuple[int, int, int, int], lines: list[str], fill: str = PALE) -> None:
        """Draw a box at x, y of a width and a height, its first line in bold."""
        x, y, w, h = at
        self._parts.append(
            f'<rect x="{x}" y="{y}" width="{w}" height="{h}" rx="6" fill="{fill}" stroke="{LINE}"/>'
        )
        top = y + h / 2 - ROW * (len(lines) - 1) / 2 + 5
        for i, line in enumerate(lines):
            self.text(x + w / 2, top + i * ROW, line, bold=i == 0)

    def text(self, x: float, y: float, line: str, *, bold: bool = False, at: str = "middle") -> None:
        """Write a line."""
        weight = ' font-weight="600"' if bold else ""
        self._parts.append(f'<text x="{x:g}" y="{y:g}" text-anchor="{at}"{weight}>{escape(line)}</text>')

    def arrow(self, x1: int, y1: int, x2: int, y2: int) -> None:
        """Draw an arrow."""
        self._parts.append(
            f'<path d="M{x1} {y1}L{x2} {y2}" stroke="{INK}" fill="none" marker-end="url(#tip)"/>'
        )

    def ticks(self, x: int, y: int, widths: list[int], fill: str) -> None:
        """Draw blocks of sound beside each other."""
        for width in widths:
            self._parts.append(
                f'<rect x="{x}" y="{y}" width="{width - 2}" height="22" fill="{fill}" stroke="{LINE}"/>'
            )
            x += width

    def save(self, path: Path) -> None:
        """Write the picture."""
        width, height = self._size
        path.write_text(
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
            f'height="{height}" role="img" font-family="Helvetica, Arial, sans-serif" font-size="13" '
            f'fill="{INK}"><title>{escape(self._title)}</title>'
            '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" '
            f'orient="auto"><path d="M0 0L8 4L0 8z" fill="{INK}"/></marker></defs>'
            f'<rect width="{width}" height="{height}" fill="white"/>\n'
            + "\n".join(self._parts)
            + "\n</svg>\n",
            encoding="utf-8",
        )


def nodes_and_streams(path: Path) -> None:
    """Draw one node that three streams share."""
    picture = Drawing(
        760, 300, "One immutable node, and three streams that run it, each with memory of its own"
    )
    picture.box((20, 90, 220, 120), ["Node", "options, windows, filters,", "weights", "never changes"], BLUE)
    for i, (name, source) in enumerate(
        (("a file", "song.flac"), ("a microphone", "blocks of 10 ms"), ("another thread", "another file"))
    ):
        y = 20 + i * 95
        picture.arrow(240, 150, 330, y + 35)
        picture.box(
            (330, y, 200, 70), [f"Stream of {name}", "rings, filter memories,", "states of networks"], GREEN
        )
        picture.arrow(610, y + 22, 532, y + 22)
        picture.text(615, y + 26, source, at="start")
        picture.arrow(532, y + 50, 610, y + 50)
        picture.text(615, y + 54, "rows", at="start")
    picture.text(268, 95, "open()")
    picture.save(path)


def offline_is_streaming(path: Path) -> None:
    """Draw the same sound in blocks of three sizes, and the same rows."""
    picture = Drawing(
        760, 250, "The same sound in one block, in blocks of 10 ms and in odd blocks gives the same rows"
    )
    cuts = (
        ("a file, in one block", [300], BLUE),
        ("a microphone, 10 ms each", [20] * 15, GREEN),
        ("blocks of any size", [70, 10, 110, 30, 50, 30], AMBER),
    )
    for i, (name, widths, fill) in enumerate(cuts):
        y = 40 + i * 70
        picture.text(20, y - 8, name, at="start")
        picture.ticks(20, y, widths, fill)
        picture.arrow(325, y + 11, 398, 121)
    picture.box((400, 76, 130, 90), ["push", "the same code,", "the same kernels"], PALE)
    picture.arrow(530, 121, 590, 121)
    picture.box((592, 76, 150, 90), ["rows", "the same,", "bit for bit"], PINK)
    picture.save(path)


def a_model_is_data(path: Path) -> None:
    """Draw a pipeline, the card and network that it is saved as, and what reads them."""
    picture = Drawing(
        760, 230, "A pipeline is saved as a card and a network, which every command and language loads"
    )
    picture.box(
        (20, 60, 190, 110), ["Pipeline", "MelSpectrogram >> Log", ">> Patches >> OnnxModel", ">> Tags"], BLUE
    )
    picture.arrow(212, 100, 298, 100)
    picture.text(255, 92, "save")
    picture.arrow(298, 135, 212, 135)
    picture.text(255, 153, "load")
    picture.box(
        (300, 30, 190, 80), ["card.json", "nodes with their options,", "labels, licence, figures"], AMBER
    )
    picture.box((300, 125, 190, 70), ["model.onnx", "weights; its hash", "stands in the card"], AMBER)
    for i, words in enumerate(("fastaudio tag, listen, scan, serve", "one packed file, by fastaudio pack")):
        picture.arrow(492, 70 + i * 45, 528, 70 + i * 45)
        picture.text(534, 74 + i * 45, words, at="start")
    picture.arrow(492, 160, 528, 160)
    picture.text(534, 164, "one ONNX graph, for browsers", at="start")
    picture.save(path)


def flow(path: Path) -> None:
    """Draw how sound flows through the default model."""
    picture = Drawing(
        980, 130, "From a file, blocks or an array through the nodes in C++ to windows with scores"
    )
    picture.box((10, 40, 100, 50), ["file, blocks", "or array"])
    x = 112
    for name in ("Mono", "Resample", "Mel-\nSpectrogram", "Log", "Patches", "OnnxModel", "Tags"):
        lines = name.split("\n")
        width = 30 + 7 * max(map(len, lines))
        picture.arrow(x, 65, x + 20, 65)
        picture.box((x + 22, 40, width, 50), lines, BLUE)
        x += 24 + width
    picture.arrow(x, 65, x + 20, 65)
    picture.box((x + 22, 40, 110, 50), ["windows", "with scores"])
    picture.text(480, 118, "C++ core: one call per block, without Python's lock")
    picture.save(path)


PICTURES = {
    "diagram-nodes.svg": nodes_and_streams,
    "diagram-streaming.svg": offline_is_streaming,
    "diagram-model.svg": a_model_is_data,
    "diagram-flow.svg": flow,
}


def main() -> None:
    """Draw all of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=DOCS / "pictures", help="folder (%(default)s)")
    folder = parser.parse_args().output
    for name, draw in PICTURES.items():
        draw(folder / name)


if __name__ == "__main__":
    main()
