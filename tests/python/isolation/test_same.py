"""An isolated pipeline gives the results, errors and warnings of the same pipeline in this process."""

from __future__ import annotations

import io
import json
import pickle
import sys
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest
import soundfile
from fastaudio import heads
from fastaudio.events import Events
from fastaudio.tags import Tags
from helpers import GUITAR, SOUNDS, clips, decode, listed, musicnn_front
from live_helpers import scores

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="isolation needs Linux or macOS")


@pytest.fixture(scope="module")
def here() -> fa.Pipeline:
    return fa.Pipeline.load("musicnn-mtt", threads=1)


@pytest.fixture(scope="module")
def apart() -> Iterator[fa.Pipeline]:
    pipeline = fa.Pipeline.load("musicnn-mtt", threads=1, isolate=True)
    yield pipeline
    pipeline.close()


def assert_same(one: Any, other: Any) -> None:
    assert type(one) is type(other)
    if isinstance(one, dict):
        assert list(one) == list(other)
        for name in one:
            assert_same(one[name], other[name])
    elif isinstance(one, np.ndarray):
        assert one.dtype == other.dtype
        assert one.shape == other.shape
        assert one.tobytes() == other.tobytes()
    elif isinstance(one, Tags):
        assert one.labels == other.labels
        for name in ("scores", "times", "silent"):
            assert_same(getattr(one, name), getattr(other, name))
        assert one.to_dict(windows=True) == other.to_dict(windows=True)
    elif isinstance(one, Events):
        assert one.events == other.events
        assert one.summary == other.summary
        assert one.to_dict() == other.to_dict()
    elif isinstance(one, list):
        assert [repr(item) for item in one] == [repr(item) for item in other]
    else:
        assert str(one) == str(other)


def outcome(pipeline: fa.Pipeline, *args: Any, **keywords: Any) -> Any:
    try:
        return pipeline(*args, **keywords)
    except Exception as error:  # noqa: BLE001
        return error


FILES = sorted({path for path, _ in [*clips(), *listed(SOUNDS)]})


@pytest.fixture(scope="module")
def cheap() -> Iterator[tuple[fa.Pipeline, fa.Pipeline]]:
    """Return a pipeline with tags and no network, here and apart."""
    with fa.isolated(scores()) as apart:
        yield scores(), apart


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_file_gives_the_same_result_or_error(cheap: tuple[fa.Pipeline, fa.Pipeline], path: Path) -> None:
    here, apart = cheap
    assert_same(outcome(here, path), outcome(apart, path))


@pytest.mark.parametrize(("kind", "codec"), [("matroska", "pcm_s16le"), ("mp4", "aac"), ("avi", "ac3")])
def test_what_ffmpeg_decodes_gives_the_same(
    here: fa.Pipeline, apart: fa.Pipeline, kind: str, codec: str
) -> None:
    av = pytest.importorskip("av", reason="needs the extra [av]")
    file, samples = io.BytesIO(), np.sin(np.arange(200_000) / 9).astype(np.float32) / 2
    with av.open(file, "w", format=kind) as container:
        stream = container.add_stream(codec, rate=44_100, layout="mono")
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="fltp", layout="mono")
        frame.sample_rate, frame.pts = 44_100, 0
        container.mux([*stream.encode(frame), *stream.encode(None)])
    assert_same(here(file.getvalue()), apart(file.getvalue()))


@pytest.mark.parametrize("name", [name for name in fa.models() if name != "musicnn-mtt"])
def test_every_model_gives_the_same(name: str) -> None:
    sound, rate = decode(GUITAR, 4)
    with fa.Pipeline.load(name, isolate=True) as apart:
        one, other = (
            pipeline(sound, sample_rate=rate, layout="samples_channels")
            for pipeline in (fa.Pipeline.load(name), apart)
        )
    assert_same(one, other)


@pytest.mark.parametrize("as_what", [bytes, io.BytesIO])
def test_bytes_and_file_objects_are_read_here(here: fa.Pipeline, apart: fa.Pipeline, as_what: Any) -> None:
    data = GUITAR.read_bytes()
    assert_same(here(as_what(data)), apart(as_what(data)))


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("no/such/file.wav", id="missing"),
        pytest.param(b"no sound", id="no sound"),
        pytest.param(b"", id="empty"),
        pytest.param(GUITAR.parent, id="a folder"),
        pytest.param(7, id="a number"),
        pytest.param(np.zeros(100), id="samples without a rate"),
    ],
)
def test_what_is_no_sound_gives_the_same_error(here: fa.Pipeline, apart: fa.Pipeline, source: Any) -> None:
    one, other = outcome(here, source), outcome(apart, source)
    assert isinstance(one, Exception)
    assert_same(one, other)


def test_a_file_object_read_from_its_middle_says_so(here: fa.Pipeline, apart: fa.Pipeline) -> None:
    def at_middle() -> io.BytesIO:
        file = io.BytesIO(GUITAR.read_bytes())
        file.seek(1000)
        return file

    one, other = outcome(here, at_middle()), outcome(apart, at_middle())
    assert "from byte 1000 on" in str(one)
    assert_same(one, other)


def test_an_error_that_a_file_object_raises_comes_back_as_it_is(apart: fa.Pipeline) -> None:
    class Broken(io.BytesIO):
        def read(self, n: int | None = -1) -> bytes:
            if self.tell() > 50_000:
                raise ZeroDivisionError("mine")
            return super().read(n)

    with pytest.raises(ZeroDivisionError, match="mine"):
        apart(Broken(GUITAR.read_bytes()))
    assert len(apart(GUITAR)) == 3


@pytest.mark.parametrize(
    ("samples", "more"),
    [
        (np.zeros(50_000, np.float32), {}),
        (np.full(50_000, 900, np.int16), {}),
        (np.zeros(0, np.float32), {}),
        (np.zeros((50_000, 2), np.float32)[:, ::-1], {"layout": "samples_channels"}),
        (np.zeros(50_000, np.float64), {}),
        (np.zeros(50_000, np.uint8), {}),
        (np.zeros(50_000, np.complex64), {}),
        (np.full(50_000, np.nan, np.float32), {}),
        (np.zeros((4, 4), np.float32), {}),
        (np.array(["a"], dtype=object), {}),
    ],
)
def test_samples_give_the_same_result_or_error(
    here: fa.Pipeline, apart: fa.Pipeline, samples: Any, more: dict[str, Any]
) -> None:
    assert_same(*(outcome(pipeline, samples, sample_rate=16_000, **more) for pipeline in (here, apart)))


def test_a_wrong_scale_gives_the_same_warning(here: fa.Pipeline, apart: fa.Pipeline) -> None:
    said = []
    for pipeline in (here, apart):
        with pytest.warns(UserWarning, match="scale") as warnings:
            pipeline(np.full(50_000, 3000, np.float32), sample_rate=16_000)
        said.append([(str(one.message), one.filename) for one in warnings])
    assert said[0] == said[1]


def test_progress_is_told_as_here(here: fa.Pipeline, apart: fa.Pipeline) -> None:
    told: list[list[tuple[float, float | None]]] = [[], []]
    for pipeline, calls in zip((here, apart), told, strict=True):
        pipeline(GUITAR, progress=lambda done_s, total_s, calls=calls: calls.append((done_s, total_s)))
    assert told[0] == told[1] != []


def test_an_error_of_progress_comes_back_and_the_next_call_works(apart: fa.Pipeline) -> None:
    def progress(*_: object) -> None:
        raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match="mine"):
        apart(GUITAR, progress=progress)
    assert len(apart(GUITAR)) == 3


def test_a_file_cut_short_is_marked(here: fa.Pipeline, apart: fa.Pipeline) -> None:
    data = GUITAR.read_bytes()[:-50_000]
    other = apart(data)
    assert other.truncated
    assert_same(here(data), other)


def test_a_file_that_fails_midway_leaves_nothing_to_the_next(apart: Any) -> None:
    samples = np.zeros(1_000_000, np.float32)
    samples[20_000:] = np.nan  # while more of it is being read ahead
    file = io.BytesIO()
    soundfile.write(file, samples, 16_000, format="WAV", subtype="FLOAT")
    expected, before = apart(GUITAR), apart._children._started.copy()
    for _ in range(10):
        with pytest.raises(fa.DecodeError, match="finite"):
            apart(file.getvalue())
        assert_same(apart(GUITAR), expected)
    assert apart._children._started == before


@pytest.mark.parametrize("channels", [1, 2])
def test_a_stream_gives_the_same_windows(here: fa.Pipeline, apart: fa.Pipeline, channels: int) -> None:
    samples, rate = decode(GUITAR)
    samples = np.repeat(samples[:, :1], channels, axis=1)
    with (
        here.open(sample_rate=rate, channels=channels) as one,
        apart.open(sample_rate=rate, channels=channels) as other,
    ):
        for _ in range(2):
            for start in range(0, len(samples), 50_001):
                block = samples[start : start + 50_001]
                assert_same(one.push(block), other.push(block))
            assert one.duration_s == other.duration_s
            assert_same(one.flush(), other.flush())
            for stream in (one, other):
                with pytest.raises(fa.StateError):
                    stream.flush()
                stream.reset()


def test_a_block_of_a_wrong_type_takes_nothing(apart: fa.Pipeline) -> None:
    with apart.open(sample_rate=16_000) as stream:
        for wrong in (np.zeros(10), [0.0], np.full(10, np.inf, np.float32)):
            with pytest.raises((TypeError, ValueError)):
                stream.push(wrong)  # type: ignore[arg-type]
        assert stream.samples_pushed == 0
        stream.push(np.zeros(160_000, np.float32))
    with pytest.raises(fa.StateError, match="closed"):
        stream.push(np.zeros(10, np.float32))


def test_map_gives_each_result_or_error_in_order(here: fa.Pipeline, apart: fa.Pipeline) -> None:
    sources = [GUITAR, "missing.wav", b"no sound", GUITAR, GUITAR]
    for one, other in zip(here.map(sources), apart.map(sources, jobs=3), strict=True):
        assert_same(one, other)


def test_derived_pipelines_are_isolated_too(here: fa.Pipeline, apart: fa.Pipeline) -> None:
    derive: list[Any] = [
        lambda one: one.with_hop(1.0),
        lambda one: one.layer().with_hop(1.0) >> fa.Mean(),
        lambda one: one >> fa.Events(),
    ]
    for each in derive:
        with each(apart) as other:
            assert_same(each(here)(GUITAR), other(GUITAR))
            assert other.layers == each(here).layers
    for pipeline in (here, apart):
        with pytest.raises(ValueError, match="nonsense"):
            pipeline.layer("nonsense")


def test_what_a_pipeline_says_of_itself_is_the_same(here: fa.Pipeline, apart: fa.Pipeline) -> None:
    same = ("name", "sample_rate", "latency_s", "hop_s", "receptive_field_s", "layers", "card", "channel")
    for name in (*same, "quality", "silence_db", "untrained"):
        assert getattr(here, name) == getattr(apart, name), name
    assert repr(here.output_specs) == repr(apart.output_specs)
    assert [list(spec.labels) for spec in here.output_specs.values()] == [
        list(spec.labels) for spec in apart.output_specs.values()
    ]
    assert isinstance(apart, fa.Pipeline)
    assert "isolated" in repr(apart)


def test_a_composed_pipeline_with_several_outputs_is_isolated() -> None:
    here = fa.Pipeline(musicnn_front() >> {"mean": fa.Mean(), "max": fa.Max(), "all": fa.Delta()})
    with fa.isolated(here) as apart:
        assert_same(here(GUITAR), apart(GUITAR))
        assert fa.isolated(apart) is apart


def test_a_card_that_is_wrong_gives_the_same_error(tmp_path: Path) -> None:
    cards = {
        "options.json": {"node": "Log", "kin": 1},
        "nodes.json": {"node": "Logg"},
        "rate.json": {"node": "Log"},
        "hash.json": {"node": "OnnxModel", "path": "x.onnx", "sha256": "abc"},
        "missing.json": {"node": "OnnxModel", "path": "x.onnx", "sha256": "a" * 64},
        "outside.json": {"node": "OnnxModel", "path": "../x.onnx", "sha256": "a" * 64},
        "changed.json": {"node": "OnnxModel", "path": "changed.json", "sha256": "a" * 64},
    }
    for name, node in cards.items():
        card = {"schema": "fastaudio.card/1", "name": "x", "pipeline": [node]}
        (tmp_path / name).write_text(json.dumps(card))
        said = []
        for isolate in (False, True):
            with pytest.raises(fa.ModelError) as raised:
                fa.Pipeline.load(tmp_path / name, isolate=isolate)
            said.append(str(raised.value))
        assert said[0] == said[1]


def test_what_needs_the_network_in_this_process_is_refused(apart: fa.Pipeline, tmp_path: Path) -> None:
    for refused in (
        lambda: apart.live(16_000),
        lambda: apart.listen("no such device"),
        lambda: apart.save(tmp_path / "card.json"),
        lambda: apart >> {"a": fa.Mean()},
        lambda: pickle.dumps(apart),
        lambda: apart.node,
    ):
        with pytest.raises((fa.StateError, TypeError, AttributeError), match="isolated"):
            refused()
    with pytest.raises(TypeError, match="expected isolate as"):
        fa.Pipeline.load(isolate="yes")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="memory_mb"):
        fa.Limits(memory_mb=0)


def test_a_card_longer_than_a_header_loads(tmp_path: Path) -> None:
    mel = {"node": "MelSpectrogram", "sample_rate": 16_000, "n_fft": 512, "hop_length": 256, "n_mels": 96}
    card = {"schema": "fastaudio.card/1", "name": "x", "notes": "é" * 3_000_000, "pipeline": [mel]}
    path = tmp_path / "card.json"
    path.write_text(json.dumps(card, ensure_ascii=False), encoding="utf-8")
    sound = np.full(1000, 0.5, np.float32)
    here = fa.Pipeline.load(path)
    with fa.Pipeline.load(path, isolate=True) as apart:
        assert_same(here(sound, sample_rate=16_000), apart(sound, sample_rate=16_000))
        assert here.card == apart.card
        with apart >> fa.Delta() as longer:
            assert_same((here >> fa.Delta())(sound, sample_rate=16_000), longer(sound, sample_rate=16_000))


def test_a_head_is_not_trained_on_an_isolated_pipeline(apart: fa.Pipeline) -> None:
    pytest.importorskip("sklearn", reason="pip install '.[train]'")
    pytest.importorskip("onnx", reason="pip install '.[train]'")
    files, done = [str(GUITAR)] * 4, []
    with pytest.raises(fa.StateError, match="isolated"):
        heads.fit(apart, files, ["a", "a", "b", "b"], progress=lambda *_: done.append(1))
    assert done == []
