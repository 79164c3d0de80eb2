"""Results that nobody takes: a push says so, and the documentation's pattern works for hours."""

from __future__ import annotations

import asyncio
import re
import threading
import time
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest
import soundfile
from helpers import ROOT
from live_helpers import LIMIT_S, RATE_HZ, background, drain, features, feed, noise, rows_of, wait_until

if TYPE_CHECKING:
    from pathlib import Path

FEATURES = features()
SOUND = noise(20 * RATE_HZ)


def test_pushing_everything_first_raises_and_says_what_to_do() -> None:
    with FEATURES.live(RATE_HZ, buffer_s=1, max_results=3, push_timeout_s=0.2) as stream:
        with pytest.raises(
            fa.Overrun, match=r"^live: expected results to be taken while .* for 0.2 s while"
        ) as error:
            stream.push(SOUND)
        assert "take them in another thread, or choose overflow 'drop_oldest'" in str(error.value)
        n = stream.stats().captured
        assert 0 < n < len(SOUND)
        with pytest.raises(fa.Overrun):  # the next one waits again
            stream.push(SOUND[n:])
        n = stream.stats().captured
        items = drain(stream)
    assert rows_of(items).tobytes() == FEATURES(SOUND[:n], sample_rate=RATE_HZ).tobytes()


def test_what_the_message_advises_works() -> None:
    options: dict[str, Any] = {"buffer_s": 1, "max_results": 3, "push_timeout_s": LIMIT_S}
    with FEATURES.live(RATE_HZ, **options) as stream, background(feed, stream, [SOUND]):
        items = list(stream)
    assert rows_of(items).tobytes() == FEATURES(SOUND, sample_rate=RATE_HZ).tobytes()
    with FEATURES.live(RATE_HZ, overflow="drop_oldest", max_results=3, push_timeout_s=0.2) as stream:
        stream.push(SOUND)
        assert drain(stream)


def test_threads_that_wait_for_another_ones_push_raise_as_well() -> None:
    errors: list[Exception] = []

    def push(stream: fa.live.LiveStream) -> None:
        try:
            stream.push(SOUND)
        except fa.Overrun as error:
            errors.append(error)

    with FEATURES.live(RATE_HZ, buffer_s=1, max_results=3, push_timeout_s=0.3) as stream:
        threads = [threading.Thread(target=push, args=(stream,)) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(LIMIT_S)
    assert len(errors) == 3


@pytest.mark.parametrize("push_timeout_s", [None, 0, 100])
def test_a_consumer_that_comes_late_finds_everything(push_timeout_s: float | None) -> None:
    options: dict[str, Any] = {"buffer_s": 1, "max_results": 3, "push_timeout_s": push_timeout_s}
    with FEATURES.live(RATE_HZ, **options) as stream, background(feed, stream, [SOUND]) as pusher:
        wait_until(lambda: stream.stats().results_waiting >= 3)
        pusher.join(0.3)
        assert pusher.is_alive()
        items = list(stream)
    assert rows_of(items).tobytes() == FEATURES(SOUND, sample_rate=RATE_HZ).tobytes()


def test_who_takes_results_slowly_is_somebody() -> None:
    options: dict[str, Any] = {"buffer_s": 1, "max_results": 3, "push_timeout_s": 2}
    items = []
    with FEATURES.live(RATE_HZ, **options) as stream, background(feed, stream, [SOUND[: 4 * RATE_HZ]]):
        for k, item in enumerate(stream):
            items.append(item)
            if k < 8:
                time.sleep(0.3)  # for longer than the limit together, and much shorter alone
    assert rows_of(items).tobytes() == FEATURES(SOUND[: 4 * RATE_HZ], sample_rate=RATE_HZ).tobytes()


def test_a_close_ends_a_push_that_waits() -> None:
    errors: list[Exception] = []

    def push() -> None:
        try:
            stream.push(SOUND)
        except fa.StateError as error:
            errors.append(error)

    stream = FEATURES.live(RATE_HZ, buffer_s=1, max_results=3)
    thread = threading.Thread(target=push)
    thread.start()
    wait_until(lambda: stream.stats().results_waiting >= 3)
    stream.close()
    thread.join(LIMIT_S)
    assert "expected no sound after close" in str(errors[0])


def test_an_event_loop_that_pushes_and_takes_in_turn_is_told() -> None:
    async def main() -> None:
        async with FEATURES.live(RATE_HZ, buffer_s=1, max_results=3, push_timeout_s=0.2) as stream:
            stream.push(SOUND)

    with pytest.raises(fa.Overrun):
        asyncio.run(main())


def test_a_source_may_wait_for_ever() -> None:
    class Everything:
        sample_rate, channels, name = RATE_HZ, 1, "everything"

        def start(self, stream: Any) -> None:
            threading.Thread(target=feed, args=(stream, [SOUND]), daemon=True).start()

        def stop(self) -> None: ...

        def check(self) -> None: ...

    with FEATURES.listen(Everything(), overflow="block", buffer_s=1, max_results=3) as stream:
        wait_until(lambda: stream.stats().results_waiting >= 3)
        items = list(stream)
    assert rows_of(items).tobytes() == FEATURES(SOUND, sample_rate=RATE_HZ).tobytes()


def test_the_documentations_pattern_runs_past_the_results_that_may_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The block as it is printed, but with the model that gives most results, and a long sound."""
    text = (ROOT / "docs" / "live.md").read_text(encoding="utf-8")
    (block,) = [code for code in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if "def feed" in code]
    seconds, rate = 50, 16_000
    soundfile.write(tmp_path / "long.wav", np.zeros(seconds * rate), rate)
    for old, new in (
        ('"examples/guitar.flac"', '"long.wav"'),
        ('"musicnn-mtt"', '"silero-vad"'),
        ("sample_rate=44_100, channels=2", "sample_rate=16_000, channels=1"),
    ):
        assert old in block
        block = block.replace(old, new)
    monkeypatch.chdir(tmp_path)
    exec(compile(block, "docs/live.md", "exec"), {"__name__": "block"})  # noqa: S102
    printed = capsys.readouterr().out.splitlines()
    n_windows = sum("False" in line for line in printed)
    assert n_windows == -(-seconds * rate // 512) > fa.live.LiveOptions().max_results
