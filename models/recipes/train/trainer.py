"""Trains one method on some notes and scores it on others; a seed gives the same numbers on one machine."""

import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import curves
import torch
from augment import augment
from checkpoint import Checkpoint, History, Stateful, restore
from device import chosen, precision
from instruments import Batch, Notes
from intervals import by_program
from methods import METHODS, Method
from torch import Tensor
from way import PLAINLY, Way


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
    *,
    way: Way = PLAINLY,
    held: Batch | None = None,
    checkpoint: Checkpoint | None = None,
) -> History:
    """Train on the notes of a batch, in place; return the loss of every step, and what else is known.

    With `held` notes, the weights that are best on these are kept at the end. A checkpoint is gone on from.
    """
    device = chosen(way.device)
    method.to(device).train()
    if device.type != "cpu":
        batch = batch.to(device)
    decayed = [p for p in method.parameters() if p.ndim > 1]
    others = [p for p in method.parameters() if p.ndim <= 1]
    optimiser = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": settings.weight_decay}, {"params": others, "weight_decay": 0.0}],
        lr=settings.learning_rate,
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, settings.learning_rate, total_steps=max(2, steps), pct_start=0.2
    )
    parts: tuple[Stateful, ...] = method, optimiser, schedule
    history = History()
    if checkpoint is not None and (state := checkpoint.read()) is not None:
        restore(parts, state)
        history = History(**state["history"])
    size = min(settings.batch, len(batch))
    for step in range(len(history.losses), steps):
        if len(history.rows) < size:
            history.rows = torch.randperm(len(batch)).tolist()
        rows, history.rows = history.rows[:size], history.rows[size:]
        with precision(device, mixed=way.mixed):
            loss = method.loss(batch[torch.tensor(rows, device=device)], augment)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(method.parameters(), 5.0)
        optimiser.step()
        schedule.step()
        history.losses.append(float(loss.detach()))
        if progress is not None:
            progress(step + 1, history.losses[-1])
        last = step + 1 == steps
        if held is not None and (last or (step + 1) % way.every == 0):
            look(method, held, history)
        if checkpoint is not None and not last and (step + 1) % way.every == 0:
            checkpoint.save(parts, vars(history))
    if history.best:
        method.load_state_dict(history.best)
    return history


def look(method: Method, held: Batch, history: History) -> None:
    """Score a method on held-out notes, and keep its weights if they are the best so far."""
    right = predict(method, held).argmax(1) == held.target
    method.train()
    accuracy = float(right.double().mean())
    if accuracy > history.best_accuracy:
        history.best = {name: value.detach().clone().cpu() for name, value in method.state_dict().items()}
    history.validation.append((len(history.losses), accuracy))


@torch.no_grad()
def predict(method: Method, batch: Batch, size: int = 64) -> Tensor:
    """Return logits [n, n_labels] of whole notes, on the processor."""
    method.eval()
    device = next(method.parameters()).device
    rows = torch.arange(len(batch)).split(size)
    return torch.cat([method(batch[part].to(device)).float().cpu() for part in rows])


def confusion(predicted: Tensor, target: Tensor, n_labels: int) -> Tensor:
    """Return how many notes of each family (rows) were given each family (columns)."""
    return torch.bincount(target * n_labels + predicted, minlength=n_labels**2).reshape(n_labels, n_labels)


def scores(matrix: Tensor) -> dict[str, float]:
    """Return accuracy and the mean of the families' F1."""
    right = matrix.diag().double()
    f1 = 2 * right / (matrix.sum(0) + matrix.sum(1)).clamp(min=1)
    return {"accuracy": float(right.sum() / matrix.sum()), "macro_f1": float(f1.mean())}


def held_out(notes: Notes, learn: Tensor, fold: int) -> tuple[Tensor, Tensor]:
    """Share training rows: what is learnt, and the fold-th program of each family that has several."""
    held = torch.zeros(len(notes.batch), dtype=torch.bool)
    for family in range(len(notes.families)):
        own = learn[notes.batch.target[learn] == family]
        programs = notes.program[own].unique()  # sorted
        if len(programs) > 1:
            held[own[notes.program[own] == programs[fold % len(programs)]]] = True
    if not held.any():
        raise ValueError("--select: expected a family of several training programs, got none; leave it out")
    return learn[~held[learn]], learn[held[learn]]


def run(notes: Notes, what: Run, settings: Settings, way: Way = PLAINLY) -> tuple[Method, dict[str, Any]]:
    """Train and score one entry of a table; returns the trained method and its record."""
    start_s = time.process_time()
    torch.manual_seed(what.seed)
    learn, score = notes.split(what.fold)
    held = None
    if way.select:
        learn, chosen_rows = held_out(notes, learn, what.seed)
        held = notes.batch[chosen_rows]
    learn = notes.sample(learn, what.fraction, what.seed)
    method = METHODS[what.method](len(notes.families))
    steps = settings.steps_for(what.fraction)
    name = "-".join(str(value) for value in asdict(what).values() if value is not None)
    checkpoint = None
    if way.checkpoints is not None:
        about = asdict(what) | asdict(settings) | way.changes() | {"steps": steps, "notes": len(learn)}
        checkpoint = Checkpoint(way.checkpoints / f"{name}.pt", about | {"torch": str(torch.__version__)})
    history = train(method, notes.batch[learn], steps, settings, way=way, held=held, checkpoint=checkpoint)
    if way.curves is not None:
        curves.write(way.curves, name, history.losses, history.validation)
    test = notes.batch[score]
    predicted = predict(method, test).argmax(1)
    record = asdict(what) | scores(confusion(predicted, test.target, len(notes.families)))
    record["by_program"] = by_program(predicted, test.target, notes.program[score])
    record |= {
        "n_train": len(learn),
        "n_test": len(score),
        "parameters": method.inference_parameters(),
        "final_loss": sum(history.losses[-20:]) / len(history.losses[-20:]),
        "processor_s": time.process_time() - start_s,
    }
    if history.validation:
        record["selected_step"] = max(history.validation, key=lambda pair: (pair[1], -pair[0]))[0]
    if checkpoint is not None:
        checkpoint.remove()
    return method, record
