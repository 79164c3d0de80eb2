"""A front end as a PyTorch module: what a network is trained on are the very numbers of inference."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from fastaudio._core import Node, samples_remedy
from fastaudio.composition import Composition

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Front(torch.nn.Module):
    """Turns sound into the rows of a node, bit for bit those that a pipeline with this node computes.

    Use it as a transform in a Dataset, or as the first module of a network. It has no weights, and no
    gradient flows through it. It can be pickled, and gives the same bits in DataLoader workers, forked or
    spawned.

    Input:  samples [..., n_samples], float32 with full scale +-1, or int16; a tensor or a NumPy array. Each
            last axis is one mono clip: stereo is made mono by `.mean(0)`.
    Output: a float32 tensor [..., n_rows, ...] on the samples' device: the rows of each clip. A node with
            several outputs gives a dict of tensors. Each call returns memory of its own.

    Memory isn't copied for contiguous samples in the processor's memory, of one clip. Samples on another
    device are computed on the processor, and the rows are moved back.

    >>> import fastaudio as fa
    >>> mel = fa.MelSpectrogram(sample_rate=16_000, n_fft=512, hop_length=256, n_mels=96)
    >>> front = Front(mel >> fa.Log(kind="log10", scale=10_000, offset=1) >> fa.Patches(length=187))
    >>> front(torch.zeros(4, 5 * 16_000)).shape
    torch.Size([4, 1, 187, 96])
    """

    def __init__(self, node: Node, *, sample_rate: int | None = None) -> None:
        """Wrap a node.

        Args:
            node: a front end whose first part states its sample rate, such as a preset.
            sample_rate: the samples' rate in Hz, from which they are resampled as a pipeline does; None for
                the node's own.

        Raises:
            TypeError, ValueError: it isn't a node, it states no rate, or `sample_rate` isn't a positive int.
        """
        super().__init__()
        if not isinstance(node, Node):
            remedy = "; take its .node" if isinstance(node, Composition) else ""
            raise TypeError(f"Front: expected a node, got {type(node).__name__}{remedy}")
        own = Composition(node, silence_db=None)
        self.node = node
        self.sample_rate = own.sample_rate if sample_rate is None else sample_rate
        self._adapted, _ = own.adapted(self.sample_rate, 1)

    def forward(self, samples: torch.Tensor | NDArray[Any]) -> Any:
        """Return the rows of one clip [n_samples], or of several of one length [..., n_samples].

        Raises:
            TypeError: samples of another dtype.
            ValueError: no axis, no clips, samples that need a gradient, or that aren't finite.
        """
        clips, device = _clips(samples)
        if clips.ndim == 1:
            return _tensors(self._adapted(clips), (), device)
        leading = clips.shape[:-1]
        if 0 in leading:
            raise ValueError(f"Front: expected at least one clip, got samples {list(clips.shape)}")
        each: list[Any] = [self._adapted(clip) for clip in clips.reshape(math.prod(leading), clips.shape[-1])]
        if isinstance(each[0], dict):
            return _tensors(
                {name: np.stack([one[name] for one in each]) for name in each[0]}, leading, device
            )
        return _tensors(np.stack(each), leading, device)

    def extra_repr(self) -> str:
        """Return what `print` shows between the brackets."""
        return f"{self.node!r}, sample_rate={self.sample_rate}"


def _clips(samples: Any) -> tuple[NDArray[Any], Any]:
    """Return samples as NumPy takes them, of the same memory where that is possible, and their device."""
    device = None
    if isinstance(samples, torch.Tensor):
        if samples.requires_grad:
            raise ValueError(
                "Front: expected samples without gradient, got some that need one, which can't flow through "
                "it; use samples.detach()"
            )
        if samples.dtype not in (torch.float32, torch.int16):
            raise TypeError(
                f"Front: expected samples in float32 or int16, got {samples.dtype}{_remedy(samples)}"
            )
        device = samples.device
        samples = samples.cpu().numpy()
    elif not isinstance(samples, np.ndarray):
        got = f"{type(samples).__name__}{_remedy(samples)}"
        raise TypeError(f"Front: expected a tensor or a NumPy array, got {got}")
    if samples.ndim == 0:
        raise ValueError("Front: expected samples [..., n_samples], got a single number")
    return np.ascontiguousarray(samples), device


def _remedy(samples: Any) -> str:
    """Return what makes samples of others; integers have a full scale, which `.float()` would keep."""
    if isinstance(samples, torch.Tensor):
        return "; use .float()" if samples.is_floating_point() else samples_remedy(samples.cpu().numpy())
    return "; use torch.as_tensor(samples)" if isinstance(samples, list | tuple) else samples_remedy(samples)


def _tensors(rows: Any, leading: tuple[int, ...], device: Any) -> Any:
    """Return rows as tensors of the same memory, with the leading axes that the samples had."""
    if isinstance(rows, dict):
        return {name: _tensors(values, leading, device) for name, values in rows.items()}
    rows = rows.reshape(*leading, *rows.shape[1:]) if leading else rows
    if not rows.flags.writeable:  # memory that isn't ours to hand on
        rows = rows.copy()
    tensor = torch.from_numpy(rows)
    return tensor if device is None else tensor.to(device)
