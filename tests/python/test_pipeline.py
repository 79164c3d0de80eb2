"""Pipeline: what it takes, what it gives, how it is composed, shared, pickled and drawn."""

from __future__ import annotations

import io
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest
from fastaudio.tags import Tags
from helpers import GUITAR, MODEL_NAMES, WEIGHTS, musicnn_front

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

Guitar = "tuple[NDArray[np.float32], int]"
LABELS = [f"tag {i}" for i in range(50)]


def test_the_default_model_comes_first_and_all_are_listed() -> None:
    assert fa.models()[0] == "musicnn-mtt"
    assert set(fa.models()) >= set(MODEL_NAMES)


@pytest.mark.parametrize("name", MODEL_NAMES)
def test_every_shipped_model_hears_the_guitar(name: str) -> None:
    pipeline = fa.Pipeline.load(name)
    assert pipeline.name == name
    assert pipeline.sample_rate == 16_000
    tags = pipeline(GUITAR)
    assert tags.scores.shape == (3, 50)
    assert tags.model == name
    assert "ambient" in dict(tags.top(4))


def test_load_without_a_name_loads_the_default() -> None:
    assert fa.Pipeline.load().name == "musicnn-mtt"


@pytest.mark.parametrize("threads", [1, 2])
def test_threads_of_the_network_do_not_change_scores(tagger: fa.Pipeline, threads: int) -> None:
    pipeline = fa.Pipeline.load("musicnn-mtt", threads=threads)
    assert np.abs(pipeline(GUITAR).scores - tagger(GUITAR).scores).max() < 1e-5


def test_features_are_float32_rows(guitar_16k: NDArray[np.float32]) -> None:
    rows = fa.Pipeline(musicnn_front())(guitar_16k, sample_rate=16_000)
    assert rows.dtype == np.float32
    assert rows.flags.c_contiguous
    assert np.array_equal(rows, musicnn_front()(guitar_16k))


@pytest.mark.parametrize("rate", [8000, 11_025, 44_100, 48_000])
def test_samples_at_another_rate_are_resampled_in_the_core(
    guitar_16k: NDArray[np.float32], rate: int
) -> None:
    resampled = fa.Resample(input_rate=rate, output_rate=16_000)(guitar_16k)
    rows = fa.Pipeline(musicnn_front())(guitar_16k, sample_rate=rate)
    assert np.array_equal(rows, musicnn_front()(resampled))


def test_the_quality_of_resampling_is_chosen(guitar_16k: NDArray[np.float32]) -> None:
    node = fa.Resample(input_rate=44_100, output_rate=16_000, quality="best")
    best = fa.Pipeline(musicnn_front(), quality="best")(guitar_16k, sample_rate=44_100)
    assert np.array_equal(best, musicnn_front()(node(guitar_16k)))
    with pytest.raises(ValueError, match="expected quality"):
        fa.Pipeline(musicnn_front(), quality="perfect")(guitar_16k, sample_rate=44_100)


def test_integers_are_full_scale(guitar_16k: NDArray[np.float32]) -> None:
    integers = np.round(guitar_16k * 32768).astype(np.int16)
    pipeline = fa.Pipeline(musicnn_front())
    floats = (integers / 32768).astype(np.float32)
    assert np.array_equal(pipeline(integers, sample_rate=16_000), pipeline(floats, sample_rate=16_000))


def test_both_layouts_give_the_same(guitar: Guitar, tagger: fa.Pipeline) -> None:
    samples, rate = guitar
    rows = tagger(samples, sample_rate=rate, layout="samples_channels")
    columns = tagger(samples.T, sample_rate=rate, layout="channels_samples")
    assert np.array_equal(rows.scores, columns.scores)
    assert rows.path is None
    assert rows.duration_s == pytest.approx(len(samples) / rate)


def test_several_outputs_give_a_dict(net: fa.OnnxModel, guitar_16k: NDArray[np.float32]) -> None:
    front = musicnn_front() >> fa.Patches(length=187, hop=187)
    model = fa.OnnxModel(str(WEIGHTS), outputs=["taggram", "penultimate"])
    both = fa.Pipeline(front >> model)(guitar_16k, sample_rate=16_000)
    assert {name: rows.shape for name, rows in both.items()} == {
        "taggram": (3, 50),
        "penultimate": (3, 200),
    }
    alone = fa.Pipeline(front >> net["penultimate"])(guitar_16k, sample_rate=16_000)
    assert np.abs(alone - both["penultimate"]).max() < 1e-5


@pytest.mark.parametrize("threads", [1, 2])
def test_branches_share_what_goes_before_them(guitar_16k: NDArray[np.float32], threads: int) -> None:
    front = musicnn_front()
    net = fa.OnnxModel(str(WEIGHTS), threads=threads)
    branches = {"tags": net["taggram"] >> fa.Tags(LABELS), "taste": net["penultimate"] >> fa.Mean()}
    pipeline = fa.Pipeline(front >> fa.Patches(length=187) >> branches)
    got = pipeline(guitar_16k, sample_rate=16_000)
    assert list(got) == ["tags", "taste"]
    assert isinstance(got["tags"], Tags)
    assert got["tags"].labels == LABELS
    assert got["taste"].shape == (1, 200)
    with pipeline.open(sample_rate=16_000) as stream:
        results = stream.push(guitar_16k)
        assert [len(results["tags"]), results["taste"].shape] == [3, (0, 200)]
        assert stream.flush()["taste"].shape == (1, 200)


def test_tags_of_the_whole_clip_are_one_window(net: fa.OnnxModel, guitar_16k: NDArray[np.float32]) -> None:
    patches = musicnn_front() >> fa.Patches(length=187)
    pipeline = fa.Pipeline(patches >> net >> fa.Mean() >> fa.Tags(LABELS))
    tags = pipeline(guitar_16k, sample_rate=16_000)
    assert tags.times.tolist() == [[0, len(guitar_16k) / 16_000]]
    windows = fa.Pipeline(patches >> net >> fa.Tags(LABELS))(guitar_16k, sample_rate=16_000)
    np.testing.assert_allclose(tags.scores[0], windows.mean(), rtol=1e-6)
    stream = pipeline.open(sample_rate=16_000)
    assert stream.push(guitar_16k) == []
    (window,) = stream.flush()
    assert (window.start_s, window.end_s) == (0, len(guitar_16k) / 16_000)


def test_composing_checks_rates_shapes_and_names_at_once() -> None:
    mel = fa.MelSpectrogram(sample_rate=16_000, n_fft=512, n_mels=32)
    with pytest.raises(ValueError, match=r"^MelSpectrogram: expected samples \[22050 Hz\], got "):
        fa.Resample(input_rate=44_100, output_rate=16_000) >> fa.MelSpectrogram()
    with pytest.raises(ValueError, match=r"^Tags: expected rows of 2 scores, got rows "):
        mel >> fa.Tags(["a", "b"])
    with pytest.raises(fa.ModelError, match=r"^OnnxModel\(.*\): expected rows that fit its input"):
        mel >> fa.Patches(length=187) >> fa.OnnxModel(str(WEIGHTS))
    with pytest.raises(ValueError, match=r"expected one output to go on with, got 'a', 'b'"):
        mel >> {"a": fa.Mean(), "b": fa.Max()} >> fa.Log()
    with pytest.raises(TypeError):
        mel >> 3


def test_a_network_refuses_an_output_that_is_not_there(net: fa.OnnxModel) -> None:
    with pytest.raises(fa.ModelError, match=r"expected outputs among .*'penultimate'.*, got 'nope'"):
        net["nope"]
    assert net.available_outputs[:2] == ["taggram", "penultimate"]


def test_a_pipeline_needs_a_sample_rate_to_start_from() -> None:
    with pytest.raises(ValueError, match=r"^Pipeline: expected a first node that states its sample"):
        fa.Pipeline(fa.Log())


def test_print_draws_the_flow(tagger: fa.Pipeline) -> None:
    lines = str(tagger).splitlines()
    assert lines[0] == "16000 Hz mono (mean of all channels)"
    assert [line.split("(")[0] for line in lines[1:]] == [
        "MelSpectrogram",
        "Log",
        "Patches",
        "OnnxModel",
        "Tags",
    ]
    assert lines[1].endswith("-> [62.5 Hz, 96] power")
    assert lines[3].endswith("-> [0.334 Hz, 187, 96] log10")
    assert lines[5].endswith("-> [0.334 Hz, 50] probability, latency 2.99 s")
    assert tagger.latency_s == pytest.approx(2.992, abs=0.001)
    assert repr(tagger).startswith("<Pipeline musicnn-mtt: 16000 Hz mono")
    assert str(WEIGHTS.parent.name) not in lines[4]


def test_bytes_are_a_file_and_raw_ones_are_told_how_to_become_samples(tagger: fa.Pipeline) -> None:
    data, want = GUITAR.read_bytes(), tagger(GUITAR)
    for source in (data, bytearray(data), memoryview(data), io.BytesIO(data)):
        assert np.array_equal(tagger(source).scores, want.scores)
    samples = (1000 * np.sin(np.arange(64_000))).astype(np.int16)
    with pytest.raises(ValueError, match=r"got bytes that are no file; use numpy\.frombuffer") as caught:
        tagger(samples.tobytes(), sample_rate=16_000)
    remedy = str(caught.value).partition("; use ")[2].partition(" for raw")[0]
    again = eval(remedy, {"numpy": np, "source": samples.tobytes()})  # noqa: S307  # our own message
    assert np.array_equal(
        tagger(again, sample_rate=16_000).scores, tagger(samples, sample_rate=16_000).scores
    )
    with pytest.raises(ValueError, match=r"for samples only, got a file; leave them out$"):
        tagger(GUITAR, sample_rate=16_000)
    with pytest.raises(ValueError, match=r"got the contents of a file; leave them out$"):
        tagger(data, sample_rate=16_000)


def test_pipelines_of_one_model_tell_how_they_differ(tagger: fa.Pipeline) -> None:
    others = [
        tagger,
        tagger.layer(),
        tagger.layer("mean_pool"),
        tagger.with_hop(0.5),
        tagger >> fa.Events(onset=[0.2]),
        tagger >> fa.Mean(),
        tagger >> {"a": fa.Mean(), "b": fa.Max()},
        fa.Pipeline(tagger.node, channel=1, card=tagger.card),
        fa.Pipeline(tagger.node, quality="best", card=tagger.card),
    ]
    said = [repr(one) for one in others]
    assert len(set(said)) == len(said)
    assert max(map(len, said)) < 300
    assert said[0] == (
        "<Pipeline musicnn-mtt: 16000 Hz mono (mean of all channels) >> MelSpectrogram(...) >> Log(...) >> "
        "Patches(length=187, hop=187) >> OnnxModel(...) >> Tags(...) -> [0.334 Hz, 50] probability>"
    )
    assert said[1].endswith("-> penultimate [0.334 Hz, 200]>")
    many = fa.Pipeline(fa.Sequential([fa.MelSpectrogram(), *[fa.L2Normalize()] * 30]))
    assert len(repr(many >> {f"{k}": fa.Mean() for k in range(50)})) < 500


def test_branches_are_drawn_by_name() -> None:
    mel = fa.MelSpectrogram(sample_rate=16_000, n_fft=512, hop_length=256, n_mels=32)
    text = str(fa.Pipeline(mel >> {"loud": fa.Log(kind="dB"), "mean": fa.Mean()}))
    assert "\nloud:\n" in text
    assert "\n  Mean()" in text
    assert text.endswith("at the end")


def test_a_pickled_pipeline_gives_the_same(tagger: fa.Pipeline) -> None:
    again = pickle.loads(pickle.dumps(tagger))  # noqa: S301
    assert (again.name, again.channel, again.quality) == ("musicnn-mtt", None, "high")
    assert again.node == tagger.node
    assert np.array_equal(again(GUITAR).scores, tagger(GUITAR).scores)


def test_one_pipeline_serves_many_threads(tagger: fa.Pipeline) -> None:
    want = tagger(GUITAR).scores
    with ThreadPoolExecutor(4) as pool:
        for tags in pool.map(tagger, [GUITAR] * 8):
            assert np.abs(tags.scores - want).max() < 1e-5


def test_map_keeps_order_and_gives_errors_in_place(tagger: fa.Pipeline, tmp_path: Path) -> None:
    missing = tmp_path / "missing.wav"
    sources = [GUITAR, missing, GUITAR, tmp_path, GUITAR]
    for jobs in (1, 2, None):
        results = list(tagger.map(iter(sources), jobs=jobs))
        bad = [isinstance(result, fa.DecodeError) for result in results]
        assert bad == [False, True, False, True, False]
        assert isinstance(results[1], FileNotFoundError)
        assert isinstance(results[3], IsADirectoryError)
        assert results[1].path == str(missing)
    assert list(tagger.map([])) == []
    with pytest.raises(ValueError, match=r"^Pipeline\.map: expected jobs of at least 1, got 0"):
        list(tagger.map(sources, jobs=0))


def test_map_takes_sources_only_as_they_are_needed() -> None:
    taken = []

    def endless() -> Any:
        while True:
            taken.append(GUITAR)
            yield GUITAR

    results = fa.Pipeline(musicnn_front()).map(endless(), jobs=2)
    for _ in range(3):
        assert next(results).shape[1] == 96
    results.close()
    assert len(taken) < 10


def test_progress_rises_to_the_total(tagger: fa.Pipeline, guitar: Guitar) -> None:
    calls: list[tuple[float, float | None]] = []
    tags = tagger(GUITAR, progress=lambda done, total: calls.append((done, total)))
    assert len(calls) > 1
    assert [done for done, _ in calls] == sorted(done for done, _ in calls)
    assert calls[-1][0] == pytest.approx(tags.duration_s)
    assert calls[-1][1] == pytest.approx(tags.duration_s)
    calls.clear()
    tagger(guitar[0][:, 0], sample_rate=44_100, progress=lambda *call: calls.append(call))
    assert calls[-1][0] == pytest.approx(tags.duration_s)


FORKED = """
import os, sys
import numpy as np
import fastaudio as fa
tagger = fa.Pipeline.load("musicnn-mtt", threads=int(sys.argv[2]))
sound = np.zeros(16_000 * 4, dtype=np.float32)
want = tagger(sys.argv[1]).scores
stream = tagger.open(sample_rate=16_000)
stream.push(sound)
child = os.fork()
if child == 0:
    got = tagger(sys.argv[1]).scores
    try:
        stream.push(sound)  # the parent's: it goes on, or says that it can't
    except fa.StateError as error:
        assert "before a fork" in str(error)
    del stream
    os._exit(0 if np.abs(got - want).max() < 1e-5 else 3)
code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
stream.push(sound)
again = tagger(sys.argv[1]).scores
sys.exit(code or int(not np.array_equal(again, want)))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no fork there")
@pytest.mark.parametrize("threads", [1, 2])
def test_a_forked_child_goes_on_and_so_does_its_parent(threads: int) -> None:
    command = [sys.executable, "-W", "ignore", "-c", FORKED, str(GUITAR), str(threads)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


class Named(fa.Pipeline):
    """A pipeline with a constructor and an attribute of its own."""

    def __init__(self, node: fa.Node) -> None:
        super().__init__(node)
        self.nickname = "mine"


def test_a_subclass_with_its_own_constructor_composes() -> None:
    longer = Named(fa.MelSpectrogram()) >> fa.Log()
    assert (type(longer), longer.nickname) == (Named, "mine")
    assert longer.node == fa.MelSpectrogram() >> fa.Log()
