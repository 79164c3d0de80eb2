"""Make the small networks in onnx/exporters/, each by another exporter, with ONNX Runtime's own answers.

    python tests/golden/make_exporters.py [NAME ...]

Each function below needs the packages that it imports; those that aren't installed are named and skipped, and
what was made before stays. Weights and rows are drawn from a seed.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

FOLDER = Path(__file__).parent / "onnx" / "exporters"
FRAMES, BANDS = 16, 8
RANDOM = np.random.default_rng(0)
PATCHES = RANDOM.uniform(-1, 1, (5, FRAMES, BANDS)).astype(np.float32)
ROWS = RANDOM.uniform(-1, 1, (5, BANDS)).astype(np.float32)
SOUND = RANDOM.uniform(-1, 1, (3, 1600)).astype(np.float32)


def torch_module() -> Any:
    """Return a small network with a convolution, in PyTorch."""
    import torch

    torch.manual_seed(0)

    class Small(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = torch.nn.Conv1d(BANDS, 6, 3)
            self.head = torch.nn.Linear(6, 3)

        def forward(self, patches: Any) -> Any:
            hidden = torch.relu(self.conv(patches.transpose(1, 2))).mean(dim=2)
            return torch.sigmoid(self.head(hidden))

    return Small().eval()


def torch_script(path: Path) -> Any:
    """Write by PyTorch's older exporter."""
    import torch

    torch.onnx.export(
        torch_module(),
        (torch.from_numpy(PATCHES),),
        path,
        dynamo=False,
        input_names=["patches"],
        output_names=["scores"],
        dynamic_axes={"patches": {0: "n"}, "scores": {0: "n"}},
    )
    return {"patches": PATCHES}


def torch_dynamo(path: Path) -> Any:
    """Write by PyTorch's default exporter, with weights in a file beside."""
    import torch

    n = torch.export.Dim("n")
    torch.onnx.export(torch_module(), (torch.from_numpy(PATCHES),), path, dynamic_shapes=({0: n},))
    return {"patches": PATCHES}


def torch_half(path: Path) -> Any:
    """Write a network of float16 by PyTorch."""
    import torch

    half = PATCHES.astype(np.float16)
    n = torch.export.Dim("n")
    module = torch_module().half()
    torch.onnx.export(module, (torch.from_numpy(half),), path, dynamic_shapes=({0: n},), external_data=False)
    return {"patches": half}


def keras(path: Path) -> Any:
    """Write by Keras."""
    import keras as ks

    ks.utils.set_random_seed(0)
    layers = [ks.layers.Conv1D(6, 3, activation="relu"), ks.layers.GlobalAveragePooling1D()]
    model = ks.Sequential([ks.Input((FRAMES, BANDS)), *layers, ks.layers.Dense(3, activation="softmax")])
    model(PATCHES)
    model.export(path, format="onnx", verbose=False)
    return PATCHES


def tf2onnx_waveform(path: Path) -> Any:
    """Write by tf2onnx a network that takes a waveform of one axis and any length."""
    import tensorflow as tf
    import tf2onnx

    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32, name="waveform")])
    def scores(waveform: Any) -> Any:
        frames = tf.signal.frame(waveform, 400, 160) * 0.5
        return tf.reduce_mean(tf.abs(frames), axis=0)[:6]

    tf2onnx.convert.from_function(scores, scores.input_signature, opset=17, output_path=str(path))
    return [{"waveform": clip} for clip in SOUND]


def skl2onnx_labels(path: Path) -> Any:
    """Write a classifier of scikit-learn by skl2onnx, which gives int64 labels and probabilities."""
    import skl2onnx
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression().fit(ROWS.repeat(4, axis=0), np.arange(20) % 3)
    options = {id(model): {"zipmap": False}}
    path.write_bytes(skl2onnx.to_onnx(model, ROWS[:1], options=options).SerializeToString())
    return ROWS


def skl2onnx_double(path: Path) -> Any:
    """Write a scaler and components of scikit-learn in float64 by skl2onnx."""
    import skl2onnx
    from sklearn.decomposition import PCA
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(StandardScaler(), PCA(3)).fit(ROWS.astype(np.float64))
    path.write_bytes(skl2onnx.to_onnx(model, ROWS[:1].astype(np.float64)).SerializeToString())
    return ROWS.astype(np.float64)


def onnxmltools_trees(path: Path) -> Any:
    """Write trees of LightGBM by onnxmltools."""
    import lightgbm
    import onnxmltools
    from onnxmltools.convert.common.data_types import FloatTensorType

    labels = np.arange(200) % 3
    model = lightgbm.LGBMClassifier(n_estimators=3, verbose=-1, random_state=0).fit(
        RANDOM.uniform(-1, 1, (200, BANDS)), labels
    )
    made = onnxmltools.convert_lightgbm(
        model, initial_types=[("rows", FloatTensorType([None, BANDS]))], zipmap=False, target_opset=15
    )
    path.write_bytes(made.SerializeToString())
    return ROWS


def onnxscript_rate(path: Path) -> Any:
    """Write by onnxscript a network with the sample rate as a further input."""
    global FLOAT, INT64, op  # noqa: PLW0603  # onnxscript looks there
    import onnx
    import onnxscript
    from onnxscript import FLOAT, INT64
    from onnxscript import opset17 as op

    @onnxscript.script()
    def scaled(rows: FLOAT["n", 8], sr: INT64) -> FLOAT["n", 8]:  # noqa: F821, UP037
        return op.Mul(rows, op.Div(op.Cast(sr, to=1), op.Constant(value_float=8000.0)))

    onnx.save(scaled.to_model_proto(), path)
    return {"rows": ROWS, "sr": np.array(16000)}


def onnxruntime_quantized(path: Path) -> Any:
    """Write by ONNX Runtime's quantizer the network of `torch_script` with weights of 8 bits."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    quantize_dynamic(
        FOLDER / "torch_script.onnx",
        path,
        weight_type=QuantType.QUInt8,
        op_types_to_quantize=["MatMul", "Gemm"],
    )
    return PATCHES


MADE = (
    torch_script,
    torch_dynamo,
    torch_half,
    keras,
    tf2onnx_waveform,
    skl2onnx_labels,
    skl2onnx_double,
    onnxmltools_trees,
    onnxscript_rate,
    onnxruntime_quantized,
)


def main() -> None:
    """Make what can be made here."""
    import onnxruntime

    FOLDER.mkdir(exist_ok=True)
    chosen = sys.argv[1:]
    for make in MADE:
        name = make.__name__
        if chosen and name not in chosen:
            continue
        path = FOLDER / f"{name}.onnx"
        try:
            fed = make(path)
        except ImportError as error:
            sys.stdout.write(f"{name:22} skipped: {error}\n")
            continue
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        first, *_ = session.get_inputs()
        feeds = fed if isinstance(fed, list) else [fed]
        runs = [feed if isinstance(feed, dict) else {first.name: feed} for feed in feeds]
        results = [session.run(None, run) for run in runs]
        answers = {
            out.name: np.stack([r[k] for r in results]) if isinstance(fed, list) else results[0][k]
            for k, out in enumerate(session.get_outputs())
        }
        rows = np.stack([run[first.name] for run in runs]) if isinstance(fed, list) else runs[0][first.name]
        np.savez_compressed(
            FOLDER / f"{name}.npz", rows=rows, **{f"out:{key}": value for key, value in answers.items()}
        )
        inputs = [(each.name, each.type, each.shape) for each in session.get_inputs()]
        gave = [(key, value.dtype.name, value.shape) for key, value in answers.items()]
        sys.stdout.write(f"{name:22} {path.stat().st_size:7} bytes {inputs} -> {gave}\n")


if __name__ == "__main__":
    main()
