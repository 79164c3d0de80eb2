"""What a live run keeps of its sound: a recording, and clips of events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from fastaudio.cli.clips import Clips
from fastaudio.cli.record import Recorder
from fastaudio.cli.start import started_of
from fastaudio.events import Event

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence
    from contextlib import ExitStack

    from numpy.typing import NDArray

    from fastaudio.live import Item, LiveStream
    from fastaudio.live.sources import Sink, Source


class Keeper(Protocol):
    """What keeps the sound of a live stream."""

    def lose(self, n: int, say: Callable[[str], None] | None = None) -> None:
        """Take note of `n` samples that were lost."""

    def write(self, samples: NDArray[Any], say: Callable[[str], None] | None = None) -> None:
        """Take a block like those that `LiveStream.push` takes."""


class Recorded:
    """A source whose samples are kept on their way, since a pipe may be faster than a tap is read."""

    def __init__(self, source: Source, keepers: Sequence[Keeper]) -> None:
        self.sample_rate, self.channels, self.name = source.sample_rate, source.channels, source.name
        self.stop, self.check = source.stop, source.check
        self._start = source.start
        self._keepers = keepers

    def start(self, stream: Sink) -> None:
        """Begin to feed `stream` and the keepers, and return at once."""
        self._push, self.finish = stream.push, stream.finish
        self._start(self)

    def push(self, samples: NDArray[Any]) -> None:
        """Pass a block on to the stream and to the keepers."""
        self._push(samples)
        for keeper in self._keepers:
            keeper.write(samples)


class Keeping:
    """Keeps what the options ask for."""

    def __init__(
        self,
        args: argparse.Namespace,
        source: Source,
        stack: ExitStack,
        *,
        inputs: Sequence[str],
        tapped: bool,
        buffer_s: float,
    ) -> None:
        """Prepare to keep; files are closed with `stack`.

        Args:
            args: the options.
            source: where the sound comes from.
            stack: closes the recording.
            inputs: files that mustn't be written.
            tapped: whether the sound is read from the stream, and not on its way to it.
            buffer_s: how much sound the stream holds.
        """
        self._tapped = tapped
        self._keepers: list[Recorder | Clips] = []
        self._clips: Clips | None = None
        rate = source.sample_rate
        if args.record:
            recorder = Recorder(
                args.record,
                rate,
                source.channels,
                None if args.seconds is None else round(min(args.seconds, 1e9) * rate),
                bits=args.record_bits,
                every_s=args.record_every,
                force=args.force,
                inputs=[*inputs, args.output] if args.output else inputs,
                started=started_of(args.start, args.realtime),
            )
            stack.callback(recorder.close)
            self._keepers.append(recorder)
        if args.clips:
            how = {"before_s": args.before, "after_s": args.after, "waiting_s": 2 * buffer_s}
            self._clips = Clips(args.clips, rate, source.channels, most_mb=args.clips_mb, **how)
            stack.callback(self._clips.close)
            self._keepers.append(self._clips)

    @property
    def failed(self) -> bool:
        """Whether something couldn't be written."""
        return any(keeper.failed for keeper in self._keepers)

    def around(self, source: Source) -> Source:
        """Return the source, or one that hands its sound to the keepers too."""
        return Recorded(source, self._keepers) if self._keepers and not self._tapped else source

    def begin(self, stream: LiveStream, say: Callable[[str], None]) -> None:
        """Take the stream before its first result, and what says what goes wrong."""
        self._stream, self._say = stream, say
        self._tap = stream.tap()
        self._tap.position = 0  # include the sound before it

    def keep(self, item: Item | None = None) -> None:
        """Keep the sound so far; `item` is a result that has just come."""
        if self._keepers and self._tapped:
            n_lost = n = 1
            while n_lost or n:  # each gap ends what is read at once
                samples, n_lost = self._tap.read()
                n = len(samples)
                for keeper in self._keepers:
                    keeper.lose(n_lost, self._say)
                    keeper.write(samples, self._say)
        if self._clips is not None:
            if isinstance(item, Event):
                self._clips.want(item, self._stream.time_of)
            self._clips.save()

    def end(self) -> None:
        """Keep what is left."""
        self.keep()
        if self._clips is not None:
            self._clips.save(all_=True)
            self._clips.close()
