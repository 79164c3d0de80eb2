"""Labelled sound as people have it: label tracks, selection tables, manifests, published collections.

>>> from fastaudio import labelled
>>> print(labelled.Segment("night.wav", 12.0, 15.5))
night.wav [12.00-15.50 s]

`segment` is a stretch of a recording with a label, and what was found of them. `text` reads tables,
`audacity`, `raven` and `manifest` know their forms, `recordings` finds the sound beside them, `collections`
the folders of published data sets, and `reading` tells which of these it is. `rest` finds what nobody
labelled, `cutting` runs over stretches of recordings.
"""

from fastaudio.labelled.reading import has_tables, read
from fastaudio.labelled.rest import rest_of, stretches_of
from fastaudio.labelled.segment import Found, Segment

__all__ = ["Found", "Segment", "has_tables", "read", "rest_of", "stretches_of"]
