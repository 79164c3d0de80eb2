"""Computes NT-Xent, generalised Kullback-Leibler divergence, and the sum that aligns audio with tags."""

import torch
from torch import Tensor
from torch.nn import functional


def nt_xent(a: Tensor, b: Tensor, temperature: float, groups: Tensor | None = None) -> Tensor:
    """Cross-entropy of finding each row's partner among all rows of both halves.

    Row i of `a` and row i of `b` [n, d] belong together; the other 2 n - 2 rows are negatives. Rows are
    brought to unit length here, so a dot product is a cosine. Rows of the same group (`groups` [n], whole
    numbers) are no negatives of one another: two notes with the same tags can't be told apart by them.

    Source: Lee & Lee, equation (1); Favory et al. take the same between audio and tags; both from Chen et
        al., A simple framework for contrastive learning of visual representations, ICML 2020
    """
    n = len(a)
    rows = functional.normalize(torch.cat([a, b]), dim=1)
    cosines = rows @ rows.T / temperature
    partner = torch.arange(2 * n, device=a.device).roll(n)
    left_out = torch.eye(2 * n, dtype=torch.bool, device=a.device)
    if groups is not None:
        both = torch.cat([groups, groups])
        left_out |= both[:, None] == both[None, :]
        left_out[torch.arange(2 * n), partner] = False
    return functional.cross_entropy(cosines.masked_fill(left_out, -torch.inf), partner)


def generalised_kl(x: Tensor, x_hat: Tensor, floor: float = 1e-6) -> Tensor:
    """Mean over elements of x log(x / x_hat) - x + x_hat, for x and x_hat from 0 up; 0 where equal.

    Source: Favory et al., L_a of equation (6)
    """
    x_hat = x_hat.clamp_min(floor)
    return (torch.xlogy(x, x.clamp_min(floor) / x_hat) - x + x_hat).mean()


def alignment_loss(
    audio: Tensor,
    tags: Tensor,
    *,
    x: Tensor,
    x_hat: Tensor,
    temperature: float = 0.1,
    audio_weight: float = 5.0,
    contrast_weight: float = 10.0,
    groups: Tensor | None = None,
) -> Tensor:
    """Return what audio encoder, decoder and tag encoder are trained with together.

    `audio` and `tags` [n, d] are of notes whose tags are known; spectrograms `x` and their reconstructions
    `x_hat` may be of more notes. Weights and temperature are the paper's.

    Source: Favory et al., equation (6)
    """
    contrast = nt_xent(audio, tags, temperature, groups)
    return audio_weight * generalised_kl(x, x_hat) + contrast_weight * contrast
