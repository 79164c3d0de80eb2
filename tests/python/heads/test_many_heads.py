"""Several heads on one network: it runs once, and each head gives what it gives alone."""

from __future__ import annotations

import fastaudio as fa
import numpy as np
import pytest
from helpers import GUITAR, ONNX, decode

HEADS = ("tags", "genres", "instruments")
N_LABELS = {"tags": 50, "genres": 10, "instruments": 11}


def head(name: str) -> fa.OnnxModel:
    """Return dense layers on embeddings of 200 values, made for tests."""
    return fa.OnnxModel(str(ONNX / f"head_{name}.onnx"))


@pytest.fixture(scope="module")
def embedder(tagger: fa.Pipeline) -> fa.Pipeline:
    """Return what the heads share."""
    return tagger.layer("penultimate")


@pytest.fixture(scope="module")
def together(embedder: fa.Pipeline) -> fa.Pipeline:
    """Return a pipeline with all heads on the embedder."""
    return embedder >> {name: head(name) for name in HEADS}


def test_a_network_before_branches_runs_once_for_all() -> None:
    random = fa.OnnxModel(str(ONNX / "random.onnx"))  # it gives other numbers at each run
    rows = np.zeros((20, 3), dtype=np.float32)
    shared = (random >> {name: fa.Normalize(over="row") for name in HEADS})(rows)
    apart = fa.Parallel({name: random >> fa.Normalize(over="row") for name in HEADS})(rows)
    assert shared["tags"].tobytes() == shared["genres"].tobytes() == shared["instruments"].tobytes()
    assert len({rows.tobytes() for rows in apart.values()}) == len(HEADS)


def test_each_head_gives_what_it_gives_alone_bit_for_bit(
    embedder: fa.Pipeline, together: fa.Pipeline
) -> None:
    results = together(GUITAR)
    assert list(results) == list(HEADS)
    for name in HEADS:
        alone = (embedder >> head(name))(GUITAR)
        assert results[name].shape == alone.shape == (3, N_LABELS[name])
        assert results[name].tobytes() == alone.tobytes()
        assert np.ptp(alone) > 0


def test_a_stream_gives_them_too(embedder: fa.Pipeline, together: fa.Pipeline) -> None:
    samples, rate = decode(GUITAR)
    with together.open(sample_rate=rate, channels=2) as stream:
        blocks = [stream.push(samples[i : i + 4410]) for i in range(0, len(samples), 4410)]
        blocks.append(stream.flush())
    for name in HEADS:
        rows = np.concatenate([block[name] for block in blocks])
        np.testing.assert_allclose(rows, (embedder >> head(name))(GUITAR), rtol=0, atol=1e-5)


def test_heads_may_give_tags_of_their_own(embedder: fa.Pipeline) -> None:
    labels = {name: [f"{name} {i}" for i in range(N_LABELS[name])] for name in HEADS}
    results = (embedder >> {name: head(name) >> fa.Tags(labels[name]) for name in HEADS})(GUITAR)
    for name in HEADS:
        assert results[name].labels == labels[name]
        assert results[name].times.tolist() == results["tags"].times.tolist()


def test_live_the_network_stands_once_among_the_parts(together: fa.Pipeline) -> None:
    samples, rate = decode(GUITAR)
    with together.live(rate, channels=2) as stream:
        stream.push(samples)
        stream.finish()
        outputs = [frames.output for frames in stream]
        parts = [name.split("(")[0] for name, _ in stream.stats().parts]
    assert sorted(set(outputs)) == sorted(HEADS)
    assert parts[-2:] == ["OnnxModel", "Parallel"]
    assert parts.count("OnnxModel") == 1
