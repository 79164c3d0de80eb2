"""Measures the cases of a group in turns: A B C, A B C, never A A B B.

Whatever disturbs the machine for a while then disturbs all cases, and hardly changes a round's own ratio.
"""

from __future__ import annotations

import statistics
import sys
import time
from typing import TYPE_CHECKING

from harness import Result

if TYPE_CHECKING:
    from harness import Context, Group, Target, Values

_SETTLE_S = 0.02  # ONNX Runtime's threads spin for a moment after their work


def run_group(subject: str, group: Group, context: Context) -> list[Result]:
    """Measure the cases of a group in turns."""
    failed = {case.name: case.absent for case in group.cases if case.measure is None}
    n_rounds = context.repeat or (3 if context.quick else group.rounds)
    rounds: list[Values] = []
    for number in range(0 if group.warm_up else 1, n_rounds + 1):
        stage = f"round {number}/{n_rounds}" if number else "warm-up"
        _say(f"{subject}: {group.title}: {stage}")
        values: Values = {}
        for case in group.cases:
            if case.name in failed or case.measure is None:
                continue
            time.sleep(_SETTLE_S)
            try:
                values[case.name] = case.measure(values)
            except Exception as error:  # noqa: BLE001  # told in the table; the rest goes on
                missing = isinstance(error, KeyError) and error.args[0] in failed
                kind = type(error).__name__
                failed[case.name] = f"needs {error}" if missing else f"failed: {kind}: {error}"
        if number:
            rounds.append(values)
    _say("")
    return _results(subject, group, rounds, failed)


def _say(text: str) -> None:
    """Show what is being measured, on a terminal."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def _results(subject: str, group: Group, rounds: list[Values], failed: dict[str, str]) -> list[Result]:
    results: dict[str, Result] = {}
    for case in group.cases:
        target = None if case.target is None else str(case.target)
        result = Result(subject, group.title, case.name, group.unit, case.baseline, target)
        results[case.name] = result
        result.note = failed.get(case.name, "")
        if result.note:
            continue
        result.values = [values[case.name] for values in rounds]
        base = results.get(case.baseline or "")
        if base and base.values:
            pairs = zip(result.values, base.values, strict=True)
            result.ratios = {
                "min": result.statistic("min") / base.statistic("min"),
                "median": statistics.median(ours / theirs for ours, theirs in pairs),
            }
        if case.target is not None:
            _judge(result, case.target, base)
    return list(results.values())


def _judge(result: Result, target: Target, base: Result | None) -> None:
    if target.of == "value":
        got = [result.statistic("min"), result.statistic("median")]
        result.limit = target.at_most
    elif base is not None and result.ratios:
        got = list(result.ratios.values())
        result.limit = target.at_most * base.statistic("min")
    else:
        result.verdict = "?"
        return
    held = {target.holds(value) for value in got}
    result.verdict = "unclear" if len(held) > 1 else "yes" if held.pop() else "NO"
