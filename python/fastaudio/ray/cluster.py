"""Ray itself: a cluster that is there, or one of this machine's own."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from fastaudio._core import FastaudioError
from fastaudio._system.extras import require

if TYPE_CHECKING:
    from collections.abc import Iterator

_STORE_BYTES = 100_000_000  # only paths and counts travel


class ClusterError(FastaudioError, RuntimeError):
    """There is no Ray where it was said to be, or its workers can't do their work."""


@contextmanager
def connected(address: str, n_workers: int | None) -> Iterator[tuple[Any, int]]:
    """Give Ray's module and a number of workers: `n_workers`, or one for each of its processors.

    `address` is "local" for a cluster of this process's own, which ends with it, or as `ray.init` takes it. A
    program that is connected already stays so.

    Raises:
        ClusterError: there is no Ray at this address.
        MissingExtra: Ray isn't installed.
    """
    ray = require("ray", extra="ray", what="fastaudio.ray")
    mine = not ray.is_initialized()
    if mine:
        how: dict[str, Any] = {"log_to_driver": False, "logging_level": "error"}
        if address == "local":
            n_cpus = n_workers or os.cpu_count() or 1
            how |= {"num_cpus": n_cpus, "include_dashboard": False, "object_store_memory": _STORE_BYTES}
        try:
            ray.init(address=address, **how)
        except Exception as error:  # Ray raises errors of many kinds
            raise ClusterError(
                f"Ray: expected a cluster at {address:.200}, got {type(error).__name__}: {error!s:.200}; "
                "name the address of one, auto, or local"
            ) from error
    try:
        yield ray, n_workers or max(1, int(ray.cluster_resources().get("CPU", 1)))
    finally:
        if mine:
            ray.shutdown()
