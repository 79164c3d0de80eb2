"""Models as data: cards, the networks beside them, and both packed into one file.

`card` reads, builds and writes cards, `budget` limits what one may cost, `old` adapts those of 0.1, `trained`
refuses tags from untrained weights, `packed_file` is the format of a packed model, `metadata` the entries
that it adds to an ONNX file, `placing` says where a network's files go, `pack` packs and unpacks,
`file_names` says which names may be written.
"""

from fastaudio.cards.budget import Budget
from fastaudio.cards.card import (
    DEFAULT_MODEL,
    MODELS,
    SCHEMA,
    Card,
    blaming,
    build,
    front_end,
    models,
    network_beside,
    read_card,
    save,
)
from fastaudio.cards.placing import external_of, hash_file

__all__ = [
    "DEFAULT_MODEL",
    "MODELS",
    "SCHEMA",
    "Budget",
    "Card",
    "blaming",
    "build",
    "external_of",
    "front_end",
    "hash_file",
    "models",
    "network_beside",
    "read_card",
    "save",
]
