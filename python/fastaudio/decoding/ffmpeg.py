"""Decoding with FFmpeg's libraries, where PyAV is installed: AAC, ALAC, WMA, WebM, the sound of a video."""

from __future__ import annotations

import os
import shlex
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from fastaudio.decoding.folders import SUFFIXES_WITH_AV
from fastaudio.decoding.sndfile import whole
from fastaudio.decoding.sources import DecodeError, Source

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

CONTAINERS = """
    aac ac3 ac4 aea aiff amr amrnb amrwb ape apm aptx aptx_hd asf au avi caf dsf dts dtshd eac3 ec3
    flac flv gsm iff loas matroska webm mlp mov mp4 m4a 3gp 3g2 mj2 mp3 mpc mpc8 mpeg mpegts nut oga
    ogg ogv oma qcp qoa rm sox tak truehd tta voc vqf w64 wav wv xwma
"""
"""Containers that hold sound themselves: no playlists, which would open other files, and no devices."""

_PROTOCOLS = "file"
# What files of such containers begin with, and where.
_MAGIC = (
    (4, (b"ftyp", b"moov", b"mdat", b"wide")),
    (8, (b"AVI ",)),
    (
        0,
        (
            b"\x1a\x45\xdf\xa3",
            b"\x30\x26\xb2\x75",
            b"\xff\xf1",
            b"\xff\xf9",
            b"ADIF",
            b"#!AMR",
            b"MAC ",
            b"wvpk",
            b"TTA",
        ),
    ),
    (
        0,
        (
            b"DSD ",
            b"FLV",
            b".RMF",
            b"\x0b\x77",
            b"\x7f\xfe\x80\x01",
            b"tBaK",
            b"MPCK",
            b"MP+",
            b"\0\0\1\xba",
            b"OggS",
        ),
    ),
)
# Containers of which the header states the length of the sound; that of others is estimated.
_STATE_LENGTH = ("matroska,webm", "asf", "ape", "wv", "tta", "tak", "dsf")
_SLACK_S = 0.5
_PIECE = 1 << 20  # values that a part of a frame may become at another rate, with more channels
_FURTHEST = 100  # the most by which one rate is the other's multiple: filters grow with it
_ASF = b"\x30\x26\xb2\x75"
_ASF_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")


def decoder(source: Source, error: DecodeError) -> FfmpegDecoder:
    """Open what libsndfile refused.

    Raises:
        DecodeError: PyAV isn't installed, or refuses it as well.
    """
    try:
        av = import_module("av")  # an extra
    except ImportError:
        if not _is_known(source):
            raise error from None
        raise DecodeError(source.name, f"{error.reason}; {_remedy(source)}") from error
    try:
        return FfmpegDecoder(source, av)
    except (av.FFmpegError, ValueError) as refused:
        source.raise_pending()
        raise DecodeError(source.name, _reason(error, refused)) from error


def _is_known(source: Source) -> bool:
    """Tell whether a file looks like one that FFmpeg's libraries decode."""
    head = source.read(0, 16)
    by_name = os.path.splitext(source.name)[1][1:].lower() in SUFFIXES_WITH_AV  # noqa: PTH122
    return by_name or any(head.startswith(magic, at) for at, magic in _MAGIC)


def _is_cut(source: Source) -> bool:
    """Tell whether a Windows Media file is shorter than it says; FFmpeg believes what it finds."""
    head = source.read(0, 1 << 16)
    at = head.find(_ASF_PROPERTIES)
    size = int.from_bytes(head[at + 40 : at + 48], "little")
    return head.startswith(_ASF) and at > 0 and source.size < size < 1 << 62


def _remedy(source: Source) -> str:
    name = source.path or "FILE"
    stem = os.path.splitext(name)[0]  # noqa: PTH122
    made = f"{stem if stem + '.wav' != name else name}.wav"
    convert = f"ffmpeg -i {shlex.quote(name)} {shlex.quote(made)}"
    return f"pip install 'fastaudio-toolkit[av]' makes such files readable, or convert it: {convert}"


def _reason(error: DecodeError, refused: Exception) -> str:
    text = getattr(refused, "strerror", None) or str(refused)
    return f"{error.reason}; FFmpeg's libraries say: {text}"


class FfmpegDecoder:
    """The first stream of sound in a file; its attributes are those of `SndfileDecoder`."""

    def __init__(self, source: Source, av: Any) -> None:
        """Open it.

        Raises:
            DecodeError: it has no stream of sound.
            FFmpegError: FFmpeg's libraries refuse it.
        """
        self._av = av
        self._source = source
        options = {"format_whitelist": ",".join(CONTAINERS.split()), "protocol_whitelist": _PROTOCOLS}
        self._view = whole(source)
        self._container = av.open(self._view, mode="r", options=options, metadata_errors="ignore")
        try:
            self._open()
        except BaseException:
            self._container.close()
            raise

    def _open(self) -> None:
        source = self._source
        stream = self._container.streams.best("audio")
        if stream is None:
            kinds = sorted({other.type for other in self._container.streams}) or ["nothing"]
            if "audio" in kinds:
                raise ValueError("a stream of sound without channels or a rate")
            raise DecodeError(source.name, f"expected a stream of sound, got {' and '.join(kinds)} only")
        self._stream = stream
        context = stream.codec_context
        if context is None:
            raise DecodeError(
                source.name, "expected sound in a known format, got one that FFmpeg doesn't know"
            )
        self.sample_rate = int(context.sample_rate)
        self.channels = int(context.channels)
        if not (self.sample_rate > 0 and self.channels > 0):
            raise DecodeError(source.name, "expected a stream of sound with a rate and channels, got neither")
        self.n_samples = self._stated()
        self.truncated = _is_cut(source)
        self._n_packets = self._n_samples = 0
        self._end_s = 0.0  # of all streams
        self._layout = context.layout
        self._frames = self._decoded()
        self._ready: NDArray[np.float32] = np.empty((0, self.channels), dtype=np.float32)
        # A file of which nothing decodes is refused here.
        self._ready = next(self._frames, self._ready)

    def read(self, out: NDArray[np.float32]) -> int:
        """Decode into `out` [n_samples, channels] and return how many samples it got: 0 at the end."""
        done = 0
        while done < len(out):
            if not len(self._ready):
                block = next(self._frames, None)
                if block is None:
                    break
                self._ready = block
            n = min(len(out) - done, len(self._ready))
            out[done : done + n] = self._ready[:n]
            self._ready = self._ready[n:]
            done += n
        self._source.raise_pending()
        return done

    def close(self) -> None:
        """Close what FFmpeg opened, not the source."""
        self._container.close()

    def _stated(self) -> int | None:
        stream: Any = self._stream
        if stream.duration and stream.duration > 0 and stream.time_base:
            return round(float(stream.duration * stream.time_base) * self.sample_rate)
        if self._container.duration and self._container.duration > 0:
            return int(self._container.duration / self._av.time_base * self.sample_rate)
        return None

    def _decoded(self) -> Iterator[NDArray[np.float32]]:
        """Yield arrays [n_samples, channels] to the end, or to where it can't go on."""
        kind, resampler = None, None
        for frame in self._sound():
            self._n_samples += frame.samples
            if not 1 / _FURTHEST <= frame.sample_rate / self.sample_rate <= _FURTHEST:
                self.truncated = True
                continue
            now = frame.sample_rate, frame.layout.name, frame.format.name
            if now != kind:  # one resampler takes one kind only
                yield from self._converted(resampler, None)
                kind = now
                resampler = self._av.AudioResampler(format="flt", layout=self._layout, rate=self.sample_rate)
            for piece in self._pieces(frame):
                yield from self._converted(resampler, piece)
        yield from self._converted(resampler, None)
        # Some containers state how many packets there are, others how long they take.
        if not self._stream.codec_context.name.startswith("pcm"):  # of which samples are counted instead
            self.truncated |= 0 < self._n_packets < self._stream.frames
        if self._container.format.name in _STATE_LENGTH:
            self.truncated |= self._ends_early()

    def _pieces(self, frame: Any) -> Iterator[Any]:
        """Yield a frame in parts that each become a block whose size has a bound."""
        grows = -(-self.sample_rate // frame.sample_rate)
        most = max(1, _PIECE // (self.channels * grows))
        if frame.samples <= most:
            yield frame
            return
        frame.pts = None  # a queue takes no gaps
        parts = self._av.AudioFifo()
        parts.write(frame)
        while (part := parts.read(most, partial=True)) is not None:
            yield part

    def _ends_early(self) -> bool:
        """Tell whether nothing comes up to the length that the header states: the longest stream's."""
        if len(self._container.streams) > 1:  # that of ASF counts a time before the start
            stated_s = (self._container.duration or 0) / self._av.time_base
            return "matroska" in self._container.format.name and 0 < self._end_s < stated_s - _SLACK_S
        return self.n_samples is not None and self._n_samples < self.n_samples - _SLACK_S * self.sample_rate

    def _converted(self, resampler: Any, frame: Any) -> Iterator[NDArray[np.float32]]:
        """Yield a frame at the first one's rate and layout; None gives what the resampler still holds."""
        try:
            for part in resampler.resample(frame) if resampler is not None else ():
                # Interleaved: of planes, PyAV takes one too many where there are eight or more.
                yield part.to_ndarray().reshape(-1, part.layout.nb_channels)
        except (self._av.FFmpegError, ValueError):
            self.truncated = True

    def _sound(self) -> Iterator[Any]:
        error = self._av.FFmpegError
        packets = self._container.demux()
        while True:
            try:
                packet = next(packets, None)
            except error:
                self.truncated = True
                return
            if packet is None:
                return
            if packet.pts is not None and packet.time_base is not None:
                end_s = float((packet.pts + (packet.duration or 0)) * packet.time_base)
                self._end_s = max(self._end_s, end_s)
            if packet.stream.index != self._stream.index:  # of the empty packet at the end, too
                continue
            self._n_packets += packet.size > 0
            try:
                frames = packet.decode()
            except error:  # one bad packet; the next ones may be good
                self.truncated = True
                continue
            yield from frames
