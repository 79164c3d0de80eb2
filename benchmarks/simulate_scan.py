"""Simulates a scan on many machines: slow ones, ones that are lost, and a store that answers so often only.

Files are dealt out by the code that does so on Ray (`fastaudio.ray.units`). Each worker does a unit's files
at its own speed; some machines are slow all the time, some are lost and take the units in work with them, and
the store that all read from answers a number of requests per second. The time is compared with the model on
paper of docs/scale.md.
"""

from __future__ import annotations

import argparse
import heapq
import itertools
from dataclasses import dataclass

import numpy as np
from fastaudio.ray import units
from fastaudio.ray.units import Unit, Units, weight
from fastaudio.scanning.entries import Entry


@dataclass
class Cluster:
    """What is simulated; times in s.

    Attributes:
        n_nodes, n_cores: machines, and workers on each.
        bytes_per_s: what a worker does.
        slow, slow_by: the share of machines that are slow, and by how much.
        lost_per_h: how often a machine is lost, per hour.
        back_s: until another stands in for it.
        requests_per_s: what the store answers; each file takes `requests` of them.
        copies: whether idle workers do again what others have had for the longest.
    """

    n_nodes: int
    n_cores: int = 16
    bytes_per_s: float = 3e6
    slow: float = 0.02
    slow_by: float = 5.0
    lost_per_h: float = 0.01
    back_s: float = 120.0
    requests_per_s: float = 5500.0
    requests: float = 2.0
    copies: bool = True


@dataclass
class Result:
    """What came of it: seconds to the end, worker seconds for nothing, tables, machines lost, copies."""

    took_s: float = 0.0
    wasted_s: float = 0.0
    n_tables: int = 0
    n_lost: int = 0
    n_copies: int = 0


class Simulation:
    """Workers that are given units, by the time at which something happens next."""

    def __init__(self, entries: list[Entry], cluster: Cluster, seed: int = 0) -> None:
        self.cluster, self.rng, self.result = cluster, np.random.default_rng(seed), Result()
        self.speed = np.where(self.rng.random(cluster.n_nodes) < cluster.slow, 1 / cluster.slow_by, 1.0)
        self.dealer = Units(entries, cluster.n_nodes * cluster.n_cores)
        self.lives = [0] * cluster.n_nodes  # counts the machines that stood in for each
        self.since: dict[Unit, float] = {}
        self.idle: list[int] = []
        self.events: list[tuple[float, int, str, int, Unit | None, int]] = []
        self.number = itertools.count()
        self.n_left, self.store_s, self.bytes, self.busy_s = len(entries), 0.0, 0.0, 0.0

    def at(self, when: float, kind: str, who: int, unit: Unit | None = None, life: int = 0) -> None:
        """Have something happen."""
        heapq.heappush(self.events, (when, next(self.number), kind, who, unit, life))

    def run(self) -> Result:
        """Run until all files are done."""
        cluster = self.cluster
        self.idle = self.rng.permutation(cluster.n_nodes * cluster.n_cores).tolist()
        if cluster.lost_per_h:
            for node in range(cluster.n_nodes):
                self.at(self.rng.exponential(3600 / cluster.lost_per_h), "lost", node)
        self.at(0.0, "look", 0)
        while self.n_left:
            now, _, kind, who, unit, life = heapq.heappop(self.events)
            if kind == "done":
                assert unit is not None
                self.end(now, who, unit, life)
            elif kind == "lost":
                self.lives[who] += 1
                self.result.n_lost += 1
                self.idle = [one for one in self.idle if one // cluster.n_cores != who]
                self.at(now + cluster.back_s, "back", who)
                self.at(now + self.rng.exponential(3600 / cluster.lost_per_h), "lost", who)
            elif kind == "back":
                self.idle += range(who * cluster.n_cores, (who + 1) * cluster.n_cores)
            else:
                self.at(now + 1, "look", 0)
            self.deal(now, look=kind == "look")
        return self.result

    def deal(self, now: float, *, look: bool) -> None:
        """Give idle workers units; `look` for late ones."""
        rate = self.bytes / self.busy_s if self.busy_s else None
        while self.idle:
            unit = self.dealer.next(rate)
            if unit is None and look and self.cluster.copies:
                unit = next((one for one in self.since if self.is_late(one, now, rate)), None)
                self.result.n_copies += unit is not None
            if unit is None:
                return
            self.since.setdefault(unit, now)
            unit.n_running += 1
            worker = self.idle.pop()
            node, n_requests = worker // self.cluster.n_cores, len(unit.entries) * self.cluster.requests
            own_s = unit.weight / self.cluster.bytes_per_s / self.speed[node] * self.rng.lognormal(0, 0.1)
            self.store_s = max(self.store_s, now) + n_requests / self.cluster.requests_per_s
            self.at(max(now + own_s, self.store_s), "done", worker, unit, self.lives[node])

    def is_late(self, unit: Unit, now: float, rate: float | None) -> bool:
        """Tell whether an idle worker does a unit too."""
        return unit.n_running == 1 and self.dealer.is_late(unit, now - self.since[unit], rate)

    def end(self, now: float, worker: int, unit: Unit, life: int) -> None:
        """Take what came of a unit."""
        unit.n_running -= 1
        alone_s = unit.weight / self.cluster.bytes_per_s
        if life != self.lives[worker // self.cluster.n_cores]:  # its machine was lost: the driver hears of it
            self.result.wasted_s += alone_s / 2
            if not unit.done and not unit.n_running:
                self.since.pop(unit, None)
                self.dealer.back(unit)
            return
        self.idle.append(worker)
        if unit.done:
            self.result.wasted_s += alone_s
            return
        unit.done = True
        self.n_left -= len(unit.entries)
        self.result.n_tables += 1
        self.result.took_s = now
        self.bytes += unit.weight
        self.busy_s += now - self.since.pop(unit)


def files(kind: str, n_files: int) -> list[Entry]:
    """Return an archive: recordings of an hour or so, or clips of some seconds, at 128 kbit/s."""
    rng = np.random.default_rng(0)
    seconds = (
        3600 * rng.lognormal(-0.125, 0.5, n_files) if kind == "hours" else 1 + rng.exponential(9, n_files)
    )
    return [Entry(f"{i:08}", int(length * 16_000)) for i, length in enumerate(seconds)]


def on_paper(entries: list[Entry], cluster: Cluster) -> float:
    """Return the seconds that docs/scale.md says a scan takes: the slower of the workers and the store."""
    share = 1 - cluster.slow * (1 - 1 / cluster.slow_by)  # of the workers' speed that slow machines leave
    work_s = sum(map(weight, entries)) / cluster.bytes_per_s
    lost = cluster.lost_per_h / 3600 * (cluster.back_s + min(units.UNIT_S, work_s / len(entries)) / 2)
    workers_s = work_s / (cluster.n_nodes * cluster.n_cores * share * (1 - lost))
    return float(max(workers_s, len(entries) * cluster.requests / cluster.requests_per_s))


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--files", type=int, default=200, help="recordings per machine (%(default)s)")
    parser.add_argument("--rate", type=float, default=3e6, help="bytes per second and worker (%(default)s)")
    args = parser.parse_args()
    print(
        "| files | machines | what is wrong | on paper, s | simulated, s | done for nothing | tables per s |"
    )
    print("|---|---|---|---|---|---|---|")
    healthy = {"slow": 0.0, "lost_per_h": 0.0}
    cases: dict[str, dict[str, float]] = {
        "nothing": healthy,
        "2 % are 5 times slower": {"lost_per_h": 0.0},
        "the same, nobody does it again": {"lost_per_h": 0.0, "copies": False},
        "and each is lost once per 10 h": {"lost_per_h": 0.1},
    }
    for kind, n_nodes in itertools.product(("hours", "clips"), (10, 100, 1000)):
        n_files = args.files * n_nodes if kind == "hours" else 1_000_000
        for name, how in cases.items():
            if kind == "clips" and name != "nothing":
                continue
            cluster = Cluster(n_nodes, bytes_per_s=args.rate, **how)
            entries = files(kind, n_files)
            got = Simulation(entries, cluster).run()
            workers_s = got.took_s * n_nodes * cluster.n_cores
            paper_s, nothing = on_paper(entries, cluster), got.wasted_s / workers_s
            print(f"| {n_files:,} {kind} | {n_nodes} | {name} | {paper_s:.0f} | {got.took_s:.0f}", end=" | ")
            print(f"{nothing:.2%} | {got.n_tables / got.took_s:.0f} |", flush=True)


if __name__ == "__main__":
    main()
