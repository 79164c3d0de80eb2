"""Networks as they were released are imported in one call, and give ONNX Runtime's numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import fastaudio as fa
import numpy as np
import onnxruntime
import pytest
import soundfile
from fastaudio import importing, presets
from helpers import SHARED

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

FIRERED = SHARED / "models" / "firered"
OPTIONS = {"cmvn": str(FIRERED / "cmvn.ark")}
pytestmark = pytest.mark.skipif(
    not FIRERED.is_dir(), reason="the folder of models from elsewhere, ../shared/models, isn't there"
)


def rows_of(name: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    samples, rate = soundfile.read(FIRERED / name, dtype="float32")
    assert rate == 16_000
    return samples, presets.firered(**OPTIONS)(samples)


def session(name: str) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(str(FIRERED / name), providers=["CPUExecutionProvider"])


def test_a_detector_of_events_gives_a_row_for_each_frame_to_the_end(tmp_path: Path) -> None:
    labels = ["speech", "singing", "music"]
    network = FIRERED / "fireredvad_aed.onnx"
    importing.save(importing.from_onnx(network, "firered", labels=labels, options=OPTIONS), tmp_path / "m")
    samples, rows = rows_of("event.wav")
    got = fa.Pipeline.load(tmp_path / "m")(samples, sample_rate=16_000)
    run = session(network.name)
    want = run.run(None, {"feat": rows[None]})[0][0]  # the whole clip at once
    assert got.labels == labels
    assert abs(len(got.scores) - 22.016 * 100) < 3
    near_the_end = 200  # frames whose window ends in what fills it up, see docs/importing.md
    n = len(want) - near_the_end
    assert np.abs(got.scores[:n] - want[:n]).max() < 1e-4
    assert np.allclose(got.times[:, 0], np.arange(len(got.times)) / 100)
    assert got.mean()[2] > 0.9


def test_a_detector_of_speech_carries_its_caches(tmp_path: Path) -> None:
    network = FIRERED / "fireredvad_stream_vad_with_cache.onnx"
    with pytest.raises(
        fa.ModelError, match=r"say what the others are given: --state caches_in=caches_out \("
    ):
        importing.from_onnx(network, "firered", labels=["speech"], options=OPTIONS)
    how = {"state": {"caches_in": "caches_out"}, "window_s": 0.5}
    pipeline = importing.from_onnx(network, "firered", labels=["speech"], options=OPTIONS, **how)  # type: ignore[arg-type]
    importing.save(pipeline, tmp_path / "m")
    samples, rows = rows_of("hello_en.wav")
    got = fa.Pipeline.load(tmp_path / "m")(samples, sample_rate=16_000)
    run = session(network.name)
    caches, want = np.zeros((8, 1, 128, 19), np.float32), []
    for i in range(0, len(rows) - 49, 50):
        scores, caches = run.run(None, {"feat": rows[None, i : i + 50], "caches_in": caches})
        want.append(scores[0])
    scores = np.concatenate(want)
    assert len(got.scores) >= len(scores) > 100
    assert np.abs(got.scores[: len(scores)] - scores).max() < 1e-5
