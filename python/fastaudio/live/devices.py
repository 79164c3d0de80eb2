"""Sound inputs, as PortAudio lists them."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

from fastaudio._core import FastaudioError

PORTAUDIO = threading.RLock()
"""Held while PortAudio opens a device, lists them, or is started anew: none may happen during another."""


class DeviceError(FastaudioError):
    """There is no such sound device, or it can't be used as asked."""


class DeviceLost(DeviceError):  # noqa: N818  # it says what happened
    """A sound device worked and now gives no more sound."""


@dataclass(frozen=True)
class Device:
    """A sound input.

    Attributes:
        index: its number, which `Pipeline.listen` takes; it may change when devices come and go.
        name: the system's name for it; `Pipeline.listen` takes it, or a part of it.
        host_api: the system's interface through which it is reached.
        channels: how many it has at most.
        sample_rate: its default rate, in Hz.
        default: whether it is used when none is named.
    """

    index: int
    name: str
    host_api: str
    channels: int
    sample_rate: int
    default: bool


def load_sounddevice() -> Any:
    """Return the sounddevice module, which starts PortAudio.

    Raises:
        DeviceError: it, or PortAudio, isn't installed.
    """
    try:
        import sounddevice  # noqa: PLC0415  # optional
    except ImportError as error:
        remedy = "pip install 'fastaudio-toolkit[mic]', or feed blocks from elsewhere with Pipeline.live"
        raise DeviceError(f"microphone: expected the sounddevice package, got none; {remedy}") from error
    except OSError as error:
        remedy = f"apt-get install libportaudio2, or brew install portaudio ({error})"
        raise DeviceError(f"microphone: expected the PortAudio library, got none; {remedy}") from error
    return sounddevice


def devices() -> list[Device]:
    """Return the sound inputs that PortAudio found when it started.

    Raises:
        DeviceError: sounddevice or PortAudio isn't installed.
    """
    sounddevice = load_sounddevice()
    with PORTAUDIO:
        hosts, found_all = sounddevice.query_hostapis(), sounddevice.query_devices()
        default = sounddevice.default.device[0]
    return [
        Device(
            index=index,
            name=str(found["name"]),
            host_api=str(hosts[found["hostapi"]]["name"]),
            channels=int(found["max_input_channels"]),
            sample_rate=round(found["default_samplerate"]),
            default=index == default,
        )
        for index, found in enumerate(found_all)
        if found["max_input_channels"] > 0
    ]


def find_device(wanted: int | str | None = None) -> Device:
    """Return the input with that number or name, or the system's default.

    Args:
        wanted: a number, a name or a part of one in any case; None for the default.

    Raises:
        DeviceError: none fits, or several do.
    """
    if wanted is not None and (isinstance(wanted, bool) or not isinstance(wanted, int | str)):
        raise TypeError(f"microphone: expected a device's number or name, got {type(wanted).__name__}")
    found = devices()
    if not found:
        remedy = "plug one in, or let the program see the sound server"
        raise DeviceError(f"microphone: expected an input device, got none; {remedy}")
    if wanted is None:
        return next((device for device in found if device.default), found[0])
    if isinstance(wanted, int):
        for device in found:
            if device.index == wanted:
                return device
        raise DeviceError(f"microphone: expected one of {_listed(found)}, got number {wanted}")
    return _named(wanted, found)


def _named(wanted: str, found: list[Device]) -> Device:
    name = wanted.strip().lower()
    same = [device for device in found if device.name.lower() == name]
    same = same or [device for device in found if name and name in device.name.lower()]
    if len(same) > 1:  # each of the system's interfaces may list the same device
        usual = {device.host_api for device in found if device.default}
        same = [device for device in same if device.host_api in usual] or same
    if len(same) == 1:
        return same[0]
    if same:
        raise DeviceError(
            f"microphone: expected the name of one device, got {wanted!r:.80}, which may be {_listed(same)}; "
            "take its number"
        )
    import difflib  # noqa: PLC0415  # only a wrong name asks for it

    near = difflib.get_close_matches(name, [device.name.lower() for device in found], n=3, cutoff=0.5)
    meant = [device for device in found if device.name.lower() in near]
    hint = f"did you mean {_listed(meant)}?" if meant else f"there are {_listed(found)}"
    raise DeviceError(f"microphone: expected a device's number or name, got {wanted!r:.80}; {hint}")


def _listed(found: list[Device]) -> str:
    return ", ".join(f"{device.index} {device.name!r}" for device in found)
