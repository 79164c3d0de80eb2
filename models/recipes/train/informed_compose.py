"""Composes the five methods at full size as pipelines from samples to tags, of nodes and ONNX files alone."""

from collections.abc import Sequence
from pathlib import Path

import fastaudio as fa
import torch
from compose import export
from fastaudio import presets
from informed import Concat, FeatureOnly, Film, Method
from informed_data import RATE_HZ
from torch import Tensor, nn

FRAMES = 313  # of a window of 5 s
BANDS = (6, 128)


class Encoder(nn.Module):
    """Patches [n, 6, 128, frames] in dB -> frames of the embedding [n, T, size]."""

    def __init__(self, method: Method) -> None:
        super().__init__()
        self.net = method.net

    def forward(self, patches: Tensor) -> Tensor:
        """Return the embedding over time."""
        return self.net.frames(patches)


class Head(nn.Module):
    """Frames that belong to a window [n, T, any] -> scores [n, labels], independent of each other."""

    def __init__(self, method: Method) -> None:
        super().__init__()
        self.decoder = method.net.decoder

    def forward(self, frames: Tensor) -> Tensor:
        """Return probabilities."""
        return self.decoder(frames.amax(dim=1)).sigmoid()  # type: ignore[no-any-return]


def combined(vggish: fa.Node, openl3: fa.Node) -> fa.Node:
    """Return the node of 640 values every 0.1 s: VGGish's, repeated in time, then OpenL3's."""
    return fa.Concat(vggish, openl3)


def compose(
    method: Method,
    labels: Sequence[str],
    folder: Path,
    feature: fa.Node | None = None,
    *,
    rate_hz: int = RATE_HZ,
    q: float = 1.0,
) -> fa.Node:
    """Write a method's networks into a folder as ONNX, and return the node from samples to tags every 5 s.

    `feature` gives rows of the pre-trained feature for samples at `rate_hz`; methods that only train with it
    do without. Rows stand beside a frame by their true times, as `informed.align` puts them in a window.
    """
    method.eval()
    net = method.net
    size = {FeatureOnly: method.feature.size, Concat: method.size + method.feature.size}
    width = size.get(type(method), method.size)
    if isinstance(method, FeatureOnly):
        assert feature is not None
        rows = max(1, round(5 * method.feature.rate_hz))
        return _tags(
            feature >> fa.Patches(length=rows, hop=rows), Head(method), (rows, width), labels, folder
        )
    with torch.no_grad():
        frames = net.frames(torch.zeros(1, *BANDS, FRAMES)).shape[1]
    path = export(Encoder(method), folder / "encoder.onnx", (*BANDS, FRAMES), ("frames",))
    front = presets.harmonic_cnn(q=[q]) >> fa.OnnxModel(str(path), outputs=["frames"], layout="nfct")
    node: fa.Node = (
        front if rate_hz == RATE_HZ else fa.Resample(input_rate=rate_hz, output_rate=RATE_HZ) >> front
    )
    node = node >> fa.Unroll()
    if isinstance(method, Concat):
        assert feature is not None
        node = fa.Concat(node, feature, rate_of=0, align="average")
    if isinstance(method, Film):
        assert feature is not None
        affine = {"gamma": method.gamma, "beta": method.beta}
        shape = (method.feature.size,)
        nodes = {
            name: fa.OnnxModel(str(export(layer, folder / f"{name}.onnx", shape, (name,))))
            for name, layer in affine.items()
        }
        node = fa.Film(node, feature >> nodes, align="average")
    return _tags(node >> fa.Patches(length=frames, hop=frames), Head(method), (frames, width), labels, folder)


def _tags(
    node: fa.Node, head: nn.Module, shape: tuple[int, int], labels: Sequence[str], folder: Path
) -> fa.Node:
    path = export(head, folder / "head.onnx", shape, ("scores",))
    return node >> fa.OnnxModel(str(path), outputs=["scores"], units=["probability"]) >> fa.Tags(list(labels))
