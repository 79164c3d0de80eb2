"""Makes small pipelines to pack, and packed files by hand."""

from __future__ import annotations

import hashlib
from typing import Any

import fastaudio as fa
from fastaudio.cards import packed_file as packed
from helpers import ONNX

MEL = fa.MelSpectrogram(sample_rate=16_000, n_fft=512, n_mels=3)


def network(name: str, **options: Any) -> fa.OnnxModel:
    """Return one of the small networks."""
    return fa.OnnxModel(str(ONNX / f"{name}.onnx"), **options)


def small() -> fa.Pipeline:
    """Return a small pipeline with one network."""
    net = network("nft", layout="nft")
    return fa.Pipeline(MEL >> fa.Patches(length=4) >> net >> fa.Tags(["loudness"]))


def double() -> fa.Pipeline:
    """Return a pipeline with two networks, one of them in two places."""
    patches = MEL >> fa.Patches(length=4)
    branches = [network("nft", layout="nft"), network("n1tf", layout="n1tf"), network("nft", layout="nft")]
    return fa.Pipeline(patches >> fa.Concat(*branches) >> fa.Tags(["a", "b", "c"]))


def sealed(network_bytes: bytes, *entries: bytes, length: int | None = None) -> bytes:
    """Return a packed file made by hand; its seal holds, whatever is in it."""
    tail = b"".join(entries)
    unsealed = packed._seal(len(network_bytes) if length is None else length, packed._NO_HASH)[:-64]
    start = len(network_bytes) if length is None else length
    sha256 = hashlib.sha256((network_bytes + tail)[start:] + unsealed).hexdigest()
    return network_bytes + tail + unsealed + sha256.encode()


def entry(key: str, value: bytes) -> bytes:
    return packed.entry(key, value)
