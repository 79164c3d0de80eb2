"""Computes regularisers of an embedding by a pre-trained feature.

Source: Hung and Lerch, Feature-informed embedding space regularization for audio classification, 2022,
arXiv:2206.04850, equations 2 and 3.
"""

import torch
from torch import Tensor
from torch.nn import functional


def con_reg(embedding: Tensor, projected: Tensor) -> Tensor:
    """Return the mean cosine distance of embeddings and features projected to their size, both [n, d]."""
    return (1 - functional.cosine_similarity(embedding, projected, dim=1)).mean()


def dis_reg(embedding: Tensor, feature: Tensor) -> Tensor:
    """Return the mean over pairs of |distance of embeddings - distance of features|, both by cosine.

    Embeddings are [n, d], features [n, any]; n is at least 2.
    """
    difference = (cosine_distances(embedding) - cosine_distances(feature)).abs()
    n = len(embedding)
    pairs = torch.triu_indices(n, n, offset=1)
    return difference[pairs[0], pairs[1]].mean()


def cosine_distances(rows: Tensor) -> Tensor:
    """Return the distance of each row from each other [n, n]."""
    unit = functional.normalize(rows, dim=1)
    return 1 - unit @ unit.T
