"""Topics made of names that may be anything: labels come from cards of strangers."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_LONGEST = 48
_UNSAFE = re.compile(r"[^a-z0-9]+")
_LONGEST_TOPIC = 200  # bytes of one that a user chose


def slug(name: str) -> str:
    """Return a name in the characters a to z, 0 to 9 and _, at most 48 of them and at least one.

    >>> slug("Dog, bark"), slug("Gitarre"), slug("a/#/+")
    ('dog_bark', 'gitarre', 'a')
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    text = _UNSAFE.sub("_", plain).strip("_")[:_LONGEST].strip("_")
    return text or "x" + hashlib.sha256(name.encode("utf-8", "backslashreplace")).hexdigest()[:8]


def slugs(names: Iterable[str], taken: Iterable[str] = ()) -> dict[str, str]:
    """Return a slug for each name, in their order; those that would be alike, or are `taken`, are numbered.

    >>> slugs(["a b", "A/B", "c"])
    {'a b': 'a_b', 'A/B': 'a_b_2', 'c': 'c'}
    """
    taken = set(taken)
    found: dict[str, str] = {}
    for name in names:
        if name in found:
            continue
        text = own = slug(name)
        number = 2
        while own in taken:
            own, number = f"{text}_{number}", number + 1
        taken.add(own)
        found[name] = own
    return found


def checked_topic(topic: str, *, subject: str) -> str:
    """Return a topic that a user chose, if it is one to publish to.

    Raises:
        ValueError: it is empty or long, has wildcards or control characters, or is the broker's own.
    """
    wrong = not topic.isprintable() or any(sign in topic for sign in "+#") or topic.startswith("$")
    if wrong or not 1 <= len(topic.encode("utf-8", "replace")) <= _LONGEST_TOPIC:
        raise ValueError(
            f"{subject}: expected a topic such as home/alerts, of at most {_LONGEST_TOPIC} bytes and without "
            f"+, # or control characters, got {topic!r:.80}"
        )
    return topic
