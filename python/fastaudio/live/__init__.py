"""Pipelines that run while the sound comes: from a microphone, or from blocks of your own."""

from fastaudio._core import Pool
from fastaudio.live.pools import shared_pool
from fastaudio.live.results import Frames, Item, LiveStats
from fastaudio.live.stream import CLOSE_S, LiveStream, Overflow, Tap

__all__ = ["CLOSE_S", "Frames", "Item", "LiveStats", "LiveStream", "Overflow", "Pool", "Tap", "shared_pool"]
