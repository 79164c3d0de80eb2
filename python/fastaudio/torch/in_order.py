"""Weights of others, loaded by their order: authors name the parts of a network as they like."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch.nn.parameter import is_lazy

_COUNTER = "num_batches_tracked"  # of BatchNorm; older checkpoints lack it, and no score depends on it
_KINDS = ("weight", "bias", "running_mean", "running_var")


def load_in_order(
    module: torch.nn.Module, state_dict: Mapping[str, Any], *, skip: str | Iterable[str] = ()
) -> dict[str, str]:
    """Load the tensors of a state dict into a module of the same layers with other names, one after another.

    Both have to list their tensors in one order, which is that of the layers' definition. Number and shapes
    are checked, and that no weight meets a bias or a running mean; then all are copied, or none is. Two
    layers of one shape in another order can't be told apart: compare a score with the authors' own.
    BatchNorm's `num_batches_tracked` is left out on both sides. Values become the module's dtype, which has
    to hold them: whole numbers stay what they are, and finite ones finite. They move to its device.

    Args:
        module: what gets the weights.
        state_dict: as `torch.load(file, weights_only=True)` gives it; a file isn't opened here, because a
            pickle can run any program.
        skip: names in `state_dict` to leave out, or beginnings of names that end before a dot, such as
            "spectrogram" for a front end's window and filters.

    Returns:
        For each name in the module the name whose tensor it got.

    Raises:
        TypeError: something else than a module and a dict of tensors.
        ValueError: the number of tensors, a shape, a kind or a value doesn't fit, which names the first such
            tensor; or the module has no memory for its own yet, or one memory for two that differ.
    """
    if not isinstance(module, torch.nn.Module):
        raise TypeError(f"load_in_order: expected a torch.nn.Module, got {type(module).__name__}")
    theirs = _without(_checked(state_dict), (skip,) if isinstance(skip, str) else tuple(skip))
    tensors = {name: value for name, value in module.state_dict().items() if isinstance(value, torch.Tensor)}
    ours = {name: value for name, value in tensors.items() if not _counts(name)}
    for name, own in ours.items():
        _require_memory(name, own)
    for (name, own), (other, tensor) in zip(ours.items(), theirs.items(), strict=False):
        if own.shape != tensor.shape:
            raise ValueError(
                f"load_in_order: expected {list(own.shape)} for {name!r}, got {list(tensor.shape)} of "
                f"{other!r}; {_REMEDY}"
            )
        kinds = [full.rpartition(".")[2] for full in (name, other)]
        if kinds[0] != kinds[1] and all(kind in _KINDS for kind in kinds):
            raise ValueError(f"load_in_order: expected a {kinds[0]} for {name!r}, got {other!r}; {_REMEDY}")
    if len(ours) != len(theirs):
        longer, whose = (theirs, "state_dict") if len(theirs) > len(ours) else (ours, "module")
        first = list(longer)[min(len(ours), len(theirs))]
        raise ValueError(
            f"load_in_order: expected {len(ours)} tensors, got {len(theirs)}; the first without a partner is "
            f"{first!r} of the {whose}; {_REMEDY}"
        )
    names = dict(zip(ours, theirs, strict=True))
    with torch.no_grad():
        values = {name: _as(name, own, names[name], theirs[names[name]]) for name, own in ours.items()}
        _write(ours, values, names)
    return names


def _require_memory(name: str, own: torch.Tensor) -> None:
    """Raise ValueError if a tensor of the module can't be written yet."""
    if is_lazy(own):
        raise ValueError(
            f"load_in_order: expected a module whose sizes are known, got {name!r} of a lazy layer; run the "
            "module once before"
        )
    if own.is_meta:
        raise ValueError(
            f"load_in_order: expected a module in memory, got {name!r} on the device 'meta'; use "
            "module.to_empty(device='cpu') before"
        )


def _as(name: str, own: torch.Tensor, other: str, tensor: torch.Tensor) -> torch.Tensor:
    """Return a tensor in the dtype and on the device of the module's own, if that holds its values."""
    value = tensor.detach().to(own.device, own.dtype, copy=True)
    given = tensor.detach().to(own.device)
    if own.is_floating_point():
        held = not bool((value.isinf() & given.isfinite()).any())
    else:
        held = given.dtype == own.dtype or torch.equal(value.to(torch.float64), given.to(torch.float64))
    if held:
        return value
    remedy = "use module.float() before" if own.is_floating_point() else _REMEDY
    raise ValueError(
        f"load_in_order: expected values for {name!r} that {own.dtype} holds, got others in {other!r} of "
        f"{tensor.dtype}; {remedy}"
    )


def _write(
    ours: Mapping[str, torch.Tensor], values: Mapping[str, torch.Tensor], names: Mapping[str, str]
) -> None:
    """Copy values into the module's tensors, all or none."""
    before = {name: own.detach().clone() for name, own in ours.items()}
    at = ""
    try:
        for at, own in ours.items():
            own.copy_(values[at])
        for at, own in ours.items():
            _require_same(own, values[at])
    except RuntimeError as error:
        for name, own in ours.items():
            with contextlib.suppress(RuntimeError):  # it can't be written, so it wasn't
                own.copy_(before[name])
        raise ValueError(
            f"load_in_order: expected a tensor of its own for {at!r}, to write {names[at]!r} into, got: "
            f"{str(error).splitlines()[0]:.160}; give each its own by clone(), or weights that are the same"
        ) from error


def _require_same(own: torch.Tensor, value: torch.Tensor) -> None:
    if not torch.equal(own.nan_to_num(), value.nan_to_num()):
        raise RuntimeError("another tensor of the module is in the same memory, and gets other values")


_REMEDY = "skip=[...] leaves out tensors of the state_dict that the module doesn't have"


def _checked(state_dict: Any) -> Mapping[str, Any]:
    """Return a state dict of dense tensors of real numbers, or say what was given instead."""
    if not isinstance(state_dict, Mapping):
        got = f"{type(state_dict).__name__}"
        raise TypeError(
            f"load_in_order: expected a state_dict, got {got}; use torch.load(file, weights_only=True)"
        )
    for name, value in state_dict.items():
        if isinstance(value, Mapping):
            raise TypeError(
                f"load_in_order: expected tensors by name, got a dict at {name!r}; pass checkpoint[{name!r}] "
                "if the weights are there"
            )
        if not isinstance(name, str) or not isinstance(value, torch.Tensor):
            raise TypeError(
                f"load_in_order: expected tensors by name, got {type(value).__name__} at {name!r:.80}; "
                "pass the dict that holds the weights alone"
            )
        if value.is_complex() or value.layout != torch.strided or value.is_quantized or value.is_meta:
            raise TypeError(
                f"load_in_order: expected dense tensors of real numbers, got another kind at {name!r:.80}"
            )
    return state_dict


def _without(state_dict: Mapping[str, Any], skip: tuple[str, ...]) -> dict[str, Any]:
    for start in skip:
        if not any(_begins(name, start) for name in state_dict):
            raise ValueError(f"load_in_order: expected skip as names in the state_dict, got {start!r:.80}")
    return {
        name: value
        for name, value in state_dict.items()
        if not _counts(name) and not any(_begins(name, start) for start in skip)
    }


def _begins(name: str, start: str) -> bool:
    return name == start or name.startswith(start.rstrip(".") + ".")


def _counts(name: str) -> bool:
    return name.rpartition(".")[2] == _COUNTER
