"""What a message says to do with samples of a wrong kind gives the right result, done to the letter."""

from __future__ import annotations

import array
import re
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

MEL = fa.MelSpectrogram(sample_rate=16_000, n_fft=512, n_mels=32)
BITS16 = np.random.default_rng(1).integers(-30_000, 30_000, 4000).astype(np.int16)
FLOATS = (BITS16 / 32768).astype(np.float32)
BITS8 = (BITS16 >> 8).astype(np.int8)
COARSE = (BITS8 / 128).astype(np.float32)


class Tensor:
    """What is seen of a PyTorch tensor: NumPy can't read it before it is detached and on the CPU."""

    def __init__(self, values: np.ndarray, dtype: str = "torch.float32", ready: str = "") -> None:
        self.values, self.dtype, self.ready = values, dtype, ready

    def detach(self) -> Tensor:
        return Tensor(self.values, self.dtype, self.ready + "d")

    def cpu(self) -> Tensor:
        return Tensor(self.values, self.dtype, self.ready + "c")

    def float(self) -> Tensor:
        return Tensor(self.values.astype(np.float32), "torch.float32", self.ready)

    def numpy(self) -> np.ndarray:
        if set(self.ready) != {"d", "c"} or self.dtype == "torch.bfloat16":
            raise TypeError("Can't call numpy() on Tensor that requires grad")
        return self.values

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return self.numpy()


class Exchange:
    """An array of another library that only has the common protocol."""

    def __init__(self, values: np.ndarray) -> None:
        self.values = values

    def __dlpack__(self, **options: Any) -> Any:
        return self.values.__dlpack__(**options)

    def __dlpack_device__(self) -> Any:
        return self.values.__dlpack_device__()


def remedies(text: str) -> list[str]:
    """Return the pieces of Python that a message tells to use."""
    told = re.split(
        r"; (?:use|choose one channel, or average them:|pass one signal at a time, such as) ", text
    )
    assert len(told) == 2, text
    alternatives = re.split(r",? or (?=[(a-z])", told[1])
    return [re.split(r",? (?:for|if|since) ", code)[0] for code in alternatives]


def followed(take: Callable[[Any], Any], samples: Any, error: type[Exception] = TypeError) -> list[Any]:
    with pytest.raises(error) as caught:
        take(samples)
    names = {"samples": samples, "rows": samples, "numpy": np}
    return [eval(code, names) for code in remedies(str(caught.value))]  # noqa: S307  # our own message


WIDE = BITS16.astype(np.int32) << 16
KINDS: dict[str, tuple[Any, np.ndarray]] = {
    "int32": (WIDE, FLOATS),
    "int32 of 16-bit values": (BITS16.astype(np.int32), FLOATS),
    "int32 of 24-bit values": (BITS16.astype(np.int32) << 8, FLOATS),
    "int64 of 16-bit values": (BITS16.astype(np.int64), FLOATS),
    "int64 of 32-bit values": (WIDE.astype(np.int64), FLOATS),
    "int64": (WIDE.astype(np.int64) << 32, FLOATS),
    "int8": (BITS8, COARSE),
    "uint8": ((BITS8.astype(np.int16) + 128).astype(np.uint8), COARSE),
    "uint16": ((BITS16.astype(np.int32) + 32768).astype(np.uint16), FLOATS),
    "uint32": ((WIDE.astype(np.int64) + 2**31).astype(np.uint32), FLOATS),
    "big-endian int16": (BITS16.astype(">i2"), FLOATS),
    "big-endian int32": (WIDE.astype(">i4"), FLOATS),
    "big-endian float32": (FLOATS.astype(">f4"), FLOATS),
    "float64": (FLOATS.astype(np.float64), FLOATS),
    "float16": (COARSE.astype(np.float16), COARSE),
    "complex": (FLOATS + 0j, FLOATS),
    "objects": (FLOATS.astype(object), FLOATS),
    "objects that are integers": (BITS16.astype(object), FLOATS),
    "list": (FLOATS.tolist(), FLOATS),
    "tuple": (tuple(FLOATS.tolist()), FLOATS),
    "list of integers": (BITS16.tolist(), FLOATS),
    "bytes": (BITS16.astype("<i2").tobytes(), FLOATS),
    "bytearray": (bytearray(BITS16.astype("<i2").tobytes()), FLOATS),
    "memoryview": (memoryview(BITS16.astype("<i2").tobytes()), FLOATS),
    "array of the standard library": (array.array("f", FLOATS), FLOATS),
    "integers of the standard library": (array.array("h", BITS16), FLOATS),
    "tensor": (Tensor(FLOATS), FLOATS),
    "tensor of int32": (Tensor(WIDE, "torch.int32"), FLOATS),
    "tensor of bfloat16": (Tensor(COARSE, "torch.bfloat16"), COARSE),
    "array by DLPack": (Exchange(FLOATS), FLOATS),
    "empty float64": (np.zeros(0), np.zeros(0, np.float32)),
    "empty list": ([], np.zeros(0, np.float32)),
}


@pytest.mark.parametrize("kind", KINDS)
def test_following_the_message_about_a_wrong_type_gives_the_sound(kind: str) -> None:
    samples, right = KINDS[kind]
    made = followed(MEL, samples)
    np.testing.assert_array_equal(MEL(made[0]), MEL(right))


def test_following_the_message_about_a_series_gives_the_sound() -> None:
    pandas = pytest.importorskip("pandas")
    for values in (FLOATS, FLOATS.astype(np.float64), BITS16, WIDE):
        np.testing.assert_array_equal(MEL(followed(MEL, pandas.Series(values))[0]), MEL(FLOATS))


def test_following_the_message_about_a_tensor_of_pytorch_gives_the_sound() -> None:
    torch = pytest.importorskip("torch")
    for tensor in (
        torch.from_numpy(FLOATS),
        torch.from_numpy(FLOATS).requires_grad_(),
        torch.from_numpy(FLOATS).double(),
        torch.from_numpy(WIDE),
        torch.from_numpy(BITS16),
    ):
        np.testing.assert_array_equal(MEL(followed(MEL, tensor)[0]), MEL(FLOATS))


@pytest.mark.parametrize("kind", ["list", "list of integers", "tensor", "tensor of int32", "array by DLPack"])
def test_a_pipeline_says_the_same_of_what_is_no_array(kind: str) -> None:
    samples, right = KINDS[kind]
    pipeline = fa.Pipeline(MEL)
    made = followed(lambda samples: pipeline(samples, sample_rate=16_000), samples)
    rows = pipeline(made[0], sample_rate=16_000)
    np.testing.assert_array_equal(rows, pipeline(right, sample_rate=16_000))


def test_raw_bytes_with_a_rate_are_not_taken_for_a_file() -> None:
    pipeline = fa.Pipeline(MEL)
    raw = BITS16.astype("<i2").tobytes()
    with pytest.raises(ValueError, match=r'; use numpy\.frombuffer\(source, "<i2"\) for raw') as caught:
        pipeline(raw, sample_rate=16_000)
    (code,) = remedies(str(caught.value))
    made = eval(code, {"source": raw, "numpy": np})  # noqa: S307  # our own message
    rows = pipeline(made, sample_rate=16_000)
    np.testing.assert_array_equal(rows, pipeline(FLOATS, sample_rate=16_000))


def test_the_full_scale_of_wide_integers_is_always_said() -> None:
    for samples in (WIDE, BITS16.astype(np.int32), np.zeros(10, np.int32)):
        with pytest.raises(TypeError, match=r"/ 2\*\*31\)\.astype\(\"float32\"\)"):
            MEL(samples)


def test_a_stream_a_live_stream_and_a_pipeline_say_the_same() -> None:
    pipeline = fa.Pipeline(MEL)
    with pytest.raises(TypeError) as of_node:
        MEL(WIDE)
    with pipeline.live(16_000) as live:
        for take in (
            MEL.open().push,
            pipeline.open(sample_rate=16_000).push,
            lambda samples: pipeline(samples, sample_rate=16_000),
            live.push,
        ):
            with pytest.raises(TypeError) as caught:
                take(WIDE)
            assert str(caught.value) == str(of_node.value)


SHAPES: dict[str, tuple[Any, list[np.ndarray]]] = {
    "two channels": (np.stack([FLOATS, 0 * FLOATS], axis=1), [FLOATS, FLOATS / 2]),
    "two channels first": (np.stack([FLOATS, 0 * FLOATS]), [FLOATS, FLOATS / 2]),
    "two channels of int16": (np.stack([BITS16, 0 * BITS16], axis=1), [BITS16, FLOATS / 2]),
    "no axis": (np.array(0.5, np.float32), [np.array([0.5], np.float32)]),
    "a batch": (np.stack([FLOATS, FLOATS])[:, None], [FLOATS]),
    "masked": (np.ma.masked_array(FLOATS, FLOATS > 0.5), [np.where(FLOATS > 0.5, 0, FLOATS)]),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_following_the_message_about_a_wrong_shape_gives_the_sound(shape: str) -> None:
    samples, right = SHAPES[shape]
    made = followed(MEL, samples, ValueError)
    assert len(made) == len(right)
    for one, expected in zip(made, right, strict=True):
        np.testing.assert_allclose(MEL(one), MEL(expected), atol=1e-4)


def test_following_the_message_about_rows_gives_them() -> None:
    log = fa.Log().open(fa.StreamSpec(rate_hz=1, shape=[3], unit="power")).push
    rows = np.random.default_rng(2).random((5, 3)).astype(np.float32)
    for wrong, error in (
        (rows.astype(np.float64), TypeError),
        (rows + 0j, TypeError),
        (rows.tolist(), TypeError),
        (rows.T, ValueError),
        (rows[None], ValueError),
    ):
        np.testing.assert_array_equal(followed(log, wrong, error)[0], rows)
    counts = (rows * 9).astype(np.int32)
    np.testing.assert_array_equal(followed(log, counts)[0], counts)
    (floats,) = followed(log, rows.tobytes())
    np.testing.assert_array_equal(floats, rows.ravel())


def test_a_path_is_for_a_pipeline() -> None:
    with pytest.raises(TypeError, match=r"got str; fastaudio\.Pipeline\(node\) reads files$"):
        MEL("song.wav")


@pytest.mark.parametrize("samples", [None, 3j, {}, [[1.0], [1.0, 2.0]], ["a"], np.array(["a"]), object()])
def test_what_nothing_makes_sound_of_gets_no_wrong_advice(samples: Any) -> None:
    with pytest.raises(TypeError) as caught:
        MEL(samples)
    assert ";" not in str(caught.value)


@pytest.mark.parametrize("axes", [3, 4])
def test_a_batch_in_a_pipeline_gets_advice_that_works(axes: int) -> None:
    pipeline = fa.Pipeline(MEL)
    batch = np.stack([FLOATS, FLOATS])[(None,) * (axes - 2)]  # [1, 2 channels, n] or [1, 1, 2 channels, n]
    for layout in (None, "channels_samples"):
        with pytest.raises(ValueError, match="one signal at a time") as caught:
            pipeline(batch, sample_rate=16_000, layout=layout)
        code = str(caught.value).split("such as ")[1].split(", with")[0]
        one = eval(code, {"samples": batch})  # noqa: S307  # our own message
        rows = pipeline(one, sample_rate=16_000, layout="channels_samples")
        np.testing.assert_array_equal(rows, pipeline(FLOATS, sample_rate=16_000))


def test_unaligned_and_strided_samples_are_samples() -> None:
    raw = np.zeros(1 + FLOATS.nbytes, np.uint8)
    raw[1:] = np.frombuffer(FLOATS.tobytes(), np.uint8)
    unaligned = raw[1:].view(np.float32)
    assert not unaligned.flags.aligned
    wide = np.repeat(FLOATS, 3)
    for samples in (unaligned, wide[::3], FLOATS[::-1][::-1], np.ma.masked_array(FLOATS)):
        np.testing.assert_array_equal(MEL(samples), MEL(FLOATS))


def test_what_is_only_there_or_not_is_no_sound_and_gets_no_remedy() -> None:
    with pytest.raises(TypeError, match=r"got bool \(4,\)$"):
        MEL(np.array([True, False, True, True]))
