"""Keeps the state of a training run on disk: a run that is resumed gives the bits of one that never stopped.

That holds on a processor, with the same number of threads. Files are read as tensors and plain values; no
other object is unpickled.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

SCHEMA = "fastaudio.training-run/1"


class Stateful(Protocol):
    """A network, an optimiser, a schedule."""

    def state_dict(self) -> dict[str, Any]:
        """Return all of its state."""
        ...

    def load_state_dict(self, state: dict[str, Any], /) -> Any:
        """Take the state of another."""
        ...


@dataclass
class History:
    """What is known of a run so far.

    Attributes:
        losses: the loss of every step.
        rows: of the present epoch, those still to be learnt.
        validation: steps, and accuracy on the held-out notes after them.
        best: the weights of the step with the best accuracy there; the first of equal ones.
    """

    losses: list[float] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    validation: list[tuple[int, float]] = field(default_factory=list)
    best: dict[str, Tensor] = field(default_factory=dict)

    @property
    def best_accuracy(self) -> float:
        """The best accuracy on the held-out notes so far."""
        return max((accuracy for _, accuracy in self.validation), default=-1.0)


@dataclass(frozen=True)
class Checkpoint:
    """A file that holds a run's state, and what the run is, so that no other goes on from it."""

    path: Path
    about: dict[str, Any]

    def save(self, parts: Sequence[Stateful], history: dict[str, Any]) -> None:
        """Write the state, with plain values and tensors that say how far it is, in place of the old one."""
        state: dict[str, Any] = {"schema": SCHEMA, "about": self.about, "history": history}
        state["parts"] = [part.state_dict() for part in parts]
        state["random"] = torch.get_rng_state()
        if torch.cuda.is_available():
            state["random_cuda"] = torch.cuda.get_rng_state_all()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self.path.with_suffix(".part")
        torch.save(state, unfinished)
        unfinished.replace(self.path)

    def read(self) -> dict[str, Any] | None:
        """Return the state that was kept, whose `history` is what `save` was given; None if there is none.

        Raises:
            ValueError: the file is of another run, or no checkpoint.
        """
        if not self.path.exists():
            return None
        try:
            state = torch.load(self.path, weights_only=True, map_location="cpu")
            about, schema = state["about"], state["schema"]
        except Exception as error:  # whatever a damaged file makes of it
            raise ValueError(f"{self.path}: expected a checkpoint, got another file; delete it") from error
        if schema != SCHEMA or about != self.about:
            raise ValueError(f"{self.path}: expected a run of {self.about}, got {about}; delete it")
        return dict(state)

    def remove(self) -> None:
        """Drop it, when the run is done."""
        self.path.unlink(missing_ok=True)


def restore(parts: Sequence[Stateful], state: dict[str, Any]) -> None:
    """Bring parts, and the random numbers that follow, to a state that was read."""
    for part, kept in zip(parts, state["parts"], strict=True):
        part.load_state_dict(kept)
    torch.set_rng_state(state["random"])
    if torch.cuda.is_available() and "random_cuda" in state:
        torch.cuda.set_rng_state_all(state["random_cuda"])
