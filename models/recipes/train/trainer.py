"""Trains one method on some notes and scores it on others; a seed gives the same numbers on one machine."""

import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import torch
from augment import augment
from instruments import Batch, Notes
from methods import METHODS, Method
from torch import Tensor


@dataclass(frozen=True)
class Settings:
    """Settings that all methods share, chosen on held-out training programs with `plain`."""

    steps: int = 240
    """Number of steps with all notes; a share f of them takes f ** 0.5 of the steps."""
    batch: int = 32
    learning_rate: float = 2e-3
    weight_decay: float = 0.05

    def steps_for(self, fraction: float) -> int:
        """Return the number of steps for a share of the notes."""
        return max(1, round(self.steps * math.sqrt(fraction)))


@dataclass(frozen=True)
class Run:
    """One entry of a table: what to train, on how much, from which seed, scored on what."""

    method: str
    fraction: float
    seed: int
    fold: int | None = None
    """Held-out training program of each family to score on; None for the test notes."""


def train(
    method: Method,
    batch: Batch,
    steps: int,
    settings: Settings,
    progress: Callable[[int, float], None] | None = None,
) -> list[float]:
    """Train on the notes of a batch, in place; return the loss of every step."""
    method.train()
    decayed = [p for p in method.parameters() if p.ndim > 1]
    others = [p for p in method.parameters() if p.ndim <= 1]
    optimiser = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": settings.weight_decay}, {"params": others, "weight_decay": 0.0}],
        lr=settings.learning_rate,
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, settings.learning_rate, total_steps=max(2, steps), pct_start=0.2
    )
    losses = []
    rows: list[int] = []
    size = min(settings.batch, len(batch))
    for step in range(steps):
        if len(rows) < size:
            rows = torch.randperm(len(batch)).tolist()
        chosen, rows = rows[:size], rows[size:]
        loss = method.loss(batch[torch.tensor(chosen)], augment)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(method.parameters(), 5.0)
        optimiser.step()
        schedule.step()
        losses.append(float(loss.detach()))
        if progress is not None:
            progress(step + 1, losses[-1])
    return losses


@torch.no_grad()
def predict(method: Method, batch: Batch, size: int = 64) -> Tensor:
    """Return logits [n, n_labels] of whole notes."""
    method.eval()
    rows = torch.arange(len(batch)).split(size)
    return torch.cat([method(batch[part]) for part in rows])


def confusion(predicted: Tensor, target: Tensor, n_labels: int) -> Tensor:
    """Return how many notes of each family (rows) were given each family (columns)."""
    return torch.bincount(target * n_labels + predicted, minlength=n_labels**2).reshape(n_labels, n_labels)


def scores(matrix: Tensor) -> dict[str, float]:
    """Return accuracy and the mean of the families' F1."""
    right = matrix.diag().double()
    f1 = 2 * right / (matrix.sum(0) + matrix.sum(1)).clamp(min=1)
    return {"accuracy": float(right.sum() / matrix.sum()), "macro_f1": float(f1.mean())}


def run(notes: Notes, what: Run, settings: Settings) -> tuple[Method, dict[str, Any]]:
    """Train and score one entry of a table; returns the trained method and its record."""
    start_s = time.process_time()
    torch.manual_seed(what.seed)
    learn, score = notes.split(what.fold)
    learn = notes.sample(learn, what.fraction, what.seed)
    method = METHODS[what.method](len(notes.families))
    losses = train(method, notes.batch[learn], settings.steps_for(what.fraction), settings)
    test = notes.batch[score]
    matrix = confusion(predict(method, test).argmax(1), test.target, len(notes.families))
    record = asdict(what) | scores(matrix)
    record |= {
        "n_train": len(learn),
        "n_test": len(score),
        "parameters": method.inference_parameters(),
        "final_loss": sum(losses[-20:]) / len(losses[-20:]),
        "processor_s": time.process_time() - start_s,
    }
    return method, record
