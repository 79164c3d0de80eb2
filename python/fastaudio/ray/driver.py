"""A scan by workers of Ray: they are kept busy, and what one leaves undone as it ends, another does."""

from __future__ import annotations

import math
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastaudio._core import check_interrupt
from fastaudio._system.warning import warn
from fastaudio._system.writing import OutputError
from fastaudio.ray.cluster import ClusterError, connected
from fastaudio.ray.units import Unit, Units
from fastaudio.ray.worker import Worker
from fastaudio.running.limits import limits
from fastaudio.scanning.networks import Chosen
from fastaudio.scanning.remote import is_url
from fastaudio.scanning.rows import failed
from fastaudio.scanning.scan import Begun, Scanned, begun, check_budget

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from fastaudio._core import Cancel
    from fastaudio.ray.outcomes import Outcome

_LOOK_S = 0.1
_GRACE_S = 30.0  # after the budget, in which workers write what they have
_SILENT_S = 30.0  # without a worker, after which that is said
_NODE_S = 5.0  # between looks whether Ray is there
_MOST_FAILED = 4  # times that a worker may fail, one after the other, before it is gone on without it
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
    workers again and again is a row with its error. Files aren't split among workers. Without a worker for
    half a minute, as on a cluster whose processors are taken, a UserWarning says so.

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
        ClusterError: there is no Ray at this address, or no worker is left that can work.
        OutputError: the folder can't be written into, here or by any worker.
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
                    scan.drop_stale()
                    _Run(ray, scan, chosen, n_workers, report, started, budget_s).go()
            scan.scanned.took_s = time.monotonic() - started
            if report is not None:
                report(scan.scanned)
            return scan.scanned


@dataclass(eq=False)
class _Hand:
    """A worker, and how often it and those before it in its place have failed since one did its work."""

    actor: Any
    n_failed: int = 0


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
        self._args = chosen, self._shards.folder.absolute(), scan.about, _home(scan, chosen)
        self._units = Units(scan.todo, n_workers)
        self._n_workers = min(n_workers, len(scan.todo))
        self._started = started
        self._until = math.inf if budget_s is None else started + budget_s
        self._hired: dict[Any, _Hand] = {}  # workers that start, by what tells that they have
        self._busy: dict[Any, tuple[_Hand, Unit, float]] = {}  # worker, unit, since when
        self._idle: list[_Hand] = []
        self._said_at: float | None = started + _SILENT_S
        self._node_at = started + _NODE_S
        self._bytes = self._busy_s = 0.0

    def go(self) -> None:
        """Run over all files, or until time is up."""
        try:
            for _ in range(self._n_workers):
                self._hire()
            while self._left() or self._waits():
                check_interrupt()
                self._require_node()
                self._deal()
                self._hear()
                self._scan.scanned.took_s = time.monotonic() - self._started
                if self._report is not None:
                    self._report(self._scan.scanned)
        finally:
            for hand in [*self._hired.values(), *self._idle, *(one[0] for one in self._busy.values())]:
                self._ray.kill(hand.actor)

    def _require_node(self) -> None:
        """Find out now and then whether Ray is still there on this machine: else nobody ever answers.

        Raises:
            ClusterError: it has ended.
        """
        if time.monotonic() < self._node_at:
            return
        self._node_at = time.monotonic() + _NODE_S
        alive = {node["NodeID"] for node in self._ray.nodes() if node["Alive"]}
        if self._ray.get_runtime_context().get_node_id() not in alive:
            raise ClusterError(
                "Ray: expected it to run on this machine, got one that has ended; what is in tables stays: "
                "begin both again"
            )

    def _left(self) -> bool:
        return bool(self._units) and time.monotonic() < self._until

    def _waits(self) -> bool:
        """Tell whether a worker has something that no other has done; one that hangs isn't waited for."""
        return time.monotonic() < self._until + _GRACE_S and any(
            not unit.done for _, unit, _ in self._busy.values()
        )

    def _hire(self, n_failed: int = 0) -> None:
        actor = self._kind.remote(*self._args)
        self._hired[actor.ready.remote()] = _Hand(actor, n_failed)

    def _deal(self) -> None:
        """Give idle workers units, or once all are dealt out, those that others are late with."""
        while self._idle and (now := time.monotonic()) < self._until:
            rate = self._bytes / self._busy_s if self._bytes else None
            unit = self._units.next(rate) or self._late(now, rate)
            if unit is None:
                return
            unit.name = unit.name or self._shards.new_name()
            unit.n_running += 1
            hand = self._idle.pop()
            job = hand.actor.run.remote(
                list(unit.entries), unit.name, self._shards.mark or "", self._until - now
            )
            self._busy[job] = hand, unit, now

    def _late(self, now: float, bytes_per_s: float | None) -> Unit | None:
        """Return a unit that one worker is late with; whichever of two is first writes its table."""
        for _, unit, since in self._busy.values():  # in the order in which they were given
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
        if self._idle or self._busy:
            self._said_at = None
        elif self._said_at is not None and time.monotonic() > self._said_at:
            self._said_at = None
            warn(
                "scan: waiting for workers: Ray has started none yet; its processors may be taken "
                "(ray status shows that)"
            )

    def _welcome(self, ready: Any) -> None:
        hand = self._hired.pop(ready)
        try:
            self._ray.get(ready)
        except self._ray.exceptions.RayError as error:
            why = ClusterError(f"Ray: expected workers that load the model, got {_reason(error):.400}")
            self._replace(hand, why)
            return
        self._idle.append(hand)

    def _replace(self, hand: _Hand, why: Exception) -> None:
        """Have another worker in the place of one that failed, unless that happened too often.

        Raises `why` if no worker is left.
        """
        self._ray.kill(hand.actor)
        if hand.n_failed + 1 < _MOST_FAILED:
            self._hire(hand.n_failed + 1)
        elif not (self._hired or self._idle or self._busy):
            raise why

    def _take(self, job: Any) -> None:
        """Take what came of a unit."""
        hand, unit, since = self._busy.pop(job)
        unit.n_running -= 1
        try:
            outcome: Outcome = self._ray.get(job)
        except self._ray.exceptions.RayTaskError as error:
            cause = error.cause
            if isinstance(cause, MemoryError):  # a file may be too large, as if it had ended the process
                self._ray.kill(hand.actor)
                self._hire()
                self._lost(unit)
            elif isinstance(cause, OSError):  # its machine
                self._again(unit)
                self._replace(hand, cause)
            else:
                raise cause or error from error
            return
        except self._ray.exceptions.RayError:  # its process or its machine is gone
            self._hire()
            self._lost(unit)
            return
        if outcome.refused is not None:
            self._again(unit)
            self._replace(hand, OutputError(outcome.refused))
            return
        hand.n_failed = 0
        self._idle.append(hand)
        if unit.done:
            return
        if outcome.followed:
            raise OutputError(f"{self._shards.folder}: expected this run's folder, got another run's")
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
        if unit.done or unit.n_running or unit.n_lost < _MOST_LOST:
            self._again(unit)
            return
        # A machine that nobody hears of may go on. It can't give its table a name that another table has.
        one = unit.entries[0]
        about = f"its worker ended while it ran over it, {unit.n_lost} times; try it alone, without Ray"
        alone = [] if len(unit.entries) > 1 else [[failed(one, self._scan.about["width"], about)]]
        try:
            self._shards.write(alone, unit.name)
        except OutputError:
            if not (self._shards.folder / unit.name).exists():
                raise
            self._again(unit)  # it has gone on, and is done; who gets the unit now says so
            return
        unit.done = True
        if alone:
            self._scan.scanned.count(one.size, math.nan, failed=True)
        else:
            self._units.back(*unit.halves())


def _home(scan: Begun, chosen: Chosen) -> str | None:
    """Return this process's folder if a path is relative to it, else None."""
    paths = [entry.path for entry in scan.todo]
    paths = [path.rpartition("::")[2] if is_url(path) else path for path in paths]
    paths += [chosen.model] if os.path.exists(chosen.model) else []  # noqa: PTH110  # else it is a name
    return None if all(is_url(path) or os.path.isabs(path) for path in paths) else str(Path.cwd())  # noqa: PTH117


def _reason(error: BaseException) -> str:
    """Return the last line of what Ray says, which is the worker's own."""
    return (str(error).strip() or type(error).__name__).splitlines()[-1]
