"""Film: rows of one branch scaled and shifted by another's, against NumPy on their rows."""

from __future__ import annotations

import math
import pickle
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest
from helpers import GUITAR, ONNX, assert_same_bits, by_name, in_chunks
from hypothesis import given
from hypothesis import strategies as st

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

RATE = 16_000
MEL = fa.MelSpectrogram(sample_rate=RATE, n_fft=512, hop_length=160, n_mels=24)
LOG = MEL >> fa.Log()
SCALES: dict[str, fa.Node] = {"gamma": fa.Standardize([1.0], [3.0]), "beta": fa.L2Normalize()}


def means(window: int, hop: int | None = None) -> fa.Node:
    """Return the node that pools log-mel over windows of frames of 10 ms."""
    return LOG >> fa.Statistics(kinds=["mean"], window=window, hop=hop)


def only(rows: Any) -> NDArray[np.float32]:
    return by_name(rows)[""]


def modulated(
    content: NDArray[np.float32], gamma: NDArray[np.float32], beta: NDArray[np.float32], beside: list[int]
) -> NDArray[np.float32]:
    """Return the paper's formula for each content row and the condition row beside it, while there is one."""
    beside = [k for k in beside if k < len(gamma)]
    return gamma[beside] * content[: len(beside)] + beta[beside]


@given(
    content=st.tuples(st.integers(1, 30), st.integers(1, 30)),
    condition=st.tuples(st.integers(1, 30), st.integers(1, 30)),
    n=st.integers(0, 40_000),
    cuts=st.lists(st.integers(0, 40_000), max_size=8),
)
def test_any_rates_and_any_chunking(
    guitar_16k: NDArray[np.float32],
    content: tuple[int, int],
    condition: tuple[int, int],
    n: int,
    cuts: list[int],
) -> None:
    x = guitar_16k[20_000 : 20_000 + n]
    v = means(*condition)
    film = fa.Film(means(*content), v >> SCALES)
    rows = only(means(*content)(x))
    gamma, beta = ((v >> SCALES[name])(x) for name in ("gamma", "beta"))
    beside = [i * content[1] // condition[1] for i in range(len(rows))]
    got = only(film(x))
    np.testing.assert_allclose(got, modulated(rows, gamma, beta, beside), rtol=1e-6, atol=1e-6)
    assert_same_bits(in_chunks(film, x, cuts), {"": got})


def test_a_condition_faster_than_the_content_is_averaged(guitar_16k: NDArray[np.float32]) -> None:
    film = fa.Film(means(100), means(10) >> SCALES, align="average")
    content = only(means(100)(guitar_16k))
    gamma, beta = (only((means(10) >> SCALES[name])(guitar_16k)) for name in ("gamma", "beta"))
    n = len(content)
    tenths = [rows[: 10 * n].reshape(n, 10, 1, 24).mean(axis=1, dtype=np.float64) for rows in (gamma, beta)]
    got = only(film(guitar_16k))
    np.testing.assert_allclose(got, tenths[0] * content + tenths[1], rtol=1e-5, atol=1e-5)


def test_a_network_may_give_both_and_they_go_by_name() -> None:
    rows = np.random.default_rng(3).standard_normal((40, 3)).astype(np.float32)
    swapped = fa.Film(fa.Patches(length=1), fa.Patches(length=1) >> dict(reversed(SCALES.items())))
    same = fa.Film(fa.Patches(length=1), fa.Patches(length=1) >> SCALES)
    assert_same_bits({"": only(swapped(rows))}, {"": only(same(rows))})
    want = (rows - 1) / 3 * rows + rows / np.linalg.norm(rows, axis=1, keepdims=True)
    np.testing.assert_allclose(only(same(rows))[:, 0], want, rtol=1e-5, atol=1e-6)


def test_weights_lie_in_their_files(tmp_path: Path, guitar_16k: NDArray[np.float32]) -> None:
    net = fa.OnnxModel(str(ONNX / "film.onnx"), outputs=["beta", "gamma"])
    v = fa.Concat(means(96), means(10))
    film = fa.Pipeline(fa.Film(content=fa.Concat(means(5)), condition=v >> net))
    got = film(guitar_16k, sample_rate=RATE)
    beside = only(v(guitar_16k))
    content = only(means(5)(guitar_16k))[:, 0]
    weights = np.arange(48 * 24, dtype=np.float32).reshape(48, 24) / 1000
    gamma, beta = beside @ weights + 1, beside @ weights[:, ::-1] - 1
    want = modulated(content, gamma, beta, [i // 2 for i in range(len(content))])
    np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-3)
    film.save(tmp_path / "card.json")
    assert (tmp_path / "card.json").stat().st_size < 3000
    again = fa.Pipeline.load(tmp_path / "card.json")
    np.testing.assert_allclose(again(guitar_16k, sample_rate=RATE), got, rtol=0, atol=1e-5)
    assert math.isfinite(film.latency_s)
    widest_s = 0.99 + 0.016 + 0.056  # from the slow window's start to the end of the fast one
    assert (
        widest_s <= film.receptive_field_s < widest_s + 0.96
    )  # this is a bound, because branches are nested


def test_threads_live_and_files_give_the_same_bits(
    guitar: tuple[NDArray[np.float32], int], guitar_16k: NDArray[np.float32]
) -> None:
    film = fa.Film(means(10), means(96) >> SCALES)
    x = np.tile(guitar_16k, 6)
    assert_same_bits({"": film(x, threads=2)}, {"": film(x)})
    pipeline = fa.Pipeline(film)
    samples, rate = guitar
    with pipeline.live(rate, 2, buffer_s=60) as live:
        live.push(samples)
        live.finish()
        came = np.concatenate([result.rows for result in live])
    np.testing.assert_array_equal(came, pipeline(GUITAR))


@pytest.mark.parametrize(
    ("content", "condition", "align", "latency"),
    [
        (10, 100, "repeat", 99 * 160 + 256),
        (100, 10, "repeat", 99 * 160 + 256),
        (3, 2, "average", 3 * 160 + 256),
    ],
)
def test_a_row_comes_out_when_stated(
    guitar_16k: NDArray[np.float32], content: int, condition: int, align: str, latency: int
) -> None:
    film = fa.Film(means(content), means(condition) >> SCALES, align=align)
    assert film.input_spec is not None
    spec = film.output_specs(film.input_spec)[""]
    assert spec.latency_s == pytest.approx(latency / RATE, abs=1e-9)
    assert spec.rate_hz == pytest.approx(100 / content)
    stream, arrivals = film.open(), []
    for sample in range(2 * RATE):
        arrivals += [sample + 1] * len(only(stream.push(guitar_16k[sample : sample + 1])))
    late = [n - k * content * 160 - latency for k, n in enumerate(arrivals)]
    assert max(late) == 0


def test_diagram_repr_dict_and_pickle() -> None:
    film = fa.Film(means(10), means(100) >> SCALES, align="average")
    assert repr(film) == f"Film(content={film.content!r}, condition={film.condition!r}, align='average')"
    assert film == fa.Film(condition=film.condition, content=film.content, align="average")
    assert film != fa.Film(film.content, film.condition)
    assert pickle.loads(pickle.dumps(film)) == film  # noqa: S301
    assert film.to_dict() == {
        "node": "Film",
        "content": film.content.to_dict(),
        "condition": film.condition.to_dict(),
        "align": "average",
    }
    lines = film.diagram().splitlines()
    assert [line.split("  ->")[0].rstrip() for line in lines] == [
        "content:",
        "  MelSpectrogram(sample_rate=16000, ...)",
        "  Log()",
        "  Statistics(...)",
        "condition:",
        "  MelSpectrogram(sample_rate=16000, ...)",
        "  Log()",
        "  Statistics(...)",
        "  gamma:",
        "    Standardize([1.0], [3.0])",
        "  beta:",
        "    L2Normalize()",
        "Film",
    ]
    assert lines[-1].endswith("-> [10 Hz, 1, 24], latency 1.01 s")


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (
            lambda: fa.Film(LOG, LOG),
            ValueError,
            r"^Film: expected a condition with outputs 'gamma' and 'beta', got one from Mel",
        ),
        (
            lambda: fa.Film(LOG, LOG >> {"gamma": fa.L2Normalize(), "shift": fa.L2Normalize()}),
            ValueError,
            r"outputs 'gamma' and 'beta', got 'gamma', 'shift' from MelSpectrogram >> Log >> Parallel; ",
        ),
        (
            lambda: fa.Film(LOG, means(10) >> SCALES),
            ValueError,
            r"^Film: expected gamma with the content's shape, \[100 Hz, 24\], got \[10 Hz, 1, 24\]; Concat",
        ),
        (
            lambda: fa.Film(LOG, LOG >> fa.Mean() >> SCALES),
            ValueError,
            r"^Film: expected rows over time from all branches, got one row per clip from gamma; ",
        ),
        (
            lambda: fa.Film(LOG >> SCALES, LOG >> SCALES),
            ValueError,
            r"^Film: expected a content with one",
        ),
        (lambda: fa.Film(LOG), TypeError, r"^Film's condition: expected a node, got none"),
        (lambda: fa.Film(LOG, SCALES), TypeError, r"^Film's condition: expected a node, got \{"),
        (lambda: fa.Film(LOG, LOG, content=LOG), TypeError, r"^Film: expected content once, got it twice"),
    ],
)
def test_what_does_not_fit_is_refused_when_composed(make: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()
