"""Varies the power spectrum without changing the family, because few programs are soon learnt by heart."""

import torch
from instruments import Batch
from torch import Tensor

CROP_FRAMES = 80  # 1.3 s
TILT_DB = 12.0
RIPPLE_DB = 8.0
SHIFT = 0.12  # factor of frequency, up or down


def augment(batch: Batch) -> Batch:
    """Return the notes cropped in time, shifted in frequency, coloured and masked, at random."""
    power = crop(batch.power)
    power = shift(power)
    power = power * 10 ** (colour(power) / 10)
    return batch.with_power(mask(power))


def crop(power: Tensor, frames: int = CROP_FRAMES) -> Tensor:
    """Cut one place out of all notes; the attack is in it half of the time."""
    latest = power.shape[1] - frames
    start = int(torch.randint(-latest, latest + 1, ()).clamp(min=0))
    return power[:, start : start + frames]


def shift(power: Tensor, most: float = SHIFT) -> Tensor:
    """Stretch each note's frequency axis, pitch and formants together."""
    n, _, bins = power.shape
    at = power.device
    factor = 1 + most * (2 * torch.rand(n, 1, device=at) - 1)
    place = (torch.arange(bins, device=at) * factor).clamp(max=bins - 1)
    low = place.floor().long()
    high = (low + 1).clamp(max=bins - 1)
    part = (place - low)[:, None]
    bins_at = [index[:, None].expand(-1, power.shape[1], -1) for index in (low, high)]
    return power.gather(2, bins_at[0]) * (1 - part) + power.gather(2, bins_at[1]) * part


def colour(power: Tensor) -> Tensor:
    """Return a smooth curve in dB over frequency for each note [n, 1, bins]: a tilt and some ripple."""
    n, _, bins = power.shape
    at = power.device
    x = torch.linspace(0, 1, bins, device=at)
    tilt = TILT_DB * (2 * torch.rand(n, 1, device=at) - 1) * (x - 0.5)
    periods, phase = 4 * torch.rand(n, 1, device=at), 2 * torch.pi * torch.rand(n, 1, device=at)
    ripple = RIPPLE_DB * torch.rand(n, 1, device=at) * torch.sin(2 * torch.pi * periods * x.sqrt() + phase)
    return (tilt + ripple)[:, None]


def mask(power: Tensor, widest: int = 40) -> Tensor:
    """Silence a band of each note, 30 dB down."""
    n, _, bins = power.shape
    at = power.device
    width = torch.randint(0, widest + 1, (n, 1), device=at)
    start = (torch.rand(n, 1, device=at) * (bins - width)).long()
    x = torch.arange(bins, device=at)
    inside = (x >= start) & (x < start + width)
    return power * torch.where(inside, 1e-3, 1.0)[:, None]
