"""Shows results as a table, as JSON and as a plot."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harness import Result

_PACKAGES = (
    "numpy",
    "onnxruntime",
    "soundfile",
    "librosa",
    "soxr",
    "audioflux",
    "kaldi-native-fbank",
    "scipy",
    "torch",
    "torchaudio",
    "essentia",
    "openvino",
    "silero-vad",
    "opensmile",
    "openwakeword",
)
_COLUMNS = ("", "unit", "min", "median", "ratio min", "ratio med", "compared with", "target", "holds")
_BUSY = 0.5
_LEGEND = """ratio: to the case it is compared with: of both minima, and the median of each round's ratio
holds: whether the target does, by minimum and by median; unclear if these disagree: too much noise"""
_TEXT = (0, 1, 6, 7, 8)  # these columns are aligned left
_OURS, _OTHERS, _MEDIAN, _LIMIT = "#1b6ca8", "#b8bec6", "#222222", "#c0392b"


def machine() -> dict[str, str]:
    """Return what the figures depend on: date, processor, instruction set, versions."""
    import fastaudio as fa
    from fastaudio._system.versions import versions

    ours = versions()
    n_usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    found = {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "processor": f"{_processor()}, {n_usable} cores",
        "instruction set": ours["instruction set"],
        "system": f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
        "fastaudio": fa.__version__,
        "libsndfile": ours.get("libsndfile", "?"),
    }
    if hasattr(os, "getloadavg"):
        load = os.getloadavg()[0]
        busy = "; other programs are running, repeat without them" if load > _BUSY else ""
        found["load before"] = f"{load:.1f}{busy}"
    return found | {package: _version(package) for package in _PACKAGES}


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def header(facts: dict[str, str], audio: str) -> str:
    """Return the lines above the table."""
    named = ("date", "processor", "instruction set", "load before", "system")
    first = "\n".join(f"{name:<16} {facts[name]}" for name in named if name in facts)
    rest = ", ".join(f"{name} {value}" for name, value in facts.items() if name not in named)
    return f"{first}\n{'versions':<16} {rest}\n{'audio':<16} {audio}\n"


def table(results: Sequence[Result]) -> str:
    """Return the table: a heading for each group, a line for each case."""
    lines: list[tuple[str, ...] | str] = [_COLUMNS]
    for (subject, group), members in _grouped(results):
        n_rounds = max(len(result.values) for result in members)
        lines.append(f"\n{subject}: {group} ({n_rounds} rounds)")
        lines.extend(
            _cells(result) if result.values else f"  {result.name}: {result.note}" for result in members
        )
    rows = [line for line in lines if not isinstance(line, str)]
    widths = [max(len(row[i]) for row in rows if len(row) > i) for i in range(len(_COLUMNS))]
    text = []
    for line in lines:
        if isinstance(line, str):
            text.append(line)
            continue
        cells = (
            cell.ljust(width) if i in _TEXT else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(line, widths, strict=False))
        )
        text.append("  ".join(cells).rstrip())
    return "\n".join(text) + f"\n\n{_LEGEND}\n"


def markdown(results: Sequence[Result]) -> str:
    """Return the same as a table of Markdown for each group."""
    parts = []
    for (subject, group), members in _grouped(results):
        unit = members[0].unit
        lines = [f"| {subject}: {group} | {unit} | times {{}} |", "|---|---|---|"]
        base = next((result.baseline for result in members if result.baseline), "")
        lines[0] = lines[0].format(base) if base else lines[0].replace("times {}", "")
        for result in members:
            low = _figure(result.statistic("min")) if result.values else result.note
            times = f"{result.ratios['min']:.2f}" if result.ratios else ""
            lines.append(f"| {result.name} | {low} | {times} |")
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def _cells(result: Result) -> tuple[str, ...]:
    name = f"  {result.name}"
    ratios = [f"{result.ratios[w]:.3f}" if w in result.ratios else "" for w in ("min", "median")]
    target = result.target or ""
    low, middle = (_figure(result.statistic(w)) for w in ("min", "median"))
    baseline = result.baseline if result.ratios else ""
    return name, result.unit, low, middle, *ratios, baseline or "", target, result.verdict


def _figure(value: float) -> str:
    return f"{value:.4g}" if abs(value) < 1e4 else f"{value:,.0f}"  # noqa: PLR2004


def _grouped(results: Sequence[Result]) -> Iterable[tuple[tuple[str, str], list[Result]]]:
    for key, members in groupby(results, key=lambda result: (result.subject, result.group)):
        yield key, list(members)


def write_json(path: Path, facts: dict[str, str], audio: str, results: Sequence[Result]) -> None:
    """Write everything, each round's value included."""
    rows: list[dict[str, Any]] = []
    for result in results:
        row = asdict(result)
        if result.values:
            row |= {"min": result.statistic("min"), "median": result.statistic("median")}
        rows.append(row)
    data = {"schema": "fastaudio.benchmarks/1", "machine": facts, "audio": audio, "results": rows}
    path.write_text(json.dumps(data, indent=2) + "\n")


def write_plot(path: Path, facts: dict[str, str], audio: str, results: Sequence[Result]) -> None:
    """Draw a panel of bars for each group: the minimum, with a mark at the median."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    panels = [(key, [r for r in members if r.values]) for key, members in _grouped(results)]
    panels = [(key, members) for key, members in panels if members]
    if not panels:
        raise ValueError("plot: expected something measured, got nothing")
    heights = [len(members) + 1.6 for _, members in panels]
    figure, axes = plt.subplots(
        len(panels),
        figsize=(9, 0.26 * sum(heights) + 1),
        height_ratios=heights,
        squeeze=False,
        layout="constrained",
    )
    for axis, ((subject, group), members) in zip(axes[:, 0], panels, strict=True):
        _panel(axis, f"{subject}: {group}, {members[0].unit}", members)
    figure.suptitle(
        f"fastaudio {facts['fastaudio']}, {facts['processor']}, {facts['instruction set']}, "
        f"{facts['date']}\n{audio}\nshorter is better; bar and figure: minimum, tick: median, red: target",
        fontsize=8,
    )
    figure.savefig(path, dpi=130)
    plt.close(figure)


def _panel(axis: Any, title: str, members: list[Result]) -> None:
    lows = [result.statistic("min") for result in members]
    for place, (result, low) in enumerate(zip(members, lows, strict=True)):
        colour = _OURS if "fastaudio" in result.name else _OTHERS
        middle = result.statistic("median")
        axis.barh(place, low, color=colour, height=0.7)
        axis.plot([middle, middle], [place - 0.35, place + 0.35], color=_MEDIAN, linewidth=1)
        if result.limit is not None:
            span = [place - 0.45, place + 0.45]
            axis.plot([result.limit] * 2, span, color=_LIMIT, linewidth=1.5)
        axis.annotate(
            _figure(low),
            (max(low, middle, result.limit or 0), place),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=7,
        )
    axis.set_yticks(range(len(members)), [result.name for result in members], fontsize=7)
    axis.invert_yaxis()
    axis.set_title(title, loc="left", fontsize=8)
    axis.margins(x=0.1)
    axis.tick_params(axis="x", labelsize=6)
    axis.spines[["top", "right"]].set_visible(False)
