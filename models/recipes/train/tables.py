"""Prints the table of results and draws its plot."""

from collections.abc import Sequence
from pathlib import Path
from statistics import mean, stdev
from typing import Any


def table(records: Sequence[dict[str, Any]], methods: Sequence[str], metric: str = "accuracy") -> str:
    """Return the table in markdown: mean over seeds +- sample deviation, parameters at inference."""
    fractions = sorted({record["fraction"] for record in records})
    head = ["method", *(f"{fraction:.0%}" for fraction in fractions), "parameters at inference"]
    lines = [head, ["---"] + ["---:"] * (len(head) - 1)]
    for method in methods:
        own = [record for record in records if record["method"] == method]
        if own:
            cells = [spread([r[metric] for r in own if r["fraction"] == f]) for f in fractions]
            lines.append([method, *cells, f"{own[0]['parameters']:,}"])
    seeds = sorted({record["seed"] for record in records})
    minutes = sum(record["processor_s"] for record in records) / 60
    note = f"{metric}, mean ± deviation over seeds {seeds}; {minutes:.0f} min of processor time"
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + f"\n\n{note}"


def spread(values: Sequence[float]) -> str:
    """Return mean and sample deviation, or a dash."""
    if not values:
        return "-"
    return f"{mean(values):.3f}" + (f" ± {stdev(values):.3f}" if len(values) > 1 else "")


def plot(records: Sequence[dict[str, Any]], methods: Sequence[str], path: Path) -> None:
    """Save a plot of accuracy over the share of training notes, one line per method."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, ax = plt.subplots(figsize=(6, 4), layout="constrained")
    for method in methods:
        own = [record for record in records if record["method"] == method]
        fractions = sorted({record["fraction"] for record in own})
        values = [[r["accuracy"] for r in own if r["fraction"] == fraction] for fraction in fractions]
        ax.errorbar(
            [100 * fraction for fraction in fractions],
            [mean(v) for v in values],
            [stdev(v) if len(v) > 1 else 0 for v in values],
            marker="o",
            capsize=3,
            label=method,
        )
    ax.set(xscale="log", xlabel="training notes (%)", ylabel="accuracy on unseen programs")
    ticks = sorted({100 * record["fraction"] for record in records})
    ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.minorticks_off()
    ax.grid(alpha=0.3)
    ax.legend()
    figure.savefig(path)
    plt.close(figure)


LEAST = 1e-3  # of a standard error: below, a seed changes nothing, and a test over seeds says nothing


def paired(records: Sequence[dict[str, Any]], methods: Sequence[str], metric: str = "accuracy") -> str:
    """Return how far each method is ahead of the first, seed by seed: mean, standard error, p of a t-test."""
    from scipy.stats import ttest_rel

    fractions = sorted({record["fraction"] for record in records})
    lines = [[f"ahead of {methods[0]}", *(f"{fraction:.0%}" for fraction in fractions)]]
    lines.append(["---"] + ["---:"] * len(fractions))
    found = {(r["method"], r["fraction"], r["seed"]): r[metric] for r in records}
    for method in methods[1:]:
        cells = []
        for fraction in fractions:
            seeds = [s for m, f, s in found if (m, f) == (method, fraction) and (methods[0], f, s) in found]
            own, base = ([found[m, fraction, s] for s in seeds] for m in (method, methods[0]))
            if len(seeds) < 2:  # noqa: PLR2004  # a deviation needs two
                cells.append("-")
                continue
            apart = [a - b for a, b in zip(own, base, strict=True)]
            error = stdev(apart) / len(apart) ** 0.5
            if error < LEAST:
                cells.append(f"{mean(apart):+.3f}")
                continue
            p = ttest_rel(own, base).pvalue
            cells.append(f"{mean(apart):+.3f} ± {error:.3f} (p {f'{p:.2f}' if p >= 0.01 else '< 0.01'})")  # noqa: PLR2004
        lines.append([method, *cells])
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
