"""Log against float64 NumPy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import fastaudio as fa
import numpy as np
import pytest
from helpers import musicnn_front
from hypothesis import given
from hypothesis import strategies as st

if TYPE_CHECKING:
    from numpy.typing import NDArray


def reference(x: NDArray[np.float32], log: fa.Log) -> NDArray[np.float64]:
    """Return what the documentation says, in float64."""
    scale, offset, floor = (float(np.float32(v)) for v in (log.scale, log.offset, log.floor))
    argument = np.maximum(scale * x.astype(np.float64) + offset, floor)
    if log.kind == "ln":
        return np.log(argument)
    if log.kind == "log10":
        return np.log10(argument)
    return 10 * np.log10(argument / log.reference)


def assert_close(x: NDArray[np.float32], log: fa.Log) -> None:
    """Assert that values agree within a few roundings of float32."""
    want = reference(x, log)
    np.testing.assert_allclose(log(x), want, rtol=2e-6, atol=2e-6 * max(1, np.abs(want).max(initial=0)))


OPTIONS = [
    {},
    {"kind": "log10", "scale": 10_000, "offset": 1},
    {"kind": "ln", "offset": 0.01, "floor": 1e-37},
    {"kind": "dB"},
    {"kind": "dB", "reference": 0.25, "floor": 1e-10},
    {"kind": "log10", "floor": 1e-30},
    {"kind": "dB", "scale": 3, "offset": 1e-6, "reference": 1e-3},
]


@pytest.mark.parametrize("options", OPTIONS)
def test_every_kind_matches_the_reference_on_real_power(
    guitar_16k: NDArray[np.float32], options: dict[str, object]
) -> None:
    power = fa.MelSpectrogram(sample_rate=16_000, n_fft=512, hop_length=256, n_mels=32)(guitar_16k)
    assert_close(power, fa.Log(**options))


@pytest.mark.parametrize("options", OPTIONS)
def test_every_kind_matches_the_reference_over_all_magnitudes(options: dict[str, object]) -> None:
    x = np.geomspace(1e-37, 1e12, 20_001).astype(np.float32)
    assert_close(x, fa.Log(**options))


@given(
    x=st.lists(st.floats(0, 1e6, width=32), min_size=1, max_size=70),
    kind=st.sampled_from(["ln", "log10", "dB"]),
    offset=st.floats(0, 100),
    floor=st.floats(1e-30, 1),
)
def test_any_options_match_the_reference(x: list[float], kind: str, offset: float, floor: float) -> None:
    assert_close(np.array(x, dtype=np.float32), fa.Log(kind=kind, offset=offset, floor=floor))


def test_the_floor_holds_for_silence_and_negative_values() -> None:
    x = np.array([0, -1, -1e12, 1e-20], dtype=np.float32)
    assert fa.Log(kind="dB", floor=1e-8)(x).tolist() == pytest.approx([-80] * 4, abs=1e-4)
    assert fa.Log(kind="log10", floor=1e-30)(x[:3]).tolist() == pytest.approx([-30] * 3, abs=1e-4)


def test_zero_db_is_the_reference() -> None:
    assert fa.Log(kind="dB", reference=4.0)(np.float32([4])).tolist() == pytest.approx([0], abs=1e-5)


def test_silence_is_exactly_zero_for_the_models_that_shipped() -> None:
    rows = musicnn_front()(np.zeros(16_000, dtype=np.float32))
    assert not rows.any()


def test_louder_never_gives_less() -> None:
    x = np.sort(np.random.default_rng(0).uniform(0, 10, 100_000).astype(np.float32))
    for kind in ("ln", "log10", "dB"):
        assert (np.diff(fa.Log(kind=kind)(x)) >= 0).all()


def test_a_value_does_not_depend_on_its_place() -> None:
    x = np.random.default_rng(0).uniform(0, 10, 67).astype(np.float32)
    log = fa.Log(kind="log10", scale=10_000, offset=1)
    alone = np.concatenate([log(x[i : i + 1]) for i in range(len(x))])
    assert np.array_equal(alone, log(x))


def test_shape_and_unit_are_kept_and_named() -> None:
    spec = fa.StreamSpec(rate_hz=10, shape=[3, 4], unit="power")
    (out,) = fa.Log(kind="dB").output_specs(spec).values()
    assert (out.rate_hz, out.shape, out.unit) == (10, (3, 4), "dB")
    assert fa.Log()(np.ones((2, 3, 4), dtype=np.float32)).shape == (2, 3, 4)
