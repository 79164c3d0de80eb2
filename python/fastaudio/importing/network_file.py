"""What an ONNX file says of itself: its inputs and outputs with their shapes, and its metadata.

It is read as protobuf, without opening the network, whose weights are skipped.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fastaudio._core import ModelError, check_interrupt
from fastaudio._system.reading import pieces

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

Shape = tuple["int | str | None", ...]

_VARINT, _EIGHT, _BYTES, _FOUR = 0, 1, 2, 5
_LONGEST_TEXT = 1 << 20
_MOST = 4096  # inputs, outputs, axes or entries of metadata
_PER_CHECK = 1000
_TYPES = {  # of TensorProto
    1: "float32",
    2: "uint8",
    3: "int8",
    4: "uint16",
    5: "int16",
    6: "int32",
    7: "int64",
    8: "string",
    9: "bool",
    10: "float16",
    11: "float64",
    12: "uint32",
    13: "uint64",
    16: "bfloat16",
}


@dataclass
class NetworkFile:
    """An ONNX file.

    Attributes:
        inputs: shape of each input that has no default, by name; None stands for an axis that isn't stated,
            a text for one that is open.
        outputs: shape of each output, by name; () also where the file states none.
        types: type of the numbers of each input and output, by name; "" for what holds no numbers.
        metadata: its metadata, as text.
    """

    inputs: dict[str, Shape] = field(default_factory=dict)
    outputs: dict[str, Shape] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)
    metadata: dict[str, str] = field(default_factory=dict)


def read_network(path: str | os.PathLike[str]) -> NetworkFile:
    """Return what a file says of itself.

    Raises:
        ModelError: it can't be read, or is no ONNX file.
    """
    try:
        raw = b"".join(pieces(path))
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: expected an ONNX file that can be read, got: {error}") from error
    try:
        found = _model(memoryview(raw))
    except (IndexError, ValueError, UnicodeDecodeError) as error:
        raise ModelError(f"{path}: expected an ONNX file, got one that is none or was cut short") from error
    if not found.inputs or not found.outputs:
        raise ModelError(f"{path}: expected a network with inputs and outputs, got none; name an ONNX file")
    return found


def _model(data: memoryview) -> NetworkFile:
    found = NetworkFile()
    for number, value in _fields(data):
        if number == 7:  # noqa: PLR2004  # ModelProto.graph
            _graph(value, found)
        elif number == 14 and len(found.metadata) < _MOST:  # noqa: PLR2004  # metadata_props
            pair = dict(_fields(value))
            found.metadata[_text(pair.get(1))] = _text(pair.get(2))
    return found


def _graph(data: memoryview, found: NetworkFile) -> None:
    constants = set()
    for number, value in _fields(data):
        if number == 5:  # noqa: PLR2004  # initializer: its name is TensorProto's field 8
            constants.add(next((_text(part) for key, part in _fields(value) if key == 8), ""))  # noqa: PLR2004
        elif number in (11, 12):
            name, kind, shape = _info(value)
            found.types[name] = kind
            (found.inputs if number == 11 else found.outputs)[name] = shape  # noqa: PLR2004
    for name in constants & found.inputs.keys():  # old files list weights as inputs
        del found.inputs[name]
    if max(len(found.inputs), len(found.outputs)) > _MOST:
        raise ValueError


def _info(data: memoryview) -> tuple[str, str, Shape]:
    """Return a ValueInfoProto's name, type and shape."""
    name = kind = ""
    shape: Shape = ()
    for number, value in _fields(data):
        if number == 1:
            name = _text(value)
        elif number == 2:  # noqa: PLR2004  # TypeProto.tensor_type.shape
            for _, tensor in (pair for pair in _fields(value) if pair[0] == 1):
                for key, part in _fields(tensor):
                    if key == 1:  # elem_type
                        kind = _TYPES.get(_varint(part, 0)[0], "")
                    elif key == 2:  # noqa: PLR2004  # shape
                        shape = tuple(_axis(axis) for number, axis in _fields(part) if number == 1)
    return name, kind, shape[:_MOST]


def _axis(data: memoryview) -> int | str | None:
    for number, value in _fields(data):
        if number == 1:
            size = _varint(value, 0)[0]
            return size if 0 < size < 1 << 31 else None
        if number == 2:  # noqa: PLR2004
            return _text(value)
    return None


def _fields(data: memoryview) -> Iterator[tuple[int, memoryview]]:
    """Yield number and content of each field of a message; numbers come as their bytes."""
    at = count = 0
    while at < len(data):
        count += 1
        if count % _PER_CHECK == 0:
            check_interrupt()
        tag, at = _varint(data, at)
        kind, start = tag & 7, at
        if kind == _VARINT:
            at = _varint(data, at)[1]
        elif kind == _BYTES:
            size, start = _varint(data, at)
            at = start + size
        elif kind in (_EIGHT, _FOUR):
            at += 8 if kind == _EIGHT else 4
        else:
            raise ValueError
        if at > len(data):
            raise ValueError
        yield tag >> 3, data[start:at]


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:  # noqa: PLR2004
            return value, at
    raise ValueError


def _text(value: memoryview | None) -> str:
    return "" if value is None else bytes(value[:_LONGEST_TEXT]).decode("utf-8", "replace")
