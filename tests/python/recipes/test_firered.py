"""The recipe of sound-activity: a file's bytes give the network's numbers, and other bytes are refused."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import numpy as np
import pytest

pytest.importorskip("onnx", reason="recipes need the package onnx")

import firered
import sound_activity

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIZES = [(256, 80), (128, 256)]  # the layers before the first block
BLOCK, LAST = [(256, 128), (128, 256)], [(256, 128), (3, 256)]
HALF = 0x01306B47


def file_of(rng: np.random.Generator) -> tuple[bytes, list[NDArray[np.float32]]]:
    """Return the bytes of a file with random weights as the package has them, and these weights."""
    lines, tensors = ["7767517", "0 0"], []

    def weights(*shape: int) -> None:
        tensors.append(rng.normal(0, 0.05, shape).astype(np.float16))

    def dense(n_out: int, n_in: int, *, bias: bool = True) -> None:
        lines.append(f"Gemm g 1 1 a b 10={4 if bias else -1} 8={n_out} 9={n_in}")
        weights(n_out, n_in)
        if bias:
            weights(n_out)

    def taps() -> None:
        for _ in range(2):
            lines.append("ConvolutionDepthWise1D c 1 1 a b 0=128 1=20 6=2560 7=128")
            weights(128, 20)

    for shape in SIZES:
        dense(*shape)
    taps()
    for _ in range(7):
        dense(*BLOCK[0])
        dense(*BLOCK[1], bias=False)
        taps()
    for shape in LAST:
        dense(*shape)
    text = ("\n".join(lines) + "\n").encode()
    blocks = [struct.pack("<I", HALF) + t.tobytes() + bytes(-t.nbytes % 4) for t in tensors]
    mean, inverse = np.zeros(80, "<f4").tobytes(), np.ones(80, "<f4").tobytes()
    head = b"OVAD" + struct.pack("<5I", 1, len(text), sum(map(len, blocks)), len(mean), len(inverse))
    return b"".join([head, text, *blocks, mean, inverse]), [t.astype(np.float32) for t in tensors]


def test_the_network_of_a_file_computes_the_formulas_on_its_weights() -> None:
    import onnxruntime

    rng = np.random.default_rng(0)
    data, weights = file_of(rng)
    network = firered.read(data)
    assert all(map(np.array_equal, network.tensors, weights))
    assert network.parameters == 588_931
    session = onnxruntime.InferenceSession(firered.to_onnx(network).SerializeToString())
    frames = rng.normal(size=(70, 80)).astype(np.float32)
    want = sound_activity.formulas(network, frames.astype(np.float64))
    padded = np.pad(frames, [(33, 41), (0, 0)])
    (got,) = session.run(["scores"], {"frames": padded[None]})
    assert np.abs(got[0, 33:-41] - want).max() < 1e-5
    assert np.ptp(want, axis=0).min() > 1e-3, "scores that depend on the frames"


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda data: b"NCNN" + data[4:], "expected a file that begins with OVAD"),
        (lambda data: data[:-4], "expected version 1 and 80 bands"),
        (lambda data: data[:4] + b"\2" + data[5:], "expected version 1 and 80 bands"),
        (lambda data: data.replace(struct.pack("<I", HALF), bytes(4), 1), "expected weights in float16"),
        (lambda data: data.replace(b"8=3 9=256", b"8=2 9=256", 1), "bytes of weights|weights in float16"),
    ],
)
def test_other_bytes_are_refused(spoil: object, message: str) -> None:
    data, _ = file_of(np.random.default_rng(0))
    assert callable(spoil)
    with pytest.raises(ValueError, match=message):
        firered.read(spoil(data))
