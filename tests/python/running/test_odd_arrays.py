"""Arrays that lie oddly in memory give the same rows as plain ones, wherever samples or rows are taken."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest
from live_helpers import RATE_HZ, features, noise, rows_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

FEATURES = features()
MEL = fa.MelSpectrogram(sample_rate=RATE_HZ, n_fft=512, hop_length=256, n_mels=8)
STEREO = fa.Mono(channels=2)
SOUND = fa.StreamSpec(rate_hz=RATE_HZ, shape=[2])


def unaligned(array: NDArray[Any], offset: int = 1) -> NDArray[Any]:
    held = np.zeros(array.nbytes + offset, np.uint8)
    held[offset:] = np.frombuffer(array.tobytes(), np.uint8)
    odd = held[offset:].view(array.dtype).reshape(array.shape)
    assert not odd.flags.aligned
    return odd


def read_only(array: NDArray[Any]) -> NDArray[Any]:
    array = array.copy()
    array.flags.writeable = False
    return array


LAYOUTS: dict[str, Callable[[NDArray[Any]], NDArray[Any]]] = {
    "unaligned by 1": unaligned,
    "unaligned by 3": lambda array: unaligned(array, 3),
    "every other": lambda array: np.repeat(array, 2, axis=0)[::2],
    "backwards": lambda array: array[::-1].copy()[::-1],
    "unaligned, every other": lambda array: unaligned(np.repeat(array, 2, axis=0))[::2],
    "columns first": np.asfortranarray,
    "read-only": read_only,
    "a field of records": lambda array: np.rec.fromarrays(
        [np.zeros(len(array), np.uint8), array], dtype=[("a", "u1"), ("b", array.dtype, array.shape[1:])]
    )["b"],
}


def live(array: NDArray[Any], channels: int = 1) -> NDArray[np.float32]:
    with FEATURES.live(RATE_HZ, channels, buffer_s=5) as stream:
        stream.push(array)
        stream.finish()
        return rows_of(stream)


TAKERS: dict[str, tuple[int, Callable[[NDArray[Any]], Any]]] = {
    "a node": (1, MEL),
    "a node on two threads": (1, lambda array: MEL(array, threads=2)),
    "a stream": (1, lambda array: MEL.open().push(array)),
    "a node of two channels": (2, lambda array: STEREO.open(SOUND).push(array)),
    "a pipeline": (1, lambda array: FEATURES(array, sample_rate=RATE_HZ)),
    "a live stream": (1, live),
    "a live stream of two channels": (2, lambda array: live(array, 2)),
}


@pytest.mark.parametrize("dtype", ["float32", "int16"])
@pytest.mark.parametrize("taker", TAKERS)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_rows_are_those_of_a_plain_array(layout: str, taker: str, dtype: str) -> None:
    channels, take = TAKERS[taker]
    sound = noise(RATE_HZ).reshape(-1, channels) if channels > 1 else noise(RATE_HZ // 2)
    plain = sound if dtype == "float32" else (sound * 20_000).astype(dtype)
    odd = LAYOUTS[layout](plain)
    np.testing.assert_array_equal(odd, plain)
    np.testing.assert_array_equal(take(odd), take(plain))


@pytest.mark.parametrize("layout", ["unaligned by 1", "backwards"])
def test_a_bad_value_is_found_where_it_is(layout: str) -> None:
    sound = noise(1000)
    sound[17] = np.nan
    odd = LAYOUTS[layout](sound)
    for take in (MEL, live):
        with pytest.raises(ValueError, match=r"got nan at index 17"):
            take(odd)
