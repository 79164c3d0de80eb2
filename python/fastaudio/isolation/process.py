"""One isolated process: started fresh, asked by messages, and ended without being asked."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import time
from typing import TYPE_CHECKING, Any, NoReturn

from fastaudio._core import check_interrupt
from fastaudio.isolation import answers
from fastaudio.isolation.wire import Channel, ClosedError, IsolationError, Message

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from fastaudio.isolation.limits import Limits

_PROGRAM = """
import sys, json
how = json.loads(sys.argv[1])
sys.path += [entry for entry in how["path"] if entry not in sys.path]
from fastaudio.isolation.child import main
main(how["descriptor"], how["owner"], how["memory_bytes"])
"""
# Where libraries are found, and how many threads they use. Nothing else of the environment is handed on.
_KEPT = ("LD_LIBRARY_PATH", "LD_PRELOAD", "DYLD_LIBRARY_PATH", "OMP_NUM_THREADS", "SYSTEMROOT")
_STARTS_S = 60.0  # a busy machine takes long to load Python and the libraries, before anything untrusted
_ENDS_S = 2.0

CLOSED = (
    "isolation: expected an answer, got a pipeline or a stream that was closed meanwhile; "
    "call or open it again"
)
"""The message if its owner ended the process."""


class Process:
    """A process of its own and the connection to it; one thread at a time.

    Attributes:
        guards: what the system holds it to, such as "seccomp", as the process itself stated it.
        pid: its number.
        busy: whether it owes an answer, or its owner hasn't taken all of it; `idle` ends that.
        ended: whether its owner ended it, or knows that it has ended.
    """

    def __init__(self, limits: Limits) -> None:
        """Start it; `begin` waits until it can be asked.

        Raises:
            IsolationError: it can't be started here.
        """
        import socket  # noqa: PLC0415  # these take time, and few need them
        import subprocess  # noqa: PLC0415

        self._closed = False  # by who uses it
        if sys.platform == "win32" or not sys.executable or getattr(sys, "frozen", False):
            got = f"{sys.platform} with {sys.executable or 'none'}"
            raise IsolationError(
                f"isolation: expected Linux or macOS with a Python that starts anew, got {got}"
            )
        self._limits = limits
        self.busy = self.ended = False
        own, other = socket.socketpair()
        how = {
            "path": [os.path.abspath(entry) for entry in sys.path if entry],  # noqa: PTH100
            "descriptor": other.fileno(),
            "owner": os.getpid(),
            "memory_bytes": int(limits.memory_mb * 1e6),
        }
        environment = {
            name: value
            for name, value in os.environ.items()
            if name in _KEPT or name.startswith("FASTAUDIO_")
        }
        try:
            self._process: subprocess.Popen[bytes] = subprocess.Popen(  # noqa: S603
                [sys.executable, "-I", "-c", _PROGRAM, json.dumps(how)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=environment | {"OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"},  # less memory
                pass_fds=[other.fileno()],
                cwd="/",
                start_new_session=True,  # a terminal sends Ctrl-C to the owner only, who may go on
            )
        except OSError as error:
            own.close()
            raise IsolationError(f"isolation: expected a process to start, got {error}") from error
        finally:
            other.close()
        self.pid = self._process.pid
        self.guards: tuple[str, ...] = ()
        self._channel = Channel(own, check_interrupt)

    def begin(self) -> None:
        """Wait until it has loaded its libraries and given up its rights.

        Raises:
            IsolationError: it ended, or took too long.
        """
        try:
            ready = self.receive("ready", within_s=max(_STARTS_S, self._limits.answer_s))
            self.guards = answers.texts(ready.fields.get("guards"), "guards")
        except BaseException:
            self.end()
            raise

    @property
    def alive(self) -> bool:
        """Whether it can be asked."""
        return self._process.poll() is None

    def ask(
        self, kind: str, fields: Mapping[str, Any], arrays: Sequence[NDArray[Any]] = (), *, gives: str
    ) -> Message:
        """Send a message and return its answer, of the kind `gives`; call `idle` once it is taken."""
        self.send(kind, fields, arrays)
        return self.receive(gives)

    def idle(self) -> None:
        """Say that all of its answer was taken."""
        self.busy = False

    def send(self, kind: str, fields: Mapping[str, Any], arrays: Sequence[NDArray[Any]] = ()) -> None:
        """Send a message.

        Raises:
            IsolationError: the process ended, or takes nothing.
        """
        self.busy = True
        with self._ending():
            self._channel.send(kind, fields, arrays, until_s=self._until_s())

    def receive(self, *kinds: str, path: str = "", within_s: float | None = None) -> Message:
        """Return the next message, of one of these kinds; the process is ended if anything is wrong with it.

        Raises:
            IsolationError: the process ended, was too slow, or gave no such message.
            Exception: the error that the process met; it goes on then. `path` is the file's in a DecodeError.
        """
        with self._ending():
            message = self._channel.receive(until_s=self._until_s(within_s))
            if message.kind == "error" and not message.layout:
                error = answers.error_of(message.fields, path)
            elif message.kind not in kinds:
                answers.wrong(" or ".join(kinds))
            else:
                return message
        self.busy = False
        raise error

    def arrays_of(self, message: Message) -> list[NDArray[Any]]:
        """Return the arrays of a message whose layout was checked."""
        with self._ending():
            return self._channel.read_arrays(message, until_s=self._until_s())

    def checked(self) -> contextlib.AbstractContextManager[None]:
        """Return a context for what is made of an answer: an error in it ends the process."""
        return self._ending()

    def kill(self) -> None:
        """End it from another thread than that which talks to it."""
        self._closed = self.ended = True
        self._process.kill()
        self._process.wait()

    def end(self) -> None:
        """End it at once, and close the connection; may be called twice."""
        self.ended = True
        self._channel.close()
        if self._process.returncode is None:
            self._process.kill()
            self._process.wait()

    def forget(self) -> None:
        """Close this copy of the connection, in a child that was forked from the owner."""
        self.ended = True
        self._channel.close()
        self._process.returncode = 0  # it isn't this process's to wait for

    def _until_s(self, within_s: float | None = None) -> float:
        return time.monotonic() + (self._limits.answer_s if within_s is None else within_s)

    @contextlib.contextmanager
    def _ending(self) -> Any:
        """End the process at any error, Ctrl-C among them: what it would send next belongs to nobody."""
        try:
            yield
        except ClosedError:
            self._died()
        except TimeoutError as error:
            self.end()
            if type(error) is not TimeoutError:  # not the wait's own
                raise
            raise IsolationError(
                f"isolation: expected an answer within {self._limits.answer_s:.3g} s, got none, so that the "
                "process was ended; raise answer_s of Limits if it needs longer"
            ) from None
        except BaseException:
            self.end()
            raise

    def _died(self) -> NoReturn:
        import subprocess  # noqa: PLC0415

        self._channel.close()
        try:
            status = self._process.wait(_ENDS_S)
        except subprocess.TimeoutExpired:
            status = None
        self.end()
        raise IsolationError(
            CLOSED
            if self._closed
            else f"isolation: expected an answer, got the end of the process: {_told(status)}"
        ) from None


def _told(status: int | None) -> str:
    if status is None:
        return "it closed the connection"
    if status >= 0:
        return f"it ended with status {status}; if it had just started, memory_mb of Limits is too low"
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = f"signal {-status}"
    why = {
        "SIGKILL": "was killed, perhaps by the system for want of memory",
        "SIGSEGV": "crashed, as a faulty decoder does",
        "SIGABRT": "gave up, as a library does that gets no memory",
        "SIGSYS": "made a forbidden system call",
        "SIGXFSZ": "tried to write a file",
    }.get(name, "ended")
    return f"it {why} ({name})"
