"""Computes embeddings that need no training: MusiCNN's layers, and the MFCCs that papers compare with.

Source: Kumar, Wang, Ithapu & Fuegen, Do sound event representations generalize to other audio tasks?, 2021;
    MusiCNN takes the place of its networks
"""

from pathlib import Path

import fastaudio as fa
import numpy as np
import torch
from fastaudio import presets
from instruments import RATE_HZ, read_manifest, read_samples
from torch import Tensor

LAYERS = ("penultimate", "mean_pool", "max_pool", "timbral", "temporal", "cnn3")


def mfcc_statistics() -> fa.Node:
    """Return the node for mean and deviation of 20 MFCCs, their slopes and the slopes' slopes [1, 2, 60].

    It is `presets.mfcc_statistics`, of the notes at its rate.
    """
    return fa.Resample(input_rate=RATE_HZ, output_rate=22_000) >> presets.mfcc_statistics()


def musicnn_layers(model: str = "musicnn-mtt") -> fa.Node:
    """Return the node that gives all layers of MusiCNN for the first two seconds of a sound."""
    mel = fa.MelSpectrogram(sample_rate=16_000, n_fft=512, hop_length=256, n_mels=96, pad_mode="reflect")
    front = mel >> fa.Log(kind="log10", scale=10_000, offset=1) >> fa.Patches(length=126)
    return front >> fa.OnnxModel(str(fa.cards.MODELS / model / "model.onnx"), outputs=list(LAYERS))


def read_layers(folder: Path) -> dict[str, Tensor]:
    """Return each embedding of all notes of a folder [n, d]; a layer with frames is averaged over them."""
    mfcc, net = mfcc_statistics(), musicnn_layers()
    found: dict[str, list[np.ndarray]] = {name: [] for name in ("mfcc", *LAYERS)}
    for row in read_manifest(folder):
        samples = read_samples(folder / row["file"])
        found["mfcc"].append(mfcc(samples).ravel())
        for name, rows in net(samples).items():
            found[name].append(rows.reshape(-1, rows.shape[-1]).mean(axis=0))
    return {name: torch.from_numpy(np.stack(rows)) for name, rows in found.items()}
