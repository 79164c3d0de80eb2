"""Pipelines whose decoding and network run in processes of their own, which may do little else.

`composition` is such a pipeline as its owner sees it, `runs` one run of it over a file or a stream, and
`reading` the thread that reads the file. `children` keeps the processes, and `process` talks to one of them
by messages of `wire`. The other side is taken to be hostile, so `answers` checks all that comes back. `model`
is what a process is given to build, and `child` the program that runs there: within the bounds of `limits`,
with the system calls of `syscalls`.
"""
