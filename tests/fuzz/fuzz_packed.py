"""Packed models: sealed by hand around drawn entries, and changed. Loading and unpacking stay inside.

Unpacking gives networks, a card and a licence, inside the folder that was named, or a ModelError and nothing.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from typing import TYPE_CHECKING, Any

import fastaudio as fa
from fastaudio import cards
from fastaudio.cards import pack
from fuzz_cards import NETWORK, SHA256, small
from harness import LONGEST_MESSAGE, Fuzzer
from mutate import change_bytes, change_json
from packed_models import entry, sealed

if TYPE_CHECKING:
    import random
    from pathlib import Path

FIRST = NETWORK.read_bytes()
OTHER = (NETWORK.parent / "n1tf.onnx").read_bytes()
OTHER_SHA256 = hashlib.sha256(OTHER).hexdigest()
NAMES = [
    *(
        "net.onnx",
        "sub/net.onnx",
        "NET.onnx",
        "card.json",
        "LICENSE",
        "license",
        "json.py",
        "sitecustomize.py",
    ),
    *(".git/hooks/pre-commit", "../outside/canary", "/x.onnx", "net.onnx/x.onnx", "con.onnx", "a:b.onnx"),
    *("x.onnx ", ".onnx", "..onnx", "a\\..\\b.onnx", "\0.onnx", "\ud800.onnx", "é.onnx", "x" * 300 + ".onnx"),
    *(".bashrc", "lib.so", "x.onnx.py", "model.pth", "nul", "link/x.onnx"),
]
SPARSE = b"SPARSE "
"""Begins an input whose first eight bytes after it say where, and how far, a hole lies in the file."""


def double(names: tuple[str, str]) -> dict[str, Any]:
    """A card with two networks at these places."""
    data = small()
    mel, patches, network, _ = data["pipeline"]
    other = {**network, "path": names[1], "sha256": OTHER_SHA256, "layout": "n1tf"}
    branches = [{**network, "path": names[0]}, other]
    return data | {"pipeline": [mel, patches, {"node": "Concat", "branches": branches}]}


class Packed(Fuzzer):
    """A packed file comes from anyone, and unpacks to names that it states itself."""

    name = "packed"
    gate_runs = 5000
    modules = "fastaudio.cards"

    def draw(self, rng: random.Random) -> bytes:
        names = (rng.choice(NAMES), rng.choice(NAMES)) if rng.random() < 0.7 else ("net.onnx", "other.onnx")
        data = double(names) if rng.random() < 0.8 else small()
        if rng.random() < 0.2:
            data = change_json(data, rng)
        text = json.dumps(data).encode()
        entries = [
            entry("fastaudio.card", text),
            entry(f"fastaudio.file.{OTHER_SHA256}", base64.b64encode(OTHER)),
        ]
        if rng.random() < 0.3:
            entries.append(entry("fastaudio.licence", rng.choice([b"MIT", b"", b"x" * 100_000])))
        if rng.random() < 0.3:
            entries[rng.randrange(len(entries))] = rng.choice(
                [
                    entry("fastaudio.file." + SHA256, b"!!!"),
                    entry("fastaudio.file." + "0" * 64, base64.b64encode(FIRST)),
                    entry("other.tool", b"x"),
                    entry("fastaudio.card", b""),
                    entry("fastaudio.card", b"[" * 100_000),
                    change_bytes(rng.choice(entries), rng),
                    entries[0] * 2,
                    b"".join(entry(f"fastaudio.file.{i:064x}", b"") for i in range(70)),
                ]
            )
        if rng.random() < 0.2:
            rng.shuffle(entries)
        length = rng.choice([None] * 6 + [0, 1, len(FIRST) - 1, len(FIRST) + 8, 1 << 40, (1 << 63) - 1])
        content = sealed(FIRST, *entries, length=length)
        if rng.random() < 0.3:
            content = change_bytes(content, rng, near=len(content))
        if rng.random() < 0.02:
            size = rng.choice([1 << 31, 1 << 40])
            content = (
                SPARSE + size.to_bytes(8, "little") + sealed(b"", *entries, length=rng.choice([0, 9, size]))
            )
        return content

    def prepare(self, outside: Path) -> None:
        (outside / "canary").write_bytes(FIRST)

    def check(self, content: bytes, folder: Path) -> None:
        path = folder / "packed.onnx"
        _write(path, content)
        pipeline = None
        try:
            pipeline = fa.Pipeline.load(path)
        except fa.ModelError as error:
            assert len(str(error)) <= LONGEST_MESSAGE, "expected a message of one screen, got a longer one"
        home = folder / "home"
        home.mkdir()
        (home / "link").symlink_to("../../outside")
        before = _tree(home)
        try:
            paths = pack.unpack(cards.read_card(path), home)
        except (fa.ModelError, fa.OutputError):
            assert _tree(home) == before, f"expected nothing, got {_tree(home) - before}"
        else:
            made = _tree(home) - before
            files = {name for name in made if (home / name).is_file()}
            assert files == {os.path.relpath(one, home.resolve()) for one in paths}, (
                "expected these files alone"
            )
            odd = {name for name in files if not name.endswith(".onnx")} - {"card.json", "LICENSE"}
            assert not odd, f"expected networks, a card and a licence, got {odd}"
            if pipeline is not None:
                again = fa.Pipeline.load(home / "card.json")
                assert repr(again.output_specs) == repr(pipeline.output_specs), (
                    "expected the same pipeline unpacked"
                )
        assert {entry.name for entry in folder.iterdir()} == {"packed.onnx", "home"}, "expected no other file"


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        if content.startswith(SPARSE):
            at = len(SPARSE)
            file.seek(min(int.from_bytes(content[at : at + 8], "little"), 1 << 41))
            content = content[at + 8 :]
        file.write(content)


def _tree(folder: Path) -> set[str]:
    """Return all that lies in a folder; links are not followed."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}
