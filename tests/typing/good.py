"""Uses that must pass `mypy --strict`: the public face as a typed program sees it."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, assert_type

import fastaudio as fa
import numpy as np
from fastaudio import heads, plot
from fastaudio.events import Events
from fastaudio.tags import Tags, Window

if TYPE_CHECKING:
    from numpy.typing import NDArray

sound: NDArray[np.float32] = np.zeros(16_000, dtype=np.float32)
integers: NDArray[np.int16] = np.zeros(16_000, dtype=np.int16)

mel = fa.MelSpectrogram(sample_rate=16_000, n_fft=512, hop_length=256, n_mels=96, f_max=None)
hop_length: int = mel.hop_length
f_max: float | None = mel.f_max
front: fa.Sequential = mel >> fa.Log(kind="log10", scale=10_000, offset=1)
patches = front >> fa.Patches(length=187, hop=None, last="pad")
first: fa.Node = front[0]
count: int = len(front)

net = fa.OnnxModel("model.onnx", outputs=["taggram", "penultimate"], threads=2)
one: fa.OnnxModel = net["taggram"]
of_a_path = fa.OnnxModel(Path("model.onnx"))
plain_mel = fa.MelSpectrogram(norm=None)
names: list[str] = net.available_outputs
both: fa.Sequential = patches >> {"tags": one >> fa.Tags(["a", "b"]), "mean": fa.Mean()}
parallel = fa.Parallel({"loud": fa.Max(), "quiet": fa.Mean()})
branches: dict[str, fa.Node] = parallel.branches
joined = fa.Concat(mel, front, rate_of=None, align="average")
several: list[fa.Node] = joined.branches
film = fa.Film(content=front, condition=joined >> {"gamma": fa.Log(), "beta": fa.Mean()}, align="repeat")
condition: fa.Node = film.condition

spec: fa.StreamSpec | None = mel.input_spec
if spec is not None:
    outputs: dict[str, fa.StreamSpec] = mel.output_specs(spec)
    rate_hz: float = outputs[""].rate_hz
    shape: tuple[int, ...] = outputs[""].shape
    stream: fa.Stream = mel.open(spec)
    rows = stream.push(sound)
    rows = stream.push(integers)
    rows = stream.flush()

pipeline = fa.Pipeline(front, channel=1, quality="best")
loaded: fa.Pipeline = fa.Pipeline.load("musicnn-mtt", threads=2, providers=["CPUExecutionProvider"])
OneResult: TypeAlias = "Tags | Events | NDArray[np.float32]"
result = loaded(Path("song.mp3"))
assert_type(result, "OneResult | dict[str, OneResult]")
result = loaded("song.mp3", progress=print)
result = loaded(BytesIO(b""))
result = loaded(b"")
result = loaded(sound, sample_rate=16_000)
result = loaded(integers, sample_rate=16_000)
result = loaded(np.zeros((2, 5), dtype=np.float32), sample_rate=8000, layout="channels_samples")
if isinstance(result, dict):
    result = result["tags"]
assert isinstance(result, Tags)
tags: Tags = result
hop_s: float = loaded.with_hop(0.5).hop_s
best: list[tuple[str, float]] = tags.top(5)
mean: NDArray[np.float32] = tags.mean()
text: str = tags.to_json(top=3, windows=True) + tags.to_csv() + tags.to_jsonl()

with loaded.open(sample_rate=48_000, channels=2) as live:
    assert_type(live, fa.PipelineStream)
    windows: list[Window] = []
    for batch in (live.push(sound), live.flush()):
        assert isinstance(batch, list)
        windows += [one for one in batch if isinstance(one, Window)]
    start_s: float = windows[0].start_s

find: fa.Pipeline = loaded >> fa.Events(onset=[0.5], min_off_s=[1.0], onsets=True)
events = find("song.mp3")
assert isinstance(events, Events)
for event in events:
    assert_type(event, fa.Event)
    assert_type(event.end_s, float | None)
text = events.to_json() + events.to_jsonl() + events.to_csv(header=False)
text = events.to_audacity() + events.to_raven() + events.to_rttm(file_id="a") + events.to_praat()

plot.tags(tags, top=3)
events.plot(tags.plot())
plot.spectrogram(sound.reshape(-1, 96), pipeline)
times: NDArray[np.float64] = pipeline.times(sound.reshape(-1, 96), duration_s=1.0)
named: dict[str, NDArray[np.float64]] = loaded.times({"": tags})

for window in tags:
    assert_type(window.top(3), list[tuple[str, float]])

for each in loaded.map(["a.wav", Path("b.wav")], jobs=2):
    if isinstance(each, fa.FastaudioError):
        print(each)  # noqa: T201
    elif isinstance(each, Tags):
        print(each.top(1))  # noqa: T201

head = heads.fit(loaded, ["a.wav"], ["a"], kind="mlp", cache=Path("kept"), allow_missing=True)
lost: tuple[str, ...] = head.lost
loaded.save("mine.json")
listed: list[str] = fa.models()
version: str = fa.__version__
fa.show_versions()

try:
    loaded("song.mp3")
except fa.DecodeError as error:
    reason: str = error.path + error.reason
