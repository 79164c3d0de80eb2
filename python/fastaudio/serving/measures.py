"""Counts and times of a server, as Prometheus reads them."""

from __future__ import annotations

import bisect
from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from fastaudio.live import LiveStats

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
BOUNDS_S = (0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 120.0)

_LIVE = {
    "captured_seconds": "sound that came in over live streams, in seconds",
    "dropped_seconds": "sound that live streams lost, in seconds",
    "busy_seconds": "time that running live streams took, in seconds",
    "gaps": "how often live streams lost sound",
    "results_dropped": "results of live streams that nobody took in time",
}


class Histogram:
    """How many values are at most each of some bounds."""

    def __init__(self) -> None:
        self._counts = [0] * (len(BOUNDS_S) + 1)
        self._sum = 0.0

    def add(self, value: float) -> None:
        """Count a value."""
        self._counts[bisect.bisect_left(BOUNDS_S, value)] += 1
        self._sum += value

    def lines(self, name: str, labels: str) -> Iterable[str]:
        """Yield the lines of Prometheus' text."""
        total = 0
        for bound, count in zip((*BOUNDS_S, "+Inf"), self._counts, strict=True):
            total += count
            yield f'{name}_bucket{{{labels},le="{bound}"}} {total}'
        yield f"{name}_sum{{{labels}}} {self._sum:.6f}"
        yield f"{name}_count{{{labels}}} {total}"


class Measures:
    """All that a server counts; one thread, that of its event loop, writes it."""

    def __init__(self) -> None:
        """Begin at zero."""
        self._requests: Counter[tuple[str, int]] = Counter()
        self._times: dict[str, Histogram] = {}
        self._refused: Counter[str] = Counter()
        self._live: Counter[str] = Counter()
        self._sound_s: dict[str, float] = {}
        self._gauges: dict[str, tuple[str, Callable[[], float]]] = {}
        self.streams: dict[object, Callable[[], tuple[LiveStats, int]]] = {}
        """What tells the counts of each stream that is open, and its rate."""

    def gauge(self, name: str, what: str, value: Callable[[], float]) -> None:
        """Add what is asked for its value whenever it is read."""
        self._gauges[name] = what, value

    def request(self, route: str, status: int, took_s: float) -> None:
        """Count a request that was answered; `route` is one of the server's own, so there are few."""
        self._requests[route, status] += 1
        self._times.setdefault(route, Histogram()).add(took_s)

    def refused(self, kind: str) -> None:
        """Count a refusal by the word for it."""
        self._refused[kind] += 1

    def heard(self, model: str, sound_s: float) -> None:
        """Count an upload's seconds of sound."""
        self._sound_s[model] = self._sound_s.get(model, 0.0) + sound_s

    def stream_ended(self, stats: LiveStats, rate: int) -> None:
        """Add the counts of a live stream that has ended."""
        self._live.update(_counts_of(stats, rate))

    def text(self) -> str:
        """Return Prometheus' text."""
        lines: list[str] = []
        _head(lines, "fastaudio_requests_total", "requests by path and status", "counter")
        for (route, status), n in sorted(self._requests.items()):
            lines.append(f'fastaudio_requests_total{{path="{route}",status="{status}"}} {n}')
        _head(lines, "fastaudio_request_seconds", "time until a request was answered", "histogram")
        for route, times in sorted(self._times.items()):
            lines += times.lines("fastaudio_request_seconds", f'path="{route}"')
        _head(
            lines, "fastaudio_refused_total", "requests and streams that were refused, by reason", "counter"
        )
        lines += [
            f'fastaudio_refused_total{{type="{kind}"}} {n}' for kind, n in sorted(self._refused.items())
        ]
        _head(lines, "fastaudio_sound_seconds_total", "sound of uploads that were run, in seconds", "counter")
        for model, sound_s in sorted(self._sound_s.items()):
            lines.append(f'fastaudio_sound_seconds_total{{model="{_escaped(model)}"}} {sound_s:.6f}')
        for name, (what, value) in self._gauges.items():
            _head(lines, f"fastaudio_{name}", what, "gauge")
            lines.append(f"fastaudio_{name} {_digits(value())}")
        self._add_streams(lines)
        return "\n".join(lines) + "\n"

    def _add_streams(self, lines: list[str]) -> None:
        now = [stream() for stream in self.streams.values()]
        total: Counter[str] = Counter(self._live)
        for stats, rate in now:
            total.update(_counts_of(stats, rate))
        for name, what in _LIVE.items():
            _head(lines, f"fastaudio_live_{name}_total", what, "counter")
            lines.append(f"fastaudio_live_{name}_total {_digits(total[name])}")  # all digits, or rates jump
        most: dict[str, tuple[str, float]] = {
            "behind_seconds": ("sound that waits in the live stream that is furthest behind",
                               max((stats.waiting / rate for stats, rate in now), default=0.0)),
            "latency_p99_seconds": ("99 % of results came sooner, in the slowest live stream",
                                    max((stats.latency_p99_s for stats, _ in now), default=0.0)),
        }  # fmt: skip
        for name, (what, value) in most.items():
            _head(lines, f"fastaudio_live_{name}", what, "gauge")
            lines.append(f"fastaudio_live_{name} {_digits(value)}")


def _counts_of(stats: LiveStats, rate: int) -> dict[str, Any]:
    return {
        "captured_seconds": stats.captured / rate,
        "dropped_seconds": stats.dropped / rate,
        "busy_seconds": stats.busy_s,
        "gaps": stats.gaps,
        "results_dropped": stats.results_dropped,
    }


def _digits(value: float) -> str:
    return f"{value:.6f}".rstrip("0").rstrip(".")


def _head(lines: list[str], name: str, what: str, kind: str) -> None:
    lines += [f"# HELP {name} {what}", f"# TYPE {name} {kind}"]


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
