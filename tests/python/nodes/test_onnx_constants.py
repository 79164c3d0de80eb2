"""OnnxModel: what a constant input may be, to the ends of its type, and what is said of another."""

from __future__ import annotations

import json
import pickle
import re
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import pytest

if TYPE_CHECKING:
    from pathlib import Path

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
from network_forms import ROWS, cast, node, save, scaled, tensor


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("uint64", 2**64 - 1),
        ("uint64", 2**63),
        ("int64", 2**63 - 1),
        ("int64", -(2**63)),
        ("uint32", 2**32 - 1),
        ("int32", -(2**31)),
        ("uint16", 2**16 - 1),
        ("int8", -128),
        ("bool", False),
        ("bool", 1),
        ("bool", 1.0),
        ("float64", 2**70),
        ("float32", 10**30),
        ("float32", True),
        ("int64", np.int16(-3)),
        ("uint64", np.uint64(2**64 - 1)),
        ("bool", np.bool_(1)),
        ("float64", np.longdouble(0.5)),
        ("float64", Fraction(1, 4)),
    ],
)
def test_a_constant_reaches_the_ends_of_its_type_exactly(tmp_path: Path, kind: str, value: Any) -> None:
    wide = "float64" if kind.startswith("float") else "int64"  # of as many bits, and compared in each runtime
    path = save(
        tmp_path / "net.onnx",
        [
            cast("by", "wide", wide),
            node("Equal", ["wide", "w"], ["same"]),
            cast("same", "f", "float32"),
            node("Mul", ["x", "f"], ["y"]),
        ],
        [tensor("x", "float32", ("n", 3)), tensor("by", kind, ())],
        [tensor("y", "float32", ("n", 3))],
        w=np.array(value, kind).astype(wide),
    )
    net = fa.OnnxModel(path, inputs={"by": value})
    assert np.array_equal(net(ROWS), ROWS)
    assert pickle.loads(pickle.dumps(net)) == net  # noqa: S301
    assert eval(repr(net), {"OnnxModel": fa.OnnxModel}) == net  # noqa: S307
    kept = json.loads(json.dumps(net.to_dict()["inputs"]))
    assert fa.OnnxModel(path, inputs=kept) == net


@pytest.mark.parametrize(
    "value", [[np.float32(1), np.int16(2), 3], (1, 2, 3), [np.asarray(1), 2.0, 3], np.array([1, 2, 3], "<u2")]
)
def test_a_list_may_hold_numbers_of_numpy(tmp_path: Path, value: Any) -> None:
    net = fa.OnnxModel(scaled(tmp_path / "net.onnx", "float32", (3,)), inputs={"by": value})
    assert np.array_equal(net(ROWS), ROWS * np.float32([1, 2, 3]))


@pytest.mark.parametrize(
    ("kind", "value", "got", "holds"),
    [
        ("uint64", 2**64, "18446744073709551616.0", "a whole number from 0 to 18446744073709551615"),
        ("uint64", -1, "-1", "a whole number from 0 to 18446744073709551615"),
        ("int64", 2**63, "9223372036854775808", "a whole number from -9223372036854775808 to 92233720368547"),
        ("int64", 2**70, "1180591620717411303424.0", "a whole number from -9223372036854775808"),
        ("int64", -(2**63) - 1, "-9223372036854777856.0", "a whole number from -9223372036854775808"),
        ("int64", -(2**64), "-18446744073709551616.0", "a whole number from -9223372036854775808"),
        ("int32", 2**31, "2147483648", "a whole number from -2147483648 to 2147483647"),
        ("uint8", 256, "256", "a whole number from 0 to 255"),
        ("int8", 0.5, "0.5", "a whole number from -128 to 127"),
        ("bool", 2, "2", "True or False"),
        ("bool", -1, "-1", "True or False"),
        ("float16", 65520, "65520", "a finite number up to 65504"),
        ("float32", 1e39, "1e+39", "a finite number up to 3.4e38"),
        ("float64", float("inf"), "inf", "a finite number"),
        ("float32", float("nan"), "nan", "a finite number"),
        ("int16", float("nan"), "nan", "a whole number from -32768 to 32767"),
    ],
)
def test_what_a_type_cannot_hold_is_refused_by_name_type_and_range(
    tmp_path: Path, kind: str, value: float, got: str, holds: str
) -> None:
    what = rf"expected {kind} \[\] for input 'by', got {re.escape(got)}, which that type can't hold"
    message = f"{what}; give {holds}"
    with pytest.raises(fa.ModelError, match=message):
        fa.OnnxModel(scaled(tmp_path / "net.onnx", kind), inputs={"by": value})


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("16000", r"as a number, or lists of numbers, got '16000' \(str\)"),
        (None, r"as a number, or lists of numbers, got None \(NoneType\)"),
        ({"a": 1}, r"as a number, or lists of numbers, got \{'a': 1\} \(dict\)"),
        (1j, r"as a number, or lists of numbers, got 1j \(complex\)"),
        (b"1", r"as a number, or lists of numbers, got b'1' \(bytes\)"),
        ([1, "2"], r"as a number, or lists of numbers, got '2' \(str\)"),
        (np.array(["a"]), r"as a number, or lists of numbers, got 'a' \(str\)"),
        (np.array("2020-01-01", "datetime64[D]"), r"as a number, or lists of numbers, got datetime"),
    ],
)
def test_a_constant_of_another_kind_is_a_type_error_of_its_input(
    tmp_path: Path, value: Any, message: str
) -> None:
    with pytest.raises(TypeError, match=rf"^OnnxModel: expected inputs\['by'\] {message}"):
        fa.OnnxModel(scaled(tmp_path / "net.onnx", "int64"), inputs={"other": 1, "by": value})
    with pytest.raises(TypeError, match=r"^OnnxModel: expected the names in inputs as str, got 3 \(int\)"):
        fa.OnnxModel(scaled(tmp_path / "net.onnx", "int64"), inputs={3: 1})


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([[1, 2], [3]], "as lists with equally many items in each, got lists of 2 and of 1"),
        ([1, [2]], "as lists of one depth, got a list beside a number"),
        ([[1], 2], "as lists of one depth, got a number beside a list"),
        ([], "of at least one number, got an empty list"),
        ([[]], "of at least one number, got an empty list"),
        ([[[[[[[[[1]]]]]]]]], "of at most 8 axes, got more"),
        (np.zeros(2**20 + 1), r"of at most 2\*\*20 numbers, got more"),
        (10**400, "within float64, got a larger number"),
    ],
)
def test_lists_that_are_no_array_are_a_value_error_of_their_input(
    tmp_path: Path, value: Any, message: str
) -> None:
    with pytest.raises(ValueError, match=rf"^OnnxModel: expected inputs\['by'\] {message}"):
        fa.OnnxModel(scaled(tmp_path / "net.onnx", "int64"), inputs={"by": value})
