"""Parts of a file, decoded one after another as one sound at the first one's rate, with its channels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from fastaudio._core import Mono, Resample, Sequential, StreamSpec
from fastaudio.decoding.sources import DecodeError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Open = Callable[[], "Decoder"]

_BLOCK = 65_536  # values decoded at once, and
_PIECE = 1 << 20  # values that these may become: rates may be thousands of times apart


class Decoder(Protocol):
    """What decodes; its attributes are those of `SndfileDecoder`."""

    sample_rate: int
    channels: int
    n_samples: int | None
    truncated: bool

    def read(self, out: NDArray[np.float32]) -> int:
        """Decode into `out` and return how many samples it got, 0 at the end."""

    def close(self) -> None:
        """Close it."""


class Chain:
    """Several decoders as one; each is opened when the one before has ended."""

    def __init__(self, opens: Sequence[Open]) -> None:
        """Open the first that can be opened."""
        self._opens = list(opens)
        self._now = first = self._first()
        self.sample_rate = first.sample_rate
        self.channels = first.channels
        self.n_samples: int | None = None
        self.truncated = first.truncated or len(self._opens) < len(opens) - 1
        self._convert: _Converter | None = None
        self._begun = False

    def _first(self) -> Decoder:
        errors = []
        while self._opens:
            try:
                return self._opens.pop(0)()
            except DecodeError as error:
                errors.append(error)
        raise errors[0]

    def read(self, out: NDArray[np.float32]) -> int:
        """Decode into `out`, from the next part if one has ended; 0 at the end of the last."""
        while True:
            try:
                got = self._now.read(out) if self._convert is None else self._convert.read(out)
            except DecodeError:  # a part of which nothing decodes; others may
                if not self._begun:
                    raise
                got, self.truncated = 0, True
            if got:
                self._begun = True
                return got
            self.truncated |= self._now.truncated
            if not self._next():
                return 0

    def _next(self) -> bool:
        """Open the next part that can be opened; False if there is none."""
        while self._opens:
            try:
                following = self._opens.pop(0)()
            except DecodeError:
                self.truncated = True
                continue
            same = (following.sample_rate, following.channels) == (self.sample_rate, self.channels)
            try:
                self._convert = None if same else _Converter(following, self.sample_rate, self.channels)
            except ValueError:  # a rate that no resampler takes
                following.close()
                self.truncated = True
                continue
            self._now.close()
            self._now = following
            return True
        return False

    def close(self) -> None:
        """Close the part that is open."""
        self._now.close()


class _Converter:
    """A part of another rate or number of channels, converted in pieces whose size has a bound."""

    def __init__(self, decoder: Decoder, sample_rate: int, channels: int) -> None:
        self._decoder = decoder
        self._rate, self._channels = sample_rate, channels
        # As many channels stay apart; others are mixed to one, which all channels get.
        self._lanes = decoder.channels if decoder.channels == channels else 1
        self._mixes = self._lanes == 1 and decoder.channels > 1
        self._streams = self._opened()
        grows = -(-sample_rate // decoder.sample_rate)
        n_block = min(_BLOCK // decoder.channels, _PIECE // (channels * grows))
        self._block = np.empty((max(1, n_block), decoder.channels), dtype=np.float32)
        self._ready = np.empty((0, channels), dtype=np.float32)
        self._n_in = self._n_out = 0
        self._ended = False

    def _opened(self) -> list[Any]:
        """Open what converts each lane; None passes it on."""
        rate_hz = self._decoder.sample_rate
        nodes: list[Any] = []
        if self._mixes:
            nodes.append(Mono(channels=self._decoder.channels))
        if rate_hz != self._rate:
            nodes.append(Resample(input_rate=rate_hz, output_rate=self._rate))
        spec = StreamSpec(rate_hz=float(rate_hz), shape=[self._decoder.channels] if self._mixes else [])
        node = Sequential(nodes) if nodes else None  # its tables are the same for all lanes
        return [node.open(spec) if node is not None else None for _ in range(self._lanes)]

    def read(self, out: NDArray[np.float32]) -> int:
        while not len(self._ready):
            self._ready = self._next_piece()
            if self._ended and not len(self._ready):
                return 0
        n = min(len(out), len(self._ready))
        out[:n] = self._ready[:n]
        self._ready = self._ready[n:]
        return n

    def _next_piece(self) -> NDArray[np.float32]:
        """Convert the next block; once there is none, silence as long as samples are still due."""
        if not self._ended:
            got = self._decoder.read(self._block)
            self._ended = got == 0
            if got:
                self._n_in += got
                return self._converted(self._block[:got])
            self._block[:] = 0
        due = max(0, -(-self._n_in * self._rate // self._decoder.sample_rate) - self._n_out)
        piece = self._ready[:0]
        while due and not len(piece):
            piece = self._converted(self._block)
        return piece[:due]

    def _converted(self, block: NDArray[np.float32]) -> NDArray[np.float32]:
        out = self._ready[:0]
        for lane, stream in enumerate(self._streams):
            sound = block.copy() if self._mixes else block[:, lane].copy()
            if stream is not None:
                sound = stream.push(sound)
            if lane == 0:
                out = np.empty((len(sound), self._channels), dtype=np.float32)
            out[:, lane : lane + 1 if self._lanes > 1 else None] = sound[:, None]
        self._n_out += len(out)
        return out
