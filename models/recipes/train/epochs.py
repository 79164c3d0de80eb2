"""What training by a paper's own settings shares: passes over the labelled sounds, batch by batch."""

from collections.abc import Callable
from typing import TypeVar

import torch
from instruments import Batch
from torch import Tensor

B = TypeVar("B", bound=Batch)


def unchanged(batch: B) -> B:
    """Return a batch as it is: these papers alter no copies."""
    return batch


def one_epoch(batch: B, size: int, loss_of: Callable[[B], Tensor], optimiser: torch.optim.Optimizer) -> float:
    """Step once for each batch of `size` sounds in a new order, and return the mean loss.

    A rest of one sound is left out: it has no negatives, and a normalisation needs two.
    """
    seen = []
    for rows in torch.randperm(len(batch)).split(size):
        if len(rows) == 1:
            continue
        loss = loss_of(batch[rows])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        seen.append(float(loss.detach()))
    return sum(seen) / max(1, len(seen))
