"""fastaudio turns samples into tags, with the same numbers for a file and a live stream.

>>> import numpy as np
>>> import fastaudio as fa
>>> mel = fa.MelSpectrogram(sample_rate=16_000, n_fft=512, hop_length=256, n_mels=96)
>>> front = mel >> fa.Log(kind="log10", scale=10_000, offset=1)
>>> front(np.zeros(16_000, dtype=np.float32)).shape
(63, 96)
"""

from typing import TYPE_CHECKING

from fastaudio import _core
from fastaudio._core import *  # noqa: F403  # every node, StreamSpec, Stream and the errors: its own __all__
from fastaudio._core import LiveStats, Pool, __version__
from fastaudio._system import instances, old_paths, onnxruntime
from fastaudio._system.lazy import lazily

if TYPE_CHECKING:
    from fastaudio import events, presets, tags  # noqa: F401  # attributes of the package
    from fastaudio._system.versions import show_versions
    from fastaudio._system.writing import OutputError
    from fastaudio.cards import Budget, models
    from fastaudio.decoding.audio_file import DecodeError
    from fastaudio.events import Event
    from fastaudio.isolation.limits import Limits
    from fastaudio.isolation.wire import IsolationError
    from fastaudio.live import Frames, LiveStream
    from fastaudio.live.devices import Device, DeviceError, DeviceLost, devices
    from fastaudio.live.microphone import Microphone
    from fastaudio.live.sources import FileSource, PcmSource, Source
    from fastaudio.live.urls import UrlSource
    from fastaudio.pipeline import Pipeline, isolated
    from fastaudio.running.limits import ResultTooLarge
    from fastaudio.running.stream import PipelineStream
else:  # a program that composes nodes loads none of these
    _NAMES = {
        "fastaudio._system.versions": "show_versions",
        "fastaudio._system.writing": "OutputError",
        "fastaudio.cards": "Budget models",
        "fastaudio.decoding.audio_file": "DecodeError",
        "fastaudio.events": "Event",
        "fastaudio.isolation.limits": "Limits",
        "fastaudio.isolation.wire": "IsolationError",
        "fastaudio.live": "Frames LiveStream",
        "fastaudio.live.devices": "Device DeviceError DeviceLost devices",
        "fastaudio.live.microphone": "Microphone",
        "fastaudio.live.sources": "FileSource PcmSource Source",
        "fastaudio.live.urls": "UrlSource",
        "fastaudio.pipeline": "Pipeline isolated",
        "fastaudio.running.limits": "ResultTooLarge",
        "fastaudio.running.stream": "PipelineStream",
    }
    _ROOMS = (
        "annotations cards composition decoding events graph isolation live pipeline presets registry "
        "running tags"
    )
    __getattr__, __dir__ = lazily("fastaudio", _NAMES, _ROOMS, old_paths.MOVED)


def _read_hashed(path: str, sha256: str, beside: str = "", n_bytes: int | None = None) -> tuple[bytes, str]:
    from fastaudio.cards import packed_file  # noqa: PLC0415  # most nodes read no file

    return packed_file.read_hashed(path, sha256, beside, n_bytes)


old_paths.install()
onnxruntime.announce()
_core.set_model_reader(_read_hashed)
instances.count_as(_core.Tags, "fastaudio.tags")
instances.count_as(_core.Events, "fastaudio.events")

__all__ = [
    "Budget",
    "DecodeError",
    "Device",
    "DeviceError",
    "DeviceLost",
    "Event",
    "FileSource",
    "Frames",
    "IsolationError",
    "Limits",
    "LiveStats",
    "LiveStream",
    "Microphone",
    "OutputError",
    "PcmSource",
    "Pipeline",
    "PipelineStream",
    "Pool",
    "ResultTooLarge",
    "Source",
    "UrlSource",
    "__version__",
    "devices",
    "isolated",
    "models",
    "presets",
    "show_versions",
]
__all__ += _core.__all__
