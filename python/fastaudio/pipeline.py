"""Pipeline: a network from samples to results, over files, arrays and streams."""

from __future__ import annotations

import math
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fastaudio import cards
from fastaudio._core import FastaudioError, ModelError, Node, StreamSpec
from fastaudio.cards import pack
from fastaudio.cards.trained import require_trained
from fastaudio.graph.hop import with_hop
from fastaudio.graph.layers import layer, layers
from fastaudio.live import LiveOptions, LiveStream
from fastaudio.live.listening import source_for
from fastaudio.live.options import LISTEN_DEFAULTS, LIVE_DEFAULTS, takes_live_options
from fastaudio.live.stream import Swappable
from fastaudio.running.adapt import Quality, require_whole, with_head
from fastaudio.running.decode import AudioFile, FileLike, is_file_like
from fastaudio.running.stream import PipelineStream, Samples
from fastaudio.running.whole import Layout, Progress, run_array, run_file, run_many

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator, Mapping

    from typing_extensions import Unpack

    from fastaudio._core import Pool
    from fastaudio.live.options import LiveOptionsDict
    from fastaudio.live.sources import Source

_REPR_WIDTH = 80


class Pipeline(Swappable):
    """A network that takes sound at any rate and gives tags, or features.

    Sound is made mono (the mean of its channels, or one of them), resampled to the pipeline's
    rate in the core, and run through the node. A pipeline that ends in `Tags` returns
    `fastaudio.tags.Tags`, one that ends in `Events` `fastaudio.events.Events`; any other returns
    float32 rows [n_rows, ...]; one with several outputs returns a dict of these by name. `>>` adds
    a node. Thread-safe: share one between threads.

    >>> import fastaudio as fa
    >>> mel = fa.MelSpectrogram(sample_rate=16_000, n_fft=512, hop_length=256, n_mels=96)
    >>> print(fa.Pipeline(mel >> fa.Log(kind="log10", scale=10_000, offset=1)))
    16000 Hz mono (mean of all channels)
    MelSpectrogram(sample_rate=16000, ...)  -> [62.5 Hz, 96] power
    Log(kind='log10', ...)                  -> [62.5 Hz, 96] log10, latency 0.016 s
    """

    def __init__(
        self,
        node: Node,
        *,
        channel: int | None = None,
        quality: Quality = "high",
        card: Mapping[str, Any] | None = None,
        untrained: bool = False,
    ) -> None:
        """Wrap a node whose first part states its sample rate.

        Args:
            node: what to run.
            channel: index of the channel to take; None for the mean of all.
            quality: of the resampler, where a source has another rate.
            card: metadata, kept by `save`.
            untrained: whether it gives tags though its card says that its weights are untrained.
        """
        if not isinstance(node, Node):
            raise TypeError(
                f"Pipeline: expected a node, got {type(node).__name__}; "
                "Pipeline.load takes a model's name or a card's path"
            )
        spec = node.input_spec
        if spec is None:
            raise ValueError(
                f"Pipeline: expected a first node that states its sample rate, got {node!r:.60}; "
                "start with MelSpectrogram or Resample"
            )
        if channel is not None and type(channel) is not int:
            raise TypeError(f"Pipeline: expected channel as an int or None, got {channel!r}")
        if channel is not None and channel < 0:
            raise ValueError(f"Pipeline: expected channel as an index from 0, got {channel}")
        if quality not in ("fast", "high", "best"):
            raise ValueError(f"Pipeline: expected quality 'fast', 'high' or 'best', got {quality!r}")
        self.node = node
        self.channel = channel
        self.quality: Quality = quality
        self.card: dict[str, Any] = dict(card or {})
        self.untrained = untrained
        self.input_spec = spec
        self.output_specs: dict[str, StreamSpec] = node.output_specs(spec)
        self._heads: dict[tuple[int, int], tuple[Node, StreamSpec]] = {}
        self._lock = threading.Lock()

    @classmethod
    def load(
        cls,
        model: str | os.PathLike[str] = cards.DEFAULT_MODEL,
        *,
        threads: int | None = None,
        providers: list[str] | None = None,
        channel: int | None = None,
        untrained: bool = False,
    ) -> Pipeline:
        """Load a model that comes with the package, or one from a card's file or a packed one.

        Args:
            model: a name that `fastaudio.models()` lists, or the path of a card or a packed model.
            threads: cores that a whole file may use; the numbers are the same with any.
            providers: ONNX Runtime's execution providers, in order.
            channel: index of the channel to take; None for the mean of all.
            untrained: whether to give tags, meaningless ones, if the card says `"weights": "untrained"`.

        Raises:
            ModelError: no such model, a card that doesn't hold, weights that were changed.
        """
        card = cards.read_card(model)
        node = cards.build(card, threads=threads, providers=providers)
        data = card.data
        channel, quality = data.get("channel") if channel is None else channel, data.get("quality", "high")
        try:
            return cls(node, channel=channel, quality=quality, card=data, untrained=untrained)
        except (ValueError, TypeError) as error:
            raise ModelError(f"{card.path}: {error}") from error

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the pipeline as a card, its models' files beside it; all in one if `path` is an .onnx file.

        Raises:
            ModelError: a model's file is missing, or was changed since it was loaded.
        """
        how = {"channel": self.channel, "quality": self.quality}
        save = pack.save if Path(path).suffix == ".onnx" else cards.save
        save(Path(path), self.node, {"name": Path(path).stem} | self.card | how)

    def __rshift__(self, node: Node | dict[str, Node]) -> Pipeline:
        """Return a pipeline that goes on with `node`, or with branches by name; all else is kept."""
        return self._with(self.node >> node)

    def _with(self, node: Node) -> Pipeline:
        made_anew = ("input", "pipeline")  # what a card says of its nodes
        card = {key: value for key, value in self.card.items() if key not in made_anew}
        return Pipeline(**self.__getstate__() | {"node": node, "card": card})

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the network's outputs, for `layer`; none without a network, or with several."""
        return layers(self.node)

    def layer(self, name: str | None = None) -> Pipeline:
        """Return the pipeline up to its network, giving that output's rows; its weights shared.

        The network is the last one on the way; what came after it (Tags, Events, Mean) is left out.
        Without a name it is the first output that the card calls an embedding, else the first.

        Raises:
            ValueError: no such output, no network, or several in branches.
        """
        return self._with(layer(self.node, name, self.card))

    @property
    def name(self) -> str | None:
        """Name of its card, or None."""
        name = self.card.get("name")
        return name if isinstance(name, str) else None

    @property
    def sample_rate(self) -> int:
        """Rate that sound is resampled to, in Hz."""
        return round(self.input_spec.rate_hz)

    @property
    def latency_s(self) -> float:
        """Seconds of sound from a result's start until it comes out; infinite if it waits for the end.

        A stream at another rate adds the resampler's, some milliseconds.
        """
        specs = self.output_specs.values()
        return max(spec.latency_s if spec.rate_hz else math.inf for spec in specs)

    @property
    def receptive_field_s(self) -> float:
        """Seconds of sound that one result depends on; infinite if it may depend on all before it."""
        return self.node.receptive_field_s(self.input_spec)

    def with_hop(self, hop_s: float) -> Pipeline:
        """Return the same pipeline with a window every `hop_s` seconds, its weights shared.

        Windows keep their length, and overlap if the step is less; latency stays too. The step is that of
        the last `Patches` on the way to a result, rounded to whole rows, at least one.

        Raises:
            TypeError, ValueError: no number above 0, or a pipeline without Patches.
        """
        return self._with(with_hop(self.node, self.input_spec, hop_s))

    def __repr__(self) -> str:
        name = f"{self.name}: " if self.name else ""
        node = repr(self.node)
        node = node if len(node) <= _REPR_WIDTH else node[:_REPR_WIDTH] + "..."
        return f"<Pipeline {name}{self._input_line()}, {node}>"

    def __str__(self) -> str:
        return f"{self._input_line()}\n{self.node.diagram(self.input_spec)}"

    def _input_line(self) -> str:
        how = "mean of all channels" if self.channel is None else f"channel {self.channel}"
        return f"{self.sample_rate} Hz mono ({how})"

    def __getstate__(self) -> dict[str, Any]:
        return {
            "node": self.node,
            "channel": self.channel,
            "quality": self.quality,
            "card": self.card,
            "untrained": self.untrained,
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**state)  # type: ignore[misc]

    def __call__(
        self,
        source: FileLike | Samples,
        *,
        sample_rate: int | None = None,
        layout: Layout | None = None,
        progress: Progress | None = None,
    ) -> Any:
        """Run over a whole signal.

        Args:
            source: a path, a binary file object, or samples as float32 (full scale +-1) or int16.
            sample_rate: of samples, in Hz; a file knows its own.
            layout: axes of two-dimensional samples.
            progress: called with the seconds done and the total, None if unknown.

        Returns:
            Tags, Events, an array of rows, or a dict of these by output name.

        Raises:
            DecodeError: the file can't be read, or holds values that aren't finite.
            TypeError, ValueError: samples of a wrong type, shape or value, or without a rate.
        """
        if isinstance(source, np.ndarray):
            return run_array(self, source, sample_rate, layout, progress)
        if (sample_rate is not None or layout is not None) and is_file_like(source):
            raise ValueError("Pipeline: expected sample_rate and layout for samples only, got a file")
        with AudioFile(source) as file:
            return run_file(self, file, progress)

    def open(self, *, sample_rate: int, channels: int = 1) -> PipelineStream:
        """Open a stream of blocks of any size.

        Args:
            sample_rate: of the blocks, in Hz.
            channels: of the blocks: [n_samples] or [n_samples, channels].
        """
        node, spec = self.adapted(sample_rate, channels)
        return PipelineStream(node.open(spec), node.output_specs(spec), sample_rate, self.name)

    @takes_live_options(LIVE_DEFAULTS)
    def live(
        self,
        sample_rate: int,
        channels: int = 1,
        *,
        pool: Pool | None = None,
        **options: Unpack[LiveOptionsDict],
    ) -> LiveStream:
        """Open a stream that runs in the background: push blocks from any thread, iterate over results.

        Args:
            sample_rate: of the blocks, in Hz.
            channels: of the blocks.
            pool: the threads that run it; None for those that all live streams share.
            options: those of `fastaudio.live.LiveOptions`; `help()` lists them with their defaults.

        Raises:
            ValueError, TypeError: an argument outside its range, or of a wrong type or name.
        """
        node, spec = self.adapted(sample_rate, channels)
        return LiveStream(node, spec, LiveOptions(**LIVE_DEFAULTS | options), model=self.name, pool=pool)

    @takes_live_options(LISTEN_DEFAULTS)
    def listen(
        self,
        device: int | str | Source | None = None,
        *,
        sample_rate: int | None = None,
        channels: int = 1,
        block_s: float | None = None,
        hop_s: float | None = None,
        pool: Pool | None = None,
        **options: Unpack[LiveOptionsDict],
    ) -> LiveStream:
        """Run over a microphone until it is closed: `for window in pipeline.listen()`, or `async for`.

        Args:
            device: index or name of an input, see `fastaudio.devices()`, None for the default one; or
                another `Source`: raw PCM from a pipe, a file in real time.
            sample_rate: of the device, in Hz; None for its own. The sound is resampled in the core.
            channels: of the device.
            block_s: length of the device's blocks: long ones cost less. None for a twentieth of the step
                between results, from 10 to 100 ms.
            hop_s: step between windows, in seconds; None for the pipeline's own.
            pool: the threads that run it; None for those that all live streams share.
            options: as for `live`; a microphone can't wait, so overflow "block" is refused for one.

        Raises:
            DeviceError: no sounddevice, no PortAudio, no such device, or one that refuses.
            ValueError, TypeError: an argument outside its range, or of a wrong type or name.
        """
        pipeline = self if hop_s is None else self.with_hop(hop_s)
        live = LiveOptions(**LISTEN_DEFAULTS | options)
        device_options: dict[str, Any] = {
            "sample_rate": sample_rate,
            "channels": channels,
            "block_s": block_s,
        }
        specs = pipeline.output_specs.values()
        source = source_for(device, specs, overflow=live.overflow, **device_options)
        node, spec = pipeline.adapted(source.sample_rate, source.channels)
        return LiveStream(node, spec, live, model=pipeline.name, pool=pool, source=source)

    def adapted(self, sample_rate: int, channels: int) -> tuple[Node, StreamSpec]:
        """Return the node with what makes such input mono and resamples it, and the input's spec.

        Every stream begins here.

        Raises:
            ModelError: it would give tags by untrained weights.
        """
        require_trained(self)
        require_whole(sample_rate=sample_rate, channels=channels)
        key = int(sample_rate), int(channels)
        with self._lock:
            if key not in self._heads:
                self._heads[key] = with_head(
                    self.node,
                    self.sample_rate,
                    quality=self.quality,
                    channel=self.channel,
                    sample_rate=key[0],
                    channels=key[1],
                )
            return self._heads[key]

    def map(self, sources: Iterable[FileLike], *, jobs: int | None = None) -> Iterator[Any | FastaudioError]:
        """Run over many files, several at once; the network's session is shared.

        Args:
            sources: paths or file objects; taken as they are needed.
            jobs: files at once; one for each processor core by default.

        Yields:
            For each source, in order, its result, or the error that it met: a bad file never ends
            the rest.
        """
        require_trained(self)
        return run_many(self, sources, jobs)
