"""ONNX networks in every form of protobuf: they run with ONNX Runtime's numbers, or are a ModelError.

No file but the network itself is read, whatever it says of where its weights lie; and one that never ends is
interrupted.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import signal
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
from drawn_networks import FOREVER, network
from fuzz_cards import NETWORK, card
from harness import LONGEST_MESSAGE, Fuzzer
from mutate import change_bytes

if TYPE_CHECKING:
    import random
    from pathlib import Path

CANARY = 12_345.678  # in files outside the network's folder
BESIDE = 4321.5  # in the one beside it, which a network may name, and a card that doesn't name it may not use
ROWS = np.random.default_rng(2).uniform(-0.5, 0.5, (3, 4, 3)).astype(np.float32)
ALARM_S = 0.2


class Ended(Exception):  # noqa: N818
    """What the alarm raises, as Ctrl-C does."""


class Onnx(Fuzzer):
    """A network comes from anyone; its hash covers one file."""

    name = "onnx"
    gate_runs = 4000
    modules = "fastaudio.cards"

    def __init__(self) -> None:
        super().__init__()
        self.good = [path.read_bytes() for path in sorted(NETWORK.parent.glob("*.onnx"))]
        self.good = [content for content in self.good if len(content) < 20_000]

    def draw(self, rng: random.Random) -> bytes:
        kind = rng.random()
        if kind < 0.75:
            content = network(rng)
            return change_bytes(content, rng, near=len(content)) if rng.random() < 0.1 else content
        content = rng.choice(self.good)
        return change_bytes(content, rng, near=len(content)) + (network(rng) if kind > 0.95 else b"")

    def prepare(self, outside: Path) -> None:
        (outside / "canary").write_bytes(np.full(64, CANARY, np.float32).tobytes())
        signal.signal(signal.SIGALRM, _end)

    def check(self, content: bytes, folder: Path) -> None:
        (folder / "beside.bin").write_bytes(np.full(64, BESIDE, np.float32).tobytes())
        (folder / "link.bin").symlink_to("../outside/canary")
        (folder / "sub").mkdir()
        path = folder / "net.onnx"
        path.write_bytes(content)
        got = self._run(lambda: fa.OnnxModel(str(path)), content)
        sha256 = hashlib.sha256(content).hexdigest()
        (folder / "card.json").write_text(
            json.dumps(card([{"node": "OnnxModel", "path": "net.onnx", "sha256": sha256}]))
        )
        carded = self._run(lambda: fa.Pipeline.load(folder / "card.json").node, content)
        for rows, forbidden in ((got, [CANARY]), (carded, [CANARY, BESIDE])):
            for value in forbidden:
                near = rows is not None and np.any(np.abs(np.abs(rows) - value) < value / 100)
                assert not near, "expected weights from the file alone, got others"
        if got is None:
            return
        if carded is not None:
            np.testing.assert_array_equal(carded, got)
        want = _reference(content)
        if want is not None and want.shape == got.shape:
            np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-5)

    def _run(self, make: Any, content: bytes) -> np.ndarray | None:
        """Return the rows of a network's output, or None if it is refused; one without end is ended."""
        forever = FOREVER.encode() in content
        try:
            if forever:
                signal.setitimer(signal.ITIMER_REAL, ALARM_S, ALARM_S)
            try:
                rows = make()(ROWS)
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
        except Ended:
            assert forever
            return None
        except (fa.FastaudioError, ValueError) as error:
            assert len(str(error)) <= LONGEST_MESSAGE, "expected a message of one screen, got a longer one"
            assert "xternal data path" not in str(error), (
                "expected a check before ONNX Runtime's own, got none"
            )
            return None
        return rows if isinstance(rows, np.ndarray) else None


def _end(*_: Any) -> None:
    raise Ended


def _reference(content: bytes) -> np.ndarray | None:
    """Return what ONNX Runtime gives by itself for its first output, row for row."""
    if b"location" in content or FOREVER.encode() in content:
        return None  # by itself it reads other files, or never ends
    import onnxruntime

    onnxruntime.set_default_logger_severity(4)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    with contextlib.suppress(Exception):
        session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        name, output = session.get_inputs()[0].name, session.get_outputs()[0].name
        return np.concatenate([session.run([output], {name: ROWS[i : i + 1]})[0] for i in range(len(ROWS))])
    return None
