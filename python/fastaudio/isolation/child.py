"""The program of an isolated process: it takes a model and sound, and gives rows.

It reads no file: the model comes over the connection, and so do the pieces of a file that a decoder asks for.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import io
import os
import pkgutil
import select
import socket
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from fastaudio import _core, cards
from fastaudio.cards import packed_file
from fastaudio.composition import Composition
from fastaudio.decoding.audio_file import AudioFile, DecodeError
from fastaudio.isolation import answers, limits
from fastaudio.isolation.model import described
from fastaudio.isolation.wire import Channel, ClosedError, Message, TooLongError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import ModuleType

    from fastaudio._core import StreamSpec

LATE = "difflib", "tempfile"
"""Modules of Python that functions of the decoder and the network import, as few of them run."""

_OWNER_S = 1.0
_READ_BYTES = 1 << 18
# The smallest network: an Identity over rows of one value. Running it loads all that a network needs.
_IDENTITY = bytes.fromhex(
    "080112003a410a100a017812017922084964656e746974791201675a140a0178120f0a0d0801"
    "12090a0312016e0a02080162140a0179120f0a0d080112090a0312016e0a02080142040a00100d"
)


def main(descriptor: int, owner: int, memory_bytes: int) -> None:
    """Serve the owner at the other end of the connection until it closes it."""
    channel = Channel(socket.socket(fileno=descriptor), lambda: None)
    threading.Thread(target=_watch, args=(descriptor, owner), daemon=True).start()
    limits.restrict_resources(memory_bytes)
    _load_libraries()
    guards = limits.restrict_rights()
    try:
        channel.send("ready", {"guards": guards})
        _serve(channel)
    except ClosedError:
        os._exit(0)


def _watch(descriptor: int, owner: int) -> NoReturn:
    """End the process when its owner does, whatever it is doing."""
    poll = select.poll()
    poll.register(descriptor, 0)
    while os.getppid() == owner:
        if any(event & (select.POLLHUP | select.POLLERR) for _, event in poll.poll(_OWNER_S * 1000)):
            break
    os._exit(0)


def _load_libraries() -> None:
    """Load what can't be loaded any more once files can't be opened."""
    fastaudio = importlib.import_module("fastaudio")
    for name in fastaudio.__all__:  # some come from modules that are imported with their first use
        getattr(fastaudio, name)
    for name in LATE:
        _load(name)
    _load("soundfile")
    av = _load("av")
    for part in pkgutil.iter_modules(av.__path__, "av.") if av else ():  # some load only as a file is opened
        package = None if part.name == "av.__main__" else _load(part.name)
        for inner in pkgutil.iter_modules(getattr(package, "__path__", ()), f"{part.name}."):
            _load(inner.name)
    _core.set_model_reader(lambda *_: (_IDENTITY, ""))
    try:
        _core.OnnxModel("identity.onnx")(np.zeros((1, 1), dtype=np.float32))
    except _core.ModelError:
        return  # told to who builds a pipeline with a network


def _load(name: str) -> ModuleType | None:
    """Import a module; that there is none, or that it can't be loaded, is told to who decodes a file."""
    try:
        return importlib.import_module(name)
    except (ImportError, OSError):
        return None


class _Server:
    """Answers messages; holds the pipeline, and the stream that is open."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._pipeline: Composition | None = None
        self._path = ""
        self._stream: _core.Stream | None = None
        self._specs: dict[str, StreamSpec] = {}

    def load(self, message: Message) -> None:
        arrays = self._channel.read_arrays(message)
        text, *contents = map(np.ndarray.tobytes, arrays)
        networks = {hashlib.sha256(content).hexdigest(): content for content in contents}
        if list(networks) != message.fields["networks"]:
            raise ValueError("isolation: expected the networks that were announced, got others")
        _core.set_model_reader(lambda _, sha256, *__: (networks[sha256], sha256))
        parts = described(text)
        self._path = parts["path"]
        self._pipeline = pipeline = _built(parts)
        fields = {
            "outputs": _told(pipeline.output_specs),
            "input": {"rate_hz": pipeline.input_spec.rate_hz},
            "layers": list(pipeline.layers),
            "receptive_field_s": pipeline.receptive_field_s,
            "repr": repr(pipeline),
            "str": str(pipeline),
        }
        with self._sayable():
            answers.told(fields)
            self._channel.send("loaded", fields)

    def open(self, message: Message) -> None:
        self._open(message.fields["sample_rate"], message.fields["channels"])
        with self._sayable():
            self._channel.send("opened", {"outputs": _told(self._specs)})

    @contextlib.contextmanager
    def _sayable(self) -> Iterator[None]:
        """Say of what the owner would take for an attack that the model is too large."""
        try:
            yield
        except (answers.WrongAnswer, TooLongError) as error:
            got = "" if isinstance(error, TooLongError) else ", got others"
            raise _core.ModelError(
                f"{self._path}: isolated, expected {error.expected}{got}; run it without isolation if you "
                "trust it"
            ) from error

    def push(self, message: Message) -> None:
        (samples,) = self._channel.read_arrays(message)
        self._rows("rows", self._running().push(samples, wait=message.fields["wait"]))

    def flush(self, _: Message) -> None:
        self._rows("rows", self._running().flush())

    def reset(self, _: Message) -> None:
        self._running().reset()
        self._channel.send("done", {})

    def file(self, message: Message) -> None:
        remote = _Remote(self._channel, message.fields["size"], message.fields["name"])
        try:
            self._run(remote)
        finally:
            remote.end()

    def _run(self, remote: _Remote) -> None:
        with AudioFile(io.BufferedReader(remote, _READ_BYTES)) as file:
            with file.decode_errors():
                self._open(file.sample_rate, file.channels)
            about = {
                "sample_rate": file.sample_rate,
                "channels": file.channels,
                "duration_s": file.duration_s,
            }
            self._channel.send("opened", about | {"outputs": _told(self._specs)})
            stream = self._running()
            for block in file.blocks():
                with file.decode_errors():
                    rows = stream.push(block if file.channels > 1 else block[:, 0], wait=False)
                self._rows("rows", rows, samples=len(block))
            remote.end()
            self._rows("end", stream.flush(), truncated=file.truncated)
        self._stream = None

    def _open(self, sample_rate: int, channels: int) -> None:
        assert self._pipeline is not None
        node, spec = self._pipeline.runnable(sample_rate, channels)
        self._stream, self._specs = node.open(spec), node.output_specs(spec)

    def _running(self) -> _core.Stream:
        if self._stream is None:
            raise _core.StateError("stream: expected an open stream, got a closed one; open a new one")
        return self._stream

    def _rows(self, kind: str, rows: Any, **fields: Any) -> None:
        by_name = rows if isinstance(rows, dict) else dict.fromkeys(self._specs, rows)
        arrays = [np.ascontiguousarray(by_name[name]) for name in self._specs]
        self._channel.send(kind, {"loud": self._running().too_loud, **fields}, arrays)


class _Remote(io.RawIOBase):
    """A file that the owner reads: each stretch of it is asked for."""

    def __init__(self, channel: Channel, size: int, name: str) -> None:
        super().__init__()
        self.name = name
        self._size = size
        self._channel = channel
        self._position = 0
        self._reading = threading.Lock()
        self._ended = False

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position}.get(whence, self._size)
        self._position = max(0, base + offset)
        return self._position

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: Any) -> int:
        n_bytes = min(len(buffer), self._size - self._position, _READ_BYTES)
        with self._reading:
            if self._ended or n_bytes <= 0:
                return 0
            self._channel.send("read", {"position": self._position, "n_bytes": n_bytes})
            (data,) = self._channel.read_arrays(self._channel.receive())
        buffer[: len(data)] = data.tobytes()
        self._position += len(data)
        return len(data)

    def end(self) -> None:
        """Let a read that a decoder's thread has begun end, and begin no other."""
        with self._reading:
            self._ended = True


def _built(fields: Mapping[str, Any]) -> Composition:
    """Build the pipeline that was described, as `Pipeline.load` does."""
    data, options = fields["card"], fields["options"]
    # Named as packed, so that no file is looked for: networks are those that came with the message.
    held = packed_file.Packed("", 0, b"", b"", {})
    card = cards.Card(Path(fields["path"]), data, packed=held)
    how = {key: data[key] for key in ("channel", "quality", "silence_db") if key in data}
    how |= {key: options[key] for key in ("channel", "silence_db") if options.get(key) is not None}
    chosen = {key: options.get(key) for key in ("threads", "providers")}
    limits = options.get("budget")
    budget = cards.Budget(**limits) if limits else cards.Budget.unlimited()

    def loaded() -> Composition:
        node = cards.build(card, **chosen, budget=budget)
        with cards.blaming(card):
            composition = Composition(node, card=data, untrained=bool(options.get("untrained")), **how)
            composition.try_open()
        return composition

    pipeline = budget.within(loaded)
    for method, argument in fields["steps"]:
        if method == "then":
            after = cards.Card(Path("pipeline"), {"pipeline": [argument]}, packed=held)
            pipeline = pipeline >> cards.build(after, budget=budget)
        else:
            pipeline = pipeline.layer(argument) if method == "layer" else pipeline.with_hop(argument)
    return pipeline


def _told(specs: Mapping[str, StreamSpec]) -> list[dict[str, Any]]:
    same = ("rate_hz", "unit", "kind", "latency_s", "span_s", "bin_hz")
    return [
        {key: getattr(spec, key) for key in same}
        | {"name": name, "shape": list(spec.shape), "labels": list(spec.labels), "repr": repr(spec)}
        for name, spec in specs.items()
    ]


def _serve(channel: Channel) -> NoReturn:
    server = _Server(channel)
    known = {name: getattr(server, name) for name in ("load", "open", "push", "flush", "reset", "file")}
    while True:
        message = channel.receive()
        try:
            known[message.kind](message)
        except ClosedError:
            raise
        except BaseException as error:  # noqa: BLE001  # the owner raises it
            said = error.reason if isinstance(error, DecodeError) else str(error)
            name = "DecodeError" if isinstance(error, DecodeError) else type(error).__name__
            channel.send("error", {"type": name, "message": said[:4000]})
