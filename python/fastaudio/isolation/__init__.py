"""Pipelines whose decoding and network run in a process of their own, which may do little else.

`composition` is such a pipeline as its owner sees it, `runs` one run of it over a file or a stream. `children` keeps
the processes and `process` talks to one of them, by messages of `wire`; `answers` checks all that comes back, as the
other side is taken to be hostile. `model` is what a process is given to build. `child` is the program that runs
there, within the bounds of `limits`: those of the system, and the system calls that `syscalls` leaves it.
"""
