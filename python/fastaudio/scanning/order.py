"""In which order files are run over, so that no core waits at the end for the longest one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fastaudio.scanning.entries import Entry


def in_order(entries: Sequence[Entry], n_jobs: int) -> tuple[list[Entry], list[Entry]]:
    """Return the files whose networks run on all cores, and the others; both with the largest first.

    A file is one of the former if it is more than a core's share of what is left. Sizes stand for lengths;
    files of unknown size come last.
    """
    largest_first = sorted(entries, key=lambda entry: (-entry.size, entry.path))
    left = sum(max(0, entry.size) for entry in entries)
    n_wide = 0
    if n_jobs > 1:
        for entry in largest_first:
            if entry.size <= 0 or entry.size * n_jobs <= left:
                break
            left -= entry.size
            n_wide += 1
    return largest_first[:n_wide], largest_first[n_wide:]
