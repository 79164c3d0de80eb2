"""Bounds of an isolated process: those that its owner sets, and how the system holds it to them."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, fields

_DESCRIPTORS = 64
_NO_NEW_PRIVILEGES = 38
_LANDLOCK_CREATE, _LANDLOCK_RESTRICT = 444, 446  # the same numbers on every machine
_LANDLOCK_FILES = (1 << 13) - 1  # every right over files that the first version of Landlock knows


@dataclass(frozen=True)
class Limits:
    """Bounds of an isolated process.

    Attributes:
        memory_mb: address space in MB of 10**6 bytes. The libraries alone take some 350 to 400 of
            them, and each thread of the network some more.
        answer_s: seconds that it may be silent while it is asked: it reports after each block of sound, of
            3 s or less at 44,100 Hz.
        result_mb: results of one call in MB, which the owner's own process holds.
    """

    memory_mb: int = 4000
    answer_s: float = 120.0
    result_mb: int = 1000

    def __post_init__(self) -> None:
        for one in fields(self):
            value = getattr(self, one.name)
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise TypeError(f"Limits: expected {one.name} as a number, got {value!r:.80}")
            if not 0 < value <= 1e9:  # noqa: PLR2004
                raise ValueError(f"Limits: expected {one.name} above 0 and at most 1e9, got {value!r:.80}")


def chosen_limits(isolate: bool | Limits) -> Limits | None:
    """Return the bounds that `isolate=` of `Pipeline.load` chose: None for False, the usual ones for True.

    Raises:
        TypeError: it is something else.
    """
    if isinstance(isolate, Limits):
        return isolate
    if not isinstance(isolate, bool):
        got = f"{isolate!r:.80} ({type(isolate).__name__})"
        raise TypeError(f"Pipeline.load: expected isolate as True, False or Limits, got {got}")
    return Limits() if isolate else None


def restrict_resources(memory_bytes: int) -> None:
    """Bound this process's memory and descriptors; it can't lengthen a file nor leave a core file."""
    import resource  # noqa: PLC0415  # not on Windows

    bounds = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_NOFILE: _DESCRIPTORS,
        resource.RLIMIT_AS: memory_bytes,
    }
    for which, wanted in bounds.items():
        _, hard = resource.getrlimit(which)
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        try:
            resource.setrlimit(which, (most, most))
        except (OSError, ValueError):  # macOS takes no bound of the address space
            if which != resource.RLIMIT_AS:
                raise


def restrict_rights() -> list[str]:
    """Take this process's rights to open files and to make most system calls; return what is in force."""
    if sys.platform != "linux":
        return []
    import ctypes  # noqa: PLC0415  # only in the process that restricts itself

    from fastaudio.isolation.syscalls import restrict_calls  # noqa: PLC0415

    system = ctypes.CDLL(None, use_errno=True)
    if system.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) != 0:
        return []
    held = ["no_new_privs"]
    handled = ctypes.c_uint64(_LANDLOCK_FILES)
    rules = system.syscall(_LANDLOCK_CREATE, ctypes.byref(handled), ctypes.sizeof(handled), 0)
    if rules >= 0:
        held += ["landlock"] if system.syscall(_LANDLOCK_RESTRICT, rules, 0) == 0 else []
        os.close(rules)
    if restrict_calls(system):
        held.append("seccomp")
    return held
