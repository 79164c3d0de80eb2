"""Bounds of isolated processes: those that are asked for hold, and a model within them isn't an attack."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import pytest
from fastaudio.cli import main
from fastaudio.isolation import answers, wire
from fastaudio.pipeline import IsolatedPipeline
from helpers import musicnn_front
from isolation_helpers import SOUND, pids

if TYPE_CHECKING:
    from pathlib import Path

if sys.platform == "win32":
    pytest.skip("isolation needs Linux or macOS", allow_module_level=True)


def tagger(label: str) -> fa.Pipeline:
    return fa.Pipeline(fa.MelSpectrogram(sample_rate=16_000, n_mels=1) >> fa.Mean() >> fa.Tags([label]))


def test_new_limits_of_an_isolated_pipeline_hold() -> None:
    with fa.isolated(fa.Pipeline(musicnn_front(), channel=0)) as wide:
        assert fa.isolated(wide) is wide
        with fa.isolated(wide, limits=fa.Limits(result_mb=0.01)) as narrow:
            assert not set(pids(wide)) & set(pids(narrow))
            assert narrow.channel == 0
            with pytest.raises(fa.IsolationError, match="at most 0 MB more of results"):
                narrow(SOUND, sample_rate=16_000)
        assert len(wide(SOUND, sample_rate=16_000)) == 63


@pytest.mark.parametrize("limits", [5, True, False, "x", {}])
def test_limits_of_a_wrong_type_are_refused_by_their_own_name(limits: Any) -> None:
    for pipeline in (fa.Pipeline(musicnn_front()), IsolatedPipeline.__new__(IsolatedPipeline)):
        with pytest.raises(TypeError, match=r"^isolated: expected limits as Limits or None, got "):
            fa.isolated(pipeline, limits=limits)


@pytest.mark.parametrize("isolate", [0, 1, None, "yes", []])
def test_isolate_is_true_or_false_or_limits(isolate: Any) -> None:
    with pytest.raises(TypeError, match=r"^Pipeline\.load: expected isolate as True, False or Limits, got "):
        fa.Pipeline.load(isolate=isolate)


@pytest.mark.parametrize("n", [1001, 300_000])
def test_a_long_label_is_the_same_when_isolated(n: int) -> None:
    label = "é" * n
    with fa.isolated(tagger(label)) as apart:
        assert apart(SOUND, sample_rate=16_000).labels == [label]  # type: ignore[union-attr]


def test_a_card_beyond_what_can_be_told_is_a_model_error_with_a_remedy(tmp_path: Path) -> None:
    path = tmp_path / "card.json"
    tagger("é" * 3_000_000).save(path)
    with pytest.raises(fa.ModelError, match=r"expected at most \d+ bytes and .*got 18\d+ bytes; run it "):
        fa.Pipeline.load(path, isolate=True)


def test_many_labels_can_be_told() -> None:
    spec = {"name": "", "rate_hz": 1.0, "shape": [200_000], "unit": "", "kind": "scores", "latency_s": 0.0}
    spec |= {"labels": [f"{i}" for i in range(200_000)], "span_s": 0.0, "bin_hz": 0.0, "repr": ""}
    assert len(answers.specs([spec])[""].labels) == 200_000


def test_a_header_of_many_values_is_refused_before_it_is_parsed() -> None:
    header = bytearray(b'{"kind": "loaded", "arrays": [], "x": [' + b"{}," * 3_000_000 + b"{}]}")
    with pytest.raises(fa.IsolationError, match="without its parts"):
        wire._parsed(header)


@pytest.mark.parametrize("rate", [10**12, 2**31, -(10**12)])
def test_a_rate_is_told_as_it_was_given(rate: int) -> None:
    with fa.isolated(fa.Pipeline(musicnn_front())) as apart:
        with pytest.raises(ValueError, match=rf"sample_rate below 2\*\*31, got {rate}$"):
            apart.open(sample_rate=rate)
        with pytest.raises(TypeError, match=r"^Pipeline: expected sample_rate as an int, got '16000'"):
            apart.open(sample_rate="16000")  # type: ignore[arg-type]


def test_result_mb_of_a_call_holds_when_isolated() -> None:
    with fa.isolated(fa.Pipeline(musicnn_front())) as apart:
        with pytest.raises(fa.ResultTooLarge, match=r"expected at most 0\.01 MB of results"):
            apart(SOUND, sample_rate=16_000, result_mb=0.01)
        assert len(apart(SOUND, sample_rate=16_000, result_mb=1)) == 63


def test_models_isolated_shows_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    shown = []
    for isolate in ([], ["--isolate"]):
        assert main(["models", "musicnn-mtt", *isolate]) == 0
        shown.append(capsys.readouterr().out)
    here, apart = (text.split("OnnxModel(")[0] for text in shown)  # it was given bytes, and no file's name
    assert apart == here
    assert "ISC" in here
    assert main(["models", "musicnn-mtt", "--tensors", "--isolate"]) == 2
    assert "expected --tensors or --isolate, got both" in capsys.readouterr().err
