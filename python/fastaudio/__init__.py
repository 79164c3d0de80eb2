"""fastaudio turns samples into tags, with the same numbers for a file and a live stream.

>>> import numpy as np
>>> import fastaudio as fa
>>> mel = fa.MelSpectrogram(sample_rate=16_000, n_fft=512, hop_length=256, n_mels=96)
>>> front = mel >> fa.Log(kind="log10", scale=10_000, offset=1)
>>> front(np.zeros(16_000, dtype=np.float32)).shape
(63, 96)
"""

from fastaudio import _core, events, presets, tags
from fastaudio._core import *  # noqa: F403  # every node, StreamSpec, Stream and the errors: its own __all__
from fastaudio._core import __version__, set_model_reader
from fastaudio._system import instances, old_paths, onnxruntime
from fastaudio._system.versions import show_versions
from fastaudio._system.writing import OutputError
from fastaudio.cards import Budget, models, packed_file
from fastaudio.decoding.audio_file import DecodeError
from fastaudio.events import Event
from fastaudio.isolation.limits import Limits
from fastaudio.isolation.wire import IsolationError
from fastaudio.live import Frames, LiveStats, LiveStream, Pool
from fastaudio.live.devices import Device, DeviceError, DeviceLost, devices
from fastaudio.live.microphone import Microphone
from fastaudio.live.sources import FileSource, PcmSource, Source
from fastaudio.live.urls import UrlSource
from fastaudio.pipeline import Pipeline, isolated
from fastaudio.running.limits import ResultTooLarge
from fastaudio.running.stream import PipelineStream

old_paths.install()
onnxruntime.announce()
set_model_reader(packed_file.read_hashed)
instances.count_as(_core.Tags, tags.Tags)
instances.count_as(_core.Events, events.Events)

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
