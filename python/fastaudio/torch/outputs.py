"""What a module returns, as tensors with names: the outputs of the network that is made of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from fastaudio._core import ModelError

ROWS = "rows"
"""The network's input."""

_LONGEST_NAME = 100


def tensors_of(result: Any) -> dict[str, torch.Tensor]:
    """Return what a module returned by name: a dict's keys, a named tuple's fields, else "0", "1", ...

    None is left out, as many models return it for what wasn't asked for. One number per row, [n], becomes
    [n, 1].

    Raises:
        ModelError: something else than tensors of real numbers, each with the batch as its first axis.
    """
    if isinstance(result, torch.Tensor):
        found: dict[str, Any] = {"0": result}
    elif isinstance(result, Mapping):
        found = {str(name): value for name, value in result.items()}
    elif isinstance(result, tuple | list):
        names: Sequence[str] = getattr(result, "_fields", ()) or [str(i) for i in range(len(result))]
        found = dict(zip(names, result, strict=True))
    else:
        raise ModelError(
            f"export: expected a module that returns tensors, got {type(result).__name__}; wrap it in one "
            "whose forward returns a tensor, a tuple or a dict of tensors"
        )
    tensors = {name: value for name, value in found.items() if value is not None}
    if not tensors:
        raise ModelError(
            "export: expected a module that returns a tensor, got nothing; return it from forward"
        )
    for name, value in tensors.items():
        if not isinstance(value, torch.Tensor) or value.is_complex():
            got = str(value.dtype) if isinstance(value, torch.Tensor) else type(value).__name__
            raise ModelError(
                f"export: expected tensors of real numbers, got {got} for output {name!r:.80}; wrap the "
                "module so that forward returns only the tensors that are wanted"
            )
        if value.ndim == 0:
            raise ModelError(
                f"export: expected output {name!r:.80} with the batch as its first axis, got a single "
                "number; keep that axis, as by flatten(1) or mean(1)"
            )
    return {name: value.unsqueeze(1) if value.ndim == 1 else value for name, value in tensors.items()}


def check_rows(tensors: Mapping[str, torch.Tensor], n_rows: int) -> None:
    """Raise ModelError unless each output has as many rows as went in."""
    for name, value in tensors.items():
        if value.shape[0] != n_rows:
            raise ModelError(
                f"export: expected output {name!r:.80} with the batch as its first axis, {n_rows} here, got "
                f"{list(value.shape)}; keep that axis: squeeze(1) rather than squeeze(), for example"
            )


def names_of(own: Sequence[str], wanted: Sequence[str] | None, *, labelled: bool) -> list[str]:
    """Return the names of a network's outputs, in the module's order.

    Raises:
        TypeError, ValueError: `wanted` isn't one name for each.
    """
    if wanted is None:
        first = "scores" if labelled else "embedding"
        renamed = [
            name if not name.isdigit() else first if i == 0 else f"output_{i + 1}"
            for i, name in enumerate(own)
        ]
        return [f"{name}_" if name == ROWS else name[:_LONGEST_NAME] for name in renamed]
    if isinstance(wanted, str) or not all(isinstance(name, str) for name in wanted):
        raise TypeError(f"export: expected outputs as a list of names, got {wanted!r:.80}")
    names = list(wanted)
    fit = all(name.isprintable() and 0 < len(name) <= _LONGEST_NAME and name != ROWS for name in names)
    if len(names) != len(own) or len(set(names)) != len(names) or not fit:
        raise ValueError(
            f"export: expected outputs as {len(own)} different names, one for each tensor that the module "
            f"returns, none of them {ROWS!r}; got {names!r:.160}"
        )
    return names


class Named(torch.nn.Module):
    """A module whose outputs are a tuple of float32 tensors, one of which went through an activation."""

    def __init__(self, module: torch.nn.Module, last: int, activation: str | None) -> None:
        super().__init__()
        self.module = module
        self._last, self._activation = last, activation
        self.training = False  # as the module is

    def forward(self, rows: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Return every output of the module."""
        values = [value.float() for value in tensors_of(self.module(rows)).values()]
        if self._activation is not None:
            values[self._last] = activated(values[self._last], self._activation)
        return tuple(values)


def activated(values: torch.Tensor, activation: str | None) -> torch.Tensor:
    """Return scores of logits [n, ..., n_labels]."""
    if activation == "sigmoid":
        return torch.sigmoid(values)
    return torch.softmax(values, dim=-1) if activation == "softmax" else values
