"""Models as data: cards, the networks beside them, and both packed into one file."""

from fastaudio.cards.card import (
    DEFAULT_MODEL,
    MODELS,
    SCHEMA,
    Card,
    build,
    front_end,
    hash_file,
    models,
    read_card,
    save,
)

__all__ = [
    "DEFAULT_MODEL",
    "MODELS",
    "SCHEMA",
    "Card",
    "build",
    "front_end",
    "hash_file",
    "models",
    "read_card",
    "save",
]
