"""What sounds are known to be, and whether what a model says of them is right: for make_what_it_hears.py."""

# ruff: noqa: INP001  # beside a script

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

Asked = Literal["tags", "activity", "speech", "instruments", "harmonic", "notes", "pitch", "beats"]
Labels: TypeAlias = "frozenset[str]"
Said: TypeAlias = "Sequence[tuple[str, float]]"  # labels with their scores, the best first
NONE: Labels = frozenset()

RIGHT, HELD, HELD_WRONGLY = "right", "held back", "**held back wrongly**"
WRONG, UNJUDGED = "**wrong**", "not judged"

ASKED: dict[str, Asked] = {
    "musicnn-mtt": "tags",
    "musicnn-msd": "tags",
    "vgg-mtt": "tags",
    "vgg-msd": "tags",
    "sound-activity": "activity",
    "silero-vad": "speech",
    "instruments": "instruments",
    "instruments-harmonic": "harmonic",
    "basic-pitch": "notes",
    "swift-f0": "pitch",
    "beats": "beats",
}
"""What each model is asked."""

LEAST: dict[Asked, float] = {
    "tags": 0.1,
    "activity": 0.3,
    "speech": 0.5,
    "instruments": 0.0,
    "harmonic": 0.0,
    "notes": 0.3,
    "pitch": 0.3,
    "beats": 0.5,
}
"""The score from which a label counts, rounded as it is shown."""

VOICES = frozenset(
    [
        *(
            "vocal",
            "vocals",
            "voice",
            "singing",
            "female",
            "male",
            "woman",
            "man",
            "choir",
            "choral",
            "opera",
        ),
        *("male vocal", "male voice", "female vocal", "female voice"),
        *("female vocalist", "female vocalists", "male vocalists"),
    ]
)
"""Tags of the music models that name voices."""
PLAYED = frozenset(
    [
        *("guitar", "strings", "drums", "piano", "violin", "synth", "harpsichord", "flute", "sitar", "harp"),
        *("cello", "instrumental"),
    ]
)
"""Tags that name instruments; the others name genres, moods, speed and loudness."""
NEVER_WRONG = frozenset(
    ["slow", "fast", "loud", "quiet", "soft", "weird", "no vocals", "no vocal", "no voice"]
)
"""Tags that may be true of a sound that isn't music."""


def counts(model: str, score: float) -> bool:
    """Tell whether a label with this score counts."""
    asked = ASKED.get(model)
    return asked is None or round(score, 2) >= LEAST[asked]


@dataclass(frozen=True)
class Truth:
    """The labels of which one must be a model's best, by what it is asked; None where nobody knows.

    No labels: the model should say nothing.

    Attributes:
        music: whether it is music, or a note of an instrument.
        piece: whether more plays than is known.
    """

    music: bool = False
    piece: bool = False
    tags: Labels | None = NONE
    activity: Labels | None = NONE
    speech: Labels | None = NONE
    instruments: Labels | None = frozenset(["no instrument"])
    harmonic: Labels | None = NONE
    notes: Labels | None = NONE
    pitch: Labels | None = NONE

    @property
    def beats(self) -> Labels | None:
        """No beats, but for music, whose beats nobody wrote down."""
        return None if self.music else NONE

    def judges(self, asked: Asked, label: str) -> bool:
        """Tell whether a label is one that can be right or wrong of this sound."""
        if asked != "tags":
            return True
        if not self.music:
            return label not in NEVER_WRONG
        return label in VOICES or (label in PLAYED and not self.piece)


def judged(model: str, truth: Truth | None, said: Said, *, held: bool) -> str:
    """Return whether what a model says of a sound is right.

    Args:
        model: its name.
        truth: what the sound is, if anybody knows.
        said: labels with their scores, the best first.
        held: whether `fastaudio tag` marks the labels, because it hears no music.
    """
    asked = ASKED.get(model)
    if truth is None or asked is None:
        return UNJUDGED
    if held and not truth.music:
        return HELD
    best = next((label for label, score in said if counts(model, score) and truth.judges(asked, label)), None)
    true: Labels | None = getattr(truth, asked)
    right: bool | None  # None: genres and moods only, or nobody knows
    if true is None or (best is None and true and asked == "tags"):
        right = None
    else:
        right = not true if best is None else best in true
    if held:
        return HELD_WRONGLY if right is None else f"{HELD_WRONGLY}: {best} is {'right' if right else 'wrong'}"
    if right is None:
        return UNJUDGED
    return RIGHT if right else f"{WRONG}: {best or 'nothing'}"


def of_kind(judgement: str) -> str:
    """Return a judgement without what was wrong."""
    return judgement.partition(":")[0]


_OTHER = Truth()
_PITCHED = replace(_OTHER, pitch=None)
_SPEECH = replace(
    _PITCHED,
    tags=VOICES,
    activity=frozenset(["speech"]),
    speech=frozenset(["speech"]),
    harmonic=frozenset(["vocal"]),
)
_PIECE = Truth(
    music=True,
    piece=True,
    tags=None,
    activity=frozenset(["music"]),
    instruments=None,
    harmonic=None,
    notes=None,
    pitch=None,
)
_SINGING = replace(_PIECE, tags=VOICES, activity=frozenset(["singing", "music"]), speech=None)
_CHOIR = replace(
    _SINGING,
    piece=False,
    instruments=frozenset(["voices", "choir", "synth voice"]),
    harmonic=frozenset(["vocal"]),
)

_FAMILIES = {
    "guitar": ("guitar", "banjo", "mandolin"),
    "reed": ("bass clarinet", "bassoon", "clarinet", "contrabassoon", "cor anglais", "oboe", "saxophone"),
    "string": ("violin", "viola", "cello", "double bass"),
    "flute": ("flute",),
    "brass": ("french horn", "trombone", "trumpet", "tuba"),
    "keyboard": ("piano", "harpsichord"),
    "percussion": ("drums", "percussion"),
}
_FAMILY_OF = {name: family for family, names in _FAMILIES.items() for name in names}
_TAGS_OF = {"guitar": {"guitar", "strings"}, "string": {"strings"}, "percussion": {"drums"}}
"""Tags of the music models that are true of a whole family."""


def instrument(name: str, notes: Labels | None = None) -> Truth:
    """Return the truth of an instrument that plays alone: some notes, or what nobody wrote down."""
    family = _FAMILY_OF[name]
    unpitched = family == "percussion"
    plural = family if family in ("brass", "percussion") else f"{family}s"
    return Truth(
        music=True,
        tags=frozenset({name, "instrumental"} | _TAGS_OF.get(family, set())),
        activity=frozenset(["music"]),
        instruments=frozenset([name, plural]),
        harmonic=NONE if unpitched else frozenset([family]),
        notes=NONE if unpitched else notes,
        pitch=NONE if unpitched else notes,
    )


TRUTHS: dict[str, Truth] = {
    "speech": _SPEECH,
    "singing": _SINGING,
    "choir": _CHOIR,
    "music": _PIECE,
    "silence": replace(_OTHER, instruments=NONE),
    **dict.fromkeys(["bird", "birds", "cat", "cow", "dog", "siren"], _PITCHED),
    **dict.fromkeys(["aircraft", "clock", "noise", "rain", "sauna", "thunder", "train", "wind"], _OTHER),
    **{name: instrument(name) for name in _FAMILY_OF},
}
"""What sounds are, by the names that they or their files begin with."""

_CHORD = frozenset(f"{note}{octave}" for note in ("E", "G", "B", "D", "F#") for octave in range(1, 8))
E_MINOR_9 = replace(instrument("guitar"), notes=_CHORD)
"""A chord: whichever of its notes is the best; one pitch it hasn't."""


def truth_of(name: str) -> Truth | None:
    """Return the truth of a sound by the words that its name begins with, if they are known."""
    words = re.sub(r"[\W\d_]+", " ", name).strip().lower() + " "
    known = [each for each in TRUTHS if words.startswith(f"{each} ")]
    return TRUTHS[max(known, key=len)] if known else None
