"""Turns tags into vectors, the text side of contextual tag embeddings, to make a bank for `Similarity`.

    python models/recipes/papers/tag_encoder.py --model tag_encoder.onnx --vocabulary id2token.json dog rain

prints how similar sets of tags are to one another. `OnnxModel` takes float32 rows of a stream, and ids are
neither. So the encoder runs here, in ONNX Runtime's Python interface, and its vectors go into the pipeline.
"""

import argparse
import json
import os
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

import onnxruntime  # type: ignore[import-not-found,import-untyped,unused-ignore]

Ids = NDArray[np.int64]
Vectors = NDArray[np.float32]

LONGEST = 10
"""Number of tags in a set; id 0 fills up shorter sets."""

INPUT, OUTPUT = "tag_ids", "tag_embedding"
OPSET = 17


class TagEncoder(nn.Module):
    """One vector for a set of tags; parts have the authors' names, so that their weights load.

    Input:  ids [n, 10], 1 to `words`, 0 for none
    Output: vectors [n, size]

    `heads` of self-attention are 1 or 4 in the paper; 0 means its plain mean. As in the original each head is
    as wide as the whole, nothing is added back, and the sum counts empty places, each the mean of the values.

    Source: Favory, Drossos, Virtanen & Serra, ICASSP 2021; xavierfav/ae-w2v-attention
    """

    def __init__(self, words: int = 1000, size: int = 128, heads: int = 4) -> None:
        super().__init__()
        self.size, self.heads = size, heads
        # These come from word2vec and aren't trained further.
        self.embeddings = nn.Embedding(words + 1, size, padding_idx=0).requires_grad_(requires_grad=False)
        if heads:
            self.w_qs = nn.Linear(size, heads * size, bias=False)
            self.w_ks = nn.Linear(size, heads * size, bias=False)
            self.w_vs = nn.Linear(size, heads * size, bias=False)
        self.fc = nn.Linear(max(heads, 1) * size, size, bias=False)
        self.dropout = nn.Dropout(0.1)
        self.layer_norm = nn.LayerNorm(size, eps=1e-6)

    def forward(self, tag_ids: Tensor) -> Tensor:
        """Return vectors of sets; the order of tags doesn't matter."""
        there = tag_ids != 0
        words = self.embeddings(tag_ids)
        if self.heads:
            summed = self.dropout(self.fc(self.attend(words, there))).sum(dim=1)
        else:
            number = there.sum(dim=1, keepdim=True).clamp(min=1)
            summed = self.dropout(self.fc(words).sum(dim=1) / number)
        vectors: Tensor = self.layer_norm(summed)
        return vectors

    def attend(self, words: Tensor, there: Tensor) -> Tensor:
        """Return for each place, with each head, the values of the words it looks at: [n, 10, heads size]."""
        q, k, v = (
            part(words).unflatten(2, (self.heads, self.size)).transpose(1, 2)
            for part in (self.w_qs, self.w_ks, self.w_vs)
        )
        likeness = (q / self.size**0.5) @ k.transpose(2, 3)
        likeness = likeness.masked_fill(~there[:, None, None], -1e9)
        values: Tensor = likeness.softmax(dim=3) @ v
        return values.transpose(1, 2).flatten(2)


def untrained(encoder: TagEncoder) -> TagEncoder:
    """Fill an encoder with random weights, the same each time."""
    torch.manual_seed(0)
    for name, weights in encoder.named_parameters():
        if not name.startswith("layer_norm"):
            nn.init.normal_(weights, std=weights.shape[1] ** -0.5)
    with torch.no_grad():
        encoder.embeddings.weight[0] = 0
    return encoder.eval()


def write_encoder(encoder: TagEncoder, path: Path) -> None:
    """Write an encoder as ONNX that takes ids of any number of sets and gives vectors."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the older exporter is deprecated, but its graph is the plainer one
        torch.onnx.export(
            encoder.eval(),
            (torch.ones(1, LONGEST, dtype=torch.int64),),
            path,
            dynamo=False,
            opset_version=OPSET,
            input_names=[INPUT],
            output_names=[OUTPUT],
            dynamic_axes={INPUT: {0: "n"}, OUTPUT: {0: "n"}},
        )
    onnx.checker.check_model(onnx.load(path), full_check=True)


def open_encoder(path: Path) -> Callable[[Ids], Vectors]:
    """Open an exported encoder."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return lambda ids: session.run([OUTPUT], {INPUT: ids})[0]


def embed_words(
    encoder: TagEncoder | Callable[[Ids], Vectors],
    vocabulary: Mapping[str, int],
    sets: Sequence[Sequence[str]],
) -> Vectors:
    """Return a vector for each set of words; an unknown word is an error.

    Raises:
        ValueError: a set that is empty, too long, or has a word that the encoder never saw.
    """
    ids = np.zeros((len(sets), LONGEST), np.int64)
    for row, words in zip(ids, sets, strict=True):
        unknown = [word for word in words if word not in vocabulary]
        if unknown:
            raise ValueError(f"tags: expected words of the vocabulary, got {', '.join(unknown)}")
        if not 1 <= len(words) <= LONGEST:
            raise ValueError(f"tags: expected 1 to {LONGEST} words in a set, got {len(words)}")
        row[: len(words)] = [vocabulary[word] for word in words]
    if isinstance(encoder, TagEncoder):
        with torch.no_grad():
            vectors: Vectors = encoder(torch.from_numpy(ids)).numpy()
        return vectors
    return encoder(ids)


def read_vocabulary(path: Path) -> dict[str, int]:
    """Return the id of each word, as the authors store them; 0 stands for none."""
    words = json.loads(path.read_text(encoding="utf-8"))
    return {word: int(index) + 1 for index, word in words.items()}


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the cosines of sets of tags."""
    parser = argparse.ArgumentParser(description="Cosines of sets of tags, by an exported tag encoder.")
    parser.add_argument("--model", type=Path, required=True, help="the encoder, .onnx")
    parser.add_argument("--vocabulary", type=Path, required=True, help='its words, JSON: {"0": "word", ...}')
    parser.add_argument("tags", nargs="+", help="sets of words, each with commas")
    options = parser.parse_args(arguments)
    try:
        sets = [tags.split(",") for tags in options.tags]
        vectors = embed_words(open_encoder(options.model), read_vocabulary(options.vocabulary), sets)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    for name, row in zip(options.tags, vectors @ vectors.T, strict=True):
        print(f"{name:<24} " + " ".join(f"{cosine:6.3f}" for cosine in row))
    return 0


if __name__ == "__main__":
    sys.exit(main())
