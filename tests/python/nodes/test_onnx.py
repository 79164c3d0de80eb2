"""OnnxModel: layouts, batches, outputs, open axes, and models it can't run."""

from __future__ import annotations

import os
import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import fastaudio as fa
import numpy as np
import onnx_bytes as ob
import pytest
from fastaudio import _core
from helpers import ONNX, WEIGHTS, assert_same_bits, in_chunks
from hypothesis import given
from hypothesis import strategies as st
from onnx_files import BANDS, FRAMES, model, rows_of

# Each has a name, a layout, and the order of a row's axes in the weights that the network holds.
LAYOUTS = [
    ("ntf", "", (0, 1)),
    ("ntf", "ntf", (0, 1)),
    ("nft", "nft", (1, 0)),
    ("n1tf", "n1tf", (0, 1)),
    ("ntf1", "ntf1", (0, 1)),
    ("batch4", "", (0, 1)),
]


@pytest.mark.parametrize(("name", "layout", "order"), LAYOUTS)
@pytest.mark.parametrize("batch", [1, 3, 4])
@given(n=st.integers(0, 11), cuts=st.lists(st.integers(0, 11), max_size=4))
def test_every_layout_and_batch_gives_the_sums_in_any_chunks(
    *, name: str, layout: str, order: tuple[int, int], batch: int, n: int, cuts: list[int]
) -> None:
    node, rows = model(name, layout=layout, batch=batch), rows_of(n)
    turned = rows.transpose(0, *(axis + 1 for axis in order)).reshape(n, FRAMES * BANDS)
    want = turned.astype(np.float64) @ np.arange(1, 1 + FRAMES * BANDS)
    got = node(rows)
    assert got.shape == (n, 1)
    np.testing.assert_allclose(got[:, 0], want, rtol=0, atol=1e-4)
    assert_same_bits({"": got}, in_chunks(node, rows, cuts))


def test_a_batch_never_waits_to_be_filled() -> None:
    for node in (model("ntf", batch=3), model("batch4")):
        stream = node.open()
        assert len(stream.push(rows_of(1))) == 1
        assert len(stream.push(rows_of(2))) == 2
        assert len(stream.flush()) == 0


def test_the_batch_of_the_shipped_model_does_not_change_scores() -> None:
    patches = np.random.default_rng(0).uniform(0, 4, (5, 187, 96)).astype(np.float32)
    want = fa.OnnxModel(str(WEIGHTS))(patches)
    for batch in (2, 5, 8):
        got = fa.OnnxModel(str(WEIGHTS), batch=batch)(patches)
        assert np.abs(got - want).max() < 1e-5


def test_several_outputs_come_by_name_with_open_axes_and_none() -> None:
    node = model("outputs", outputs=["triple", "peak", "double"], units=["a", "b", "c"])
    rows = rows_of(5)
    got = node(rows)
    assert list(got) == ["triple", "peak", "double"]
    assert np.array_equal(got["triple"], rows * 3)
    assert np.array_equal(got["double"], rows * 2)
    assert np.array_equal(got["peak"], rows.max(axis=(1, 2)))
    specs = node.output_specs(fa.StreamSpec(rate_hz=2, shape=[7, BANDS]))
    assert specs["triple"].shape == (7, BANDS)
    assert specs["peak"].shape == ()
    assert [spec.unit for spec in specs.values()] == ["a", "b", "c"]


def test_one_output_is_chosen_by_name_and_keeps_its_unit() -> None:
    node = model("outputs", outputs=["triple", "peak"], units=["a", "b"])
    (spec,) = node["peak"].output_specs(fa.StreamSpec(rate_hz=2, shape=[7, BANDS])).values()
    assert spec.unit == "b"
    assert np.array_equal(node["double"](rows_of(2)), rows_of(2) * 2)
    assert node.available_outputs == ["double", "triple", "peak"]
    assert model("outputs").open().push(rows_of(1)).shape == (1, FRAMES, BANDS)


def test_an_open_axis_takes_any_length() -> None:
    node = model("outputs", outputs=["double"])
    for length in (1, 5, 300):
        rows = np.ones((2, length, BANDS), dtype=np.float32)
        assert np.array_equal(node(rows), rows * 2)


def test_names_with_odd_characters_work() -> None:
    rows = np.ones((3, BANDS), dtype=np.float32)
    assert np.array_equal(model("odd_names", outputs=["y/out:0"])(rows), rows)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        (
            "two_inputs",
            {},
            r"expected one input for the rows, got 'x' float32 .*, 'z' float32 .*; give the others",
        ),
        ("outputs", {"outputs": ["nope"]}, r"expected outputs among .*, got 'nope'"),
        ("ntf", {"providers": ["NopeExecutionProvider"]}, r"expected a provider among .*, got 'Nope"),
        ("ntf", {"providers": ["CUDAExecutionProvider"]}, r"CUDA"),
    ],
)
def test_a_model_that_cannot_run_as_asked_is_refused_when_made(
    name: str, options: dict[str, Any], message: str
) -> None:
    if "CUDAExecutionProvider" in _core.onnxruntime_info()["providers"]:
        options = {"providers": ["NopeExecutionProvider"]} if "providers" in options else options
        message = message.replace("CUDA", "Nope")
    with pytest.raises(fa.ModelError, match=rf"^OnnxModel\('.*{name}\.onnx'\): .*{message}"):
        model(name, **options)


def test_a_provider_that_is_active_is_accepted() -> None:
    rows = rows_of(2)
    cpu = model("ntf", providers=["CPUExecutionProvider"])
    assert np.array_equal(cpu(rows), model("ntf")(rows))


def test_a_provider_takes_options_and_those_of_the_cpu_are_none() -> None:
    rows = rows_of(2)
    active = _core.onnxruntime_info()["providers"]
    if "AzureExecutionProvider" in active:
        both = [("AzureExecutionProvider", {"any": "1"}), "CPUExecutionProvider"]
        net = model("ntf", providers=both)
        assert np.array_equal(net(rows), model("ntf")(rows))
        assert net.providers == both
        assert pickle.loads(pickle.dumps(net)) == net  # noqa: S301
    with pytest.raises(
        fa.ModelError, match=r"expected no options for CPUExecutionProvider, got \{'a': 'b'\}"
    ):
        model("ntf", providers=[("CPUExecutionProvider", {"a": "b"})])
    for name in ("CUDA", "CoreML", "OpenVINO", "Dml", "Xnnpack"):
        if (provider := f"{name}ExecutionProvider") not in active:
            with pytest.raises(
                fa.ModelError, match=rf"expected a provider among .*, got '{provider}'; install"
            ):
                model("ntf", providers=[(provider, {"device_id": "0"})])
    with pytest.raises(TypeError, match=r"expected providers as list"):
        model("ntf", providers=[("CPUExecutionProvider", {"a": 1})])


def test_units_are_one_for_each_output() -> None:
    with pytest.raises(ValueError, match=r"expected a unit for each of 1 outputs, got \['a', 'b'\]"):
        model("ntf", units=["a", "b"])


@pytest.mark.parametrize(
    ("name", "layout", "shape"),
    [
        ("ntf", "", (FRAMES, BANDS + 1)),
        ("ntf", "", (FRAMES,)),
        ("ntf", "", (FRAMES, BANDS, 1)),
        ("ntf", "nft", (FRAMES, BANDS)),
        ("ntf", "ntt", (FRAMES, BANDS)),
        ("ntf", "tnf", (FRAMES, BANDS)),
        ("ntf", "nnn", (FRAMES, BANDS)),
        ("ntf", "xyz", (FRAMES, BANDS)),
        ("n1tf", "", (FRAMES, BANDS)),
        ("n1tf", "1ntf", (FRAMES, BANDS)),
    ],
)
def test_rows_or_layouts_that_do_not_fit_are_refused_with_both_shapes(
    name: str, layout: str, shape: tuple[int, ...]
) -> None:
    message = rf"{name}\.onnx'\): expected rows that fit its input \[.*\], got rows \[.*\]"
    with pytest.raises(fa.ModelError, match=message):
        model(name, layout=layout)(np.zeros((2, *shape), dtype=np.float32))


@pytest.mark.parametrize(
    ("axes", "row"),
    [((4096, "a"), [1 << 20]), (("n", "a"), [1 << 20]), (("n", "a", "b", "c"), [1 << 9] * 3)],
)
def test_a_run_that_would_take_gigabytes_is_refused_before_it_does(
    tmp_path: Path, axes: tuple[int | str, ...], row: list[int]
) -> None:
    path = tmp_path / "net.onnx"
    negative = ob.graph([ob.node("Neg", ["x"], ["y"])], [ob.info("x", axes)], [ob.info("y", axes)])
    path.write_bytes(ob.model(negative))
    net = fa.OnnxModel(path, batch=4096)
    with pytest.raises(fa.ModelError, match=r"at most 2\*\*28 values \(1 GiB\) in a run's input, got shape"):
        net.output_specs(fa.StreamSpec(rate_hz=1, shape=row))


@pytest.mark.parametrize("name", ["double_input", "double_output"])
def test_a_network_of_float64_runs(name: str) -> None:
    rows = rows_of(3)
    assert model(name)(rows[:, 0]).dtype == np.float32


def test_an_output_without_a_row_for_each_input_row_is_refused() -> None:
    with pytest.raises(fa.ModelError, match=r"expected output 'y' with one row for each input row"):
        model("no_rows", batch=2)(np.zeros((4, BANDS), dtype=np.float32))


@pytest.mark.parametrize("content", [b"", b"not a model", None])
def test_a_file_that_is_no_model_is_a_model_error(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "broken.onnx"
    path.write_bytes(WEIGHTS.read_bytes()[:100_000] if content is None else content)
    with pytest.raises(fa.ModelError, match=r"^OnnxModel\('.*broken\.onnx'\): "):
        fa.OnnxModel(str(path))


def test_a_missing_file_or_folder_is_a_model_error(tmp_path: Path) -> None:
    for path in (tmp_path / "missing.onnx", tmp_path):
        with pytest.raises(fa.ModelError, match=r": expected a (readable )?file, got "):
            fa.OnnxModel(str(path))


def test_what_cannot_be_a_network_is_refused_before_it_is_read(tmp_path: Path) -> None:
    huge = tmp_path / "huge.onnx"
    with huge.open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(fa.ModelError, match=r"expected at most 2147483647 bytes, got 1099511627776; "):
        fa.OnnxModel(huge)
    places = [Path("/dev/zero"), tmp_path / "pipe"]
    if hasattr(os, "mkfifo"):
        os.mkfifo(places[1])
    for place in filter(Path.exists, places):
        with pytest.raises(fa.ModelError, match=r"expected a file, got a device or a pipe; give the \.onnx"):
            fa.OnnxModel(place)  # or hangs


def test_the_hash_is_verified() -> None:
    with pytest.raises(fa.ModelError, match=r": expected sha256 00, got [0-9a-f]{64}; "):
        fa.OnnxModel(str(WEIGHTS), sha256="00")


@pytest.mark.parametrize("threads", [2, 3])
def test_threads_give_equal_numbers_in_any_chunks_and_keep_none_back(threads: int) -> None:
    patches = np.random.default_rng(0).uniform(0, 4, (7, 187, 96)).astype(np.float32)
    one = fa.OnnxModel(str(WEIGHTS), threads=1)(patches)
    node = fa.OnnxModel(str(WEIGHTS), threads=threads)
    assert np.abs(node(patches) - one).max() < 1e-5
    assert np.abs(in_chunks(node, patches, [1, 1, 3, 6])[""] - one).max() < 1e-5
    stream = node.open()
    assert [len(stream.push(patches[i : i + n])) for i, n in ((0, 1), (1, 4), (5, 0), (5, 2))] == [
        1,
        4,
        0,
        2,
    ]


def test_streams_with_threads_are_dropped_at_any_time() -> None:
    node = fa.OnnxModel(str(WEIGHTS), threads=2)
    for n in (0, 1, 3):
        stream = node.open()
        stream.push(np.zeros((n, 187, 96), dtype=np.float32))
        del stream


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_threads_and_batches_together_give_the_sums(threads: int) -> None:
    rows = rows_of(50)
    want = model("ntf")(rows)
    for name, batch in (("ntf", 1), ("ntf", 3), ("batch4", 1)):
        node = model(name, batch=batch, threads=threads)
        assert np.array_equal(node(rows), want)
        assert_same_bits({"": want}, in_chunks(node, rows, [2, 3, 3, 17, 40]))


def test_one_session_serves_many_threads(net: fa.OnnxModel) -> None:
    patches = np.random.default_rng(0).uniform(0, 4, (2, 187, 96)).astype(np.float32)
    want = net(patches)
    with ThreadPoolExecutor(4) as pool:
        for got in pool.map(net, [patches] * 8):
            assert np.abs(got - want).max() < 1e-5


def test_pickle_keeps_the_output_chosen() -> None:
    node = model("outputs", outputs=["triple", "peak"])["peak"]
    again = pickle.loads(pickle.dumps(node))  # noqa: S301
    assert np.array_equal(again(rows_of(3)), node(rows_of(3)))


def test_the_runtime_says_what_it_is() -> None:
    info = _core.onnxruntime_info()
    assert info["version"].count(".") >= 1
    assert "onnxruntime" in info["library"]
    assert "CPUExecutionProvider" in info["providers"]


def test_onnx_runtime_itself_says_nothing_on_stderr(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "unknown.onnx"
    rows = ob.info("x", ("n", BANDS))
    path.write_bytes(
        ob.model(ob.graph([ob.node("No\x1b[31mSuch", ["x"], ["y"])], [rows], [ob.info("y", ("n",))]))
    )
    with pytest.raises(fa.ModelError, match=r": expected a network that ONNX Runtime loads, got: ") as caught:
        fa.OnnxModel(path)
    assert "\x1b" not in str(caught.value)
    picky = model("picky")
    with pytest.raises(fa.ModelError, match=r": expected a network that runs on these rows, got: ") as caught:
        picky(np.full((1, BANDS), 100, np.float32))
    assert not set(str(caught.value)) & {"\x1b", "\n"}
    assert capfd.readouterr() == ("", "")


def test_a_path_may_be_an_object(tmp_path: Path) -> None:
    path = ONNX / "ntf.onnx"
    node = fa.OnnxModel(path)
    assert node == fa.OnnxModel(str(path))
    assert node.path == str(path)
    assert fa.OnnxModel(path=path) == node
    with pytest.raises(
        TypeError, match=r"expected path as str .*, got b'.*; write the bytes to a file, and give its"
    ):
        fa.OnnxModel(path.read_bytes())  # type: ignore[arg-type]
    written = tmp_path / "net.onnx"
    written.write_bytes(path.read_bytes())
    assert fa.OnnxModel(written).available_outputs == node.available_outputs


def test_names_that_are_not_utf8_are_told_as_well_as_can_be(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    names = ["x", "y~~", "z~~"]
    axes = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["n", 4]) for name in names]
    nodes = [onnx.helper.make_node("Identity", ["x"], [name]) for name in names[1:]]
    graph = onnx.helper.make_graph(nodes, "g", axes[:1], axes[1:])
    network = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 13)], ir_version=8)
    path = tmp_path / "net.onnx"
    path.write_bytes(network.SerializeToString().replace(b"~~", b"\xff\xfe"))
    with pytest.raises(fa.ModelError, match=r"expected outputs among \['y\ufffd+', 'z\ufffd+'\], got 'y1'"):
        fa.OnnxModel(path, outputs=["y1"])
    assert fa.OnnxModel(path).available_outputs == ["y\ufffd\ufffd", "z\ufffd\ufffd"]
    rows = np.ones((2, 4), np.float32)
    assert np.array_equal(fa.OnnxModel(path)(rows), rows)
