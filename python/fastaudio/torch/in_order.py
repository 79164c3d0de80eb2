"""Weights of others, loaded by their order: authors name the parts of a network as they like."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch

_COUNTER = "num_batches_tracked"  # of BatchNorm; older checkpoints lack it, and no score depends on it
_KINDS = ("weight", "bias", "running_mean", "running_var")


def load_in_order(
    module: torch.nn.Module, state_dict: Mapping[str, Any], *, skip: str | Iterable[str] = ()
) -> dict[str, str]:
    """Load the tensors of a state dict into a module of the same layers with other names, one after another.

    Both have to list their tensors in one order, which is that of the layers' definition. Number and shapes
    are checked, and that no weight meets a bias or a running mean; then all are copied, or none is. Two
    layers of one shape in another order can't be told apart: compare a score with the authors' own.
    BatchNorm's `num_batches_tracked` is left out on both sides. Values become the module's dtype and move to
    its device.

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
        ValueError: the number of tensors, a shape or a kind doesn't fit, which names the first such tensor.
    """
    if not isinstance(module, torch.nn.Module):
        raise TypeError(f"load_in_order: expected a torch.nn.Module, got {type(module).__name__}")
    theirs = _without(_checked(state_dict), (skip,) if isinstance(skip, str) else tuple(skip))
    tensors = {name: value for name, value in module.state_dict().items() if isinstance(value, torch.Tensor)}
    ours = {name: value for name, value in tensors.items() if not _counts(name)}
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
    with torch.no_grad():
        for own, tensor in zip(ours.values(), theirs.values(), strict=True):
            own.copy_(tensor)
    return dict(zip(ours, theirs, strict=True))


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
