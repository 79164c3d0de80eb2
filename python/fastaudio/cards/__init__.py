"""Models as data: cards, the networks beside them, and both packed into one file.

`card` reads and builds cards, `saving` writes them, `named` finds them by a model's name, `budget` limits
what one may cost, `old` adapts those of 0.1, `trained` refuses tags from untrained weights, `packed_file` is
the format of a packed model, `metadata` the entries that it adds to an ONNX file, `placing` says where a
network's files go, `mentions` which networks a card names, `pack` packs and unpacks, `licences` finds the
texts that belong to weights, `replacing` writes a model in an older one's place, `file_names` says which
names may be written, `thresholds` from which score a label counts.
"""

from fastaudio.cards.budget import Budget
from fastaudio.cards.card import (
    SCHEMA,
    Card,
    blaming,
    build,
    card_that_tells,
    front_end,
    heard_at_once,
    network_beside,
    read_card,
)
from fastaudio.cards.named import DEFAULT_MODEL, MODELS, models
from fastaudio.cards.placing import external_of, hash_file
from fastaudio.cards.saving import save

__all__ = [
    "DEFAULT_MODEL",
    "MODELS",
    "SCHEMA",
    "Budget",
    "Card",
    "blaming",
    "build",
    "card_that_tells",
    "external_of",
    "front_end",
    "hash_file",
    "heard_at_once",
    "models",
    "network_beside",
    "read_card",
    "save",
]
