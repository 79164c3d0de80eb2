"""Sound from an address: a network camera, a radio, a recording on a server; by FFmpeg's libraries."""

from __future__ import annotations

import errno
import re
from typing import TYPE_CHECKING, Any, TypeGuard
from urllib.parse import urlsplit

from fastaudio._system.extras import require
from fastaudio._system.text import printable
from fastaudio._system.waiting import elsewhere
from fastaudio.decoding.audio_file import DecodeError
from fastaudio.decoding.ffmpeg import CONTAINERS
from fastaudio.live.sources import Reader

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

_WEB = "http,https,httpproxy,tls,tcp"
_SAFE_WEB = "https,httpproxy,tls,tcp"  # a redirect doesn't lead out of encryption
_CAMERA = "rtsp,rtsps,rtp,srtp,tcp,tls,udp"
# What each kind of address may reach: nothing else is opened, whatever the other end asks for.
_PROTOCOLS = {
    "http": _WEB,
    "https": _SAFE_WEB,
    "rtsp": _CAMERA,
    "rtsps": _CAMERA,
    "rtmp": "rtmp,tcp",
    "rtmps": "rtmps,rtmp,tls,tcp",
    "srt": "srt",
    "udp": "udp",
    "rtp": "rtp,udp",
    "tcp": "tcp",
}
_FORMATS = ",".join([*CONTAINERS.split(), "rtsp", "rtp", "sdp"])
_MAY_WAIT = ("http", "https")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_TIMEOUT_S = 10.0
_LONGEST_S = 3600.0
_JUMP_S = 0.5
_MOST_HZ, _MOST_CHANNELS = 768_000, 64


def is_url(text: object) -> TypeGuard[str]:
    """Tell whether it is an address, such as rtsp://camera/1."""
    return isinstance(text, str) and _SCHEME.match(text) is not None


def name_of_url(url: str) -> str:
    """Return an address without the user, the password and the query, which may be secret."""
    scheme, _, rest = url.partition("://")  # no parser: a password may hold what ends a host for one
    return printable(f"{scheme.lower()}://{re.split('[?#]', rest.rpartition('@')[2])[0]}")


class UrlSource(Reader):
    """Sound from an address, which is opened at once: http(s), rtsp(s), rtmp(s), srt, udp, rtp or tcp.

    Needs the extra [av]. Only that address is opened, and where it leads by protocols of the same kind:
    playlists (HLS, DASH) aren't followed. Live sound that is missing by its own time stamps leaves a gap as
    long as the time that passed. `listen(..., retry_s=30)` opens it again when it is lost.

    Attributes:
        can_wait: whether it may be read later than it comes: what comes by http, and isn't `endless`.
    """

    def __init__(
        self,
        url: str,
        *,
        endless: bool = False,
        timeout_s: float = _TIMEOUT_S,
        duration_s: float | None = None,
    ) -> None:
        """Open an address.

        Args:
            url: the address; a user and a password in it are in no message.
            endless: whether the sound has no end, so that an end means that it was lost, as with a radio.
            timeout_s: seconds without a byte after which it is lost.
            duration_s: seconds of sound after which to end; None for all of it.

        Raises:
            DecodeError: it can't be reached, or holds no sound.
            MissingExtra: PyAV isn't installed.
            ValueError, TypeError: another kind of address, or a time outside its range.
        """
        scheme = urlsplit(url).scheme.lower() if is_url(url) else ""
        if scheme not in _PROTOCOLS:
            known = ", ".join(_PROTOCOLS)
            got = name_of_url(url) if is_url(url) else f"{url!r:.80}"
            raise ValueError(f"UrlSource: expected an address that begins with one of {known}, got {got}")
        if isinstance(timeout_s, bool) or not isinstance(timeout_s, int | float):
            raise TypeError(f"UrlSource: expected timeout_s as a number of seconds, got {timeout_s!r:.80}")
        if not 0 < timeout_s <= _LONGEST_S:
            raise ValueError(f"UrlSource: expected timeout_s in (0, 3600] seconds, got {timeout_s!r:.80}")
        self._av = require("av", extra="av", what=name_of_url(url))
        self._url, self._scheme = url, scheme
        self._how: dict[str, Any] = {"endless": endless, "timeout_s": timeout_s, "duration_s": duration_s}
        self._endless, self._timeout_s = endless, timeout_s
        name = name_of_url(url)
        self._container, self._stream = elsewhere(self._open)
        context = self._stream.codec_context
        self._layout = context.layout
        super().__init__(name, int(context.sample_rate), int(context.channels), duration_s)
        self.can_wait = scheme in _MAY_WAIT and not endless

    def again(self) -> UrlSource:
        """Return a new source of the same address.

        Raises:
            DecodeError: it can't be reached.
        """
        new = UrlSource(self._url, **self._how)
        # It may come back at another rate: its blocks are brought to those that the stream takes.
        new.sample_rate, new.channels, new._layout = self.sample_rate, self.channels, self._layout
        return new

    def stop(self) -> None:
        """Stop reading. What waits for the other end goes on waiting, until `timeout_s`, and is dropped."""
        super().stop()
        if self._thread is None:
            self._container.close()

    def _open(self) -> tuple[Any, Any]:
        """Connect, and return the container and its stream of sound."""
        options = {"protocol_whitelist": _PROTOCOLS[self._scheme], "format_whitelist": _FORMATS}
        if self._scheme.startswith("rtsp"):
            options["rtsp_transport"] = "tcp"
        name = name_of_url(self._url)
        try:
            container = self._av.open(
                self._url, options=options, timeout=self._timeout_s, metadata_errors="ignore"
            )
        except (self._av.FFmpegError, OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or type(error).__name__
            if isinstance(error, self._av.error.ExitError):
                reason = f"nothing within {self._timeout_s:g} s"
            raise DecodeError(name, f"expected sound, got: {reason}; check the address") from None
        stream = container.streams.best("audio")
        context = None if stream is None else stream.codec_context
        good = (
            context is not None
            and 0 < context.sample_rate <= _MOST_HZ
            and 0 < context.channels <= _MOST_CHANNELS
        )
        if not good:
            container.close()
            raise DecodeError(name, "expected a stream of sound, got none that can be used")
        return container, stream

    def _blocks(self) -> Iterator[NDArray[Any]]:
        kind: Any = None
        resampler: Any = None
        try:
            for frame in self._frames():
                now = frame.sample_rate, frame.layout.name, frame.format.name
                if now != kind:  # one resampler takes one kind only
                    yield from self._converted(resampler, None)
                    kind = now
                    resampler = self._av.AudioResampler(
                        format="flt", layout=self._layout, rate=self.sample_rate
                    )
                yield from self._converted(resampler, frame)
            yield from self._converted(resampler, None)
        finally:
            self._container.close()
        if self._endless and not self._stopped.is_set():
            raise DecodeError(self.name, "expected sound without end, got an end; is the other side there?")

    def _converted(self, resampler: Any, frame: Any) -> Iterator[NDArray[Any]]:
        """Yield a frame as samples at the first one's rate and layout; None gives what is still held."""
        try:
            for part in resampler.resample(frame) if resampler is not None else ():
                rows = part.to_ndarray().reshape(-1, self.channels)
                yield rows[:, 0] if self.channels == 1 else rows
        except (self._av.FFmpegError, ValueError):  # one bad frame; the next ones may be good
            return

    def _frames(self) -> Iterator[Any]:
        """Yield decoded frames up to the end, with a mark where the time stamps jump."""
        error = self._av.FFmpegError
        packets = self._container.demux(self._stream)
        expected_s: float | None = None
        while not self._stopped.is_set():
            try:
                packet = next(packets, None)
            except self._av.error.ExitError:
                raise DecodeError(
                    self.name, f"expected sound, got none for {self._timeout_s:g} s; is the other side there?"
                ) from None
            except error as failure:
                if failure.errno == errno.EIO and self._container.size <= 0:
                    return  # a server that doesn't say how much it sends: nobody can tell an end from a cut
                reason = failure.strerror or type(failure).__name__
                raise DecodeError(self.name, f"expected to read on, got: {reason}") from None
            if packet is None:
                return
            try:
                frames = packet.decode()
            except error:  # one bad packet; the next ones may be good
                continue
            for frame in frames:
                at_s = None if frame.pts is None else float(frame.pts * frame.time_base)
                if at_s is not None and expected_s is not None and at_s - expected_s > _JUMP_S:
                    self._tell_gap()
                if at_s is not None:
                    expected_s = at_s + frame.samples / frame.sample_rate
                yield frame

    def _tell_gap(self) -> None:
        """Say that live sound is missing; what can wait comes at another time than it was heard."""
        interrupt = getattr(self._sink, "interrupt", None)
        if interrupt is not None and not self.can_wait:
            interrupt()
