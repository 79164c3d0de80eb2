"""Calls in a scope end when they are asked to, and say who asked."""

from __future__ import annotations

import threading
import time

import fastaudio as fa
import pytest
from fastaudio import _core


def wait() -> None:
    """Work for a minute, unless it is ended."""
    end_s = time.monotonic() + 60
    while time.monotonic() < end_s:
        _core.check_interrupt()


def test_outside_a_scope_nothing_ends() -> None:
    _core.check_interrupt()


def test_a_cancelled_call_says_so() -> None:
    cancel = fa.Cancel()
    assert not cancel.cancelled
    threading.Timer(0.05, cancel.cancel).start()
    with (
        _core.Interruptible(cancel),
        pytest.raises(fa.Cancelled, match=r"^call: expected to go on to its end, got cancelled$"),
    ):
        wait()
    assert cancel.cancelled
    _core.check_interrupt()  # the scope is over


def test_a_time_limit_says_how_long_it_was() -> None:
    with (
        _core.Interruptible(timeout_s=0.05),
        _core.Interruptible(timeout_s=50),
        pytest.raises(TimeoutError, match=r"^call: expected an end within 0\.05 s, got none"),
    ):
        wait()
    assert issubclass(fa.TimedOut, fa.FastaudioError)


@pytest.mark.parametrize("timeout_s", [0, -1, float("nan")])
def test_a_time_limit_is_above_0(timeout_s: float) -> None:
    with pytest.raises(ValueError, match=r"^timeout_s: expected a number of seconds above 0, or None, got "):
        _core.Interruptible(timeout_s=timeout_s)


def test_scopes_are_left_in_order_by_their_thread() -> None:
    outer, inner = _core.Interruptible(timeout_s=50), _core.Interruptible(timeout_s=60)
    with outer:
        with pytest.raises(fa.StateError, match="entered once"):
            outer.__enter__()
        with inner:
            with pytest.raises(fa.StateError, match="left first"):
                outer.__exit__()
            failed: list[BaseException] = []

            def leave() -> None:
                try:
                    inner.__exit__()
                except fa.StateError as error:
                    failed.append(error)

            thread = threading.Thread(target=leave)
            thread.start()
            thread.join()
            assert failed
