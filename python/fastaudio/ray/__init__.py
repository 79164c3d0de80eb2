"""Scans on many machines, by Ray: paths travel, never sound, and each worker writes the tables of its files.

    fastaudio.ray.scan(["archive/"], "scanned", address="auto")      # as fastaudio scan --ray auto
    ray.data.from_items(paths).map_batches(fastaudio.ray.Scan, concurrency=8)   # a step of Ray Data

It needs the extra [ray]; `import fastaudio` never imports Ray.

`units` deals files out, `outcomes` are what comes back; `worker` runs over them, in a process with a pipeline
of its own, and `step` has it as a step of Ray Data; `cluster` starts or finds Ray; `driver` keeps workers
busy, and goes on without those that end.
"""

import os

from fastaudio.ray.driver import scan
from fastaudio.ray.step import Scan

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # read as a program starts a cluster of its own

__all__ = ["Scan", "scan"]
