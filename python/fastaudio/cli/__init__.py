"""The command line. Each command is a module with `add(commands)`, which adds its parser.

Commands: `tag`, `plot`, `embed`, `features`, `scan`, `search`, `review`, `summarize`, `listen`, `serve`,
`train`, `evaluate`, `importing` (the command `import`), `export`, `quantize`, `pack`, `devices`, `models`,
`get`, `info`.
Shared: `running` runs them; `parsing`, `arguments`, `help_text` and `completion`; `ahead` loads what a
command needs soon; `leaving` ends the program; `terminal` is what stands at stdout and stderr; `files` runs
over files and `progress` shows it; `forms` are the forms of results, `events` has the options of events, and
`start` has --start; `kinds` tells what kind of sound it is; `write` gives the text of tags and events,
`results` takes it to where it belongs, `unfinished` keeps what is done for --resume; `embedding_files` and
`standardize` serve embed, `row_spool` and `pairs` features, `labels` train and evaluate, `embedded` train,
`stretches` search and review, `playing` review, `tensors` and `listing` models; `input`, `keeping`, `record`,
`clips` in a `clips_room`, `quiet`, `ears`, `together`, `audience`, `live_lines`, `live_forms`, `screen`, its
`board`, `reporting` (MQTT) and `alerting` serve listen.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, NoReturn

from fastaudio.cli.ahead import Ahead

if TYPE_CHECKING:
    from collections.abc import Sequence

_STDERR = 2
_INTERRUPTED = 130  # the exit status, as in `arguments`


def program() -> NoReturn:
    """Run the command line as the whole of a process, and end that."""
    try:
        from fastaudio.cli.leaving import leave  # noqa: PLC0415  # within reach of `except`

        leave(main())
    except KeyboardInterrupt:  # before `run` could tell it, or after
        with suppress(OSError, ValueError):
            sys.stderr.write("fastaudio: interrupted\n")
        sys.exit(_INTERRUPTED)
    finally:
        _give_up_stderr()


def _give_up_stderr() -> None:
    """Let what can't be written to stderr go nowhere: Python would change the exit status for it."""
    try:
        if sys.stderr is not None:
            sys.stderr.flush()
    except (OSError, ValueError):
        with suppress(OSError, ValueError):  # it is no file
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    # Else the next file that is opened would get the number of a standard stream that is closed.
    while (number := os.open(os.devnull, os.O_RDWR)) <= _STDERR:
        pass
    os.close(number)
    ahead = Ahead(sys.argv[1:] if argv is None else argv, program=argv is None)
    try:
        from fastaudio.cli.running import run  # noqa: PLC0415  # while libraries are opened
    except BaseException:
        ahead.cancel()
        raise
    return run(argv, ahead)
