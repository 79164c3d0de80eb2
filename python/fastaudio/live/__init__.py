"""Pipelines that run while the sound comes: from a microphone, or from blocks that you push.

`stream` is one run, with `options`; a `reader` takes its `results`, with a `waiter` for event loops, a `tap`
reads its sound, and its `clock` tells the time of day. `pools` hold the threads. `sources` push sound, and so
do those of `urls`, and a `microphone`, which is one of the `devices`; `retrying` finds what was lost, and
`listening` chooses what `Pipeline.listen` hears.
"""

from typing import TYPE_CHECKING

from fastaudio._core import LiveOptions, LiveStats, Pool
from fastaudio._system.lazy import lazily

if TYPE_CHECKING:
    from fastaudio.live.options import Overflow
    from fastaudio.live.pools import shared_pool
    from fastaudio.live.results import Frames, Item
    from fastaudio.live.stream import CLOSE_S, LiveStream
    from fastaudio.live.tap import Tap
else:  # a pipeline over files needs none of them
    __getattr__, __dir__ = lazily(
        "fastaudio.live",
        {
            "fastaudio.live.options": "Overflow",
            "fastaudio.live.pools": "shared_pool",
            "fastaudio.live.results": "Frames Item",
            "fastaudio.live.stream": "CLOSE_S LiveStream",
            "fastaudio.live.tap": "Tap",
        },
    )

__all__ = [
    "CLOSE_S",
    "Frames",
    "Item",
    "LiveOptions",
    "LiveStats",
    "LiveStream",
    "Overflow",
    "Pool",
    "Tap",
    "shared_pool",
]
