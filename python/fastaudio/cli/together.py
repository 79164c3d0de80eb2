"""Several models as one graph over one sound: what they begin with alike is computed once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastaudio._core import Node, Parallel, Resample, Sequential
from fastaudio.pipeline import Pipeline

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def together(pipelines: Mapping[str, Pipeline], sample_rate: int) -> tuple[Pipeline, dict[str, str]]:
    """Return one pipeline for sound at `sample_rate`, and the name of its output for each of the given ones.

    Each output has the numbers that its pipeline gives alone. Sound is mixed once, resampled once for each
    rate, and all parts that pipelines begin with alike run once; pipelines that are wholly alike share an
    output. Those with several outputs have them as "0.notes" and so on, if "0" is their name here.

    Raises:
        ValueError: they take another channel, or call sound of another level silent.
    """
    every = list(pipelines.values())
    for what in ("channel", "silence_db"):
        values = {str(getattr(pipeline, what)) for pipeline in every}
        if len(values) > 1:
            raise ValueError(
                f"--model: expected models with the same {what}, got {' and '.join(sorted(values))}; "
                "listen with one at a time"
            )
    same = len({(pipeline.sample_rate, pipeline.quality) for pipeline in every}) == 1
    chains: dict[str, tuple[Node, ...]] = {}
    twin: dict[str, str] = {}
    for name, pipeline in pipelines.items():
        rate = pipeline.sample_rate
        resample = Resample(input_rate=sample_rate, output_rate=rate, quality=pipeline.quality)
        chain = (*([] if same or rate == sample_rate else [resample]), *pipeline.node.parts())
        twin[name] = next((other for other, its in chains.items() if its == chain), name)
        chains.setdefault(twin[name], chain)
    first = every[0]
    node, paths = _joined(chains)
    untrained = any(pipeline.untrained for pipeline in every)
    how = {"channel": first.channel, "silence_db": first.silence_db, "untrained": untrained}
    made = Pipeline(node, quality=first.quality, **how)  # type: ignore[arg-type]  # as they are the first one's
    return made, {name: paths[other] for name, other in twin.items()}


def _joined(chains: Mapping[str, Sequence[Node]]) -> tuple[Node, dict[str, str]]:
    """Return one node that runs the common beginning of chains once, and the name of each one's output."""
    if len(chains) == 1:
        ((name, chain),) = chains.items()
        return _row(chain), {name: ""}
    shared = 0
    first = next(iter(chains.values()))
    shortest = min(len(chain) for chain in chains.values())
    while shared < shortest - 1 and all(chain[shared] == first[shared] for chain in chains.values()):
        shared += 1
    groups: list[dict[str, Sequence[Node]]] = []
    for name, chain in chains.items():
        rest = chain[shared:]
        for group in groups:
            others = next(iter(group.values()))
            if min(len(others), len(rest)) > 1 and others[0] == rest[0]:
                group[name] = rest
                break
        else:
            groups.append({name: rest})
    branches: dict[str, Node] = {}
    paths: dict[str, str] = {}
    for i, group in enumerate(groups):
        branches[str(i)], inner = _joined(group)
        paths |= {name: f"{i}.{path}".rstrip(".") for name, path in inner.items()}
    return _row([*first[:shared], Parallel(branches)]), paths


def _row(chain: Sequence[Node]) -> Node:
    return chain[0] if len(chain) == 1 else Sequential(list(chain))
