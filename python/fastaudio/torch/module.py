"""Running a module as it will be run: on rows of a front end, in eval mode, without gradients."""

from __future__ import annotations

import copy
import itertools
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.nn.modules.lazy import LazyModuleMixin
from torch.utils._python_dispatch import TorchDispatchMode

from fastaudio._core import ModelError
from fastaudio.torch.front import Front
from fastaudio.torch.outputs import check_rows, tensors_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

_AXES = "ntfc"  # of a batch of rows: its own, then a row's first, second and third
_MOST_AXES = 3
_COLOURS = re.compile("\x1b\\[[0-9;]*m")


@contextmanager
def at_rest(module: Any) -> Iterator[torch.nn.Module]:
    """Give a module in the processor's memory and in eval mode; the caller's is as it was afterwards.

    Raises:
        TypeError: it is no module, or one that PyTorch's exporters can't read.
        ModelError: it isn't of float32, has no weights yet, can't leave its device, or a part of it stays in
            training mode.
    """
    inner = _checked(module)
    weights = itertools.chain(inner.parameters(), inner.buffers())
    if any(tensor.device.type != "cpu" for tensor in weights):
        try:
            inner = copy.deepcopy(inner).cpu()
        except Exception as error:
            raise ModelError(
                f"export: expected a module that can be copied, got {told(error)}; use module.cpu() first"
            ) from error
    modes = [(part, part.training) for part in inner.modules()]
    fast = torch.backends.mha.get_fastpath_enabled()
    try:
        inner.eval()
        still = next((name for name, part in inner.named_modules() if part.training), None)
        if still is not None:
            raise ModelError(
                f"export: expected eval mode, got {still or 'the module'!r} still in training mode after "
                "module.eval(); export a module whose train() and eval() are PyTorch's own"
            )
        torch.backends.mha.set_fastpath_enabled(False)  # a fused layer, for which ONNX has no name
        with torch.no_grad(), _kept(inner):
            yield inner
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
        for part, training in modes:
            part.training = training


@contextmanager
def _kept(module: torch.nn.Module) -> Iterator[None]:
    """Give a module's buffers and attributes the values back that they had, whatever its runs change."""
    parts = [part for part in module.modules() if not isinstance(part, LazyModuleMixin)]
    attributes = [(part, {**vars(part)}, {**part._buffers}) for part in parts]  # noqa: SLF001
    values = [(each, each.clone()) for each in module.buffers()]
    try:
        yield
    finally:
        for part, own, buffers in attributes:
            vars(part).clear()
            vars(part).update(own)
            part._buffers.clear()  # noqa: SLF001
            part._buffers.update(buffers)  # noqa: SLF001
        for each, value in values:
            if not torch.equal(each, value):
                each.copy_(value)


def reads_numbers(module: torch.nn.Module, batch: torch.Tensor) -> bool:
    """Tell whether a module reads numbers out of tensors as it runs, as it does to decide by them."""
    with _Reads() as mode:
        module(batch)
    return bool(mode.found)


class _Reads(TorchDispatchMode):
    found = False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.found |= func is torch.ops.aten._local_scalar_dense.default  # noqa: SLF001
        return func(*args, **(kwargs or {}))


def _checked(module: Any) -> torch.nn.Module:
    """Return a module without what wraps it, whose weights are there and of float32."""
    if not isinstance(module, torch.nn.Module):
        raise TypeError(f"export: expected a torch.nn.Module, got {type(module).__name__}")
    inner = getattr(module, "_orig_mod", module)  # what torch.compile wrapped
    if isinstance(inner, torch.nn.DataParallel | torch.nn.parallel.DistributedDataParallel):
        inner = inner.module
    if isinstance(inner, torch.jit.ScriptModule):
        raise TypeError(
            "export: expected a torch.nn.Module, got a ScriptModule, which no exporter reads; export "
            "the module that it was compiled from"
        )
    if any(isinstance(part, Front) for part in inner.modules()):
        raise ModelError(
            "export: expected a module without its front end, got one that holds a Front; export the network "
            "alone, with the Front's .node as front"
        )
    weights = list(itertools.chain(inner.parameters(), inner.buffers()))
    if any(tensor.is_meta for tensor in weights):
        raise ModelError(
            "export: expected a module with weights, got one on the device 'meta'; load them first"
        )
    for tensor in weights:
        if tensor.is_floating_point() and tensor.dtype != torch.float32:
            raise ModelError(
                f"export: expected a module of float32, got one with {tensor.dtype}; use module.float()"
            )
    return inner


def check_layout(layout: str, shape: tuple[int, ...]) -> str:
    """Return the order of axes in which a module takes rows of a shape; '' is the rows' own.

    Raises:
        ValueError: it doesn't hold n first and each axis of a row once.
    """
    axes = _AXES[: 1 + len(shape)]
    if len(shape) > _MOST_AXES:
        raise ValueError(f"export: expected rows of at most 3 axes from the front end, got {list(shape)}")
    if not isinstance(layout, str) or (
        layout and (layout[0] != "n" or sorted(layout.replace("1", "")) != sorted(axes))
    ):
        raise ValueError(
            f"export: expected layout as the letters of {axes!r}, n first, and 1 for axes of one, for rows "
            f"{list(shape)}, got {layout!r:.80}{_more_rows(shape, layout)}"
        )
    return layout or axes


def _more_rows(shape: tuple[int, ...], layout: Any) -> str:
    """Return the remedy if a layout has one axis more than the front end's rows."""
    more = isinstance(layout, str) and len(layout.replace("1", "")) == len(shape) + 2
    return "; end the front end with Patches, which puts several rows into one" if more else ""


def arranged(rows: NDArray[np.float32], layout: str) -> torch.Tensor:
    """Return rows as the tensor that a module of this layout takes."""
    order = [_AXES.index(axis) for axis in layout if axis != "1"]
    ones = tuple(index for index, axis in enumerate(layout) if axis == "1")
    # A copy: modules may change what they are given.
    return torch.from_numpy(np.expand_dims(rows.transpose(order), ones).copy())


def called(module: torch.nn.Module, batch: torch.Tensor) -> Any:
    """Return what a module returns; ModelError that says which rows it refused, and why."""
    try:
        return module(batch)
    except Exception as error:
        windows = "; give it windows of samples: front >> Patches(length=...)" if batch.ndim == 1 else ""
        remedy = windows or "; wrap it in one whose forward does"
        raise ModelError(
            f"export: expected a module that takes rows {list(batch.shape)} alone, got {told(error)}{remedy}"
        ) from error


def run(module: torch.nn.Module, rows: NDArray[np.float32], layout: str) -> dict[str, NDArray[np.float32]]:
    """Run a module over rows one by one, as a stream does; return its outputs by name, or by number."""
    parts = []
    for batch in arranged(rows, layout).split(1) if len(rows) else ():
        parts.append(tensors_of(called(module, batch)))
        check_rows(parts[-1], 1)
    return joined(parts)


def joined(parts: Sequence[Mapping[str, torch.Tensor]]) -> dict[str, NDArray[np.float32]]:
    """Return outputs of several runs as arrays."""
    return {
        name: torch.cat([part[name] for part in parts]).float().numpy()
        for name in (parts[0] if parts else ())
    }


def takes_batches(module: torch.nn.Module, rows: NDArray[np.float32], layout: str) -> bool:
    """Tell whether rows of one batch come out as they do alone."""
    alone = run(module, rows, layout)
    try:
        together = joined([tensors_of(module(arranged(rows, layout)))])
    except Exception:  # noqa: BLE001  # any error says that it takes one row only
        return False
    return all(near(together[name], alone[name]) for name in alone)


def near(one: NDArray[np.float32], other: NDArray[np.float32], tolerance: float = 1e-4) -> bool:
    """Tell whether values differ by no more than rounding."""
    return one.shape == other.shape and distance(one, other) <= tolerance * scale(other)


def distance(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Return the largest difference, which is NaN if a value is."""
    return float(np.abs(one.astype(np.float64) - other).max(initial=0.0))


def scale(values: NDArray[np.float32]) -> float:
    """Return the largest magnitude, at least 1: what a tolerance is relative to."""
    return max(1.0, float(np.abs(values).max(initial=0.0)))


def told(error: BaseException) -> str:
    """Return what an error says, in one line of bounded length."""
    cause = error
    while cause.__cause__ is not None:  # the exporters' own message only says at which step it was
        cause = cause.__cause__
    lines = [line.strip() for line in _COLOURS.sub("", str(cause)).splitlines() if line.strip()]
    return f"{type(cause).__name__}: {lines[0] if lines else ''}"[:240]
