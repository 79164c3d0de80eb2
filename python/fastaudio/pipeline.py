"""Pipeline: a network from samples to results, over files, arrays and streams."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from fastaudio import cards
from fastaudio._core import LiveOptions, StateError
from fastaudio._system.keywords import checked_keywords
from fastaudio.cards import pack
from fastaudio.composition import Composition
from fastaudio.decoding.audio_file import AudioFile, FileLike
from fastaudio.isolation.composition import Isolated
from fastaudio.live.options import LISTEN_DEFAULTS, LIVE_DEFAULTS, takes_live_options
from fastaudio.running.adapt import check_channel, checked_silence
from fastaudio.running.limits import check_result_mb, limits
from fastaudio.running.stream import PipelineStream, Result, Samples
from fastaudio.running.whole import Layout, Progress, require_sources, run_array, run_many, run_source

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator
    from datetime import datetime
    from typing import Self, Unpack

    from fastaudio._core import Cancel, FastaudioError, Pool
    from fastaudio.isolation.limits import Limits
    from fastaudio.live.options import LiveOptionsDict
    from fastaudio.live.sources import Source
    from fastaudio.live.stream import LiveStream


class Pipeline(Composition):
    """A network that takes sound at any rate and gives tags, events or features.

    Sound is made mono (the mean of its channels, or one of them), resampled to the pipeline's rate, and
    run through the node. A pipeline that ends in `Tags` returns `fastaudio.tags.Tags`, one that ends in
    `Events` returns `fastaudio.events.Events`; any other returns float32 rows [n_rows, ...], and one with
    several outputs returns a dict of these by name. Results share their name with the node, and
    `isinstance(result, fa.Tags)` holds for both; type checkers want `fastaudio.tags.Tags`.
    `>>` adds a node. Thread-safe: threads may share one.

    >>> import fastaudio as fa
    >>> mel = fa.MelSpectrogram(sample_rate=16_000, n_fft=512, hop_length=256, n_mels=96)
    >>> print(fa.Pipeline(mel >> fa.Log(kind="log10", scale=10_000, offset=1)))
    16000 Hz mono (mean of all channels)
    MelSpectrogram(sample_rate=16000, ...)  -> [62.5 Hz, 96] power
    Log(kind='log10', ...)                  -> [62.5 Hz, 96] log10, latency 0.016 s
    """

    guards: tuple[str, ...] = ()
    """What holds the processes of an isolated pipeline: "no_new_privs", "landlock", "seccomp"."""

    @classmethod
    @checked_keywords
    def load(
        cls,
        model: str | os.PathLike[str] = cards.DEFAULT_MODEL,
        *,
        threads: int | None = None,
        providers: list[str] | list[str | tuple[str, dict[str, str]]] | None = None,
        channel: int | None = None,
        untrained: bool = False,
        silence_db: float | None = None,
        isolate: bool | Limits = False,
        budget: cards.Budget | None = None,
        timeout_s: float | None = None,
        cancel: Cancel | None = None,
    ) -> Pipeline:
        """Load a model that comes with the package or was fetched, a card, or a packed model.

        Args:
            model: a name that `fastaudio.models()` lists, or the path of a card or a packed model.
            threads: cores that a whole file may use; their number doesn't change the results.
            providers: ONNX Runtime's execution providers, in order, each a name or a tuple of a name and its
                options: `("CUDAExecutionProvider", {"device_id": "0"})`. One that isn't active is refused.
            channel: index of the channel to take; None takes the card's, or else the mean of all.
            untrained: whether to give (meaningless) tags if the card says `"weights": "untrained"`.
            silence_db: level below which a window is silent, in dB relative to full scale, see `Pipeline`;
                None takes the card's, or else -70, and -math.inf marks none.
            isolate: whether to decode and run in processes of their own, see `isolated`; or their `Limits`.
            budget: what the card may cost, see `fastaudio.Budget`; None takes its defaults.
            timeout_s: seconds that loading may take; None for as long as it takes.
            cancel: ends loading once it is cancelled, from another thread.

        Raises:
            BudgetError: the card asks for more than the budget allows.
            Cancelled: `cancel` was cancelled.
            ModelError: there is no such model here, its card is wrong, or its weights were changed.
            IsolationError: a process can't be started, or ended while it built the pipeline.
            TimedOut: it took longer than `timeout_s`.
            TypeError, ValueError: an argument of a wrong type, or outside its range.
        """
        checked_silence(silence_db)
        check_channel(channel)  # here, because below it would be called the card's fault
        if budget is not None and not isinstance(budget, cards.Budget):
            raise TypeError(f"Pipeline.load: expected budget as a Budget or None, got {budget!r:.80}")
        budget = budget or cards.Budget()
        apart = None
        if isolate is not False:  # most run in this process, which loads a tenth less without it
            from fastaudio.isolation.limits import chosen_limits  # noqa: PLC0415
            from fastaudio.isolation.model import model_of_card  # noqa: PLC0415

            apart = chosen_limits(isolate)
        own = {"channel": channel, "silence_db": silence_db}
        with limits("Pipeline.load", timeout_s, cancel):
            card = cards.read_card(model, budget)
            if apart is not None:
                options: dict[str, Any] = {"threads": threads, "providers": providers, "untrained": untrained}
                options |= own | {"budget": asdict(budget)}
                return IsolatedPipeline(model_of_card(card, options), apart)
            how = card.how | {key: value for key, value in own.items() if value is not None}

            def loaded() -> Pipeline:
                node = cards.build(card, threads=threads, providers=providers, budget=budget)
                with cards.blaming(card):
                    pipeline = cls(node, card=card.data, untrained=untrained, **how)
                    pipeline.try_open()  # its buffers count as well
                return pipeline

            return budget.within(loaded)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a card with the networks' files beside it, or all in one if `path` ends in .onnx.

        A model that is there is replaced, and no other file; it stays whole until the new one is. The
        licences of weights from shipped, fetched or packed models go with them: into a LICENSE beside the
        card, or NAME.LICENSE for NAME.json where another LICENSE lies; or into the .onnx file.

        Raises:
            ModelError: a network's file is missing, or was changed since it was loaded; or another file is
                in the way.
            OutputError: a file can't be written.
        """
        how = {"channel": self.channel, "quality": self.quality, "silence_db": self.silence_db}
        path = Path(path)
        name = path.resolve().parent.name if path.name == "card.json" else path.stem  # models/NAME/card.json
        about = {"name": name} | self.card | how
        if path.suffix == ".onnx":
            pack.save(path, self.node, about)
        else:
            own = path.name == "card.json" and pack.has_own_folder(path)
            cards.save(path, self.node, about, own_folder=own)

    @checked_keywords
    def __call__(
        self,
        source: FileLike | Samples,
        *,
        sample_rate: int | None = None,
        layout: Layout | None = None,
        progress: Progress | None = None,
        timeout_s: float | None = None,
        cancel: Cancel | None = None,
        result_mb: float | None = None,
    ) -> Result:
        """Run over a whole signal.

        Ctrl-C, `timeout_s` and `cancel` end it within half a second, whatever it does; what a file object or
        `progress` raises comes back as it is.

        Args:
            source: a path, a binary file object or the bytes of a file; or samples as float32, full scale
                +-1, or int16.
            sample_rate: the samples' rate in Hz; a file states its own.
            layout: the order of axes of two-dimensional samples.
            progress: called with the seconds done and the total, which is None if unknown.
            timeout_s: seconds after which to give up; None for any time.
            cancel: ends the call when another thread cancels it.
            result_mb: MB of 10**6 bytes that the results may take, which grow with the sound's length; None
                for any number. Up to twice as much is held while they are put together.

        Returns:
            Tags, Events, an array of rows, or a dict of these by output name.

        Raises:
            DecodeError: the file can't be read, or holds values that aren't finite.
            TypeError, ValueError: samples have a wrong type, shape or value, or no rate.
            TimedOut, Cancelled: it was ended early.
            ResultTooLarge: the results are more than `result_mb`.
        """
        check_result_mb("Pipeline", result_mb)
        with limits("Pipeline", timeout_s, cancel):
            how: dict[str, Any] = {"sample_rate": sample_rate, "layout": layout}
            return run_source(self, source, progress=progress, result_mb=result_mb, **how)

    def run_samples(
        self,
        samples: Samples,
        sample_rate: int,
        channels: int,
        progress: Progress | None,
        result_mb: float | None,
    ) -> Result:
        """Run over samples, [n_samples] or [n_samples, channels]; what `__call__` does with them."""
        return run_array(self.open_stream(sample_rate, channels), samples, progress, result_mb)

    @contextmanager
    def opened(self, source: FileLike) -> Iterator[tuple[AudioFile, PipelineStream]]:
        """Open a file and a stream for it; `run_file` runs one through the other."""
        with AudioFile(source) as file:
            with file.decode_errors():
                stream = self.open_stream(file.sample_rate, file.channels)
            yield file, stream

    @checked_keywords
    def open(self, *, sample_rate: int, channels: int = 1) -> PipelineStream:
        """Open a stream, which takes blocks of any size.

        Args:
            sample_rate: the blocks' rate in Hz.
            channels: 1 for blocks [n_samples], more for [n_samples, channels].
        """
        return self.open_stream(sample_rate, channels)

    def open_stream(self, sample_rate: int, channels: int) -> PipelineStream:
        """Open a stream; what `open` does."""
        node, spec = self.runnable(sample_rate, channels)
        return PipelineStream(node.open(spec), node.output_specs(spec), sample_rate, self.name)

    @checked_keywords
    @takes_live_options(LIVE_DEFAULTS)
    def live(
        self,
        sample_rate: int,
        channels: int = 1,
        *,
        pool: Pool | None = None,
        started: datetime | None = None,
        **options: Unpack[LiveOptionsDict],
    ) -> LiveStream:
        """Open a stream that runs in the background: push blocks from any thread, iterate over results.

        Args:
            sample_rate: the blocks' rate, in Hz.
            channels: how many channels the blocks have.
            pool: the threads that run it; None for those that all live streams share.
            started: when sample 0 was recorded, for `LiveStream.time_of`; None for sound that is heard now.
            options: the keywords of `fastaudio.live.LiveOptions`; `help()` lists them with their defaults.

        Raises:
            ValueError, TypeError: an argument outside its range, or of a wrong type or name.
        """
        from fastaudio.live.stream import LiveStream  # noqa: PLC0415  # most programs run over files

        node, spec = self.runnable(sample_rate, channels, live=True)
        live = LiveOptions(**LIVE_DEFAULTS | options)
        return LiveStream(node, spec, live, model=self.name, pool=pool, started=started)

    @checked_keywords
    @takes_live_options(LISTEN_DEFAULTS)
    def listen(
        self,
        device: int | str | Source | None = None,
        *,
        sample_rate: int | None = None,
        channels: int = 1,
        block_s: float | None = None,
        hop_s: float | None = None,
        retry_s: float | None = None,
        started: datetime | None = None,
        pool: Pool | None = None,
        **options: Unpack[LiveOptionsDict],
    ) -> LiveStream:
        """Run over a microphone until it is closed: `for window in pipeline.listen()`, or `async for`.

        Args:
            device: number or name of an input that `fastaudio.devices()` lists, or None for the default one;
                an address (rtsp://camera/1); or another `Source`: raw PCM from a pipe, a file in real time.
            sample_rate: the device's rate, in Hz; None for its default. The core resamples the sound.
            channels: how many of the device's channels to take.
            block_s: length of the device's blocks: long ones cost less. None for a twentieth of the step
                between results, from 10 to 100 ms.
            hop_s: step between windows, in seconds; None for the pipeline's own.
            retry_s: look for a device that was lost, by its name, again and again, after 1 s and then after
                twice as long each time, up to this many seconds; the first result after it says in `gap_s`
                what is missing. PortAudio is started anew for this, unless another microphone of fastaudio
                is open: streams that the program opened with sounddevice itself end. Another source needs a
                method `again`, which returns a new source. None to raise DeviceLost.
            started: when sample 0 was recorded, for `LiveStream.time_of`; None for sound that is heard now.
            pool: the threads that run it; None for those that all live streams share.
            options: as for `live`; a microphone can't wait, so overflow "block" is refused for one. It is the
                default for sources that can, such as a file that isn't played in real time.

        Raises:
            DeviceError: no sounddevice, no PortAudio, no such device, or one that refuses.
            ValueError, TypeError: an argument outside its range, or of a wrong type or name.
        """
        from fastaudio.live.listening import source_for  # noqa: PLC0415  # most programs run over files
        from fastaudio.live.stream import LiveStream  # noqa: PLC0415

        pipeline = self if hop_s is None else self.with_hop(hop_s)
        waits: LiveOptionsDict = {"overflow": "block"} if getattr(device, "can_wait", False) else {}
        live = LiveOptions(**LISTEN_DEFAULTS | waits | options)
        how: dict[str, Any] = {"sample_rate": sample_rate, "channels": channels, "block_s": block_s}
        how["retry_s"] = retry_s
        source = source_for(device, pipeline.output_specs.values(), overflow=live.overflow, **how)
        node, spec = pipeline.runnable(source.sample_rate, source.channels, live=True)
        return LiveStream(node, spec, live, model=pipeline.name, pool=pool, source=source, started=started)

    @checked_keywords
    def map(
        self,
        sources: Iterable[FileLike],
        *,
        jobs: int | None = None,
        timeout_s: float | None = None,
        cancel: Cancel | None = None,
        result_mb: float | None = None,
    ) -> Generator[Result | FastaudioError, None, None]:
        """Run over many files, several at once; they share the network's session.

        Whoever closes or drops what this returns ends the files that are being run over.

        Args:
            sources: paths or file objects, taken one by one as they are needed.
            jobs: files at once; None for one per processor core.
            timeout_s: seconds after which to give up on a file, for which TimedOut is yielded; None for any.
            cancel: ends the whole run, with Cancelled, when another thread cancels it.
            result_mb: MB that the results of each file may take, as for a call; ResultTooLarge is yielded for
                a file that would give more. None for any number.

        Yields:
            For each source, in order, its result, or the error that it met: a bad file never ends the rest.

        Raises:
            TypeError: `sources` is a single source, or samples, which `__call__` takes.
            Cancelled: `cancel` was cancelled.
        """
        self._require_trained()
        require_sources(sources)
        return run_many(self, sources, jobs, timeout_s, cancel, result_mb=result_mb)

    def close(self) -> None:
        """End the processes of an isolated pipeline; its next call starts new ones."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class IsolatedPipeline(Isolated, Pipeline):
    """A `Pipeline` that decodes and runs in processes of its own; `isolated` makes one."""

    def save(self, path: str | os.PathLike[str]) -> None:
        """Refuse: the network is in another process."""
        raise _elsewhere("save", path)

    def export_onnx(self, path: str | os.PathLike[str], **_: Any) -> NoReturn:
        """Refuse: the network is in another process."""
        raise _elsewhere("export", path)

    def listen(self, *_: Any, **__: Any) -> NoReturn:
        """Refuse, before a device is opened: the network is in another process."""
        self.runnable(self.sample_rate, 1, live=True)


def isolated(pipeline: Pipeline, *, limits: Limits | None = None) -> IsolatedPipeline:
    """Return a pipeline that decodes and runs in processes of its own, with the results of `pipeline`.

    A decoder or a network that crashes, hangs or takes too much memory ends its process, not this one: the
    call raises `IsolationError`, or `map` gives it for that file, and the next call starts a new process. On
    Linux, these processes can open neither files nor sockets, and start no program; `guards` of the result
    says what holds them to it. `live` and `listen` aren't available: push blocks to a stream of `open`.

    Args:
        pipeline: what to run; its networks' bytes are kept in memory. One that is isolated already is
            returned as it is, or with `limits` as another with processes of its own.
        limits: bounds of each process; None for those of `Limits()`, or of an isolated pipeline.

    Raises:
        TypeError: an argument of a wrong type.
        ModelError: a network's file is missing, or was changed since it was loaded.
        IsolationError: a process can't be started here.
    """
    from fastaudio.isolation.limits import Limits  # noqa: PLC0415  # as in `load`
    from fastaudio.isolation.model import model_of  # noqa: PLC0415

    if not isinstance(pipeline, Pipeline):
        raise TypeError(f"isolated: expected a Pipeline, got {type(pipeline).__name__}")
    if limits is not None and not isinstance(limits, Limits):
        got = f"{limits!r:.80} ({type(limits).__name__})"
        raise TypeError(f"isolated: expected limits as Limits or None, got {got}")
    if isinstance(pipeline, IsolatedPipeline):
        return pipeline if limits is None else pipeline.within(limits)
    apart = IsolatedPipeline(model_of(pipeline, {"untrained": pipeline.untrained}), limits or Limits())
    apart.card = dict(pipeline.card)
    return apart


def _elsewhere(what: str, path: str | os.PathLike[str]) -> StateError:
    expected = f"expected one of this process to {what} as {os.fspath(path)!r:.80}"
    return StateError(f"Pipeline: {expected}, got an isolated one; {what} the pipeline that it was made of")
