"""Sources that fail in any of their methods, and sound too large to keep: streams end, and say why."""

from __future__ import annotations

import gc
import io
import logging
import threading
from contextlib import closing
from typing import Any

import fastaudio as fa
import numpy as np
import pytest
from fastaudio import _core
from live_helpers import RATE_HZ, background, features, noise, rows_of, run_program, scores, wait_until

FEATURES = features()


def fa_pool() -> Any:
    return closing(fa.Pool())


class Rude:
    """A source that raises in the methods named."""

    name, sample_rate, channels = "rude", RATE_HZ, 1

    def __init__(self, *raises: str, block: Any = None) -> None:
        self.raises = raises
        self.block = noise(RATE_HZ) if block is None else block
        self.n_stopped = 0

    def _raise(self, name: str) -> None:
        if name in self.raises:
            raise OSError(f"no {name}")

    def start(self, stream: Any) -> None:
        self.stream = stream
        stream.push(self.block)
        self._raise("start")

    def stop(self) -> None:
        self.n_stopped += 1
        self._raise("stop")

    def check(self) -> None:
        self._raise("check")


def test_close_closes_the_core_though_the_source_does_not_stop() -> None:
    with fa_pool() as pool:
        source = Rude("stop")
        stream = FEATURES.listen(source, pool=pool)
        with pytest.raises(OSError, match="no stop"):
            stream.close()
        assert stream.closed
        assert len(pool) == 0
        stream.close()
        assert source.n_stopped == 1
        with pytest.raises(fa.StateError, match="after close"):
            source.stream.push(noise(10))


def test_a_start_that_fails_comes_out_though_the_source_does_not_stop() -> None:
    with fa_pool() as pool:
        with pytest.raises(OSError, match="no start"):
            FEATURES.listen(Rude("start", "stop"), pool=pool)
        assert len(pool) == 0


def test_finish_ends_the_sound_though_the_source_does_not_stop() -> None:
    stream = FEATURES.listen(Rude("stop"))
    with pytest.raises(OSError, match="no stop"):
        stream.finish()
    assert len(rows_of(stream)) == 63
    with pytest.raises(OSError, match="no stop"):
        stream.close()


def test_an_error_of_the_source_comes_after_its_sound() -> None:
    with FEATURES.listen(Rude("check")) as stream:
        items = []
        with pytest.raises(OSError, match="no check"):
            items.extend(iter(stream.get, object()))
        assert len(rows_of(items)) == 63
    assert stream.closed


class Lost(Rude):
    """A source that is lost and found, and never stops without an error."""

    found = 0

    def again(self) -> Lost:
        Lost.found += 1
        return Lost("stop", "check") if Lost.found < 3 else Lost("stop")


def test_a_lost_source_that_cannot_be_stopped_is_found_again(caplog: pytest.LogCaptureFixture) -> None:
    Lost.found = 0
    with caplog.at_level(logging.WARNING, "fastaudio"):
        stream = FEATURES.listen(Lost("stop", "check"), retry_s=0.01)
        wait_until(lambda: Lost.found == 3)
        with pytest.raises(OSError, match="no stop"):
            stream.close()
    assert "rude: expected it to stop, got OSError: no stop" in caplog.text


@pytest.mark.parametrize("dtype", [np.float32, np.int16])
def test_a_source_may_give_its_one_channel_an_axis(dtype: Any) -> None:
    block = (noise(RATE_HZ) * (1 if dtype == np.float32 else 20_000)).astype(dtype)
    with FEATURES.listen(source := Rude(block=block[:, None])) as stream:
        source.stream.push(np.asfortranarray(np.stack([block, block], axis=1))[:, :1])
        stream.finish()
        got = rows_of(stream)
    want = FEATURES(np.concatenate([block, block]), sample_rate=RATE_HZ)
    np.testing.assert_array_equal(got, want)


def test_two_channels_are_still_refused_where_one_is_expected() -> None:
    with (
        FEATURES.live(RATE_HZ) as stream,
        pytest.raises(ValueError, match=r"^samples: expected \[n_samples\], got float32 \(10, 2\)"),
    ):
        stream._core.push(np.zeros((10, 2), np.float32))


def test_at_exit_a_source_that_fails_keeps_no_other_from_its_end() -> None:
    done = run_program(
        """
        import logging
        logging.disable()
        class Source:
            name, sample_rate, channels = "s", 16_000, 1
            def start(self, stream): pass
            def check(self): pass
            def stop(self):
                print("stopped", flush=True)
                raise KeyError("no stop")
        streams = [features().listen(Source()) for _ in range(5)]
        """
    )
    assert done.stdout == "stopped\n" * 5


@pytest.mark.parametrize(
    ("rate", "channels", "options"),
    [
        (768_000, 64, {"buffer_s": 30.0}),
        (768_000, 64, {}),
        (96_000, 2, {"buffer_s": 3600.0}),
        (48_000, 8, {"provisional_s": 3600.0}),
        (1e9, 1, {"buffer_s": 3600.0}),
        (1e9, 2**28, {}),
        (1.0, 2**28, {"buffer_s": 0.01}),
    ],
)
def test_a_buffer_that_takes_too_much_memory_is_refused_in_words(
    rate: float, channels: int, options: dict[str, Any]
) -> None:
    spec = fa.StreamSpec(rate_hz=float(rate), shape=[channels])

    def opened(**options: Any) -> Any:
        return _core.LiveStream(fa.Pool(), fa.Mean(), spec, _core.LiveOptions(**options))

    with pytest.raises(
        ValueError, match=r"^live: expected (\w+) of at most \S+ s, which take 1 GiB, for .*; choose less"
    ) as caught:
        opened(**options)
    name, most = str(caught.value).split()[2], float(str(caught.value).split()[6])
    if name != "turns":
        with pytest.raises(ValueError, match="1 GiB"):
            opened(**options | {name: most * 1.01 + 0.001})


def test_streams_cut_off_while_they_are_opened_leave_nothing() -> None:
    pool = fa.Pool()
    for _ in range(20):
        with pytest.raises(ValueError, match="1 GiB"):
            FEATURES.live(768_000, 64, buffer_s=3600.0, pool=pool)
    gc.collect()
    assert len(pool) == 0


def test_a_batch_of_rows_too_large_to_hold_takes_fewer() -> None:
    pool = fa.Pool(batch=4096)
    tagger = fa.Pipeline.load("musicnn-mtt")
    with tagger.live(RATE_HZ, pool=pool) as stream, background(stream.push, noise(4 * RATE_HZ)):
        assert stream.get(60) is not None


def test_a_tap_set_anywhere_reads_what_there_is() -> None:
    with FEATURES.live(RATE_HZ) as stream:
        stream.push(noise(1000))
        tap = stream.tap()
        for position in (-(2**63), -1, 0, 2**63 - 1):
            tap.position = position
            samples, n_lost = tap.read()
            assert len(samples) <= 1000
            assert abs(n_lost) <= 2**63


def test_threads_that_could_not_be_started_can_be_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    source = fa.PcmSource(io.BytesIO(bytes(1000)), sample_rate=RATE_HZ)
    monkeypatch.setattr(threading.Thread, "start", refuse)
    with pytest.raises(RuntimeError, match="can't start new thread"):
        scores().listen(source)
    source.stop()
