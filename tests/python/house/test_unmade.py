"""Objects that no constructor made are refused in words by every method, property and function; none crashes.

A failed copy leaves such objects behind, and a debugger or a traceback with locals shows them. What might
crash runs in a separate program.
"""

from __future__ import annotations

import copy
import gc
import pickle
import subprocess
import sys
import textwrap
import threading
from typing import Any

import fastaudio as fa
import numpy as np
import pytest
from fastaudio import _core
from node_cases import CLASSES, node_of

BOUND = {
    name: value
    for name, value in vars(_core).items()
    if isinstance(value, type) and not issubclass(value, BaseException)
}
UNMADE = "expected an object made by its class, got one that __new__ left unmade; call the class instead"

# Calls everything that each class declares, with enough arguments of any kind, and prints how many that was.
PROGRAM = """
import itertools, sys
import numpy as np
import fastaudio as fa
from fastaudio import _core

not_its_own = {"__init__", "__setstate__", "__new__", "__module__", "__doc__", "child_arguments"}
not_its_own |= {"_pybind11_conduit_v1_"}
spec = fa.StreamSpec(rate_hz=16_000)
values = [spec, fa.Log(), np.zeros(8, np.float32), 1, 0.5, "x", {}, [], None]

def refused(cls, call):
    half = cls.__new__(cls)
    texts = []
    for n in range(4):
        for arguments in itertools.product(values, repeat=n) if n < 3 else [(None, None, None)]:
            try:
                result = call(half, *arguments)
            except TypeError as error:
                if "left unmade" in str(error):
                    return 1
                texts.append(str(error))
            except BaseException as error:
                sys.exit(f"{call}: {type(error).__name__}: {error}")
            else:
                if result is NotImplemented:  # as an operator says of what it doesn't take
                    continue
                sys.exit(f"{cls}: {call} went through with {arguments}")
    sys.exit(f"{cls}: {call} never refused: {texts[:3]}")

for cls in map(_core.__dict__.get, sys.argv[1:]):
    print(cls.__name__, end=" ", flush=True)
    n = 0
    for name in {name for each in cls.__mro__[:-2] for name in vars(each)} - not_its_own:
        attribute = getattr(cls, name)
        if isinstance(attribute, property):
            n += refused(cls, attribute.fget)
        elif callable(attribute):
            n += refused(cls, attribute)
    if issubclass(cls, fa.Node):
        for function in (repr, str, hash, lambda half: f"{half}"):
            n += refused(cls, function)
    print(n)
"""


def in_program(code: str, *arguments: str) -> str:
    command = [sys.executable, "-X", "faulthandler", "-c", textwrap.dedent(code), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout[-200:] + done.stderr
    return done.stdout


def test_the_classes_are_found() -> None:
    assert {"Node", "Stream", "LiveStream", "Pool", "StreamSpec", "LiveOptions", "Cancel"} <= BOUND.keys()
    assert BOUND.keys() >= CLASSES.keys()


def test_every_method_and_property_refuses_what_was_never_made() -> None:
    lines = in_program(PROGRAM, *BOUND).splitlines()
    called = {name: int(n) for name, n in map(str.split, lines)}
    assert called.keys() == BOUND.keys()
    assert min(called.values()) > 0
    assert sum(called.values()) > 500


def unmade(cls: Any) -> Any:
    return cls.__new__(cls)


TAKERS = {
    ">>": lambda: fa.Log() >> unmade(fa.Log),
    "Sequential": lambda: fa.Sequential([unmade(fa.Log)]),
    "Parallel": lambda: fa.Parallel({"a": unmade(fa.Log)}),
    "Each": lambda: fa.Each(unmade(fa.Log), 100),
    "with_children": lambda: (fa.Log() >> fa.Log()).with_children([fa.Log(), unmade(fa.Log)]),
    "==": lambda: fa.Log() == unmade(fa.Log),
    "open": lambda: fa.Log().open(unmade(fa.StreamSpec)),
    "output_specs": lambda: fa.Log().output_specs(unmade(fa.StreamSpec)),
    "with_silence": lambda: _core.with_silence(unmade(fa.Log), fa.StreamSpec(rate_hz=1.0), None),
    "Pipeline": lambda: fa.Pipeline(unmade(fa.MelSpectrogram)),
    "pool": lambda: fa.Pipeline(fa.MelSpectrogram()).live(22_050, pool=unmade(fa.Pool)),
    "cancel": lambda: _core.Interruptible(unmade(fa.Cancel)),
    "options": lambda: _core.LiveStream(
        fa.Pool(), fa.MelSpectrogram(), fa.StreamSpec(rate_hz=22_050.0), unmade(_core.LiveOptions)
    ),
}


@pytest.mark.parametrize("taker", TAKERS)
def test_every_function_refuses_what_was_never_made(taker: str) -> None:
    with pytest.raises(TypeError, match=UNMADE):
        TAKERS[taker]()


class Forgets(fa.Log):
    """A class whose constructor doesn't call that of its base."""

    def __init__(self) -> None:
        pass


def test_a_class_that_forgets_its_base_is_refused_when_it_is_called() -> None:
    with pytest.raises(TypeError, match=r"__init__\(\) must be called"):
        Forgets()
    with pytest.raises(TypeError, match=UNMADE):
        repr(unmade(Forgets))


STATES = [None, 1, [], {}, {1: 2}, {"kind": object()}, {"kind": "log"}, {"no_such": 1}, {"\ud800": 1}]


@pytest.mark.parametrize("state", STATES, ids=lambda state: repr(state).partition(" object at ")[0])
@pytest.mark.parametrize("name", sorted(name for name in BOUND if hasattr(BOUND[name], "__setstate__")))
def test_an_odd_state_is_refused_and_leaves_the_object_unmade(name: str, state: Any) -> None:
    before = copy.copy(state)
    half = unmade(BOUND[name])
    try:
        half.__setstate__(state)
    except (TypeError, ValueError, fa.ModelError):
        with pytest.raises(TypeError, match=UNMADE):
            repr(half)
    else:
        assert repr(half)
    assert before is state or repr(before) == repr(state)


def test_a_copy_that_fails_leaves_nothing_that_crashes() -> None:
    class Broken(fa.Log):
        def __getstate__(self) -> Any:
            return {"kind": "no such"}

    for call in (copy.copy, copy.deepcopy, lambda node: pickle.loads(pickle.dumps(node))):  # noqa: S301
        with pytest.raises((ValueError, AttributeError, pickle.PicklingError)) as caught:
            call(Broken())
        frames = caught.traceback
        texts = [repr(value) for frame in frames for value in frame.frame.f_locals.values() if _whole(value)]
        assert texts


def _whole(value: Any) -> bool:
    try:
        repr(value)
    except TypeError as error:
        return UNMADE not in str(error)
    return True


def test_a_second_constructor_changes_nothing() -> None:
    for name in CLASSES:
        node = copy.copy(node_of(name))
        text = repr(node)
        node.__init__()  # type: ignore[misc]  # the arguments don't matter
        assert repr(node) == text


def test_a_constructor_within_the_constructor_is_refused() -> None:
    """Reading arguments runs Python code, which may make the object first."""

    def number(make: Any, value: Any) -> Any:
        class Number:
            def __index__(self) -> int:
                make()
                return int(value)

            def __float__(self) -> float:
                make()
                return float(value)

            def __fspath__(self) -> str:
                make()
                return str(value)

        return Number()

    def attempt(half: Any, call: Any, make: Any) -> None:
        with pytest.raises(TypeError, match=r"^\w+: expected its constructor to run once, got a second call"):
            call(make)
        text = repr(half)
        gc.collect()
        assert repr(half) == text

    weights = node_of("OnnxModel").path  # type: ignore[attr-defined]
    for half, right, wrong in (
        (unmade(fa.Patches), {"length": 5}, "length"),
        (unmade(fa.Standardize), {"mean": [1.0], "std": [1.0]}, "mean"),
        (unmade(fa.OnnxModel), {"path": weights}, "path"),
        (unmade(_core.LiveOptions), {"buffer_s": 1.0}, "buffer_s"),
        (unmade(fa.Each), {"inner": fa.Log(), "clip_length": 9}, "clip_length"),
        (unmade(fa.Pool), {"workers": 1}, "workers"),
    ):

        def call(make: Any, half: Any = half, right: Any = right, wrong: str = wrong) -> None:
            value = right[wrong]
            odd = number(make, value[0] if isinstance(value, list) else value)
            half.__init__(**right | {wrong: [odd] if isinstance(value, list) else odd})

        def make(half: Any = half, right: Any = right) -> None:
            half.__init__(**right)

        attempt(half, call, make)
    half = unmade(fa.StreamSpec)
    attempt(
        half,
        lambda make: half.__init__(rate_hz=1.0, shape=[number(make, 2)]),
        lambda: half.__init__(rate_hz=1.0),
    )


def test_threads_that_make_one_object_make_it_once() -> None:
    weights = str(node_of("OnnxModel").path)  # type: ignore[attr-defined]
    half = unmade(fa.OnnxModel)
    errors: list[BaseException] = []
    start = threading.Barrier(4)

    def make() -> None:
        start.wait()
        try:
            half.__init__(weights)
        except TypeError as error:
            errors.append(error)

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all("expected its constructor to run once" in str(error) for error in errors)
    assert half(np.zeros((1, 187, 96), np.float32)).shape[0] == 1
