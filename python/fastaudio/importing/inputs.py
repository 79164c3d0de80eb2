"""Which of a network's inputs takes the sound or the rows made of it, and what the others are given."""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING, Any

from fastaudio._core import ModelError, did_you_mean
from fastaudio.importing.fronts import told
from fastaudio.importing.states import pairs_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from fastaudio.importing.network_file import NetworkFile, Shape

_RATES = ("sr", "fs", "rate", "rate_hz", "sample_rate", "samplerate", "sampling_rate")
_MOST = 8


def input_of(
    file: NetworkFile,
    path: str,
    *,
    inputs: Collection[str] = (),
    state: Mapping[str, str] | None = None,
    rate_hz: float | None = None,
) -> Shape:
    """Return the shape of the input that takes the rows: the only one that isn't given something else.

    Args:
        file: what the network's file says.
        path: of the network, for errors.
        inputs: names of those that are always the same.
        state: recurrent inputs, each with its output.
        rate_hz: of the sound, for errors.

    Raises:
        ModelError: no input is left for the rows, or several, or it is a single number; or there is no input
            or output of such a name.
    """
    state = state or {}
    for name in (*inputs, *state):
        _require(name, file.inputs, path, "inputs")
    for name in state.values():
        _require(name, file.outputs, path, "outputs for a state")
    left = [name for name in file.inputs if name not in inputs and name not in state]
    if not left:
        raise ModelError(
            f"{path}: expected an input for the sound, got none left of {_cut([*file.inputs], ', ')}; "
            "leave one out of --input or --state"
        )
    if len(left) > 1:
        options, meant = _advice(file, left, {*state.values()}, rate_hz)
        choose = f"; OUTPUT is {' or '.join(meant)}, as the network's authors have it" if meant else ""
        raise ModelError(
            f"{path}: expected one input for the sound, got {_listed(file, left)}; say what the others "
            f"are given: {_cut(options, ' ')} (inputs= and state= in Python)"
            f"{choose:.400}"
        )
    shape = file.inputs[left[0]]
    if not shape:
        raise ModelError(
            f"{path}: expected an input of samples or rows, got {left[0]!r} without axes; export the "
            "network with an axis of time"
        )
    return shape


def _require(name: str, known: Collection[str], path: str, what: str) -> None:
    if name not in known:
        guess = did_you_mean(name, list(known)) or "; leave it out, or name one of these"
        raise ModelError(f"{path}: expected {what} among {_cut(list(known), ', ')}, got {name!r:.80}{guess}")


def _listed(file: NetworkFile, names: list[str]) -> str:
    texts = [f"{name:.60} ({f'{file.types[name]} {told(file.inputs[name])}'.strip()})" for name in names]
    return _cut(texts, ", ")


def _cut(texts: list[str], between: str) -> str:
    more = [f"... ({len(texts) - _MOST} more)"] if len(texts) > _MOST else []
    return between.join([*(f"{text:.200}" for text in texts[:_MOST]), *more])


def _advice(
    file: NetworkFile, left: list[str], taken: set[str], rate_hz: float | None
) -> tuple[list[str], list[str]]:
    """Return an option for each input but one: the first that seems to be neither constant nor a state.

    A state's option names its output if the sizes leave one, or if the names say which. Else it says OUTPUT,
    and the outputs that may be meant are returned too.
    """
    options: dict[str, str] = {}
    returned: dict[str, list[str]] = {}
    for name in left:
        if all(size == 1 for size in file.inputs[name]):  # also if there is no axis
            known = name.lower() in _RATES and rate_hz
            options[name] = f"--input {quote(name)}={f'{rate_hz:g}' if known else 'NUMBER'}"
        elif found := [each for each in file.outputs if _returns(file, name, each, taken)]:
            returned[name] = found
    rows = max(left, key=lambda name: (name not in options | returned, _n_open(file.inputs[name])))
    returned.pop(rows, None)
    meant: list[str] = []
    for name, outputs in pairs_of(returned).items():
        options[name] = f"--state {quote(name)}={quote(outputs[0]) if len(outputs) == 1 else 'OUTPUT'}"
        meant += outputs if len(outputs) > 1 else []
    lists = {name: f"{'[' * len(file.inputs[name])}...{']' * len(file.inputs[name])}" for name in left}
    given = [options.get(name, f"--input {quote(name)}={lists[name]}") for name in left if name != rows]
    return given, list(dict.fromkeys(meant))


def _n_open(shape: Shape) -> int:
    return sum(not isinstance(size, int) for size in shape)


def _returns(file: NetworkFile, name: str, output: str, taken: set[str]) -> bool:
    """Tell whether an output may be the next run's input, by its type and its sizes."""
    one, other = file.inputs[name], file.outputs[output]
    sizes: Any = zip(one, other, strict=False)
    return (
        output not in taken
        and _n_open(one) <= 1 < len(one)
        and file.types[name] == file.types[output]
        and len(one) == len(other)
        and all(a == b or not (isinstance(a, int) and isinstance(b, int)) for a, b in sizes)
    )
