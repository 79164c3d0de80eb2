"""Regularisers of an embedding by a pre-trained feature.

Source: Hung and Lerch, Feature-informed embedding space regularization for audio classification, 2022,
arXiv:2206.04850, equations 2 and 3.
"""

import torch
from torch import Tensor
from torch.nn import functional


def con_reg(embedding: Tensor, projected: Tensor) -> Tensor:
    """Mean cosine distance between embeddings and features projected to their size, [n, d] both."""
    return (1 - functional.cosine_similarity(embedding, projected, dim=1)).mean()


def dis_reg(embedding: Tensor, feature: Tensor) -> Tensor:
    """Mean over pairs of a batch of |distance of embeddings - distance of features|, cosine both.

    Embeddings are [n, d], features [n, any]; n is at least 2.
    """
    difference = (cosine_distances(embedding) - cosine_distances(feature)).abs()
    n = len(embedding)
    pairs = torch.triu_indices(n, n, offset=1)
    return difference[pairs[0], pairs[1]].mean()


def cosine_distances(rows: Tensor) -> Tensor:
    """Distance of each row from each other [n, n]."""
    unit = functional.normalize(rows, dim=1)
    return 1 - unit @ unit.T
