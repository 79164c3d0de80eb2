"""Decoding in a thread, some blocks ahead of the caller."""

from __future__ import annotations

import queue
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    Block: TypeAlias = NDArray[np.float32]
    Decode: TypeAlias = Callable[[Block | None], Block | None]


def buffer_of(block: Block) -> Block:
    """Return the buffer whose first part the block is."""
    return block.base if isinstance(block.base, np.ndarray) else block


@contextmanager
def read_ahead(decode: Decode, n_blocks: int) -> Iterator[Callable[[], Any]]:
    """Run `decode(buffer)` in a thread, up to `n_blocks` ahead; leaving the context stops the thread.

    `decode` fills the buffer, or a new one for None, and returns the filled part, or None at the end. The
    context gives a function that returns the next block, the exception that ended decoding, or None at the
    end; it reuses the buffer of the block before.
    """
    ready: queue.Queue[Any] = queue.Queue()
    spare: queue.Queue[Block | None] = queue.Queue()
    for _ in range(n_blocks):
        spare.put(None)
    stop = threading.Event()

    def work() -> None:
        try:
            while True:
                buffer = spare.get()
                if stop.is_set():
                    return
                item = decode(buffer)
                ready.put(item)
                if item is None:
                    return
        except BaseException as error:  # noqa: BLE001  # the caller raises it again
            ready.put(error)

    thread = threading.Thread(target=work, name="fastaudio-decode", daemon=True)
    thread.start()
    taken: list[Block] = []

    def take() -> Any:
        if taken:
            spare.put(buffer_of(taken.pop()))
        item = ready.get()
        if isinstance(item, np.ndarray):
            taken.append(item)
        return item

    try:
        yield take
    finally:
        stop.set()
        spare.put(None)
        thread.join()
