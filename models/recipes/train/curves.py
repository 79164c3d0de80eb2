"""Keeps and draws loss curves: a file of numbers for each run, and one picture of all."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

METRICS = {"balanced": "balanced accuracy", "f1": "F1", "pr_auc": "PR-AUC"}
SMOOTHED = 10  # steps whose mean is drawn


def write(
    folder: Path,
    name: str,
    losses: Sequence[float],
    validation: Sequence[tuple[int, float]],
    *,
    step: str = "step",
    metric: str = "accuracy",
) -> None:
    """Write the numbers of a run: the loss of each step or epoch, and a metric of held-out sounds."""
    folder.mkdir(parents=True, exist_ok=True)
    data = {"name": name, "step": step, "metric": metric, "losses": list(losses)}
    data["validation"] = [list(pair) for pair in validation]
    (folder / f"{name}.json").write_text(json.dumps(data) + "\n", encoding="utf-8")


def read(folder: Path) -> list[dict[str, Any]]:
    """Return the numbers of all runs in a folder, by name."""
    return [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))]


def smoothed(losses: Sequence[float]) -> list[float]:
    """Return the mean of each step and up to nine before it."""
    sums = [0.0]
    for loss in losses:
        sums.append(sums[-1] + loss)
    starts = [max(0, i - SMOOTHED) for i in range(1, len(sums))]
    return [(sums[i] - sums[start]) / (i - start) for i, start in enumerate(starts, start=1)]


def plot(folder: Path, path: Path) -> None:
    """Draw the losses of all runs in a folder over steps, and below them accuracy on held-out notes.

    A loss may hold a regulariser many times as large as what it is added to, so the scale is logarithmic.
    """
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt
    from matplotlib import ticker

    runs = read(folder)
    judged = [run for run in runs if run["validation"]]
    figure, axes = plt.subplots(
        1 + bool(judged),
        1,
        figsize=(7, 4 + 2.5 * bool(judged)),
        sharex=True,
        squeeze=False,
        layout="constrained",
    )
    for run in runs:
        steps = range(1, len(run["losses"]) + 1)
        epochs = run.get("step") == "epoch"
        losses = run["losses"] if epochs else smoothed(run["losses"])
        axes[0, 0].plot(steps, losses, label=run["name"], linewidth=1)
        axes[0, 0].set_ylabel("mean loss" if epochs else f"loss, mean of {SMOOTHED} steps")
    for run in judged:
        axes[1, 0].plot(*zip(*run["validation"], strict=True), marker="o", markersize=3, label=run["name"])
        metric = run.get("metric", "accuracy")
        axes[1, 0].set_ylabel(f"{METRICS.get(metric, metric)} on held-out sounds")
    axes[-1, 0].set_xlabel(next((run.get("step", "step") for run in runs), "step"))
    axes[0, 0].set_yscale("log")
    axes[0, 0].yaxis.set_major_locator(ticker.LogLocator(subs=(1, 2, 5)))
    axes[0, 0].yaxis.set_major_formatter(ticker.FuncFormatter(lambda loss, _: f"{loss:.3g}"))
    axes[0, 0].yaxis.set_minor_formatter(ticker.NullFormatter())
    axes[-1, 0].xaxis.set_major_locator(ticker.MaxNLocator(integer=True))
    for ax in axes[:, 0]:
        ax.grid(alpha=0.3, which="both")
    axes[0, 0].legend(fontsize="small", ncols=2)
    figure.savefig(path)
    plt.close(figure)
