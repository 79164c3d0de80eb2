"""Ctrl-C while a thread starts comes out as it is: who leaves then joins no thread that hasn't begun."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from fastaudio.live.sources import FileSource
from helpers import GUITAR
from live_helpers import features

if TYPE_CHECKING:
    from collections.abc import Callable

PIPELINE = features()


class Again(FileSource):
    """A file that may be looked for again, as a device may."""

    def again(self) -> FileSource:
        return FileSource(GUITAR)


@pytest.fixture
def interrupted(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Has every start of a thread interrupted from now on."""

    def start(_: threading.Thread) -> None:
        raise KeyboardInterrupt

    return lambda: monkeypatch.setattr(threading.Thread, "start", start)


def test_of_a_run_over_many_files(interrupted: Callable[[], None]) -> None:
    interrupted()
    with pytest.raises(KeyboardInterrupt):
        list(PIPELINE.map([GUITAR] * 3, jobs=2))


@pytest.mark.parametrize("retry_s", [None, 1.0])
def test_of_a_source(interrupted: Callable[[], None], retry_s: float | None) -> None:
    source = Again(GUITAR)
    with PIPELINE.live(16_000):  # which starts what all streams share
        pass
    interrupted()
    with pytest.raises(KeyboardInterrupt):
        PIPELINE.listen(source, retry_s=retry_s)
