"""Pictures of results, by matplotlib: each function takes axes, or makes some, and returns them.

>>> from fastaudio import plot
>>> plot.tags.__name__
'tags'

Needs the extra [plot]. `results` draws tags and events, `sound` waveforms and rows over time, `rows`
embeddings, `measures` how good a model is, and `network` what a pipeline is made of. `whole` draws a
whole file of any length, which `reading` reads once, with `hatching` over sound that the model doesn't
hear. `bands` has the frequencies of mel bands.
"""

from fastaudio.plot.measures import confusion, reliability
from fastaudio.plot.network import diagram
from fastaudio.plot.results import events, tags
from fastaudio.plot.rows import embedding
from fastaudio.plot.sound import spectrogram, waveform
from fastaudio.plot.whole import recording

__all__ = [
    "confusion",
    "diagram",
    "embedding",
    "events",
    "recording",
    "reliability",
    "spectrogram",
    "tags",
    "waveform",
]
