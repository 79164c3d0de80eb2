"""`fastaudio export`: one graph, checked before it is written."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import fastaudio as fa
import numpy as np
import pytest
from cli_helpers import run
from export_cases import run_graph
from helpers import GUITAR

if TYPE_CHECKING:
    from pathlib import Path

pytest.importorskip("onnx")


def test_export_writes_a_graph_with_the_pipelines_numbers(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    target = tmp_path / "everything.onnx"
    status, out, err = run(capsys, "export", "instruments", "-o", target, "--sample-rate", "48000")
    assert status == 0, err
    assert out.startswith(f"{target}  (")
    assert "takes samples at 48000 Hz; compared with the pipeline\n  largest difference " in out
    assert " on made-up sound (output " in out
    sound = np.random.default_rng(0).uniform(-0.3, 0.3, 200_000).astype(np.float32)
    scores, clip = run_graph(target.read_bytes())(sound)
    tags = fa.Pipeline.load("instruments")(sound, sample_rate=48_000)
    assert isinstance(tags, fa.tags.Tags)
    np.testing.assert_allclose(scores, tags.scores, rtol=0, atol=1e-4)
    np.testing.assert_allclose(clip, tags.mean(), rtol=0, atol=1e-4)


def test_export_replaces_a_file_only_if_told_to(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    target = tmp_path / "vad.onnx"
    target.write_bytes(b"mine")
    status, _, err = run(capsys, "export", "silero-vad", "-o", target)
    assert status != 0
    assert "--force" in err
    assert target.read_bytes() == b"mine"
    status, _, err = run(capsys, "export", "silero-vad", "-o", target, "--streaming", "--force")
    assert status == 0, err
    assert target.stat().st_size > 10_000


def test_export_never_replaces_the_model_itself(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    packed = tmp_path / "packed.onnx"
    fa.Pipeline.load("silero-vad").save(packed)
    before = packed.read_bytes()
    status, _, err = run(capsys, "export", packed, "-o", packed, "--force")
    assert status != 0
    assert "expected another file than the inputs" in err
    assert packed.read_bytes() == before


def test_a_graph_that_differs_is_written_as_the_message_says(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    mel = fa.MelSpectrogram(sample_rate=16_000, n_fft=512, hop_length=160, n_mels=80)
    fa.Pipeline(mel >> fa.Log(floor=1e-14)).save(tmp_path / "deep.json")
    target = tmp_path / "deep.onnx"
    status, _, err = run(capsys, "export", tmp_path / "deep.json", "-o", target)
    assert status != 0
    assert not target.exists()
    (enough,) = re.findall(r"--tolerance ([0-9.e-]+),", err)
    status, out, err = run(capsys, "export", tmp_path / "deep.json", "-o", target, "--tolerance", enough)
    assert status == 0, err
    assert "on made-up sound (output rows, " in out
    status, out, err = run(capsys, "export", tmp_path / "deep.json", "-o", target, "--no-check", "--force")
    assert status == 0, err
    assert out.endswith("takes samples at 16000 Hz; not compared with the pipeline\n")


def test_recordings_are_compared_and_never_replaced(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    target = tmp_path / "vad.onnx"
    status, out, err = run(capsys, "export", "silero-vad", "-o", target, "--sounds", GUITAR, GUITAR)
    assert status == 0, err
    assert " on 2 recordings (output " in out
    assert str(GUITAR) in out
    target.write_bytes(GUITAR.read_bytes())
    status, _, err = run(capsys, "export", "silero-vad", "-o", target, "--sounds", target, "--force")
    assert status != 0
    assert "expected another file than the inputs" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-o", "graph.txt"], "expected -o as a file that ends in .onnx"),
        (["-o", "graph.onnx", "--block", "512"], "expected --block with --streaming only"),
        (["-o", "graph.onnx", "--streaming", "--block", "500"], "expected blocks of a multiple of 512"),
        (["-o", "graph.onnx", "--sample-rate", "15999"], "choose a sample rate in a simpler ratio"),
    ],
)
def test_export_refuses_in_words(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    arguments = [str(tmp_path / one) if one.startswith("graph") else one for one in arguments]
    status, _, err = run(capsys, "export", "silero-vad", *arguments)
    assert status != 0
    assert message in err
    assert not list(tmp_path.iterdir())
