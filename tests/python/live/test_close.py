"""Live streams end in any order, at any time, from anywhere: nothing hangs, crashes, complains or stays.

The orders run in programs of their own, for a hang or a crash would end the tests: those that close all they
open one after another in one, and each of those that leave something to the end of the program in another.
"""

from __future__ import annotations

import sys

import pytest
from helpers import GUITAR
from live_helpers import LIMIT_S, run_program

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
    # A push that waits for room would keep the stream alive forever.
    "by the garbage collector": FED.replace("stream.push(sound)", "pushed().push(sound)")
    .replace("live(16_000)", 'live(16_000, overflow="drop_oldest")')
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
}
# What these leave open ends with the program.
LEFT = {
    "never": FED,
    "never, with a pusher that waits": FULL + "blocked.start(); time.sleep(0.1)",
    "never, while another thread iterates": FED
    + "threading.Thread(target=lambda: list(stream), daemon=True).start(); time.sleep(0.05)",
    "never, with a network that runs": TAGGED,
    "never, with a pool of its own": FED.replace("live(16_000)", "live(16_000, pool=fa.Pool(2, batch=4))"),
    "never, nothing pushed": "stream = scores().live(16_000)",
    "sys.exit in the loop": FED + "for window in stream: sys.exit(0)",
    "sys.exit in with": FED + "with stream:\n    for window in stream: sys.exit(0)",
    "os._exit": FED + "os._exit(0)",
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


def test_streams_end_in_any_order() -> None:
    program = f"""
import faulthandler
faulthandler.dump_traceback_later({LIMIT_S - 10}, exit=True)  # so that a hang says where
for name, order in {ORDERS!r}.items():
    print(name, flush=True)
    exec(order, dict(globals()))
print("all")
"""
    assert run_program(program).stdout.endswith("all\n")


@pytest.mark.parametrize("order", LEFT)
def test_a_program_ends(order: str) -> None:
    run_program(LEFT[order])


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
    # All are kept meanwhile, since an error in a __del__ is only printed on stderr.
    "closing": TAGGED
    + """
streams = [stream]
while True:
    streams[-1].close()
    streams.append(fa.Pipeline.load().live(16_000))
""",
}


@pytest.mark.skipif(sys.platform == "win32", reason="no such signals there")
@pytest.mark.parametrize("doing", INTERRUPTED)
def test_ctrl_c_ends_whatever_waits(doing: str) -> None:
    interrupt = """
def interrupt():
    time.sleep(0.4)
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(60)
    os._exit(9)
threading.Thread(target=interrupt, daemon=True).start()
try:
"""
    body = "".join(f"    {line}\n" for line in INTERRUPTED[doing].splitlines())
    done = run_program(interrupt + body + "except KeyboardInterrupt:\n    print('interrupted')\n")
    assert "interrupted" in done.stdout
