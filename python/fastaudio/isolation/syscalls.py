"""Which system calls an isolated process may make once it is ready: a filter that the Linux kernel applies.

The list is what Python's, NumPy's and ONNX Runtime's own work needs: memory, threads, clocks, and the
descriptors that are open already. Any other call fails with EPERM: none opens a file or a socket, starts a
program, or ends another process.
"""

from __future__ import annotations

import platform
import struct
import sys
from typing import Any

# Names and numbers as the kernel has them for x86-64 and for aarch64; None where it has no such call.
_ALLOWED: dict[str, tuple[int | None, int | None]] = {
    "read": (0, 63),
    "write": (1, 64),
    "readv": (19, 65),
    "writev": (20, 66),
    "close": (3, 57),
    "fstat": (5, 80),
    "lseek": (8, 62),
    "poll": (7, None),
    "ppoll": (271, 73),
    "select": (23, None),
    "pselect6": (270, 72),
    "recvfrom": (45, 207),
    "sendto": (44, 206),
    "getsockopt": (55, 209),
    "mmap": (9, 222),
    "mprotect": (10, 226),
    "munmap": (11, 215),
    "mremap": (25, 216),
    "madvise": (28, 233),
    "brk": (12, 214),
    "membarrier": (324, 283),
    "futex": (202, 98),
    "set_robust_list": (273, 99),
    "rseq": (334, 293),
    "sched_yield": (24, 124),
    "sched_getaffinity": (204, 123),
    "sched_getparam": (143, 121),
    "sched_getscheduler": (145, 120),
    "getcpu": (309, 168),
    "arch_prctl": (158, None),
    "nanosleep": (35, 101),
    "clock_nanosleep": (230, 115),
    "clock_gettime": (228, 113),
    "clock_getres": (229, 114),
    "gettimeofday": (96, 169),
    "time": (201, None),
    "getrandom": (318, 278),
    "getcwd": (79, 17),
    "getpid": (39, 172),
    "getppid": (110, 173),
    "gettid": (186, 178),
    "getuid": (102, 174),
    "geteuid": (107, 175),
    "getgid": (104, 176),
    "getegid": (108, 177),
    "getrusage": (98, 165),
    "getrlimit": (97, 163),
    "uname": (63, 160),
    "sysinfo": (99, 179),
    "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "sigaltstack": (131, 132),
    "restart_syscall": (219, 128),
    "exit": (60, 93),
    "exit_group": (231, 94),
}
# Refused as if the kernel didn't have it: the C library then starts threads by clone, with visible flags.
_CLONE3 = 435
_CLONE = (56, 220)
_KILL_ONE = (234, 131)  # tgkill, by which abort() ends the process: to this process only
_MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}  # column above, the kernel's name for it

_LOAD, _EQUAL, _SET, _RETURN = 0x20, 0x15, 0x45, 0x06
_NUMBER, _MACHINE, _FIRST_ARGUMENT = 0, 4, 16
_ALLOW, _FAIL, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_EPERM, _ENOSYS = 1, 38
_THREAD = 0x00010000
_SET_FILTER, _ALL_THREADS = 1, 1
_SECCOMP = (317, 277)


def program(machine: str, pid: int) -> bytes | None:
    """Return the filter for a kind of machine and a process; None for one whose numbers aren't listed."""
    if machine not in _MACHINES:
        return None
    column, architecture = _MACHINES[machine]
    numbers = sorted(pair[column] for pair in _ALLOWED.values() if pair[column] is not None)  # type: ignore[type-var]
    code = [
        _step(_LOAD, _MACHINE),
        _step(_EQUAL, architecture, 1, 0),
        _step(_RETURN, _KILL),
        _step(_LOAD, _NUMBER),
    ]
    for number in numbers:
        assert number is not None
        code += [_step(_EQUAL, number, 0, 1), _step(_RETURN, _ALLOW)]
    code += [_step(_EQUAL, _CLONE3, 0, 1), _step(_RETURN, _FAIL | _ENOSYS)]
    code += [
        _step(_EQUAL, _CLONE[column], 0, 4),  # a thread, but no process
        _step(_LOAD, _FIRST_ARGUMENT),
        _step(_SET, _THREAD, 0, 1),
        _step(_RETURN, _ALLOW),
        _step(_RETURN, _FAIL | _EPERM),
    ]
    code += [
        _step(_EQUAL, _KILL_ONE[column], 0, 4),
        _step(_LOAD, _FIRST_ARGUMENT),
        _step(_EQUAL, pid, 0, 1),
        _step(_RETURN, _ALLOW),
        _step(_RETURN, _FAIL | _EPERM),
    ]
    return b"".join([*code, _step(_RETURN, _FAIL | _EPERM)])


def _step(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("<HBBI", code, if_true, if_false, value)


def restrict_calls(system: Any) -> bool:
    """Hold all threads to the list; return whether the kernel took it. `system` is the C library."""
    import ctypes  # noqa: PLC0415
    import os  # noqa: PLC0415

    if sys.byteorder != "little" or sys.maxsize <= 1 << 32:
        return False
    code = program(platform.machine(), os.getpid())
    if code is None:
        return False
    held = ctypes.create_string_buffer(code, len(code))
    described = struct.pack("@HxxxxxxQ", len(code) // 8, ctypes.addressof(held))
    column = _MACHINES[platform.machine()][0]
    return bool(system.syscall(_SECCOMP[column], _SET_FILTER, _ALL_THREADS, described) == 0)
