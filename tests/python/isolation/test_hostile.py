"""Whatever an isolated process answers, its owner raises an IsolationError, and holds little memory."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest
from fastaudio.isolation import process
from helpers import GUITAR, musicnn_front, rotated
from isolation_helpers import LIMIT_S

if TYPE_CHECKING:
    from collections.abc import Callable

if sys.platform == "win32":
    pytest.skip("isolation needs Linux or macOS", allow_module_level=True)
resource = pytest.importorskip("resource")

# A process that is polite until a message `WHEN` arrives, and runs the test's code then.
_PROGRAM = """
import json, os, socket, struct, sys, time
how = json.loads(sys.argv[1])
sock = socket.socket(fileno=how["descriptor"])
def head(n_json, n_bytes, magic=b"fas1"):
    return struct.pack("<4sIQ", magic, n_json, n_bytes)
def say(kind, arrays=(), payload=b"", n_bytes=None, **fields):
    data = json.dumps(dict(fields, kind=kind, arrays=list(arrays))).encode()
    sock.sendall(head(len(data), len(payload) if n_bytes is None else n_bytes) + data + payload)
def take(n):
    data = b""
    while len(data) < n:
        got = sock.recv(n - len(data))
        if not got:
            os._exit(0)
        data += got
    return data
def hear():
    magic, n_json, n_bytes = struct.unpack("<4sIQ", take(16))
    message = json.loads(take(n_json))
    take(n_bytes)
    return message
spec = {"name": "", "rate_hz": 62.5, "shape": [96], "unit": "log10", "kind": "rows", "labels": [],
        "latency_s": 0.032, "span_s": 0.032, "bin_hz": 0.0, "repr": "spec"}
events = dict(spec, kind="events", shape=[6], labels=["a", "b"])
loaded = {"outputs": [spec], "input": {"rate_hz": 16000.0}, "layers": [], "receptive_field_s": 1.0,
          "repr": "p", "str": "p"}
opened = {"sample_rate": 16000, "channels": 1, "duration_s": 1.0, "outputs": [spec]}
WHEN = "@@WHEN@@"
def attack():
@@ATTACK@@
if WHEN == "start":
    attack()
say("ready", guards=[])
while True:
    message = hear()
    if message["kind"] == WHEN:
        attack()
        time.sleep(600)
    if message["kind"] == "load":
        say("loaded", **loaded)
    if message["kind"] == "open":
        say("opened", outputs=[spec])
"""

ANYTIME = {
    "other bytes": "sock.sendall(b'x' * 1000)",
    "half a frame": "sock.sendall(head(10, 0)[:7]); os._exit(0)",
    "half a header": "sock.sendall(head(100, 0) + b'{'); os._exit(0)",
    "a header of 4 GB": "sock.sendall(head(2**32 - 1, 0))",
    "no JSON": "sock.sendall(head(4, 0) + b'{{{{')",
    "JSON of another kind": "sock.sendall(head(2, 0) + b'[]')",
    "deep JSON": "sock.sendall(head(200_000, 0) + b'[' * 200_000)",
    "a huge number": "d = b'{\"kind\": 1' + b'0' * 9000 + b'}'; sock.sendall(head(len(d), 0) + d)",
    "no arrays": 'd = b\'{"kind": "loaded"}\'; sock.sendall(head(len(d), 0) + d)',
    "another kind": "say('surprise')",
    "more bytes than stated": "say('rows', [['float32', [1, 96]]], n_bytes=2**62)",
    "a negative size": "say('rows', [['float32', [-1, 96]]])",
    "a size that is no number": "say('rows', [['float32', ['1', True]]])",
    "pickled objects": "say('rows', [['O', [1]]])",
    "an end without a word": "os._exit(0)",
    "a signal": "os.kill(os.getpid(), 11)",
    "an unknown error": "say('error', type='SystemExit', message='x')",
    "an error that is no text": "say('error', type=['x'], message={})",
    "an error of a megabyte": "say('error', type='ValueError', message='x' * 1_000_000)",
    "nothing": "time.sleep(600)",
}
LOADED = {
    "no outputs": "say('loaded', **dict(loaded, outputs=[]))",
    "an output twice": "say('loaded', **dict(loaded, outputs=[spec, spec]))",
    "a rate that is none": "say('loaded', **dict(loaded, outputs=[dict(spec, rate_hz=float('nan'))]))",
    "a negative rate": "say('loaded', **dict(loaded, outputs=[dict(spec, rate_hz=-1.0)]))",
    "a shape of nothing": "say('loaded', **dict(loaded, outputs=[dict(spec, shape=[0])]))",
    "a huge shape": "say('loaded', **dict(loaded, outputs=[dict(spec, shape=[2**40, 2**40])]))",
    "labels that don't fit": "say('loaded', **dict(loaded, outputs=[dict(spec, kind='scores')]))",
    "labels that are none": "say('loaded', **dict(loaded, outputs=[dict(spec, labels=[7])]))",
    "an unknown kind": "say('loaded', **dict(loaded, outputs=[dict(spec, kind=['scores'])]))",
    "no rate of input": "say('loaded', **dict(loaded, input=3))",
    "layers that are none": "say('loaded', **dict(loaded, layers='abc'))",
}
ROWS = {
    "rows of another width": "say('rows', [['float32', [1, 95]]], bytes(380), samples=10, loud=False)",
    "rows of another type": "say('rows', [['int16', [1, 96]]], bytes(192), samples=10, loud=False)",
    "rows of another output": "say('rows', [['float32', [1, 96]]] * 2, bytes(768), samples=10, loud=False)",
    "a row alone": "say('rows', [['float32', []]], bytes(4), samples=10, loud=False)",
    "a gigabyte at once": "say('rows', [['float32', [2**23, 96]]], n_bytes=384 << 23, samples=9, loud=False)",
    "more and more": """
payload = bytes(384 * 10_000)
while True:
    say('rows', [['float32', [10_000, 96]]], payload, samples=10, loud=False)""",
    "no samples": "say('rows', [['float32', [0, 96]]], samples=0, loud=False)",
    "samples for ever": "say('rows', [['float32', [0, 96]]], samples=2**50, loud=False)",
    "loudness that is none": "say('rows', [['float32', [0, 96]]], samples=10, loud='yes')",
    "the end without sound": "say('end', [], truncated=0)",
    "a read beyond sense": "say('read', position=-5, n_bytes=10)",
    "a read of a gigabyte": "say('read', position=0, n_bytes=2**30)",
    "reads for ever": """
while True:
    say('read', position=0, n_bytes=2**20)
    hear()""",
}
FILE = {
    "no rate": "say('opened', **dict(opened, sample_rate=0))",
    "a rate that is none": "say('opened', **dict(opened, sample_rate=float('inf')))",
    "a million channels": "say('opened', **dict(opened, channels=1_000_000))",
    "a negative length": "say('opened', **dict(opened, duration_s=-1.0))",
}
EVENTS = {
    "a label beyond the last": [7, 0, 0, 1, 0.5, 0.5],
    "a negative label": [-1, 0, 0, 1, 0.5, 0.5],
    "a label that is none": [np.nan, 0, 0, 1, 0.5, 0.5],
    "an endless event": [0, 0, 0, np.inf, 0.5, 0.5],
    "a time that is none": [0, np.nan, 0, 1, 0.5, 0.5],
    "a time before the sound": [0, -5, 0, 1, 0.5, 0.5],
    "a summary that is none": [0, 0, 0, -1, 0.5, np.nan],
}
# A silence has to be waited for; all else is refused for what it says, and long before a minute.
LIMITS, SOON = fa.Limits(result_mb=50), fa.Limits(answer_s=1.0, result_mb=50)


@pytest.fixture
def attacked(monkeypatch: pytest.MonkeyPatch) -> Callable[..., fa.Pipeline]:
    def make(when: str, attack: str) -> fa.Pipeline:
        body = "\n".join("    " + line for line in attack.strip().splitlines())
        program = _PROGRAM.replace("@@WHEN@@", when).replace("@@ATTACK@@", body)
        monkeypatch.setattr(process, "_PROGRAM", program)
        silent = attack == ANYTIME["nothing"]
        if silent and when == "start":
            monkeypatch.setattr(process, "_STARTS_S", 1.0)
        at_once = silent and when in ("start", "load")
        pipeline = fa.isolated(fa.Pipeline(musicnn_front()), limits=SOON if at_once else LIMITS)
        if silent:
            for one in pipeline._children._started:
                one._limits = SOON
        return pipeline

    return make


def assert_refused(call: Callable[[], Any]) -> None:
    before_kb, started_s = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    with pytest.raises((fa.IsolationError, fa.DecodeError, ValueError)) as raised:
        call()
    assert isinstance(raised.value, fa.IsolationError)
    assert len(str(raised.value)) < 500
    assert time.monotonic() - started_s < LIMIT_S
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb < 200_000


@pytest.mark.parametrize(("name", "when"), rotated(ANYTIME, ["start", "load", "file", "push"], 2))
def test_nonsense_at_any_time_is_an_isolation_error(
    attacked: Callable[..., fa.Pipeline], when: str, name: str
) -> None:
    attack = ANYTIME[name]
    if when in ("start", "load"):
        assert_refused(lambda: attacked(when, attack))
        return
    with attacked(when, attack) as pipeline:
        if when == "file":
            assert_refused(lambda: pipeline(GUITAR))
        else:
            assert_refused(lambda: pipeline(np.zeros(1000, np.float32), sample_rate=16_000))


@pytest.mark.parametrize("attack", LOADED.values(), ids=LOADED)
def test_a_pipeline_that_cannot_be_is_refused(attacked: Callable[..., fa.Pipeline], attack: str) -> None:
    assert_refused(lambda: attacked("load", attack))


@pytest.mark.parametrize("attack", ROWS.values(), ids=ROWS)
def test_rows_that_cannot_be_are_refused(attacked: Callable[..., fa.Pipeline], attack: str) -> None:
    with attacked("file", f"say('opened', **opened)\n{attack.strip()}") as pipeline:
        assert_refused(lambda: pipeline(GUITAR))


@pytest.mark.parametrize("attack", FILE.values(), ids=FILE)
def test_a_file_that_cannot_be_is_refused(attacked: Callable[..., fa.Pipeline], attack: str) -> None:
    with attacked("file", attack) as pipeline:
        assert_refused(lambda: pipeline(GUITAR))


@pytest.mark.parametrize("row", EVENTS.values(), ids=EVENTS)
def test_events_that_cannot_be_are_refused(attacked: Callable[..., fa.Pipeline], row: list[float]) -> None:
    payload = np.array([row], np.float32).tobytes()
    attack = f"""
say('opened', **dict(opened, outputs=[events]))
say('end', [['float32', [1, 6]]], {payload!r}, truncated=False, loud=False)"""
    with attacked("file", attack) as pipeline:
        assert_refused(lambda: pipeline(GUITAR))


def test_an_error_can_name_no_other_file_and_write_no_terminal_codes(
    attacked: Callable[..., fa.Pipeline],
) -> None:
    attack = r"say('error', type='DecodeError', message='\x1b[2J/etc/shadow \u202e', path='/etc/shadow')"
    with attacked("file", attack) as pipeline, pytest.raises(fa.DecodeError) as raised:
        pipeline(GUITAR)
    assert raised.value.path == str(GUITAR)
    assert "\x1b" not in str(raised.value)
    assert "\u202e" not in str(raised.value)
