"""Chooses where a network is trained, and in which precision."""

from contextlib import AbstractContextManager, nullcontext

import torch

NAMES = ("auto", "cpu", "cuda", "mps")


def chosen(name: str) -> torch.device:
    """Return a device by its name; "auto" is the fastest that is there.

    Raises:
        ValueError: there is none of that name.
    """
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name == "auto":
        name = next(kind for kind, is_there in there.items() if is_there)
    kind = name.partition(":")[0]
    if not there.get(kind, False):
        known = ", ".join(kind for kind, is_there in there.items() if is_there)
        raise ValueError(f"--device: expected one of {known}, got {name}; this machine has no other")
    return torch.device(name)


def precision(device: torch.device, *, mixed: bool) -> AbstractContextManager[object]:
    """Return the context of a forward pass: with `mixed`, products of matrices are in bfloat16.

    It has float32's range, so that losses need no scale.
    """
    return torch.autocast(device.type, dtype=torch.bfloat16) if mixed else nullcontext()
