"""Holds the peers that run networks, each in its own way and on one thread."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import fastaudio as fa
import numpy as np
import onnxruntime
from fastaudio.cards import MODELS
from harness import optional

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench_end_to_end import BareRuntime
    from numpy.typing import NDArray

    Samples = NDArray[np.float32]
    Call = Callable[[], Any]

RATE = 16_000
_BLOCK = 1280  # 80 ms, the step of openWakeWord's networks
_WORD = "hey_jarvis_v0.1"
_NETWORKS = ("melspectrogram", "embedding_model", _WORD)


def with_openvino(patches: Samples) -> Call | None:
    """Return a run of OpenVINO over patches, one at a time, as bare ONNX Runtime does it."""
    openvino = optional("openvino")
    if openvino is None:
        return None
    core = openvino.Core()
    network = core.read_model(MODELS / "musicnn-mtt" / "model.onnx")
    network.reshape([1, *patches.shape[1:]])  # it is faster where it knows the shape
    how = {"INFERENCE_NUM_THREADS": 1, "INFERENCE_PRECISION_HINT": "f32"}
    request = core.compile_model(network, "CPU", how).create_infer_request()
    return lambda: np.concatenate([request.infer([patch[None]])["taggram"].copy() for patch in patches])


def tags_with_essentia(path: Path, runtime: BareRuntime) -> Call | None:
    """Return Essentia's decoder and front end before ONNX Runtime: its own networks want TensorFlow."""
    standard = optional("essentia.standard")
    if standard is None:
        return None
    front = standard.TensorflowInputMusiCNN()

    def tag() -> Any:
        samples = standard.MonoLoader(filename=str(path), sampleRate=RATE, resampleQuality=4)()
        frames = standard.FrameGenerator(samples, frameSize=512, hopSize=256)
        rows = np.array([front(frame) for frame in frames])
        return runtime(rows[: len(rows) // 187 * 187].reshape(-1, 187, 96))

    return tag


def with_silero(samples: Samples, *, onnx: bool) -> Call | None:
    """Return silero-vad's own function over a clip, with its ONNX network or that of TorchScript."""
    silero, torch = optional("silero_vad"), optional("torch")
    if silero is None or torch is None:
        return None
    model = silero.load_silero_vad(onnx=onnx)
    torch.set_num_threads(1)
    tensor = torch.from_numpy(samples)
    return lambda: silero.get_speech_timestamps(tensor, model, sampling_rate=RATE)


def wake_word_folder(asked: Path | None) -> Path | None:
    """Return the folder with openWakeWord's networks: that asked for, or its own if they were fetched."""
    found = optional("openwakeword")
    if asked is None and found is not None:
        asked = Path(str(found.__file__)).parent / "resources" / "models"
    there = asked is not None and all((asked / f"{name}.onnx").is_file() for name in _NETWORKS)
    return asked if there else None


def blocks_of(samples: Samples) -> list[NDArray[np.int16]]:
    """Return sound as openWakeWord takes it: int16, 80 ms at a time."""
    whole = np.clip(np.round(samples * 32_768), -32_768, 32_767).astype(np.int16)
    cuts = range(0, len(whole) + 1, _BLOCK)
    return [whole[start:end] for start, end in pairwise(cuts)]


def with_openwakeword(folder: Path, blocks: list[NDArray[np.int16]]) -> Call | None:
    """Return openWakeWord's loop over blocks of 80 ms."""
    openwakeword = optional("openwakeword")
    if openwakeword is None:
        return None
    mel, embedding, word = (str(folder / f"{name}.onnx") for name in _NETWORKS)
    model = openwakeword.Model(
        wakeword_models=[word], inference_framework="onnx",
        melspec_model_path=mel, embedding_model_path=embedding,
    )  # fmt: skip
    return lambda: np.array([model.predict(block)[_WORD] for block in blocks])


def wake_word_with_fastaudio(folder: Path, blocks: list[NDArray[np.int16]]) -> Call:
    """Return the same three networks as a stream of fastaudio's."""
    mel, embedding, word = (folder / f"{name}.onnx" for name in _NETWORKS)
    pipeline = fa.Pipeline(
        fa.Resample(input_rate=RATE, output_rate=RATE)  # says the rate
        >> fa.Standardize(mean=0, std=1 / 32_768)  # the networks take int16's range
        >> fa.Patches(length=_BLOCK, context=480)
        >> fa.OnnxModel(mel, layout="nt")
        >> fa.Unroll()  # an axis of one
        >> fa.Unroll()  # rows of 10 ms
        >> fa.Standardize(mean=-20, std=10)
        >> fa.Patches(length=8, context=68)
        >> fa.OnnxModel(embedding, layout="ntf1")
        >> fa.Unroll()
        >> fa.Unroll()
        >> fa.Patches(length=1, context=15)
        >> fa.OnnxModel(word)
    )

    stream = pipeline.open(sample_rate=RATE)
    return lambda: np.concatenate([stream.push(block) for block in blocks])


def wake_word_networks(folder: Path, n_blocks: int) -> Call:
    """Return the least that both need: a run of each network for each block."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    shapes = ((1, _BLOCK + 480), (1, 76, 32, 1), (1, 16, 96))
    runs = []
    for name, shape in zip(_NETWORKS, shapes, strict=True):
        session = onnxruntime.InferenceSession(folder / f"{name}.onnx", options, ["CPUExecutionProvider"])
        rows = np.random.default_rng(1).standard_normal(shape).astype(np.float32)
        runs.append((session, {session.get_inputs()[0].name: rows}))

    def run() -> None:
        for _ in range(n_blocks):
            for session, rows in runs:
                session.run(None, rows)

    return run
