"""Cards: trees of nodes with drawn options, and changed cards. Each loads and runs, or is a ModelError."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
from drawn_nodes import PLAIN, options, tree
from harness import LONGEST_MESSAGE, Fuzzer
from mutate import ODD_VALUES, change_bytes, change_json
from watching import peak_mb, reset_peak

if TYPE_CHECKING:
    import random

ROOT = Path(__file__).parents[2]
NETWORK = ROOT / "tests" / "golden" / "onnx" / "nft.onnx"
SHA256 = hashlib.sha256(NETWORK.read_bytes()).hexdigest()
NOISE = np.random.default_rng(1).uniform(-0.5, 0.5, 6000).astype(np.float32)
LONGEST_RUN_S = 2.0
MOST_TO_BUILD_MB = 300
PATHS = [
    "net.onnx",
    "./net.onnx",
    "../outside/canary",
    "sub/../net.onnx",
    "/dev/zero",
    "link.onnx",
    "loop",
    "",
    "é",
]


def card(nodes: list[Any], **rest: Any) -> dict[str, Any]:
    """A card with these nodes."""
    return {"schema": "fastaudio.card/1", "name": "drawn", "pipeline": nodes, **rest}


def small() -> dict[str, Any]:
    """A card with a network behind a front end that fits it."""
    network = {"node": "OnnxModel", "path": "net.onnx", "sha256": SHA256, "layout": "nft"}
    mel = {"node": "MelSpectrogram", "sample_rate": 16_000, "n_fft": 512, "n_mels": 3}
    return card([mel, {"node": "Patches", "length": 4}, network, {"node": "Tags", "labels": ["loudness"]}])


class Cards(Fuzzer):
    """Cards are data from anyone: a stated budget bounds what building one takes."""

    name = "cards"
    gate_runs = 3500
    modules = "fastaudio.cards"
    limit_mb = 1000  # results of a minute of sound at 100 Hz, as a budget for values per second allows

    def __init__(self) -> None:
        super().__init__()
        shipped = [json.loads(path.read_bytes()) for path in sorted((ROOT / "models").glob("*/card.json"))]
        self.good = [small(), small(), *shipped]

    def draw(self, rng: random.Random) -> bytes:
        kind = rng.random()
        if kind < 0.15:
            text = json.dumps(rng.choice(self.good), indent=2).encode()
            return change_bytes(rng.choice([text, *self.kept.values()]), rng)
        if kind < 0.4:
            return json.dumps(change_json(rng.choice(self.good), rng, [*ODD_VALUES, *PATHS])).encode()
        if kind < 0.45:
            return json.dumps(card(_crowd(rng))).encode()
        most = rng.choice([64, 5000, 1e9])
        odd = rng.choice([0.0, 0.0, 0.1])
        nodes = [tree(rng, rng.choice([0, 1, 3]), most=most, odd=odd) for _ in range(rng.randint(1, 4))]
        if rng.random() < 0.6:  # what takes samples comes first, so that more cards get further
            name = rng.choice(
                ["MelSpectrogram", "Spectrogram", "HarmonicSpectrogram", "RMS", "Resample", "Patches"]
            )
            nodes.insert(0, {"node": name, **options(name, rng, most=most)})
        data = card(nodes)
        return json.dumps(change_json(data, rng) if rng.random() < 0.1 else data).encode()

    def check(self, content: bytes, folder: Path) -> None:
        shutil.copy(NETWORK, folder / "net.onnx")
        (folder / "link.onnx").symlink_to("../outside/canary")
        (folder / "loop").symlink_to("loop")
        (folder / "card.json").write_bytes(content)
        before_mb = reset_peak()
        try:
            pipeline = fa.Pipeline.load(folder / "card.json")
        except fa.ModelError as error:
            assert "expected" in str(error), f"expected an error that says what was expected, got {error}"
            assert len(str(error)) <= LONGEST_MESSAGE, "expected a message of one screen, got a longer one"
            return
        finally:
            took_mb = peak_mb() - before_mb
            assert took_mb < MOST_TO_BUILD_MB, f"expected less than 300 MB to build it, got {took_mb:.0f}"
        repr(pipeline)
        # What building takes is bounded; running may take longer, but ends when it is asked to.
        spec = pipeline.node.input_spec
        rate = 16_000 if spec is None else round(spec.rate_hz)
        try:
            pipeline(NOISE, sample_rate=rate, timeout_s=LONGEST_RUN_S)
        except (fa.FastaudioError, ValueError, MemoryError) as error:
            assert str(error), "expected a message, got none"

    def prepare(self, outside: Path) -> None:
        (outside / "canary").write_bytes(NETWORK.read_bytes())


def _crowd(rng: random.Random) -> list[Any]:
    """Many nodes, or many levels."""
    n = rng.choice([30, 40, 300, 5000, 40_000])
    name = rng.choice([*PLAIN, "L2Normalize", "Resample"])
    node: dict[str, Any] = {"node": name, **options(name, rng, most=64, share=0.2)}
    kind = rng.randrange(4)
    if kind == 0:
        return [node] * n
    if kind == 1:
        return [{"node": "Parallel", "branches": {f"b{i}": node for i in range(n)}}]
    if kind == 2:
        return [{"node": "Concat", "branches": [node] * n}]
    for _ in range(min(n, 400)):
        node = {"node": "Sequential", "nodes": [node]}
    return [node]
