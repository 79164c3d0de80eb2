"""Live streams end in any order, at any time, from anywhere: nothing hangs, crashes, complains or stays.

Each order is a program of its own, for a hang or a crash would end the tests.
"""

from __future__ import annotations

import gc
import os
import sys
import threading
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import pytest
from helpers import GUITAR
from live_helpers import RATE_HZ, background, features, feed, noise, rows_of, run_program, scores, wait_until

if TYPE_CHECKING:
    from numpy.typing import NDArray

FEATURES, SCORES = features(), scores()
SOUND = noise(RATE_HZ)

# Beginnings of the programs: a stream that a thread feeds without end, and the shipped model.
FED = """
stream = scores().live(16_000)
def push():
    try:
        while True:
            stream.push(sound)
    except fa.StateError:
        print("refused")
pusher = threading.Thread(target=push, daemon=True)
pusher.start()
next(stream)
"""
TAGGED = FED.replace("scores()", 'fa.Pipeline.load("musicnn-mtt")').replace(
    "push(sound)", "push(noise(64_000))"
)
# A push that waits: nobody takes results.
FULL = """
stream = scores().live(16_000, buffer_s=0.5, max_results=1)
def fill():
    try:
        feed(stream, [noise(64_000)] * 100)
    except fa.StateError:
        pass
blocked = threading.Thread(target=fill, daemon=True)
"""

ORDERS = {
    "twice": FED + "stream.close(); stream.close(); pusher.join()",
    "while it iterates": FED
    + "threading.Timer(0.1, stream.close).start()\nfor window in stream: pass\npusher.join()",
    "while two threads iterate": FED
    + """
threads = [threading.Thread(target=lambda: list(stream)) for _ in range(2)]
for thread in threads: thread.start()
time.sleep(0.05)
stream.close()
for thread in threads: thread.join()
""",
    "from the loop's body": FED
    + """
for window in stream:
    stream.close()
assert list(stream) == []
""",
    "from two threads at once": FED
    + """
threads = [threading.Thread(target=stream.close) for _ in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
""",
    "while push waits for room": """
stream = scores().live(16_000, buffer_s=0.5, max_results=1)
seen = []
def push():
    try:
        feed(stream, [noise(64_000)] * 100)
    except fa.StateError as error:
        seen.append(str(error))
threads = [threading.Thread(target=push) for _ in range(3)]
for thread in threads: thread.start()
wait_until(lambda: stream.stats().results_waiting >= 1 and stream.stats().waiting >= 8000)
stream.close()
for thread in threads: thread.join()
assert seen == ["live: expected no sound after close, got some; open a new stream"] * 3, seen
""",
    "never": FED,
    "never, with a pusher that waits": FULL + "blocked.start(); time.sleep(0.1)",
    "never, while another thread iterates": FED
    + "threading.Thread(target=lambda: list(stream), daemon=True).start(); time.sleep(0.05)",
    "never, with a network that runs": TAGGED,
    "never, with a pool of its own": FED.replace("live(16_000)", "live(16_000, pool=fa.Pool(2, batch=4))"),
    "never, nothing pushed": "stream = scores().live(16_000)",
    "by the garbage collector": FED.replace("stream.push(sound)", "pushed().push(sound)")
    .replace("def push():", "import gc, weakref\npushed = weakref.ref(stream)\ndef push():")
    .replace("fa.StateError", "AttributeError")
    + "del stream\nwait_until(lambda: pushed() is None); pusher.join()",
    "in a cycle of garbage": """
import gc
for _ in range(50):
    stream = scores().live(16_000)
    stream.push(sound)
    stream.me = stream
    del stream
gc.collect()
assert len(fa.live.shared_pool()) == 0
""",
    "sys.exit in the loop": FED + "for window in stream: sys.exit(0)",
    "sys.exit in with": FED + "with stream:\n    for window in stream: sys.exit(0)",
    "os._exit": FED + "os._exit(0)",
    "an error in the loop": FED
    + """
try:
    with stream:
        for window in stream: 1 / 0
except ZeroDivisionError:
    assert stream.closed
pusher.join()
""",
    "the pool first": """
pool = fa.Pool()
stream = scores().live(16_000, pool=pool)
stream.push(sound)
pool.close()
assert list(stream) == []
stream.close()
""",
    "the pool before the thread that waits": FULL.replace("max_results=1", "pool=(pool := fa.Pool())")
    + """
pool.pause()
blocked.start()
wait_until(lambda: stream.stats().waiting >= 8000)
pool.close()
blocked.join()
""",
    "while it is paused": """
pool = fa.Pool()
pool.pause()
with scores().live(16_000, pool=pool) as stream:
    stream.push(sound)
""",
    "while a swap waits": FED
    + """
other = features() >> fa.Tags([f"other {k}" for k in range(8)])
def swap():
    try:
        while True:
            stream.swap(other)
    except fa.StateError:
        pass
swapper = threading.Thread(target=swap)
swapper.start()
for _ in range(20): next(stream)
stream.close()
swapper.join()
""",
    "a source in the middle": f"""
with scores().listen(fa.FileSource({str(GUITAR)!r})) as stream:
    next(stream)
""",
    "never, with a source": f"""
stream = scores().listen(fa.FileSource({str(GUITAR)!r}))
next(stream)
""",
    "opened at exit": """
import atexit
atexit.register(lambda: scores().live(16_000).push(sound))
""",
    "threads that are no daemons": """
def run():
    with scores().live(16_000) as stream, background(feed, stream, [sound] * 20):
        assert len(list(stream)) > 100
threading.Thread(target=run).start()  # the program ends when it has
""",
}


@pytest.mark.parametrize("order", ORDERS)
def test_a_program_ends(order: str) -> None:
    run_program(ORDERS[order])


INTERRUPTED = {
    "iterating": "for window in scores().live(16_000): pass",
    "iterating over music": TAGGED + "for window in stream: pass",
    "getting": "features().live(16_000).get()",
    "pushing": "scores().live(16_000, max_results=1).push(noise(10**6))",
    "pushing behind another": FULL + "blocked.start(); time.sleep(0.1); stream.push(sound)",
    "getting behind another": """
stream = features().live(16_000)
threading.Thread(target=stream.get, daemon=True).start()
time.sleep(0.05)
stream.get()
""",
    "closing": TAGGED + "while True: stream.close(); stream = fa.Pipeline.load().live(16_000)",
}


@pytest.mark.skipif(sys.platform == "win32", reason="no such signals there")
@pytest.mark.parametrize("doing", INTERRUPTED)
def test_ctrl_c_ends_whatever_waits(doing: str) -> None:
    interrupt = """
def interrupt():
    time.sleep(0.4)
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(20)
    os._exit(9)
threading.Thread(target=interrupt, daemon=True).start()
try:
"""
    body = "".join(f"    {line}\n" for line in INTERRUPTED[doing].splitlines())
    done = run_program(interrupt + body + "except KeyboardInterrupt:\n    print('interrupted')\n")
    assert "interrupted" in done.stdout


FORKED = """
import warnings
warnings.simplefilter("ignore")  # Python's own, about threads and forks
stream = scores().live(16_000)
tap = stream.tap()
threading.Thread(target=lambda: list(stream), daemon=True).start()  # holds its locks most of the time
sound = noise(64_000)
want = rows_of(scores()(sound, sample_rate=16_000)).tobytes()
stream.push(sound)

def child():
    for use in (
        lambda: stream.push(sound), lambda: stream.get(0), lambda: next(stream), lambda: stream.finish(),
        lambda: stream.stats(), lambda: stream.swap(scores()), lambda: stream.ended, lambda: tap.read(),
    ):
        try:
            use()
        except fa.StateError as error:
            assert str(error).endswith("got one from before a fork; open a new one"), error
        else:
            raise AssertionError
    stream.close()
    pool = fa.Pool(2)
    for own in (None, pool):
        assert rows_of(run_live(scores(), [sound], 16_000, pool=own)).tobytes() == want
    left_open = scores().live(16_000)
    left_open.push(sound)
"""
CHILDREN = {
    "os.fork": """
for k in range(5):
    process = os.fork()
    if process == 0:
        child()
        sys.exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 0
""",
    "os._exit": """
process = os.fork()
if process == 0:
    child()
    os._exit(0)
assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 0
""",
    "multiprocessing": """
import multiprocessing
process = multiprocessing.get_context("fork").Process(target=child)
process.start()
process.join()
assert process.exitcode == 0
""",
}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork there")
@pytest.mark.parametrize("way", CHILDREN)
def test_a_forked_child_opens_its_own(way: str) -> None:
    run_program(FORKED + CHILDREN[way] + "stream.push(sound)\nstream.close()\n")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork there")
def test_a_forked_child_tags_music_while_its_parent_does() -> None:
    run_program(
        """
        import warnings
        warnings.simplefilter("ignore")
        tagger = fa.Pipeline.load("musicnn-mtt")
        sound = noise(100_000)
        want = tagger(sound, sample_rate=16_000).scores
        def run():
            got = rows_of(run_live(tagger, [sound], 16_000))
            assert np.abs(got - want).max() < 1e-6
        with tagger.live(16_000) as stream, background(feed, stream, [sound] * 3):
            process = os.fork()
            if process == 0:
                run()
                sys.stdout.flush()
                os._exit(0)
            assert len(list(stream)) > 5
        assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 0
        run()
        """
    )


def worker(sound: NDArray[Any]) -> bytes:
    """What a spawned process does."""
    with FEATURES.live(RATE_HZ) as stream, background(feed, stream, [sound]):
        return rows_of(stream).tobytes()


def test_a_spawned_process_has_streams_of_its_own() -> None:
    import multiprocessing

    with FEATURES.live(RATE_HZ) as stream:
        stream.push(SOUND)
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            assert pool.apply(worker, (SOUND,)) == FEATURES(SOUND, sample_rate=RATE_HZ).tobytes()


class Source:
    """A source that fails where it is told to."""

    sample_rate, channels, name = RATE_HZ, 1, "fake"

    def __init__(self, start: Exception | None = None, check: Exception | None = None) -> None:
        self.errors = {"start": start, "check": check}
        self.stopped = 0

    def start(self, stream: Any) -> None:
        stream.push(SOUND)
        if self.errors["start"]:
            raise self.errors["start"]

    def stop(self) -> None:
        self.stopped += 1

    def check(self) -> None:
        if self.errors["check"]:
            raise self.errors["check"]


def test_a_source_that_does_not_start_leaves_nothing_open() -> None:
    pool, source = fa.Pool(), Source(start=fa.DecodeError("fake", "expected sound, got none"))
    with pytest.raises(fa.DecodeError, match="expected sound, got none"):
        FEATURES.listen(source, pool=pool)
    assert source.stopped == 1
    assert len(pool) == 0


def test_a_source_that_fails_is_told_after_all_that_it_gave() -> None:
    source = Source(check=RuntimeError("unplugged"))
    got: list[Any] = []
    with FEATURES.listen(source) as stream:
        with pytest.raises(RuntimeError, match="unplugged"):
            got.extend(stream)
        assert not stream.ended
        with pytest.raises(RuntimeError, match="unplugged"):
            stream.get(timeout_s=0)
    assert rows_of(got).tobytes() == FEATURES(SOUND, sample_rate=RATE_HZ).tobytes()
    assert stream.ended
    assert stream.get() is None


def test_a_poll_learns_of_a_failed_source() -> None:
    def poll(stream: fa.LiveStream) -> None:
        while not stream.ended:
            stream.get(timeout_s=0.001)

    source = Source(check=RuntimeError("unplugged"))
    with FEATURES.listen(source) as stream, pytest.raises(RuntimeError, match="unplugged"):
        poll(stream)


def status(name: str) -> int:
    """A number of /proc/self/status."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return int(next(line for line in lines if line.startswith(f"{name}:")).split()[1])


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no /proc there")
@pytest.mark.parametrize("ended", ["close", "del"])
def test_a_thousand_streams_leave_nothing_behind(ended: str) -> None:
    sound = SOUND[:4000]

    def rounds(n: int) -> None:
        for k in range(n):
            stream = SCORES.live(RATE_HZ, provisional_s=0.1)
            stream.push(sound)
            if k % 3 == 0:
                assert stream.get() is not None
                stream.tap().read()
                stream.stats()
            if k % 7 == 0:
                stream.swap(SCORES)
            if ended == "close":
                stream.close()
            del stream

    def left() -> tuple[int, int]:
        gc.collect()
        return status("Threads"), len(os.listdir("/proc/self/fd"))  # noqa: PTH208

    rounds(200)
    threads, files = left()
    before_kb = status("VmRSS")
    rounds(1000)
    assert left() == (threads, files)
    assert status("VmRSS") - before_kb < 8 * 1024
    assert len(fa.live.shared_pool()) == 0


def test_pools_leave_no_thread_behind() -> None:
    before = threading.active_count()
    for _ in range(50):
        pool = fa.Pool(workers=3)
        streams = [FEATURES.live(RATE_HZ, pool=pool) for _ in range(3)]
        for stream in streams:
            stream.push(SOUND)
        forgotten = weakref.ref(streams[0])
        del streams, stream, pool
        wait_until(lambda ref=forgotten: ref() is None)  # type: ignore[misc]
    assert threading.active_count() == before
    if Path("/proc/self/status").exists():
        assert status("Threads") < 100
