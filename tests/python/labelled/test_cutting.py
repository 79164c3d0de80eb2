"""Running over stretches of recordings gives what running over their samples gives, in any order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import fastaudio as fa
import numpy as np
import pytest
import soundfile
from fastaudio.decoding.audio_file import AudioFile, DecodeError
from fastaudio.heads.rows import stream_of
from fastaudio.labelled import Segment, cutting
from fastaudio.labelled.rest import rest_of, stretches_of

if TYPE_CHECKING:
    from pathlib import Path

RATE = 8_000


@pytest.fixture(scope="module")
def pipeline() -> fa.Pipeline:
    return fa.Pipeline(fa.MelSpectrogram(sample_rate=RATE, n_fft=256, hop_length=128, n_mels=16))


@pytest.fixture(scope="module")
def noise(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return 30 s of noise in two channels."""
    path = tmp_path_factory.mktemp("noise") / "noise.wav"
    rng = np.random.default_rng(1)
    soundfile.write(path, 0.1 * rng.standard_normal((30 * RATE, 2)), RATE, subtype="FLOAT")
    return path


def test_stretches_in_any_order_give_what_their_samples_give(pipeline: fa.Pipeline, noise: Path) -> None:
    rng = np.random.default_rng(2)
    starts = rng.uniform(0, 28, 120)  # more on top of each other than are open at once
    segments = [Segment(str(noise), float(at), float(at) + 1.7) for at in starts]
    segments += [Segment(str(noise), 0.0, 30.0), Segment(str(noise), 29.5, 30.4)]
    samples, _ = soundfile.read(noise, dtype="float32")
    results = cutting.run_stretches(stream_of(pipeline), segments)
    for segment, rows in zip(segments, results, strict=True):
        part = samples[round(segment.start_s * RATE) : round(segment.end_s * RATE)]
        want = pipeline(part, sample_rate=RATE, layout="samples_channels")
        assert np.array_equal(rows, want)


def test_what_lies_beyond_the_end_fails_alone(pipeline: fa.Pipeline, noise: Path) -> None:
    at = [(1.0, 2.0), (29.0, 32.0), (40.0, 41.0)]
    results = cutting.run_stretches(stream_of(pipeline), [Segment(str(noise), *one) for one in at])
    assert isinstance(results[0], np.ndarray)
    assert [type(one) for one in results[1:]] == [DecodeError] * 2
    assert "expected sound until 32.00 s, got 30.00 s of it" in str(results[1])


def test_values_that_are_no_numbers_fail_where_they_are(pipeline: fa.Pipeline, tmp_path: Path) -> None:
    samples = np.zeros(10 * RATE, np.float32)
    samples[5 * RATE] = np.nan
    soundfile.write(tmp_path / "a.wav", samples, RATE, subtype="FLOAT")
    at = [(1.0, 2.0), (4.5, 5.5), (6.0, 7.0)]
    path = str(tmp_path / "a.wav")
    results = cutting.run_stretches(stream_of(pipeline), [Segment(path, *one) for one in at])
    assert [isinstance(one, DecodeError) for one in results] == [False, True, False]


def test_each_recording_is_opened_a_few_times_whatever_the_order(
    pipeline: fa.Pipeline, noise: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    opened = []

    class Counted(AudioFile):
        def __init__(self, source: str) -> None:
            opened.append(source)
            super().__init__(source)

    monkeypatch.setattr(cutting, "AudioFile", Counted)
    other = tmp_path / "other.wav"
    other.write_bytes(noise.read_bytes())
    gone = str(tmp_path / "gone.wav")
    files = [Segment(str(path), n / 4, n / 4 + 0.2) for n in range(100) for path in (noise, other)]
    files.insert(7, Segment(gone, 0.0, 1.0))

    def stretches(segments: list[Segment]) -> list[object]:
        return cutting.run_stretches(stream_of(pipeline), segments)

    results = list(cutting.run_each(pipeline, stretches, files, 2))
    assert len(results) == 201
    assert isinstance(results[7], DecodeError)
    assert [isinstance(one, np.ndarray) for one in results].count(True) == 200
    assert opened.count(str(noise)) <= 8
    assert np.array_equal(results[0], results[1])


def test_the_rest_keeps_clear_of_labels(noise: Path) -> None:
    labels = [Segment(str(noise), 2.0, 4.0), Segment(str(noise), 3.0, 5.0), Segment(str(noise), 20.0, 22.0)]
    found, failed = rest_of([*labels, "whole.wav"], 100, seed=0)
    assert failed == []
    assert len(found) > 5
    for one in found:
        assert one.start_s >= 0
        assert one.end_s <= 30.0 + 1e-6
        assert all(one.end_s <= label.start_s - 0.2 or one.start_s >= label.end_s + 0.2 for label in labels)
    assert len(rest_of(labels, 3, seed=0)[0]) == 3
    assert rest_of(labels, 3, seed=0) == rest_of(labels, 3, seed=0)
    assert rest_of(labels, 3, seed=0)[0] != rest_of(labels, 3, seed=1)[0]


def test_a_recording_that_is_labelled_all_over_has_no_rest(noise: Path) -> None:
    assert rest_of([Segment(str(noise), 0.1, 29.9)], 10, seed=0) == ([], [])


def test_stretches_of_others_and_files_that_are_gone(noise: Path, tmp_path: Path) -> None:
    found, failed = stretches_of([str(noise), str(tmp_path / "gone.wav")], 2.0, 100, seed=0)
    assert [one.duration_s for one in found] == pytest.approx([2.0] * 15)
    assert [path for path, _ in failed] == [str(tmp_path / "gone.wav")]
