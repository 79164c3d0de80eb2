"""Sigmoid and Softmax against float64 NumPy."""

from __future__ import annotations

import fastaudio as fa
import numpy as np
import pytest

LOGITS = np.random.default_rng(0).uniform(-120, 120, (300, 5)).astype(np.float32)


def test_sigmoid_takes_each_value_by_itself() -> None:
    with np.errstate(over="ignore"):
        want = 1 / (1 + np.exp(-LOGITS.astype(np.float64)))
    np.testing.assert_allclose(fa.Sigmoid()(LOGITS), want, rtol=1e-6, atol=1e-38)
    np.testing.assert_array_equal(fa.Sigmoid()(LOGITS.reshape(-1)), fa.Sigmoid()(LOGITS).reshape(-1))


@pytest.mark.parametrize("shape", [(300, 5), (150, 2, 5)])
def test_softmax_sums_to_one_along_the_last_axis(shape: tuple[int, ...]) -> None:
    logits = LOGITS.reshape(shape)
    powers = np.exp(logits.astype(np.float64) - logits.max(axis=-1, keepdims=True))
    got = fa.Softmax()(logits)
    np.testing.assert_allclose(got, powers / powers.sum(axis=-1, keepdims=True), rtol=1e-6, atol=1e-38)
    np.testing.assert_allclose(got.sum(axis=-1), 1, rtol=1e-6)


@pytest.mark.parametrize("node", [fa.Sigmoid(), fa.Softmax()])
def test_extremes_stay_scores(node: fa.Node) -> None:
    got = node(np.array([[1e12, -1e12, 0.0], [1e4, 1e4, -1e4]], dtype=np.float32))
    assert ((got >= 0) & (got <= 1)).all()


@pytest.mark.parametrize("node", [fa.Sigmoid(), fa.Softmax()])
def test_labels_stay_and_the_unit_is_probability(node: fa.Node) -> None:
    rows = fa.StreamSpec(rate_hz=8, shape=[2], unit="logit")
    spec = (fa.Tags(["dog", "cat"]) >> node).output_specs(rows)[""]
    assert (spec.labels, spec.kind, spec.unit, spec.rate_hz) == (["dog", "cat"], "scores", "probability", 8)


@pytest.mark.parametrize("node", [fa.Sigmoid(), fa.Softmax()])
def test_of_samples_of_several_channels_come_rows(node: fa.Node) -> None:
    spec = node.output_specs(fa.StreamSpec(rate_hz=16_000, shape=[2]))[""]
    assert (spec.kind, spec.unit, spec.shape) == ("rows", "probability", (2,))


def test_softmax_of_single_values_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^Softmax: expected rows of several values, got .*; take Sigmoid"):
        fa.Softmax().output_specs(fa.StreamSpec(rate_hz=16_000))
