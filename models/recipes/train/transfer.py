"""Embeddings that need no training here: MusiCNN's layers, and the MFCCs that every paper compares with.

    python models/recipes/train/transfer.py ../shared/instruments

prints how well a linear classifier on each names the family of notes by programs it never heard.
"""

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import fastaudio as fa
import numpy as np
import torch
from instruments import Notes, read_samples
from linear import classify
from torch import Tensor

LAYERS = ("penultimate", "mean_pool", "max_pool", "timbral", "temporal", "cnn1", "cnn2", "cnn3")
FRACTIONS, SEEDS = (0.1, 0.3, 1.0), (0, 1, 2)


def mfcc_statistics() -> fa.Node:
    """Return the node that gives mean and deviation of 20 MFCCs, their slopes and the slopes' slopes [1, 2, 60].

    Source: Favory et al., section 3.1, "MFCCs"
    """
    mel = fa.MelSpectrogram(sample_rate=16_000, n_fft=1024, hop_length=512, n_mels=96)
    mfcc = fa.MFCC(n_mfcc=20)
    slopes = (mfcc >> fa.Delta(order=order) for order in (1, 2))
    return mel >> fa.Log(kind="dB") >> fa.Concat(mfcc, *slopes) >> fa.Statistics()


def musicnn_layers(model: str = "musicnn-mtt") -> fa.Node:
    """Return the node that gives all layers of MusiCNN for the first two seconds of a sound."""
    mel = fa.MelSpectrogram(sample_rate=16_000, n_fft=512, hop_length=256, n_mels=96, pad_mode="reflect")
    front = mel >> fa.Log(kind="log10", scale=10_000, offset=1) >> fa.Patches(length=126)
    return front >> fa.OnnxModel(str(fa.cards.MODELS / model / "model.onnx"), outputs=list(LAYERS))


def embed(folder: Path, files: Sequence[str]) -> dict[str, Tensor]:
    """Return each embedding of all files [n, d]; a layer with frames is averaged over them."""
    mfcc, net = mfcc_statistics(), musicnn_layers()
    found: dict[str, list[np.ndarray]] = {name: [] for name in ("mfcc", *LAYERS)}
    for file in files:
        samples = read_samples(folder / file)
        found["mfcc"].append(mfcc(samples).ravel())
        for name, rows in net(samples).items():
            found[name].append(rows[0].mean(axis=0) if rows.ndim == 3 else rows[0])  # noqa: PLR2004
    return {name: torch.from_numpy(np.stack(rows)) for name, rows in found.items()}
