"""Convolves long kernels with fewer multiplications, and few filters at once.

Every m-th position and tap form one of m phases. In an output's phase p, tap phase q meets the
samples x[p + q], and so do phase q and tap phase p. So m (m + 1) / 2 short convolutions replace m
squared: x[p + q] with the taps h[p] + h[q] for each pair of phases, and x[2 p] less all other
x[p + q] with h[p] for each phase. That is three instead of four, or six instead of nine, and each
can be split again. What is subtracted is one channel; what is added are the filters' outputs.

Source: with two phases it is the minimal algorithm F(2, 2) of Winograd, Arithmetic Complexity of
Computations, SIAM 1980.
"""

import functools
import itertools
import math
from collections.abc import Iterator, Sequence

import torch
from musicnn_layers import BANDS, LANES, SignedNorm, Weights, lanes, load_conv
from torch import Tensor, nn
from torch.nn import functional

BANDS_AT_ONCE = 24


def parts(ways: int) -> list[tuple[int, ...]]:
    """Return what is convolved: each phase, then each pair of phases."""
    phases = range(ways)
    return [(p,) for p in phases] + list(itertools.combinations(phases, 2))


def part_taps(taps: int, ways: Sequence[int]) -> list[int]:
    """Return how many taps each short convolution has: those of the longest of its phases."""
    if not ways:
        return [taps]
    sizes = [len(range(part[0], taps, ways[0])) for part in parts(ways[0])]
    return [size for whole in sizes for size in part_taps(whole, ways[1:])]


def split_kernel(kernel: Tensor, ways: Sequence[int]) -> list[Tensor]:
    """Return the short kernels along axis 2."""
    if not ways:
        return [kernel]
    phases = [kernel[:, :, p :: ways[0]] for p in range(ways[0])]
    sums = []
    for first, *others in parts(ways[0]):
        total = phases[first].clone()
        for p in others:
            total[:, :, : phases[p].shape[2]] += phases[p]
        sums.append(total)
    return [short for total in sums for short in split_kernel(total, ways[1:])]


def samples_needed(taps: int, positions: int, ways: Sequence[int]) -> int:
    """Return how many samples `split_signal` takes; those beyond taps + positions - 1 count for nothing."""
    if not ways:
        return taps + positions - 1
    m = ways[0]
    return m * (samples_needed(-(-taps // m), positions // m, ways[1:]) + 1) - 1


def split_signal(x: Tensor, taps: int, positions: int, ways: Sequence[int]) -> list[Tensor]:
    """Return what the short kernels are convolved with along axis 2, for a multiple of all ways of positions.

    Tensors are cut only where they have to be, since a cut takes as long as a small convolution.
    """
    return list(_split(x, samples_needed(taps, positions, ways), taps, positions, ways))


def _split(x: Tensor, size: int, taps: int, positions: int, ways: Sequence[int]) -> Iterator[Tensor]:
    if not ways:
        needed = taps + positions - 1
        yield x if size == needed else x[:, :, :needed]
        return
    m, rest = ways[0], ways[1:]
    n = samples_needed(-(-taps // m), positions // m, rest)
    phases = [x[:, :, r : r + m * (n - 1) + 1 : m] for r in range(2 * m - 1)]
    for first, *others in parts(m):
        mixed = phases[first + others[0] if others else 2 * first]
        for q in range(m):
            mixed = mixed if others or q == first else mixed - phases[first + q]
        yield from _split(mixed, n, len(range(first, taps, m)), positions // m, rest)


def join(outputs: Sequence[Tensor], ways: Sequence[int]) -> list[Tensor]:
    """Return the outputs in n phases, n being the product of all ways: positions 0, n..., then 1, n + 1..."""
    if not ways:
        return list(outputs)
    m, known = ways[0], parts(ways[0])
    size = len(outputs) // len(known)
    joined = {part: join(outputs[i * size : (i + 1) * size], ways[1:]) for i, part in enumerate(known)}
    phases = []
    for r in range(len(joined[0,])):
        for p in range(m):
            shared = [joined[pair][r] for pair in known[m:] if p in pair]
            phases.append(functools.reduce(torch.add, shared, joined[p,][r]))
    return phases


class SplitConv(nn.Module):
    """The convolution of one channel with some filters, in short ones along the bands.

    Input:  what `split_signal` returns
    Output: phases [n, filters, positions, frames]
    """

    def __init__(self, filters: int, bands: int, frames: int, ways: Sequence[int]) -> None:
        super().__init__()
        self.filters, self.ways = filters, ways
        paths = itertools.product(*map(parts, ways))
        once = [
            all(len(part) == 1 for part in path) for path in paths
        ]  # by these each output gets the bias once
        self.short = nn.ModuleList(
            nn.Conv2d(1, filters, (taps, frames), padding=(0, frames // 2), bias=bias)
            for taps, bias in zip(part_taps(bands, ways), once, strict=True)
        )

    def load(self, kernel: Tensor, bias: Tensor) -> None:
        """Take a kernel [filters, 1, bands, frames] and its bias."""
        for conv, short in zip(self.short, split_kernel(kernel, self.ways), strict=True):
            assert isinstance(conv, nn.Conv2d)
            load_conv(conv, short, bias)

    def forward(self, signals: Sequence[Tensor]) -> list[Tensor]:
        """Convolve and add up."""
        return join([conv(x) for conv, x in zip(self.short, signals, strict=True)], self.ways)


class Timbral(nn.Module):
    """Convolution at all positions along the bands, the highest of them, ReLU, normalisation.

    Input:  [n, 1, bands, frames]
    Output: [n, filters, 1, frames]
    """

    def __init__(self, filters: int, bands: int, frames: int, ways: Sequence[int], at_once: int) -> None:
        super().__init__()
        self.bands, self.ways = bands, ways
        sizes = groups(lanes(filters), at_once)
        self.groups = nn.ModuleList(SplitConv(size, bands, frames, ways) for size in sizes)
        self.norm = SignedNorm(filters)

    def load(self, weights: Weights, conv: str, norm: str) -> None:
        """Take the named convolution and normalisation from a checkpoint."""
        kernel, bias = self.norm.load(weights, conv, norm)
        first = 0
        for group in self.groups:
            assert isinstance(group, SplitConv)
            last = first + group.filters
            group.load(kernel[first:last].transpose(2, 3), bias[first:last])
            first = last

    def forward(self, x: Tensor) -> Tensor:
        """Convolve in short ones, pool, then activate and normalise."""
        n, step = BANDS - self.bands + 1, math.prod(self.ways)
        filled = n + -n % step
        end = samples_needed(self.bands, filled, self.ways) - BANDS
        filling = x[:, :, :end]  # any values: they count for nothing
        signals = split_signal(torch.cat([x, filling], dim=2), self.bands, filled, self.ways)
        inside = [len(range(phase, n, step)) for phase in range(step)]
        highest = []
        for group in self.groups:
            pools = [functional.max_pool2d(y, (k, 1)) for y, k in zip(group(signals), inside, strict=True)]
            highest.append(functools.reduce(torch.maximum, pools))
        pooled: Tensor = self.norm(torch.cat(highest, dim=1))
        return pooled


class Temporal(nn.Module):
    """Convolution along the frames of each band, the highest band, ReLU, normalisation.

    Input:  [n, 1, bands, frames]
    Output: [n, filters, 1, frames]
    """

    def __init__(self, filters: int, frames: int) -> None:
        super().__init__()
        # "same" puts the odd frame of an even kernel at the end, as TensorFlow does.
        self.conv = nn.Conv2d(1, lanes(filters), (frames, 1), padding="same")
        self.norm = SignedNorm(filters)

    def load(self, weights: Weights, conv: str, norm: str) -> None:
        """Take the named convolution and normalisation from a checkpoint."""
        load_conv(self.conv, *self.norm.load(weights, conv, norm))

    def forward(self, x: Tensor) -> Tensor:
        """Convolve and pool some bands after the other, then activate and normalise."""
        turned = x.transpose(2, 3)
        some = [turned[..., first : first + BANDS_AT_ONCE] for first in range(0, BANDS, BANDS_AT_ONCE)]
        pools = [functional.max_pool2d(self.conv(bands), (1, BANDS_AT_ONCE)) for bands in some]
        pooled: Tensor = self.norm(functools.reduce(torch.maximum, pools).transpose(2, 3))
        return pooled


def groups(filters: int, at_once: int) -> list[int]:
    """Return how many filters run at once, in whole lanes: few, so that what they write stays small."""
    n, blocks = -(-filters // at_once), filters // LANES
    return [LANES * (blocks // n + (i < blocks % n)) for i in range(n)]
