"""Microphone: a sound input that feeds a live stream from PortAudio's thread, without Python."""

from __future__ import annotations

import atexit
import math
import threading
import time
import weakref
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from fastaudio._core import StateError
from fastaudio.live.devices import (
    PORTAUDIO,
    Device,
    DeviceError,
    DeviceLost,
    devices,
    find_device,
    load_sounddevice,
)

if TYPE_CHECKING:
    from fastaudio import _core

LOST_AFTER_S = 2.0
"""Seconds without sound after which a device counts as lost."""
FIRST_SOUND_S = 5.0
"""Seconds until a device has to give its first sound: sound servers and wireless headsets wake up slowly."""

_CLOSE_S = 0.9

# PortAudio's numbers.
_BAD_RATE, _BAD_CHANNELS, _BUSY, _HOST_ERROR = -9997, -9998, -9985, -9999

_open: weakref.WeakSet[Microphone] = weakref.WeakSet()
_in_use: set[object] = set()
"""One for each device from before it is opened until it is closed, however long PortAudio takes."""


class Microphone:
    """A sound input. PortAudio's thread hands blocks to C++ and never takes Python's lock.

    Attributes:
        device: the sound input.
        sample_rate: in Hz.
        channels: how many it gives.
        name: the device's name.
    """

    def __init__(
        self,
        device: int | str | Device | None = None,
        *,
        sample_rate: int | None = None,
        channels: int = 1,
        block_s: float | None = 0.01,
    ) -> None:
        """Find a device and check that it takes these settings.

        Args:
            device: its number, its name or a part of the name, or one of `devices()`; None for the system's
                default.
            sample_rate: in Hz; None for the device's default.
            channels: how many of its channels to take.
            block_s: seconds of sound handed over at a time; None or 0 lets PortAudio choose.

        Raises:
            DeviceError: no such device, one that doesn't take these settings, no sounddevice or PortAudio.
        """
        for what, value in (("sample_rate", sample_rate), ("channels", channels)):
            optional = what == "sample_rate" and value is None
            if not optional and (type(value) is not int or value < 1):
                raise ValueError(f"microphone: expected {what} as an int of at least 1, got {value!r:.80}")
        block_s = block_s or 0.0
        if not (math.isfinite(block_s) and 0 <= block_s <= 1):
            raise ValueError(f"microphone: expected block_s in [0, 1] seconds, got {block_s!r:.80}")
        self.device = device if isinstance(device, Device) else find_device(device)
        self._sounddevice = load_sounddevice()
        self.name = self.device.name
        self.channels = channels
        self.sample_rate = sample_rate or self.device.sample_rate
        self._block_s = block_s
        self._block = round(block_s * self.sample_rate)
        self._stream: Any = None
        self._fed: _core.LiveStream | None = None
        self._stopped = threading.Event()
        self._closing = threading.Lock()
        self._closer: threading.Thread | None = None
        self._progress = (0, 0.0)
        self._quiet_s = 0.0
        self._begun = False
        self._hangs = False
        if channels > self.device.channels:
            raise _channels_error(self.device, channels)
        try:
            with PORTAUDIO:
                self._sounddevice.check_input_settings(
                    device=self.device.index, channels=channels, dtype="float32", samplerate=self.sample_rate
                )
        except self._sounddevice.PortAudioError as error:
            raise self._explained(error) from error

    def start(self, stream: _core.LiveStream) -> None:
        """Begin to feed `stream`, and return.

        Raises:
            DeviceError: the device can't be opened, for instance because another program has it.
            StateError: it was started before.
        """
        if self._stream is not None or self._stopped.is_set():
            raise StateError("microphone: expected a new one, got one that was started; make another")
        with PORTAUDIO:
            self._start(stream)
        _open.add(self)
        # Handlers run in reverse order: register ours after sounddevice's, which ends PortAudio.
        atexit.unregister(_stop_all)
        atexit.register(_stop_all)

    def _start(self, stream: _core.LiveStream) -> None:
        in_use = object()
        _in_use.add(in_use)
        opened: Any = None
        try:
            self._stream = opened = self._opened(stream)
            self._fed = stream
            self._progress = (stream.position, time.monotonic())
            # This thread owns what PortAudio's callback writes to, and keeps it if closing hangs.
            self._closer = threading.Thread(
                target=_close_when,
                args=(self._stopped, self._closing, opened, stream, in_use),
                name="fastaudio-microphone",
                daemon=True,
            )
            self._closer.start()
            opened.start()
        except BaseException as error:
            if self._closer is not None and self._closer.ident:
                self.stop()
            else:  # nobody else closes it
                self._closer = None
                _in_use.discard(in_use)
                if opened is not None:
                    opened.close()
            if isinstance(error, self._sounddevice.PortAudioError):
                raise self._explained(error) from error
            raise

    def _found(self) -> Device:
        """Return the device as it is numbered now; another thread may have started PortAudio anew."""
        wanted = self.device.name, self.device.host_api
        same = [each for each in devices() if (each.name, each.host_api) == wanted]
        if not same:
            raise DeviceLost(f"microphone {self.name!r}: expected it to be there again, got no such device")
        return min(same, key=lambda each: each.index != self.device.index)

    def _opened(self, stream: _core.LiveStream) -> Any:
        sounddevice = self._sounddevice
        self.device = self._found()
        try:
            return sounddevice._StreamBase(  # noqa: SLF001  # made for libraries, says its documentation
                kind="input",
                device=self.device.index,
                samplerate=self.sample_rate,
                channels=self.channels,
                dtype="float32",
                blocksize=self._block,
                callback=stream.capture_callback,
                userdata=sounddevice._ffi.cast("void*", stream.capture_data),  # noqa: SLF001
                wrap_callback=None,
            )
        except sounddevice.PortAudioError as error:
            raise self._explained(error) from error

    def stop(self) -> None:
        """Close the device. It may be called twice, returns within a second, and never raises."""
        self._stopped.set()
        closer = self._closer
        if closer is None or closer is threading.current_thread():
            return
        if closer.is_alive() and not self._hangs:
            closer.join(_CLOSE_S)
        if closer.is_alive():  # PortAudio hangs, so its exit handler would hang too
            self._hangs = True
            atexit.unregister(self._sounddevice._exit_handler)  # noqa: SLF001
        self._fed = None
        _open.discard(self)

    def again(self) -> Microphone:
        """Return a new microphone with the same settings, once the device is there again.

        It is found by its name, since numbers change. PortAudio learns of devices only when it starts, so it
        is started anew, unless another microphone of this process is open. Streams that the program opened
        with sounddevice itself end then.

        Raises:
            DeviceError: it isn't there.
        """
        if self._closing.locked():  # PortAudio hangs, and may still call what it was given
            raise DeviceError(f"microphone {self.name!r}: expected it to be closed, got one that hangs")
        how: dict[str, Any] = {"sample_rate": self.sample_rate, "channels": self.channels}
        with PORTAUDIO:
            try:
                if not _in_use:
                    _start_portaudio_anew(self._sounddevice)
                return Microphone(self._found(), block_s=self._block_s, **how)
            except self._sounddevice.PortAudioError as error:
                who = f"microphone {self.name!r}"
                raise DeviceLost(f"{who}: expected it to be there again, got: {error}") from error

    def check(self) -> None:
        """Raise if the device gives no more sound.

        Raises:
            DeviceLost: it was unplugged, or its server went away.
        """
        fed = self._fed
        if fed is None or self._stopped.is_set():
            return
        position, now_s = fed.position, time.monotonic()
        seen, seen_s = self._progress
        self._progress = (position, now_s)
        moved = position != seen
        self._begun |= moved
        # Count no long time between two checks: the program itself may have been stopped.
        self._quiet_s = 0.0 if moved else self._quiet_s + min(now_s - seen_s, LOST_AFTER_S / 2)
        limit_s = LOST_AFTER_S if self._begun else FIRST_SOUND_S
        if self._quiet_s >= limit_s:
            raise DeviceLost(
                f"microphone {self.name!r}: expected sound, got none for {limit_s:.1f} s; was it unplugged?"
            )
        if not moved and self._has_ended():
            raise DeviceLost(
                f"microphone {self.name!r}: expected sound, got the end of it; was it unplugged?"
            )

    def _has_ended(self) -> bool:
        """Return whether PortAudio gave up; False while another thread is closing it."""
        if not self._closing.acquire(blocking=False):
            return False
        try:
            return not self._stopped.is_set() and not self._stream.active
        finally:
            self._closing.release()

    def __del__(self) -> None:
        if hasattr(self, "_closer"):  # the constructor got that far
            self.stop()

    def _explained(self, error: Exception) -> DeviceError:
        """Return a PortAudio error as one that tells users what to do."""
        device = self.device
        text, code = (*error.args, None)[:2]
        if code == _BAD_CHANNELS:
            return _channels_error(device, self.channels)
        who = f"microphone {self.name!r}"
        if code == _BAD_RATE:
            return DeviceError(
                f"{who}: expected a sample rate that it takes, got {self.sample_rate} Hz; "
                f"its default is {device.sample_rate} Hz"
            )
        if code == _BUSY:
            return DeviceError(
                f"{who}: expected a free device, got a busy one; close the program that uses it"
            )
        host = f": {error.args[2][2]}" if code == _HOST_ERROR and len(error.args) > 2 else ""  # noqa: PLR2004
        return DeviceError(
            f"{who}: expected it to open at {self.sample_rate} Hz with {self.channels} channels, "
            f"got {text}{host}; see: fastaudio devices"
        )


def _channels_error(device: Device, channels: int) -> DeviceError:
    return DeviceError(
        f"microphone {device.name!r}: expected at most {device.channels} channels, got {channels}"
    )


def _start_portaudio_anew(sounddevice: Any) -> None:
    with suppress(sounddevice.PortAudioError):  # it doesn't run, since starting it failed before
        sounddevice._terminate()  # noqa: SLF001  # there is no other way
    sounddevice._initialize()  # noqa: SLF001


def _close_when(
    stopped: threading.Event, closing: threading.Lock, opened: Any, fed: object, in_use: object
) -> None:
    """Close a device once it is stopped, and keep what it feeds alive until then."""
    stopped.wait()
    with closing:
        opened.close()  # also stops; sounddevice ignores its errors
    _in_use.discard(in_use)
    del fed


def _stop_all() -> None:
    for microphone in list(_open):
        microphone.stop()
