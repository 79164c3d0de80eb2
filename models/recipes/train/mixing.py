"""Mixes power spectra by splitting a batch: each half is mixed with the other.

Powers of unrelated sounds add up, apart from a term of mean zero, so spectra that were computed once can be
mixed in place of samples, which Lee & Lee mix.

Source: Lee & Lee, section 2.2, figure 2 and algorithm 1, lines 6 to 8
"""

from dataclasses import dataclass

import torch
from torch import Tensor

COLOURS = ("blue", "brown", "grey", "pink", "violet", "white")
_SLOPES = {"violet": 2.0, "blue": 1.0, "white": 0.0, "pink": -1.0, "brown": -2.0}  # slopes over frequency


@dataclass(frozen=True)
class Mixing:
    """Ranges to draw from. They are the paper's, except offset and noise, of which it says less.

    The noise is "added to less than 6 dB" there; here it lies `noise_snr_db` below the sample.
    """

    snr_db: tuple[float, float] = (-5.0, 20.0)
    noise_snr_db: tuple[float, float] = (6.0, 30.0)
    largest_offset: float = 0.25  # share of a sample's length, to either side
    only_offset: bool = False  # whether nothing is mixed in, which is the paper's ablation "-Mixing"


def noise_curve(colour: str, n_bins: int, rate_hz: int = 16_000) -> Tensor:
    """Return a noise's mean power over frequency [n_bins], up to a factor; grey sounds even to the ear."""
    f_hz = torch.linspace(0, rate_hz / 2, n_bins).clamp_min(20)
    if colour == "grey":
        return 1 / _a_weighting(f_hz) ** 2
    return (f_hz / 1000) ** _SLOPES[colour]


def _a_weighting(f_hz: Tensor) -> Tensor:
    """Return the gain of IEC 61672's A-weighting, up to a factor."""
    s = (f_hz / 1000) ** 2
    low = ((s + 0.1077**2) * (s + 0.7379**2)).sqrt()
    return s**2 / ((s + 0.0206**2) * low * (s + 12.194**2))


def noise_power(like: Tensor) -> Tensor:
    """Return the spectra of a noise of random colour for each of `like` [n, frames, bins].

    The power of Gaussian noise in a bin is distributed exponentially around its mean.
    """
    curves = torch.stack([noise_curve(colour, like.shape[2]) for colour in COLOURS])
    chosen = curves[torch.randint(len(COLOURS), (len(like),))]
    return chosen[:, None] * torch.empty_like(like).exponential_()


def mix(power: Tensor, others: Tensor, ranges: Mixing) -> Tensor:
    """Return `power` [n, frames, bins], each moved in time, with its row of `others` and noise added.

    With `only_offset` it is moved alone.
    """
    moved = shift(power, ranges.largest_offset)
    if ranges.only_offset:
        return moved
    total = moved
    for extra, limits in (
        (shift(others, ranges.largest_offset), ranges.snr_db),
        (noise_power(power), ranges.noise_snr_db),
    ):
        snr_db = limits[0] + (limits[1] - limits[0]) * torch.rand(len(power), 1, 1)
        level = _mean(moved) / _mean(extra).clamp_min(1e-20) / 10 ** (snr_db / 10)
        total = total + level * extra
    return total


def _mean(power: Tensor) -> Tensor:
    return power.mean(dim=(1, 2), keepdim=True)


def shift(power: Tensor, largest: float) -> Tensor:
    """Move each sound by up to `largest` of its frames to either side, silence coming in."""
    n, frames, bins = power.shape
    most = int(largest * frames)
    start = torch.randint(-most, most + 1, (n, 1))
    place = torch.arange(frames) - start
    inside = (place >= 0) & (place < frames)
    rows = place.clamp(0, frames - 1)[:, :, None].expand(-1, -1, bins)
    return power.gather(1, rows) * inside[:, :, None]


def batch_split_mixing(power: Tensor, ranges: Mixing) -> tuple[Tensor, Tensor]:
    """Return the shuffled halves s1 and s2 of a batch as indices [2, n // 2], and what each became.

    Each half is mixed with the other [2, n // 2, frames, bins]; an odd n leaves one sound out. The halves are
    contrasted separately: the other half is in the mix, and can't be a negative.
    """
    half = len(power) // 2
    order = torch.randperm(len(power))[: 2 * half].reshape(2, half)
    s1, s2 = power[order]
    return order, torch.stack([mix(s1, s2, ranges), mix(s2, s1, ranges)])
