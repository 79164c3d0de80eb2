"""Makes a note's tags: its family, the words of its program's name, its register, how hard it was played."""

import re
from collections.abc import Mapping, Sequence

import numpy as np

PADDING = 0  # this id means no tag

# These are thirds of the pitches and velocities that occur: MIDI 41 to 76, 50 to 120.
_REGISTERS = ((50, "low"), (60, "middle"), (128, "high"))
_DYNAMICS = ((64, "soft"), (100, "moderate"), (128, "loud"))


def words_of(note: Mapping[str, str]) -> list[str]:
    """Return a note's tags, each once, its family first; `note` is a row of the manifest."""
    name = [word for word in re.findall("[a-z]+", note["gm_name"].lower()) if len(word) > 1]
    register = next(word for below, word in _REGISTERS if int(note["pitch"]) < below)
    dynamic = next(word for below, word in _DYNAMICS if int(note["velocity"]) < below)
    return list(dict.fromkeys([note["family"], *name, register, dynamic]))


class Vocabulary:
    """Ids of the words that training notes have: 1 and up, 0 is padding; unknown words are left out."""

    def __init__(self, notes: Sequence[Mapping[str, str]]) -> None:
        self.words = sorted({word for note in notes for word in words_of(note)})
        self._ids = {word: i + 1 for i, word in enumerate(self.words)}

    def ids(self, words: Sequence[str]) -> list[int]:
        """Return the ids of those words that are known."""
        return [self._ids[word] for word in words if word in self._ids]


def drop_some(rng: np.random.Generator, ids: Sequence[int], probability: float) -> list[int]:
    """Return ids with some left out, never the first, so that the encoder sees short lists too."""
    return [*ids[:1], *(i for i in ids[1:] if rng.random() >= probability)]
