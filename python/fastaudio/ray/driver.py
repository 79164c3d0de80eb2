"""A scan by workers of Ray: they are kept busy, and what one leaves undone as it ends, another does."""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastaudio._core import check_interrupt
from fastaudio._system.writing import OutputError
from fastaudio.ray.cluster import ClusterError, connected
from fastaudio.ray.units import Unit, Units
from fastaudio.ray.worker import Worker
from fastaudio.running.limits import limits
from fastaudio.scanning.fence import begin
from fastaudio.scanning.networks import Chosen
from fastaudio.scanning.rows import failed
from fastaudio.scanning.scan import Begun, Scanned, begun, check_budget

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable

    from fastaudio._core import Cancel
    from fastaudio.ray.outcomes import Outcome

_LOOK_S = 0.1
_MOST_STILLBORN = 4  # for each worker, one after the other
_MOST_LOST = 3  # workers that may end over a unit before it is halved, to find out which file does that


def scan(
    sources: Iterable[str | os.PathLike[str]],
    output: str | os.PathLike[str],
    *,
    address: str = "local",
    chosen: Chosen | None = None,
    workers: int | None = None,
    retry_errors: bool = False,
    budget_s: float | None = None,
    stores: Iterable[str] = (),
    report: Callable[[Scanned], None] | None = None,
    cancel: Cancel | None = None,
) -> Scanned:
    """Run a model over many files on a cluster of Ray; it gives the tables of `fastaudio.scanning.scan.scan`.

    Each worker is a process with one pipeline on one processor. Paths go to it, and it writes the tables
    itself, so all machines see the files and `output` under the same paths, and have the same version of the
    package. A worker that ends costs what it hadn't written; its files go to others. A file that ends
    workers again and again is a row with its error. Files aren't split among workers.

    Args:
        sources: files, folders, patterns, tables that list files, or URLs, see `find_entries`.
        output: a folder; it is made if it isn't there.
        address: "local" for a cluster of this process's own on this machine, "auto" for one that runs here,
            or as `ray.init` takes it.
        chosen: the model and what it gives; None for the default model's tags.
        workers: their number, None for one per processor of the cluster.
        retry_errors: whether to run again over files that failed before.
        budget_s: seconds after which to stop; what is done by then is kept.
        stores: what tables may name URLs of besides the stores of `sources`, such as s3://bucket.
        report: called now and then, and at the end, with how far it is.
        cancel: ends the scan, with Cancelled, from another thread; tables that are whole by then stay.

    Raises:
        ClusterError: there is no Ray at this address, or workers end as they start.
        As a scan without Ray does.
    """
    if workers is not None and workers < 1:
        raise ValueError(f"scan: expected workers of at least 1, got {workers}")
    check_budget(budget_s)
    chosen, folder = chosen or Chosen(), Path(output)
    with limits("scan", None, cancel):
        how: dict[str, Any] = {"retry_errors": retry_errors, "stores": stores}
        with begun(sources, folder, chosen, **how) as scan:
            started = time.monotonic()
            if scan.todo:
                with connected(address, workers) as (ray, n_workers):
                    _Run(ray, scan, chosen, n_workers, report, started, budget_s).go()
            scan.scanned.took_s = time.monotonic() - started
            if report is not None:
                report(scan.scanned)
            return scan.scanned


class _Run:
    """The workers of a scan and what they do."""

    def __init__(  # noqa: PLR0917
        self,
        ray: Any,
        scan: Begun,
        chosen: Chosen,
        n_workers: int,
        report: Callable[[Scanned], None] | None,
        started: float,
        budget_s: float | None,
    ) -> None:
        self._ray, self._scan, self._report = ray, scan, report
        self._shards = scan.shards
        self._kind = ray.remote(num_cpus=1, max_restarts=0)(Worker)
        self._args = chosen, self._shards.folder.absolute(), scan.about
        self._units = Units(scan.todo, n_workers)
        self._n_workers = min(n_workers, len(scan.todo))
        self._started = started
        self._until = math.inf if budget_s is None else started + budget_s
        self._mark = self._shards.mark or ""
        self._hired: dict[Any, Any] = {}  # workers that start, by what tells that they have
        self._busy: dict[Any, tuple[Any, Unit, float, str]] = {}  # worker, unit, since when, mark
        self._idle: list[Any] = []
        self._n_stillborn = 0
        self._bytes = self._busy_s = 0.0

    def go(self) -> None:
        """Run over all files, or until time is up."""
        try:
            for _ in range(self._n_workers):
                self._hire()
            while self._busy or self._left():
                check_interrupt()
                self._deal()
                self._hear()
                self._scan.scanned.took_s = time.monotonic() - self._started
                if self._report is not None:
                    self._report(self._scan.scanned)
        finally:
            for worker in [*self._hired.values(), *self._idle, *(one[0] for one in self._busy.values())]:
                self._ray.kill(worker)

    def _left(self) -> bool:
        return bool(self._units) and time.monotonic() < self._until

    def _hire(self) -> None:
        worker = self._kind.remote(*self._args)
        self._hired[worker.ready.remote()] = worker

    def _deal(self) -> None:
        """Give idle workers units, or once all are dealt out, those that others are late with."""
        while self._idle and (now := time.monotonic()) < self._until:
            rate = self._bytes / self._busy_s if self._bytes else None
            unit = self._units.next(rate) or self._late(now, rate)
            if unit is None:
                return
            unit.name = unit.name or self._shards.new_name()
            unit.n_running += 1
            worker = self._idle.pop()
            job = worker.run.remote(list(unit.entries), unit.name, self._mark, self._until - now)
            self._busy[job] = worker, unit, now, self._mark

    def _late(self, now: float, bytes_per_s: float | None) -> Unit | None:
        """Return a unit that one worker is late with; whichever of two is first writes its table."""
        for _, unit, since, _ in self._busy.values():  # in the order in which they were given
            if unit.n_running == 1 and not unit.done and self._units.is_late(unit, now - since, bytes_per_s):
                return unit
        return None

    def _hear(self) -> None:
        """Take what workers say, and wait for the next a little."""
        waiting = [*self._hired, *self._busy]
        ready, _ = self._ray.wait(waiting, num_returns=1, timeout=_LOOK_S)
        if ready:
            ready, _ = self._ray.wait(waiting, num_returns=len(waiting), timeout=0)
        for one in ready:
            if one in self._hired:
                self._welcome(one)
            else:
                self._take(one)

    def _welcome(self, ready: Any) -> None:
        worker = self._hired.pop(ready)
        try:
            self._ray.get(ready)
        except self._ray.exceptions.RayError as error:
            self._n_stillborn += 1
            if self._n_stillborn >= _MOST_STILLBORN * self._n_workers:
                raise ClusterError(
                    f"Ray: expected workers that load the model, got {_reason(error):.400}"
                ) from error
            self._hire()
            return
        self._n_stillborn = 0
        self._idle.append(worker)

    def _take(self, job: Any) -> None:
        """Take what came of a unit."""
        worker, unit, since, mark = self._busy.pop(job)
        unit.n_running -= 1
        try:
            outcome: Outcome = self._ray.get(job)
        except self._ray.exceptions.RayTaskError as error:
            raise error.cause or error from error
        except self._ray.exceptions.RayError:  # its process or its machine is gone
            self._hire()
            self._lost(unit)
            return
        self._idle.append(worker)
        if outcome.refused is not None:
            raise OutputError(outcome.refused)
        if unit.done:
            return
        if outcome.followed:
            if mark == self._mark:
                raise OutputError(f"{self._shards.folder}: expected this run's folder, got another run's")
            self._again(unit)
            return
        self._busy_s += time.monotonic() - since
        self._bytes += unit.weight
        unit.done = True
        for done in outcome.done:
            self._scan.scanned.count(done.size, done.duration_s, failed=done.error is not None)

    def _again(self, unit: Unit) -> None:
        if not unit.done and not unit.n_running:
            self._units.back(unit)

    def _lost(self, unit: Unit) -> None:
        """Have a unit done by another worker; after some, find out which of its files ends them."""
        unit.n_lost += 1
        if unit.done or unit.n_running or unit.n_lost < _MOST_LOST or self._there(unit):
            self._again(unit)
            return
        # A machine that nobody hears of may go on. From now on it can't give its table a name.
        self._mark = self._shards.mark = begin(self._shards.folder)
        if self._there(unit):
            self._again(unit)
        elif len(unit.entries) > 1:
            self._units.back(*unit.halves())
        else:
            self._blame(unit)

    def _there(self, unit: Unit) -> bool:
        return (self._shards.folder / unit.name).exists()

    def _blame(self, unit: Unit) -> None:
        (entry,) = unit.entries
        about = f"its worker ended while it ran over it, {unit.n_lost} times; try it alone, without Ray"
        self._shards.write([[failed(entry, self._scan.about["width"], about)]])
        unit.done = True
        self._scan.scanned.count(entry.size, math.nan, failed=True)


def _reason(error: BaseException) -> str:
    """Return the last line of what Ray says, which is the worker's own."""
    return (str(error).strip() or type(error).__name__).splitlines()[-1]
