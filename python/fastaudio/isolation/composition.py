"""A composition whose network runs in processes of its own."""

from __future__ import annotations

import os
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, NoReturn, cast

from fastaudio._core import Node, StateError, StreamSpec
from fastaudio.composition import Composition
from fastaudio.decoding.sources import DecodeError
from fastaudio.running.adapt import SILENCE_DB, checked_silence
from fastaudio.running.stream import PipelineStream
from fastaudio.running.whole import run_array

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Self

    from fastaudio.decoding.audio_file import AudioFile
    from fastaudio.decoding.sources import FileLike
    from fastaudio.isolation.limits import Limits
    from fastaudio.isolation.model import Model
    from fastaudio.running.stream import Samples
    from fastaudio.running.whole import Progress

_ELSEWHERE = "node", "_adapter", "_runner", "_live_runner"


class Isolated(Composition):
    """What `Composition` is, as far as a process that decodes and runs it can tell; the network isn't here.

    Attributes:
        guards: what the system holds the processes to: "no_new_privs", "landlock", "seccomp".
    """

    def __init__(self, model: Model, limits: Limits) -> None:
        """Build the model in a first process.

        Raises:
            ModelError: the model can't be used.
            IsolationError: a process can't be started, or ended meanwhile.
        """
        from fastaudio.isolation import answers  # noqa: PLC0415  # of here, only the class comes with each pipeline
        from fastaudio.isolation.children import Children  # noqa: PLC0415

        self._model = model
        self._children = Children(model, limits)
        process, message = self._children.start()
        card, options = model.card, model.options

        def chosen(key: str, default: Any) -> Any:
            return card.get(key, default) if options.get(key) is None else options[key]

        with process.checked():
            self._told = told = answers.told(message.fields)
        self.output_specs = cast("dict[str, StreamSpec]", told.outputs)
        self.guards = process.guards
        self.input_spec = StreamSpec(rate_hz=told.rate_hz)
        self.channel = chosen("channel", None)
        self.quality = chosen("quality", "high")
        self.silence_db = checked_silence(chosen("silence_db", SILENCE_DB))
        self.untrained = bool(options.get("untrained"))
        self.card = {
            key: value for key, value in card.items() if not model.steps or key not in ("input", "pipeline")
        }
        process.idle()
        self._children.give(process)

    def __getattr__(self, name: str) -> NoReturn:
        if name in _ELSEWHERE:
            raise AttributeError(
                "Pipeline: expected no use of the node of an isolated pipeline, which is in another process; "
                "compose first, then call fastaudio.isolated(pipeline)"
            )
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __rshift__(self, node: Node | dict[str, Node]) -> Self:
        """Return this pipeline followed by `node`, which may hold no network, in a process of its own."""
        if not isinstance(node, Node) or "OnnxModel" in repr(node):
            raise TypeError(
                "Pipeline: expected a node without a network after an isolated pipeline, got another; "
                "compose first, then call fastaudio.isolated(pipeline)"
            )
        return self._then("then", node.to_dict())

    @property
    def layers(self) -> tuple[str, ...]:
        """The network's outputs that `layer` takes."""
        return self._told.layers

    def layer(self, name: str | None = None) -> Self:
        """Return a pipeline that ends at its last network, as `Pipeline.layer` does, but isolated."""
        return self._then("layer", name)

    def with_hop(self, hop_s: float) -> Self:
        """Return this pipeline with a window every `hop_s` seconds, in a process of its own."""
        return self._then("with_hop", hop_s)

    @property
    def receptive_field_s(self) -> float:
        """Seconds of sound that one result depends on; infinite if all sound before it may matter."""
        return self._told.receptive_field_s

    def runnable(self, sample_rate: int, channels: int, *, live: bool = False) -> NoReturn:
        """Refuse: the network is in another process."""
        del sample_rate, channels
        what = "live streams" if live else "its node"
        raise StateError(
            f"Pipeline: expected {what} of a pipeline in this process, got an isolated one; "
            "push blocks to pipeline.open(sample_rate=...)"
        )

    adapted = head = runnable

    def open_stream(self, sample_rate: int, channels: int) -> PipelineStream:
        """Open a stream in a process of its own, which takes other work once the stream is closed."""
        from fastaudio.isolation.runs import IsolatedPipelineStream, IsolatedStream  # noqa: PLC0415

        self._require_trained()
        stream: Any = IsolatedStream(self._children, sample_rate, channels)
        return IsolatedPipelineStream(stream, stream.outputs, sample_rate, self.name)

    def run_samples(
        self,
        samples: Samples,
        sample_rate: int,
        channels: int,
        progress: Progress | None,
        result_mb: float | None,
    ) -> Any:
        """Run over samples in a process; see `Pipeline.__call__`."""
        with self._children.call(), self.open_stream(sample_rate, channels) as stream:
            return run_array(stream, samples, progress, result_mb)

    @contextmanager
    def opened(self, source: FileLike) -> Iterator[tuple[AudioFile, PipelineStream]]:
        """Begin with a file in a process; what it gives is as `Pipeline.opened` has it."""
        from fastaudio.isolation.reading import Reader  # noqa: PLC0415
        from fastaudio.isolation.runs import IsolatedFile  # noqa: PLC0415

        self._require_trained()
        with ExitStack() as stack:
            stack.enter_context(self._children.call())
            reader = stack.enter_context(Reader(source))
            process = self._children.take()
            stack.callback(self._children.give, process)
            try:
                file = IsolatedFile(reader, process, int(self._children.limits.result_mb * 1e6))
            except DecodeError as error:
                raise reader.blamed(error) from error
            specs = cast("dict[str, StreamSpec]", file.outputs)
            stream = PipelineStream(file.stream, specs, file.sample_rate, self.name)
            yield cast("AudioFile", file), stream

    def within(self, limits: Limits) -> Self:
        """Return this pipeline in processes of its own with other bounds."""
        other = type(self).__new__(type(self))
        Isolated.__init__(other, self._model, limits)
        other.card = dict(self.card)
        return other

    def close(self) -> None:
        """End the processes; streams that are open lose theirs, and the next call starts new ones."""
        self._children.close()

    def _then(self, method: str, argument: Any) -> Self:
        other = type(self).__new__(type(self))
        Isolated.__init__(other, self._model.then(method, argument), self._children.limits)
        return other

    def __repr__(self) -> str:
        return self._told.repr.replace("<Pipeline", "<Pipeline (isolated)", 1)

    def __str__(self) -> str:
        return self._told.str

    def _repr_png_(self) -> None:
        """Return no picture: the nodes are in another process."""

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            f"Pipeline: expected no pickle of an isolated pipeline, got one in process {os.getpid()}; "
            "load it where it is used"
        )
