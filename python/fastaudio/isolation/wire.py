"""Messages between a pipeline and its process: a header in JSON, and arrays of numbers behind it.

Nothing here can run code or make any other object: no pickle, in either direction.
"""

from __future__ import annotations

import json
import math
import struct
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from fastaudio._core import FastaudioError

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

LARGEST_HEADER, _MOST_ITEMS = 1 << 24, 1 << 21
"""Bytes that a header may have, and values: an answer with the labels of all outputs is the longest."""

LOOK_S = 0.1
"""How often a wait looks whether it shall end, in seconds."""

TYPES: dict[str, np.dtype[Any]] = {
    "float32": np.dtype("<f4"),
    "int16": np.dtype("<i2"),
    "bytes": np.dtype("u1"),
}

_FRAME = struct.Struct("<4sIQ")  # magic, bytes of the header, bytes of the arrays
_MAGIC = b"fas1"
_MOST_ARRAYS = 4096
_MOST_AXES = 32
_SENT_AT_ONCE = 1 << 18


class IsolationError(FastaudioError, RuntimeError):
    """The process of an isolated pipeline ended, was too slow, or gave an answer that can't be right."""


class TooLongError(IsolationError):
    """A message isn't sent, as its header is longer than a header may be.

    Attributes:
        expected: what may be sent, and what there was.
    """

    def __init__(self, expected: str) -> None:
        """Say what may be sent, and what there was."""
        super().__init__(f"isolation: expected {expected}")
        self.expected = expected


class ClosedError(Exception):
    """The other side has closed its end."""


@dataclass
class Message:
    """A message: what it is, its fields, and the layout of the arrays behind it: a type and a shape each."""

    kind: str
    fields: dict[str, Any]
    layout: list[tuple[str, tuple[int, ...]]] = field(default_factory=list)

    @property
    def n_bytes(self) -> int:
        """Bytes of all arrays."""
        return sum(math.prod(shape) * TYPES[kind].itemsize for kind, shape in self.layout)


class Channel:
    """One end of the connection. Threads may send at once, but only one may receive."""

    def __init__(self, connection: socket.socket, look: Callable[[], None]) -> None:
        """Take a connection; `look` is called while waiting, and may raise to end the wait."""
        self._connection = connection
        self._look = look
        self._sending = threading.Lock()
        connection.settimeout(LOOK_S)

    def send(
        self,
        kind: str,
        fields: Mapping[str, Any],
        arrays: Sequence[NDArray[Any]] = (),
        *,
        until_s: float = math.inf,
    ) -> None:
        """Send a message; TimeoutError once `time.monotonic()` is past `until_s`."""
        names = {dtype: name for name, dtype in TYPES.items()}
        layout = [[names[array.dtype], list(array.shape)] for array in arrays]
        # What isn't JSON goes as its repr: the other side refuses it by what it expected.
        header = json.dumps({**fields, "kind": kind, "arrays": layout}, default=repr).encode("ascii")
        if len(header) > LARGEST_HEADER or (n_items := _n_items(header)) > _MOST_ITEMS:
            got = f"{len(header)} bytes" if len(header) > LARGEST_HEADER else f"{n_items} values"
            raise TooLongError(
                f"at most {LARGEST_HEADER} bytes and {_MOST_ITEMS} values of names and labels, got {got}"
            )
        n_bytes = sum(array.nbytes for array in arrays)
        with self._sending:
            self._send(_FRAME.pack(_MAGIC, len(header), n_bytes) + header, until_s)
            for array in arrays:
                if array.nbytes:
                    self._send(np.ascontiguousarray(array).data.cast("B"), until_s)

    def receive(self, *, until_s: float = math.inf) -> Message:
        """Return the next message without its arrays, which `read_arrays` has to take next.

        Raises:
            IsolationError: it isn't of this protocol.
            ClosedError: the other side has closed its end.
            TimeoutError: `time.monotonic()` is past `until_s`.
        """
        self._look()  # the other side may always answer before there is a wait
        magic, header_bytes, arrays_bytes = _FRAME.unpack(self._receive(_FRAME.size, until_s))
        if magic != _MAGIC or not 0 < header_bytes <= LARGEST_HEADER:
            raise IsolationError("isolation: expected a message, got other bytes")
        message = _parsed(self._receive(header_bytes, until_s))
        if message.n_bytes != arrays_bytes:
            raise IsolationError("isolation: expected arrays of the sizes stated, got others")
        return message

    def read_arrays(self, message: Message, *, until_s: float = math.inf) -> list[NDArray[Any]]:
        """Return a message's arrays; the caller has checked their layout, so that they may be allocated."""
        arrays = [np.empty(shape, TYPES[kind]) for kind, shape in message.layout]
        for array in arrays:
            if array.nbytes:
                self._receive_into(array.data.cast("B"), until_s)
        return arrays

    def close(self) -> None:
        """Close this end."""
        self._connection.close()

    def _send(self, data: bytes | memoryview, until_s: float) -> None:
        view = memoryview(data)
        while view.nbytes:
            try:
                view = view[self._connection.send(view[:_SENT_AT_ONCE]) :]
            except TimeoutError:
                self._waited(until_s)
            except OSError as error:
                raise ClosedError from error

    def _receive(self, n_bytes: int, until_s: float) -> bytearray:
        data = bytearray(n_bytes)
        self._receive_into(memoryview(data), until_s)
        return data

    def _receive_into(self, view: memoryview, until_s: float) -> None:
        while view.nbytes:
            try:
                got = self._connection.recv_into(view)
            except TimeoutError:
                got = None
            except OSError as error:
                raise ClosedError from error
            if got == 0:
                raise ClosedError
            if got is not None:
                view = view[got:]
            if view.nbytes:
                self._waited(until_s)

    def _waited(self, until_s: float) -> None:
        self._look()
        if time.monotonic() > until_s:
            raise TimeoutError


def _n_items(header: bytes | bytearray) -> int:
    """Return how many values JSON holds, counted by what stands between them; texts hold these too."""
    return sum(map(header.count, (b",", b"[", b"{")))


def _parsed(header: bytearray) -> Message:
    try:
        if _n_items(header) > _MOST_ITEMS:
            raise ValueError("items")  # noqa: TRY301
        data = json.loads(header.decode("ascii"))
        kind, arrays = data.pop("kind"), data.pop("arrays")
        layout = [(name, tuple(shape)) for name, shape in arrays]
        sizes = [size for _, shape in layout for size in shape]
        known = isinstance(kind, str) and all(isinstance(name, str) and name in TYPES for name, _ in layout)
        sane = len(layout) <= _MOST_ARRAYS and all(len(shape) <= _MOST_AXES for _, shape in layout)
        if not known or not sane or not all(type(size) is int and 0 <= size < 1 << 48 for size in sizes):
            raise ValueError("layout")  # noqa: TRY301
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise IsolationError("isolation: expected a message, got one without its parts") from error
    return Message(kind, data, layout)
