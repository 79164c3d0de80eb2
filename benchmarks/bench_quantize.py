"""Measures ways to quantize networks: time on one thread against float32, and how far clips' scores move."""

from __future__ import annotations

import logging
import time
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
from bench_export import recordings
from harness import Case, Context, Group, optional

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from harness import Measure
    from numpy.typing import NDArray

_MODELS = ("musicnn-mtt", "instruments-harmonic", "vgg-mtt")
_DENSE = ["MatMul", "Gemm"]
_ALL = ["Conv", *_DENSE, "Relu", "MaxPool", "Add", "Concat", "Transpose"]
_WINDOWS = 4  # of each recording
# Operators, types of activations and weights, and what else the tools are told.
_STATIC: dict[str, tuple[list[str], str, str, dict[str, Any]]] = {
    "static u8s8, convolutions": (["Conv"], "QUInt8", "QInt8", {}),
    "the same, 7-bit weights": (["Conv"], "QUInt8", "QInt8", {"reduce_range": True}),
    "static u8s8, all operators": (_ALL, "QUInt8", "QInt8", {}),
    "static u8u8, convolutions": (["Conv"], "QUInt8", "QUInt8", {}),
    "the same, ranges by percentile": (["Conv"], "QUInt8", "QUInt8", {"percentile": True}),
    "static u8u8, second half of the convolutions": (["Conv"], "QUInt8", "QUInt8", {"half": True}),
    "static u8u8, MatMul and Gemm": (_DENSE, "QUInt8", "QUInt8", {}),
    "static s8s8, convolutions": (["Conv"], "QInt8", "QInt8", {}),
}
_DYNAMIC = {"dynamic u8u8, MatMul and Gemm": _DENSE, "dynamic u8u8, convolutions too": ["Conv", *_DENSE]}
_PLAIN = "float32"


def groups(context: Context) -> list[Group]:
    """Compare processor time of a window and differences of clip scores; half the recordings calibrate."""
    found = []
    for name in _MODELS:
        ways = _made(name, context) if optional("onnx") else {}
        names = [_PLAIN, *_STATIC, *_DYNAMIC, "float16"]
        timed, moved = (
            {way: partial(measure, name, ways[way], context) if way in ways else None for way in names}
            for measure in (_time, _difference)
        )
        times = [Case(way, timed[way], None if way == _PLAIN else _PLAIN) for way in names]
        found.append(Group(f"{name}: processor time of a window", "ms", times, rounds=21))
        title = f"{name}: largest difference of a clip's scores"
        cases = [Case(way, moved[way]) for way in names[1:]]
        found.append(Group(title, "", cases, rounds=1, warm_up=False))
    return found


@cache
def _rows(name: str, context: Context) -> list[NDArray[np.float32]]:
    """Return the first windows of each recording, as the model's network takes them."""
    steps = fa.Pipeline.load(name).node.children()
    before = next(i for i, step in enumerate(steps) if isinstance(step, fa.OnnxModel))
    front = fa.Pipeline(fa.Sequential(steps[:before]))
    rows = [np.asarray(front(path))[:_WINDOWS] for path in recordings(context)]
    return [one for one in rows if len(one)]


def _network(name: str) -> tuple[str, str]:
    """Return the path of a model's network, and the name of its output with scores."""
    steps = fa.Pipeline.load(name).node.children()
    net: Any = next(step for step in steps if isinstance(step, fa.OnnxModel))
    return net.path, net.outputs[0] if net.outputs else net.available_outputs[0]


@cache
def _session(path: Path | str) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 4
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


class _Feeds:
    """Gives the tools one window after the other."""

    def __init__(self, windows: Iterator[dict[str, Any]]) -> None:
        self._windows = windows

    def get_next(self) -> dict[str, Any] | None:
        """Return the next one, or None at the end."""
        return next(self._windows, None)


@cache
def _made(name: str, context: Context) -> dict[str, Path | str]:
    """Return the files of the network as it is, and quantized in each way that the tools take."""
    import onnx
    from onnxruntime import quantization as tools
    from onnxruntime.quantization.shape_inference import quant_pre_process
    from onnxruntime.transformers.float16 import convert_float_to_float16

    logging.disable(logging.WARNING)
    source, output = _network(name)
    model = onnx.load(source)
    kept = [one for one in model.graph.output if one.name == output]
    del model.graph.output[:]
    model.graph.output.extend(kept)
    plain = context.temp / f"{name}.onnx"
    onnx.save(model, plain)
    quant_pre_process(plain, plain, skip_symbolic_shape=True)
    prepared = onnx.load(plain)
    given = prepared.graph.input[0].name
    convolutions = [node.name for node in prepared.graph.node if node.op_type == "Conv"]
    ways: dict[str, Path | str] = {_PLAIN: source}

    def make(way: str, write: Callable[[Path], Any]) -> None:
        path = context.temp / f"{name} {len(ways)}.onnx"
        write(path)
        ways[way] = path

    for way, (kinds, activations, weights, more) in _STATIC.items():
        calibrate = (
            tools.CalibrationMethod.Percentile if "percentile" in more else tools.CalibrationMethod.MinMax
        )
        feeds = _Feeds({given: one[:1]} for one in _rows(name, context)[::2])
        write = partial(
            tools.quantize_static,
            plain,
            calibration_data_reader=feeds,
            op_types_to_quantize=kinds,
            per_channel=True,
            reduce_range=bool(more.get("reduce_range")),
            activation_type=getattr(tools.QuantType, activations),
            weight_type=getattr(tools.QuantType, weights),
            calibrate_method=calibrate,
            nodes_to_exclude=convolutions[: len(convolutions) // 2] if "half" in more else [],
        )
        make(way, write)
    for way, kinds in _DYNAMIC.items():
        how: dict[str, Any] = {"op_types_to_quantize": kinds, "weight_type": tools.QuantType.QUInt8}
        make(way, partial(tools.quantize_dynamic, plain, per_channel=True, **how))
    half = convert_float_to_float16(onnx.load(plain), keep_io_types=True)
    make("float16", partial(onnx.save, half))
    return ways


def _time(name: str, path: Path | str, context: Context, _values: object) -> float:
    session, window = _session(path), _rows(name, context)[0][:1]
    run: Measure = partial(session.run, [_network(name)[1]])
    start = time.thread_time()
    run({session.get_inputs()[0].name: window})
    return (time.thread_time() - start) * 1e3


def _difference(name: str, path: Path | str, context: Context, _values: object) -> float:
    source, output = _network(name)
    worst = 0.0
    for rows in _rows(name, context)[1::2]:
        want, got = (_clip(_session(file), output, rows) for file in (source, path))
        worst = max(worst, float(np.abs(got - want).max()))
    return worst


def _clip(session: Any, output: str, rows: NDArray[np.float32]) -> NDArray[np.float32]:
    given = session.get_inputs()[0].name
    return np.mean([session.run([output], {given: rows[i : i + 1]})[0][0] for i in range(len(rows))], axis=0)
