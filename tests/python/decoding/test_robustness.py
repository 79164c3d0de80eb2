"""Regressions: cases that once crashed, hung or lost sound don't any more."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING

import fastaudio as fa
import numpy as np
import pytest
import soundfile
from helpers import GUITAR, ROOT
from live_helpers import scores

if TYPE_CHECKING:
    from pathlib import Path

WEIGHTS = str(ROOT / "models" / "musicnn-mtt" / "model.onnx")


def run_python(code: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "ignore", "-c", textwrap.dedent(code)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.parametrize("threads", [1, 2])
def test_a_daemon_thread_inside_the_core_does_not_abort_the_exit(threads: int) -> None:
    done = run_python(f"""
        import threading, time, numpy as np, fastaudio as fa
        pipe = fa.Pipeline.load(threads={threads})
        sound = np.zeros(16_000 * 600, dtype=np.float32)
        threading.Thread(target=lambda: pipe(sound, sample_rate=16_000), daemon=True).start()
        time.sleep(0.3)
    """)
    assert done.returncode == 0, done.stderr
    assert "terminate" not in done.stderr
    assert "[E:onnxruntime" not in done.stderr


def test_unpickled_samples_are_samples() -> None:
    mel = fa.MelSpectrogram()
    samples = np.ones(3000, dtype=np.float32)
    assert np.array_equal(mel(pickle.loads(pickle.dumps(samples))), mel(samples))  # noqa: S301


def test_a_refused_block_leaves_no_trace() -> None:
    stream = fa.Log().open()
    with pytest.raises(TypeError):
        stream.push(np.ones((5, 3)))  # type: ignore[arg-type]
    assert stream.push(np.ones((5, 4), dtype=np.float32)).shape == (5, 4)


@pytest.mark.parametrize("known_length", [True, False])
def test_a_flac_yields_all_before_it_breaks_off(tmp_path: Path, known_length: bool) -> None:
    noise = np.random.default_rng(0).integers(-9000, 9000, 12 * 16_000).astype(np.int16)
    whole = tmp_path / "whole.flac"
    soundfile.write(whole, noise, 16_000)
    data = bytearray(whole.read_bytes())
    if not known_length:  # these 36 bits of STREAMINFO hold the number of samples
        data[21] &= 0xF0
        data[22:26] = bytes(4)
    cut = tmp_path / "cut.flac"
    cut.write_bytes(data[: len(data) // 2])
    tags = scores()(cut)
    assert tags.truncated or not known_length
    assert 5.5 < tags.duration_s < 6.5
    if not known_length:
        whole.write_bytes(data)
        tags = scores()(whole)
        assert (tags.duration_s, tags.truncated) == (12.0, False)


def test_features_of_a_cut_file_come_with_a_warning(tmp_path: Path) -> None:
    cut = tmp_path / "cut.wav"
    soundfile.write(cut, np.zeros(16_000, dtype=np.int16), 16_000)
    cut.write_bytes(cut.read_bytes()[:20_000])
    with pytest.warns(UserWarning, match="cut short"):
        fa.Pipeline(fa.MelSpectrogram(sample_rate=16_000))(cut)


def test_a_bad_source_never_ends_a_map() -> None:
    results = list(fa.Pipeline.load().map([None, str(GUITAR)], jobs=1))  # type: ignore[list-item]
    assert isinstance(results[0], fa.DecodeError)
    assert results[1].labels


def test_outputs_of_one_name_are_refused() -> None:
    inner = fa.Parallel({"x": fa.Log(), "y": fa.Log(kind="dB")})
    with pytest.raises(ValueError, match="expected different output names"):
        fa.MelSpectrogram() >> {"a": inner, "a.x": fa.Log()}
    with pytest.raises(ValueError, match="expected different outputs"):
        fa.OnnxModel(WEIGHTS, outputs=["taggram", "taggram"])


def test_a_card_does_not_choose_threads(tmp_path: Path) -> None:
    fa.Pipeline.load(threads=2).save(tmp_path / "card.json")
    card = json.loads((tmp_path / "card.json").read_text())
    card["pipeline"][3]["threads"] = 700
    (tmp_path / "card.json").write_text(json.dumps(card))
    assert fa.Pipeline.load(tmp_path / "card.json").node[3].threads == 1  # type: ignore[attr-defined,index]


def test_save_keeps_the_channel_and_the_quality(tmp_path: Path) -> None:
    pipeline = fa.Pipeline(fa.MelSpectrogram(), channel=1, quality="best")
    pipeline.save(tmp_path / "right.json")
    loaded = fa.Pipeline.load(tmp_path / "right.json")
    assert (loaded.channel, loaded.quality) == (1, "best")


def test_the_logarithm_is_taken_once() -> None:
    with pytest.raises(ValueError, match=r"^Log: expected power or magnitude, got ln"):
        fa.MelSpectrogram() >> fa.Log() >> fa.Log(kind="dB")


@pytest.mark.parametrize("ahead", [1, 4])
def test_reading_ahead_changes_no_sample(monkeypatch: pytest.MonkeyPatch, ahead: int) -> None:
    monkeypatch.setattr("fastaudio.decoding.audio_file._BLOCKS_AHEAD", ahead)
    samples, rate = soundfile.read(GUITAR, dtype="float32")
    pipeline = fa.Pipeline(fa.MelSpectrogram(sample_rate=rate))
    whole = pipeline(samples, sample_rate=rate, layout="samples_channels")
    assert np.array_equal(pipeline(GUITAR), whole)
