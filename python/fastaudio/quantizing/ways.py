"""Ways to quantize with ONNX Runtime's tools: which layers, and how, gives a graph."""

from __future__ import annotations

import io
import logging
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fastaudio.quantizing.network import KINDS
from fastaudio.quantizing.refusing import QuantizeError, package

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

_FOLLOWING = ("Relu", "Clip")  # they become part of the layer before


# Name, weights, and whether those take 7 bits. Activations are unsigned.
_TYPES = (("u8u8", "QUInt8", False), ("u8s8", "QInt8", False), ("u8s8 of 7 bits", "QInt8", True))


@dataclass(frozen=True)
class Way:
    """A way to quantize.

    Attributes:
        name: what the card calls it.
        kinds: operators that it can take.
        activations: type of the numbers between layers, such as "QUInt8"; empty if each run finds ranges.
        weights: type of the weights.
        reduced: whether weights take 7 bits, for processors whose 16-bit sums would overflow.
        calibration: how ranges are found: "MinMax", or "Percentile", which leaves out a few of the largest.
    """

    name: str
    kinds: Sequence[str]
    activations: str
    weights: str
    reduced: bool = False
    calibration: str = "MinMax"

    @property
    def types(self) -> tuple[str, str]:
        """What its time depends on."""
        return self.activations, self.weights


WAYS = (
    Way("dynamic u8u8", ("MatMul", "Gemm"), "", "QUInt8"),
    *(
        Way(f"static {name}, {calibration.lower()}", KINDS, "QUInt8", weights, reduced, calibration)
        for name, weights, reduced in _TYPES
        for calibration in ("MinMax", "Percentile")
    ),
)
"""All ways; weights have a range per channel."""


class _Reader:
    """Gives ONNX Runtime's tools one input after the other."""

    def __init__(self, feeds: Iterator[dict[str, Any]]) -> None:
        self._feeds = feeds

    def get_next(self) -> dict[str, Any] | None:
        """Return the next one, or None at the end."""
        return next(self._feeds, None)


def ranges(model: Any, calibration: str, folder: Path, feeds: Iterable[dict[str, Any]]) -> Any:
    """Return the ranges of the numbers between layers while a network is fed."""
    onnx, calibrate = package("onnx"), package("onnxruntime.quantization.calibrate")
    source = folder / "calibrated.onnx"
    onnx.save(model, source)

    with _quiet():
        calibrator = calibrate.create_calibrator(
            source,
            [*KINDS, *_FOLLOWING],
            augmented_model_path=str(folder / "augmented.onnx"),
            calibrate_method=getattr(calibrate.CalibrationMethod, calibration),
        )
        for feed in feeds:  # one at a time: it holds all that it is given at once
            calibrator.collect_data(_Reader(iter([feed])))
        return calibrator.compute_data()


def quantized(model: Any, way: Way, layers: frozenset[str], tensor_ranges: Any, target: Path) -> None:
    """Write a network of which these layers are quantized."""
    onnx, tools = package("onnx"), package("onnxruntime.quantization")
    copy = onnx.ModelProto.FromString(model.SerializeToString())
    weights = getattr(tools.QuantType, way.weights)
    try:
        with _quiet():
            if not way.activations:
                kinds = list(way.kinds)
                how = {"per_channel": True, "weight_type": weights, "nodes_to_quantize": sorted(layers)}
                tools.quantize_dynamic(copy, target, op_types_to_quantize=kinds, **how)
                return
            quantizer = package("onnxruntime.quantization.qdq_quantizer").QDQQuantizer(
                copy,
                True,  # per channel
                way.reduced,
                weights,
                getattr(tools.QuantType, way.activations),
                tensor_ranges,
                sorted(layers | _following(copy, layers)),
                [],
                [*way.kinds, *_FOLLOWING],
                {},
            )
            quantizer.quantize_model()
            quantizer.model.save_model_to_file(str(target))
    except (ValueError, RuntimeError, KeyError, TypeError, IndexError) as error:
        raise QuantizeError(
            f"quantize: expected layers that ONNX Runtime's quantizer takes, got: {error!s:.300}"
        ) from error


def _following(model: Any, layers: frozenset[str]) -> set[str]:
    """Return the names of activations that come right after these layers."""
    outputs = {name for node in model.graph.node if node.name in layers for name in node.output}
    return {
        node.name
        for node in model.graph.node
        if node.op_type in _FOLLOWING and node.input and node.input[0] in outputs
    }


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the tools' own remarks off the streams."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with redirect_stdout(io.StringIO()):
            yield
    finally:
        logging.disable(before)
